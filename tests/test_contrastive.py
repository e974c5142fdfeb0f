"""Softmax losses: gradients by differences, their quartic model, the theory over training."""

import numpy as np
import pytest

from qw2v import CorpusStatistics, dynamics
from qw2v.dynamics import contrastive


@pytest.fixture
def pair():
    """Positive pairs of seven views, with unequal marginals."""
    rng = np.random.default_rng(0)
    table = rng.uniform(0.1, 1, (7, 7))
    return (table + table.T) / (table + table.T).sum()


def differences(loss, W):
    gradient = np.zeros_like(W)
    for place in np.ndindex(W.shape):
        step = np.zeros_like(W)
        step[place] = 1e-6
        gradient[place] = (loss(W + step) - loss(W - step)) / 2e-6
    return gradient


def test_gradients_match_finite_differences(pair):
    W = 0.7 * np.random.default_rng(1).standard_normal((7, 3))
    for loss in (contrastive.infonce, contrastive.quartic):
        np.testing.assert_allclose(
            loss(W, pair)[1], differences(lambda W, f=loss: f(W, pair)[0], W), atol=1e-8
        )
    batch = [0, 1, 1, 5], [3, 2, 1, 5]  # one view twice, and a view with itself
    np.testing.assert_allclose(
        contrastive.nt_xent(W, *batch)[1],
        differences(lambda W: contrastive.nt_xent(W, *batch)[0], W),
        atol=1e-8,
    )


def test_infonce_is_the_sum_it_says(pair):
    W = np.random.default_rng(2).standard_normal((7, 2))
    marginal, expected = pair.sum(axis=1), 0.0
    for i in range(7):
        negatives = sum(marginal[k] * np.exp(W[i] @ W[k]) for k in range(7))
        for j in range(7):
            expected -= pair[i, j] * np.log(np.exp(W[i] @ W[j]) / negatives)
    assert contrastive.infonce(W, pair)[0] == pytest.approx(expected)


def test_nt_xent_is_the_sum_it_says():
    W = np.random.default_rng(3).standard_normal((5, 2))
    first, second = [0, 1, 4], [2, 3, 4]
    views, terms = [*first, *second], []
    for i in range(6):
        others = [np.exp(W[views[i]] @ W[views[k]]) for k in range(6) if k != i]
        partner = (i + 3) % 6
        terms.append(-np.log(np.exp(W[views[i]] @ W[views[partner]]) / sum(others)))
    assert contrastive.nt_xent(W, first, second)[0] == pytest.approx(np.mean(terms))


def test_the_model_is_of_second_order_in_the_products(pair):
    W = np.random.default_rng(4).standard_normal((7, 3))
    gaps = [
        abs(contrastive.infonce(s * W, pair)[0] - contrastive.quartic(s * W, pair)[0])
        for s in (0.2, 0.1, 0.05)
    ]
    # x is of second order in W, and what is left out of third order in x.
    np.testing.assert_allclose(np.divide(gaps[:2], gaps[1:]), 2**6, rtol=0.15)


def test_the_model_is_weighted_factorisation_of_the_ratio(pair):
    """For centred embeddings it is sum P_i P_j (x_ij - M_ij)^2 / 2 and a constant."""
    M, marginal = contrastive.target(pair), pair.sum(axis=1)
    constants = []
    for seed in (5, 6):
        W = np.random.default_rng(seed).standard_normal((7, 3))
        W -= marginal @ W
        square = np.sum(np.outer(marginal, marginal) * (W @ W.T - M) ** 2) / 2
        constants.append(contrastive.quartic(W, pair)[0] - square)
    assert constants[0] == pytest.approx(constants[1])


def test_toy_pairs_are_what_drawing_them_gives():
    views = contrastive.toy(per_circle=6, spreads=(0.5, 1.0), leak=0.2)
    np.testing.assert_allclose(views.pair, views.pair.T, atol=1e-15)
    np.testing.assert_allclose(views.pair.sum(axis=1), 1 / 12)
    assert views.points.shape == (12, 2) and np.bincount(views.circle).tolist() == [6, 6]
    rng, draws = np.random.default_rng(7), 40_000
    item = rng.integers(0, 12, draws)

    def view():
        """Turn by a normal angle restricted to the six places, and change circle now and then."""
        circle, place = np.divmod(item, 6)
        distance = np.arange(-60, 61) * 2 * np.pi / 6
        chance = np.exp(-0.5 * (distance / np.array([[0.5], [1.0]])) ** 2)
        ladder = np.cumsum(chance / chance.sum(axis=1, keepdims=True), axis=1)
        turn = (rng.random(draws)[:, None] > ladder[circle]).sum(axis=1) - 60
        moved = rng.random(draws) < 0.2
        return np.where(moved, 1 - circle, circle) * 6 + (place + turn) % 6

    counted = np.zeros((12, 12))
    np.add.at(counted, (view(), view()), 1 / draws)
    assert np.abs(counted - views.pair).max() < 5 * np.sqrt(views.pair.max() / draws)


def test_modes_of_the_toy_are_harmonics_and_the_circles():
    views = contrastive.toy(per_circle=24, spreads=(0.5, 1.0), leak=0.2)
    values, vectors = np.linalg.eigh(contrastive.target(views.pair))
    vectors = vectors[:, ::-1]
    sign = np.where(views.circle == 0, 1, -1) / np.sqrt(48)
    assert abs(vectors[:, 2] @ sign) == pytest.approx(1, abs=1e-9)  # which circle
    angle = np.arctan2(views.points[:, 1], views.points[:, 0])
    inner = views.circle == 0
    for columns, turns in (([0, 1], 1), ([3, 4], 2), ([5, 6], 1)):  # times round which circle
        where = ~inner if columns == [5, 6] else inner
        waves = np.array([np.cos(turns * angle), np.sin(turns * angle)]) * where / np.sqrt(12)
        parts = vectors[:, columns] - vectors[:, columns] * ~where[:, None]
        aligned = np.linalg.norm(waves @ vectors[:, columns], axis=0)
        np.testing.assert_allclose(aligned, np.linalg.norm(parts, axis=0), atol=1e-9)
        assert aligned.min() > 0.8  # the leak lets it be seen on the other circle too


def test_the_theory_lies_on_the_model_and_on_the_early_loss():
    views = contrastive.toy(per_circle=12)
    W0 = 1e-3 * np.random.default_rng(8).standard_normal((24, 4))
    W0 -= W0.mean(axis=0)
    path = dynamics.exact(contrastive.target(views.pair), W0)
    times = np.linspace(0, 1.2, 25) * path.learning_times[-1]
    theory = path.singular_values(times)

    def measured(loss):
        flow = contrastive.flow(W0, times, views.pair, loss, rtol=1e-9)
        return np.linalg.svd(flow, compute_uv=False)

    np.testing.assert_allclose(measured(contrastive.quartic), theory, atol=1e-6 * theory.max())
    real = measured(contrastive.infonce)
    early = theory[:, 0] < 0.1
    assert early.sum() > 3
    np.testing.assert_allclose(real[early], theory[early], rtol=1e-2)
    assert np.abs(real[-1] - theory[-1]).max() > 0.5  # and at the end they part


def test_batches_descend_the_population_loss_on_average(pair):
    """While x is small, up to the share (2 B - 2) / (2 B - 1) of a batch that is negative."""
    W = 1e-3 * np.random.default_rng(9).standard_normal((7, 2))
    rng, B, draws = np.random.default_rng(10), 4, 4_000
    cells = rng.choice(49, size=(draws, B), p=pair.ravel())
    slopes = np.array([contrastive.nt_xent(W, *np.divmod(cell, 7))[1] for cell in cells])
    error = slopes.std(axis=0) / np.sqrt(draws)
    expected = contrastive.infonce(W, pair)[1] * (2 * B - 2) / (2 * B - 1)
    assert np.all(np.abs(slopes.mean(axis=0) - expected) < 5 * error)
    assert np.abs(expected).max() > 8 * error.max()


def test_sampled_training_follows_the_flow_and_is_repeatable():
    views = contrastive.toy(per_circle=6)
    W0 = 0.1 * np.random.default_rng(11).standard_normal((12, 3))
    options = dict(batch=64, steps=150, lr=0.01, every=50, progress=False)
    times, trace = contrastive.sgd(W0, views.pair, seed=1, **options)
    again = contrastive.sgd(W0, views.pair, seed=1, **options)[1]
    other = contrastive.sgd(W0, views.pair, seed=2, **options)[1]
    np.testing.assert_array_equal(trace, again)
    flow = np.linalg.svd(contrastive.flow(W0, times, views.pair), compute_uv=False)
    assert flow[-1, 0] > 2.5 * flow[0, 0]
    assert np.abs(trace[-1] - flow[-1]).max() < 0.1 * flow[-1, 0]
    assert 0 < np.abs(trace - other).max() < 0.2 * flow[-1, 0]


def test_next_token_target_is_the_whitened_ratio():
    rng = np.random.default_rng(10)
    words = [f"w{chr(97 + i)}" for i in range(15)]
    texts = [" ".join(rng.choice(words, 30)) for _ in range(40)]
    stats = CorpusStatistics.from_texts(texts, vocab_size=12, window=3, progress=False)
    N = contrastive.next_token(stats)
    joint = stats.pair_counts.toarray() / stats.pair_counts.sum()
    marginal = joint.sum(axis=1)
    conditional = joint / marginal[:, None]
    ratio = conditional / marginal - 1
    np.testing.assert_allclose(
        N.toarray(), np.sqrt(np.outer(marginal, marginal)) * ratio, atol=1e-14
    )
    values, vectors = N.eigenpairs(3)
    W = vectors * np.sqrt(values) / N.scale[:, None]
    # W is at rest in the quartic model of a softmax with a unigram bias.
    gradient = contrastive.quartic(W, joint)[1]
    assert np.abs(gradient).max() < 1e-10
    assert np.abs(contrastive.quartic(0.5 * W, joint)[1]).max() > 1e-4


def test_errors_name_what_is_wrong(pair):
    with pytest.raises(ValueError, match=r"leak in \[0, 1\); received .* and 1"):
        contrastive.toy(leak=1)
    with pytest.raises(ValueError, match=r"symmetric \(n, n\) table; received shape \(3, 7\)"):
        contrastive.target(pair[:3])
    with pytest.raises(ValueError, match="sum to 1, .* received a sum of 2"):
        contrastive.infonce(np.ones((7, 1)), 2 * pair)
    with pytest.raises(ValueError, match="batch must be at least 2 pairs; received 1"):
        contrastive.sgd(np.ones((7, 1)), pair, batch=1, lr=0.1)
    stats = CorpusStatistics.from_texts(["a a", "b"], vocab_size=2, window=1, progress=False)
    with pytest.raises(ValueError, match="'b' has none"):
        contrastive.next_token(stats)
