"""The flow from any start, exactly: the solution of the matrix Riccati equation."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from qw2v import spectrum
from qw2v.dynamics._lemma import silent_start, switching_times
from qw2v.dynamics._riccati import Riccati
from qw2v.dynamics._trajectory import Trajectory
from qw2v.dynamics._truncation import extended

_FULL_SPECTRUM = 2_000  # a Target with at most this many words is diagonalised in full by `exact`


class ExactTrajectory(Trajectory):
    """Embeddings followed exactly from any start; made by `exact`."""

    def __init__(self, values, vectors, start, initial, outside, tail, progress):
        self.eigenvalues, self.eigenvectors = values, vectors
        self.start = start  # (n, d): v_i^T W0
        self.initial = initial  # (V, d): W0
        self.progress = progress
        self._outside, self._tail = outside, tail
        self._riccati = Riccati(values, start)
        self._known: dict[float, tuple[np.ndarray, np.ndarray]] = {}

    def __repr__(self) -> str:
        V, d = self.initial.shape
        return f"<exact Trajectory: V={V}, d={d}, {len(self.eigenvalues)} modes>"

    @cached_property
    def learning_times(self) -> np.ndarray:
        """Switching times (d,) of the small-start limit: tau_k from `silent_start`."""
        s0 = silent_start(np.eye(len(self.start)), self.start)
        return switching_times(self.eigenvalues[: len(s0)], s0)

    def truncation_error(self, t) -> np.ndarray:
        """Bound on the error of each singular value (d,) from the modes that were not computed.

        Zero for a full spectrum; infinite where nothing can be said. It holds whatever the unknown
        eigenvalues are: see `exact`.
        """
        return self._each(t, self._truncation)

    def _moments(self, t):
        if t not in self._known:
            n, d = self.start.shape
            self._known[t] = np.zeros(d), np.zeros(n)
            if self._riccati.rank:
                state = self._riccati.solve(t)
                self._known[t] = state.singular_values, state.diagonal
        return self._known[t]

    def _directions(self, t):
        n, d = self.start.shape
        directions = np.zeros((n, d))
        if not self._riccati.rank:
            return np.zeros(d), directions
        state = self._riccati.solve(t, directions=True)
        directions[:, : self._riccati.rank] = state.directions
        return state.singular_values, directions

    def _embed(self, t):
        s, directions = self._directions(t)
        r = self._riccati.rank
        inside = directions[:, :r] * s[:r]
        left, _, right = np.linalg.svd(inside.T @ self.start, full_matrices=False)
        return self.eigenvectors @ (inside @ (left @ right))

    def _truncation(self, t):
        if self._tail is None or not self._riccati.rank:
            return np.zeros(self.start.shape[1])
        state = self._riccati.solve(t)
        return self._tail.error(self._riccati.clipped(t), state, self._riccati.factors.inverse)


def exact(
    target, W0, modes: int | None = None, *, krylov: int = 8, progress: bool = True
) -> ExactTrajectory:
    """Gradient flow from any start W0 (V, d), of any scale and rank: the matrix Riccati solution.

    Parameters
    ----------
    target : Target or symmetric (V, V) array
    W0 : (V, d) array
    modes : the number K of top eigenpairs to use; by default the full spectrum of an array and of a
        Target of at most 2,000 words, and 2 d pairs of a larger Target.
    krylov : for a truncated spectrum, how many blocks of products W0, M* W0, M*^2 W0, .. represent
        M* outside the K modes (each costs one product M* @ (V, d), and d more modes).
    progress : show a progress bar where an array of times takes over two seconds.

    Returns
    -------
    ExactTrajectory
        Each singular value of the full-spectrum path is good to about 1e-12, relative, for whatever
        scales and times, as long as W0 itself is well conditioned up to a scaling of its columns or
        of its rows in the eigenbasis. `embeddings(t)` is W(t) up to a right rotation, chosen to
        bring it as near to W0 as it can (W(0) = W0); the flow's own rotation has no closed form,
        and no inner product between words depends on it.

        A truncated path solves the flow within the span of the K eigenvectors and the Krylov
        blocks; of a Target it makes a dense copy where that fits in 1 GiB (float32 above 5,000
        words). `truncation_error(t)` bounds what the span leaves out. At early times the blocks
        represent M* ever better, as the square of their residual; at late times nothing outside
        outgrows e^(lambda_K t), so take K > d, lambda_K < lambda_d. In between the bound lies far
        above the error, since it lets everything outside grow as fast as lambda_K; with too few
        blocks for a large start it is infinite. It counts the K eigenpairs and the products as
        exact.

    Raises
    ------
    ValueError
        If W0 has the wrong shape or values that are not finite.

    >>> W0 = np.array([[1.0, 0.5], [-0.5, 1.0], [0.3, -2.0]])
    >>> path = exact(np.diag([3.0, 1.0, -2.0]), W0)
    >>> path.singular_values([0.0, np.inf]).round(3)
    array([[2.311, 1.118],
           [1.732, 1.   ]])
    """
    size = spectrum.size_of(target)
    W0 = np.array(W0, dtype=float)
    if W0.ndim != 2 or W0.shape[0] != size or W0.shape[1] == 0:
        raise ValueError(f"W0 must have shape ({size}, d) to match the target; got {W0.shape}.")
    if not np.isfinite(W0).all():
        raise ValueError("W0 must be finite; got NaN or infinity in it.")
    if modes is None and not hasattr(target, "eigenpairs"):
        modes = size
    elif modes is None:
        modes = size if size <= _FULL_SPECTRUM else min(2 * W0.shape[1], size)
    if not 1 <= modes <= size:
        raise ValueError(f"modes must lie between 1 and V = {size}; got {modes}.")
    if modes == size:
        values, vectors = spectrum.full(target)
        return ExactTrajectory(values, vectors, vectors.T @ W0, W0, 0.0, None, progress)
    if krylov < 1:
        raise ValueError(f"krylov must be at least 1 where modes < V; got {krylov}.")
    return _truncated(target, W0, modes, krylov, progress)


def _truncated(target, W0: np.ndarray, modes: int, krylov: int, progress: bool) -> ExactTrajectory:
    table = target if hasattr(target, "eigenpairs") else np.asarray(target, float)
    values, vectors, tail = extended(table, W0, *spectrum.top(target, modes), krylov)
    outside = max(spectrum.frobenius_squared(target) - float(np.sum(values**2)), 0.0)
    return ExactTrajectory(values, vectors, vectors.T @ W0, W0, outside, tail, progress)
