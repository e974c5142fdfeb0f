"""How much is the text? Scores on nested parts of the corpus, and what more text would bring.

    python experiments/text_share.py enwiki-*.txt.xz

The articles are dealt into 32 parts, and counted part by part over the shipped 10,000 words. A draw
puts the parts in a random order, and takes the first 1, 2, 4, 8, 16: nested texts from 1/32 on. All
32 are the shipped counts. M*, PPMI and PMI are factorised at d = 200 and scored each time, with the
question words left out and kept. Written to data/text-share.json as it goes; a second call goes on.

To each score's means a curve a - b n^-c is fitted, n the number of tokens, and taken to the paper's
2.0e9 tokens. The interval, 90%, is that of fits to means with noise added, as large as the draws or
the gaps to the curve have it. Whether the curve is the right one is not in it. So the same fit
without the two largest texts says how well it foretells what is known.
"""

from __future__ import annotations

import argparse
import json
import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA, made_by, write_json
from numpy.typing import NDArray
from scipy.optimize import least_squares

import qw2v
from qw2v.statistics import CorpusStatistics

FILE = DATA / "text-share.json"
PARTS, DRAWS, DIM, PAPER_TOKENS = 32, 3, 200, 2.00e9
SHARES = (1, 2, 4, 8, 16)
KINDS = ("mstar", "ppmi", "pmi")
SCORES = ("accuracy", "kept", "MEN", "WordSim353")


def deal(
    paths: Sequence[Path], words: list[str], window: int, folder: Path, parts: int = PARTS
) -> list[CorpusStatistics]:
    """Return the counts of the parts, each kept in `folder` once it is there."""
    each = parts // len(paths)
    found = []
    for path in paths:
        files = [folder / f"{path.name}-{k}-of-{each}.npz" for k in range(each)]
        if not all(file.exists() for file in files):
            with lzma.open(path, "rt", encoding="utf-8") as articles:
                lines = articles.readlines()
            for k, file in enumerate(files):
                part = CorpusStatistics.from_texts(
                    lines[k::each], vocabulary=words, window=window, progress=False
                )
                part.save(file)
        found += [CorpusStatistics.load(file) for file in files]
    return found


def scores(stats: CorpusStatistics, kind: str, dim: int = DIM) -> dict[str, float]:
    """Return the four scores of the closed form of one matrix."""
    # A word that a small text lacks has no vector; it is left out, with its questions.
    stats = stats.restrict([w for w, n in zip(stats.words, stats.word_counts, strict=True) if n])
    vectors = qw2v.closed_form(stats, dim=dim, kind=kind, progress=False)
    report = qw2v.evaluate(vectors)
    kept = qw2v.evaluate(vectors, similarities={}, exclude_question_words=False)
    return {"accuracy": report.accuracy, "kept": kept.accuracy, **report.similarity}


def rising(x: Any, a: float, b: float, c: float) -> Any:
    """Return a - b x^-c."""
    return a - b * x**-c


def fitted(x: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a, b, c of the curve nearest to the values; x in units of the largest text."""
    low, high = np.array([-1, -12, np.log(0.02)]), np.array([1, 3, np.log(3)])
    rise = max(values[-1] - values[0], 1e-3)
    begin = [values[-1] + rise / 4, np.log(rise / 4), np.log(0.5)]
    result = least_squares(
        lambda p: rising(x, p[0], np.exp(p[1]), np.exp(p[2])) - values,
        np.clip(begin, low + 1e-6, high - 1e-6),
        bounds=(low, high),
    )
    a, b, c = result.x
    return np.array([a, np.exp(b), np.exp(c)])


def foretold(
    columns: Sequence[Sequence[float]],
    tokens: NDArray[np.float64],
    far: float = PAPER_TOKENS,
    seed: int = 0,
    rounds: int = 400,
) -> dict[str, Any]:
    """Return the curve of one score, its value at `far` tokens, and how far it is trusted.

    columns: for each of the `tokens`, the score of each draw.
    """
    x, at = tokens / tokens[-1], far / tokens[-1]
    means = np.array([np.mean(column) for column in columns])
    drawn = np.array([len(column) for column in columns])
    curve = fitted(x, means)
    # Noise falls with the root of the text. Draws of one size say how large it is, and so does what
    # the curve leaves over; the larger of the two is taken.
    spread = [np.var(c, ddof=1) * at_x for c, at_x in zip(columns, x, strict=True) if len(c) > 1]
    left = np.sum((means - rising(x, *curve)) ** 2 * x * drawn) / max(len(x) - len(curve), 1)
    noise = np.sqrt(max(np.mean(spread) if spread else 0.0, left) / x / drawn)
    rng = np.random.default_rng(seed)
    ends = [
        rising(at, *fitted(x, means + noise * rng.standard_normal(len(x)))) for _ in range(rounds)
    ]
    return {
        "curve": curve.tolist(),
        "at_paper": float(rising(at, *curve)),
        "interval": np.quantile(ends, [0.05, 0.95]).tolist(),
        "all_foretold_from_a_quarter": float(rising(1.0, *fitted(x[:-2], means[:-2]))),
    }


def texts(
    parts: list[CorpusStatistics], whole: CorpusStatistics, draws: int = DRAWS
) -> list[tuple[int, int, list[CorpusStatistics]]]:
    """Return (draw, number of parts, counts) of all texts, the first draw of each size first."""
    found = [(0, len(parts), [whole])]
    for draw in range(draws):
        order = np.random.default_rng(draw).permutation(len(parts))
        found += [(draw, n, [parts[k] for k in order[:n]]) for n in SHARES if n < len(parts)]
    return sorted(found, key=lambda item: item[:2])


def curves(found: dict[str, dict], n_parts: int = PARTS, **options: Any) -> dict:
    """Return the curves of each kind and score for which every size has been scored."""
    sizes = [*(n for n in SHARES if n < n_parts), n_parts]
    made = {}
    for kind in KINDS:
        rows = [
            [row for name, row in found.items() if name.startswith(f"{kind} {n}/")] for n in sizes
        ]
        if all(rows):
            tokens = np.array([np.mean([row["tokens"] for row in size]) for size in rows])
            made[kind] = {
                score: foretold([[row[score] for row in size] for size in rows], tokens, **options)
                for score in SCORES
            }
    return made


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", type=Path, help="articles, one a line, .xz")
    parser.add_argument("--keep", type=Path, default=Path("parts"), help="folder of the counts")
    given = parser.parse_args()
    given.keep.mkdir(exist_ok=True)
    shipped = qw2v.load_statistics()
    found = json.loads(FILE.read_text())["found"] if FILE.exists() else {}
    parts = deal(given.files, shipped.words, shipped.window, given.keep)
    for draw, n, counts in texts(parts, shipped):
        names = {kind: f"{kind} {n}/{PARTS} draw {draw}" for kind in KINDS}
        if all(name in found for name in names.values()):
            continue
        stats = CorpusStatistics.merge(counts)
        for kind, name in names.items():
            if name not in found:
                found[name] = {"tokens": stats.n_tokens, **scores(stats, kind)}
                write(found, shipped)


def write(found: dict[str, dict], shipped: CorpusStatistics) -> None:
    """Write what has been found, with curves where every size is there."""
    document = {**made_by("text_share.py enwiki-*.txt.xz"), "statistics": shipped.fingerprint}
    document |= {"dim": DIM, "paper_tokens": PAPER_TOKENS, "parts": PARTS, "found": found}
    lines = ('"found"', '"curves"', *(f'"{kind}' for kind in KINDS))
    write_json(FILE.name, {**document, "curves": curves(found)}, lines)


if __name__ == "__main__":
    main()
