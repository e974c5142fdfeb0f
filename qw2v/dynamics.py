r"""The closed form in time: gradient flow of the embeddings, aligned (Lemma 3.1) or from any start.

The flow is dW/dt = (M* - W W^T) W / 2, with time in the units of the eigenvalues of M*
(time = learning rate x step). W is (V, d), its singular values are s_k, and M* = V Lambda V^T.

Lemma 3.1: where W(0) is aligned with the top eigenvectors, each mode is a sigmoid of its own,

    1 / s_k(t)^2 = e^(-lambda_k t) / s_k(0)^2 + (1 - e^(-lambda_k t)) / lambda_k .

From any start, X = W W^T obeys a matrix Riccati equation, whose solution is

    X(t) = e^(M* t/2) W0 [I + W0^T Phi(t) W0]^-1 W0^T e^(M* t/2),   Phi(t) = (e^(M* t) - I) / M* .

whose singular values `qw2v._riccati` finds to all their digits, for whatever scales and times.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import cached_property

import numpy as np
from scipy import linalg

from qw2v import targets
from qw2v._environment import progress_bar
from qw2v._riccati import LONG, Riccati, log_phi
from qw2v._truncation import extended
from qw2v.vectors import WordVectors

__all__ = [
    "ExactPath",
    "Path",
    "aligned",
    "closed_form",
    "exact",
    "gradient_flow",
    "integrate",
    "learning_times",
    "sigmoid",
    "silent_start",
    "vanishing",
]

_FULL_SPECTRUM = 2_000  # a Target with at most this many words is diagonalised in full by `exact`


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
    t = np.minimum(_nonnegative(t), LONG)
    log_inverse_square = np.logaddexp(-values * t - 2 * np.log(scales), log_phi(-values, t))
    return np.exp(-0.5 * log_inverse_square)


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


class ExactPath(Path):
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
    e^(lambda_K t), so take K > d, lambda_K < lambda_d. In between the bound lies far above the
    error, since it lets everything outside grow as fast as lambda_K; with too few blocks for a
    large start it is infinite. It counts the K eigenpairs and the products as exact.

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
    table = target if hasattr(target, "eigenpairs") else np.asarray(target, float)
    values, vectors, tail = extended(table, W0, *_top_modes(target, modes), krylov)
    outside = max(_frobenius_squared(target) - float(np.sum(values**2)), 0.0)
    return ExactPath(values, vectors, vectors.T @ W0, W0, outside, tail, progress)


def gradient_flow(target, W0, times, *, rtol: float = 1e-10) -> np.ndarray:
    """Embeddings (T, V, d) of the same flow from W0 (V, d), integrated numerically (DOP853).

    The independent check of the closed forms, for small V: `times` must ascend from t >= 0, and
    each step costs twelve products M* @ W.

    >>> flow = gradient_flow(np.diag([2.0, 1.0]), np.eye(2) * 0.1, [0.0, 30.0])
    >>> np.linalg.svd(flow[-1], compute_uv=False).round(6)
    array([1.414214, 1.      ])
    """
    W0 = np.array(W0, dtype=float)
    if W0.ndim != 2 or len(W0) != _size(target):
        raise ValueError(f"W0 must have shape ({_size(target)}, d); got {W0.shape}.")
    target = target if hasattr(target, "eigenpairs") else _symmetric(target)
    return integrate(lambda W: (np.asarray(target @ W) - W @ (W.T @ W)) / 2, W0, times, rtol=rtol)


def integrate(slope, start, times, *, rtol: float = 1e-10) -> np.ndarray:
    """Solution (T, ...) of dW/dt = slope(W) from the array `start` (...), by DOP853.

    `times` must be finite and ascend from t >= 0. The absolute tolerance is rtol / 1000 of the
    largest singular value of `start`. Raises RuntimeError where the integrator stops early.

    >>> integrate(lambda W: -W, np.array([[1.0]]), [0.0, 1.0]).ravel().round(6)
    array([1.      , 0.367879])
    """
    from scipy.integrate import solve_ivp

    start, times = np.array(start, dtype=float), np.atleast_1d(_nonnegative(times))
    if np.any(np.diff(times) < 0) or not np.isfinite(times).all():
        raise ValueError("times must be finite and ascending.")
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
