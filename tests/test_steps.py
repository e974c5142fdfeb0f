"""Finite steps and minibatch noise, against iteration, many digits, full matrices, simulation."""

import mpmath
import numpy as np
import pytest
from scipy import linalg

import qw2v
from qw2v import dynamics
from qw2v.dynamics import discrete, minibatch


def symmetric(eigenvalues, seed=0):
    """A matrix with this spectrum, and its eigenvectors as columns."""
    size = len(eigenvalues)
    basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((size, size)))[0]
    return (basis * eigenvalues) @ basis.T, basis


def small_target(size, seed=0):
    """A matrix of the kind of M*: entries in [-2, 2], a few modes that stand out."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((size, 3)) * [1.0, 0.8, 0.65]
    noise = rng.standard_normal((size, size)) / 4
    return 2 * np.tanh((features @ features.T + noise + noise.T) / 2)


# --- small steps


def iterated_time(a, y0, share):
    """Steps times a until s^2 goes from y0 to `share`, by the map's own interpolation in 30 digits.

    Koenigs: pulled back n times to where the map is linear, m^n u counts the steps that are left.
    """
    with mpmath.workdps(30):
        growth = 1 + mpmath.mpf(a) / 2

        def log_coordinate(y):
            u, n = mpmath.sqrt(mpmath.mpf(y)), 0
            while u > mpmath.mpf(10) ** -10:
                before = u / growth
                for _ in range(50):
                    gap = before * (1 + mpmath.mpf(a) / 2 * (1 - before**2)) - u
                    move = gap / (growth - 3 * mpmath.mpf(a) / 2 * before**2)
                    before -= move
                    if abs(move) < before * mpmath.mpf(10) ** -25:
                        break
                u, n = before, n + 1
            return mpmath.log(u) + n * mpmath.log(growth)

        return float((log_coordinate(share) - log_coordinate(y0)) / mpmath.log(growth) * a)


@pytest.mark.parametrize("a", [0.06, 0.2, 0.5])
@pytest.mark.parametrize("s0", [1e-6, 0.1])
def test_step_times_hold_to_third_order_from_any_start(a, s0):
    for share in (0.02, 0.5, 0.9, 0.9999):
        predicted = discrete.step_times(4.0, 2 * s0, a / 4, share) * 4
        assert abs(predicted - iterated_time(a, s0**2, share)) < 0.12 * a**3
        if s0 < 1e-3 and share <= 0.5:  # the plain time is wrong by a logarithm of the start
            plain = np.log(share / (1 - share) / s0**2)
            assert abs(plain - predicted) > 5 * a


def test_the_corrected_sigmoid_falls_on_the_steps_as_the_cube_of_their_size():
    value, s0, time = 3.0, 0.01, 3.0
    plain, mended = [], []
    for count in (200, 400, 800, 1600):
        s = s0
        for _ in range(count):
            s *= 1 + time / count * (value - s**2) / 2
        plain.append(abs(dynamics.sigmoid(value, s0, time) - s))
        mended.append(abs(discrete.step_sigmoid(value, s0, time / count, time) - s))
    np.testing.assert_allclose(np.divide(plain[:-1], plain[1:]), 2, rtol=0.1)
    np.testing.assert_allclose(np.divide(mended[:-1], mended[1:]), 8, rtol=0.1)
    assert mended[0] < 1e-4 * plain[0]


@pytest.mark.parametrize("a", [1e-6, 0.3, 0.999])
@pytest.mark.parametrize("s0", [1e-12, 0.3, 0.999])
def test_corrected_sigmoid_inverts_the_times(a, s0):
    curve = discrete.step_sigmoid(1.0, s0, a, np.linspace(0, 80, 100))
    assert curve[0] == pytest.approx(s0, rel=1e-9) and np.all(np.diff(curve) >= -1e-15)
    for t, y in zip(np.linspace(0, 80, 100), curve**2, strict=True):
        if s0**2 < y < 1 - 1e-6:
            assert discrete.step_times(1.0, s0, a, y) == pytest.approx(t, abs=1e-6)
    assert discrete.step_sigmoid(1.0, s0, a, np.inf) == pytest.approx(1.0)


def test_tiny_steps_give_lemma_3_1():
    values, t = np.array([3.0, 1.0]), np.linspace(0, 8, 9)[:, None]
    expected = dynamics.sigmoid(values, 1e-2, t)
    np.testing.assert_allclose(discrete.step_sigmoid(values, 1e-2, 1e-9, t), expected, rtol=1e-7)
    half = np.log((values - 1e-4) / 1e-4) / values
    np.testing.assert_allclose(discrete.step_times(values, 1e-2, 1e-9), half, rtol=1e-7)


def test_descend_is_the_map_along_an_aligned_mode():
    M, basis = symmetric([2.0, 1.0, -0.5, -1.5])
    s = np.array([0.3, 0.1])
    path = discrete.gradient_descent(M, basis[:, :2] * s, 0.4, 30, every=10)
    assert path.shape == (4, 4, 2)
    for row in path:
        np.testing.assert_allclose(row, basis[:, :2] * s, atol=1e-13)
        for _ in range(10):
            s = s * (1 + 0.2 * (np.array([2.0, 1.0]) - s**2))


def test_the_modified_flow_is_one_order_closer_to_the_steps():
    M, _ = symmetric([2.0, 1.3, 0.4, -0.5, -1.0], seed=1)
    W0 = 0.3 * np.random.default_rng(2).standard_normal((5, 2))
    flow = dynamics.gradient_flow(M, W0, [2.0])[-1]
    plain, mended = [], []
    for count in (40, 80, 160, 320):
        lr = 2.0 / count
        W = discrete.gradient_descent(M, W0, lr, count, every=count)[-1]
        plain.append(np.linalg.norm(W - flow))
        mended.append(np.linalg.norm(W - discrete.modified_flow(M, W0, [2.0], lr)[-1]))
    np.testing.assert_allclose(np.divide(plain[:-1], plain[1:]), 2, rtol=0.1)
    np.testing.assert_allclose(np.divide(mended[:-1], mended[1:]), 4, rtol=0.1)
    assert mended[0] < 0.1 * plain[0]


def test_the_modified_velocity_is_the_gradient_of_the_modified_loss():
    M, _ = symmetric([2.0, 1.3, 0.4, -1.0], seed=3)
    W = np.random.default_rng(4).standard_normal((4, 2))
    gradient = np.empty_like(W)
    for place in np.ndindex(W.shape):
        nudge = np.zeros_like(W)
        nudge[place] = 1e-5
        ends = [discrete.modified_loss(M, W + sign * nudge, lr=0.2) for sign in (1, -1)]
        gradient[place] = (ends[0] - ends[1]) / 2e-5
    # The field of second order: the gradient of |f|^2 is exact, no higher term is left out.
    velocity = discrete._modified_velocity(M, W, 0.2)
    np.testing.assert_allclose(velocity, -gradient / 2, atol=1e-8)


def test_half_times_of_steps_from_a_random_start():
    values = [3.0, 2.0, 1.0, 0.2, -0.5, -1.0]
    M, basis = symmetric(values, seed=5)
    W0 = 1e-8 * np.random.default_rng(6).standard_normal((6, 3))
    s0, lr = dynamics.silent_start(basis[:, :3], W0), 0.1
    s = np.linalg.svd(discrete.gradient_descent(M, W0, lr, 600), compute_uv=False)
    measured = []
    for k in range(3):
        odds = np.log(s[:, k] ** 2 / np.maximum(values[k] - s[:, k] ** 2, 1e-12))
        after = int(np.argmax(odds > 0))
        measured.append(lr * np.interp(0, odds[after - 1 : after + 1], [after - 1, after]))
    predicted = discrete.step_times(values[:3], s0, lr)
    plain = np.log(np.array(values[:3]) / s0**2) / values[:3]
    np.testing.assert_allclose(measured, predicted, atol=2e-3)
    assert np.all(np.abs(measured - plain) > 0.5)


# --- the edge


def numeric_hessian(M, W):
    """Half the Hessian of the loss at W, (Vd, Vd), by central differences of the velocity."""
    columns = []
    for place in np.ndindex(W.shape):
        nudge = np.zeros_like(W)
        nudge[place] = 1e-5
        ends = [(M - X @ X.T) @ X / 2 for X in (W + nudge, W - nudge)]
        columns.append((ends[1] - ends[0]).ravel() / 2e-5)
    H = np.array(columns)
    return (H + H.T) / 2


def test_relaxation_rates_are_the_eigenvalues_of_the_hessian():
    values = np.array([3.0, 2.0, 1.0, 0.2, -0.5, -3.5])
    M, basis = symmetric(values, seed=7)
    H = numeric_hessian(M, basis[:, :3] * np.sqrt(values[:3]))
    rates = discrete.relaxation_rates(values, 3)
    np.testing.assert_allclose(np.sort(rates.ravel()), np.linalg.eigvalsh(H), atol=1e-8)
    assert np.sum(rates == 0) == 3  # one for each plane in which W can turn
    assert discrete.largest_lr(values) == pytest.approx(2 / rates.max())


def test_the_edge_of_an_aligned_mode_is_at_two():
    M, W0 = np.diag([2.0, 0.7, -0.5]), 1e-3 * np.random.default_rng(8).standard_normal((3, 2))
    calm = discrete.gradient_descent(M, W0, 1.98 / 2, 3_000, every=1_000)[-1]
    np.testing.assert_allclose(np.linalg.svd(calm, compute_uv=False) ** 2, [2.0, 0.7], rtol=1e-9)
    restless = np.linalg.svd(
        discrete.gradient_descent(M, W0, 2.2 / 2, 3_001)[-2:], compute_uv=False
    )  # mode 1 alternates, mode 2 has learned
    pair = np.sqrt(2.0) * discrete.period_two(2.2)
    np.testing.assert_allclose(np.sort(restless[:, 0]), pair, rtol=1e-9)
    np.testing.assert_allclose(restless[:, 1], np.sqrt(0.7), rtol=1e-9)


def test_a_negative_eigenvalue_sets_the_edge_of_a_random_start():
    M, basis = symmetric([2.0, 0.7, 0.1, -4.0], seed=9)
    limit = discrete.largest_lr([2.0, 0.7, 0.1, -4.0])
    assert limit == pytest.approx(4 / 6)
    W0 = 1e-3 * np.random.default_rng(10).standard_normal((4, 2))
    calm = discrete.gradient_descent(M, W0, 0.99 * limit, 4_000, every=4_000)[-1]
    np.testing.assert_allclose(np.linalg.svd(calm, compute_uv=False) ** 2, [2.0, 0.7], rtol=1e-9)
    assert np.isnan(discrete.gradient_descent(M, W0, 1.02 * limit, 4_000, every=4_000)[-1]).all()
    M = np.diag([2.0, 0.7, 0.1, -4.0])  # aligned to the last bit, the direction stays empty
    aligned = discrete.gradient_descent(
        M, np.diag([0.1, 0.1, 0, 0])[:, :2], 1.4 * limit, 4_000, every=4_000
    )
    np.testing.assert_allclose(np.diag(aligned[-1]) ** 2, [2.0, 0.7], rtol=1e-9)


def test_beside_an_alternating_mode_the_edge_is_at_lr_mu_two():
    W0 = 1e-3 * np.random.default_rng(11).standard_normal((3, 2))
    for mu, survives in ((-1.9, True), (-2.1, False)):  # lr = 1, a = 2.1
        path = discrete.gradient_descent(np.diag([2.1, 0.7, mu]), W0, 1.0, 6_000, every=6_000)
        assert np.isfinite(path[-1]).all() == survives


def test_attractor_doubles_its_period_and_ends_at_four():
    doubling = 2 * (np.sqrt(5) - 1)
    visited = discrete.attractor([1.9, 2.3, doubling - 0.01, doubling + 0.02, 3.99, 4.01], keep=64)
    distinct = [len(np.unique(column.round(6))) for column in visited.T[:4]]
    assert distinct == [1, 2, 2, 4]
    np.testing.assert_allclose(np.sort(visited[:2, 1]), discrete.period_two(2.3), rtol=1e-9)
    assert np.isfinite(visited[:, 4]).all() and np.abs(visited[:, 4]).max() < np.sqrt(1 + 4 / 3.99)
    assert np.isnan(visited[:, 5]).all()
    for a in (0.5, 1.5, 3.0):  # where a start is too large
        edge = np.sqrt(1 + 4 / a)
        assert np.isfinite(discrete.attractor([a], start=0.999 * edge)).all()
        assert np.isnan(discrete.attractor([a], start=1.001 * edge)).all()


# --- noise


def step_covariance(M, W):
    """Covariance of one step's noise, (Vd, Vd), per lr^2 / batch: pair by pair, from its words."""
    V, d = W.shape
    total = np.zeros((V * d, V * d))
    for sign in (1, -1):
        weight = 0.5 + sign * M / 4
        mean = np.zeros(V * d)
        for i in range(V):
            for j in range(V):
                push = np.zeros((V, d))
                push[i] += W[j]
                push[j] += W[i]
                push = push.ravel() * (W[i] @ W[j] / 2 - sign)
                total += weight.sum() * weight[i, j] * np.outer(push, push)
                mean += weight[i, j] * push
        total -= np.outer(mean, mean)
    return total / 4


def test_noise_matches_the_full_covariance_and_lyapunov_equation():
    M, d, lr, batch = small_target(7, seed=1), 3, 0.05, 1000
    values, basis = np.linalg.eigh(M)
    values, basis = values[::-1], basis[:, ::-1]
    W = basis[:, :d] * np.sqrt(values[:d])
    noise = minibatch.noise(M, d)
    covariance, H = step_covariance(M, W), numeric_hessian(M, W)
    assert noise.strength.sum() == pytest.approx(np.trace(covariance), rel=1e-9)

    rates, turn = np.linalg.eigh(H)
    moving = turn[:, rates > 1e-6]
    assert moving.shape[1] == 7 * d - d * (d - 1) // 2
    step = np.eye(moving.shape[1]) - lr * moving.T @ H @ moving
    driven = lr**2 / batch * moving.T @ covariance @ moving
    spread = moving @ linalg.solve_discrete_lyapunov(step, driven) @ moving.T
    assert noise.excess_loss(lr, batch) == pytest.approx(np.trace(H @ spread), rel=1e-7)

    for k in range(d):
        along = np.outer(basis[:, k], np.eye(d)[k]).ravel()
        assert noise.singular_value_spread(lr, batch)[k] ** 2 == pytest.approx(
            along @ spread @ along, rel=1e-7
        )
    outside = np.zeros(d)
    for k in range(d, 7):
        for column in range(d):
            along = np.outer(basis[:, k], np.eye(d)[column]).ravel()
            outside[column] += along @ spread @ along
    np.testing.assert_allclose(noise.leak(lr, batch), outside / values[:d], rtol=1e-6)


def test_no_noise_turns_the_embeddings():
    M, d = small_target(6, seed=2), 2
    W = np.random.default_rng(3).standard_normal((6, d))  # anywhere, not only at the fixed point
    turn = (W @ np.array([[0.0, 1.0], [-1.0, 0.0]])).ravel()
    covariance = step_covariance(M, W)
    assert turn @ covariance @ turn < 1e-12 * np.trace(covariance)
    noise = minibatch.noise(M, d)
    assert noise.strength[1, 0] == 0 == noise.variance(0.1, 50)[1, 0]


def test_the_floor_of_small_steps_needs_the_trace_alone():
    M, batch = small_target(40, seed=4), 100
    for lr, close in ((1e-2, 0.2), (1e-4, 2e-3)):
        full = minibatch.noise(M, 4).excess_loss(lr, batch)
        assert minibatch.noise_floor(M, 4, lr, batch) == pytest.approx(full, rel=close)
        assert minibatch.noise_floor(M, 4, lr, batch) < full


def test_the_floor_of_a_target_is_that_of_its_array():
    texts = ["a b c a d b e a c d f g a b h c", "b d f a c e g b a a h d e c"]
    target = qw2v.target(qw2v.CorpusStatistics.from_texts(texts, vocab_size=8, window=2))
    expected = minibatch.noise_floor(target.toarray(), 1, 0.01, 10)
    assert minibatch.noise_floor(target, 1, 0.01, 10) == pytest.approx(expected, rel=1e-9)
    assert minibatch.noise(target, 1).excess_loss(1e-5, 10) == pytest.approx(
        minibatch.noise_floor(target, 1, 1e-5, 10), rel=1e-3
    )


def test_simulated_noise_floor():
    M, d = small_target(30), 3
    values, basis = np.linalg.eigh(M)
    values, basis = values[::-1], basis[:, ::-1]
    W, noise = basis[:, :d] * np.sqrt(values[:d]), minibatch.noise(M, d)
    least = np.sum((W @ W.T - M) ** 2) / 4
    for a, batch in ((0.2, 2_000), (0.2, 500), (0.05, 500)):
        lr = a / values[0]
        path = minibatch.gradient_descent(M, W, lr, batch, 10_000, seed=1, every=10)[50:]
        excess = np.sum((path @ path.transpose(0, 2, 1) - M) ** 2, axis=(1, 2)) / 4 - least
        assert excess.mean() == pytest.approx(noise.excess_loss(lr, batch), rel=0.04)
        if a == 0.2:  # some 500 independent looks at the slowest of them
            spread = np.linalg.svd(path, compute_uv=False).std(axis=0)
            np.testing.assert_allclose(spread, noise.singular_value_spread(lr, batch), rtol=0.15)


def test_sampled_descent_keeps_its_seed():
    M, W0 = small_target(8), np.full((8, 2), 0.1)
    runs = [minibatch.gradient_descent(M, W0, 0.05, 20, 10, seed=seed)[-1] for seed in (3, 3, 4)]
    assert np.array_equal(runs[0], runs[1]) and not np.array_equal(runs[0], runs[2])


def test_a_sampled_step_is_right_on_average():
    M, W0 = small_target(6), np.random.default_rng(12).standard_normal((6, 2))
    many = minibatch.gradient_descent(M, W0, 0.1, 4_000_000, 1)[-1]
    np.testing.assert_allclose(many, discrete.gradient_descent(M, W0, 0.1, 1)[-1], atol=0.01)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: discrete.step_times([2.0, 1.0], 1e-3, 0.6), "between 0 and 1"),
        (lambda: discrete.step_times([-1.0], 1e-3, 0.1), "between 0 and 1"),
        (lambda: discrete.step_times([1.0], 1.5, 0.1), "below lambda"),
        (lambda: discrete.step_times([1.0], 0.1, 0.1, share=1.0), "share"),
        (lambda: discrete.period_two(1.9), "below a = 2"),
        (lambda: discrete.relaxation_rates([1.0, -1.0], 2), "positive eigenvalues, 1"),
        (lambda: discrete.relaxation_rates([1.0, 2.0], 1), "descending"),
        (lambda: discrete.largest_lr([-1.0]), "nothing is learned"),
        (lambda: discrete.gradient_descent(np.eye(3), np.ones((2, 1)), 0.1, 5), r"shape \(3, d\)"),
        (
            lambda: discrete.gradient_descent(np.eye(2), np.ones((2, 1)), -0.1, 5),
            "lr must be a positive",
        ),
        (lambda: minibatch.noise(3 * np.eye(3), 1), r"\[-2, 2\]"),
        (lambda: minibatch.noise(np.eye(3), 1).variance(3.0, 5), "steps are stable"),
        (lambda: minibatch.noise(np.eye(3), 1).excess_loss(0.1, 0), "batch"),
    ],
)
def test_errors_say_what_is_allowed(call, says):
    with pytest.raises(ValueError, match=says):
        call()
