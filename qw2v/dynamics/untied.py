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

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qw2v import spectrum
from qw2v.dynamics import _truncation
from qw2v.dynamics._exact import ExactTrajectory
from qw2v.dynamics._exact import exact as tied_exact
from qw2v.dynamics._flow import integrate
from qw2v.targets import Target

__all__ = ["UntiedTrajectory", "balanced", "eigenpairs", "exact", "gradient_flow", "imbalance"]

Array = NDArray[np.float64]

_FULL_SPECTRUM = 2_000  # a Target with at most this many words is diagonalised in full by `exact`


def imbalance(W: ArrayLike, W_context: ArrayLike) -> Array:
    """Return W^T W - W'^T W' (d, d), which the flow conserves; zero is called balanced.

    >>> imbalance(np.eye(3)[:, :2], 2 * np.eye(3)[:, :2]).tolist()
    [[-3.0, 0.0], [0.0, -3.0]]
    """
    W, W_context = np.asarray(W, float), np.asarray(W_context, float)
    return W.T @ W - W_context.T @ W_context


def balanced(target, W0: ArrayLike, W0_context: ArrayLike) -> tuple[Array, Array]:
    """Return the balanced start that a small start (W0, W0') grows into, each (V, d).

    Along v_k only a_k + sign(lambda_k) a'_k grows (a = V^T W0, a' = V^T W0'); the other half of the
    start decays. The growing half has W' = V sign(Lambda) V^T W, so W^T W = W'^T W'. Diagonalises
    the whole target: for small V.

    >>> W, W_context = balanced(np.diag([1.0, -1.0]), [[1.0], [1.0]], [[3.0], [0.0]])
    >>> W.ravel().tolist(), W_context.ravel().tolist()
    ([2.0, 0.5], [2.0, -0.5])
    """
    values, vectors = spectrum.full(target)
    sign = np.where(values < 0, -1.0, 1.0)[:, None]
    start, context = (vectors.T @ np.asarray(W, float) for W in (W0, W0_context))
    growing = (start + sign * context) / 2
    return vectors @ growing, vectors @ (sign * growing)


def eigenpairs(target, k: int, *, progress: bool = True) -> tuple[Array, Array]:
    """Return the k eigenvalues of M* largest in magnitude (k,), in that order, and vectors (V, k).

    `target` is a Target or a symmetric array. Of a large Target the two ends of the spectrum are
    computed one after the other, and kept as `Target.eigenpairs` keeps its own.

    >>> eigenpairs(np.diag([3.0, -5.0, 1.0]), 2)[0]
    array([-5.,  3.])
    """
    size = spectrum.size_of(target)
    if not 1 <= k <= size:
        raise ValueError(f"k must be between 1 and V = {size:,}; got {k}.")
    if not isinstance(target, Target) or size <= _FULL_SPECTRUM:
        values, vectors = spectrum.full(target)
    else:
        values, vectors = _both_ends(target, k, progress)
    order = np.argsort(-np.abs(values), kind="stable")[:k]
    return values[order], vectors[:, order]


def _both_ends(target: Target, k: int, progress: bool) -> tuple[Array, Array]:
    """Return the top k of M*, and of -M* as many as can be among the k largest in magnitude."""
    upper, vectors = target.eigenpairs(k, progress=progress)
    mirror = replace(
        target,
        sparse=-target.sparse,
        constant=-target.constant,
        fingerprint=f"minus-{target.fingerprint}",
    )
    few = max(k // 4, 1)
    lower, others = mirror.eigenpairs(few, progress=progress)
    while few < k and lower[-1] > upper[k - few - 1]:  # there may be more of them
        few = min(2 * few, k)
        lower, others = mirror.eigenpairs(few, progress=progress)
    return np.concatenate([upper, -lower]), np.hstack([vectors, others])


def _lift(values: Array, vectors: Array, c: float) -> tuple[Array, Array]:
    """Return the upper eigenpairs (k,), (2V, k) of [[c/2, M*], [M*, -c/2]] from those of M*."""
    return np.hypot(values, c / 2), np.vstack([vectors * part for part in _mix(values, c)])


def _mix(values: Array, c: float) -> tuple[Array, Array]:
    """Cosine and sine of the upper eigenvector of each block [[c/2, lambda], [lambda, -c/2]]."""
    if c == 0:  # of equal size to the last digit, so that a tied start stays tied
        return np.full(len(values), 0.5**0.5), np.where(values < 0, -1.0, 1.0) * 0.5**0.5
    angle = np.arctan2(values, c / 2) / 2
    return np.cos(angle), np.sin(angle)


class _Dilation:
    """[[c/2, M*], [M*, -c/2]] (2V, 2V) as an operator, never formed."""

    def __init__(self, target, c: float, progress: bool):
        self._target, self._c, self._progress = target, c, progress
        self._table = _truncation._table(target)
        self.shape = (2 * target.shape[0],) * 2
        self.dtype = self._table.dtype

    def __matmul__(self, x):
        upper, lower = np.split(x, 2)
        shift = self.dtype.type(self._c / 2)
        return np.vstack([self._table @ lower + shift * upper, self._table @ upper - shift * lower])

    def eigenpairs(self, k: int) -> tuple[Array, Array]:
        return _lift(*eigenpairs(self._target, k, progress=self._progress), self._c)

    @property
    def frobenius_squared(self) -> float:
        square = spectrum.frobenius_squared(self._target)
        return 2 * square + self.shape[0] * self._c**2 / 4


class UntiedTrajectory:
    """Word and context vectors followed exactly; made by `exact`.

    `eigenvalues` (n,) and `eigenvectors` (V, n) are those of M*, by magnitude; `offset` is c;
    `learning_times` (d,) are the switching times of the limit of a small start. Every method takes
    a time t >= 0 or an array of T times, which puts an axis of length T in front of the result.
    """

    def __init__(self, values, vectors, offset, norm_squared, path):
        self.eigenvalues, self.eigenvectors, self.offset = values, vectors, offset
        self._norm_squared, self._path = norm_squared, path

    def __repr__(self) -> str:
        V, d = len(self.eigenvectors), self._path.start.shape[1]
        return f"<UntiedTrajectory: V={V}, d={d}, c={self.offset:.3g}>"

    @property
    def learning_times(self) -> Array:
        """Switching times (d,) of the limit of a small balanced start."""
        return self._path.learning_times

    def singular_values(self, t) -> Array:
        """Square roots (d,) of the singular values of W W'^T; where c = 0, those of W and of W'."""
        square = self._path.singular_values(t) ** 2
        half = abs(self.offset) / 2
        return np.sqrt(np.sqrt((square + half) * np.maximum(square - half, 0)))

    def embeddings(self, t) -> tuple[Array, Array]:
        """Return W(t) and W'(t), each (V, d), up to a right rotation that they share."""
        words, contexts = np.split(np.sqrt(2) * self._path.embeddings(t), 2, axis=-2)
        return words, contexts

    def loss(self, t) -> Array:
        """Loss ||W W'^T - M*||_F^2 / 4 at t, exact to rounding of its largest term."""
        return self._path._each(t, self._loss)

    def truncation_error(self, t) -> Array:
        """Bound (d,) on the error of the singular values of [W ; W'] / sqrt(2); see `exact`."""
        return self._path.truncation_error(t)

    def _loss(self, t: float) -> float:
        s, diagonal = self._path._moments(t)
        surplus = len(s) * self.offset**2 / 4
        product = np.sum(s**4) - surplus
        overlap = np.sum(self._path.eigenvalues * diagonal) - surplus
        return (product - 2 * overlap + self._norm_squared) / 4


def exact(
    target,
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
    of M*, by magnitude; by default all of an array and of a Target of at most 2,000 words, 2 d of
    a larger one, with `krylov` blocks for the rest, as in `dynamics.exact`.

    Raises ValueError for a start of the wrong shape; for one too far from c I (`balanced` gives a
    start near it, `gradient_flow` integrates from any); and, where modes < V, for a tied start
    W0' = W0, which `dynamics.exact` keeps tied while rounding would untie it here.

    >>> path = exact(np.diag([2.0, 1.0, -3.0]), 0.1 * np.eye(3), 0.1 * np.diag([1, 1, -1]))
    >>> path.singular_values(50.0).round(3), path.eigenvalues
    (array([1.732, 1.414, 1.   ]), array([-3.,  2.,  1.]))
    """
    size = spectrum.size_of(target)
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
            "tolerance."
        )
    if abs(c) <= tolerance * scale:
        c = 0.0
    plain = not isinstance(target, Target)
    if modes is None and (plain or size <= _FULL_SPECTRUM):
        modes = size
    if modes == size:
        values, vectors = eigenpairs(target, size)
        path = _full_path(values, vectors, c, W0, W0_context, progress)
    else:
        if np.array_equal(W0, W0_context):
            raise ValueError("a tied start, W0_context = W0, stays tied: use dynamics.exact().")
        target = spectrum.symmetric(target) if plain else target
        dilation = _Dilation(target, c, progress)
        start = np.vstack([W0, W0_context]) / np.sqrt(2)
        modes = min(2 * W0.shape[1], size) if modes is None else modes
        path = tied_exact(dilation, start, modes, krylov=krylov, progress=progress)
        values, vectors = eigenpairs(target, modes, progress=progress)
    return UntiedTrajectory(values, vectors, c, spectrum.frobenius_squared(target), path)


def _full_path(values, vectors, c, W0, W0_context, progress) -> ExactTrajectory:
    """Return the path of [W ; W'] / sqrt(2) in all 2V eigenvectors of [[c/2, M*], [M*, -c/2]]."""
    cos, sin = _mix(values, c)
    basis = np.vstack(
        [
            np.hstack([vectors * cos, -vectors[:, ::-1] * sin[::-1]]),
            np.hstack([vectors * sin, vectors[:, ::-1] * cos[::-1]]),
        ]
    )
    size = np.hypot(values, c / 2)
    spectrum = np.concatenate([size, -size[::-1]])
    start, context = ((vectors.T @ W) / np.sqrt(2) for W in (W0, W0_context))
    upper = cos[:, None] * start + sin[:, None] * context
    lower = cos[:, None] * context - sin[:, None] * start
    stacked = np.vstack([W0, W0_context]) / np.sqrt(2)
    inside = np.vstack([upper, lower[::-1]])
    return ExactTrajectory(spectrum, basis, inside, stacked, 0.0, None, progress)


def gradient_flow(
    target, W0: ArrayLike, W0_context: ArrayLike, times, *, rtol: float = 1e-10
) -> tuple[Array, Array]:
    """Word and context vectors, each (T, V, d), of the flow from any start, by an integrator.

    For small V; `times` must ascend from t >= 0.

    >>> start = [[0.1], [0.2]]
    >>> W, W_context = gradient_flow(np.diag([1.0, -2.0]), start, start, [0.0, 60.0])
    >>> (W[-1] @ W_context[-1].T).round(6) + 0
    array([[1., 0.],
           [0., 0.]])
    """
    start = np.stack(_starts(spectrum.size_of(target), W0, W0_context))
    target = target if isinstance(target, Target) else spectrum.symmetric(target)

    def slope(Z):
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
    W0, W0_context = np.array(W0, dtype=float), np.array(W0_context, dtype=float)
    for name, W in (("W0", W0), ("W0_context", W0_context)):
        if W.ndim != 2 or len(W) != size or W.shape != W0.shape:
            raise ValueError(
                f"{name} must have shape ({size}, d), the same for both; got {W.shape}."
            )
        if not np.isfinite(W).all():
            raise ValueError(f"{name} must be finite; got NaN or infinity in it.")
    return W0, W0_context
