"""From text to saved vectors, stage by stage: CPU seconds and seconds by the clock.

    python benchmarks/stages.py [TEXT ...] [--vocab-size 10000] [--window 16] [--dim 200]

TEXT is one document a line, plain or packed; by default the Wikipedia text beside the checkout.
CPU seconds are those of all threads together, and change less where others use the machine.
Counting, saving and loading take a second or two: they are done three times, and the best is told.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import qw2v

DEFAULT = Path(__file__).parents[2] / "shared" / "corpora" / "enwiki"


def main() -> None:
    """Run every stage, short ones thrice, and print a table of the best."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="*", type=Path)
    parser.add_argument("--vocab-size", type=int, default=10_000)
    parser.add_argument("--window", type=int, default=16)
    parser.add_argument("--dim", type=int, default=200)
    options = parser.parse_args()
    paths = options.texts or sorted(DEFAULT.glob("*.txt.xz"))
    if not paths:
        print(f"skipped: there is no text in {DEFAULT}; pass files of one document a line")
        return
    many = ["a b c"] * 400_000  # as many as the compiled code is for
    qw2v.Corpus.from_texts(many, progress=False).count(vocab_size=3, window=2, progress=False)

    cpu: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], Any], repeat: int = 1) -> Any:
        best = (np.inf, np.inf)
        result = None
        for _ in range(repeat):
            del result  # else there are two at once
            clock, start = time.perf_counter(), time.process_time()
            result = work()
            best = min(best, (time.process_time() - start, time.perf_counter() - clock))
        cpu[stage] = best[0]
        print(f"{stage:10}{best[0]:10.2f}{best[1]:10.2f}", flush=True)
        return result

    print(
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n\nstage            CPU     clock"
    )
    with tempfile.TemporaryDirectory() as folder:
        table, found = Path(folder, "stats.npz"), Path(folder, "vectors.npz")
        corpus = timed("read", lambda: qw2v.Corpus.from_files(paths, progress=False))
        stats = timed(
            "count", lambda: corpus.count(options.vocab_size, options.window, progress=False), 3
        )
        timed("save", lambda: stats.save(table), 3)
        loaded = timed("load", lambda: qw2v.CorpusStatistics.load(table), 3)
        if loaded.fingerprint != stats.fingerprint:
            raise SystemExit("the file gave other counts back")
        target = timed("target", lambda: qw2v.target(stats))
        k = min(options.dim, options.vocab_size)
        values, modes = timed("eigenpairs", lambda: target.eigenpairs(k, cache=False))
        vectors = qw2v.WordVectors(stats.words, modes * np.sqrt(np.maximum(values, 0)))
        timed("vectors", lambda: vectors.save(found))
    kept = cpu["save"] + cpu["load"]
    print(
        f"\n{corpus.n_tokens:,} words, V = {stats.vocab_size:,}: saving and loading take "
        f"{kept / cpu['count']:.2f} of what counting takes"
    )


if __name__ == "__main__":
    main()
