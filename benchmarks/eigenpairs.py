"""What the top eigenpairs of M* cost, beside scipy in the same run, and beside busy neighbours.

    python benchmarks/eigenpairs.py                       # the shipped counts: V = 10,000, k = 200
    python benchmarks/eigenpairs.py --statistics big.npz  # counts of your own, at V = 100,000 say

Prints seconds, wall clock and processor, of ours alone, of ours beside two processes that keep a
core busy each, and of scipy's float32 `eigh` of the top k, which needs the whole table and is left
out past V = 20,000. On a shared machine trust the ratios, best those of processor seconds. Memory
(Linux) is the rise of the peak over what statistics and target take, in units of a float32 table.
"""

import argparse
import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
import scipy.linalg

import qw2v


def measured(function):
    """Return what a function gives, its wall clock seconds, and its processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    result = function()
    return result, time.perf_counter() - wall, time.process_time() - processor


def peak(reset=False):
    """Return the peak of this process's memory in bytes since the last reset; NaN where unknown."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        line = next(x for x in Path("/proc/self/status").open() if x.startswith("VmHWM"))
    except OSError:
        return float("nan")
    return 1024 * int(line.split()[1])


def spin():
    """Keep a core busy."""
    while True:
        sum(range(100_000))


def residuals(target, values, vectors):
    """Return |M v - lambda v| / lambda of each pair, in float64."""
    found = []
    for low in range(0, len(values), 20):
        part = slice(low, low + 20)
        gap = target @ vectors[:, part] - vectors[:, part] * values[part]
        found.append(np.linalg.norm(gap, axis=0) / values[part])
    return np.concatenate(found)


def scipy_pairs(target, k):
    """Return the top k pairs of the float32 table by scipy."""
    size = target.shape[0]
    table = target.toarray(np.float32)
    return scipy.linalg.eigh(table, subset_by_index=[size - k, size - 1], overwrite_a=True)


def main():
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--statistics", type=Path)
    parser.add_argument("--vocab-size", type=int)
    parser.add_argument("-k", type=int, default=200)
    options = parser.parse_args()
    load = qw2v.load_statistics
    stats = qw2v.CorpusStatistics.load(options.statistics) if options.statistics else load()
    if options.vocab_size:
        stats = stats.restrict(options.vocab_size)
    target, wall, processor = measured(lambda: qw2v.target(stats))
    size, k = target.shape[0], options.k
    print(f"V = {size:,}, k = {k}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print(f"target                 {wall:7.1f} s, {processor:7.1f} s of processor", flush=True)

    def ours():
        return target.eigenpairs(k, cache=False, progress=False)

    before = peak(reset=True)
    (values, vectors), alone, own = measured(ours)
    rise = (peak() - before) / (4 * size**2)
    print(f"ours                   {alone:7.1f} s, {own:7.1f} s of processor", flush=True)
    gaps = residuals(target, values, vectors)
    print(f"  relative residuals: {gaps[:50].max():.1e} of the first 50, {gaps.max():.1e} of all")
    print(f"  memory: {rise:.2f} float32 tables, {before / 2**30:.1f} GiB + it", flush=True)

    context = multiprocessing.get_context("spawn")
    neighbours = [context.Process(target=spin, daemon=True) for _ in range(2)]
    for neighbour in neighbours:
        neighbour.start()
    time.sleep(1)
    _, beside, processor = measured(ours)
    for neighbour in neighbours:
        neighbour.terminate()
    print(f"ours beside two busy   {beside:7.1f} s, {processor:7.1f} s of processor", flush=True)
    print(f"  {beside / alone:.1f} times what it takes alone")
    if size <= 20_000:
        _, theirs, processor = measured(lambda: scipy_pairs(target, k))
        print(f"scipy, float32         {theirs:7.1f} s, {processor:7.1f} s of processor")
        print(
            f"  ours is {theirs / alone:.1f} times faster, {processor / own:.1f} on the processor"
        )


if __name__ == "__main__":
    main()
