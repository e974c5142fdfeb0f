r"""The matrix Riccati solution with all its digits, whatever the scale of the start and the time.

In the eigenbasis of M* the flow from A = V^T W0, (n, d), has the Gram matrix

    X(t) = e^(Lambda t/2) A [I + A^T Phi A]^-1 A^T e^(Lambda t/2), Phi = (e^(Lambda t) - I) / Lambda

With y_i^2 = (e^(lambda_i t) - 1) / lambda_i, the rows of diag(y) A differ in size by hundreds of
orders of magnitude. Add up such rows, and the small singular values are lost in the rounding of the
large ones. So rows of such different sizes are never added:

1. A = L U by Gaussian elimination. The pivot is the largest e^(lambda_i t/2) |A_ij|, compared by
   logarithms. Then U is well conditioned, and the differences in size are all in the rows of L.
2. X = G (C^T C)^-1 G^T, with G = diag(e^(lambda t/2)) L and C = [U^-T ; diag(y) L]. Their columns
   are brought to size one, again by logarithms: C = C' Delta and G = G' Gamma, where C' and G' are
   well conditioned, whatever t is.
3. C' = Q R. Then W(t) = G' diag(rho) R^-1 up to a right rotation, with rho = Gamma / Delta. From
   such a product one-sided Jacobi (LAPACK's dgejsv) finds every singular value to high relative
   accuracy (Demmel et al., Linear Algebra Appl. 299, 1999). Where rho spans less than a factor of
   1,000 the usual algorithm (dgesdd) loses nothing either, and is fifteen times faster.

The factors of step 1 serve every time at which each pivot is at least a thousandth of the largest
entry of its column. That costs three of sixteen digits at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg
from scipy.linalg.lapack import dgejsv

Array = NDArray[np.float64]

LONG = 1e280  # stands for t = infinity: lambda t does not overflow
_SLACK = np.log(1e3)
_NOTHING = np.log(1e-20)  # beside one


def log_phi(values: ArrayLike, t: ArrayLike) -> Array:
    """Logarithm of (e^(lambda t) - 1) / lambda, with its limit t at lambda = 0."""
    values, t = np.asarray(values, float), np.asarray(t, float)
    z = values * t
    size = np.abs(z)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(size > 1e-300, -np.expm1(-size) / np.abs(values), t)
        return np.maximum(z, 0) + np.log(ratio)


@dataclass(frozen=True, eq=False)
class Factors:
    """A = L U, with all differences in size in the rows of L."""

    pivots: Array  # (r,) row of each pivot
    sign: Array  # (n, r) signs of L
    log_left: Array  # (n, r) log |L|
    root: Array  # (r, r) B with B^T B = (U U^T)^-1
    inverse: Array  # (d, r) pseudo-inverse of U
    log_root: Array = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "log_root", np.log(np.linalg.norm(self.root, axis=0)))


def eliminate(A: Array, log_weight: Array) -> Factors:
    """Gaussian elimination A = L U, pivots by the size of e^log_weight_i A_ij."""
    n, d = A.shape
    work = A.copy()
    columns = np.arange(d)
    column_size = np.maximum(np.linalg.norm(A, axis=0), np.finfo(float).tiny)
    row_size = np.linalg.norm(A / column_size, axis=1)
    noise = 8 * np.finfo(float).eps * np.sqrt(d) * np.outer(row_size, column_size)
    left, right, pivots = np.zeros((n, d)), np.zeros((d, d)), []
    for j in range(min(n, d)):
        with np.errstate(divide="ignore"):
            score = log_weight + np.log(np.abs(work[:, j:]).max(axis=1))
        i = int(np.argmax(score))
        if score[i] == -np.inf:
            break
        k = j + int(np.argmax(np.abs(work[i, j:])))
        for array in (work.T, noise.T, right.T, columns):
            array[[j, k]] = array[[k, j]]
        left[:, j] = work[:, j]
        right[j, j:] = work[i, j:] / work[i, j]
        rest = work[:, j + 1 :]
        rest -= np.outer(left[:, j], right[j, j + 1 :])
        rest[np.abs(rest) <= noise[:, j + 1 :]] = 0  # a cancellation, not a start of its own
        rest[i] = 0
        work[:, j] = 0
        pivots.append(i)
    r = len(pivots)
    left, upper = left[:, :r], np.empty((r, d))
    upper[:, columns] = right[:r]
    orthogonal, triangle = np.linalg.qr(upper.T)
    root = linalg.solve_triangular(triangle, np.eye(r), trans="T")
    with np.errstate(divide="ignore"):
        log_left = np.log(np.abs(left))
    return Factors(np.array(pivots, int), np.sign(left), log_left, root, orthogonal @ root)


@dataclass(frozen=True, eq=False)
class State:
    """What is known of W(t): singular values, and what a bound on their error needs."""

    singular_values: Array  # (d,), descending
    diagonal: Array  # (n,) of W W^T
    directions: Array | None  # (n, r) left singular vectors
    triangle: Array  # (r, r) R
    log_scale: Array  # (r,) log Delta


class Riccati:
    """The flow from `start` A (n, d) along `values` (n,), at any time; its rank is `rank`."""

    def __init__(self, values: Array, start: Array):
        self.values, self.start = values, start
        # Nothing moves by more than rounding before this time, which stands for t = 0.
        self._shortest = 1e-17 / max(np.abs(values).max() + np.sum(start**2), 1e-200)
        self.factors = eliminate(start, self._log_growth(LONG))
        self.rank = len(self.factors.pivots)

    def clipped(self, t: float) -> float:
        """Return t, or the nearest time that is neither nothing nor infinite."""
        return min(max(t, self._shortest), LONG)

    def solve(self, t: float, directions: bool = False) -> State:
        """Return W(t), which must not be zero; its left singular vectors only where asked for."""
        t = self.clipped(t)
        below, above, log_scale, log_ratio = self._columns(t)
        f, r, d = self.factors, self.rank, self.start.shape[1]
        order = np.argsort(-log_ratio, kind="stable")  # descending: QR then needs no pivots
        ratio = np.exp(log_ratio - log_ratio[order[0]])
        # One BLAS for all of this: where numpy and scipy bring one each, their threads collide.
        triangle = _triangle(np.vstack([f.root * np.exp(-log_scale), self._entries(below)[0]]))
        G, kept = self._entries(above)
        upper = _triangle(G[:, order])
        graded = np.empty_like(upper)
        graded[:, order] = upper * ratio[order]
        rows = linalg.solve_triangular(
            triangle, np.vstack([graded, G * ratio]).T, trans="T", check_finite=False
        )
        scale = np.exp(log_ratio[order[0]])
        s, vectors = _svd(rows[:, :r], ratio.min(), directions)
        diagonal = np.zeros(len(self.start))
        diagonal[kept] = np.sum((rows[:, r:] * scale) ** 2, axis=0)
        left = None
        if directions:
            left = np.zeros_like(above)
            left[kept] = np.linalg.qr(G[:, order])[0] @ vectors
        s = np.concatenate([s * scale, np.zeros(d - r)])
        return State(s, diagonal, left, triangle, log_scale)

    def _log_growth(self, t: float) -> Array:
        return 0.5 * (log_phi(self.values, t) - log_phi(-self.values, t))

    def _columns(self, t: float) -> tuple[Array, Array, Array, Array]:
        """Logarithms of the columns of C' and G', of Delta and of rho, from factors good at t."""
        below, above, log_scale, log_ratio = self._scaled(t)
        if np.any(above[self.factors.pivots, np.arange(self.rank)] < -_SLACK):
            self.factors = eliminate(self.start, self._log_growth(t))
            below, above, log_scale, log_ratio = self._scaled(t)
        return below, above, log_scale, log_ratio

    def _scaled(self, t: float) -> tuple[Array, Array, Array, Array]:
        log_y, log_width = 0.5 * log_phi(self.values, t), -0.5 * log_phi(-self.values, t)
        below = log_y[:, None] + self.factors.log_left
        log_scale = np.maximum(self.factors.log_root, below.max(axis=0))
        below -= log_scale
        above = below + log_width[:, None]
        log_ratio = above.max(axis=0)
        above -= log_ratio
        return below, above, log_scale, log_ratio

    def _entries(self, logarithms: Array) -> tuple[Array, Array]:
        """Entries of columns of size one, without the rows that are nothing, and the rows kept."""
        kept = logarithms.max(axis=1) > _NOTHING
        return self.factors.sign[kept] * np.exp(logarithms[kept]), kept


def _triangle(matrix: Array) -> Array:
    r = matrix.shape[1]
    return linalg.qr(matrix, mode="r", overwrite_a=True, check_finite=False)[0][:r]


def _svd(transposed: Array, spread: float, vectors: bool) -> tuple[Array, Array | None]:
    """Singular values of a graded B, given B^T, and its left vectors; see the module's step 3."""
    if spread > 1e-3:
        if not vectors:
            return linalg.svd(transposed, compute_uv=False, check_finite=False), None
        _, s, right = linalg.svd(transposed, check_finite=False)
        return s, right.T
    # The rows of B fall off: Jacobi wants that in the columns. Both sets of vectors are asked for,
    # since scipy's wrapper overruns its arrays when only one is.
    s, _, left, work, _, info = dgejsv(transposed, joba=0, jobu=0, jobv=0, jobt=1)
    if info:
        raise np.linalg.LinAlgError(f"the Jacobi SVD did not converge ({info=}).")
    return s * (work[0] / work[1]), left
