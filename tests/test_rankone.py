"""Rank-one weights: what the preconditioner leaves alone, and when the modes are learned."""

import numpy as np
import pytest

from qw2v import dynamics
from qw2v.dynamics import rankone

VALUES = np.array([3.0, 2.2, 1.4, 0.5, -0.3, -0.8, -1.5, -2.5])


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.standard_normal((8, 8)))[0]
    g = rng.uniform(0.3, 3.0, 8)
    return (basis * VALUES) @ basis.T, g / g.mean()


def test_the_flow_descends_the_weighted_loss(problem):
    """Against finite differences of sum g_i g_j (x_ij - M_ij)^2 / 4: the slope is -gradient / 2."""
    M, g = problem
    W0 = np.random.default_rng(1).standard_normal((8, 3))

    def loss(W):
        return np.sum(np.outer(g, g) * (W @ W.T - M) ** 2) / 4

    gradient = np.zeros_like(W0)
    for place in np.ndindex(W0.shape):
        step = np.zeros_like(W0)
        step[place] = 1e-6
        gradient[place] = (loss(W0 + step) - loss(W0 - step)) / 2e-6
    h = 1e-7
    for scale in (1.0, 5.0):  # the mean of g sets the unit of time, and nothing else
        flow = rankone.gradient_flow(M, W0, [0.0, h], scale * g, rtol=1e-12)
        np.testing.assert_allclose((flow[1] - flow[0]) / h, -gradient / 2, rtol=1e-4, atol=1e-4)


def test_equal_weights_are_setting_3_1(problem):
    M, _ = problem
    W0 = 0.3 * np.random.default_rng(2).standard_normal((8, 3))
    times = [0.0, 1.0, 4.0]
    same = rankone.gradient_flow(M, W0, times, np.full(8, 7.0))
    np.testing.assert_allclose(same, dynamics.gradient_flow(M, W0, times), atol=1e-8)
    expected = dynamics.learning_times(VALUES[:4], 1e-4)
    np.testing.assert_allclose(rankone.learning_times(M, np.ones(8), 1e-4, 4), expected)


def test_the_end_is_the_best_approximation_of_the_scaled_target(problem):
    M, g = problem
    W0 = 1e-2 * np.random.default_rng(3).standard_normal((8, 3))
    W = rankone.gradient_flow(M, W0, [200.0], g)[-1]
    N = rankone.scaled(M, g)
    values, vectors = np.linalg.eigh(N)
    root = np.sqrt(g)[:, None]
    best = (vectors[:, -3:] * values[-3:]) @ vectors[:, -3:].T
    np.testing.assert_allclose((root * W) @ (root * W).T, best, atol=1e-7)


def test_dividing_the_gradient_by_g_restores_the_exact_solution(problem):
    """dW/dt = (M - W W^T) D W / 2 is the Riccati flow of N in Y = Gamma W."""
    M, g = problem
    W = 0.2 * np.random.default_rng(4).standard_normal((8, 3))
    root = np.sqrt(g)[:, None]
    path = dynamics.exact(rankone.scaled(M, g), root * W)
    h, n = 1e-3, 3_000

    def slope(W):
        return (M - W @ W.T) @ (g[:, None] * W) / 2

    for _ in range(n):
        middle = W + h / 2 * slope(W)
        W = W + h * slope(middle)
    Y = path.embeddings(n * h)
    np.testing.assert_allclose((root * W) @ (root * W).T, Y @ Y.T, atol=1e-5)


def test_commuting_weights_rescale_the_time_of_each_mode():
    """Where g is constant on each eigenvector's words, mode k is a sigmoid in g^2 t."""
    g = np.array([0.4, 0.4, 1.8, 1.4])
    values = np.array([3.0, -1.0, 1.0, 2.0])
    W0 = np.zeros((4, 3))
    W0[[0, 2, 3], [0, 1, 2]] = 0.05
    times = np.linspace(0, 20, 9)
    flow = rankone.gradient_flow(np.diag(values), W0, times, g)
    for word, column in ((0, 0), (2, 1), (3, 2)):
        expected = dynamics.sigmoid(values[word], 0.05, g[word] ** 2 * times)
        np.testing.assert_allclose(flow[:, word, column], expected, rtol=1e-6)


def test_learning_times_become_exact_as_the_start_vanishes(problem):
    M, g = problem
    W0 = np.random.default_rng(5).standard_normal((8, 3))
    N = rankone.scaled(M, g)
    values = np.linalg.eigvalsh(N)[::-1][:3]
    root = np.sqrt(g)[:, None]
    worst, naive = [], []
    for sigma in (1e-3, 1e-6, 1e-10):
        predicted = rankone.learning_times(M, g, sigma, 3)
        times = np.linspace(0, 1.4, 2_000) * predicted[-1]
        flow = rankone.gradient_flow(M, sigma * W0, times, g, rtol=1e-12)
        squares = np.linalg.svd(root * flow, compute_uv=False) ** 2
        measured = times[np.argmax(squares > values / 2, axis=0)]
        worst.append(np.abs(measured / predicted - 1).max())
        naive.append(np.abs(measured / dynamics.learning_times(values, sigma) - 1).max())
    assert worst[1] < 0.6 * worst[0] and worst[2] < 0.35 * worst[0]  # as 1 / ln(1 / sigma)
    assert min(naive) > 0.25


def test_errors_name_what_is_wrong(problem):
    M, g = problem
    with pytest.raises(
        ValueError, match=r"g must be 8 positive .* received an array of shape \(7,\)"
    ):
        rankone.scaled(M, g[:7])
    with pytest.raises(ValueError, match=r"received -1.* at"):
        rankone.learning_times(M, np.where(g == g.max(), -1, g), 1e-3, 2)
    with pytest.raises(ValueError, match=r"W0 must have shape \(8, d\).*; received \(3, 2\)"):
        rankone.gradient_flow(M, np.ones((3, 2)), [1.0], g)
    with pytest.raises(ValueError, match="4 positive eigenvalues"):
        rankone.learning_times(M, g, 1e-3, 5)
