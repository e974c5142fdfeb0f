"""Untied weights: the exact path against integrators, and what the flow conserves and learns."""

import numpy as np
import pytest

from qw2v import CorpusStatistics, dynamics, targets
from qw2v import target as make_target
from qw2v.dynamics import _dilation, untied

VALUES = np.array([-3.0, 2.5, 1.5, -1.2, 0.7, 0.3, -0.2, 0.0])


def symmetric(rng, values=VALUES):
    basis = np.linalg.qr(rng.standard_normal((len(values), len(values))))[0]
    return (basis * values) @ basis.T, basis


def runge_kutta(M, W, context, time, steps=4_000):
    """Classical fourth-order steps of both equations, written as the loss gives them."""

    def slope(pair):
        W, context = pair
        residual = M - W @ context.T
        return np.stack([residual @ context / 2, residual.T @ W / 2])

    h, pair = time / steps, np.stack([W, context])
    for _ in range(steps):
        a = slope(pair)
        b = slope(pair + h / 2 * a)
        c = slope(pair + h / 2 * b)
        pair = pair + h / 6 * (a + 2 * b + 2 * c + slope(pair + h * c))
    return pair


def with_imbalance(rng, c, d=3, sigma=0.4):
    """A start with W^T W - W'^T W' = c I and no other structure."""
    left, right = (np.linalg.qr(rng.standard_normal((8, d)))[0] for _ in range(2))
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    lower = sigma * rng.uniform(0.2, 1, d)
    upper = np.sqrt(lower**2 + abs(c))
    one, other = (upper, lower) if c >= 0 else (lower, upper)
    return left * one @ turn, right * other @ turn


def test_the_flow_descends_the_gradient_of_the_loss():
    rng = np.random.default_rng(0)
    M, _ = symmetric(rng)
    start = rng.standard_normal((2, 8, 3))

    def loss(pair):
        return np.sum((pair[0] @ pair[1].T - M) ** 2) / 4

    gradient = np.zeros_like(start)
    for place in np.ndindex(start.shape):
        step = np.zeros_like(start)
        step[place] = 1e-6
        gradient[place] = (loss(start + step) - loss(start - step)) / 2e-6
    h = 1e-6
    W, context = untied.gradient_flow(M, *start, [0.0, h], rtol=1e-12)
    slope = np.stack([W[1] - W[0], context[1] - context[0]]) / h
    np.testing.assert_allclose(slope, -gradient, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("c", [0.0, 0.5, -2.0, 30.0])
def test_exact_matches_runge_kutta(c):
    rng = np.random.default_rng(1)
    M, _ = symmetric(rng)
    start = with_imbalance(rng, c)
    path = untied.exact(M, *start)
    assert path.offset == pytest.approx(c)
    for t in (0.0, 0.6, 3.0):
        W, context = runge_kutta(M, *start, t)
        ours, ours_context = path.embeddings(t), path.contexts(t)
        scale = max(1.0, abs(c))
        for one, other, mine, mine_too in (
            (W, W, ours, ours),
            (context, context, ours_context, ours_context),
            (W, context, ours, ours_context),
        ):
            np.testing.assert_allclose(mine @ mine_too.T, one @ other.T, atol=1e-9 * scale)
        product = np.linalg.svd(W @ context.T, compute_uv=False)[:3]
        np.testing.assert_allclose(path.singular_values(t) ** 2, product, atol=1e-9 * scale)
        loss = np.sum((W @ context.T - M) ** 2) / 4
        assert path.loss(t) == pytest.approx(loss, rel=1e-9)


def test_any_start_conserves_its_imbalance_and_the_exact_path_too():
    rng = np.random.default_rng(2)
    M, _ = symmetric(rng)
    start = rng.standard_normal((2, 8, 3))
    flow = untied.gradient_flow(M, *start, [0.0, 1.0, 5.0])
    for W, context in zip(*flow, strict=True):
        np.testing.assert_allclose(
            untied.imbalance(W, context), untied.imbalance(*start), atol=1e-7
        )
    path = untied.exact(M, *with_imbalance(rng, 0.7))
    for t in (0.0, 1.0, 5.0):
        C = untied.imbalance(path.embeddings(t), path.contexts(t))
        np.testing.assert_allclose(C, 0.7 * np.eye(3), atol=1e-12)


def test_modes_are_learned_by_magnitude_and_a_negative_one_with_opposite_signs():
    rng = np.random.default_rng(3)
    M, basis = symmetric(rng)
    W0, context0 = untied.balanced(M, *(1e-5 * rng.standard_normal((2, 8, 4))))
    np.testing.assert_allclose(untied.imbalance(W0, context0), np.zeros((4, 4)), atol=1e-22)
    path = untied.exact(M, W0, context0)
    assert np.all(np.diff(path.learning_times) > 0)
    for k in (1, 2):
        halfway = path.singular_values(path.learning_times[k - 1])[k - 1] ** 2
        assert halfway == pytest.approx(np.abs(VALUES[k - 1]) / 2, rel=0.05)
    order = np.argsort(-np.abs(VALUES))[:4]
    W, context = path.embeddings(np.inf), path.contexts(np.inf)
    best = (basis[:, order] * VALUES[order]) @ basis[:, order].T
    np.testing.assert_allclose(W @ context.T, best, atol=1e-10)
    along = basis[:, :2].T
    np.testing.assert_allclose(along[0] @ context, -along[0] @ W, atol=1e-10)
    np.testing.assert_allclose(along[1] @ context, along[1] @ W, atol=1e-10)


def test_a_tied_start_stays_tied_for_ever():
    rng = np.random.default_rng(4)
    M, _ = symmetric(rng)
    W0 = 0.1 * rng.standard_normal((8, 3))
    path, tied = untied.exact(M, W0, W0), dynamics.exact(M, W0)
    times = np.array([0.0, 1.0, 10.0, 1e4, np.inf])
    np.testing.assert_allclose(
        path.singular_values(times), tied.singular_values(times), rtol=1e-10, atol=1e-15
    )
    W, context = path.embeddings(1e4), path.contexts(1e4)
    np.testing.assert_array_equal(np.abs(W - context) < 1e-12, True)


def test_a_small_random_start_is_nearly_balanced():
    """Neglecting the imbalance costs sigma^2: ten times smaller, a hundred times better."""
    rng = np.random.default_rng(5)
    M, _ = symmetric(rng)
    start = rng.standard_normal((2, 8, 3))
    errors = []
    for sigma in (1e-1, 1e-2, 1e-3):
        path = untied.exact(M, *(sigma * start), tolerance=10)
        times = (
            np.linspace(0.2, 1.6, 9)
            * untied.exact(M, *untied.balanced(M, *(sigma * start))).learning_times[-1]
        )
        W, context = untied.gradient_flow(M, *(sigma * start), times, rtol=1e-12)
        reference = np.linalg.svd(W @ context.transpose(0, 2, 1), compute_uv=False)[:, :3]
        errors.append(np.abs(path.singular_values(times) ** 2 - reference).max())
    assert errors[0] > 1e-4
    assert errors[1] < 0.03 * errors[0] and errors[2] < 0.03 * errors[1]


@pytest.fixture(scope="module")
def target():
    rng = np.random.default_rng(6)
    words = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(80)]
    texts = [" ".join(rng.choice(words[i % 50 :], 30)) for i in range(300)]
    stats = CorpusStatistics.from_texts(texts, vocab_size=70, window=4, progress=False)
    return make_target(stats)


def test_eigenpairs_take_both_ends(target, monkeypatch, tmp_path):
    monkeypatch.setenv("QW2V_CACHE", str(tmp_path))
    values = np.linalg.eigvalsh(target.toarray())
    expected = values[np.argsort(-np.abs(values))][:30]
    for full in (2_000, 10):  # diagonalised, and from its two ends
        monkeypatch.setattr(_dilation, "FULL", full)
        found, vectors = untied.eigenpairs(target, 30)
        np.testing.assert_allclose(found, expected, rtol=1e-9)
        np.testing.assert_allclose(target @ vectors, vectors * found, atol=1e-8)
    assert np.sum(expected < 0) > 7  # more than the first guess of a quarter
    with pytest.raises(ValueError, match="k must be a whole number between 1 and 70.*received 71"):
        untied.eigenpairs(target, 71)


@pytest.mark.parametrize("c", [0.0, 3.0])
def test_a_truncated_path_stays_within_its_bound(target, monkeypatch, c):
    rng = np.random.default_rng(7)
    if c:
        W0, context0 = np.sqrt(c) * np.linalg.qr(rng.standard_normal((70, 4)))[0], np.zeros((70, 4))
    else:
        W0, context0 = untied.balanced(target, *(0.05 * rng.standard_normal((2, 70, 4))))
    full = untied.exact(target.toarray(), W0, context0)
    monkeypatch.setattr(_dilation, "FULL", 10)
    part = untied.exact(target, W0, context0, modes=15, krylov=6)
    times = np.linspace(0, 2, 15) * full.learning_times[-1] if c == 0 else np.linspace(0, 5, 15)
    error = np.abs(part._path.singular_values(times) - full._path.singular_values(times))
    bound = part.truncation_error(times)
    assert np.all(error <= bound + 1e-9 * part._path.singular_values(times)[:, :1])
    assert np.all(np.isfinite(bound[-1])) and np.all(bound[-1] < 0.05)
    np.testing.assert_allclose(part.loss(times), full.loss(times), rtol=1e-3)
    np.testing.assert_array_equal(full.truncation_error(times), 0)


def test_the_operator_is_the_matrix_it_stands_for(target):
    M, c = target.toarray(), 1.7
    whole = np.block([[c / 2 * np.eye(70), M], [M, -c / 2 * np.eye(70)]])
    operator = _dilation.Dilation(target, c, progress=False)
    x = np.random.default_rng(8).standard_normal((140, 3))
    np.testing.assert_allclose(operator @ x, whole @ x, atol=1e-10)
    np.testing.assert_array_equal(operator.toarray(), whole)
    np.testing.assert_allclose(operator.prepared() @ x, whole @ x, atol=1e-10)
    np.testing.assert_array_equal((-operator).toarray(), -whole)
    assert operator.frobenius_squared == pytest.approx(np.sum(whole**2))
    values, vectors = operator.eigenpairs(5)
    np.testing.assert_allclose(values, np.linalg.eigvalsh(whole)[::-1][:5])
    np.testing.assert_allclose(whole @ vectors, vectors * values, atol=1e-9)


def test_errors_say_what_to_do(target):
    M = np.diag(VALUES)
    rng = np.random.default_rng(9)
    W0, context0 = rng.standard_normal((2, 8, 3))
    with pytest.raises(ValueError, match=r"c I by 0\.\d+ of its size.*balanced\(\)"):
        untied.exact(M, W0, context0)
    with pytest.raises(
        ValueError, match=r"W0_context must have shape \(8, 3\), as W0 has; received \(8, 2\)"
    ):
        untied.exact(M, W0, context0[:, :2])
    with pytest.raises(ValueError, match="W0 must be finite"):
        untied.gradient_flow(M, W0 * np.nan, context0, [0.0, 1.0])
    with pytest.raises(ValueError, match="symmetric"):
        untied.exact(M + np.eye(8, k=1), W0, W0)
    with pytest.raises(ValueError, match=r"stays tied: use dynamics.exact\(\)"):
        untied.exact(target, W0 := rng.standard_normal((70, 3)), W0, modes=20)
    assert isinstance(target, targets.Target)
