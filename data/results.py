"""Compute results.json of this folder again: this book's answers to the paper's numbers.

    python data/results.py

From the shipped counts and the other results files; under a minute where eigenpairs are cached.
"""

import json
from pathlib import Path

import qw2v

FILE = Path(__file__).parent / "results.json"
DIM = 200


def text(stats: qw2v.CorpusStatistics) -> dict:
    """Return how much text was counted."""
    return {
        "tokens": stats.n_tokens,
        "documents": stats.n_documents,
        "vocab_size": stats.vocab_size,
        "coverage": int(stats.word_counts.sum()) / stats.n_tokens,
    }


def closed_form(stats: qw2v.CorpusStatistics) -> dict:
    """Return the benchmarks of the closed form of each matrix."""
    found = {}
    for kind in ("mstar", "ppmi", "pmi"):
        report = qw2v.evaluate(qw2v.closed_form(stats, dim=DIM, kind=kind))
        found[kind] = {
            "analogies": report.accuracy,
            "asked": report.total.asked,
            **report.similarity,
        }
    return found


def record() -> dict:
    """Return the content of the file."""
    stats = qw2v.load_statistics()
    return {
        "command": "python data/results.py",
        "statistics": stats.fingerprint,
        "text": text(stats),
        "closed_form": closed_form(stats),
    }


def main() -> None:
    """Write the file."""
    FILE.write_text(json.dumps(record(), indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
