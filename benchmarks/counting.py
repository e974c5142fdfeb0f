"""Counting pairs: a float32 scatter into a dense table against qw2v, side by side in one run.

    python benchmarks/counting.py [TEXT ...] [--vocab-size 10000] [--window 16] [--repeat 3]

TEXT is one document a line, plain or compressed; by default the Wikipedia text beside the checkout.
Two comparisons, the best of `--repeat` runs after compilation:

- ids -> table: from the word ids of the corpus, in memory, to the finished table;
- text -> statistics: from plain text files; the scatter after a Counter and a dict, one run.

The scatter is the textbook loop, in our own words: for every word, for every word within the
window, add the weight to a cell of a V x V float32 table. It is compiled by numba, too.
"""

from __future__ import annotations

import argparse
import fileinput
import os
import platform
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numba
import numpy as np

from qw2v._environment import worker_count
from qw2v.statistics import CorpusStatistics
from qw2v.text import finding, reading
from qw2v.text.corpus import Corpus

DEFAULT = Path(__file__).parents[2] / "shared" / "corpora" / "enwiki"


@numba.njit
def scatter(ids, ends, vocab_size, window):
    """Return the V x V table of weights L + 1 - distance, added up in float32."""
    table = np.zeros((vocab_size, vocab_size), np.float32)
    start = 0
    for end in ends:
        for i in range(start, end):
            for j in range(max(i - window, start), min(i + window + 1, end)):
                if i != j:
                    table[ids[i], ids[j]] += window + 1 - abs(i - j)
        start = end
    return table


def split_and_scatter(paths: list[Path], vocab_size: int, window: int) -> np.ndarray:
    """Go from text to the table with what Python has: a Counter, a dict, and the scatter."""
    counts: Counter[str] = Counter()
    with fileinput.input(paths) as lines:
        for line in lines:
            counts.update(line.split())
    index = {word: i for i, (word, _) in enumerate(counts.most_common(vocab_size))}
    ids, ends = [], []
    with fileinput.input(paths) as lines:
        for line in lines:
            ids += [index[word] for word in line.split() if word in index]
            ends.append(len(ids))
    return scatter(np.array(ids, np.int32), np.array(ends), vocab_size, window)


def best(repeat: int, task: Callable, prepare: Callable = lambda: ()) -> tuple[float, object]:
    """Return the shortest time of some runs, in seconds, and what the last one gave."""
    seconds = []
    result = None
    for _ in range(repeat):
        del result  # else two tables at once: fresh memory is what a machine is slowest at
        arguments = prepare()
        start = time.perf_counter()
        result = task(*arguments)
        seconds.append(time.perf_counter() - start)
    return min(seconds), result


def unpacked(paths: list[Path], folder: Path) -> list[Path]:
    """Write the text of each file to a plain one, so that unpacking is not measured."""
    plain = []
    for path in paths:
        plain.append(folder / f"{len(plain)}.txt")
        with plain[-1].open("wb") as file:
            for text, _ in reading.documents(finding.Part(str(path)), finding.Layout(), Silent()):
                file.write(text.encode() + b"\n")
    return plain


class Silent:
    """A progress bar that shows nothing."""

    def update(self, amount: int) -> None:
        """Take note of nothing."""


def compare_from_ids(plain: list[Path], vocab_size: int, window: int, repeat: int) -> tuple:
    """Return both times and both tables, from ids in memory."""
    corpus = Corpus.from_files(plain, progress=False, memory=1 << 42)
    ours, stats = best(repeat, lambda: corpus.count(vocab_size, window, progress=False))
    ids = corpus.ids(stats.words)
    ends = np.flatnonzero(ids < 0)
    ends -= np.arange(len(ends))
    theirs, table = best(repeat, lambda: scatter(ids[ids >= 0], ends, vocab_size, window))
    return theirs, ours, table, stats.pair_counts, stats.words


def report_saturation(table: np.ndarray, exact: object, words: list[str]) -> None:
    """Print how many float32 cells are wrong, and the worst."""
    rows = np.repeat(np.arange(len(words)), np.diff(exact.indptr))
    found = table[rows, exact.indices].astype(np.float64)
    error = np.abs(found - exact.data)
    worst = int(error.argmax())
    print(
        f"\nfloat32: {np.count_nonzero(error):,} of {exact.nnz:,} cells are wrong; the worst, "
        f"({words[rows[worst]]}, {words[exact.indices[worst]]}), holds {found[worst]:,.0f} instead "
        f"of {exact.data[worst]:,}. Cells of qw2v are exact integers."
    )


def machine() -> str:
    """Return a line about where this ran."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    load = f", load {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    return (
        f"{model}, {worker_count(None)} cores{load}; Python {platform.python_version()}, "
        f"numpy {version('numpy')}, numba {version('numba')}"
    )


def main() -> None:
    """Run both comparisons and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="*", type=Path)
    parser.add_argument("--vocab-size", type=int, default=10_000)
    parser.add_argument("--window", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    paths = options.texts or sorted(DEFAULT.glob("*.txt.xz"))
    if not paths:
        print(f"skipped: there is no text in {DEFAULT}; pass files of one document a line")
        return
    print(machine())
    size, window = options.vocab_size, options.window
    with tempfile.TemporaryDirectory() as folder:
        plain = unpacked(paths, Path(folder))
        compile_all(plain[0].with_name("tiny"))
        theirs, ours, table, exact, words = compare_from_ids(plain, size, window, options.repeat)
        count = lambda: CorpusStatistics.from_files(  # noqa: E731
            plain, vocab_size=size, window=window, progress=False
        )
        ours_text, stats = best(options.repeat, count)
        theirs_text, _ = best(1, lambda: split_and_scatter(plain, size, window))
    print(f"\n{stats!r}\n\nseconds                         scatter     qw2v    ratio")
    print(f"ids -> table                  {row(theirs, ours)}")
    print(f"text -> statistics            {row(theirs_text, ours_text)}")
    report_saturation(table, exact, words)


def compile_all(path: Path) -> None:
    """Run everything once on a few words."""
    path.write_text("a b c a b\nc a")
    split_and_scatter([path], 3, 2)
    CorpusStatistics.from_files(path, vocab_size=3, window=2, progress=False)


def row(theirs: float, ours: float) -> str:
    """Return the figures of one comparison."""
    return f"{theirs:9.2f}{ours:9.2f}{theirs / ours:8.1f}x"


if __name__ == "__main__":
    main()
