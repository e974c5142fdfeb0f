r"""Minibatches: the noise that drawing pairs adds to gradient descent, and where it leaves W.

For the estimator of word2vec's trainers (pairs drawn in proportion to their weight) the covariance
of a step's noise at the fixed point is a finite sum over pairs of words (`noise`), and the
embeddings around it are a linear process driven by that noise. `gradient_descent` draws it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from qw2v._checks import whole
from qw2v.dynamics._lemma import Array, checked_start
from qw2v.dynamics.discrete import check_steps, relaxation_rates
from qw2v.spectrum import MatrixLike, Symmetric, as_symmetric, learnable

__all__ = ["MinibatchNoise", "gradient_descent", "noise", "noise_floor"]


def gradient_descent(
    target: MatrixLike,
    W0: ArrayLike,
    lr: float,
    batch: int,
    steps: int,
    *,
    seed: int = 0,
    every: int = 1,
) -> Array:
    """Embeddings (T, V, d) at steps 0, every, 2 every, .. of minibatch descent in Setting 3.1.

    Each step draws `batch` positive pairs in proportion to A = Psi+ P_ij and as many negative ones
    in proportion to B = Psi- P_i P_j: in Setting 3.1, A = 1/2 + M*/4 and B = 1/2 - M*/4, so the
    matrix M* says it all. A laboratory for small V: a step costs V^2 d. Raises ValueError as
    `discrete.gradient_descent` does, and where M* leaves [-2, 2].

    >>> M = np.array([[1.0, -0.5], [-0.5, 0.8]])
    >>> path = gradient_descent(M, np.full((2, 1), 0.5), lr=0.1, batch=100, steps=50, every=25)
    >>> path.shape
    (3, 2, 1)
    """
    positive, negative = _pair_weights(as_symmetric(target))
    W = checked_start(W0, len(positive))
    lr, steps, every = check_steps(lr, steps, every)
    batch = whole("batch", batch)
    draws = [
        (sign, weight.sum(), np.cumsum(weight) / weight.sum())
        for sign, weight in ((-1, positive), (1, negative))
    ]
    rng, size, path = np.random.default_rng(seed), len(W), [W.copy()]
    with np.errstate(over="ignore", invalid="ignore"):
        for step in range(1, steps + 1):
            x, slope = W @ W.T / 2, np.zeros_like(positive)
            for sign, total, cumulative in draws:
                found = np.searchsorted(cumulative, np.sort(rng.random(batch)))
                drawn = np.bincount(np.minimum(found, size**2 - 1), minlength=size**2)
                slope = slope + total / batch * drawn.reshape(size, size) * (x + sign)
            W -= lr / 2 * ((slope + slope.T) @ W)
            if step % every == 0:
                path.append(W.copy())
    return np.where(np.isfinite(path), path, np.nan)


@dataclass(frozen=True, eq=False)
class MinibatchNoise:
    """Noise of minibatch descent at its fixed point, and what it does; made by `noise`.

    `eigenvalues` (V,) of M*; `rates` (V, d) as in `relaxation_rates`; `strength` (V, d), the
    variance of one step's noise along the same directions, per lr^2 / batch. It is zero along
    rotations: the loss of a pair depends on w_i . w_j alone, so that no gradient points there. The
    predictions hold to first order in lr / batch, since the noise itself depends on where the
    embeddings are.
    """

    eigenvalues: Array
    rates: Array
    strength: Array

    def variance(self, lr: float, batch: int) -> Array:
        """Stationary variance (V, d) along each direction, zero for rotations.

        The solution of the discrete Lyapunov equation, N / (2 r lr - (r lr)^2) for noise N and rate
        r. Raises ValueError where lr is past the edge of stability.
        """
        if not 0 < lr * self.rates.max() < 2:
            raise ValueError(
                f"lr must lie between 0 and 2 / {self.rates.max():.4g} = "
                f"{2 / self.rates.max():.4g}, where the steps are stable; received {lr}"
            )
        batch = whole("batch", batch)
        damping = lr * self.rates * (2 - lr * self.rates)
        driven = lr**2 / batch * self.strength
        return np.divide(driven, damping, out=np.zeros_like(driven), where=self.rates > 0)

    def excess_loss(self, lr: float, batch: int) -> float:
        """Mean loss above its minimum: each direction adds rate x variance."""
        return float(np.sum(self.rates * self.variance(lr, batch)))

    def singular_value_spread(self, lr: float, batch: int) -> Array:
        """Return the standard deviation (d,) of each singular value of W."""
        return np.sqrt(np.diagonal(self.variance(lr, batch)))

    def leak(self, lr: float, batch: int) -> Array:
        """Share (d,) of each mode that lies outside the span of the top d eigenvectors.

        The sum over k > d of variance / lambda_l. The nearest direction counts most: its
        variance goes as 1 / (lambda_l - lambda_(d+1)). Where the share is not small the
        prediction fails, and modes beside the edge of the spectrum change places.
        """
        d = self.rates.shape[1]
        return self.variance(lr, batch)[d:].sum(axis=0) / self.eigenvalues[:d]


def noise(target: MatrixLike, dim: int) -> MinibatchNoise:
    """Covariance of one minibatch step's noise at W = V_d Lambda_d^(1/2), in Setting 3.1.

    The estimator is that of `gradient_descent`. A pair (i, j) moves W along
    D = e_i w_j^T + e_j w_i^T in proportion to l'(x_ij). Along c = v_k e_l^T, say, with Z the sum of
    A or of B, and K = Z+ A l+'^2 + Z- B l-'^2, the variance of a step is (lr/2)^2 / batch times

        sum_ij K_ij (c . D)^2 - (c . sum_ij A_ij l+'_ij D)^2 - (c . sum_ij B_ij l-'_ij D)^2.

    The entries of `target` (V, V) lie in [-2, 2], and all of its eigenvectors are used: d products
    of V x V matrices. Raises ValueError for other entries, and where fewer than `dim` eigenvalues
    are positive.

    >>> found = noise(np.array([[1.0, -0.5], [-0.5, 0.8]]), dim=1)
    >>> found.excess_loss(lr=0.1, batch=100) / found.excess_loss(lr=0.01, batch=10) < 1.1
    True
    """
    target = as_symmetric(target)
    A, B = _pair_weights(target)
    values, U = target.all_eigenpairs()
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


def noise_floor(target: MatrixLike, dim: int, lr: float, batch: int) -> float:
    """Excess loss of minibatch descent for small steps, at any V: (lr / 2 batch) x trace of noise.

    What `MinibatchNoise.excess_loss` tends to as lr -> 0: every direction costs the same however
    fast it relaxes, so that only the trace of the noise counts, and that needs the top `dim`
    eigenpairs and one pass over M*, V^2 d. `target` is one of Setting 3.1.

    >>> M = np.array([[1.0, -0.5], [-0.5, 0.8]])
    >>> exact = noise(M, dim=1).excess_loss(lr=1e-4, batch=100)
    >>> bool(abs(noise_floor(M, 1, 1e-4, 100) / exact - 1) < 1e-3)
    True
    """
    target = as_symmetric(target)
    values, vectors = learnable(target, dim)
    W = vectors * np.sqrt(values)
    length = np.sum(W**2, axis=1)
    sums, squares, means = [0.0, 0.0], [0.0, 0.0], [np.zeros_like(W), np.zeros_like(W)]
    for low in range(0, len(W), 512):
        rows = np.arange(low, min(low + 512, len(W)))
        M, half = target.rows(low, low + len(rows)), W[rows] @ W.T / 2
        for side, sign in enumerate((1, -1)):
            weight, slope = np.maximum(0.5 + sign * M / 4, 0), half - sign
            sums[side] += weight.sum()
            means[side][rows] = 2 * (weight * slope) @ W
            weight *= slope**2
            own = weight.sum(axis=1) + weight[np.arange(len(rows)), rows]
            squares[side] += 2 * own @ length[rows]
    trace = sum(z * q - np.sum(m**2) for z, q, m in zip(sums, squares, means, strict=True))
    return float(lr / batch * trace / 8)


def _pair_weights(target: Symmetric) -> tuple[Array, Array]:
    """Return A = Psi+ P_ij and B = Psi- P_i P_j in Setting 3.1, from M* alone."""
    M = target.toarray()
    if np.abs(M).max() > 2 + 1e-9:
        raise ValueError(
            f"M* of Setting 3.1 lies in [-2, 2]; received an entry of size {np.abs(M).max():.4g}: "
            "use kind='mstar' with its default weighting"
        )
    return np.maximum(0.5 + M / 4, 0), np.maximum(0.5 - M / 4, 0)
