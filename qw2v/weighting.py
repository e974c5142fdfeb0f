"""How much each pair of words counts: word2vec's tricks as two weights (Psi+, Psi-).

Subsampling, the negative distribution and the number of negatives all act on the loss in the same
way: they multiply what a positive pair (i, j) and a negative pair (i, j) contribute. The population
loss keeps its form; only Psi+ and Psi- change (Section 2 of the paper). The third trick, the
dynamic window, is already inside P_ij: the counts weigh a pair by its expectation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qw2v.statistics import CorpusStatistics

Array = NDArray[np.float64]


class Weighting(Protocol):
    """Gives Psi+ and Psi- for pairs of words."""

    def psi(
        self, stats: CorpusStatistics, rows: ArrayLike, cols: ArrayLike, skipgram: ArrayLike
    ) -> tuple[Array, Array]:
        """Return Psi+ and Psi- of the pairs (rows, cols) with P_ij = `skipgram`; all broadcast."""


@dataclass(frozen=True)
class Setting31:
    """Psi+ = Psi- = 1 / (P_ij + P_i P_j): every pair weighs G_ij = 1 (Setting 3.1).

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> positive, negative = Setting31().psi(stats, 0, 1, skipgram=0.25)
    >>> bool(positive == negative)
    True
    """

    def psi(
        self, stats: CorpusStatistics, rows: ArrayLike, cols: ArrayLike, skipgram: ArrayLike
    ) -> tuple[Array, Array]:
        """Return 1 / (P_ij + P_i P_j) twice; shapes broadcast, units of inverse probability."""
        weight = 1 / (np.asarray(skipgram) + stats.unigram[rows] * stats.unigram[cols])
        return weight, weight


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
        return f"RankOne(g={np.asarray(self.g).tobytes().hex()})"

    def psi(
        self, stats: CorpusStatistics, rows: ArrayLike, cols: ArrayLike, skipgram: ArrayLike
    ) -> tuple[Array, Array]:
        """Return g_i g_j / (P_ij + P_i P_j) twice; shapes broadcast."""
        weight, _ = Setting31().psi(stats, rows, cols, skipgram)
        return (weight := weight * self.g[rows] * self.g[cols]), weight


@dataclass(frozen=True)
class Word2Vec:
    """word2vec's own weights: subsampling, negative distribution and number of negatives.

    A word is kept with probability p_i = min(1, sqrt(t / P_i) + t / P_i), t = `subsample` (None
    keeps all), so Psi+ = p_i p_j. Each kept word draws `negatives` k words from q ~ P^`power`, so
    Psi- = k p_i q_j / P_j, here made symmetric in i and j since the embeddings are tied.
    Raises ValueError for a threshold or a number of negatives that is not positive.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> positive, negative = Word2Vec(subsample=None, power=1).psi(stats, 0, 1, skipgram=0.25)
    >>> round(float(positive), 6), round(float(negative), 6)
    (1.0, 5.0)
    """

    subsample: float | None = 1e-3
    negatives: float = 5
    power: float = 0.75

    def __post_init__(self) -> None:
        for name, value in (("subsample", self.subsample), ("negatives", self.negatives)):
            if value is not None and not value > 0:
                raise ValueError(f"{name} must be positive, received {value}")

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

    def psi(
        self, stats: CorpusStatistics, rows: ArrayLike, cols: ArrayLike, skipgram: ArrayLike
    ) -> tuple[Array, Array]:
        """Return p_i p_j and the symmetric k p_i q_j / P_j; shapes broadcast."""
        accept = self.acceptance(stats)
        excess = self.negatives * self.noise(stats) / stats.unigram
        one_way, other_way = accept[rows] * excess[cols], accept[cols] * excess[rows]
        return accept[rows] * accept[cols], (one_way + other_way) / 2
