"""How much each pair of words counts: word2vec's tricks as two weights (Psi+, Psi-).

Subsampling, the negative distribution and the number of negatives all act on the loss in the same
way: they multiply what a positive pair (i, j) and a negative pair (i, j) contribute. The population
loss keeps its form; only Psi+ and Psi- change (Section 2 of the paper). The third trick, the
dynamic window, is already inside P_ij: the counts weigh a pair by its expectation.

A new weighting is one class with a method `psi`. The closed form, both losses, minibatches, caches
and checkpoints take it as it is. Two more methods, which a class may have or not, make it faster:

    rank_one_factor(stats)   g (V,) where G = g g^T: then there is a closed form
    negative_factors(stats)  a, b (V,) with Psi-_ij P_i P_j = (a_i b_j + b_i a_j) / 2 for all pairs
                             that never meet: then negative pairs are drawn from two short tables

The functions of these names answer for any weighting.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qw2v import _checks
from qw2v._digest import add_content
from qw2v.statistics import CorpusStatistics

Array = NDArray[np.float64]
Index = int | NDArray[np.integer[Any]]  # of words: one, or an array of them


class Weighting(Protocol):
    """Gives Psi+ and Psi- for pairs of words."""

    def psi(
        self, stats: CorpusStatistics, rows: Index, cols: Index, skipgram: ArrayLike
    ) -> tuple[Array, Array]:
        """Return Psi+ and Psi- of the pairs (rows, cols) with P_ij = `skipgram`; all broadcast."""


def rank_one_factor(weighting: Weighting, stats: CorpusStatistics) -> Array | None:
    """Return g (V,) where G = g g^T, as far as the weighting knows; else None.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> rank_one_factor(Setting31(), stats), rank_one_factor(Word2Vec(), stats)
    (array([1., 1., 1.]), None)
    """
    method = getattr(weighting, "rank_one_factor", None)
    return None if method is None else np.asarray(method(stats), float)


def negative_factors(weighting: Weighting, stats: CorpusStatistics) -> tuple[Array, Array] | None:
    """Return a, b (V,) with Psi-_ij P_i P_j = (a_i b_j + b_i a_j) / 2 where P_ij = 0; else None.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> negative_factors(Setting31(), stats)[0]
    array([1., 1., 1.])
    """
    method = getattr(weighting, "negative_factors", None)
    if method is None:
        return None
    a, b = method(stats)
    return np.asarray(a, float), np.asarray(b, float)


def describe(weighting: Weighting) -> str:
    """Return how messages and records name a weighting: its repr, or its class where it has none.

    >>> describe(Word2Vec(negatives=2)), describe(RankOne([2, 1, 1]))
    ('Word2Vec(subsample=0.0001, negatives=2, power=0.75)', 'RankOne(g=3 numbers from 1 to 2)')
    """
    kind = type(weighting)
    return kind.__qualname__ if kind.__repr__ is object.__repr__ else repr(weighting)


def fingerprint(weighting: Weighting, stats: CorpusStatistics) -> str:
    """Return a digest of what a weighting holds and of what it gives.

    It covers the class, the content of its attributes, whole arrays among them, and `psi` for some
    pairs of every word. So two objects that weigh alike share it, in another process too, and a
    class whose formula was rewritten does not.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> fingerprint(RankOne([1, 1, 2]), stats) == fingerprint(RankOne([1, 1, 2]), stats)
    True
    >>> fingerprint(RankOne([1, 1, 2]), stats) == fingerprint(RankOne([1, 1, 3]), stats)
    False
    """
    digest = hashlib.blake2b(digest_size=16)
    kind = type(weighting)
    digest.update(f"{kind.__module__}.{kind.__qualname__}".encode())
    add_content(digest, getattr(weighting, "__dict__", {}), depth=0)
    words = np.arange(stats.vocab_size)
    for cols, share in ((words, 0.0), (words[::-1], 1.0), (np.zeros_like(words), np.e)):
        skipgram = share * stats.unigram * stats.unigram[cols]
        with np.errstate(all="ignore"):  # words that never occur weigh infinitely
            pair = weighting.psi(stats, words, cols, skipgram)
        for psi in pair:
            digest.update(np.ascontiguousarray(np.broadcast_to(psi, words.shape), float).data)
    return digest.hexdigest()


@dataclass(frozen=True)
class Setting31:
    """Psi+ = Psi- = 1 / (P_ij + P_i P_j): every pair weighs G_ij = 1 (Setting 3.1).

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> positive, negative = Setting31().psi(stats, 0, 1, skipgram=0.25)
    >>> bool(positive == negative)
    True
    """

    def psi(
        self, stats: CorpusStatistics, rows: Index, cols: Index, skipgram: ArrayLike
    ) -> tuple[Array, Array]:
        """Return 1 / (P_ij + P_i P_j) twice; shapes broadcast, units of inverse probability."""
        weight = 1 / (np.asarray(skipgram) + stats.unigram[rows] * stats.unigram[cols])
        return weight, weight

    def rank_one_factor(self, stats: CorpusStatistics) -> Array:
        """Return ones (V,)."""
        return np.ones(stats.vocab_size)

    def negative_factors(self, stats: CorpusStatistics) -> tuple[Array, Array]:
        """Return ones twice: a pair that never meets weighs P_i P_j / (P_i P_j)."""
        return np.ones(stats.vocab_size), np.ones(stats.vocab_size)


@dataclass(frozen=True, eq=False)
class RankOne:
    """Setting 3.1 times g_i g_j, so that G = g g^T: the other case solved in closed form.

    `g` is (V,), positive. Gradient descent then factorises Gamma M* Gamma, Gamma = diag(g)^(1/2),
    and W = Gamma^-1 V Lambda^(1/2). Raises ValueError unless every g_i is positive and finite.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> float(RankOne([2, 1, 1]).psi(stats, 0, 0, 0.25)[0] / Setting31().psi(stats, 0, 0, 0.25)[0])
    4.0
    """

    g: ArrayLike

    def __post_init__(self) -> None:
        g = np.asarray(self.g, dtype=np.float64)
        if g.ndim != 1 or not np.all(np.isfinite(g)) or np.any(g <= 0):
            raise ValueError(
                f"g must be one positive finite number per word, received shape {g.shape} with "
                f"values from {np.min(g, initial=np.inf):.3g} to {np.max(g, initial=-np.inf):.3g}"
            )
        object.__setattr__(self, "g", g)

    def __repr__(self) -> str:
        g = np.asarray(self.g)
        return f"RankOne(g={len(g):,} numbers from {g.min():.4g} to {g.max():.4g})"

    def psi(
        self, stats: CorpusStatistics, rows: Index, cols: Index, skipgram: ArrayLike
    ) -> tuple[Array, Array]:
        """Return g_i g_j / (P_ij + P_i P_j) twice; shapes broadcast."""
        weight, _ = Setting31().psi(stats, rows, cols, skipgram)
        g = np.asarray(self.g)
        return (weight := weight * g[rows] * g[cols]), weight

    def rank_one_factor(self, stats: CorpusStatistics) -> Array:
        """Return g; ValueError unless it has one number for each word of the statistics."""
        return _checks.positive_each("g", np.asarray(self.g), stats.vocab_size)

    def negative_factors(self, stats: CorpusStatistics) -> tuple[Array, Array]:
        """Return g twice: a pair that never meets weighs g_i g_j."""
        return (g := self.rank_one_factor(stats)), g


@dataclass(frozen=True)
class ByFrequency:
    """Setting 3.1 times (P_i P_j)^`exponent`: pairs of frequent words, known better, weigh more.

    The rank-one weighting with g = P^exponent. Raises ValueError for an exponent that is no finite
    number.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> bool(np.allclose(ByFrequency(2).rank_one_factor(stats), stats.unigram**2))
    True
    """

    exponent: float = 0.5

    def __post_init__(self) -> None:
        if not np.isfinite(self.exponent):
            raise ValueError(f"exponent must be a finite number; received {self.exponent}")

    def psi(
        self, stats: CorpusStatistics, rows: Index, cols: Index, skipgram: ArrayLike
    ) -> tuple[Array, Array]:
        """Return (P_i P_j)^exponent / (P_ij + P_i P_j) twice; shapes broadcast."""
        weight, _ = Setting31().psi(stats, rows, cols, skipgram)
        g = self.rank_one_factor(stats)
        return (weight := weight * g[rows] * g[cols]), weight

    def rank_one_factor(self, stats: CorpusStatistics) -> Array:
        """Return P^exponent (V,)."""
        factor: Array = stats.unigram**self.exponent
        return factor

    def negative_factors(self, stats: CorpusStatistics) -> tuple[Array, Array]:
        """Return P^exponent twice: a pair that never meets weighs g_i g_j."""
        return (g := self.rank_one_factor(stats)), g


@dataclass(frozen=True)
class Word2Vec:
    """word2vec's own weights: subsampling, negative distribution and number of negatives.

    A word is kept with probability p_i = min(1, sqrt(t / P_i) + t / P_i), t = `subsample` (None
    keeps all), so Psi+ = p_i p_j. Every pair that is kept draws `negatives` k words from
    q ~ P^`power` for its centre i. That happens k p_i r_i P_i times, where

        r_i = sum_m p_m P_im / P_i

    is the share of the words around i that are kept, so Psi- = k r_i p_i q_j / P_j, here made
    symmetric in i and j since the embeddings are tied. Then sum Psi- P_i P_j = k sum Psi+ P_ij.

    Words are dropped here pair by pair. The original drops them before windows are laid, which
    widens the windows and changes P_ij itself. word2vec's program has t = 1e-3, and its authors
    recommend down to 1e-5 for large texts; the book takes 1e-4. Its recorded runs are weighted as
    the paper's are: by `PlainMeans`, with t = 1e-5.
    Raises ValueError for a threshold or a number of negatives that is not positive.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> tricks, P = Word2Vec(subsample=0.1, negatives=2), stats.skipgram.toarray()
    >>> positive, negative = tricks.psi(stats, [[0], [1], [2]], [0, 1, 2], P)
    >>> chance = stats.unigram[:, None] * stats.unigram
    >>> round(float((negative * chance).sum() / (positive * P).sum()), 9)
    2.0
    """

    subsample: float | None = 1e-4
    negatives: float = 5
    power: float = 0.75

    def __post_init__(self) -> None:
        _check_tricks(self.subsample, self.negatives)

    def acceptance(self, stats: CorpusStatistics) -> Array:
        """Return p_i (V,), the probability that an occurrence of word i survives subsampling."""
        if self.subsample is None:
            return np.ones(stats.vocab_size)
        rarity = self.subsample / stats.unigram
        return np.minimum(1, np.sqrt(rarity) + rarity)

    def noise(self, stats: CorpusStatistics) -> Array:
        """Return q_i (V,), the distribution of negative words; sums to 1."""
        q = stats.unigram**self.power
        return q / q.sum()

    def centres(self, stats: CorpusStatistics) -> Array:
        """Return r_i p_i (V,): how often i is the centre of a kept pair, over P_i.

        It costs a pass over all pairs, so it is kept for as long as the statistics are.
        """
        known = _CENTRES.setdefault(stats, {})
        if self.subsample not in known:
            accept = self.acceptance(stats)
            known[self.subsample] = accept * (stats.skipgram @ accept) / stats.unigram
        return known[self.subsample]

    def psi(
        self, stats: CorpusStatistics, rows: Index, cols: Index, skipgram: ArrayLike
    ) -> tuple[Array, Array]:
        """Return p_i p_j and the symmetric k r_i p_i q_j / P_j; shapes broadcast."""
        accept, centres = self.acceptance(stats), self.centres(stats)
        excess = self.negatives * self.noise(stats) / stats.unigram
        one_way, other_way = centres[rows] * excess[cols], centres[cols] * excess[rows]
        return accept[rows] * accept[cols], (one_way + other_way) / 2

    def negative_factors(self, stats: CorpusStatistics) -> tuple[Array, Array]:
        """Return k r_i p_i P_i and q_i (V,): centres of kept pairs, and the words drawn for them.

        They hold for every pair of words, whether it meets or not.
        """
        return self.negatives * self.centres(stats) * stats.unigram, self.noise(stats)


@dataclass(frozen=True)
class PlainMeans:
    """The weights in the code of the paper's authors, to compare runs with theirs.

    The acceptance p_i, with t = `subsample`, and the noise P_i^(`power` - 1) are each divided by
    their plain mean over the vocabulary, a_i and n_i. Then Psi+ = a_i a_j and Psi- = k a_i n_j,
    made symmetric: a centre's kept company, r_i of `Word2Vec`, is not in it, so there are more
    than k negatives a positive pair. Raises ValueError as `Word2Vec` does.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> positive, negative = PlainMeans(subsample=0.1).psi(stats, [0, 1, 2], [0, 1, 2], 0.1)
    >>> round(float(np.mean(np.sqrt(positive))), 9)
    1.0
    """

    subsample: float = 1e-5
    negatives: float = 1
    power: float = 0.75

    def __post_init__(self) -> None:
        _check_tricks(self.subsample, self.negatives)

    def psi(
        self, stats: CorpusStatistics, rows: Index, cols: Index, skipgram: ArrayLike
    ) -> tuple[Array, Array]:
        """Return a_i a_j and the symmetric k a_i n_j; shapes broadcast."""
        accept, noise = self._factors(stats)
        one_way, other_way = accept[rows] * noise[cols], accept[cols] * noise[rows]
        return accept[rows] * accept[cols], (one_way + other_way) / 2

    def negative_factors(self, stats: CorpusStatistics) -> tuple[Array, Array]:
        """Return a_i P_i and k n_i P_i (V,); they hold for every pair of words."""
        accept, noise = self._factors(stats)
        return accept * stats.unigram, noise * stats.unigram

    def _factors(self, stats: CorpusStatistics) -> tuple[Array, Array]:
        """Return a_i and k n_i."""
        accept = Word2Vec(self.subsample).acceptance(stats)
        noise = stats.unigram ** (self.power - 1)
        return accept / accept.mean(), self.negatives * noise / noise.mean()


_CENTRES: WeakKeyDictionary[CorpusStatistics, dict[float | None, Array]] = WeakKeyDictionary()


def _check_tricks(subsample: float | None, negatives: float) -> None:
    for name, value in (("subsample", subsample), ("negatives", negatives)):
        if value is not None and not value > 0:
            raise ValueError(f"{name} must be positive, received {value}")
