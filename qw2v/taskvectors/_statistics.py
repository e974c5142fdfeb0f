"""What the numbers of several seeds and categories say, with their errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import permutation_test, rankdata

Array = NDArray[np.float64]


def agreement(
    times: ArrayLike, predicted: ArrayLike, marks: ArrayLike, measured: ArrayLike, step: float = 0
) -> dict[str, float]:
    """Return how well curves predicted for P seeds (P, T) foretell those measured for S (S, C).

    `times` (T,) are positive, `marks` (C,) the times of the measurements, between them; predictions
    are interpolated in log t. `spread`, the standard deviation over predicted seeds, on average
    over marks; `gap`, the largest difference of the means; `within`, the share of marks where that
    is at most two standard errors, of spread sqrt(1/P + 1/S); `own_start`, the largest difference
    of a measured seed and the prediction of the same number. `step` is what a single answer counts,
    the least standard deviation there can be.

    >>> found = agreement([1, 2, 4], [[0.0, 0.5, 1.0], [0.0, 0.7, 1.0]], [2], [[0.5], [0.6]])
    >>> round(found["gap"], 3), found["within"], round(found["own_start"], 3)
    (0.05, 1.0, 0.1)
    """
    measured = np.asarray(measured, dtype=np.float64)
    at = np.array([np.interp(np.log(marks), np.log(times), row) for row in np.asarray(predicted)])
    spread = np.maximum(at.std(axis=0, ddof=1), step)
    gap = np.abs(measured.mean(axis=0) - at.mean(axis=0))
    error = spread * np.sqrt(1 / len(at) + 1 / len(measured))
    return {
        "spread": float(spread.mean()),
        "gap": float(gap.max()),
        "within": float(np.mean(gap <= 2 * error)),
        "own_start": float(np.abs(measured - at[: len(measured)]).max()),
    }


def rank_correlation(
    x: ArrayLike, y: ArrayLike, *, seed: int = 0, draws: int = 10_000
) -> dict[str, float]:
    """Return Spearman's `rho` of x (n,) and y (n,), its `p`, and a 95% interval, `low` to `high`.

    p is two-sided, by permutation; the interval is by bootstrap over the points.

    >>> found = rank_correlation([1, 2, 3, 4, 5, 6], [1, 4, 9, 16, 36, 25])
    >>> round(found["rho"], 3), found["p"] < 0.05
    (0.943, True)
    """
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    shuffled = permutation_test(
        (x,),
        lambda x, axis: _spearman(x, y),
        permutation_type="pairings",
        n_resamples=draws,
        vectorized=True,
        random_state=np.random.default_rng(seed),
    )
    # scipy's bootstrap gives no interval where one of the draws is of equal points, which happens
    # with few points; these draws are left out here.
    drawn = np.random.default_rng(seed).integers(len(x), size=(draws, len(x)))
    low, high = np.nanquantile(_spearman(x[drawn], y[drawn]), [0.025, 0.975])
    return {
        "rho": float(_spearman(x, y)),
        "p": float(shuffled.pvalue),
        "low": float(low),
        "high": float(high),
    }


def _spearman(x: Array, y: Array) -> Array:
    """Spearman's rank correlation along the last axis; not a number where all are equal.

    scipy's own ranks one pair at a time: 10,000 draws of 14 points take it 2.1 s, this 0.02 s.
    """
    a, b = (rankdata(v, axis=-1) for v in (x, y))
    a, b = (ranks - ranks.mean(axis=-1, keepdims=True) for ranks in (a, b))
    with np.errstate(invalid="ignore"):
        return (a * b).sum(axis=-1) / np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
