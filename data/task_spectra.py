"""Compute task-spectra.json of this folder again: ten minutes or so, and 3 GB of memory.

    python data/task_spectra.py

The task vectors of each analogy category in the closed form of the shipped statistics, at
dimensions from 4 to 4,096: their spectra, what the mean task vector holds of the spike, on how many
modes they live, the share of analogies completed, and the cosines of the answer and of its
nearest rival. Most of the time goes into 4,096 of the 10,000 eigenvectors, in double precision.
"""

import json
import platform
from datetime import date
from pathlib import Path

import numpy as np

import qw2v
from qw2v import datasets, taskvectors

FILE = Path(__file__).parent / "task-spectra.json"
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
        "command": "python data/task_spectra.py",
        "recorded": f"{date.today()}, {platform.machine()} CPU, numpy {np.__version__}",
        "statistics": stats.fingerprint,
        "dims": list(dims),
        "participation_ratio": [
            float(values[:d].sum() ** 2 / np.sum(values[:d] ** 2)) for d in dims
        ],
        "categories": taskvectors.emergence(vectors, datasets.load_google_analogies(), dims),
    }


def rounded(value):
    """Return the numbers inside with five significant digits, as they are written."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def main() -> None:
    """Write the file."""
    text = json.dumps(rounded(record()), separators=(",", ":"))
    for start in ('"gram', '"dims"', '"categories"'):
        text = text.replace(start, "\n" + start)
    FILE.write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
