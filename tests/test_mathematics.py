"""Corners of the mathematics in which a mutant lived: each test here was written to notice one.

`make mutants` plants single faults into targets, weighting, evaluation and dynamics; what the tests
of those rooms had not noticed, and should, is held here. tests/mutants.md judges the rest.
"""

import numpy as np
import pytest

from qw2v import CorpusStatistics, WordVectors, dynamics, evaluate, targets
from qw2v.dynamics import contrastive, discrete, minibatch, rankone, untied
from qw2v.dynamics._dilation import Dilation
from qw2v.dynamics._flow import integrate
from qw2v.evaluation import google_questions, known_rows
from qw2v.spectrum import as_symmetric
from qw2v.weighting import (
    ByFrequency,
    PlainMeans,
    RankOne,
    Setting31,
    Word2Vec,
    describe,
    fingerprint,
    negative_factors,
)

RNG = np.random.default_rng


def symmetric(values, seed=0):
    basis = np.linalg.qr(RNG(seed).standard_normal((len(values), len(values))))[0]
    matrix = (basis * values) @ basis.T
    return (matrix + matrix.T) / 2


# ---- dynamics ------------------------------------------------------------------------------------


def test_a_mode_that_never_passes_its_half_does_not_end_the_search():
    found = dynamics.half_times([[0.1, 0.0], [0.1, 1.0], [0.1, 2.0]], [4.0, 4.0], [0, 1, 2])
    assert np.isnan(found[0]) and np.isclose(found[1], 4 / 3)


def test_learned_modes_are_counted_below_one_and_negative_ones_never():
    path = dynamics.exact(np.diag([0.5, 0.25, -3.0]), 0.1 * np.eye(3))
    assert path.learned_modes([0.0, 500.0]).tolist() == [0, 2]
    half = dynamics.aligned(np.diag([1.0]), 0.1)
    middle = float(half.learning_times[0])
    assert half.learned_modes([0.99 * middle, 1.01 * middle]).tolist() == [0, 1]


@pytest.mark.parametrize("start", [[[0.5]], [[0.5], [0.0]], [[0.3, 0.4], [0.0, 0.0]]])
def test_one_direction_participates_as_one(start):
    path = dynamics.exact(np.diag([2.0, 1.0][: len(start)]), start)
    assert path.participation_ratio(0.0) == pytest.approx(1)


def test_participation_is_that_of_the_squares():
    path = dynamics.aligned(np.diag([9.0, 4.0]), [3.0, 2.0])
    assert path.participation_ratio(0.0) == pytest.approx(13**2 / (81 + 16))


def test_directions_come_by_size_and_not_by_eigenvalue():
    path = dynamics.aligned(np.diag([2.0, 1.0]), [0.01, 0.5])
    np.testing.assert_allclose(path.overlaps(0.0), [[0, 1], [1, 0]], atol=1e-12)
    np.testing.assert_allclose(path.overlaps(99.0), np.eye(2), atol=1e-12)


def test_a_vanishing_start_has_as_many_modes_as_asked_and_knows_its_target():
    M = symmetric([3.0, 2.0, 1.0, -2.0])
    path = dynamics.vanishing(M, 1e-6, dim=2)
    assert path.singular_values(1.0).shape == (2,)
    assert path.loss(0.0) == pytest.approx(np.sum(M**2) / 4)
    with pytest.raises(ValueError, match="3"):
        dynamics.vanishing(M, [1e-6, 1e-6, 1e-6], dim=2)


def test_a_path_says_what_it_follows():
    W0 = 0.1 * RNG(1).standard_normal((4, 3))
    exact = dynamics.exact(symmetric([3.0, 2.0, 1.0, -2.0]), W0)
    assert "V=4, d=3" in repr(exact) and np.array_equal(exact.initial, W0)
    assert "V=4, d=2" in repr(dynamics.vanishing(symmetric([3.0, 2.0, 1.0, -2.0]), 0.1, dim=2))


def test_the_integrator_repeats_its_start_and_keeps_its_default_tolerance():
    start = np.arange(6.0).reshape(3, 2)
    assert np.array_equal(integrate(lambda W: -W, start, [0.0, 0.0]), [start, start])
    end = integrate(lambda W: -W, start, [0.0, 3.0])[1]
    np.testing.assert_allclose(end, np.exp(-3) * start, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("c", [0.0, 0.7, -2.0])
def test_rows_of_the_dilation_in_blocks_of_any_place(c):
    M = symmetric([3.0, 1.0, 0.5, -1.0, -2.0], seed=3)
    dilation, n = Dilation(as_symmetric(M), c), len(M)
    whole = np.block([[c / 2 * np.eye(n), M], [M, -c / 2 * np.eye(n)]])
    for low in range(2 * n):
        for high in range(low + 1, 2 * n + 1):
            np.testing.assert_array_equal(dilation.rows(low, high), whole[low:high])
    assert dilation.rows(0, 3, np.float32).dtype == np.float32
    np.testing.assert_allclose((-dilation) @ np.eye(2 * n), -whole, atol=1e-15)
    np.testing.assert_allclose(dilation.prepared() @ np.eye(2 * n), whole, atol=1e-15)


@pytest.mark.parametrize(
    "negative", [[0.1, 0.2, 0.3, 0.4], [4.5, 6, 1, 0.5], [7, 8, 9, 10], [3.5, 0.2, 0.1, 6]]
)
def test_eigenpairs_by_magnitude_from_both_ends(negative, monkeypatch):
    monkeypatch.setattr("qw2v.dynamics._dilation.FULL", 0)
    values = np.array([5, 4, 3, 2, *(-value for value in negative)])
    ordered = sorted(values, key=abs, reverse=True)
    M = symmetric(values, seed=4)
    for k in range(1, 5):
        found, vectors = untied.eigenpairs(M, k, progress=False)
        np.testing.assert_allclose(found, ordered[:k], atol=1e-9)
        np.testing.assert_allclose(M @ vectors, vectors * found, atol=1e-8)


def test_an_untied_path_counts_negative_modes_and_names_its_directions():
    M = symmetric([2.0, -3.0, 0.5, 0.1], seed=5)
    W, context = untied.balanced(M, *(0.01 * RNG(s).standard_normal((4, 3)) for s in (1, 2)))
    values, vectors = np.linalg.eigh(M)
    growing = vectors.T @ W
    np.testing.assert_allclose(np.sign(values)[:, None] * growing, vectors.T @ context, atol=1e-15)
    path = untied.exact(M, W, context)
    assert path.learned_modes([0.0, 1e4]).tolist() == [0, 3]
    np.testing.assert_allclose(path.overlaps(1e4), np.eye(3), atol=1e-6)
    assert repr(path).startswith("<UntiedTrajectory: V=4, d=3, c=")
    for t in np.linspace(1, 40, 30):
        s = path.singular_values(t)
        assert path.learned_modes(t) == np.sum(s**2 > np.array([3, 2, 0.5]) / 2)
    np.testing.assert_allclose(path.eigenvalues[:3], [-3, 2, 0.5], atol=1e-12)
    np.testing.assert_allclose(np.abs(path.eigenvectors[:, 0]), np.abs(vectors[:, 0]), atol=1e-12)


def test_a_large_target_is_followed_in_twice_as_many_modes_as_dimensions(monkeypatch):
    for room in ("_exact", "untied"):
        monkeypatch.setattr(f"qw2v.dynamics.{room}.FULL", 3)
    M = symmetric([9.0, 8, 7, 6, 5, 4, 3, -1, -2, -3], seed=7)
    W0 = 0.1 * RNG(8).standard_normal((10, 2))
    path = dynamics.exact(M, W0, krylov=1, progress=False)
    assert len(path.eigenvalues) == 2 * 2 + 2  # and one block as wide as the start
    np.testing.assert_allclose(path.eigenvalues[:4], [9, 8, 7, 6])
    W, context = untied.balanced(M, W0, 0.1 * RNG(9).standard_normal((10, 2)))
    assert len(untied.exact(M, W, context, krylov=1, progress=False).eigenvalues) == 2 * 2


def test_times_of_a_start_beyond_its_mode_are_zero():
    assert rankone.learning_times(np.diag([2.0, 1.0]), [1, 1], 3.0, dim=2)[0] == 0


# ---- steps and noise -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: discrete.step_sigmoid([2.0], 0.1, 0.0, 1.0), "lr lambda must lie between"),
        (lambda: discrete.step_sigmoid([0.0], 0.1, 0.1, 1.0), "lr lambda must lie between"),
        (lambda: discrete.step_sigmoid([2.0], 0.1, 0.5, 1.0), "lr lambda must lie between"),
        (lambda: discrete.step_sigmoid([1.0], 1.0, 0.1, 1.0), "below lambda"),
        (lambda: discrete.step_sigmoid([1.0], 1.2, 0.1, 1.0), "below lambda"),
        (lambda: discrete.relaxation_rates([1.0, 0.0], 2), "positive eigenvalues, 1"),
        (lambda: discrete.largest_lr([0.0, -1.0]), "no eigenvalue is positive"),
    ],
)
def test_the_edges_of_what_is_allowed_are_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_the_edges_of_what_is_allowed_are_taken():
    assert discrete.relaxation_rates([3.0, 1.0], 2).tolist() == [[3.0, 2.0], [0.0, 1.0]]
    assert discrete.largest_lr([0.5, -0.1]) == 4.0
    assert np.isfinite(discrete.period_two(2.0)).all()
    assert discrete.attractor(0.5).shape[0] == 200
    assert discrete.attractor(0.5, skip=0, keep=3).shape[0] == 3


def test_variance_is_refused_past_the_edge_and_zero_for_rotations():
    noise = minibatch.noise(symmetric([1.5, 1.0, 0.2, -0.5]) / 2, dim=2)
    edge = 2 / noise.rates.max()
    assert (noise.variance(0.99 * edge, 8)[noise.rates <= 0] == 0).all()
    for lr in (0.0, edge, 1.2 * edge):
        with pytest.raises(ValueError, match="lr must lie between 0 and"):
            noise.variance(lr, 8)


def test_the_floor_adds_up_over_blocks_of_rows():
    """520 rows are two blocks; the trace is that of all pairs at once."""
    B = RNG(6).standard_normal((520, 3))
    M = B @ B.T
    M *= 2 / np.abs(M).max()
    dim, lr, batch = 2, 1e-3, 10
    values, vectors = np.linalg.eigh(M)
    W = vectors[:, -dim:] * np.sqrt(values[-dim:])
    x, length = W @ W.T, np.sum(W**2, axis=1)
    trace = 0.0
    for sign in (1, -1):
        weight, slope = np.maximum(0.5 + sign * M / 4, 0), x / 2 - sign
        own = weight * slope**2
        squares = 2 * (own.sum(axis=1) + np.diagonal(own)) @ length
        trace += weight.sum() * squares - np.sum((2 * (weight * slope) @ W) ** 2)
    assert minibatch.noise_floor(M, dim, lr, batch) == pytest.approx(lr / batch * trace / 8)


# ---- contrastive ---------------------------------------------------------------------------------


def test_a_toy_of_three_circles_shares_its_leak_and_repeats_by_a_turn():
    views = contrastive.toy(per_circle=6, spreads=[0.3, 0.6, 2.5], leak=0.3)
    item = np.array([0.15, 0.15, 0.7])
    between = np.array(
        [views.pair[views.circle == 0][:, views.circle == k].sum() for k in range(3)]
    )
    stay = np.full((3, 3), 0.15) + 0.55 * np.eye(3)
    np.testing.assert_allclose(between, (stay.T @ stay)[0] / 3, rtol=1e-12)
    np.testing.assert_allclose(stay[2], item)
    first = views.pair[:6, :6]
    np.testing.assert_allclose(first, np.roll(first, (1, 1), axis=(0, 1)), rtol=1e-9)
    assert first[0, 1] == pytest.approx(first[0, 5], rel=1e-9) and first[0, 0] > first[0, 3]


def test_one_circle_keeps_all_and_impossible_toys_are_refused():
    assert contrastive.toy(per_circle=5, spreads=[0.5]).pair.sum() == pytest.approx(1)
    assert contrastive.toy(leak=0.0).pair[:24, 24:].max() == 0
    for wrong in ({"spreads": [[0.5]]}, {"spreads": [0.0, 1.0]}, {"leak": 1.0}, {"leak": -0.1}):
        with pytest.raises(ValueError, match="spreads must be positive"):
            contrastive.toy(**wrong)


def test_the_ratio_of_independent_views_is_nothing():
    P = np.array([0.2, 0.3, 0.5])
    np.testing.assert_allclose(contrastive.target(np.outer(P, P)), 0, atol=1e-15)
    for wrong in (
        np.diag([0.5, 0.5, 0.0]),
        np.diag([0.5, 0.6]),
        np.array([[1.2, -0.1], [-0.1, 0]]),
    ):
        with pytest.raises(ValueError, match="probabilities that sum to 1"):
            contrastive.target(wrong)
    assert contrastive.target(np.diag([0.5, 0.5])).tolist() == [[1, -1], [-1, 1]]


def test_large_products_do_not_overflow():
    pair = np.full((3, 3), 1 / 9)
    W = np.array([[40.0], [1.0], [-40.0]])
    loss, slope = contrastive.infonce(W, pair)
    x = W @ W.T
    total = [np.log(np.sum(np.exp(row - row.max())) / 3) + row.max() for row in x]
    assert loss == pytest.approx(np.mean(total) - x.mean()) and np.isfinite(slope).all()
    W = np.array([[40.0], [39.0], [0.1], [-0.1]])  # rows of which one is a thousand times another
    loss, slope = contrastive.nt_xent(W, [0, 2], [1, 3])
    assert np.isfinite(loss) and np.isfinite(slope).all()


def test_sampled_training_takes_the_steps_asked_for():
    pair = np.array([[0.4, 0.1], [0.1, 0.4]])
    W0 = np.array([[0.1, 0.0], [0.0, 0.1]])
    times, values = contrastive.sgd(W0, pair, batch=2, steps=40, lr=0.01, every=20, progress=False)
    assert times.tolist() == [0.0, 0.2, 0.4] and values.shape == (3, 2)
    np.testing.assert_allclose(values[0], [0.1, 0.1])
    with pytest.raises(ValueError, match="at least 2"):
        contrastive.sgd(W0, pair, batch=1, lr=0.01, progress=False)


def test_the_smallest_batches_keep_the_time_of_the_flow():
    """With two pairs a slope is a third smaller than the population's; the step makes up for it."""
    pair = np.array([[0.4, 0.1], [0.1, 0.4]])
    W0 = np.array([[0.1], [-0.1]])
    runs = [
        contrastive.sgd(
            W0, pair, batch=2, steps=300, lr=0.01, every=300, seed=seed, progress=False
        )[1][-1, 0]
        for seed in range(40)
    ]
    W = contrastive.flow(W0, [0.0, 3.0], pair)[-1]
    grown = np.log(np.mean(runs) / np.linalg.norm(W0))
    assert grown == pytest.approx(np.log(np.linalg.norm(W) / np.linalg.norm(W0)), rel=0.12)


def test_next_tokens_are_words_of_the_statistics():
    assert list(contrastive.next_token(STATS).words) == list(STATS.words)


# ---- evaluation, targets, weighting --------------------------------------------------------------


def test_a_report_names_its_lists_and_counts_words_that_are_not_told_apart():
    words = ["cat", "dog", "cow", "none"]
    vectors = WordVectors(words, np.array([[1.0, 0], [0.9, 0.1], [0, 1], [0, 0]]))
    report = evaluate(vectors, analogies={})
    assert [score.name for score in report.similarities] == ["MEN", "WordSim353"]
    assert report.indistinct == 1
    assert known_rows(vectors, ["none", "cat", "Dog", "table"]).tolist() == [-1, 0, 1, -1]
    ratings = [("cow", "cat", 0.1), ("cat", "dog", 0.9), ("dog", "cow", 0.2), ("cat", "cow", None)]
    (score,) = evaluate(vectors, analogies={}, similarities={"own": ratings}).similarities
    assert (score.pairs, score.found, score.unrated) == (3, 3, 1)
    assert score.spearman == pytest.approx(1)
    two = {"own": ratings[:2]}
    assert evaluate(vectors, analogies={}, similarities=two).similarities[0].spearman > 0.99


def test_questions_of_the_google_rule_share_neither_first_nor_second_word():
    pairs = [("a", "x"), ("a", "y"), ("b", "x"), ("x", "a"), ("c", "c")]
    found = google_questions(pairs)
    assert len(found) == len(set(found)) == 16
    assert all(a != c and b != d for a, b, c, d in found)
    assert ("a", "x", "x", "a") in found


@pytest.mark.parametrize("protocol", ["pairs", "google"])
def test_whole_questions_are_asked_as_they_stand(protocol):
    vectors = WordVectors(list("abcdef"), RNG(2).standard_normal((6, 4)))
    questions = [("a", "b", "c", "d"), ("c", "d", "e", "f"), ("a", "b", "c", "d")]
    report = evaluate(vectors, analogies=questions, similarities={}, protocol=protocol)
    assert (report.total.pairs, report.total.found, report.total.asked) == (3, 3, 2)


def test_modes_words_of_two_at_each_end():
    vectors = np.array([[0.8], [-0.6], [0.1], [0.3], [-0.2]])
    ends = targets.mode_words(vectors, list("abcde"), k=1, n=2)
    assert ends == (["a", "d"], ["b", "e"])


STATS = CorpusStatistics.from_texts(
    ["a b a c", "b a d", "c d a"], vocab_size=4, window=2, progress=False
)


def test_every_matrix_takes_the_weight_of_a_rank_one_weighting():
    weighting = RankOne([4.0, 1.0, 1.0, 9.0])
    for kind in targets.KINDS:
        assert targets.target(STATS, kind, weighting).scale.tolist() == [2, 1, 1, 3]
        assert targets.target(STATS, kind).scale.tolist() == [1] * 4
    assert (-targets.target(STATS)).words == STATS.words


def test_weightings_answer_as_floats_and_fingerprints_see_every_part():
    class OneEach:
        def __init__(self, power, note=0.0):
            self.power, self.note = power, note

        def psi(self, stats, rows, cols, skipgram):
            weight, other = Setting31().psi(stats, rows, cols, skipgram)
            return weight ** (1 if self.power == 1 else 1), other * (1 + 0 * self.power)

        def negative_factors(self, stats):
            return [1, 1, 1, 1], [2, 2, 2, 2]

    a, b = negative_factors(OneEach(1), STATS)
    assert a.dtype == b.dtype == float and b.tolist() == [2, 2, 2, 2]
    assert fingerprint(OneEach(1), STATS) == fingerprint(OneEach(1), STATS)
    assert fingerprint(OneEach(1), STATS) != fingerprint(OneEach(2), STATS)
    assert fingerprint(OneEach(1), STATS) != fingerprint(OneEach(1, note=0.5), STATS)


@pytest.mark.parametrize(
    "weighting",
    [
        Setting31(),
        RankOne([4.0, 1.0, 2.0, 9.0]),
        ByFrequency(0.5),
        Word2Vec(negatives=2),
        PlainMeans(negatives=3),
    ],
    ids=describe,
)
def test_the_negatives_of_pairs_that_never_meet_come_from_two_factors(weighting):
    words, P = np.arange(4), STATS.unigram
    _, negative = weighting.psi(STATS, words[:, None], words, np.zeros((4, 4)))
    a, b = negative_factors(weighting, STATS)
    expected = (np.outer(a, b) + np.outer(b, a)) / 2
    np.testing.assert_allclose(negative * np.outer(P, P), expected, rtol=1e-12)


def test_weighting_by_frequency_is_a_rank_one_weighting():
    words, skipgram = np.arange(4), STATS.skipgram.toarray()
    ours = ByFrequency(0.5).psi(STATS, words[:, None], words, skipgram)
    theirs = RankOne(STATS.unigram**0.5).psi(STATS, words[:, None], words, skipgram)
    np.testing.assert_allclose(ours, theirs, rtol=1e-14)


def test_a_weighting_without_a_repr_is_named_by_its_class():
    class Plain:
        pass

    assert describe(Plain()).endswith("Plain") and describe(Setting31()) == "Setting31()"


def test_a_formula_that_was_rewritten_has_another_fingerprint():
    """The same name and the same attributes, and a pair of words that weighs otherwise."""

    def rewritten(change):
        class Own:
            def psi(self, stats, rows, cols, skipgram):
                positive, negative = Setting31().psi(stats, rows, cols, skipgram)
                return change(positive, rows, cols), negative

        return fingerprint(Own(), STATS)

    original = rewritten(lambda weight, rows, cols: weight)
    assert original == rewritten(lambda weight, rows, cols: 1 * weight)
    assert original != rewritten(lambda weight, rows, cols: 2 * weight)
    assert original != rewritten(lambda weight, rows, cols: weight * (1 + (rows != cols)))
    assert original != rewritten(lambda weight, rows, cols: weight * (1 + (rows == 3)))


@pytest.mark.parametrize("wrong", [{"subsample": -1.0}, {"subsample": 0.0}, {"negatives": 0}])
@pytest.mark.parametrize("weighting", [Word2Vec, PlainMeans])
def test_tricks_that_cannot_be_are_refused(weighting, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        weighting(**wrong)
    with pytest.raises(ValueError, match="exponent must be a finite number; received nan"):
        ByFrequency(np.nan)
