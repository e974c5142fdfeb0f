r"""Rank-one weights G = g g^T: the same landscape, walked through at another pace.

With D = diag(g) and Gamma = D^(1/2) the loss is sum_ij g_i g_j ((W W^T)_ij - M*_ij)^2 / 4, and its
flow, in units where g has mean one,

    dW/dt = D (M* - W W^T) D W / 2 .

In Y = Gamma W it is dY/dt = D (N - Y Y^T) Y / 2, N = Gamma M* Gamma: the flow of Setting 3.1 for
the target N, but for the D in front. A preconditioner moves no fixed point. So the embeddings end
at Gamma^-1 V Lambda^(1/2) (Theorem 1 for rank-one G), and the saddles on the way are the best
rank-k approximations of N. What changes is the speed, and with it the independence of the modes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from qw2v._checks import positive_each
from qw2v.dynamics._flow import integrate
from qw2v.dynamics._lemma import Array, checked_scales, checked_start
from qw2v.spectrum import MatrixLike, as_symmetric, learnable

__all__ = ["gradient_flow", "learning_times", "scaled"]


def scaled(target: MatrixLike, g: ArrayLike) -> Array:
    """Return N = Gamma M* Gamma (V, V), dense, Gamma = diag(g / mean g)^(1/2).

    `target` is a Target or a symmetric array. Raises ValueError unless g is (V,), positive, finite.

    >>> scaled(np.array([[2.0, 1.0], [1.0, 0.0]]), [1, 3])[0].round(3)
    array([1.   , 0.866])
    """
    M = as_symmetric(target).toarray()
    root = np.sqrt(_unit_mean(g, len(M)))
    return root[:, None] * M * root


def gradient_flow(
    target: MatrixLike, W0: ArrayLike, times: ArrayLike, g: ArrayLike, *, rtol: float = 1e-10
) -> Array:
    """Embeddings (T, V, d) of the flow dW/dt = D (M* - W W^T) D W / 2 from W0, by an integrator.

    D = diag(g / mean g). For small V: each step costs twelve products with a dense M*. `times` must
    ascend from t >= 0. Raises ValueError for a g or W0 that does not match the target.

    >>> flow = gradient_flow(np.diag([2.0, 1.0]), np.eye(2) * 0.1, [0.0, 99.0], g=[1, 3])
    >>> np.linalg.svd(flow[-1], compute_uv=False).round(6)
    array([1.414214, 1.      ])
    """
    N = scaled(target, g)
    start = checked_start(W0, len(N))
    g = _unit_mean(g, len(N))[:, None]
    root = np.sqrt(g)
    flow = integrate(lambda Y: g * (N @ Y - Y @ (Y.T @ Y)) / 2, root * start, times, rtol=rtol)
    return flow / root


def learning_times(target: MatrixLike, g: ArrayLike, s0: ArrayLike, dim: int) -> Array:
    """Return the times (d,) at which modes of N switch on, from a vanishing random start s0.

    While the first j modes of N stand and the rest is negligible, W grows along the eigenvectors of
    Gamma (N - N_j) Gamma, with N_j the best approximation of rank j. Mode j + 1 takes the largest
    of these rates and each later mode the next; its growth adds up over the plateaus until it
    reaches its own eigenvalue nu of N. With g = 1 every rate is lambda_k, at every plateau, and the
    times are the tau_k of `dynamics.learning_times`. The relative error fades as 1 / ln(1 / s0).

    `s0` is a scale or one value a mode. Raises ValueError where N has fewer than `dim` positive
    eigenvalues.

    >>> learning_times(np.diag([2.0, 1.0]), [1, 1], 1e-3, dim=2).round(2)
    array([ 7.25, 13.82])
    """
    N = scaled(target, g)
    root = np.sqrt(_unit_mean(g, len(N)))
    values, vectors = learnable(N, dim)
    level = 2 * np.log(checked_scales(s0, dim))  # of the modes still to come
    clock, times, rest = 0.0, [], N
    for value, vector in zip(values, vectors.T, strict=True):
        rates = np.linalg.eigvalsh(root[:, None] * rest * root)[::-1][: len(level)]
        wait = max((np.log(value) - level[0]) / rates[0], 0.0)
        clock += wait
        times.append(clock)
        level = (level + rates * wait)[1:]
        rest = rest - value * np.outer(vector, vector)
    return np.array(times)


def _unit_mean(g: ArrayLike, size: int) -> Array:
    checked = positive_each("g", g, size)
    return checked / checked.mean()
