"""Minibatches of pairs that are met in running text, as the original word2vec meets them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from qw2v import _checks
from qw2v.statistics import CorpusStatistics
from qw2v.text.corpus import Corpus
from qw2v.text.spool import END_OF_DOCUMENT
from qw2v.training import threads
from qw2v.training.pair_weights import negative_total, stored_weights
from qw2v.training.pairs import Batch, generator
from qw2v.weighting import Weighting, Word2Vec, describe


@dataclass(frozen=True, eq=False)
class CorpusPairs:
    """Train on pairs met in running text: about `batch` a step.

    Step s takes the s-th block of the text, over and over. In it each occurrence of word i survives
    with probability p_i; the survivors close ranks; each is paired with those at most b words away,
    b drawn evenly from 1..L, inside its document and its block; and each pair brings `negatives`
    others, of the same centre with words drawn from q. Every pair counts alike.

    The weights are Word2Vec's alone: `train` raises ValueError for others. With `subsample` the
    windows reach past the words that were dropped, which P_ij, counted before, does not: only
    without it are these pairs distributed exactly as the statistics say.

    Parameters
    ----------
    tokens : ndarray of int, (N,)
        Ranks in `stats.words`, with -1 between documents: `word_ids` makes them. A memory map will
        do.
    batch : int
        How many positive pairs a step should have, about.
    """

    tokens: NDArray[np.integer]
    batch: int = 50_000

    def __post_init__(self) -> None:
        object.__setattr__(self, "batch", _checks.whole("batch", self.batch))

    def settings(self) -> dict[str, Any]:
        """Return what a file says of it, fit for JSON: the tokens by their digest."""
        return {"kind": "text", "batch": self.batch, "tokens": fingerprint(self.tokens)}

    def sampler(
        self,
        stats: CorpusStatistics,
        weighting: Weighting,
        *,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> CorpusSampler:
        """Return what draws the minibatches; ValueError for tokens that are no ranks in `stats`."""
        return CorpusSampler(self, stats, weighting, seed, dtype, torch.device(device))


class CorpusSampler:
    """Draws the minibatches of `CorpusPairs`: `draw(step)` is the same whatever came before."""

    def __init__(
        self,
        pairs: CorpusPairs,
        stats: CorpusStatistics,
        weighting: Weighting,
        seed: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        if not isinstance(weighting, Word2Vec):
            raise ValueError(
                "text is sampled as word2vec does, with weighting.Word2Vec(...); received "
                f"{describe(weighting)}: draw from the statistics, pairs=StatisticsPairs(...)"
            )
        if weighting.negatives != int(weighting.negatives):
            raise ValueError(
                "of running text each pair draws a whole number of negative words; received "
                f"negatives = {weighting.negatives}"
            )
        self.tokens = _checked_tokens(pairs.tokens, stats.vocab_size)
        self.seed, self.dtype, self.device = seed, dtype, device
        self._window, self._negatives = stats.window, int(weighting.negatives)
        accept = weighting.acceptance(stats)
        self._accept = torch.as_tensor(accept).float().to(self.device)
        self._noise = torch.as_tensor(np.cumsum(weighting.noise(stats))).to(dtype).to(self.device)
        stored = stored_weights(stats, weighting)
        self._positive = float(stored[0].sum())
        negative = negative_total(stats, weighting, stored)
        self._scale = stats.vocab_size**2 / (self._positive + negative)
        self._negative = negative
        # A survivor is the centre of L + 1 pairs on average, inside a long document.
        survivors = float(np.mean(accept[self.tokens[self.tokens >= 0]]))
        self.block = int(np.ceil(pairs.batch / ((stats.window + 1) * survivors)))

    def draw(self, step: int) -> Batch:
        """Return the minibatch of one step."""
        with threads.for_work(0, self.device):
            return self._draw(step)

    def _draw(self, step: int) -> Batch:
        random = generator(self.seed, step, self.device)
        size = len(self.tokens)
        at = np.arange(step * self.block, (step + 1) * self.block) % size
        tokens = torch.as_tensor(self.tokens[at].astype(np.int64)).to(self.device)
        centres, contexts = self._pairs(tokens, random)
        n = max(len(centres), 1)
        others = centres.repeat_interleave(self._negatives)
        coin = torch.rand(len(others), generator=random, device=self.device, dtype=self.dtype)
        words = torch.searchsorted(self._noise, coin).clamp(max=len(self._noise) - 1)
        signs = torch.ones(n * (1 + self._negatives), dtype=self.dtype, device=self.device)
        signs = signs[: len(centres) + len(others)]
        signs[: len(centres)] = -1
        weights = torch.where(signs < 0, self._positive, self._negative / self._negatives)
        return Batch(
            torch.cat([centres, others]),
            torch.cat([contexts, words]),
            weights.to(self.dtype) * (self._scale / n),
            signs,
        )

    def _pairs(
        self, tokens: torch.Tensor, random: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return centres and contexts (n,) of one block of text."""
        document = (tokens == END_OF_DOCUMENT).cumsum(0)
        coin = torch.rand(len(tokens), generator=random, device=self.device)
        kept = (tokens >= 0) & (coin < self._accept[tokens.clamp(min=0)])
        tokens, document = tokens[kept], document[kept]
        reach = torch.randint(
            1, self._window + 1, (len(tokens),), generator=random, device=self.device
        )
        centres, contexts = [], []
        for distance in range(1, min(self._window, len(tokens) - 1) + 1):
            left, right = tokens[:-distance], tokens[distance:]
            together = document[:-distance] == document[distance:]
            ahead = together & (reach[:-distance] >= distance)
            back = together & (reach[distance:] >= distance)
            centres += [left[ahead], right[back]]
            contexts += [right[ahead], left[back]]
        empty = tokens[:0]
        return torch.cat([*centres, empty]), torch.cat([*contexts, empty])


def word_ids(stats: CorpusStatistics, texts: Iterable[str]) -> NDArray[np.int32]:
    """Return texts as ranks in `stats.words` (N,), each closed by -1; other words are left out.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=2, window=2)
    >>> word_ids(stats, ["a b a c", "b a"])
    array([ 0,  1,  0, -1,  1,  0, -1], dtype=int32)
    """
    return Corpus.from_texts(texts, progress=False).ids(stats.words)


def fingerprint(tokens: NDArray) -> str:
    """Return a digest of the tokens, by which a checkpoint knows them."""
    data = np.ascontiguousarray(tokens, "<i4")
    return hashlib.sha256(data.tobytes()).hexdigest()[:32]


def _checked_tokens(tokens: Any, vocab_size: int) -> NDArray[np.integer]:
    if not (isinstance(tokens, np.ndarray) and tokens.ndim == 1 and tokens.dtype.kind in "iu"):
        raise ValueError(
            "tokens must be a one-dimensional integer array of ranks in stats.words, with -1 "
            "between documents: training.word_ids(stats, texts) makes one"
        )
    if not np.any(tokens >= 0) or tokens.min() < END_OF_DOCUMENT or tokens.max() >= vocab_size:
        low, high = (tokens.min(), tokens.max()) if len(tokens) else ("nothing", "nothing")
        raise ValueError(
            f"tokens must hold ranks from 0 to {vocab_size - 1:,} and -1 between documents; "
            f"received {low} to {high}"
        )
    return tokens
