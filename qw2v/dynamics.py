r"""The closed form in time: gradient flow of the embeddings, aligned (Lemma 3.1) or from any start.

The flow is dW/dt = (M* - W W^T) W / 2, with time in the units of the eigenvalues of M*
(time = learning rate x step). W is (V, d), its singular values are s_k, and M* = V Lambda V^T.

Lemma 3.1: where W(0) is aligned with the top eigenvectors, each mode is a sigmoid of its own,

    1 / s_k(t)^2 = e^(-lambda_k t) / s_k(0)^2 + (1 - e^(-lambda_k t)) / lambda_k .

From any start, X = W W^T obeys a matrix Riccati equation, whose solution is

    X(t) = e^(M* t/2) W0 [I + W0^T Phi(t) W0]^-1 W0^T e^(M* t/2),   Phi(t) = (e^(M* t) - I) / M* .

How `exact` keeps its digits
----------------------------
With A = V^T W0 and y_i^2 = (e^(lambda_i t) - 1) / lambda_i, the rows of Y = diag(y) A spread over
hundreds of orders of magnitude, and the small singular values drown in the rounding of the large
ones. So nothing graded is ever added up:

1. A = L U by Gaussian elimination. The pivot is the largest e^(lambda_i t/2) |A_ij|, compared by
   logarithms, so that U is well conditioned and all the grading sits in the rows of L.
2. X = G (C^T C)^-1 G^T in the eigenbasis, with G = diag(e^(lambda t/2)) L, C = [U^-T ; diag(y) L].
   Their columns are brought to size one, again by logarithms: C = C' Delta and G = G' Gamma, where
   C' and G' are well conditioned, whatever t is.
3. C' = Q R. Then W(t) = G' diag(rho) R^-1 up to a right rotation, with rho = Gamma / Delta: a
   rank-revealing decomposition, from which one-sided Jacobi (LAPACK's dgejsv) finds every singular
   value to high relative accuracy (Demmel et al., Linear Algebra Appl. 299, 1999).

The factors of step 1 serve all times at which their pivots stay within a factor of 1,000 of the
largest entry of their column, which costs at most three of sixteen digits.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from scipy import linalg
from scipy.linalg.lapack import dgejsv

from qw2v import targets
from qw2v._environment import progress_bar
from qw2v.vectors import WordVectors

__all__ = [
    "ExactPath",
    "Path",
    "aligned",
    "closed_form",
    "exact",
    "gradient_flow",
    "learning_times",
    "sigmoid",
    "silent_start",
    "vanishing",
]

_FULL_SPECTRUM = 2_000  # a Target with at most this many words is diagonalised in full by `exact`
_DENSE_BYTES = 2**30  # the largest dense copy of a Target that `exact` makes to multiply with
_PIVOT_SLACK = np.log(1e3)
_LONG = 1e280  # stands for t = infinity: lambda t does not overflow


# ---------------------------------------------------------------------------------------------
# scalars


def learning_times(eigenvalues, s0) -> np.ndarray:
    """Times tau_k = ln(lambda_k / s_k(0)^2) / lambda_k at which the modes switch on (Section 3.2).

    `eigenvalues` is (d,), `s0` a scale or (d,), both in the units of M* (s0^2 against lambda).
    Negative where a mode starts above its final value; infinite where lambda_k <= 0, since such a
    mode is never learned. At tau_k the mode has s_k^2 = lambda_k / (2 - s_k(0)^2 / lambda_k), half
    of its final value when it started small. Raises ValueError unless s0 is positive and finite.

    >>> learning_times([2.0, 1.0], 1e-3).round(2)
    array([ 7.25, 13.82])
    """
    values = _eigenvalues(eigenvalues)
    return _learning_times(values, _scales(s0, values.shape[-1] if values.ndim else None))


def _learning_times(values: np.ndarray, s0: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        times = (np.log(values) - 2 * np.log(s0)) / values
    return np.where(values > 0, times, np.inf)


def sigmoid(eigenvalues, s0, t) -> np.ndarray:
    """Singular values s_k(t) of Lemma 3.1, element by element for inputs that broadcast together.

    Holds for every real eigenvalue (at lambda = 0, s^2 = s0^2 / (1 + s0^2 t); below, s decays) and
    every t in [0, inf]. Raises ValueError for s0 <= 0, t < 0 or anything that is not a number.

    >>> sigmoid([2.0, 0.0, -1.0], 0.1, [[0.0], [np.inf]]).round(3)
    array([[0.1  , 0.1  , 0.1  ],
           [1.414, 0.   , 0.   ]])
    """
    values, scales = _eigenvalues(eigenvalues), _scales(s0)
    t = np.minimum(_nonnegative(t), _LONG)
    log_inverse_square = np.logaddexp(-values * t - 2 * np.log(scales), _log_phi(-values, t))
    return np.exp(-0.5 * log_inverse_square)


def _log_phi(values: np.ndarray, t) -> np.ndarray:
    """Logarithm of (e^(lambda t) - 1) / lambda, with its limit t at lambda = 0."""
    z = np.asarray(values * t)
    size = np.abs(z)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(size > 1e-300, -np.expm1(-size) / np.abs(values), t)
        return np.maximum(z, 0) + np.log(ratio)


# ---------------------------------------------------------------------------------------------
# paths


class Path(ABC):
    """Embeddings followed in time, in closed form: made by `aligned`, `vanishing` or `exact`.

    `eigenvalues` (n,) and `eigenvectors` (V, n) are the modes the path lives in, descending, and
    `learning_times` (d,) are the tau_k. Every method takes a time t >= 0 or an array of T times (t
    may be infinite), and an array of times puts an axis of length T in front of the result.
    """

    eigenvalues: np.ndarray
    eigenvectors: np.ndarray
    learning_times: np.ndarray

    @abstractmethod
    def _moments(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Singular values (d,), descending, and the diagonal v_i^T W W^T v_i (n,)."""

    @abstractmethod
    def _directions(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Singular values (d,), descending, and left singular vectors (n, d) in the modes."""

    @abstractmethod
    def _embed(self, t: float) -> np.ndarray:
        """Embeddings (V, d)."""

    def singular_values(self, t) -> np.ndarray:
        """Singular values of W(t), descending: (d,), or (T, d) for T times."""
        return self._each(t, lambda u: self._moments(u)[0])

    def loss(self, t) -> np.ndarray:
        """Loss ||W W^T - M*||_F^2 / 4 at t (Theorem 1, less its constant), over all of M*.

        Exact to rounding of the largest of the squares, about 1e-16 ||M*||_F^2.
        """
        return self._each(t, self._loss)

    def effective_rank(self, t) -> np.ndarray:
        """Participation ratio (sum s_k^2)^2 / sum s_k^4 of the eigenvalues of W W^T, in [1, d].

        It equals r where r modes are equal and the others zero; it is zero where W is zero.
        """
        return self._each(t, self._participation)

    def learned_modes(self, t) -> np.ndarray:
        """How many modes have passed half of their final value, s_k^2 > lambda_k / 2."""
        return self._each(t, self._learned)

    def embeddings(self, t) -> np.ndarray:
        """Embeddings W(t): (V, d), or (T, V, d). See the path's maker for the right rotation."""
        return self._each(t, self._embed)

    def overlaps(self, t) -> np.ndarray:
        """Squared overlaps (v_k^T u_j)^2, (d, d), of the eigen-features k with W's left vectors j.

        Rows are the top d modes; a column sums to less than one where u_j leaves their span.
        """
        return self._each(t, self._overlap)

    def _each(self, t, function) -> np.ndarray:
        times = _nonnegative(t)
        if times.ndim > 1:
            raise ValueError(
                f"t must be a time or a one-dimensional array of times; got shape {times.shape}."
            )
        if times.ndim == 0:
            return np.asarray(function(float(times)))[()]
        if len(times) < 16:
            return np.array([function(float(u)) for u in times])
        values = []
        with progress_bar("times", "time", len(times), progress=self.progress, leave=False) as bar:
            for u in times:
                values.append(function(float(u)))
                bar.update()
        return np.array(values)

    progress: bool = True
    _outside: float = 0.0

    def _loss(self, t: float) -> float:
        s, diagonal = self._moments(t)
        off_diagonal = max(float(np.sum(s**4) - np.sum(diagonal**2)), 0.0)
        return (self._outside + np.sum((self.eigenvalues - diagonal) ** 2) + off_diagonal) / 4

    def _participation(self, t: float) -> float:
        s = self._moments(t)[0]
        if s[0] == 0:
            return 0.0
        share = (s / s[0]) ** 2
        return share.sum() ** 2 / np.sum(share**2)

    def _learned(self, t: float) -> int:
        s = self._moments(t)[0][: len(self.eigenvalues)]
        values = self.eigenvalues[: len(s)]
        return int(np.sum((s**2 > values / 2) & (values > 0)))

    def _overlap(self, t: float) -> np.ndarray:
        directions = self._directions(t)[1]
        return directions[: directions.shape[1]] ** 2


class _AlignedPath(Path):
    def __init__(self, values, vectors, s0, outside):
        self.eigenvalues, self.eigenvectors = values, vectors
        self.initial = s0
        self.learning_times = _learning_times(values, s0)
        self._outside = outside

    def __repr__(self) -> str:
        return f"<aligned Path: V={self.eigenvectors.shape[0]}, d={len(self.eigenvalues)}>"

    def _moments(self, t):
        s = sigmoid(self.eigenvalues, self.initial, t)
        return np.sort(s)[::-1], s**2

    def _directions(self, t):
        s = sigmoid(self.eigenvalues, self.initial, t)
        order = np.argsort(-s, kind="stable")
        return s[order], np.eye(len(s))[:, order]

    def _embed(self, t):
        return self.eigenvectors * sigmoid(self.eigenvalues, self.initial, t)


def aligned(target, s0, dim: int | None = None) -> Path:
    """Gradient flow from an aligned start W(0) = V_d diag(s0) (Lemma 3.1).

    `target` is a Target or a symmetric (V, V) array; `s0` is a positive scale or one value a mode;
    `dim` is the number of modes d (by default len(s0), or all positive modes of an array). Column
    k of `embeddings(t)` is s_k(t) v_k. Raises ValueError where M* has fewer than d positive
    eigenvalues, and for an s0 that is not positive.

    >>> path = aligned(np.diag([3.0, 1.0, -2.0]), 0.01, dim=2)
    >>> path.singular_values(np.inf).round(3)
    array([1.732, 1.   ])
    """
    scales = _scales(s0)
    if scales.ndim > 1:
        raise ValueError(f"s0 must be a scale or one value a mode; got shape {scales.shape}.")
    if dim is None and scales.ndim == 1:
        dim = len(scales)
    values, vectors, outside = _positive_modes(target, dim)
    return _AlignedPath(values, vectors, _scales(s0, len(values)), outside)


def vanishing(target, sigma: float, dim: int, *, corrected: bool = False) -> Path:
    """Gradient flow from a vanishing random start W_ij ~ N(0, sigma^2), sigma -> 0 (Result 3).

    The paper starts every sigmoid at s_k(0) = sigma, so that tau_1 = ln(lambda_1 / sigma^2) /
    lambda_1. A random start overlaps more: |v_k^T W0|^2 has mean sigma^2 d, of which the modes
    learned before k take their own directions in R^d, and sigma^2 (d - k + 1) is left for mode k.
    `corrected=True` starts there, s_k(0) = sigma sqrt(d - k + 1), which shifts tau_k earlier by
    ln(d - k + 1) / lambda_k; `silent_start` gives the value for a W0 at hand in place of the mean.

    >>> vanishing(np.diag([3.0, 1.0, -2.0]), 1e-6, dim=2).learning_times.round(2)
    array([ 9.58, 27.63])
    """
    if np.ndim(sigma):
        raise ValueError(f"sigma must be one number; got shape {np.shape(sigma)}.")
    values, vectors, outside = _positive_modes(target, dim)
    scales = _scales(sigma, len(values))
    if corrected:
        scales = scales * np.sqrt(np.arange(len(values), 0, -1))
    return _AlignedPath(values, vectors, scales, outside)


def silent_start(eigenvectors, W0) -> np.ndarray:
    """Aligned start s_k(0) (min(n, d),) that a small start W0 (V, d) grows into (Result 3).

    s_k(0) is the length of v_k^T W0 once the directions of v_1 .. v_(k-1) in R^d are taken out (the
    diagonal of the LQ factorisation of V^T W0): as W0 shrinks, `exact` tends to `aligned`
    from there.

    >>> silent_start(np.eye(3)[:, :2], np.array([[3.0, 4.0], [3.0, 4.0], [9.0, 9.0]])).round(6)
    array([5., 0.])
    """
    overlaps = np.asarray(eigenvectors, float).T @ np.asarray(W0, float)
    return np.abs(np.diagonal(np.linalg.qr(overlaps.T, mode="r")))


# ---------------------------------------------------------------------------------------------
# any start


@dataclass(frozen=True, eq=False)
class _Tail:
    """What bounds the error of a truncated path: M* off the K eigenvectors, met by block Lanczos.

    With P the projector off the eigenvectors, P W0 = Q_1 root, T = Q^T M* Q = Y diag(ritz) Y^T over
    the blocks Q = [Q_1 .. Q_m], and M* Q - Q T = R in the last block alone. Then (Duhamel, twice)
    |W0^T P f(M*) P W0 - root^T f(T)_11 root| <= share(t) f(upper) W0^T P W0 for f = e^(. t), with
    share = (integral over [0, t] of |R [e^((T - upper) s)]_m1|)^2, and at most one in any case. It
    grows with t, so that it holds for the integral of f over time, (e^(. t) - 1) / ., too.
    """

    root: np.ndarray  # (d, d)
    upper: float  # no eigenvalue off the computed eigenvectors is larger
    ritz: np.ndarray  # (n,)
    first: np.ndarray  # (d, n) first block of rows of Y
    last: np.ndarray  # (d, n) R times the last block of rows of Y

    def share(self, t: float) -> float:
        times, integral = self._integral
        return float(min(1.0, np.interp(t, times, integral) ** 2)) if t <= times[-1] else 1.0

    @cached_property
    def _integral(self) -> tuple[np.ndarray, np.ndarray]:
        """Upper sums of the integral over geometric steps, up to where it passes one."""
        time = 1e-3 / max(np.abs(self.ritz - self.upper).max(initial=0.0), 1e-200)
        times, integral, before = [0.0], [0.0], 0.0
        while len(times) < 400 and integral[-1] < 1:
            decay = np.exp(np.minimum((self.ritz - self.upper) * time, 0))
            now = np.linalg.norm((self.last * decay) @ self.first.T, 2) if decay.size else 0.0
            integral.append(integral[-1] + max(before, now) * (time - times[-1]))
            times.append(time)
            before, time = now, time * 1.1
        return np.array(times), np.array(integral)


@dataclass(frozen=True, eq=False)
class _Factors:
    """A = L U with the grading in the rows of L; see the module's docstring."""

    pivots: np.ndarray  # (r,) row of each pivot
    sign: np.ndarray  # (n, r) signs of L
    log_left: np.ndarray  # (n, r) log |L|
    root: np.ndarray  # (r, r) B with B^T B = (U U^T)^-1
    inverse: np.ndarray  # (d, r) pseudo-inverse of U
    log_root: np.ndarray = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "log_root", np.log(np.linalg.norm(self.root, axis=0)))


def _eliminate(A: np.ndarray, log_weight: np.ndarray) -> _Factors:
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
    return _Factors(np.array(pivots, int), np.sign(left), log_left, root, orthogonal @ root)


@dataclass(frozen=True, eq=False)
class _State:
    singular_values: np.ndarray  # (d,), descending
    diagonal: np.ndarray  # (n,) of W W^T
    directions: np.ndarray | None  # (n, r) left singular vectors
    triangle: np.ndarray  # (r, r) R
    log_scale: np.ndarray  # (r,) log Delta


class ExactPath(Path):
    """Embeddings followed exactly from any start; made by `exact`."""

    def __init__(self, values, vectors, start, initial, outside, tail, progress):
        self.eigenvalues, self.eigenvectors = values, vectors
        self.start = start  # (n, d): v_i^T W0
        self.initial = initial  # (V, d): W0
        self.progress = progress
        self._outside, self._tail = outside, tail
        # Nothing moves by more than rounding before this time, which stands for t = 0.
        self._shortest = 1e-17 / max(np.abs(values).max() + np.sum(start**2), 1e-200)
        self._factors = _eliminate(start, self._log_growth(_LONG))
        self._known: dict[float, tuple[np.ndarray, np.ndarray]] = {}

    def __repr__(self) -> str:
        V, d = self.initial.shape
        return f"<exact Path: V={V}, d={d}, {len(self.eigenvalues)} modes>"

    @cached_property
    def learning_times(self) -> np.ndarray:
        """Switching times (d,) of the small-start limit: tau_k from `silent_start`."""
        s0 = silent_start(np.eye(len(self.start)), self.start)
        return _learning_times(self.eigenvalues[: len(s0)], s0)

    def truncation_error(self, t) -> np.ndarray:
        """Bound on the error of each singular value (d,) from the modes that were not computed.

        Zero for a full spectrum; infinite where nothing can be said. It holds whatever the unknown
        eigenvalues are: see `exact`.
        """
        return self._each(t, self._truncation)

    def _log_growth(self, t: float) -> np.ndarray:
        return 0.5 * (_log_phi(self.eigenvalues, t) - _log_phi(-self.eigenvalues, t))

    def _scaled(self, log_phi: np.ndarray, log_width: np.ndarray):
        """Columns of C' and G' by their logarithms, and the logarithms of Delta and rho."""
        below = 0.5 * log_phi[:, None] + self._factors.log_left
        log_scale = np.maximum(self._factors.log_root, below.max(axis=0))
        below -= log_scale
        above = below + log_width[:, None]
        log_ratio = above.max(axis=0)
        above -= log_ratio
        return below, above, log_scale, log_ratio

    def _solve(self, t: float, directions: bool = False) -> _State:
        t = min(max(t, self._shortest), _LONG)
        log_phi, log_width = _log_phi(self.eigenvalues, t), -0.5 * _log_phi(-self.eigenvalues, t)
        below, above, log_scale, log_ratio = self._scaled(log_phi, log_width)
        pivots = self._factors.pivots
        if np.any(above[pivots, np.arange(len(pivots))] < -_PIVOT_SLACK):
            self._factors = _eliminate(self.start, self._log_growth(t))
            below, above, log_scale, log_ratio = self._scaled(log_phi, log_width)
        f = self._factors
        order = np.argsort(-log_ratio, kind="stable")  # descending: QR then needs no pivots
        ratio = np.exp(log_ratio - log_ratio[order[0]])
        C, G = (
            np.vstack([f.root * np.exp(-log_scale), f.sign * np.exp(below)]),
            f.sign * np.exp(above),
        )
        # One BLAS for all of this: where numpy and scipy bring one each, their threads collide.
        triangle = _triangle(C)
        upper = _triangle(G[:, order])
        graded = np.empty_like(upper)
        graded[:, order] = upper * ratio[order]
        rows = linalg.solve_triangular(
            triangle, np.vstack([graded, G * ratio]).T, trans="T", check_finite=False
        )
        r, d = len(order), self.start.shape[1]
        # The rows of graded R^-1 fall off: Jacobi wants that in the columns. Both sets of vectors
        # are asked for, since scipy's wrapper overruns its arrays when only one is.
        s, _, vectors, work, _, info = dgejsv(rows[:, :r], joba=0, jobu=0, jobv=0, jobt=1)
        if info:
            raise np.linalg.LinAlgError(f"the Jacobi SVD did not converge at t = {t} ({info=}).")
        scale = np.exp(log_ratio[order[0]])
        return _State(
            np.concatenate([s * (work[0] / work[1] * scale), np.zeros(d - r)]),
            np.sum((rows[:, r:] * scale) ** 2, axis=0),
            np.linalg.qr(G[:, order])[0] @ vectors if directions else None,
            triangle,
            log_scale,
        )

    def _moments(self, t):
        if t not in self._known:
            if len(self._factors.pivots):
                state = self._solve(t)
                self._known[t] = state.singular_values, state.diagonal
            else:
                n, d = self.start.shape
                self._known[t] = np.zeros(d), np.zeros(n)
        return self._known[t]

    def _directions(self, t):
        n, d = self.start.shape
        directions = np.zeros((n, d))
        if not (r := len(self._factors.pivots)):
            return np.zeros(d), directions
        state = self._solve(t, directions=True)
        directions[:, :r] = state.directions
        return state.singular_values, directions

    def _embed(self, t):
        s, directions = self._directions(t)
        r = len(self._factors.pivots)
        inside = directions[:, :r] * s[:r]
        left, _, right = np.linalg.svd(inside.T @ self.start, full_matrices=False)
        return self.eigenvectors @ (inside @ (left @ right))

    def _truncation(self, t: float) -> np.ndarray:
        s = self._moments(t)[0]
        if self._tail is None or not len(self._factors.pivots):
            return np.zeros_like(s)
        t = min(max(t, self._shortest), _LONG)
        tail, state = self._tail, self._solve(t)
        part = tail.share(t)
        inverse = linalg.solve_triangular(state.triangle, np.eye(len(state.triangle)))
        rows = tail.root @ self._factors.inverse

        def share(log_weight: float) -> float:
            """Largest eigenvalue of the tail, weighted, against C^T C."""
            scale = np.exp(np.minimum(0.5 * log_weight - state.log_scale, 300.0))
            return np.linalg.norm((rows * scale) @ inverse, 2) ** 2

        above = part * share(tail.upper * t)
        below = part * share(float(_log_phi(np.float64(tail.upper), t)))
        if not below < 1:
            return np.full_like(s, np.inf)
        square = (above + s**2 * below) / (1 - below)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(square > 0, np.minimum(np.sqrt(square), square / s), 0.0)


def _triangle(matrix: np.ndarray) -> np.ndarray:
    r = matrix.shape[1]
    return linalg.qr(matrix, mode="r", overwrite_a=True, check_finite=False)[0][:r]


def exact(
    target, W0, modes: int | None = None, *, krylov: int = 4, progress: bool = True
) -> ExactPath:
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
    ExactPath. The singular values of the full-spectrum path are good to about 1e-12, relative, each
    of them, for whatever scales and times, as long as W0 itself is well conditioned up to a scaling
    of its columns or of its rows in the eigenbasis. `embeddings(t)` is W(t) up to a right rotation,
    chosen to bring it as near to W0 as it can (W(0) = W0); the flow's own rotation has no closed
    form, and no inner product between words depends on it.

    A truncated path solves the flow within the span of the K eigenvectors and the Krylov blocks; of
    a Target it makes a dense copy where that fits in 1 GiB (float32 above 5,000 words).
    `truncation_error(t)` bounds what the span leaves out. At early times the blocks represent M*
    ever better, as the square of their residual; at late times nothing outside outgrows
    e^(lambda_K t), so take K > d, lambda_K < lambda_d. In between, for large starts, the bound can
    be far above the error, or infinite: take more blocks. It counts the K eigenpairs and the
    products as exact.

    Raises ValueError for a W0 of the wrong shape or with values that are not finite.

    >>> W0 = np.array([[1.0, 0.5], [-0.5, 1.0], [0.3, -2.0]])
    >>> path = exact(np.diag([3.0, 1.0, -2.0]), W0)
    >>> path.singular_values([0.0, np.inf]).round(3)
    array([[2.311, 1.118],
           [1.732, 1.   ]])
    """
    size = _size(target)
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
        values, vectors = _all_modes(target)
        return ExactPath(values, vectors, vectors.T @ W0, W0, 0.0, None, progress)
    if krylov < 1:
        raise ValueError(f"krylov must be at least 1 where modes < V; got {krylov}.")
    return _truncated(target, W0, modes, krylov, progress)


def _truncated(target, W0: np.ndarray, modes: int, krylov: int, progress: bool) -> ExactPath:
    values, vectors = _top_modes(target, modes)
    upper, basis, images, table = float(values[-1]), vectors, [], _table(target)
    start = residual = _orthogonalise(W0, vectors)
    for _ in range(krylov):
        block = _column_space(residual, np.linalg.norm(images[-1] if images else W0, 2))
        basis = np.hstack([basis, block])
        images.append(np.asarray(table @ block.astype(table.dtype, copy=False), float))
        residual = _orthogonalise(images[-1], basis)
        if not residual.size:
            break
    inner, first, last = basis[:, modes:], images[0].shape[1], images[-1].shape[1]
    product = inner.T @ np.hstack(images)
    ritz, turn = np.linalg.eigh((product + product.T) / 2)
    coupling = np.linalg.qr(residual, mode="r")
    root = inner[:, :first].T @ start
    tail = _Tail(root, upper, ritz, turn[:first], coupling @ turn[len(turn) - last :])
    values = np.concatenate([values, ritz[::-1]])
    vectors = np.hstack([vectors, inner @ turn[:, ::-1]])
    outside = max(_frobenius_squared(target) - float(np.sum(values**2)), 0.0)
    return ExactPath(values, vectors, vectors.T @ W0, W0, outside, tail, progress)


def _table(target):
    """What multiplies fastest: M* is half full, so a dense copy of it where that is not large."""
    size = _size(target)
    if hasattr(target, "toarray") and 4 * size**2 <= _DENSE_BYTES:
        return target.toarray(np.float64 if size <= 5_000 else np.float32)
    return target if hasattr(target, "eigenpairs") else np.asarray(target, float)


def _orthogonalise(block: np.ndarray, basis: np.ndarray) -> np.ndarray:
    for _ in range(2):  # twice is enough
        block = block - basis @ (basis.T @ block)
    return block


def _column_space(block: np.ndarray, scale: float) -> np.ndarray:
    """Orthonormal basis of the columns of `block`, without directions that are only rounding."""
    basis, triangle, _ = linalg.qr(block, mode="economic", pivoting=True)
    size = np.abs(np.diagonal(triangle))
    return basis[:, size > 4 * np.finfo(float).eps * np.sqrt(len(block)) * scale]


def gradient_flow(target, W0, times, *, rtol: float = 1e-10) -> np.ndarray:
    """Embeddings (T, V, d) of the same flow from W0 (V, d), integrated numerically (DOP853).

    The independent check of the closed forms, for small V: `times` must ascend from t >= 0, and
    each step costs twelve products M* @ W.

    >>> flow = gradient_flow(np.diag([2.0, 1.0]), np.eye(2) * 0.1, [0.0, 30.0])
    >>> np.linalg.svd(flow[-1], compute_uv=False).round(6)
    array([1.414214, 1.      ])
    """
    from scipy.integrate import solve_ivp

    W0, times = np.array(W0, dtype=float), np.atleast_1d(_nonnegative(times))
    if W0.ndim != 2 or len(W0) != _size(target):
        raise ValueError(f"W0 must have shape ({_size(target)}, d); got {W0.shape}.")
    if np.any(np.diff(times) < 0) or not np.isfinite(times).all():
        raise ValueError("times must be finite and ascending.")
    target = target if hasattr(target, "eigenpairs") else _symmetric(target)

    def slope(_, flat):
        W = flat.reshape(W0.shape)
        return ((np.asarray(target @ W) - W @ (W.T @ W)) / 2).ravel()

    if times[-1] == 0:
        return np.repeat(W0[None], len(times), axis=0)
    scale = np.linalg.norm(W0, 2)
    solution = solve_ivp(
        slope, (0, times[-1]), W0.ravel(), "DOP853", times, rtol=rtol, atol=rtol * scale * 1e-3
    )
    if not solution.success:
        raise RuntimeError(f"the integrator stopped: {solution.message}")
    return solution.y.T.reshape(len(times), *W0.shape)


def closed_form(stats, dim: int = 200, kind: str = "mstar", weighting=None) -> WordVectors:
    """Trained embeddings without training: WordVectors of W = V_d Lambda_d^(1/2) (Theorem 1).

    `stats` is a CorpusStatistics, `kind` and `weighting` are those of `qw2v.target`. Where the
    weighting has rank one, G = g g^T, the embeddings are diag(g)^(-1/2) V_d Lambda_d^(1/2), of the
    eigenpairs of diag(g)^(1/2) M* diag(g)^(1/2). Raises ValueError where dim exceeds the number of
    positive eigenvalues.
    """
    target = targets.target(stats, kind=kind, weighting=weighting)
    values, modes, _ = _positive_modes(target, dim)
    return WordVectors(target.words, modes * np.sqrt(values) / target.scale[:, None])


# ---------------------------------------------------------------------------------------------
# spectra and checks


def _size(target) -> int:
    shape = np.shape(target) if not hasattr(target, "shape") else target.shape
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"the target must be a square matrix; got shape {tuple(shape)}.")
    return shape[0]


def _symmetric(target) -> np.ndarray:
    _size(target)
    M = np.asarray(target, dtype=float)
    if not np.isfinite(M).all():
        raise ValueError("the target must be finite; got NaN or infinity in it.")
    gap = np.abs(M - M.T).max(initial=0.0)
    if gap > 1e-9 * np.abs(M).max(initial=0.0):
        raise ValueError(
            f"the target must be symmetric; M - M^T has an entry of {gap:.3g}. "
            "Pass (M + M.T) / 2 if that is what you mean."
        )
    return (M + M.T) / 2


def _all_modes(target) -> tuple[np.ndarray, np.ndarray]:
    M = target.toarray() if hasattr(target, "toarray") else target
    values, vectors = np.linalg.eigh(_symmetric(M))
    return values[::-1], vectors[:, ::-1]


def _top_modes(target, k: int) -> tuple[np.ndarray, np.ndarray]:
    if hasattr(target, "eigenpairs"):
        return target.eigenpairs(k)
    M = _symmetric(target)
    values, vectors = linalg.eigh(M, subset_by_index=(len(M) - k, len(M) - 1))
    return values[::-1], vectors[:, ::-1]


def _frobenius_squared(target) -> float:
    if hasattr(target, "frobenius_squared"):
        return float(target.frobenius_squared)
    return float(np.sum(np.square(np.asarray(target, float))))


def _positive_modes(target, dim: int | None) -> tuple[np.ndarray, np.ndarray, float]:
    """Top `dim` eigenpairs, all positive, and what is left of ||M*||_F^2 outside them."""
    size = _size(target)
    plain = not hasattr(target, "eigenpairs")
    if dim is None and not plain:
        raise ValueError("dim, the number of modes, must be given with a Target.")
    if dim is not None and (int(dim) != dim or not 1 <= dim <= size):
        raise ValueError(f"dim must be an integer between 1 and V = {size}; got {dim}.")
    values, vectors = _all_modes(target) if plain else _top_modes(target, int(dim))
    positive = int(np.sum(values > 0))
    dim = positive if dim is None else int(dim)
    if dim > positive or positive == 0:
        raise ValueError(
            f"the target has {positive} positive eigenvalues, and only those are learned; "
            f"got dim = {dim}. Lower dim to {positive} or less."
        )
    outside = float(np.sum(values[dim:] ** 2))
    if not plain:
        outside = max(_frobenius_squared(target) - float(np.sum(values[:dim] ** 2)), 0.0)
    return values[:dim], vectors[:, :dim], outside


def _eigenvalues(values) -> np.ndarray:
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError("eigenvalues must be finite; got NaN or infinity among them.")
    return values


def _scales(s0, size: int | None = None) -> np.ndarray:
    scales = np.asarray(s0, dtype=float)
    if not (np.isfinite(scales).all() and (scales > 0).all()):
        raise ValueError(f"the initial scale must be positive and finite; got {s0}.")
    if size is None:
        return scales
    if scales.ndim and scales.shape != (size,):
        raise ValueError(
            f"s0 must be one number or one value for each of the {size} modes; "
            f"got shape {scales.shape}."
        )
    return np.broadcast_to(scales, (size,))


def _nonnegative(t) -> np.ndarray:
    times = np.asarray(t, dtype=float)
    if not (times >= 0).all():
        raise ValueError(f"times must be numbers with t >= 0; got {np.min(times)}.")
    return times
