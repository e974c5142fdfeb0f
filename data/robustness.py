"""Compute robustness.json of this folder again, from the text: some ten minutes on an idle machine.

    python data/robustness.py enwiki-*.txt.xz
    python data/robustness.py enwiki-*.txt.xz --only halves "window 2"

Which eigenvectors of M* survive another window, another vocabulary, another text? The text comes in
files, one article a line, those that enwiki.npz was counted from. The reference: the first 5,000
words of the counts at V = 10,000, L = 16. Against it, over the same 5,000 words:

- windows of 2, 5 and 32 words a side;
- eigenvectors of 5,000, 10,000 and 20,000 words, counted anew, cut to the first 5,000;
- one half of the files against the other, over random halves.

The errors of the first two are jackknife errors, a quarter of the files left out at a time on both
sides of the comparison (20,000 words are compared once, with no error); that of the halves is the
standard deviation over halves. With --only the other comparisons of the file stay as they are.
"""

import argparse
import itertools
import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import numpy as np

import qw2v
from qw2v import features
from qw2v._environment import progress_bar
from qw2v.statistics import CorpusStatistics

FILE = Path(__file__).parent / "robustness.json"
WORDS, MODES, QUARTERS, HALVES, SEED = 5_000, 100, 4, 3, 0
REFERENCE = (10_000, 16)  # words counted, window
WINDOWS = (2, 5, 32)
VOCABULARIES = (5_000, 10_000, 20_000)
LARGE = 10_000  # words; beyond, one comparison without an error must do
DIGITS = 4


def modes(stats: CorpusStatistics) -> np.ndarray:
    """Return the first eigenvectors of M* (5,000, 100), cut where V is larger."""
    vectors = qw2v.target(stats).eigenpairs(MODES, cache=False, progress=False)[1]
    return features.cut(vectors, WORDS) if stats.vocab_size > WORDS else vectors


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


def counted(
    groups: list[list[str]], words: list[str], window: int, rows: int
) -> list[CorpusStatistics]:
    """Return the counts of groups of files over a vocabulary, of its first `rows` words."""
    count = CorpusStatistics.from_files
    return [
        count(paths, vocabulary=words, window=window, progress=False).restrict(rows)
        for paths in groups
    ]


def replicates(parts: list[CorpusStatistics]) -> Iterator[CorpusStatistics]:
    """Yield the counts of all parts, then those with one part left out."""
    total = CorpusStatistics.merge(parts)
    yield total
    for part in parts:
        yield without(total, part)


def compared(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rows of `features.Survival` (5, 100)."""
    found = features.survival(features.squared_overlaps(first, second))
    return np.array([getattr(found, field.name) for field in fields(found)])


def table(value: np.ndarray, error: np.ndarray | None = None) -> dict:
    """Return one comparison as it is written: each row of `Survival`, and its error."""
    names = [field.name for field in fields(features.Survival)]
    written = {name: value[i].tolist() for i, name in enumerate(names)}
    written["match"] = [int(k) for k in written["match"]]
    if error is not None:
        written |= {
            f"{name}_error": error[i].tolist() for i, name in enumerate(names) if name != "match"
        }
    return written


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


def settings() -> dict[str, tuple[int, int, int]]:
    """Return what is compared with the reference: words counted, window, words kept."""
    size, window = REFERENCE
    return {f"window {other}": (size, other, WORDS) for other in WINDOWS} | {
        f"vocabulary {other}": (other, window, other) for other in VOCABULARIES
    }


def vocabulary(paths: list[str], size: int) -> list[str]:
    """Return the most frequent words of the text, as shipped or, where more are wanted, counted."""
    shipped = qw2v.load_statistics().words
    if size <= len(shipped):
        return shipped[:size]
    count = CorpusStatistics.from_files
    return count(paths, vocab_size=size, window=1, progress=False).words


def compare(paths: list[str], only: list[str]) -> dict[str, dict]:
    """Return the comparisons named in `only`."""
    size, window = REFERENCE
    words = vocabulary(paths, max([size, *(settings()[n][0] for n in only if n != "halves")]))
    parts = counted([[path] for path in paths], words[:size], window, WORDS)
    quarters = [CorpusStatistics.merge(parts[i::QUARTERS]) for i in range(QUARTERS)]
    reference = [modes(stats) for stats in replicates(quarters)]
    found = {"halves": halves(parts)} if "halves" in only else {}
    groups = [paths[i::QUARTERS] for i in range(QUARTERS)]
    for name in progress(only):
        if name == "halves":
            continue
        size, window, rows = settings()[name]
        if size > LARGE:
            (whole,) = counted([paths], words[:size], window, rows)
            found[name] = table(compared(reference[0], modes(whole)))
            continue
        others = replicates(counted(groups, words[:size], window, rows))
        rows_of = [
            compared(base, modes(stats)) for base, stats in zip(reference, others, strict=True)
        ]
        found[name] = table(rows_of[0], features.jackknife_error(rows_of[1:]))
    return found


def progress(names: list[str]) -> Iterator[str]:
    """Yield names, under a bar."""
    with progress_bar("robustness", "comparison", len(names)) as bar:
        for name in names:
            yield name
            bar.update()


def record(paths: list[str], only: list[str]) -> dict:
    """Return the content of the file, but for what was not asked for."""
    return {
        "command": "python data/robustness.py enwiki-*.txt.xz",
        "files": len(paths),
        "words": WORDS,
        "modes": MODES,
        "halves": HALVES,
        "seed": SEED,
        "comparisons": rounded(compare(paths, only)),
    }


def rounded(value):
    """Return the numbers inside with four decimals, as they are written."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def main() -> None:
    """Write the file."""
    every = ["halves", *settings()]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paths", nargs="+", help="text files, one article a line")
    parser.add_argument("--only", nargs="+", choices=every, default=every, metavar="NAME")
    options = parser.parse_args()
    made = record(options.paths, options.only)
    if options.only != every and FILE.exists():
        made["comparisons"] = json.loads(FILE.read_text())["comparisons"] | made["comparisons"]
    made["comparisons"] = {n: made["comparisons"][n] for n in every if n in made["comparisons"]}
    text = json.dumps(made, separators=(",", ":"))
    FILE.write_text(text.replace('"comparisons"', '\n"comparisons"') + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
