"""Fit GloVe's objective to the shipped counts and score its vectors: data/glove.json.

    python experiments/glove.py

Pennington, Socher and Manning (2014) minimise, over the pairs that met,

    sum_ij f(X_ij) (w_i . w'_j + b_i + b'_j - log X_ij)^2,    f(x) = min(1, (x / 100)^(3/4)),

by AdaGrad, one pair after another in a random order, and take w + w' as the vectors. So do we, with
their rate of 0.05, at d = 200. One thing is not theirs: X. Their counts weigh a pair at distance
delta by 1 / delta; the counts shipped here, by word2vec's (17 - delta) / 16. The text, the 10,000
words and the 16 words a side are those of every other row of the benchmark. Pairs that never met
have no term. The scores are written after every few epochs; the time is that of the epochs alone,
on one thread.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

import numpy as np
from common import made_by, write_json
from numpy.typing import NDArray
from results import scored

import qw2v
from qw2v._numba import compiled

DIM, EPOCHS, LOOK = 200, 15, 5
RATE, X_MAX, POWER = 0.05, 100.0, 0.75


@dataclass(frozen=True)
class Cells:
    """The counts that are not zero, in the order in which they are visited."""

    rows: NDArray[np.int32]
    columns: NDArray[np.int32]
    weights: NDArray[np.float32]
    logs: NDArray[np.float32]


def cells(stats: qw2v.CorpusStatistics, seed: int = 0) -> Cells:
    """Return f(X_ij) and log X_ij of the pairs that met, shuffled."""
    counts = stats.pair_counts.tocoo()
    order = np.random.default_rng(seed).permutation(counts.nnz)
    X = counts.data[order] / stats.window  # word2vec's window, in expectation
    return Cells(
        counts.coords[0][order].astype(np.int32),
        counts.coords[1][order].astype(np.int32),
        np.minimum(1, (X / X_MAX) ** POWER).astype(np.float32),
        np.log(X).astype(np.float32),
    )


@compiled(fastmath=True)
def epoch(rows, columns, weights, logs, left, right, left_sums, right_sums, rate):
    """Visit every cell once, in place; return the loss summed up on the way.

    The last entry of a row of `left` and `right` is its bias. The sums are AdaGrad's.
    """
    size, total = left.shape[1], 0.0
    dim = size - 1
    for n in range(len(rows)):
        w, v = left[rows[n]], right[columns[n]]
        W, V = left_sums[rows[n]], right_sums[columns[n]]
        gap = w[dim] + v[dim] - logs[n]
        for k in range(dim):
            gap += w[k] * v[k]
        slope = weights[n] * gap
        total += slope * gap
        for k in range(dim):
            down, across = slope * v[k], slope * w[k]
            w[k] -= rate * down / np.sqrt(W[k])
            v[k] -= rate * across / np.sqrt(V[k])
            W[k] += down * down
            V[k] += across * across
        w[dim] -= rate * slope / np.sqrt(W[dim])
        v[dim] -= rate * slope / np.sqrt(V[dim])
        W[dim] += slope * slope
        V[dim] += slope * slope
    return total


def record(
    stats: qw2v.CorpusStatistics,
    dim: int = DIM,
    epochs: int = EPOCHS,
    look: int = LOOK,
    seed: int = 0,
    progress: bool = True,
) -> dict:
    """Return the loss of each epoch, and the scores after every `look` epochs."""
    found = cells(stats, seed)
    rng = np.random.default_rng(seed)
    shape = stats.vocab_size, dim + 1
    left, right = ((rng.random(shape, np.float32) - 0.5) / (dim + 1) for _ in range(2))
    sums = [np.ones(shape, np.float32) for _ in range(2)]
    rate, weight, seconds = np.float32(RATE), float(found.weights.sum(dtype=float)), 0.0
    losses, runs = [], {}
    for n in range(1, epochs + 1):
        began = time.process_time()
        total = epoch(
            found.rows, found.columns, found.weights, found.logs, left, right, *sums, rate
        )
        seconds += time.process_time() - began
        losses.append(total / weight)
        if n % look == 0 or n == epochs:
            vectors = qw2v.WordVectors(stats.words, (left + right)[:, :dim])
            runs[f"epochs={n}"] = {"seconds": seconds, **scored(vectors)}
        if progress:
            print(n, f"{losses[-1]:.4f}", f"{seconds:.0f} s", runs.get(f"epochs={n}"), flush=True)
    return {
        "statistics": stats.fingerprint,
        "pairs": len(found.rows),
        "dim": dim,
        "rate": RATE,
        "x_max": X_MAX,
        "power": POWER,
        "mean_square_by_epoch": losses,
        "runs": runs,
    }


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    given = parser.parse_args()
    found = record(qw2v.load_statistics(), epochs=given.epochs)
    write_json("glove.json", {**made_by("glove.py"), **found}, ('"runs"', '"epochs='))


if __name__ == "__main__":
    main()
