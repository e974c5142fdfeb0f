"""What pairs weigh in sum: over the cells of the counts, and over those that never meet."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qw2v.statistics import CorpusStatistics
from qw2v.training import losses
from qw2v.weighting import Weighting, negative_factors

Array = NDArray[np.float64]


def stored_weights(stats: CorpusStatistics, weighting: Weighting) -> tuple[Array, Array]:
    """Return A and B for each cell of the counts, in their order, both (cells,).

    Raises ValueError where no two words ever met: there is nothing to draw then.
    """
    skipgram, unigram = stats.skipgram, stats.unigram
    if not skipgram.nnz:
        raise ValueError(
            f"no two of the {stats.vocab_size:,} words ever met in a window, so there are no pairs "
            "to train on: count more text, or longer documents"
        )
    A, B = np.empty(skipgram.nnz), np.empty(skipgram.nnz)
    for row in range(stats.vocab_size):
        part = slice(*skipgram.indptr[row : row + 2])
        columns, joint = skipgram.indices[part], skipgram.data[part]
        positive, negative = weighting.psi(stats, row, columns, joint)
        A[part], B[part] = positive * joint, negative * unigram[row] * unigram[columns]
    return A, B


def negative_total(
    stats: CorpusStatistics, weighting: Weighting, stored: tuple[Array, Array]
) -> float:
    """Return Z-, the sum of B over all pairs, given A and B of the cells of the counts."""
    factors = negative_factors(weighting, stats)
    if factors is None:
        return float(negative_by_word(stats, weighting).sum())
    a, b = factors
    met = stored[1].sum() - between(factors, stats.pair_counts).sum()
    return float(a.sum() * b.sum() + met)


def negative_by_word(stats: CorpusStatistics, weighting: Weighting) -> Array:
    """Return the sum of B over each row (V,), by a pass over all pairs."""
    sums = np.empty(stats.vocab_size)
    for rows, _, B in losses.weights(stats, weighting):
        sums[rows] = B.sum(axis=1)
    return sums


def between(factors: tuple[Array, Array], counts: Any) -> Array:
    """Return (a_i b_j + b_i a_j) / 2 for each cell of the counts, in their order."""
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    return product(factors, rows, counts.indices)


def product(factors: Any, i: Any, j: Any) -> Any:
    """Return (a_i b_j + b_i a_j) / 2 of pairs (i, j), numpy's or torch's."""
    a, b = factors
    return (a[i] * b[j] + b[i] * a[j]) / 2
