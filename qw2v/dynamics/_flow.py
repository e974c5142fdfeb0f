"""The same flow by a numerical integrator: the independent check of the closed forms."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from qw2v.dynamics._lemma import Array, checked_start, checked_times
from qw2v.spectrum import MatrixLike, as_symmetric


def gradient_flow(
    target: MatrixLike, W0: ArrayLike, times: ArrayLike, *, rtol: float = 1e-10
) -> Array:
    """Embeddings (T, V, d) of the same flow from W0 (V, d), integrated numerically (DOP853).

    The independent check of the closed forms, for small V: `times` must ascend from t >= 0, and
    each step costs twelve products M* @ W. Raises ValueError for a W0 that does not match.

    >>> flow = gradient_flow(np.diag([2.0, 1.0]), np.eye(2) * 0.1, [0.0, 30.0])
    >>> np.linalg.svd(flow[-1], compute_uv=False).round(6)
    array([1.414214, 1.      ])
    """
    M = as_symmetric(target)
    start = checked_start(W0, M.shape[0])
    return integrate(lambda W: (M @ W - W @ (W.T @ W)) / 2, start, times, rtol=rtol)


def integrate(
    slope: Callable[[Array], Array], start: ArrayLike, times: ArrayLike, *, rtol: float = 1e-10
) -> Array:
    """Solution (T, ...) of dW/dt = slope(W) from the array `start` (...), by DOP853.

    `times` must be finite and ascend from t >= 0. The absolute tolerance is rtol / 1000 of the
    largest singular value of `start`. Raises RuntimeError where the integrator stops early.

    >>> integrate(lambda W: -W, np.array([[1.0]]), [0.0, 1.0]).ravel().round(6)
    array([1.      , 0.367879])
    """
    from scipy.integrate import solve_ivp

    start, times = np.array(start, dtype=float), np.atleast_1d(checked_times(times))
    if np.any(np.diff(times) < 0) or not np.isfinite(times).all():
        raise ValueError("times must be finite and ascending")
    if times[-1] == 0:
        return np.repeat(start[None], len(times), axis=0)
    scale = np.linalg.norm(start.reshape(-1, start.shape[-1]), 2)
    solution = solve_ivp(
        lambda _, flat: slope(flat.reshape(start.shape)).ravel(),
        (0, times[-1]),
        start.ravel(),
        "DOP853",
        times,
        rtol=rtol,
        atol=rtol * scale * 1e-3,
    )
    if not solution.success:
        raise RuntimeError(f"the integrator stopped: {solution.message}")
    return solution.y.T.reshape(len(times), *start.shape)
