"""The flow from any start, exactly: the solution of the matrix Riccati equation."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from qw2v._checks import whole
from qw2v.dynamics._lemma import Array, checked_start, silent_start, switching_times
from qw2v.dynamics._riccati import Riccati
from qw2v.dynamics._trajectory import Trajectory
from qw2v.dynamics._truncation import Tail, extended
from qw2v.spectrum import FULL, MatrixLike, Symmetric, as_symmetric


class ExactTrajectory(Trajectory):
    """Embeddings followed exactly from any start; made by `exact`."""

    def __init__(
        self,
        target: Symmetric,
        values: Array,
        vectors: Array,
        W0: Array,
        start: Array | None = None,
        tail: Tail | None = None,
        progress: bool = True,
    ) -> None:
        self.eigenvalues, self.eigenvectors = values, vectors
        self.start = vectors.T @ W0 if start is None else start  # (n, d): v_i^T W0
        self.initial = W0  # (V, d)
        self.progress = progress
        self._target, self._tail = target, tail
        self._riccati = Riccati(values, self.start)
        self._known: dict[float, tuple[Array, Array]] = {}

    def __repr__(self) -> str:
        V, d = self.initial.shape
        return f"<exact Trajectory: V={V}, d={d}, {len(self.eigenvalues)} modes>"

    @cached_property
    def learning_times(self) -> Array:  # type: ignore[override]
        """Switching times (d,) of the small-start limit: tau_k from `silent_start`."""
        s0 = silent_start(np.eye(len(self.start)), self.start)
        return switching_times(self.eigenvalues[: len(s0)], s0)

    def truncation_error(self, t: ArrayLike) -> Array:
        """Bound on the error of each singular value (d,) from the modes that were not computed.

        Zero for a full spectrum; infinite where nothing can be said. It holds whatever the unknown
        eigenvalues are: see `exact`.
        """
        return self._each(t, self._truncation)

    def _moments(self, t: float) -> tuple[Array, Array]:
        if t not in self._known:
            n, d = self.start.shape
            self._known[t] = np.zeros(d), np.zeros(n)
            if self._riccati.rank:
                state = self._riccati.solve(t)
                self._known[t] = state.singular_values, state.diagonal
        return self._known[t]

    def _directions(self, t: float) -> tuple[Array, Array]:
        n, d = self.start.shape
        directions = np.zeros((n, d))
        if not self._riccati.rank:
            return np.zeros(d), directions
        state = self._riccati.solve(t, directions=True)
        directions[:, : self._riccati.rank] = state.directions
        return state.singular_values, directions

    def _embed(self, t: float) -> Array:
        s, directions = self._directions(t)
        r = self._riccati.rank
        inside = directions[:, :r] * s[:r]
        left, _, right = np.linalg.svd(inside.T @ self.start, full_matrices=False)
        return self.eigenvectors @ (inside @ (left @ right))

    def _truncation(self, t: float) -> Array:
        if self._tail is None or not self._riccati.rank:
            return np.zeros(self.start.shape[1])
        state = self._riccati.solve(t)
        return self._tail.error(self._riccati.clipped(t), state, self._riccati.factors.inverse)


def exact(
    target: MatrixLike,
    W0: ArrayLike,
    modes: int | None = None,
    *,
    krylov: int = 8,
    progress: bool = True,
) -> ExactTrajectory:
    """Gradient flow from any start W0 (V, d), of any scale and rank: the matrix Riccati solution.

    Parameters
    ----------
    target : Target or symmetric (V, V) array
        The matrix M*.
    W0 : (V, d) array
        The start.
    modes : int, optional
        How many top eigenpairs K to use; by default all up to V = 2,000, and 2 d past it.
    krylov : int
        For a truncated spectrum, how many blocks of products W0, M* W0, M*^2 W0, .. represent
        M* outside the K modes (each costs one product M* @ (V, d), and d more modes).
    progress : bool
        Show a progress bar where an array of times takes over two seconds.

    Returns
    -------
    ExactTrajectory
        Each singular value of the full-spectrum path is good to about 1e-12, relative, for whatever
        scales and times, as long as W0 itself is well conditioned up to a scaling of its columns or
        of its rows in the eigenbasis. `embeddings(t)` is W(t) up to a right rotation, chosen to
        bring it as near to W0 as it can (W(0) = W0); the flow's own rotation has no closed form,
        and no inner product between words depends on it.

        A truncated path solves the flow within the span of the K eigenvectors and the Krylov
        blocks; for that it makes a dense copy of M* where that fits in 1 GiB (float32 past
        V = 5,000). `truncation_error(t)` bounds what the span leaves out. At early times the blocks
        represent M* ever better, as the square of their residual; at late times nothing outside
        outgrows e^(lambda_K t), so take K > d, lambda_K < lambda_d. In between the bound lies far
        above the error, since it lets everything outside grow as fast as lambda_K; with too few
        blocks for a large start it is infinite. It counts the K eigenpairs and the products as
        exact.

    Raises
    ------
    ValueError
        For a W0 of the wrong shape or with values that are not finite, and for numbers of modes or
        blocks that are out of range.

    Examples
    --------
    >>> W0 = np.array([[1.0, 0.5], [-0.5, 1.0], [0.3, -2.0]])
    >>> path = exact(np.diag([3.0, 1.0, -2.0]), W0)
    >>> path.singular_values([0.0, np.inf]).round(3)
    array([[2.311, 1.118],
           [1.732, 1.   ]])
    """
    target = as_symmetric(target)
    size = target.shape[0]
    start = checked_start(W0, size)
    if modes is None:
        modes = size if size <= FULL else min(2 * start.shape[1], size)
    modes = whole("modes", modes, 1, size, of="V")
    krylov = whole("krylov", krylov, 1)
    if modes == size:
        values, vectors = target.all_eigenpairs()
        return ExactTrajectory(target, values, vectors, start, progress=progress)
    values, vectors = target.eigenpairs(modes, progress=progress)
    values, vectors, tail = extended(target, start, values, vectors, krylov)
    return ExactTrajectory(target, values, vectors, start, tail=tail, progress=progress)
