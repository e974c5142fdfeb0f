"""Psi+ and Psi- against simulated sampling and formulas written out in full."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import qw2v
from qw2v.statistics import CorpusStatistics
from qw2v.weighting import PlainMeans, RankOne, Setting31, Word2Vec, fingerprint


@pytest.fixture(scope="module")
def stats() -> CorpusStatistics:
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghij"))
    share = 1 / np.arange(1, 11)
    docs = [" ".join(rng.choice(letters, 60, p=share / share.sum())) for _ in range(40)]
    return CorpusStatistics.from_texts(docs, vocab_size=10, window=3, progress=False)


def grid(stats):
    index = np.arange(stats.vocab_size)
    return index[:, None], index, stats.skipgram.toarray()


def test_setting_31_makes_every_pair_weigh_one(stats):
    rows, cols, P = grid(stats)
    plus, minus = Setting31().psi(stats, rows, cols, P)
    G = plus * P + minus * np.outer(stats.unigram, stats.unigram)
    np.testing.assert_allclose(G, 1, rtol=1e-14)


def test_rank_one_weight_is_the_outer_product(stats):
    rows, cols, P = grid(stats)
    g = np.random.default_rng(1).uniform(0.1, 3, 10)
    plus, minus = RankOne(g).psi(stats, rows, cols, P)
    G = plus * P + minus * np.outer(stats.unigram, stats.unigram)
    np.testing.assert_allclose(G, np.outer(g, g), rtol=1e-14)


def test_subsampling_weight_is_what_sampling_gives(stats):
    rows, cols, P = grid(stats)
    tricks = Word2Vec(subsample=0.02, negatives=2)
    plus, _ = tricks.psi(stats, rows, cols, P)
    rng = np.random.default_rng(2)
    draws = rng.choice(P.size, size=300_000, p=P.ravel())
    i, j = np.unravel_index(draws, P.shape)
    accept = tricks.acceptance(stats)
    kept = (rng.random(i.size) < accept[i]) & (rng.random(j.size) < accept[j])
    seen = np.bincount(draws[kept], minlength=P.size).reshape(P.shape)
    expected = 300_000 * plus * P
    # 100 standard scores: the largest stays below 5 but for one run in 20,000.
    assert np.abs((seen - expected) / np.sqrt(np.maximum(expected, 1))).max() < 5


def test_negative_weight_is_what_sampling_gives(stats):
    rows, cols, P = grid(stats)
    tricks = Word2Vec(subsample=0.02, negatives=3)
    _, minus = tricks.psi(stats, rows, cols, P)
    rng = np.random.default_rng(3)
    i, j = np.unravel_index(rng.choice(P.size, size=200_000, p=P.ravel()), P.shape)
    accept = tricks.acceptance(stats)
    centres = i[(rng.random(i.size) < accept[i]) & (rng.random(j.size) < accept[j])]
    negatives = rng.choice(10, size=(centres.size, 3), p=tricks.noise(stats))
    seen = np.zeros((10, 10))
    np.add.at(seen, (centres[:, None], negatives), 1)
    seen = (seen + seen.T) / 2
    expected = 200_000 * minus * np.outer(stats.unigram, stats.unigram)
    assert np.abs((seen - expected) / np.sqrt(np.maximum(expected, 1))).max() < 6


def test_both_tables_are_what_word2vec_meets_on_a_text():
    """word2vec's sampler, simulated on the text itself: windows, pairs dropped, negatives drawn.

    Each centre draws its window, each pair survives with p_i p_j, each survivor draws k words.
    """
    rng = np.random.default_rng(5)
    letters, window, k, passes = np.array(list("abcdefgh")), 4, 3, 60
    share = 1 / np.arange(1, 9)
    texts = [rng.choice(letters, 50, p=share / share.sum()) for _ in range(30)]
    stats = CorpusStatistics.from_texts(
        [" ".join(text) for text in texts], vocab_size=8, window=window, progress=False
    )
    met = [
        (stats.index[text[i]], stats.index[text[j]], abs(i - j), 100 * n + i)
        for n, text in enumerate(texts)
        for i in range(50)
        for j in range(max(0, i - window), min(50, i + window + 1))
        if i != j
    ]
    centres, contexts, distances, places = np.array(met).T
    tricks = Word2Vec(subsample=0.05, negatives=k)
    accept, noise = tricks.acceptance(stats), tricks.noise(stats)
    tables = np.zeros((2, passes, 8, 8))
    for n in range(passes):
        reach = rng.integers(1, window + 1, places.max() + 1)[places]
        kept = (distances <= reach) & (rng.random(len(met)) < accept[centres] * accept[contexts])
        np.add.at(tables[0, n], (centres[kept], contexts[kept]), 1)
        drawn = rng.choice(8, (kept.sum(), k), p=noise)
        np.add.at(tables[1, n], (centres[kept][:, None], drawn), 0.5)
        np.add.at(tables[1, n], (drawn, centres[kept][:, None]), 0.5)
    rows = np.arange(8)
    P = stats.skipgram.toarray()
    plus, minus = tricks.psi(stats, rows[:, None], rows, P)
    pairs = stats.pair_counts.sum() / window  # met in a pass, on average
    for table, part in zip(
        tables, (plus * P, minus * np.outer(stats.unigram, stats.unigram)), strict=True
    ):
        error = table.std(axis=0, ddof=1) / passes**0.5
        scores = (table.mean(axis=0) - pairs * part) / np.maximum(error, 1e-9)
        assert np.abs(scores[error > 0]).max() < 4.5
        assert np.sqrt(np.mean(error**2)) < 0.03 * np.sqrt(np.mean((pairs * part) ** 2))


@settings(max_examples=60, deadline=None)
@given(
    subsample=st.one_of(st.none(), st.floats(1e-9, 10)),
    negatives=st.floats(0.01, 50),
    power=st.floats(-1, 2),
    seed=st.integers(0, 2**16),
    size=st.integers(2, 12),
)
def test_every_kept_pair_brings_its_negatives(subsample, negatives, power, seed, size):
    rng = np.random.default_rng(seed)
    letters = list("abcdefghijkl")[:size]
    text = letters + rng.choice(letters, 80, p=rng.dirichlet(np.ones(size))).tolist()
    stats = CorpusStatistics.from_texts([" ".join(text)], vocab_size=size, window=3, progress=False)
    rows, cols, P = grid(stats)
    plus, minus = Word2Vec(subsample, negatives, power).psi(stats, rows, cols, P)
    total = np.sum(minus * np.outer(stats.unigram, stats.unigram))
    assert total == pytest.approx(negatives * np.sum(plus * P), rel=1e-9)


def test_plain_means_are_those_of_the_authors(stats):
    rows, cols, P = grid(stats)
    plus, minus = PlainMeans(subsample=0.02, negatives=2).psi(stats, rows, cols, P)
    accept = np.minimum(1, np.sqrt(0.02 / stats.unigram) + 0.02 / stats.unigram)
    noise = stats.unigram**-0.25
    for i in range(10):
        for j in range(10):
            a = accept[[i, j]] / accept.mean()
            n = 2 * noise[[i, j]] / noise.mean()
            assert plus[i, j] == pytest.approx(a[0] * a[1], rel=1e-12)
            assert minus[i, j] == pytest.approx((a[0] * n[1] + a[1] * n[0]) / 2, rel=1e-12)


def test_acceptance_follows_word2vec(stats):
    tricks = Word2Vec(subsample=0.01)
    for i, share in enumerate(stats.unigram):
        expected = min(1.0, (0.01 / share) ** 0.5 + 0.01 / share)
        assert tricks.acceptance(stats)[i] == pytest.approx(expected, rel=1e-14)
    assert np.all(Word2Vec(subsample=None).acceptance(stats) == 1)


@pytest.mark.parametrize("g", [[1, -1], [1, 0], [1, np.inf], [[1, 2]]])
def test_rank_one_refuses(g):
    with pytest.raises(ValueError, match="one positive finite number per word"):
        RankOne(g)


@pytest.mark.parametrize("options", [{"subsample": 0}, {"negatives": -1}])
def test_word2vec_refuses(options):
    name, value = next(iter(options.items()))
    with pytest.raises(ValueError, match=f"{name} must be positive, received {value}"):
        Word2Vec(**options)


class PerWord:
    """A weighting of one's own, which says nothing of itself: no repr, no equality."""

    def __init__(self, w):
        self.w = w

    def psi(self, stats, rows, cols, skipgram):
        apart = stats.unigram[rows] * stats.unigram[cols]
        together = np.asarray(skipgram) + apart
        return 1 / together, self.w[rows] * self.w[cols] / together


def test_f1_a_cache_answers_for_the_same_numbers_alone(tmp_path, monkeypatch):
    """Two arrays that NumPy prints alike are two weightings, each with eigenpairs of its own."""
    monkeypatch.setenv("QW2V_CACHE", str(tmp_path))
    stats = qw2v.load_statistics().restrict(1_200)
    one, other = np.ones(1_200), np.ones(1_200)
    other[100:1_000] = 3
    assert repr(one) == repr(other)
    assert fingerprint(PerWord(one), stats) != fingerprint(PerWord(other), stats)
    assert fingerprint(PerWord(one), stats) == fingerprint(PerWord(one.copy()), stats)
    sizes = []
    for w in (one, other):
        vectors = qw2v.closed_form(stats, dim=5, weighting=PerWord(w), progress=False)
        sizes.append((vectors.matrix.astype(float) ** 2).sum(axis=0))
    np.testing.assert_allclose(sizes[0], [288, 253, 217, 187, 179], atol=0.6)
    np.testing.assert_allclose(sizes[1], [174, 147, 138, 124, 106], atol=0.6)
