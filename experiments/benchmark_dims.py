"""Compute benchmark-dims.json of data/ again: some ten minutes, most for eigenvectors.

    python experiments/benchmark_dims.py

Scores of the closed form of the shipped statistics at dimensions from 10 up, to 1,024 for M* and to
200 for PPMI and PMI: Google analogies by the paper's protocol, MEN and WordSim353.
"""

import json
import platform
from datetime import date

import numpy as np
import scipy
from common import DATA

import qw2v

FILE = DATA / "benchmark-dims.json"
LARGEST = {"mstar": 1024, "ppmi": 200, "pmi": 200}
DIMS = (10, 16, 23, 32, 45, 64, 91, 128, 200, 256, 362, 512, 724, 1024)
DIGITS = 4


def scores(vectors: qw2v.WordVectors) -> dict[str, float]:
    """Return the three scores by name."""
    report = qw2v.evaluate(vectors)
    return {"analogies": report.accuracy, **report.similarity}


def record(stats: qw2v.CorpusStatistics) -> dict:
    """Return the content of the file."""
    found = {}
    for kind, largest in LARGEST.items():
        full = qw2v.closed_form(stats, dim=largest, kind=kind)
        rows = [
            scores(qw2v.WordVectors(full.words, full.matrix[:, :dim]))
            for dim in DIMS
            if dim <= largest
        ]
        found[kind] = {name: [round(row[name], DIGITS) for row in rows] for name in rows[0]}
    return {
        "command": "python experiments/benchmark_dims.py",
        "statistics": stats.fingerprint,
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, numpy {np.__version__}, scipy {scipy.__version__}",
        "dims": list(DIMS),
        "scores": found,
    }


def main() -> None:
    """Write the file."""
    text = json.dumps(record(qw2v.load_statistics()), separators=(",", ":"))
    FILE.write_text(text.replace('"scores"', '\n"scores"') + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
