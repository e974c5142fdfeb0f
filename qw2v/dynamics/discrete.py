r"""Steps of finite size: where gradient descent leaves the flow of `dynamics`.

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

Minibatches add noise to this: see `minibatch`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qw2v._checks import positive, whole
from qw2v.dynamics._flow import integrate
from qw2v.dynamics._lemma import (
    Array,
    checked_eigenvalues,
    checked_scales,
    checked_start,
    checked_times,
)
from qw2v.spectrum import MatrixLike, as_symmetric

__all__ = [
    "attractor",
    "gradient_descent",
    "largest_lr",
    "modified_flow",
    "modified_loss",
    "period_two",
    "relaxation_rates",
    "step_sigmoid",
    "step_times",
]


# ---------------------------------------------------------------------------------------------
# gradient descent


def gradient_descent(
    target: MatrixLike, W0: ArrayLike, lr: float, steps: int, *, every: int = 1
) -> Array:
    """Embeddings (T, V, d) at steps 0, every, 2 every, .. of full-batch gradient descent.

    W <- W + lr (M* - W W^T) W / 2 from W0 (V, d): the steps of the flow, time = lr x step. Rows are
    NaN from where the steps overflow. Raises ValueError for a W0 that does not match the target,
    and unless lr, steps and every are positive.

    >>> path = gradient_descent(np.diag([2.0, 1.0]), np.eye(2) * 0.1, 0.1, 400, every=400)
    >>> np.linalg.svd(path[-1], compute_uv=False).round(6)
    array([1.414214, 1.      ])
    """
    M = as_symmetric(target)
    W = checked_start(W0, M.shape[0])
    lr, steps, every = check_steps(lr, steps, every)
    path = [W.copy()]
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(1, steps + 1):
            W += lr / 2 * (M @ W - W @ (W.T @ W))
            if step % every == 0:
                path.append(W.copy())
    return np.where(np.isfinite(path), path, np.nan)


def check_steps(lr: float, steps: int, every: int) -> tuple[float, int, int]:
    """Return what every descent takes, checked: a positive step, and whole numbers of steps."""
    return positive("lr", lr), whole("steps", steps), whole("every", every)


# ---------------------------------------------------------------------------------------------
# small steps: the flow that they follow


def modified_flow(
    target: MatrixLike, W0: ArrayLike, times: ArrayLike, lr: float, *, rtol: float = 1e-10
) -> Array:
    """Embeddings (T, V, d) of the flow that steps of size lr follow to second order, integrated.

    With E = M* - X and X = W W^T, backward error analysis of the step gives
    dW/dt = [E - (lr/4) (E^2 - E X - X E)] W / 2, whose distance from `gradient_descent` at the same
    time falls as lr^2, where that of the plain flow falls as lr. It is the gradient flow of
    `modified_loss`. Arguments and errors as in `dynamics.gradient_flow`, for small V.

    >>> M, W0 = np.diag([2.0, 1.0]), np.full((2, 1), 0.1)
    >>> steps, flow = gradient_descent(M, W0, 0.1, 50)[-1], modified_flow(M, W0, [5.0], 0.1)[-1]
    >>> bool(np.abs(steps - flow).max() < 2e-3)
    True
    """
    M = as_symmetric(target).toarray()
    start, step = checked_start(W0, len(M)), positive("lr", lr)
    return integrate(lambda W: _modified_velocity(M, W, step), start, times, rtol=rtol)


def _modified_velocity(M: Array, W: Array, lr: float) -> Array:
    def pull(Z: Array) -> Array:  # E Z, at a cost of V^2 d
        return M @ Z - W @ (W.T @ Z)

    XW, EW = W @ (W.T @ W), pull(W)
    return EW / 2 - lr / 8 * (pull(EW) - pull(XW) - W @ (W.T @ EW))


def modified_loss(target: MatrixLike, W: Array, lr: float) -> float:
    """Loss that steps of size lr decrease: L + (lr/8) |grad L|^2, L = |W W^T - M*|_F^2 / 4.

    Large steps prefer places where the loss is flat. Shapes: target (V, V), W (V, d).

    >>> modified_loss(np.eye(2), np.zeros((2, 1)), lr=0.1)
    0.5
    """
    E = as_symmetric(target).toarray() - W @ W.T
    return float(np.sum(E**2) / 4 + lr / 8 * np.sum((E @ W) ** 2))


def step_times(eigenvalues: ArrayLike, s0: ArrayLike, lr: float, share: float = 0.5) -> Array:
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
        raise ValueError(f"share must lie between 0 and 1; received {share}")
    _, y0, kappa, bend, rate = _corrected(eigenvalues, s0, lr)
    grown = (np.log(share) - np.log(y0)) / 2 + bend * (share - y0)
    return (grown - kappa * (np.log1p(-share) - np.log1p(-y0))) / rate


def step_sigmoid(eigenvalues: ArrayLike, s0: ArrayLike, lr: float, t: ArrayLike) -> Array:
    """Singular values that steps of size lr have reached at t = lr x step: Lemma 3.1 corrected.

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


def _corrected(
    eigenvalues: ArrayLike, s0: ArrayLike, lr: float
) -> tuple[Array, Array, Array, Array, Array]:
    """Return lambda, y(0), kappa, 5 a^2 / 32 and the growth rate of s, ln(1 + a/2) / lr."""
    values, scales = checked_eigenvalues(eigenvalues), checked_scales(s0)
    a = lr * values
    if not (lr > 0 and np.all((a > 0) & (a < 1))):
        raise ValueError(
            f"lr lambda must lie between 0 and 1 for every mode; received lr = {lr} with "
            f"eigenvalues from {np.min(values):.4g} to {np.max(values):.4g}. Past 1 a step "
            "overshoots: iterate"
        )
    y0 = scales**2 / values
    if not np.all(y0 < 1):
        raise ValueError(f"s0^2 must lie below lambda; received a ratio of {np.max(y0):.4g}")
    growth = np.log1p(a / 2)
    return values, y0, growth / -np.log1p(-a), 5 * a**2 / 32, growth / lr


# ---------------------------------------------------------------------------------------------
# large steps: the edge of stability


def attractor(a: ArrayLike, *, start: float = 0.5, skip: int = 2_000, keep: int = 200) -> Array:
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
    values = np.array(visited)
    return np.where(np.isfinite(values), values, np.nan)


def period_two(a: ArrayLike) -> Array:
    """Two values of u = s / sqrt(lambda) that alternate past the edge, (2, ..), for a = lr lambda.

    With r = 1 + a/2 they are u^2 = (r -+ sqrt(r^2 - 4)) / a: born together at a = 2, unstable from
    r^2 = 5, a = 2 (sqrt(5) - 1), where the period doubles. Raises ValueError for a < 2.

    >>> period_two(2.2).round(3)
    array([0.815, 1.116])
    """
    a = np.asarray(a, dtype=float)
    if not np.all(a >= 2):
        raise ValueError(f"below a = 2 there is no such pair; received {np.min(a)}")
    r = 1 + a / 2
    width = np.sqrt(r**2 - 4)
    return np.sqrt(np.array([r - width, r + width]) / a)


def relaxation_rates(eigenvalues: ArrayLike, dim: int) -> Array:
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
        raise ValueError("eigenvalues must be one-dimensional and descending")
    if not 1 <= dim <= len(values) or values[dim - 1] <= 0:
        raise ValueError(
            f"dim must lie between 1 and the number of positive eigenvalues, "
            f"{np.sum(values > 0)}; received {dim}"
        )
    learned = values[:dim]
    rates = (learned - values[:, None]) / 2
    rates[:dim] = np.triu((learned + learned[:, None]) / 2)
    return rates


def largest_lr(eigenvalues: ArrayLike) -> float:
    """Largest learning rate at which full-batch gradient descent from a random start converges.

    2 / max(lambda_1, (lambda_1 - lambda_V) / 2), of the largest and the least eigenvalue of M*
    among `eigenvalues`. Where the second counts (lambda_V < -lambda_1) the steps diverge beyond.

    >>> largest_lr([3.0, 1.0, -2.0]), largest_lr([3.0, 1.0, -5.0])
    (0.6666666666666666, 0.5)
    """
    values = checked_eigenvalues(eigenvalues)
    top, least = values.max(), values.min()
    if top <= 0:
        raise ValueError(f"no eigenvalue is positive, so nothing is learned; the largest is {top}")
    return float(2 / max(top, (top - least) / 2))
