"""How to get the best vectors in closed form: choose on one half of the questions, report on both.

    python experiments/recipe.py enwiki-*.txt.xz

Four choices that the theory leaves open: how a pair's weight falls with its distance (`windows`),
which function of P_ij / (P_i P_j) is factorised (`matrix`: M*, or PMI with a floor for pairs that
never met, less ln k of k negatives), how a pair counts by its words' frequencies (`beta`,
G = g g^T with g = P^beta), and the exponent of the eigenvalues (`power`, 1/2 in Theorem 1).

Chosen is the row with most analogies on the odd categories of Google's list (the first, third,
...), among those that are no worse than the paper's on WordSim353. The even categories and MEN take
no part in the choice. "other_half" is what would be chosen on the even ones.

Written to data/recipe.json. At the end the paper's recipe and the chosen one are scored on the
first of the texts alone, an eighth of the articles: what was chosen on much text need not be best
on little.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import made_by, write_json

import qw2v
from qw2v.evaluation import evaluate
from qw2v.statistics import CorpusStatistics
from qw2v.weighting import ByFrequency

V, DIM = 10_000, 200
WINDOWS = {
    "linear, 16": (16, "linear"),
    "harmonic, 16": (16, "harmonic"),
    "harmonic, 32": (32, "harmonic"),
}
MATRICES: dict[str, dict[str, Any]] = {
    "M*": {"kind": "mstar"},
    **{
        f"PMI, floor {floor:g}, k = {shift:g}": {"kind": "pmi", "floor": floor, "shift": shift}
        for floor, shift in ((0.1, 1.0), (0.05, 1.0), (0.025, 1.0), (0.05, 0.5))
    },
}
BETAS = (0.0, 0.25, 0.5)
POWERS = (0.25, 0.375, 0.5)
PAPER = {"windows": "linear, 16", "matrix": "M*", "beta": 0.0, "power": 0.5}


def counted(texts: list[str], folder: Path) -> Iterator[tuple[str, CorpusStatistics]]:
    """Yield the counts with each kind of window; the paper's are the shipped ones."""
    shipped, corpus = qw2v.load_statistics(), None
    for name, (window, weights) in WINDOWS.items():
        file = folder / f"{weights}-{window}.npz"
        if name == PAPER["windows"]:
            yield name, shipped
            continue
        if not file.exists():
            corpus = corpus or qw2v.Corpus.from_files(texts, tokens="a-z", progress=False)
            corpus.count(
                vocabulary=shipped.words, window=window, window_weights=weights, progress=False
            ).save(file)
        yield name, CorpusStatistics.load(file)


def rows(texts: list[str], folder: Path) -> Iterator[dict[str, Any]]:
    """Yield every combination with its scores."""
    for windows, stats in counted(texts, folder):
        for (matrix, options), beta in itertools.product(MATRICES.items(), BETAS):
            target = qw2v.target(stats, weighting=ByFrequency(beta), **options)
            values, modes = target.eigenpairs(DIM, progress=False)
            for power in POWERS:
                vectors = modes * values**power / target.scale[:, None]
                row = {"windows": windows, "matrix": matrix, "beta": beta, "power": power}
                yield row | scores(qw2v.WordVectors(stats.words, vectors))


def scores(vectors: qw2v.WordVectors) -> dict[str, float]:
    """Return accuracy on the odd, the even and all categories, and both correlations."""
    report = evaluate(vectors)
    halves = report.analogies[::2], report.analogies[1::2]
    odd, even = (
        sum(score.correct for score in half) / sum(score.asked for score in half) for half in halves
    )
    return {"odd": odd, "even": even, "all": report.accuracy, **report.similarity}


def papers(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the paper's row."""
    return next(row for row in found if all(row[name] == PAPER[name] for name in PAPER))


def choose(found: list[dict[str, Any]], half: str = "odd") -> dict[str, Any]:
    """Return the row to take, by half of the categories and WordSim353."""
    least = papers(found)["WordSim353"]
    return max((row for row in found if row["WordSim353"] >= least), key=lambda row: row[half])


def smaller_text(text: str, chosen: dict[str, Any]) -> dict[str, Any]:
    """Return the scores of the paper's recipe and the chosen one on another text."""
    corpus = qw2v.Corpus.from_files(text, tokens="a-z", progress=False)
    found: dict[str, Any] = {}
    for name, row in (("paper", PAPER), ("tuned", chosen)):
        window, weights = WINDOWS[row["windows"]]
        stats = corpus.count(V, window=window, window_weights=weights, progress=False)
        vectors = qw2v.closed_form(stats, dim=DIM, recipe=name, progress=False)
        report = evaluate(vectors)
        found |= {"words": stats.n_tokens, name: {"all": report.accuracy, **report.similarity}}
    return found


def main() -> None:
    """Score every combination, choose, and write both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="+", help="articles, one a line; the first is the eighth")
    parser.add_argument("--keep", type=Path, default=Path("counts"), help="folder of the counts")
    given = parser.parse_args()
    given.keep.mkdir(exist_ok=True)
    found = []
    for row in rows(given.texts, given.keep):
        print(*row.values(), flush=True)
        found.append(row)
    chosen = choose(found)
    report = {
        **made_by("recipe.py enwiki-*.txt.xz"),
        "statistics": qw2v.load_statistics().fingerprint,
        "dim": DIM,
        "paper": papers(found),
        "chosen": chosen,
        "other_half": choose(found, "even"),
        "smaller_text": smaller_text(given.texts[0], chosen),
        "rows": found,
    }
    write_json(
        "recipe.json", report, ('"paper"', '"chosen"', '"other', '"smaller', '"rows"', '{"windows"')
    )


if __name__ == "__main__":
    main()
