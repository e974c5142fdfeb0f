"""How much is the text? Scores on nested parts of the corpus, and what more text would bring.

    python experiments/text_share.py enwiki-*.txt.xz

The articles are dealt into 32 parts, and counted part by part over the shipped 10,000 words. A draw
puts the parts in a random order, and takes the first 1, 2, 4, 8, 16: nested texts from 1/32 on. All
32 are the shipped counts. M*, PPMI and PMI are factorised at d = 200 and scored each time, with the
question words left out and kept. Written to data/text-share.json as it goes; a second call goes on.

To each score's means a curve a - b n^-c is fitted, n the number of tokens, and taken to the paper's
2.0e9 tokens. The interval is that of draws taken anew with replacement (bootstrap, 90%): the noise
of the draws is in it, not whether the curve is the right one. So the same fit, without the two
largest texts, says how well it foretells what is known.
"""

from __future__ import annotations

import argparse
import json
import lzma
from pathlib import Path

import numpy as np
from common import DATA, made_by, write_json
from scipy.optimize import least_squares

import qw2v
from qw2v.statistics import CorpusStatistics

FILE = DATA / "text-share.json"
PARTS, DRAWS, DIM, PAPER_TOKENS = 32, 3, 200, 2.00e9
SHARES = (1, 2, 4, 8, 16)
KINDS = ("mstar", "ppmi", "pmi")
SCORES = ("accuracy", "kept", "MEN", "WordSim353")


def deal(paths: list[str], words: list[str], window: int, folder: Path) -> list[CorpusStatistics]:
    """Return the counts of the parts, each kept in `folder` once it is there."""
    each = PARTS // len(paths)
    found = []
    for path in paths:
        files = [folder / f"{Path(path).name}-{k}-of-{each}.npz" for k in range(each)]
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


def together(parts: list[CorpusStatistics]) -> CorpusStatistics:
    """Return the counts of several parts as one."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def scores(stats: CorpusStatistics, kind: str) -> dict[str, float]:
    """Return the four scores of the closed form of one matrix."""
    # A word that a small text lacks has no vector; it is left out, with its questions.
    stats = stats.restrict([w for w, n in zip(stats.words, stats.word_counts, strict=True) if n])
    vectors = qw2v.closed_form(stats, dim=DIM, kind=kind, progress=False)
    report = qw2v.evaluate(vectors)
    kept = qw2v.evaluate(vectors, similarities={}, exclude_question_words=False)
    return {"accuracy": report.accuracy, "kept": kept.accuracy, **report.similarity}


def rising(x, a, b, c):
    """Return a - b x^-c."""
    return a - b * x**-c


def fitted(tokens: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return a, b, c of the curve nearest to the means, tokens in units of all of them."""
    result = least_squares(
        lambda p: rising(tokens, p[0], np.exp(p[1]), np.exp(p[2])) - values,
        [values[-1] + 0.02, np.log(max(values[-1] - values[0], 1e-3) / 4), np.log(0.5)],
        bounds=([0, -12, np.log(0.02)], [1, 2, np.log(3)]),
    )
    a, b, c = result.x
    return np.array([a, np.exp(b), np.exp(c)])


def foretold(table: dict, tokens: np.ndarray, seed: int = 0, rounds: int = 400) -> dict:
    """Return the curve of one score, its value at the paper's size, and how far it is trusted."""
    columns = [np.array(values) for values in table]
    rng = np.random.default_rng(seed)
    x, far = tokens / tokens[-1], PAPER_TOKENS / tokens[-1]
    means = np.array([column.mean() for column in columns])
    curve = fitted(x, means)
    draws = [
        rising(far, *fitted(x, np.array([rng.choice(c, len(c)).mean() for c in columns])))
        for _ in range(rounds)
    ]
    early = rising(1.0, *fitted(x[:-2], means[:-2]))
    return {
        "curve": curve.tolist(),
        "at_paper": float(rising(far, *curve)),
        "interval": np.quantile(draws, [0.05, 0.95]).tolist(),
        "all_foretold_from_a_quarter": float(early),
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILE", help="articles, one a line, .xz")
    parser.add_argument("--keep", type=Path, default=Path("parts"), help="folder of the counts")
    given = parser.parse_args()
    given.keep.mkdir(exist_ok=True)
    shipped = qw2v.load_statistics()
    done = json.loads(FILE.read_text()) if FILE.exists() else {"found": {}}
    found = done["found"]
    parts = deal(given.files, shipped.words, shipped.window, given.keep)
    todo = [(0, PARTS, shipped)]
    for draw in range(DRAWS):
        order = np.random.default_rng(draw).permutation(PARTS)
        todo += [(draw, n, [parts[k] for k in order[:n]]) for n in SHARES]
    todo.sort(key=lambda item: (item[0], item[1]))
    for draw, n, counts in todo:
        stats = together(counts) if isinstance(counts, list) else counts
        for kind in KINDS:
            name = f"{kind} {n}/{PARTS} draw {draw}"
            if name not in found:
                found[name] = {"tokens": stats.n_tokens, **scores(stats, kind)}
                write(found, shipped)
    write(found, shipped)


def write(found: dict, shipped: CorpusStatistics) -> None:
    """Write what has been found, with curves where every share is there."""
    document = {**made_by("text_share.py enwiki-*.txt.xz"), "statistics": shipped.fingerprint}
    document |= {"dim": DIM, "paper_tokens": PAPER_TOKENS, "parts": PARTS, "found": found}
    curves: dict[str, dict] = {}
    for kind in KINDS:
        rows = [
            [row for name, row in found.items() if name.startswith(f"{kind} {n}/")]
            for n in (*SHARES, PARTS)
        ]
        if all(rows):
            tokens = np.array([np.mean([row["tokens"] for row in share]) for share in rows])
            curves[kind] = {
                score: foretold([[row[score] for row in share] for share in rows], tokens)
                for score in SCORES
            }
    write_json(FILE.name, {**document, "curves": curves}, ('"found"', '"curves"', *KINDS_KEYS))


KINDS_KEYS = tuple(f'"{kind}' for kind in KINDS)


if __name__ == "__main__":
    main()
