"""Lemma 3.1: each aligned mode is a sigmoid in time, switched on at tau_k; and its checks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qw2v._checks import finite, shown
from qw2v.dynamics._riccati import LONG, log_phi

Array = NDArray[np.float64]


def learning_times(eigenvalues: ArrayLike, s0: ArrayLike) -> Array:
    """Return the times tau_k = ln(lambda_k / s_k(0)^2) / lambda_k when modes switch on (Sec. 3.2).

    `eigenvalues` is (d,), `s0` a scale or (d,), both in the units of M* (s0^2 against lambda).
    Negative where a mode starts above its final value; infinite where lambda_k <= 0, since such a
    mode is never learned. At tau_k the mode has s_k^2 = lambda_k / (2 - s_k(0)^2 / lambda_k), half
    of its final value when it started small. Raises ValueError unless s0 is positive and finite.

    >>> learning_times([2.0, 1.0], 1e-3).round(2)
    array([ 7.25, 13.82])
    """
    values = checked_eigenvalues(eigenvalues)
    return switching_times(values, checked_scales(s0, values.shape[-1] if values.ndim else None))


def switching_times(values: Array, s0: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        times = (np.log(values) - 2 * np.log(s0)) / values
    return np.where(values > 0, times, np.inf)


def sigmoid(eigenvalues: ArrayLike, s0: ArrayLike, t: ArrayLike) -> Array:
    """Singular values s_k(t) of Lemma 3.1, element by element for inputs that broadcast together.

    Holds for every real eigenvalue (at lambda = 0, s^2 = s0^2 / (1 + s0^2 t); below, s decays) and
    every t in [0, inf]. Raises ValueError for s0 <= 0, t < 0 or anything that is not a number.

    >>> sigmoid([2.0, 0.0, -1.0], 0.1, [[0.0], [np.inf]]).round(3)
    array([[0.1  , 0.1  , 0.1  ],
           [1.414, 0.   , 0.   ]])
    """
    values, scales = checked_eigenvalues(eigenvalues), checked_scales(s0)
    t = np.minimum(checked_times(t), LONG)
    log_inverse_square = np.logaddexp(-values * t - 2 * np.log(scales), log_phi(-values, t))
    return np.exp(-0.5 * log_inverse_square)


def silent_start(eigenvectors: ArrayLike, W0: ArrayLike) -> Array:
    """Aligned start s_k(0) (min(n, d),) that a small start W0 (V, d) grows into (Result 3).

    s_k(0) is the length of v_k^T W0 once the directions of v_1 .. v_(k-1) in R^d are taken out (the
    diagonal of the LQ factorisation of V^T W0): as W0 shrinks, `exact` tends to `aligned`
    from there.

    >>> silent_start(np.eye(3)[:, :2], np.array([[3.0, 4.0], [3.0, 4.0], [9.0, 9.0]])).round(6)
    array([5., 0.])
    """
    overlaps = np.asarray(eigenvectors, float).T @ np.asarray(W0, float)
    return np.abs(np.diagonal(np.linalg.qr(overlaps.T, mode="r")))


def checked_eigenvalues(values: ArrayLike) -> Array:
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("eigenvalues must be finite; received NaN or infinity among them")
    return values


def checked_scales(s0: ArrayLike, size: int | None = None) -> Array:
    scales = np.asarray(s0, dtype=float)
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise ValueError(f"the initial scale must be positive and finite; received {shown(s0)}")
    if size is None:
        return scales
    if scales.ndim and scales.shape != (size,):
        raise ValueError(
            f"s0 must be one number or one value for each of the {size} modes; "
            f"received shape {scales.shape}"
        )
    return np.broadcast_to(scales, (size,))


def checked_times(t: ArrayLike) -> Array:
    times = np.asarray(t, dtype=float)
    if not (times >= 0).all():
        raise ValueError(f"times must be numbers with t >= 0; received {np.min(times)}")
    return times


def checked_start(W0: ArrayLike, size: int, name: str = "W0") -> Array:
    """Return a copy of a start (V, d) as float64, checked to match the V words of a target."""
    start = np.array(W0, dtype=float)
    if start.ndim != 2 or len(start) != size or start.shape[1] == 0:
        raise ValueError(
            f"{name} must have shape ({size}, d) to match the target; received {start.shape}"
        )
    finite(name, start)
    return start
