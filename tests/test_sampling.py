"""Minibatches: their distribution and their mean gradient, against the whole population."""

import numpy as np
import pytest
import reference
import torch

import qw2v
from qw2v.training import CorpusPairs, StatisticsPairs, kernels, pairs, word_ids
from qw2v.training.options import LOSSES
from qw2v.weighting import PlainMeans, RankOne, Setting31, Word2Vec

SIZE = 12


class Mine:
    """A weighting that says nothing but psi, and another Psi- than Psi+."""

    def psi(self, stats, rows, cols, skipgram):
        positive, _ = Setting31().psi(stats, rows, cols, skipgram)
        return positive, positive * (1 + np.asarray(rows) % 2) * (1 + np.asarray(cols) % 2)

    def written_out(self, joint, chance):
        """Return A and B (V, V), as `reference.pair_weights_of` does for the others."""
        twice = 1 + np.arange(len(joint)) % 2
        return joint / (joint + chance), chance / (joint + chance) * np.outer(twice, twice)


WEIGHTINGS = {
    "setting31": Setting31(),
    "rank-one": RankOne(np.linspace(0.5, 2, SIZE)),
    "word2vec": Word2Vec(subsample=0.02, negatives=2),
    "authors": PlainMeans(subsample=0.02, negatives=2),
    "psi alone": Mine(),
}


@pytest.fixture(scope="module")
def documents():
    rng = np.random.default_rng(0)
    letters, share = np.array(list("abcdefghijkl")), 1 / np.arange(1, SIZE + 1)
    topics = [share * np.exp(rng.standard_normal(SIZE)) for _ in range(4)]
    # Short documents leave many of the pairs unseen.
    return [
        " ".join(rng.choice(letters, 6, p=(p := topics[rng.integers(4)]) / p.sum()))
        for _ in range(30)
    ]


@pytest.fixture(scope="module")
def stats(documents):
    stats = qw2v.CorpusStatistics.from_texts(documents, vocab_size=SIZE, window=2, progress=False)
    assert 0.1 < np.mean(stats.pair_counts.toarray() == 0) < 0.6
    return stats


def pairs_of(stats, weighting, draw, batch=10_000, seed=0):
    of = StatisticsPairs(batch, draw)
    return of.sampler(stats, weighting, seed=seed, dtype=torch.float64)


def assert_mean(samples, expected, bound=4.5):
    """Assert that the mean over the first axis is the expected value, within its standard error.

    `bound` is that of the largest of a few hundred z-scores; a wrong factor is many times that.
    """
    samples = np.asarray(samples)
    mean, error = samples.mean(axis=0), samples.std(axis=0, ddof=1) / np.sqrt(len(samples))
    random = error > 1e-12 * np.abs(expected).max()
    assert np.abs((mean - expected)[random] / error[random]).max() < bound
    np.testing.assert_allclose(mean[~random], expected[~random], rtol=1e-9, atol=1e-15)
    # Nor are the errors so large that anything would pass.
    assert np.sqrt(np.mean(error**2)) < 0.06 * np.sqrt(np.mean(expected**2))


@pytest.mark.parametrize("draw", pairs.DRAWS)
@pytest.mark.parametrize("name", WEIGHTINGS)
def test_pairs_stand_for_positive_and_negative_weights(stats, name, draw):
    """The weights that pairs bring to each cell average to A and B over the mean of G."""
    weighting = WEIGHTINGS[name]
    A, B = reference.pair_weights_of(stats, weighting)
    tables = {-1: [], 1: []}
    sampler = pairs_of(stats, weighting, draw)
    for step in range(60):
        batch = sampler.draw(step)
        for sign, found in tables.items():
            of = batch.signs == sign
            table = np.zeros((SIZE, SIZE))
            np.add.at(table, (batch.rows[of], batch.columns[of]), batch.weights[of])
            found.append(table)
    assert_mean(tables[-1], A / (A + B).mean())
    assert_mean(tables[1], B / (A + B).mean())


def test_weighted_pairs_count_alike_and_plain_ones_vary_more(stats):
    weighting = WEIGHTINGS["word2vec"]
    batch = pairs_of(stats, weighting, "weighted").draw(0)
    for sign in (-1, 1):
        weights = batch.weights[batch.signs == sign]
        np.testing.assert_allclose(weights, weights[0], rtol=1e-12)
    W = [torch.tensor(np.random.default_rng(0).standard_normal((SIZE, 3)))]
    spread = {}
    for draw in pairs.DRAWS:
        sampler = pairs_of(stats, Setting31(), draw, batch=500)
        moves = [velocity_of(sampler.draw(step), "qwem", W)[0] for step in range(100)]
        spread[draw] = np.var(moves, axis=0).mean()
    assert spread["weighted"] < spread["plain"] / 1.5


def velocity_of(batch, loss, now):
    out = [torch.empty_like(W) for W in now]
    batch.velocity(loss, now, out)
    return np.array([direction.numpy() for direction in out])


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("draw", pairs.DRAWS)
@pytest.mark.parametrize("name", WEIGHTINGS)
def test_the_sampled_gradient_is_unbiased(stats, name, draw, loss, tied):
    weighting = WEIGHTINGS[name]
    rng = np.random.default_rng(3)
    now = [torch.tensor(rng.standard_normal((SIZE, 3))) for _ in range(1 if tied else 2)]
    A, B = reference.pair_weights_of(stats, weighting)
    left, right = now[0].numpy(), now[-1].numpy()
    full = [reference.training_velocity(loss, A, B, left, right)]
    if not tied:
        full.append(reference.training_velocity(loss, A, B, right, left))
    sampler = pairs_of(stats, weighting, draw)
    samples = [velocity_of(sampler.draw(step), loss, now) for step in range(60)]
    assert_mean(samples, np.array(full))


def test_a_wrong_factor_would_be_seen(stats):
    """The bound of the tests above refuses a gradient that is off by five per cent."""
    weighting, now = (
        Setting31(),
        [torch.tensor(np.random.default_rng(3).standard_normal((SIZE, 3)))],
    )
    A, B = reference.pair_weights_of(stats, weighting)
    W = now[0].numpy()
    full = reference.training_velocity("qwem", A, B, W, W)[None]
    sampler = pairs_of(stats, weighting, "weighted")
    samples = [velocity_of(sampler.draw(step), "qwem", now) for step in range(60)]
    with pytest.raises(AssertionError):
        assert_mean(samples, 1.05 * full)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_processor_and_gpu_push_pairs_alike(stats, loss, tied):
    batch = pairs_of(stats, WEIGHTINGS["word2vec"], "plain", batch=300).draw(0)
    rng = np.random.default_rng(0)
    now = [torch.tensor(rng.standard_normal((SIZE, 3))) for _ in range(1 if tied else 2)]
    ours = velocity_of(batch, loss, now)
    out = [torch.zeros_like(W) for W in now]
    weights = batch.weights / 2 if tied else batch.weights
    pairs.push_pairs(batch.rows, batch.columns, weights, batch.signs, loss, now, out)
    np.testing.assert_allclose(ours, [direction.numpy() for direction in out], rtol=1e-10)


def test_a_row_is_summed_in_strands_to_the_last_part():
    rows = torch.tensor([2, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])
    parts = torch.arange(2.0 * len(rows), dtype=torch.float64).reshape(-1, 2)
    out = torch.ones(4, 2, dtype=torch.float64)
    pairs.add_rows(out, rows, parts)
    expected = torch.ones_like(out).index_add_(0, rows, parts)
    assert torch.equal(out, expected)  # whole numbers: no rounding


def test_processor_and_gpu_find_cells_alike(stats):
    joint = stats.skipgram
    rows, columns = (torch.as_tensor(x.ravel()) for x in np.indices((SIZE, SIZE)))
    keys = torch.as_tensor(np.flatnonzero(joint.toarray()))
    found = pairs.find_cells(keys, torch.as_tensor(joint.data), SIZE, rows, columns)
    assert np.array_equal(found.reshape(SIZE, SIZE), joint.toarray())
    table = [torch.as_tensor(x) for x in (joint.indptr, joint.indices, joint.data)]
    out = np.empty(SIZE**2)
    kernels.find_cells(*(x.numpy() for x in (*table, rows, columns)), out)
    assert np.array_equal(out.reshape(SIZE, SIZE), joint.toarray())


def test_a_step_draws_the_same_pairs_whatever_came_before(stats):
    one, two = (pairs_of(stats, Setting31(), "weighted", batch=100, seed=5) for _ in range(2))
    first = one.draw(7)
    one.draw(8)
    assert torch.equal(first.rows, two.draw(7).rows)
    assert not torch.equal(first.rows, two.draw(8).rows)
    other = pairs_of(stats, Setting31(), "weighted", batch=100, seed=6)
    assert not torch.equal(first.rows, other.draw(7).rows)


def test_alias_tables_hold_the_distribution():
    rng = np.random.default_rng(0)
    starts = np.array([0, 1, 1, 6, 300])
    weights = rng.random(300) ** 6
    weights[3] = 0
    share, other = np.empty(300), np.empty(300, np.int64)
    kernels.alias_rows(starts, weights, share, other)
    for low, high in zip(starts[:-1], starts[1:], strict=True):
        size = high - low
        if not size:
            continue
        found = np.zeros(size)
        np.add.at(found, np.arange(size), share[low:high] / size)
        np.add.at(found, other[low:high], (1 - share[low:high]) / size)
        part = weights[low:high]
        np.testing.assert_allclose(found, part / part.sum(), rtol=1e-12, atol=1e-15)


# --- From text


def test_text_becomes_ranks_with_ends(stats, documents):
    ids = word_ids(stats, documents)
    expected = []
    for document in documents:
        expected += [stats.index[word] for word in document.split()] + [-1]
    assert ids.tolist() == expected
    few = stats.restrict(3)
    inside = [rank for rank in expected if rank < 3]
    assert word_ids(few, documents).tolist() == inside


def test_text_gives_the_pairs_that_were_counted(stats, documents):
    """Without subsampling pairs from the text are distributed as P_ij, negatives as P_i q_j."""
    weighting = Word2Vec(subsample=None, negatives=2)
    ids = word_ids(stats, documents)
    sampler = CorpusPairs(ids, 10**6).sampler(stats, weighting, dtype=torch.float64)
    sampler.block = len(ids)
    joint = stats.pair_counts.toarray() / stats.pair_counts.sum()
    positive, negative = [], []
    for step in range(300):
        batch = sampler.draw(step)
        of = batch.signs < 0
        assert int((~of).sum()) == 2 * int(of.sum())
        tables = np.zeros((2, SIZE, SIZE))
        for table, part in zip(tables, (of, ~of), strict=True):
            np.add.at(table, (batch.rows[part], batch.columns[part]), 1)
        positive.append(tables[0])
        negative.append(tables[1])
    positive, negative = np.array(positive), np.array(negative)
    # A pair at distance r is met with probability (L + 1 - r) / L, and was counted L + 1 - r times.
    expected = stats.pair_counts.sum() / stats.window
    assert_mean(positive / expected, joint)
    centres = joint.sum(axis=1)
    noise = weighting.noise(stats)
    assert_mean(negative / (2 * expected), np.outer(centres, noise))
    # Each kind of pair stands for its whole.
    total = batch.weights[of].sum() / batch.weights[~of].sum()
    A, B = reference.pair_weights_of(stats, Word2Vec(subsample=1e9, negatives=2))
    assert float(total) == pytest.approx(A.sum() / B.sum())


def test_text_is_thinned_by_the_acceptance_of_each_word(stats, documents):
    weighting = Word2Vec(subsample=0.02, negatives=1)
    ids = word_ids(stats, documents)
    alone = ids.copy()
    sampler = CorpusPairs(alone, 10**6).sampler(stats, weighting, dtype=torch.float64)
    sampler.block = len(ids)
    kept = []
    for step in range(300):
        random = pairs.generator(step, 0, sampler.device)
        tokens = torch.as_tensor(ids.astype(np.int64))
        sampler._window = 1
        centres, contexts = sampler._pairs(tokens, random)
        # At distance one each survivor but the last of a document meets the next one, both ways.
        kept.append(len(centres) / 2)
    accept = weighting.acceptance(stats)
    expected = []
    for document in documents:
        p = np.array([accept[stats.index[word]] for word in document.split()])
        expected.append(p.sum() - (1 - np.prod(1 - p)))
    error = np.std(kept) / np.sqrt(len(kept))
    assert abs(np.mean(kept) - np.sum(expected)) < 4 * error < 0.05 * np.sum(expected)


def test_blocks_go_through_the_text_and_start_over(stats, documents):
    ids = word_ids(stats, documents)
    weighting = Word2Vec(subsample=None, negatives=1)
    sampler = CorpusPairs(ids, 90).sampler(stats, weighting)
    assert sampler.block == 30
    assert len(sampler.draw(0).rows) == pytest.approx(2 * 90, rel=0.5)
    words = set(ids[:30].tolist())
    positive = sampler.draw(0)
    assert set(positive.rows.tolist()) <= words
    round_trip = len(ids)  # so many steps of 30 words pass the text 30 times, whole
    assert sampler.draw(0).rows.shape != () and sampler.draw(round_trip).rows.numel()


@pytest.mark.parametrize(
    "weighting, tokens, message",
    [
        (Setting31(), np.arange(3), "text is sampled as word2vec does"),
        (Word2Vec(negatives=1.5), np.arange(3), "a whole number of negative words"),
        (Word2Vec(), ["a", "b"], "one-dimensional integer array of ranks"),
        (Word2Vec(), np.array([0, 99]), "ranks from 0 to 11 .*received 0 to 99"),
        (Word2Vec(), np.array([0, -2]), "received -2 to 0"),
        (Word2Vec(), np.array([], int), "received nothing to nothing"),
    ],
)
def test_what_cannot_be_sampled_is_named(stats, weighting, tokens, message):
    with pytest.raises(ValueError, match=message):
        CorpusPairs(tokens, 100).sampler(stats, weighting)


def test_an_unknown_drawing_and_an_empty_batch_are_named():
    with pytest.raises(ValueError, match="draw must be one of 'weighted', 'plain'"):
        StatisticsPairs(10, "evenly")
    for of in (StatisticsPairs, lambda batch: CorpusPairs(np.arange(3), batch)):
        with pytest.raises(ValueError, match="batch must be a whole number of at least 1"):
            of(0)
