r"""Steps of finite size, and noise: where gradient descent leaves the flow of `dynamics`.

Gradient descent takes W <- W + lr (M* - W W^T) W / 2. Along an aligned mode that is a map of one
number, s <- s (1 + lr (lambda - s^2) / 2), and everything about it depends on a = lr lambda alone:

    a < 1       the steps follow a flow, slower than the one they imitate (`step_times`)
    1 < a < 2   they overshoot, and converge
    2 < a < 4   they never settle: two values in turn, then four, .. (`attractor`)
    4 < a       they diverge

From a start that is not aligned the bound is another one: a direction mu that is never learned
moves at the rate (lambda_l - mu) / 2 beside mode l, so that a large negative eigenvalue, which no
embedding can represent, limits the learning rate (`relaxation_rates`, `largest_lr`). While mode 1
alternates between its two values, such a direction stays silent as long as lr |mu| < 2.

Minibatches add noise. For the estimator of word2vec's trainers (pairs drawn in proportion to their
weight) its covariance at the fixed point is a finite sum over pairs of words, and the embeddings
around it are a linear process driven by that noise (`minibatch_noise`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qw2v import spectrum
from qw2v.dynamics._lemma import checked_eigenvalues, checked_scales, checked_times

__all__ = [
    "MinibatchNoise",
    "attractor",
    "descend",
    "descend_sampled",
    "largest_lr",
    "minibatch_noise",
    "modified_flow",
    "modified_loss",
    "noise_floor",
    "period_two",
    "relaxation_rates",
    "step_sigmoid",
    "step_times",
]


# ---------------------------------------------------------------------------------------------
# gradient descent


def descend(target, W0, lr: float, steps: int, *, every: int = 1) -> np.ndarray:
    """Embeddings (T, V, d) at steps 0, every, 2 every, .. of full-batch gradient descent.

    W <- W + lr (M* - W W^T) W / 2 from W0 (V, d): the steps of the flow, time = lr x step. `target`
    is a Target or a symmetric (V, V) array. Rows are NaN from where the steps overflow. Raises
    ValueError for a W0 of the wrong shape, and unless lr, steps and every are positive.

    >>> path = descend(np.diag([2.0, 1.0]), np.eye(2) * 0.1, lr=0.1, steps=400, every=400)
    >>> np.linalg.svd(path[-1], compute_uv=False).round(6)
    array([1.414214, 1.      ])
    """
    target = target if hasattr(target, "eigenpairs") else spectrum.symmetric(target)
    W = _start(target, W0, lr, steps, every)
    path = [W.copy()]
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(1, steps + 1):
            W += lr / 2 * (np.asarray(target @ W) - W @ (W.T @ W))
            if step % every == 0:
                path.append(W.copy())
    return np.where(np.isfinite(path), path, np.nan)


def descend_sampled(
    target, W0, lr: float, batch: int, steps: int, *, seed: int = 0, every: int = 1
) -> np.ndarray:
    """Embeddings (T, V, d) at steps 0, every, 2 every, .. of minibatch descent in Setting 3.1.

    Each step draws `batch` positive pairs in proportion to A = Psi+ P_ij and as many negative ones
    in proportion to B = Psi- P_i P_j: in Setting 3.1, A = 1/2 + M*/4 and B = 1/2 - M*/4, so the
    matrix M* says it all. A laboratory for small V: a step costs V^2 d. Raises ValueError as
    `descend` does, and where M* leaves [-2, 2].

    >>> M = np.array([[1.0, -0.5], [-0.5, 0.8]])
    >>> path = descend_sampled(M, np.full((2, 1), 0.5), lr=0.1, batch=100, steps=50, every=25)
    >>> path.shape
    (3, 2, 1)
    """
    positive, negative = _pair_weights(target)
    W = _start(positive, W0, lr, steps, every)
    draws = [
        (sign, weight.sum(), np.cumsum(weight) / weight.sum())
        for sign, weight in ((-1, positive), (1, negative))
    ]
    rng, size, path = np.random.default_rng(seed), len(W), [W.copy()]
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(1, steps + 1):
            x, slope = W @ W.T / 2, 0.0
            for sign, total, cumulative in draws:
                found = np.searchsorted(cumulative, np.sort(rng.random(batch)))
                drawn = np.bincount(np.minimum(found, size**2 - 1), minlength=size**2)
                slope = slope + total / batch * drawn.reshape(size, size) * (x + sign)
            W -= lr / 2 * ((slope + slope.T) @ W)
            if step % every == 0:
                path.append(W.copy())
    return np.where(np.isfinite(path), path, np.nan)


def _start(target, W0, lr, steps, every) -> np.ndarray:
    W = np.array(W0, dtype=float)
    if W.ndim != 2 or len(W) != spectrum.size_of(target):
        raise ValueError(f"W0 must have shape ({spectrum.size_of(target)}, d); got {W.shape}.")
    for name, value in (("lr", lr), ("steps", steps), ("every", every)):
        if not value > 0:
            raise ValueError(f"{name} must be positive; got {value}.")
    return W


# ---------------------------------------------------------------------------------------------
# small steps: the flow that they follow


def modified_flow(target, W0, times, lr: float, *, rtol: float = 1e-10) -> np.ndarray:
    """Embeddings (T, V, d) of the flow that steps of size lr follow to second order, integrated.

    With E = M* - X and X = W W^T, backward error analysis of the step gives
    dW/dt = [E - (lr/4) (E^2 - E X - X E)] W / 2, whose distance from `descend` at the same time
    falls as lr^2, where that of the plain flow falls as lr. It is the gradient flow of
    `modified_loss`. Arguments and errors as in `dynamics.gradient_flow`, for small V.

    >>> M, W0 = np.diag([2.0, 1.0]), np.full((2, 1), 0.1)
    >>> steps, flow = descend(M, W0, 0.1, 50)[-1], modified_flow(M, W0, [5.0], 0.1)[-1]
    >>> bool(np.abs(steps - flow).max() < 2e-3)
    True
    """
    from scipy.integrate import solve_ivp

    M, times = spectrum.symmetric(target), np.atleast_1d(checked_times(times))
    W0 = _start(M, W0, lr, 1, 1)

    def slope(_, flat):
        return _modified_velocity(M, flat.reshape(W0.shape), lr).ravel()

    scale = np.linalg.norm(W0, 2)
    solution = solve_ivp(
        slope, (0, times[-1]), W0.ravel(), "DOP853", times, rtol=rtol, atol=rtol * scale * 1e-3
    )
    if not solution.success:
        raise RuntimeError(f"the integrator stopped: {solution.message}")
    return solution.y.T.reshape(len(times), *W0.shape)


def _modified_velocity(M: np.ndarray, W: np.ndarray, lr: float) -> np.ndarray:
    def pull(Z):  # E Z, at a cost of V^2 d
        return M @ Z - W @ (W.T @ Z)

    XW, EW = W @ (W.T @ W), pull(W)
    return EW / 2 - lr / 8 * (pull(EW) - pull(XW) - W @ (W.T @ EW))


def modified_loss(target, W, lr: float) -> float:
    """Loss that steps of size lr descend: L + (lr/8) |grad L|^2, L = |W W^T - M*|_F^2 / 4.

    Large steps prefer places where the loss is flat. Shapes: target (V, V), W (V, d).

    >>> modified_loss(np.eye(2), np.zeros((2, 1)), lr=0.1)
    0.5
    """
    E = spectrum.symmetric(target) - W @ W.T
    return float(np.sum(E**2) / 4 + lr / 8 * np.sum((E @ W) ** 2))


def step_times(eigenvalues, s0, lr: float, share: float = 0.5) -> np.ndarray:
    """Time lr x step at which steps of size lr bring each mode to s_k^2 = share x lambda_k.

    With a = lr lambda, y = s^2 / lambda and kappa = ln(1 + a/2) / -ln(1 - a), the closed form is

        lr / ln(1 + a/2) x [g(share) - g(s0^2 / lambda)],
        g(y) = ln(y) / 2 - kappa ln(1 - y) + 5 a^2 y / 32.

    Both ends of the sigmoid are exact, where a step multiplies s by 1 + a/2 and its distance from
    sqrt(lambda) by 1 - a. In between the error is less than 0.12 a^3 / lambda for a <= 1/2,
    whatever the start and the share. As lr -> 0 it is the time of Lemma 3.1. `eigenvalues` is
    (d,), `s0` a scale or (d,).
    Raises ValueError unless 0 < lr lambda < 1 (a larger step overshoots, and no flow does that),
    0 < s0^2 < lambda and 0 < share < 1.

    >>> step_times([2.0, 1.0], 1e-3, lr=0.2).round(2), step_times([2.0, 1.0], 1e-3, 1e-9).round(2)
    (array([ 7.86, 14.4 ]), array([ 7.25, 13.82]))
    """
    if not 0 < share < 1:
        raise ValueError(f"share must lie between 0 and 1; got {share}.")
    _, y0, kappa, bend, rate = _corrected(eigenvalues, s0, lr)
    grown = (np.log(share) - np.log(y0)) / 2 + bend * (share - y0)
    return (grown - kappa * (np.log1p(-share) - np.log1p(-y0))) / rate


def step_sigmoid(eigenvalues, s0, lr: float, t) -> np.ndarray:
    """Singular values that steps of size lr have reached at time t = lr x step: Lemma 3.1 mended.

    The inverse of `step_times`, with its errors and its closed form solved by Newton's method, for
    inputs that broadcast together; t >= 0.

    >>> step_sigmoid([2.0, 1.0], 1e-3, 0.2, step_times([2.0, 1.0], 1e-3, 0.2)) ** 2
    array([1. , 0.5])
    """
    values, y0, kappa, bend, rate = _corrected(eigenvalues, s0, lr)
    phase = np.log(y0) / 2 - kappa * np.log1p(-y0) + bend * y0
    phase = phase + rate * np.minimum(checked_times(t), 1e280)
    z = 2 * phase  # y = 1 / (1 + e^-z), and for kappa = 1/2 this is the solution
    for _ in range(60):
        softplus = np.logaddexp(0, z)
        y = np.exp(z - softplus)
        slope = 0.5 + (kappa - 0.5 + bend * (1 - y)) * y
        move = (phase - (z - softplus) / 2 - kappa * softplus - bend * y) / slope
        z = z + move
        if np.all(np.abs(move) <= 1e-13 * (1 + np.abs(z))):
            break
    return np.sqrt(values) * np.exp(-0.5 * np.logaddexp(0, -z))


def _corrected(eigenvalues, s0, lr):
    """Return lambda, y(0), kappa, 5 a^2 / 32 and the growth rate of s, ln(1 + a/2) / lr."""
    values, scales = checked_eigenvalues(eigenvalues), checked_scales(s0)
    a = lr * values
    if not (lr > 0 and np.all((a > 0) & (a < 1))):
        raise ValueError(
            f"lr lambda must lie between 0 and 1 for every mode; got lr = {lr} with eigenvalues "
            f"from {np.min(values):.4g} to {np.max(values):.4g}. Past 1 a step overshoots: iterate."
        )
    y0 = scales**2 / values
    if not np.all(y0 < 1):
        raise ValueError(f"s0^2 must lie below lambda; got a ratio of {np.max(y0):.4g}.")
    growth = np.log1p(a / 2)
    return values, y0, growth / -np.log1p(-a), 5 * a**2 / 32, growth / lr


# ---------------------------------------------------------------------------------------------
# large steps: the edge of stability


def attractor(a, *, start: float = 0.5, skip: int = 2_000, keep: int = 200) -> np.ndarray:
    """Values u = s / sqrt(lambda), (keep, n), that the steps of one mode visit for ever.

    Iterates u <- u (1 + a (1 - u^2) / 2) for each a = lr lambda, (n,), and drops the first `skip`
    steps. One value for a <= 2, two up to a = 2 (sqrt(5) - 1), .. and NaN above a = 4, where
    the steps diverge: |u| grows as soon as u^2 > 1 + 4/a.

    >>> attractor([1.5, 2.2, 4.5], keep=2).round(3)
    array([[1.   , 0.815,   nan],
           [1.   , 1.116,   nan]])
    """
    a = np.asarray(a, dtype=float)
    u = np.full(a.shape, float(start))
    visited = []
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(skip + keep):
            u = u * (1 + a / 2 * (1 - u**2))
            if step >= skip:
                visited.append(u)
    visited = np.array(visited)
    return np.where(np.isfinite(visited), visited, np.nan)


def period_two(a) -> np.ndarray:
    """Two values of u = s / sqrt(lambda) that alternate past the edge, (2, ..), for a = lr lambda.

    With r = 1 + a/2 they are u^2 = (r -+ sqrt(r^2 - 4)) / a: born together at a = 2, unstable from
    r^2 = 5, a = 2 (sqrt(5) - 1), where the period doubles. Raises ValueError for a < 2.

    >>> period_two(2.2).round(3)
    array([0.815, 1.116])
    """
    a = np.asarray(a, dtype=float)
    if not np.all(a >= 2):
        raise ValueError(f"below a = 2 there is no such pair; got {np.min(a)}.")
    r = 1 + a / 2
    width = np.sqrt(r**2 - 4)
    return np.sqrt(np.array([r - width, r + width]) / a)


def relaxation_rates(eigenvalues, dim: int) -> np.ndarray:
    """Rates (V, d) at which the flow forgets a small displacement of W = V_d Lambda_d^(1/2).

    All eigenvalues (V,) of M* are needed. They are the eigenvalues of half the Hessian of the loss,
    one for each number in W; row k, column l is the plane of v_k and column l of W:

        k = l       lambda_k                    the mode's own size
        k < l <= d  (lambda_k + lambda_l) / 2   modes k and l, both turned to the same side
        l < k <= d  0                           rotation of W: costs nothing
        k > d       (lambda_l - lambda_k) / 2   a direction that is not learned

    Raises ValueError unless the values descend and the first `dim` are positive.

    >>> relaxation_rates([3.0, 1.0, -2.0], dim=2)
    array([[3. , 2. ],
           [0. , 1. ],
           [2.5, 1.5]])
    """
    values = checked_eigenvalues(eigenvalues)
    if values.ndim != 1 or np.any(np.diff(values) > 0):
        raise ValueError("eigenvalues must be one-dimensional and descending.")
    if not 1 <= dim <= len(values) or values[dim - 1] <= 0:
        raise ValueError(
            f"dim must lie between 1 and the number of positive eigenvalues, "
            f"{np.sum(values > 0)}; got {dim}."
        )
    learned = values[:dim]
    rates = (learned - values[:, None]) / 2
    rates[:dim] = np.triu((learned + learned[:, None]) / 2)
    return rates


def largest_lr(eigenvalues) -> float:
    """Largest learning rate at which full-batch descent from a random start converges.

    2 / max(lambda_1, (lambda_1 - lambda_V) / 2), of the largest and the least eigenvalue of M*
    among `eigenvalues`. Where the second counts (lambda_V < -lambda_1) the steps diverge beyond.

    >>> largest_lr([3.0, 1.0, -2.0]), largest_lr([3.0, 1.0, -5.0])
    (0.6666666666666666, 0.5)
    """
    values = checked_eigenvalues(eigenvalues)
    top, least = values.max(), values.min()
    if top <= 0:
        raise ValueError(f"no eigenvalue is positive, so nothing is learned; the largest is {top}.")
    return float(2 / max(top, (top - least) / 2))


# ---------------------------------------------------------------------------------------------
# noise


@dataclass(frozen=True, eq=False)
class MinibatchNoise:
    """Noise of minibatch descent at its fixed point, and what it does; made by `minibatch_noise`.

    `eigenvalues` (V,) of M*; `rates` (V, d) as in `relaxation_rates`; `strength` (V, d), the
    variance of one step's noise along the same directions, per lr^2 / batch. It is zero along
    rotations: the loss of a pair depends on w_i . w_j alone, so that no gradient points there. The
    predictions hold to first order in lr / batch, since the noise itself depends on where the
    embeddings are.
    """

    eigenvalues: np.ndarray
    rates: np.ndarray
    strength: np.ndarray

    def variance(self, lr: float, batch: int) -> np.ndarray:
        """Stationary variance (V, d) along each direction, zero for rotations.

        The solution of the discrete Lyapunov equation, N / (2 r lr - (r lr)^2) for noise N and rate
        r. Raises ValueError where lr is past the edge of stability.
        """
        if not 0 < lr * self.rates.max() < 2:
            raise ValueError(
                f"lr must lie between 0 and 2 / {self.rates.max():.4g} = "
                f"{2 / self.rates.max():.4g}, where the steps are stable; got {lr}."
            )
        if not batch > 0:
            raise ValueError(f"batch must be positive; got {batch}.")
        damping = lr * self.rates * (2 - lr * self.rates)
        driven = lr**2 / batch * self.strength
        return np.divide(driven, damping, out=np.zeros_like(driven), where=self.rates > 0)

    def excess_loss(self, lr: float, batch: int) -> float:
        """Mean loss above its minimum: each direction adds rate x variance."""
        return float(np.sum(self.rates * self.variance(lr, batch)))

    def singular_value_spread(self, lr: float, batch: int) -> np.ndarray:
        """Return the standard deviation (d,) of each singular value of W."""
        return np.sqrt(np.diagonal(self.variance(lr, batch)))

    def leak(self, lr: float, batch: int) -> np.ndarray:
        """Share (d,) of each mode that lies outside the span of the top d eigenvectors.

        The sum over k > d of variance / lambda_l. The nearest direction counts most: its
        variance goes as 1 / (lambda_l - lambda_(d+1)). Where the share is not small the
        prediction fails, and modes beside the edge of the spectrum change places.
        """
        d = self.rates.shape[1]
        return self.variance(lr, batch)[d:].sum(axis=0) / self.eigenvalues[:d]


def minibatch_noise(target, dim: int) -> MinibatchNoise:
    """Covariance of one minibatch step's noise at W = V_d Lambda_d^(1/2), in Setting 3.1.

    The estimator is that of `descend_sampled`. A pair (i, j) moves W along
    D = e_i w_j^T + e_j w_i^T in proportion to l'(x_ij). Along c = v_k e_l^T, say, with Z the sum of
    A or of B, and K = Z+ A l+'^2 + Z- B l-'^2, the variance of a step is (lr/2)^2 / batch times

        sum_ij K_ij (c . D)^2 - (c . sum_ij A_ij l+'_ij D)^2 - (c . sum_ij B_ij l-'_ij D)^2.

    `target` is a Target or a symmetric (V, V) array with entries in [-2, 2], all of whose
    eigenvectors are used: d products of V x V matrices. Raises ValueError for other entries, and
    where fewer than `dim` eigenvalues are positive.

    >>> noise = minibatch_noise(np.array([[1.0, -0.5], [-0.5, 0.8]]), dim=1)
    >>> noise.excess_loss(lr=0.1, batch=100) / noise.excess_loss(lr=0.01, batch=10) < 1.1
    True
    """
    A, B = _pair_weights(target)
    values, U = spectrum.full(target)
    rates = relaxation_rates(values, dim)
    root = np.sqrt(values[:dim])
    W = U[:, :dim] * root
    pull, push = W @ W.T / 2 - 1, W @ W.T / 2 + 1  # l+', l-'
    K = A.sum() * A * pull**2 + B.sum() * B * push**2
    means = [U.T @ (2 * (weight * slope) @ W) for weight, slope in ((A, pull), (B, push))]

    own = 2 * (U**2).T @ K @ W**2 - means[0] ** 2 - means[1] ** 2  # (V, d)
    for column in range(dim):
        Z = U * W[:, column, None]
        own[:, column] += 2 * np.einsum("ik,ik->k", Z, K @ Z)
    # Of c_kl and c_lk one combination is a rotation, and no pair's gradient has a part along it.
    own[:dim] = np.triu(own[:dim] + own[:dim].T, 1) + np.diag(np.diagonal(own))
    return MinibatchNoise(values, rates, own / 4)


def noise_floor(target, dim: int, lr: float, batch: int) -> float:
    """Excess loss of minibatch descent for small steps, at any V: (lr / 2 batch) x trace of noise.

    What `MinibatchNoise.excess_loss` tends to as lr -> 0: every direction costs the same however
    fast it relaxes, so that only the trace of the noise counts, and that needs the top `dim`
    eigenpairs and one pass over M*, V^2 d. `target` is a Target or an array, in Setting 3.1.

    >>> M = np.array([[1.0, -0.5], [-0.5, 0.8]])
    >>> exact = minibatch_noise(M, dim=1).excess_loss(lr=1e-4, batch=100)
    >>> bool(abs(noise_floor(M, 1, 1e-4, 100) / exact - 1) < 1e-3)
    True
    """
    values, vectors, _ = spectrum.positive(target, dim)
    W = vectors * np.sqrt(values)
    length = np.sum(W**2, axis=1)
    sums, squares, means = [0.0, 0.0], [0.0, 0.0], [np.zeros_like(W), np.zeros_like(W)]
    for low in range(0, len(W), 512):
        rows = np.arange(low, min(low + 512, len(W)))
        M, half = _rows(target, rows), W[rows] @ W.T / 2
        for side, sign in enumerate((1, -1)):
            weight, slope = np.maximum(0.5 + sign * M / 4, 0), half - sign
            sums[side] += weight.sum()
            means[side][rows] = 2 * (weight * slope) @ W
            weight *= slope**2
            own = weight.sum(axis=1) + weight[np.arange(len(rows)), rows]
            squares[side] += 2 * own @ length[rows]
    trace = sum(z * q - np.sum(m**2) for z, q, m in zip(sums, squares, means, strict=True))
    return float(lr / batch * trace / 8)


def _rows(target, rows: np.ndarray) -> np.ndarray:
    if not hasattr(target, "sparse"):
        return np.asarray(target, float)[rows]
    return target.sparse[rows].toarray() + target.constant


def _pair_weights(target) -> tuple[np.ndarray, np.ndarray]:
    """Return A = Psi+ P_ij and B = Psi- P_i P_j in Setting 3.1, from M* alone."""
    M = spectrum.symmetric(target.toarray() if hasattr(target, "toarray") else target)
    if np.abs(M).max() > 2 + 1e-9:
        raise ValueError(
            f"M* of Setting 3.1 lies in [-2, 2]; got an entry of size {np.abs(M).max():.4g}. "
            "Use kind='mstar' with its default weighting."
        )
    return np.maximum(0.5 + M / 4, 0), np.maximum(0.5 - M / 4, 0)
