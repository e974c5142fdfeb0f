"""Compute task-spectra.json of data/ again: ten minutes or so, and 3 GB of memory.

    python experiments/task_spectra.py

The task vectors of each analogy category in the closed form of the shipped statistics, at
dimensions from 4 to 4,096: their spectra, what the mean task vector holds of the spike, on how many
modes they live, the share of analogies completed, and the cosines of the answer and of its
nearest rival. Most of the time goes into 4,096 of the 10,000 eigenvectors, in double precision.
"""

import platform
from datetime import date

import numpy as np
from common import write_json

import qw2v
from qw2v import datasets, taskvectors

DIMS = (
    *(4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1024),
    *(1448, 2048, 2896, 4096),
)
DIGITS = 5


def record(dims: tuple[int, ...] = DIMS) -> dict:
    """Return the content of the file."""
    stats = qw2v.load_statistics()
    values, modes = qw2v.target(stats).eigenpairs(max(dims), cache=False)
    vectors = qw2v.WordVectors(stats.words, modes * np.sqrt(values))
    return {
        "command": "python experiments/task_spectra.py",
        "recorded": f"{date.today()}, {platform.machine()} CPU, numpy {np.__version__}",
        "statistics": stats.fingerprint,
        "dims": list(dims),
        "participation_ratio": [
            float(values[:d].sum() ** 2 / np.sum(values[:d] ** 2)) for d in dims
        ],
        "categories": taskvectors.emergence(vectors, datasets.load_google_analogies(), dims),
    }


def main() -> None:
    """Write the file."""
    write_json("task-spectra.json", record(), ('"gram', '"dims"', '"categories"'), digits=DIGITS)


if __name__ == "__main__":
    main()
