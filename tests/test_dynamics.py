"""The closed form in time, against integrators and many-digit arithmetic of their own."""

import decimal
import json

import exact_accuracy
import mpmath
import numpy as np
import pytest
import scipy.sparse
from hypothesis import given, settings
from hypothesis import strategies as st

from qw2v import (
    CorpusStatistics,
    closed_form,
    datasets,
    dynamics,
    load_statistics,
    spectrum,
    target,
)
from qw2v.weighting import RankOne


def random_symmetric(rng, eigenvalues):
    basis = np.linalg.qr(rng.standard_normal((len(eigenvalues), len(eigenvalues))))[0]
    return (basis * eigenvalues) @ basis.T, basis


def runge_kutta(M, W, time, steps):
    """Classical fourth-order steps of dW/dt = (M - W W^T) W / 2."""
    h = time / steps

    def slope(W):
        return (M - W @ W.T) @ W / 2

    for _ in range(steps):
        a = slope(W)
        b = slope(W + h / 2 * a)
        c = slope(W + h / 2 * b)
        W = W + h / 6 * (a + 2 * b + 2 * c + slope(W + h * c))
    return W


def many_digits(eigenvalues, start, t):
    """Singular values from the Riccati solution as it is written, in as many digits as it needs."""
    digits = int(1.5 * np.abs(eigenvalues).max() * t) + 120
    with mpmath.workdps(digits):
        values = [mpmath.mpf(float(x)) for x in eigenvalues]
        t, A = mpmath.mpf(float(t)), mpmath.matrix(start.tolist())
        phi = mpmath.diag([mpmath.expm1(x * t) / x if x else t for x in values])
        grown = mpmath.diag([mpmath.exp(x * t / 2) for x in values]) * A
        lower = mpmath.cholesky(mpmath.eye(A.cols) + A.T * phi * A) ** -1
        squares = mpmath.eigsy(lower * (grown.T * grown) * lower.T, eigvals_only=True)
        return np.sort([float(mpmath.sqrt(abs(x))) for x in squares])[::-1]


def integrated(eigenvalues, start, t, order=32, tolerance=1e-24):
    """Singular values at t from the flow's own equation, by Taylor steps of high order.

    Each step is as long as its last terms allow. Sixty digits keep the small modes above the
    rounding of the large ones, where an integrator in float64 loses them.
    """

    def decimals(array):
        return np.vectorize(lambda x: decimal.Decimal(float(x)), otypes=[object])(array)

    with decimal.localcontext(prec=60), mpmath.workdps(60):
        values, W, left = decimals(eigenvalues)[:, None], decimals(start), decimal.Decimal(t)
        while left > 0 and W.any():
            terms, squares = [W], []
            for k in range(order):
                squares.append(np.vstack(terms).T @ np.vstack(terms[::-1]))
                cubic = np.hstack(terms) @ np.vstack(squares[::-1])
                terms.append((values * terms[k] - cubic) / (2 * (k + 1)))
            sizes = [float(np.abs(x).max() / np.abs(W).max()) for x in terms[-2:]]
            reach = [(tolerance / x) ** (1 / k) for k, x in enumerate(sizes, order - 1) if x]
            step = min([left, *map(decimal.Decimal, reach)])
            W = sum(x * step**k for k, x in enumerate(terms))
            left -= step
        gram = mpmath.matrix([[str(x) for x in row] for row in W.T @ W])
        squares = mpmath.eigsy(gram, eigvals_only=True)
        return np.sort([float(mpmath.sqrt(abs(x))) for x in squares])[::-1]


# --- Lemma 3.1 and Result 3


def test_aligned_matches_runge_kutta():
    rng = np.random.default_rng(0)
    M, _ = random_symmetric(rng, [3.0, 2.0, 1.2, 0.4, -0.5, -1.0, -2.5, 0.0])
    s0 = np.array([0.3, 0.01, 1.5])
    path = dynamics.aligned(M, s0)
    for t in (0.0, 0.7, 3.0, 9.0):
        W = runge_kutta(M, path.embeddings(0.0), t, 4_000)
        np.testing.assert_allclose(path.embeddings(t), W, rtol=0, atol=1e-9)
        singular = np.linalg.svd(W, compute_uv=False)
        np.testing.assert_allclose(path.singular_values(t), singular, rtol=1e-6)


@given(
    st.floats(-40, 40) | st.sampled_from([0.0, 1e-300, -1e-300, 1e-12, -1e-12]),
    st.floats(1e-12, 10.0),
    st.floats(0.0, 50.0) | st.sampled_from([1e-300, 1e4]),
)
def test_sigmoid_matches_many_digits(value, s0, t):
    with mpmath.workdps(60):
        x, s, u = mpmath.mpf(value), mpmath.mpf(s0), mpmath.mpf(t)
        phi = mpmath.expm1(x * u) / x if x else u
        expected = s * mpmath.exp(x * u / 2) / mpmath.sqrt(1 + s**2 * phi)
    if expected > 1e-290:
        assert dynamics.sigmoid(value, s0, t) == pytest.approx(float(expected), rel=1e-10)
    else:
        assert dynamics.sigmoid(value, s0, t) < 1e-280


def test_sigmoid_limits():
    assert dynamics.sigmoid(0.0, 2.0, 3.0) == pytest.approx(2.0 / np.sqrt(1 + 4 * 3))
    assert dynamics.sigmoid([4.0, 1e-9, 0.0, -1.0], 1e-12, np.inf) == pytest.approx(
        [2.0, np.sqrt(1e-9), 0.0, 0.0], rel=1e-14, abs=1e-100
    )
    assert dynamics.sigmoid(1e5, 1e-12, 1e5) == pytest.approx(np.sqrt(1e5), rel=1e-15)
    decay = dynamics.sigmoid(1.0, 10.0, np.linspace(0, 5, 50))
    assert np.all(np.diff(decay) < 0) and decay[-1] > 1


def test_learning_times_are_the_midpoints():
    values = np.array([5.0, 2.0, 1.0])
    tau = dynamics.learning_times(values, 1e-5)
    np.testing.assert_allclose(tau, np.log(values / 1e-10) / values)
    np.testing.assert_allclose(dynamics.sigmoid(values, 1e-5, tau) ** 2, values / 2, rtol=1e-9)
    assert dynamics.learning_times([1.0], 2.0) < 0
    assert np.isinf(dynamics.learning_times([0.0, -1.0], 0.1)).all()


def test_vanishing_start_and_its_correction():
    M = np.diag([3.0, 2.0, 1.0, -1.0])
    paper = dynamics.vanishing(M, 1e-6, 3)
    np.testing.assert_allclose(paper.singular_values(0.0), 1e-6)
    assert paper.learning_times[0] == pytest.approx(np.log(3.0 / 1e-12) / 3.0)
    mean = dynamics.vanishing(M, 1e-6, 3, corrected=True)
    shift = np.log([3 / 3, 3 / 2, 3 / 1]) / [3.0, 2.0, 1.0]
    np.testing.assert_allclose(mean.learning_times - paper.learning_times, shift, atol=1e-12)
    rng = np.random.default_rng(1)
    starts = [
        dynamics.silent_start(np.eye(40)[:, :5], rng.standard_normal((40, 5))) for _ in range(4000)
    ]
    np.testing.assert_allclose(np.mean(np.square(starts), axis=0), [5, 4, 3, 2, 1], rtol=0.1)


def test_random_start_tends_to_result_3():
    """The distance shrinks with sigma at the rate the closest pair of eigenvalues sets."""
    values = np.array([3.0, 2.0, 1.0, 0.2, -0.5, -2.0])
    A = np.random.default_rng(2).standard_normal((6, 3))
    distances = []
    for sigma in (1e-2, 1e-4, 1e-6, 1e-8):
        path = dynamics.exact(np.diag(values), sigma * A)
        limit = dynamics.aligned(
            np.diag(values), dynamics.silent_start(np.eye(6)[:, :3], sigma * A)
        )
        np.testing.assert_allclose(path.learning_times, limit.learning_times)
        times = np.linspace(0.3, 1.5, 60) * path.learning_times[-1]
        distances.append(np.abs(path.singular_values(times) - limit.singular_values(times)).max())
    assert distances[0] > 1e-3 and distances[-1] < 1e-3 * distances[0]
    assert np.all(np.diff(distances) < 0)


# --- any start


@pytest.mark.parametrize("sigma", [1e-12, 1e-3, 1.0, 10.0])
def test_exact_matches_an_adaptive_integrator(sigma):
    rng = np.random.default_rng(3)
    M, _ = random_symmetric(rng, [2.0, 1.9, 1.0, 0.3, 0.0, -0.4, -1.0, -3.0])
    W0 = sigma * rng.standard_normal((8, 3))
    path = dynamics.exact(M, W0)
    # A float64 integration loses the small modes behind the first: from 1e-12, stop while all are.
    times = np.array([0.0, 0.1, 1.0, 4.0]) if sigma > 1e-6 else np.array([0.0, 0.1, 1.0])
    flow = dynamics.gradient_flow(M, W0, times, rtol=1e-12)
    reference = np.linalg.svd(flow, compute_uv=False)
    np.testing.assert_allclose(path.singular_values(times), reference, rtol=1e-8)
    gram = path.embeddings(times) @ path.embeddings(times).transpose(0, 2, 1)
    np.testing.assert_allclose(gram, flow @ flow.transpose(0, 2, 1), atol=1e-9 * np.abs(gram).max())
    np.testing.assert_allclose(path.embeddings(0.0), W0, rtol=0, atol=1e-13 * sigma)


SPECTRA = (
    [1.0, 1.0 + 1e-9, 1.0, 0.9, 0.5],
    [2.0, 1.0, 0.1, 0.0, 0.0],
    [1.0, 0.7, -0.3, -2.0, -20.0],
    [30.0, 29.9, 20.0, 1.0, 1.0 - 1e-13],
    [-0.1, -0.1, -1.0, -5.0, 0.0],
)
SHAPES = ("dense", "columns", "rows", "both", "aligned", "rank one", "sparse")
# Five eigenvalues: known hard ones, or some centres, zero often among them, and near them the rest.
CENTRES = st.lists(st.just(0.0) | st.floats(-5, 5), min_size=1, max_size=5)
NEAR = st.lists(st.sampled_from([0.0, 1e-15, -1e-12, 1e-9, -1e-6, 1e-3]), min_size=5, max_size=5)
CLUSTERS = st.builds(lambda c, near: [c[i % len(c)] + near[i] for i in range(5)], CENTRES, NEAR)
STARTS = {
    "spectrum": st.sampled_from(SPECTRA) | CLUSTERS,
    "shape": st.sampled_from(SHAPES),
    "exponent": st.floats(-12, 1),
    "d": st.integers(1, 6),
    "tau": st.floats(0, 10),
    "seed": st.integers(0, 10**6),
}


def make_start(rng, shape, sigma, d):
    W = sigma * rng.standard_normal((5, d))
    columns, rows = 10.0 ** rng.uniform(-6, 0, d), 10.0 ** rng.uniform(-6, 0, (5, 1))
    return {
        "dense": W,
        "columns": W * columns,
        "rows": W * rows,
        "both": W * rows * columns,
        "aligned": sigma * np.eye(5, d, -1) * columns,
        "rank one": np.outer(W[:, 0], 2.0 ** rng.integers(-2, 3, d)),
        "sparse": W * rng.integers(0, 2, W.shape),
    }[shape]


def check_every_mode(reference, longest, spectrum, shape, exponent, d, tau, seed):
    """Every mode above 1e-12 of the largest, to 1e-8; tau in units of tau_d, |lambda| t capped."""
    values = np.sort(spectrum)[::-1]
    W0 = make_start(np.random.default_rng(seed), shape, 10.0**exponent, d)
    scale = max(values[min(d, 5) - 1], 0.1)
    t = tau * np.log1p(100.0**-exponent) / scale
    t = min(t, longest / max(np.abs(values).max(), 1e-3))
    s = dynamics.exact(np.diag(values), W0).singular_values(t)
    expected = reference(values, W0, t)
    seen = (expected > 1e-12 * expected[0]) & (expected > 0)
    np.testing.assert_allclose(s[seen], expected[seen], rtol=1e-8)
    assert np.all(s[~seen] <= 2e-12 * expected[0])


@settings(max_examples=300, deadline=None)
@given(**STARTS)
def test_exact_matches_many_digits(**start):
    """Measured, over 3,000 examples: 3e-13."""
    check_every_mode(many_digits, 2_000, **start)


@settings(max_examples=12, deadline=None)
@given(**STARTS)
def test_exact_matches_an_integrator_that_keeps_small_modes(**start):
    check_every_mode(integrated, 40, **start)


def test_exact_where_exponentials_overflow():
    values = np.array([1000.0, 999.0, 500.0, 1.0, -1000.0])
    W0 = 1e-12 * np.random.default_rng(4).standard_normal((5, 3))
    path = dynamics.exact(np.diag(values), W0)
    np.testing.assert_allclose(path.singular_values(1e6), np.sqrt(values[:3]), rtol=1e-14)
    np.testing.assert_allclose(path.singular_values(np.inf), np.sqrt(values[:3]), rtol=1e-14)
    np.testing.assert_allclose(path.overlaps(np.inf), np.eye(3), atol=1e-14)
    np.testing.assert_allclose(path.singular_values(1.0), many_digits(values, W0, 1.0), rtol=1e-10)


def test_low_rank_stays_low_rank():
    rng = np.random.default_rng(5)
    W0 = rng.standard_normal((6, 2)) @ rng.standard_normal((2, 4))
    s = dynamics.exact(np.diag([3.0, 2.5, 2.0, 1.0, 0.5, -1.0]), W0).singular_values([0, 1.0, 1e3])
    assert np.all(s[:, 2:] == 0) and np.all(s[:, :2] > 0.1)
    nothing = dynamics.exact(np.eye(3), np.zeros((3, 2)))
    assert np.all(nothing.singular_values([0.0, 1.0]) == 0)
    assert nothing.participation_ratio(1.0) == 0 and np.all(nothing.embeddings(1.0) == 0)


def test_aligned_start_recovers_lemma_3_1():
    rng = np.random.default_rng(6)
    M, basis = random_symmetric(rng, [3.0, 2.0, 1.0, -1.0, -2.0])
    s0 = np.array([1e-3, 0.4, 2.0])
    lemma = dynamics.aligned(M, s0)
    rotation = np.linalg.qr(rng.standard_normal((3, 3)))[0]
    exact = dynamics.exact(M, basis[:, :3] * s0 @ rotation.T)
    times = np.linspace(0, 8, 25)
    np.testing.assert_allclose(
        exact.singular_values(times), lemma.singular_values(times), rtol=1e-12
    )
    np.testing.assert_allclose(exact.loss(times), lemma.loss(times), rtol=1e-10)
    np.testing.assert_allclose(exact.learning_times, lemma.learning_times, rtol=1e-10)


# --- what a path reports


def paths():
    rng = np.random.default_rng(7)
    M, _ = random_symmetric(rng, np.linspace(2, -3, 30))
    return M, [
        dynamics.aligned(M, 0.05, dim=6),
        dynamics.exact(M, 0.3 * rng.standard_normal((30, 6))),
        dynamics.exact(M, 0.3 * rng.standard_normal((30, 6)), modes=8),
    ]


def test_loss_is_the_distance_and_only_falls():
    M, all_paths = paths()
    times = np.linspace(0, 12, 40)
    for path in all_paths:
        loss = path.loss(times)
        direct = [np.sum((W @ W.T - M) ** 2) / 4 for W in path.embeddings(times)]
        np.testing.assert_allclose(loss, direct, rtol=1e-12)
        assert np.all(np.diff(loss) < 0)


def test_reports_follow_from_the_embeddings():
    M, all_paths = paths()
    values, vectors = np.linalg.eigh(M)
    values, vectors = values[::-1], vectors[:, ::-1]
    for path in all_paths:
        for t in (0.0, 2.0, 6.0):
            left, s, _ = np.linalg.svd(path.embeddings(t), full_matrices=False)
            np.testing.assert_allclose(path.singular_values(t), s, rtol=1e-10)
            assert path.participation_ratio(t) == pytest.approx(np.sum(s**2) ** 2 / np.sum(s**4))
            assert path.learned_modes(t) == np.sum(s**2 > values[:6] / 2)
    overlaps = all_paths[1].overlaps(6.0)
    left = np.linalg.svd(all_paths[1].embeddings(6.0), full_matrices=False)[0]
    np.testing.assert_allclose(overlaps, (vectors[:, :6].T @ left) ** 2, atol=1e-10)


def test_scalars_and_arrays_of_times():
    for path in paths()[1]:
        assert path.singular_values(1.0).shape == (6,)
        assert path.singular_values([0.0, 1.0]).shape == (2, 6)
        assert np.ndim(path.loss(1.0)) == 0 and path.loss([0.0, 1.0]).shape == (2,)
        assert path.embeddings(1.0).shape == (30, 6) and path.embeddings([1.0]).shape == (1, 30, 6)
        assert path.overlaps([1.0, 2.0]).shape == (2, 6, 6)
        assert np.all(np.diff(path.singular_values(np.linspace(0, 9, 20)), axis=1) <= 0)


# --- a truncated spectrum


@pytest.mark.parametrize("sigma", [1e-6, 1e-2, 0.1])
@pytest.mark.parametrize("krylov", [1, 4, 8])
def test_truncation_error_is_bounded(sigma, krylov):
    rng = np.random.default_rng(8)
    values = np.concatenate([20 * np.arange(1, 41) ** -0.6, np.linspace(2, -30, 160)])
    M, _ = random_symmetric(rng, np.sort(values)[::-1])
    W0 = sigma * rng.standard_normal((200, 5))
    full = dynamics.exact(M, W0)
    part = dynamics.exact(M, W0, modes=20, krylov=krylov)
    times = np.concatenate([[0.0], np.geomspace(1e-3, 4, 25) * full.learning_times[-1]])
    error = np.abs(part.singular_values(times) - full.singular_values(times))
    bound = part.truncation_error(times)
    assert np.all(error <= bound + 1e-12 * full.singular_values(times)[:, :1])
    assert np.all(bound[0] < 1e-6 * sigma) and np.all(bound[-1] < 1e-2)
    if krylov == 8:  # enough to say something at every time, whatever the scale
        assert np.all(bound < 0.02 * full.singular_values(times)[:, :1])
    assert np.all(full.truncation_error(times) == 0)
    np.testing.assert_allclose(part.embeddings(0.0), W0, atol=1e-12 * sigma)


def test_truncation_of_a_start_inside_the_modes():
    M, basis = random_symmetric(np.random.default_rng(9), np.linspace(3, -3, 20))
    W0 = basis[:, :4] @ np.random.default_rng(9).standard_normal((4, 3))
    part, full = dynamics.exact(M, W0, modes=6), dynamics.exact(M, W0)
    assert np.all(part.truncation_error([0.0, 1.0, 5.0]) < 1e-10)
    np.testing.assert_allclose(part.singular_values(2.0), full.singular_values(2.0), rtol=1e-10)


# --- the corpus's own target


@pytest.fixture(scope="module")
def stats():
    rng = np.random.default_rng(10)
    words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(60)]
    texts = [" ".join(rng.choice(words[i % 40 :], 30)) for i in range(200)]
    return CorpusStatistics.from_texts(texts, vocab_size=50, window=4, progress=False)


def test_target_and_array_agree(stats):
    M = target(stats)
    dense = M.toarray()
    times = [0.0, 0.5, 3.0]
    for make in (
        lambda M: dynamics.aligned(M, 0.1, dim=5),
        lambda M: dynamics.exact(M, np.random.default_rng(0).standard_normal((50, 5))),
    ):
        np.testing.assert_allclose(
            make(M).singular_values(times), make(dense).singular_values(times), rtol=1e-5
        )
        np.testing.assert_allclose(make(M).loss(times), make(dense).loss(times), rtol=1e-5)


def test_closed_form_is_the_end_of_the_aligned_path(stats):
    vectors = closed_form(stats, dim=5)
    assert vectors.words == stats.words
    end = dynamics.aligned(target(stats), 0.1, dim=5).embeddings(np.inf)
    np.testing.assert_allclose(vectors.matrix, end, atol=1e-6)


def test_closed_form_with_a_rank_one_weight_minimises_the_weighted_loss(stats):
    g = np.linspace(0.5, 2.0, 50)
    W = closed_form(stats, dim=5, weighting=RankOne(g)).matrix
    M = target(stats).toarray()

    def gradient(W):
        return np.outer(g, g) * (W @ W.T - M) @ W

    plain = closed_form(stats, dim=5).matrix
    assert np.abs(gradient(W)).max() < 1e-4 * np.abs(gradient(plain)).max()


def test_gradient_flow_matches_runge_kutta():
    rng = np.random.default_rng(11)
    M, _ = random_symmetric(rng, [2.0, 1.0, 0.0, -1.0])
    W0 = 0.3 * rng.standard_normal((4, 2))
    flow = dynamics.gradient_flow(scipy.sparse.csr_array(M).toarray(), W0, [0.0, 1.0, 2.0])
    np.testing.assert_allclose(flow[0], W0)
    np.testing.assert_allclose(flow[2], runge_kutta(M, W0, 2.0, 2_000), atol=1e-9)
    np.testing.assert_array_equal(dynamics.gradient_flow(M, W0, 0.0), W0[None])


# --- bad input

M2 = np.diag([2.0, 1.0, -1.0])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: dynamics.aligned(M2, 0.0), "must be positive and finite; received 0.0"),
        (lambda: dynamics.aligned(M2, -1.0), "must be positive and finite; received -1.0"),
        (lambda: dynamics.aligned(M2, np.nan), "must be positive and finite; received nan"),
        (lambda: dynamics.aligned(M2, [0.1, 0.1], dim=1), "each of the 1 modes; received shape"),
        (lambda: dynamics.aligned(M2, [[0.1]]), r"one value a mode; received shape \(1, 1\)"),
        (lambda: dynamics.aligned(M2, 0.1, dim=3), "2 positive eigenvalues.*received 3"),
        (lambda: dynamics.aligned(-np.eye(2), 0.1), "no positive eigenvalue"),
        (lambda: dynamics.aligned(M2, 0.1, dim=4), "between 1 and 3.*received 4"),
        (lambda: dynamics.aligned(M2, 0.1, dim=0), "between 1 and 3.*received 0"),
        (lambda: dynamics.aligned(M2, 0.1, dim=1.5), "must be a whole number.*received 1.5"),
        (lambda: dynamics.aligned(np.ones((2, 3)), 0.1), r"square table; received shape \(2, 3\)"),
        (
            lambda: dynamics.aligned([[0.0, 1.0], [0.0, 0.0]], 0.1),
            r"symmetric; received 1.0 at \(0, 1\) and 0.0",
        ),
        (lambda: dynamics.aligned([[np.nan]], 0.1), "target must be finite"),
        (
            lambda: dynamics.vanishing(M2, [0.1, 0.1], 2),
            r"sigma must be one number; received shape \(2,\)",
        ),
        (lambda: dynamics.aligned(M2, 0.1).loss(-1.0), "t >= 0; received -1.0"),
        (lambda: dynamics.aligned(M2, 0.1).loss(np.nan), "t >= 0; received nan"),
        (
            lambda: dynamics.aligned(M2, 0.1).loss([[1.0]]),
            r"array of times; received shape \(1, 1\)",
        ),
        (lambda: dynamics.exact(M2, np.ones((2, 2))), r"shape \(3, d\).*received \(2, 2\)"),
        (lambda: dynamics.exact(M2, np.ones(3)), r"shape \(3, d\).*received \(3,\)"),
        (lambda: dynamics.exact(M2, np.full((3, 1), np.inf)), "W0 must be finite"),
        (lambda: dynamics.exact(M2, np.ones((3, 1)), modes=4), "between 1 and 3.*received 4"),
        (lambda: dynamics.exact(M2, np.ones((3, 1)), modes=1, krylov=0), "at least 1.*received 0"),
        (lambda: dynamics.learning_times([np.nan], 0.1), "eigenvalues must be finite"),
        (lambda: dynamics.sigmoid(1.0, 0.1, -2.0), "t >= 0; received -2.0"),
        (lambda: dynamics.gradient_flow(M2, np.ones((2, 1)), [1.0]), r"shape \(3, d\)"),
        (lambda: dynamics.gradient_flow(M2, np.ones((3, 1)), [1.0, 0.5]), "ascending"),
    ],
)
def test_bad_input_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_large_target_needs_the_number_of_modes(stats, monkeypatch):
    small = target(stats)
    assert len(dynamics.aligned(small, 0.1).eigenvalues) == spectrum.positive_eigenvalues(small)
    monkeypatch.setattr(spectrum.solver, "FULL", 10)
    with pytest.raises(ValueError, match="dim, the number of modes, must be given"):
        dynamics.aligned(target(stats), 0.1)
    with pytest.raises(ValueError, match="positive"):
        closed_form(stats, dim=50)


# --- accuracy foretold


def test_accuracy_is_foretold_from_the_seed_alone():
    times = np.array([0.01, 0.05])
    found = exact_accuracy.record(300, 12, 0.1, (3,), times)
    counts = load_statistics().restrict(300)
    W0 = 0.1 / 12**0.5 * np.random.default_rng(3).standard_normal((300, 12))
    flow = dynamics.gradient_flow(target(counts), W0, times, rtol=1e-6)
    trained = [exact_accuracy.accuracy(counts.words, W) for W in flow]
    assert found["exact"]["3"]["accuracy"] == pytest.approx(trained, abs=0.005)
    assert found["result_3"] != pytest.approx(trained, abs=0.02)


def test_the_shipped_foretelling_is_of_the_shipped_counts():
    shipped = json.loads(datasets.verify("exact-accuracy.json").read_text(encoding="ascii"))
    assert shipped["statistics"] == load_statistics().fingerprint
    runs = [datasets.load_run(f"qwem-large{which}") for which in ("", "-seed1", "-seed2")]
    looks = np.array([mark["time"] for mark in runs[0].checkpoints[1:]])
    apart = np.abs(np.array(shipped["times"]) - looks[:, None]).min(axis=1)
    assert (apart < 0.05 * looks).all()  # a point of the prediction near each point of the run
    ends = [seed["accuracy"][-1] for seed in shipped["exact"].values()]
    assert len(ends) == len(exact_accuracy.SEEDS)
    trained = [run.checkpoints[-1]["accuracy"] for run in runs]
    np.testing.assert_allclose(ends, trained, atol=0.001)  # ten questions of 7,478
    for seed in shipped["exact"].values():
        assert len(seed["accuracy"]) == len(seed["bound"]) == len(shipped["times"])
