"""When a mode is half learned."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from qw2v.dynamics._trajectory import Trajectory

Array = NDArray[np.float64]


def half_times(path: Trajectory | ArrayLike, eigenvalues: ArrayLike, times: ArrayLike) -> Array:
    """Return when the square of each singular value first reaches half of its eigenvalue.

    Parameters
    ----------
    path : Trajectory or array_like (T, d)
        A path, whose times are found to 1e-12, or the singular values of a training run at `times`,
        between which they are taken to run straight.
    eigenvalues : array_like (k,)
        The limits of the squares, k <= d.
    times : array_like (T,)
        Rising; for a path, times with the half-times between them: two are enough where each square
        passes its half once.

    Returns
    -------
    ndarray (k,)
        NaN where the half is not reached.

    Examples
    --------
    >>> half_times([[0.0], [1.0], [2.0]], [4.0], [0, 1, 2]).round(3)
    array([1.333])
    >>> from qw2v.dynamics import aligned
    >>> bool(np.isclose(half_times(aligned(np.eye(1), 0.1), [1.0], [0, 99])[0], np.log(99)))
    True
    """
    limits, times = np.asarray(eigenvalues, float), np.asarray(times, float)
    followed = path if hasattr(path, "singular_values") else None
    if followed is None:
        values = np.asarray(path, float)
    else:
        values = np.array([followed.singular_values(float(t)) for t in times])
    share = values[:, : len(limits)] ** 2 / limits
    found = np.full(len(limits), np.nan)
    for k, curve in enumerate(share.T):
        after = int(np.argmax(curve >= 0.5))
        if curve[after] < 0.5:
            continue
        before = max(after - 1, 0)
        if followed is None or before == after:
            rising = curve[before : after + 1]
            found[k] = np.interp(0.5, rising, times[before : after + 1])
        else:

            def missing(t: float, k: int = k) -> float:
                return float(followed.singular_values(t)[k] ** 2 / limits[k] - 0.5)

            found[k] = brentq(missing, times[before], times[after], xtol=1e-12)
    return found
