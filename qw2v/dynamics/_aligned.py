"""The flow from an aligned start (Lemma 3.1), and from a vanishing random one (Result 3)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qw2v.dynamics._lemma import Array, checked_scales, sigmoid, switching_times
from qw2v.dynamics._trajectory import Trajectory
from qw2v.spectrum import MatrixLike, Symmetric, as_symmetric, learnable


class _AlignedTrajectory(Trajectory):
    def __init__(self, target: Symmetric, values: Array, vectors: Array, s0: Array) -> None:
        self.eigenvalues, self.eigenvectors = values, vectors
        self.initial = s0
        self.learning_times = switching_times(values, s0)
        self._target = target

    def __repr__(self) -> str:
        return f"<aligned Trajectory: V={self.eigenvectors.shape[0]}, d={len(self.eigenvalues)}>"

    def _moments(self, t: float) -> tuple[Array, Array]:
        s = sigmoid(self.eigenvalues, self.initial, t)
        return np.sort(s)[::-1], s**2

    def _directions(self, t: float) -> tuple[Array, Array]:
        s = sigmoid(self.eigenvalues, self.initial, t)
        order = np.argsort(-s, kind="stable")
        return s[order], np.eye(len(s))[:, order]

    def _embed(self, t: float) -> Array:
        return self.eigenvectors * sigmoid(self.eigenvalues, self.initial, t)


def aligned(target: MatrixLike, s0: ArrayLike, dim: int | None = None) -> Trajectory:
    """Gradient flow from an aligned start W(0) = V_d diag(s0) (Lemma 3.1).

    Column k of `embeddings(t)` is s_k(t) v_k.

    Parameters
    ----------
    target : Target or symmetric (V, V) array
        The matrix M*.
    s0 : float or array
        A positive scale, or one value a mode.
    dim : int, optional
        The number of modes d; by default len(s0), or up to V = 2,000 all positive modes.

    Raises
    ------
    ValueError
        Where M* has fewer than d positive eigenvalues, and for an s0 that is not positive.

    Examples
    --------
    >>> path = aligned(np.diag([3.0, 1.0, -2.0]), 0.01, dim=2)
    >>> path.singular_values(np.inf).round(3)
    array([1.732, 1.   ])
    """
    scales = checked_scales(s0)
    if scales.ndim > 1:
        raise ValueError(f"s0 must be a scale or one value a mode; received shape {scales.shape}")
    if dim is None and scales.ndim == 1:
        dim = len(scales)
    target = as_symmetric(target)
    values, vectors = learnable(target, dim)
    return _AlignedTrajectory(target, values, vectors, checked_scales(s0, len(values)))


def vanishing(target: MatrixLike, sigma: float, dim: int, *, corrected: bool = False) -> Trajectory:
    """Gradient flow from a vanishing random start W_ij ~ N(0, sigma^2 / d), sigma -> 0 (Result 3).

    The paper starts every sigmoid at s_k(0) = sigma, so that tau_1 = ln(lambda_1 / sigma^2) /
    lambda_1. That is the mean overlap: |v_k^T W0|^2 = sigma^2. The modes learned before k take
    their own directions in R^d out of it, and (d - k + 1) / d of it is left for mode k.
    `corrected=True` starts there, s_k(0) = sigma sqrt((d - k + 1) / d), which shifts tau_k later by
    ln(d / (d - k + 1)) / lambda_k; `silent_start` gives the value for a W0 at hand in place of the
    mean.

    >>> vanishing(np.diag([3.0, 1.0, -2.0]), 1e-6, dim=2).learning_times.round(2)
    array([ 9.58, 27.63])
    """
    if np.ndim(sigma):
        raise ValueError(f"sigma must be one number; received shape {np.shape(sigma)}")
    target = as_symmetric(target)
    values, vectors = learnable(target, dim)
    scales = checked_scales(sigma, len(values))
    if corrected:
        scales = scales * np.sqrt(np.arange(len(values), 0, -1) / len(values))
    return _AlignedTrajectory(target, values, vectors, scales)
