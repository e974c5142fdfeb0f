"""Compute robustness.json of data/ again, from the text: some ten minutes on an idle machine.

    python experiments/robustness.py enwiki-*.txt.xz

Which eigenvectors of M* survive another window, another text? The text comes in files, one article
a line, those that enwiki.npz was counted from. The reference: the first 5,000 words of the counts
at V = 10,000, L = 16. Against it, over the same 5,000 words: other windows; and one half of the
files against the other, over random halves.

The errors of the windows are jackknife errors, a quarter of the files left out at a time on both
sides of the comparison; those of the halves are standard deviations over halves.
"""

import argparse
import itertools
import json
import platform
from collections.abc import Iterator
from dataclasses import fields
from datetime import date

import numpy as np
import scipy
from common import DATA

import qw2v
from qw2v import features
from qw2v._environment import progress_bar
from qw2v.statistics import CorpusStatistics

FILE = DATA / "robustness.json"
WORDS, MODES, QUARTERS, HALVES, SEED = 5_000, 100, 4, 3, 0
WINDOW, WINDOWS = 16, (2, 5, 32)
DIGITS = 4


def modes(stats: CorpusStatistics) -> np.ndarray:
    """Return the first eigenvectors of M* (5,000, 100)."""
    return qw2v.target(stats).eigenpairs(MODES, cache=False, progress=False)[1]


def without(total: CorpusStatistics, part: CorpusStatistics) -> CorpusStatistics:
    """Return the counts of the whole text less those of a part of it."""
    return CorpusStatistics(
        total.words,
        total.word_counts - part.word_counts,
        total.pair_counts - part.pair_counts,
        total.window,
        total.window_weights,
        total.out_of_vocabulary,
        total.n_documents - part.n_documents,
        total.n_tokens - part.n_tokens,
    )


def counted(groups: list[list[str]], window: int) -> list[CorpusStatistics]:
    """Return the counts of groups of files over the shipped words, of the first of them."""
    words, count = qw2v.load_statistics().words, CorpusStatistics.from_files
    return [
        count(paths, vocabulary=words, window=window, progress=False).restrict(WORDS)
        for paths in groups
    ]


def replicates(parts: list[CorpusStatistics]) -> Iterator[CorpusStatistics]:
    """Yield the counts of all parts, then those with one part left out."""
    total = CorpusStatistics.merge(parts)
    yield total
    for part in parts:
        yield without(total, part)


def compared(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rows of `features.FeatureMatch` (5, 100)."""
    found = features.match_features(features.squared_overlaps(first, second))
    return np.array([getattr(found, field.name) for field in fields(found)])


def table(value: np.ndarray, error: np.ndarray) -> dict:
    """Return one comparison as it is written: each row of `FeatureMatch`, and its error."""
    names = [field.name for field in fields(features.FeatureMatch)]
    written = {name: value[i].round(DIGITS).tolist() for i, name in enumerate(names)}
    written["match"] = [int(k) for k in written["match"]]
    return written | {
        f"{name}_error": error[i].round(DIGITS).tolist()
        for i, name in enumerate(names)
        if name != "match"
    }


def halves(parts: list[CorpusStatistics]) -> dict:
    """Return the comparison of one half of the parts with the other, averaged over halves."""
    sides = [
        side for side in itertools.combinations(range(len(parts)), len(parts) // 2) if 0 in side
    ]
    found = []
    for i in np.random.default_rng(SEED).choice(len(sides), HALVES, replace=False):
        others = set(range(len(parts))) - set(sides[i])
        first, second = (
            modes(CorpusStatistics.merge(parts[j] for j in side)) for side in (sides[i], others)
        )
        found.append((compared(first, second) + compared(second, first)) / 2)
    written = table(np.mean(found, axis=0), np.std(found, axis=0, ddof=1))
    del written["match"]  # both ways and over several halves there is no one match
    return written


def record(paths: list[str]) -> dict:
    """Return the content of the file."""
    with progress_bar("robustness", "comparison", 1 + len(WINDOWS)) as bar:
        parts = counted([[path] for path in paths], WINDOW)
        quarters = [CorpusStatistics.merge(parts[i::QUARTERS]) for i in range(QUARTERS)]
        reference = [modes(stats) for stats in replicates(quarters)]
        comparisons = {"halves": halves(parts)}
        bar.update()
        for window in WINDOWS:
            others = replicates(counted([paths[i::QUARTERS] for i in range(QUARTERS)], window))
            found = [
                compared(base, modes(other)) for base, other in zip(reference, others, strict=True)
            ]
            comparisons[f"window {window}"] = table(found[0], features.jackknife_error(found[1:]))
            bar.update()
    return {
        "command": "python experiments/robustness.py enwiki-*.txt.xz",
        "date": date.today().isoformat(),
        "machine": f"{platform.machine()}, numpy {np.__version__}, scipy {scipy.__version__}",
        "files": len(paths),
        "words": WORDS,
        "modes": MODES,
        "halves": HALVES,
        "seed": SEED,
        "comparisons": comparisons,
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", help="text files, one article a line")
    text = json.dumps(record(parser.parse_args().paths), separators=(",", ":"))
    FILE.write_text(text.replace('"comparisons"', '\n"comparisons"') + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
