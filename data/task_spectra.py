"""Compute task-spectra.json of this folder again: a few minutes, most of them for eigenvectors.

    python data/task_spectra.py

Spectra of the task vectors of each analogy category in the closed form of the shipped statistics,
and the share of analogies completed, at dimensions from 4 to 1,024.
"""

import json
from pathlib import Path

import qw2v
from qw2v import datasets, taskvectors

FILE = Path(__file__).parent / "task-spectra.json"
DIMS = (4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1024)
DIGITS = 5


def record(dims: tuple[int, ...] = DIMS) -> dict:
    """Return the content of the file."""
    stats = qw2v.load_statistics()
    vectors = qw2v.closed_form(stats, dim=max(dims))
    return {
        "command": "python data/task_spectra.py",
        "statistics": stats.fingerprint,
        "dims": list(dims),
        "categories": taskvectors.emergence(vectors, datasets.google_analogies(), dims),
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
    text = text.replace('"gram', '\n"gram').replace('"dims"', '\n"dims"')
    FILE.write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
