r"""Untied weights: word vectors W and context vectors W', trained side by side.

The loss ||W W'^T - M*||_F^2 / 4 has the flow

    dW/dt = (M* - W W'^T) W' / 2,    dW'/dt = (M* - W' W^T) W / 2,

which conserves C = W^T W - W'^T W'. Stack Z = [W ; W'], and let J = diag(1, -1) tell the two
apart. Then

    dZ/dt = (F - Z Z^T / 2) Z / 2 + J Z C / 4,    F = [[0, M*], [M*, 0]] .

Where C = c I the last term is (c/2) J Z / 2 and joins F. What is left is the flow of tied weights,
for Y = Z / sqrt(2) and the target F + (c/2) J, so that `dynamics.exact` solves it from any such
start. Its eigenvalues are +-(lambda_k^2 + c^2/4)^(1/2): W W'^T learns the negative eigenvalues of
M* too, in the order of |lambda_k|. For other C nothing is exact here: see `gradient_flow`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qw2v.dynamics._dilation import Dilation, eigenpairs, mix
from qw2v.dynamics._exact import ExactTrajectory
from qw2v.dynamics._exact import exact as tied_exact
from qw2v.dynamics._flow import integrate
from qw2v.dynamics._lemma import Array, checked_start
from qw2v.dynamics._trajectory import Trajectory
from qw2v.spectrum import FULL, MatrixLike, Symmetric, as_symmetric

__all__ = ["UntiedTrajectory", "balanced", "eigenpairs", "exact", "gradient_flow", "imbalance"]


def imbalance(W: ArrayLike, W_context: ArrayLike) -> Array:
    """Return W^T W - W'^T W' (d, d), which the flow conserves; zero is called balanced.

    >>> imbalance(np.eye(3)[:, :2], 2 * np.eye(3)[:, :2]).tolist()
    [[-3.0, 0.0], [0.0, -3.0]]
    """
    W, W_context = np.asarray(W, float), np.asarray(W_context, float)
    return W.T @ W - W_context.T @ W_context


def balanced(target: MatrixLike, W0: ArrayLike, W0_context: ArrayLike) -> tuple[Array, Array]:
    """Return the balanced start that a small start (W0, W0') grows into, each (V, d).

    Along v_k only a_k + sign(lambda_k) a'_k grows (a = V^T W0, a' = V^T W0'); the other half of the
    start decays. The growing half has W' = V sign(Lambda) V^T W, so W^T W = W'^T W'. Diagonalises
    the whole target: for small V.

    >>> W, W_context = balanced(np.diag([1.0, -1.0]), [[1.0], [1.0]], [[3.0], [0.0]])
    >>> W.ravel().tolist(), W_context.ravel().tolist()
    ([2.0, 0.5], [2.0, -0.5])
    """
    values, vectors = as_symmetric(target).all_eigenpairs()
    sign = np.where(values < 0, -1.0, 1.0)[:, None]
    start, context = (vectors.T @ np.asarray(W, float) for W in (W0, W0_context))
    growing = (start + sign * context) / 2
    return vectors @ growing, vectors @ (sign * growing)


class UntiedTrajectory(Trajectory):
    """Word and context vectors followed exactly; made by `exact`.

    `eigenvalues` (n,) and `eigenvectors` (V, n) are those of M*, by magnitude; `offset` is c. The
    singular values are the roots of those of W W'^T, which where c = 0 are those of W and of W'.
    """

    def __init__(
        self, target: Symmetric, values: Array, vectors: Array, offset: float, path: ExactTrajectory
    ) -> None:
        self.eigenvalues, self.eigenvectors, self.offset = values, vectors, offset
        self._target, self._path, self.progress = target, path, path.progress

    def __repr__(self) -> str:
        V, d = len(self.eigenvectors), self._path.start.shape[1]
        return f"<UntiedTrajectory: V={V}, d={d}, c={self.offset:.3g}>"

    @property
    def learning_times(self) -> Array:  # type: ignore[override]
        """Switching times (d,) of the limit of a small balanced start."""
        return self._path.learning_times

    def contexts(self, t: ArrayLike) -> Array:
        """Context vectors W'(t): (V, d), or (T, V, d), rotated as `embeddings` are."""
        return self._each(t, lambda u: self._pair(u)[1])

    def truncation_error(self, t: ArrayLike) -> Array:
        """Bound (d,) on the error of the singular values of [W ; W'] / sqrt(2); see `exact`."""
        return self._path.truncation_error(t)

    def _pair(self, t: float) -> tuple[Array, Array]:
        words, contexts = np.split(np.sqrt(2) * self._path.embeddings(t), 2)
        return words, contexts

    def _embed(self, t: float) -> Array:
        return self._pair(t)[0]

    def _moments(self, t: float) -> tuple[Array, Array]:
        square = self._path.singular_values(t) ** 2
        half = abs(self.offset) / 2
        s = np.sqrt(np.sqrt((square + half) * np.maximum(square - half, 0)))
        return s, self._path._moments(t)[1]

    def _directions(self, t: float) -> tuple[Array, Array]:
        words, contexts = self._pair(t)
        basis, triangle = np.linalg.qr(words)
        left, square, _ = np.linalg.svd(triangle @ contexts.T, full_matrices=False)
        return np.sqrt(square), self.eigenvectors.T @ (basis @ left)

    def _learned(self, t: float) -> int:
        s = self._moments(t)[0][: len(self.eigenvalues)]
        return int(np.sum(s**2 > np.abs(self.eigenvalues[: len(s)]) / 2))

    def _loss(self, t: float) -> float:
        """||W W'^T - M*||_F^2 / 4, exact to rounding of its largest term."""
        s, diagonal = self._path._moments(t)
        surplus = len(s) * self.offset**2 / 4
        product = np.sum(s**4) - surplus
        overlap = np.sum(self._path.eigenvalues * diagonal) - surplus
        return float(product - 2 * overlap + self._target.frobenius_squared) / 4


def exact(
    target: MatrixLike,
    W0: ArrayLike,
    W0_context: ArrayLike,
    modes: int | None = None,
    *,
    tolerance: float = 1e-9,
    krylov: int = 8,
    progress: bool = True,
) -> UntiedTrajectory:
    """Untied flow from W0 and W0' (V, d) with W0^T W0 - W0'^T W0' = c I, in closed form.

    c = 0 is a balanced start. `tolerance` is how far the difference may be from c I, relative to
    the larger of the two products: raise it to neglect the rest, as a small random start allows
    (its error falls as the square of the scale of the start). `modes` is the number of eigenpairs
    of M*, by magnitude; by default all up to V = 2,000 and 2 d past it, with `krylov` blocks for
    the rest, as in `dynamics.exact`.

    Raises ValueError for a start of the wrong shape; for one too far from c I (`balanced` gives a
    start near it, `gradient_flow` integrates from any); and, where modes < V, for a tied start
    W0' = W0, which `dynamics.exact` keeps tied while rounding would untie it here.

    >>> path = exact(np.diag([2.0, 1.0, -3.0]), 0.1 * np.eye(3), 0.1 * np.diag([1, 1, -1]))
    >>> path.singular_values(50.0).round(3), path.eigenvalues
    (array([1.732, 1.414, 1.   ]), array([-3.,  2.,  1.]))
    """
    target = as_symmetric(target)
    size = target.shape[0]
    W0, W0_context = _starts(size, W0, W0_context)
    C = imbalance(W0, W0_context)
    c = float(np.trace(C)) / len(C)
    scale = max(np.linalg.norm(W0, 2), np.linalg.norm(W0_context, 2)) ** 2
    gap = np.linalg.norm(C - c * np.eye(len(C)), 2)
    if gap > tolerance * scale:
        raise ValueError(
            "an exact path needs W0^T W0 - W0_context^T W0_context = c I; here it differs from "
            f"c I by {gap / scale:.2g} of its size, and tolerance is {tolerance:g}. Use "
            "balanced() for a start that obeys it, gradient_flow() for this one, or a larger "
            "tolerance"
        )
    if abs(c) <= tolerance * scale:
        c = 0.0
    dilation = Dilation(target, c, progress)
    stacked = np.vstack([W0, W0_context]) / np.sqrt(2)
    if modes is None:
        modes = size if size <= FULL else min(2 * W0.shape[1], size)
    if modes == size:
        values, vectors = eigenpairs(target, size)
        path = _full_path(dilation, values, vectors, c, stacked, progress)
    else:
        if np.array_equal(W0, W0_context):
            raise ValueError("a tied start, W0_context = W0, stays tied: use dynamics.exact()")
        path = tied_exact(dilation, stacked, modes, krylov=krylov, progress=progress)
        values, vectors = eigenpairs(target, modes, progress=progress)
    return UntiedTrajectory(target, values, vectors, c, path)


def _full_path(
    dilation: Dilation, values: Array, vectors: Array, c: float, stacked: Array, progress: bool
) -> ExactTrajectory:
    """Return the path of Y = [W ; W'] / sqrt(2) in all 2V eigenvectors of the dilation."""
    cos, sin = mix(values, c)
    basis = np.vstack(
        [
            np.hstack([vectors * cos, -vectors[:, ::-1] * sin[::-1]]),
            np.hstack([vectors * sin, vectors[:, ::-1] * cos[::-1]]),
        ]
    )
    size = np.hypot(values, c / 2)
    both = np.concatenate([size, -size[::-1]])
    start, context = (vectors.T @ W for W in np.split(stacked, 2))
    upper = cos[:, None] * start + sin[:, None] * context
    lower = cos[:, None] * context - sin[:, None] * start
    inside = np.vstack([upper, lower[::-1]])
    return ExactTrajectory(dilation, both, basis, stacked, inside, progress=progress)


def gradient_flow(
    target: MatrixLike,
    W0: ArrayLike,
    W0_context: ArrayLike,
    times: ArrayLike,
    *,
    rtol: float = 1e-10,
) -> tuple[Array, Array]:
    """Word and context vectors, each (T, V, d), of the flow from any start, by an integrator.

    For small V; `times` must ascend from t >= 0.

    >>> start = [[0.1], [0.2]]
    >>> W, W_context = gradient_flow(np.diag([1.0, -2.0]), start, start, [0.0, 60.0])
    >>> (W[-1] @ W_context[-1].T).round(6) + 0
    array([[1., 0.],
           [0., 0.]])
    """
    target = as_symmetric(target)
    start = np.stack(_starts(target.shape[0], W0, W0_context))

    def slope(Z: Array) -> Array:
        W, context = Z
        return (
            np.stack(
                [target @ context - W @ (context.T @ context), target @ W - context @ (W.T @ W)]
            )
            / 2
        )

    words, contexts = np.swapaxes(integrate(slope, start, times, rtol=rtol), 0, 1)
    return words, contexts


def _starts(size: int, W0: ArrayLike, W0_context: ArrayLike) -> tuple[Array, Array]:
    words = checked_start(W0, size)
    contexts = checked_start(W0_context, size, "W0_context")
    if words.shape != contexts.shape:
        raise ValueError(
            f"W0_context must have shape {words.shape}, as W0 has; received {contexts.shape}"
        )
    return words, contexts
