"""What else was tried to get more analogies out of the counts at the same dimension.

    python experiments/recipe_more.py TEXT...

The tuned recipe is the first row; each other row changes one thing of it. The text is needed where
it is counted anew: another window, a larger vocabulary of which the first words are kept. Written
to data/recipe-more.json; the chapter *Quality per CPU second* shows it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import numpy as np
from common import DATA, made_by, write_json
from numpy.typing import NDArray
from recipe import scores

import qw2v
from qw2v.spectrum import eigenpairs
from qw2v.statistics import CorpusStatistics
from qw2v.weighting import ByFrequency

V, DIM, POWER, BETA = 10_000, 200, 0.25, 0.5


def tuned(stats: CorpusStatistics, dim: int = DIM) -> NDArray[np.floating]:
    """Return the vectors of the tuned recipe."""
    return qw2v.closed_form(stats, dim=dim, recipe="tuned", progress=False).matrix[:V]


def factorised(table: NDArray[np.float32], P: NDArray[np.float64]) -> NDArray[np.floating]:
    """Return the vectors of another table, weighted and powered as in the tuned recipe."""
    half = (P ** (BETA / 2)).astype(np.float32)
    table *= half[:, None]
    table *= half
    values, modes = eigenpairs(table, DIM, progress=False)
    return modes * values**POWER / half[:, None]


def tables(stats: CorpusStatistics) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield tables of the counts C and what chance would give, E, in the place of M*."""
    C = stats.pair_counts.toarray().astype(np.float32)
    total = C.sum(dtype=np.float64)
    E = (total * np.outer(stats.unigram, stats.unigram)).astype(np.float32)
    yield "counts below ten shrunk: (C - E) / ((C + E) / 2 + 10)", (C - E) / (0.5 * (C + E) + 10)
    yield "the logarithm: log (C + 1) / (E + 1)", np.log((C + 1) / (E + 1))
    yield "half the negatives: (C - E/2) / ((C + E/2) / 2)", (C - E / 2) / (0.5 * (C + E / 2))


def with_negative(stats: CorpusStatistics, share: int) -> NDArray[np.floating]:
    """Return vectors along positive modes and the `share` most negative ones."""
    target = qw2v.target(stats, weighting=ByFrequency(BETA))
    values, modes = target.eigenpairs(DIM - share, progress=False)
    least, along = eigenpairs(-target, share, progress=False)
    values, modes = np.concatenate([values, least]), np.hstack([modes, along])
    return modes * values**POWER / target.scale[:, None]


def rows(texts: list[str]) -> Iterator[tuple[str, NDArray[np.floating]]]:
    """Yield what was changed, and the vectors."""
    stats = qw2v.load_statistics()
    vectors = tuned(stats)
    yield "nothing: the tuned recipe", vectors
    yield "the mean vector taken away", vectors - vectors.mean(axis=0)
    yield "the 20 most negative modes for the last 20", with_negative(stats, 20)
    for name, table in tables(stats):
        yield name, factorised(table, stats.unigram)
    corpus = qw2v.Corpus.from_files(texts, tokens="a-z", progress=False)
    for window in (8, 32):
        counts = corpus.count(V, window=window, progress=False)
        yield f"a window of {window}", tuned(counts)
    yield "20,000 words counted, 10,000 kept", tuned(corpus.count(2 * V, window=16, progress=False))
    yield "twice the dimension", tuned(stats, 2 * DIM)


def main() -> None:
    """Score every row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+")
    texts = parser.parse_args().texts
    words = qw2v.load_statistics().words
    found = []
    for name, matrix in rows(texts):
        found.append({"changed": name} | scores(qw2v.WordVectors(words, matrix)))
        print(found[-1], flush=True)
        report = {**made_by("recipe_more.py"), "dim": DIM, "rows": found}
        write_json(DATA / "recipe-more.json", report)


if __name__ == "__main__":
    main()
