r"""Minibatches of positive and negative pairs, drawn so that their gradient is right on average.

Let A = Psi+ P_ij and B = Psi- P_i P_j, with sums Z+ and Z- over all pairs. A minibatch of n
positive and n negative pairs stands for all of them in one of two ways:

- "weighted": positive pairs are drawn in proportion to A_ij, and each counts Z+ / n; negative ones
  in proportion to B_ij where it has factors, each counting Z- / n. That is what word2vec's tricks
  are: ways of drawing. (In Setting 3.1 B_ij = P_i P_j / (P_ij + P_i P_j) has none, but it is near 1
  for most pairs: these are drawn evenly and count V^2 B_ij / n.)
- "plain": they are drawn from P_ij and P_i P_j and count Psi+_ij / n and Psi-_ij / n, as the paper
  describes it. That gradient varies more: rare pairs are drawn rarely and then count much.

`CorpusPairs` takes pairs from running text instead, as the original word2vec does.

Step s draws from a generator seeded by (seed, s) alone. So a run that goes on from a checkpoint
needs no state of a generator.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from qw2v import _checks
from qw2v.statistics import CorpusStatistics
from qw2v.text.corpus import Corpus
from qw2v.text.spool import END_OF_DOCUMENT
from qw2v.weighting import RankOne, Setting31, Weighting, Word2Vec

DRAWS = ("weighted", "plain")
_BITS = 31


@dataclass(frozen=True)
class Batch:
    """Pairs (rows[k], columns[k]), each with a weight and a sign, all (n,): -1 for a positive pair.

    Its part of C = dL/dx, in units of the mean of G, is weight (f(x) + sign), with f(x) = x / 2 for
    qwem and tanh(x / 2) for sgns.
    """

    rows: torch.Tensor
    columns: torch.Tensor
    weights: torch.Tensor
    signs: torch.Tensor

    def velocity(self, loss: str, now: list[torch.Tensor], out: list[torch.Tensor]) -> None:
        """Write the directions of gradient flow of [W] or [W, W'] into `out`, of the same shapes.

        Tied, a pair moves each of its two words by half, since C is symmetric only on average.
        """
        weights = self.weights / 2 if len(now) == 1 else self.weights
        for direction in out:
            direction.zero_()
        if now[0].device.type == "cpu":
            from qw2v.training import kernels

            pairs = [x.numpy() for x in (self.rows, self.columns, weights, self.signs)]
            ends = [x.numpy() for x in (now[0], now[-1], out[0], out[-1])]
            kernels.push_pairs(*pairs, loss == "sgns", *ends)
        else:
            push_pairs(self.rows, self.columns, weights, self.signs, loss, now, out)


def push_pairs(rows, columns, weights, signs, loss: str, now: list, out: list) -> None:
    """Add what each pair moves, as `kernels.push_pairs` does, on any device.

    A GPU sorts the rows for `index_put_`, so that sums do not depend on who comes first, as they
    would with the atomic additions of `index_add_`.
    """
    left, right = now[0][rows], now[-1][columns]
    half = (left * right).sum(dim=1) / 2
    move = -weights * ((half.tanh() if loss == "sgns" else half) + signs)
    out[0].index_put_((rows,), move[:, None] * right, accumulate=True)
    out[-1].index_put_((columns,), move[:, None] * left, accumulate=True)


def find_cells(starts, columns, values, wanted_rows, wanted_columns):
    """Return what `kernels.find_cells` writes, on any device: all bisections go in step."""
    low, end = starts[wanted_rows], starts[wanted_rows + 1]
    high, last = end, len(columns) - 1
    for _ in range(len(starts).bit_length()):
        middle = (low + high) // 2
        before = (middle < high) & (columns[middle.clamp(max=last)] < wanted_columns)
        low, high = torch.where(before, middle + 1, low), torch.where(before, high, middle)
    place = low.clamp(max=last)
    found = (low < end) & (columns[place] == wanted_columns)
    return torch.where(found, values[place], 0)


@contextmanager
def one_thread(device: torch.device) -> Iterator[None]:
    """Let a CPU do small operations in one thread: waiting for the others costs more than it saves.

    The more so where other programs keep the cores busy.
    """
    threads = torch.get_num_threads()
    try:
        if device.type == "cpu":
            torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)


class StatisticsPairs:
    """Pairs drawn independently from the statistics: `batch` positive and as many negative.

    Everything lies on the device, 12 to 16 bytes a cell of the counts. Raises ValueError for a
    weighting that it does not know how to draw from.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> pairs = StatisticsPairs(stats, Setting31(), batch=2)
    >>> pairs.draw(step=0).signs
    tensor([-1., -1.,  1.,  1.])
    """

    def __init__(
        self,
        stats: CorpusStatistics,
        weighting: Weighting,
        batch: int,
        draw: str = "weighted",
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        _checks.choice("draw", draw, DRAWS)
        self.batch, self.seed = batch, seed
        self.dtype, self.device = dtype, torch.device(device)
        self._plain = draw == "plain"
        positive = _positive_weights(stats, weighting)
        self._positive = float(positive.sum())
        negative = negative_total(stats, weighting, self._positive)
        self._scale = stats.vocab_size**2 / (self._positive + negative) / batch
        self._psi = _Psi(stats, weighting, self._tensor)

        counts, skipgram = stats.pair_counts, stats.skipgram.data
        weights = skipgram if self._plain else positive
        self._starts = self._tensor(counts.indptr, torch.int64)
        self._columns = self._tensor(counts.indices, torch.int32)
        self._cells = self._alias(weights, counts.indptr)
        ends = np.concatenate([[0.0], np.cumsum(weights)])[counts.indptr]
        self._rows = self._alias(np.diff(ends))
        by_pair = self._plain or not isinstance(weighting, Word2Vec)
        self._skipgram = self._tensor(skipgram) if by_pair else None

        factors = _negative_factors(stats, weighting, self._plain)
        self._proposals = [self._alias(factor) for factor in factors]
        self._density = [self._tensor(factor / factor.sum()) for factor in factors]

    def draw(self, step: int) -> Batch:
        """Return the minibatch of one step."""
        with one_thread(self.device):
            return self._draw(step)

    def _draw(self, step: int) -> Batch:
        random = generator(self.seed, step, self.device)
        rows, columns, positive = self._positive_pairs(random)
        other_rows, other_columns, negative = self._negative_pairs(random)
        sign = torch.ones(self.batch, dtype=self.dtype, device=self.device)
        return Batch(
            torch.cat([rows, other_rows]),
            torch.cat([columns, other_columns]),
            torch.cat([positive, negative]) * self._scale,
            torch.cat([-sign, sign]),
        )

    def _positive_pairs(self, random):
        rows = self._from_alias(self._rows, random)
        start, end = self._starts[rows], self._starts[rows + 1]
        cell = start + self._from_alias(self._cells, random, start, end - start)
        columns = self._columns[cell].long()
        if self._plain:
            return rows, columns, self._psi(rows, columns, self._skipgram[cell])[0]
        return rows, columns, torch.full_like(rows, self._positive, dtype=self.dtype)

    def _negative_pairs(self, random):
        """Propose (i, j) with density (a_i b_j + b_i a_j) / 2, and weigh it B_ij over that."""
        (table, other), (a, b) = self._proposals, self._density
        i, j = self._from_alias(table, random), self._from_alias(other, random)
        swap = torch.rand(self.batch, generator=random, device=self.device) < 0.5
        i, j = torch.where(swap, j, i), torch.where(swap, i, j)
        joint = 0 if self._skipgram is None else self._lookup(i, j)
        density = (a[i] * b[j] + b[i] * a[j]) / 2
        return (
            i,
            j,
            self._psi(i, j, joint)[1] * self._psi.unigram[i] * self._psi.unigram[j] / density,
        )

    def _lookup(self, rows, columns):
        """Return P_ij of pairs (n,)."""
        table = self._starts, self._columns, self._skipgram
        if self.device.type != "cpu":
            return find_cells(*table, rows, columns)
        from qw2v.training import kernels

        found = torch.empty_like(rows, dtype=self.dtype)
        kernels.find_cells(*(x.numpy() for x in (*table, rows, columns, found)))
        return found

    def _alias(self, weights, starts=None):
        from qw2v.training import kernels

        starts = np.asarray([0, len(weights)] if starts is None else starts, np.int64)
        share, other = np.empty(len(weights), np.float32), np.empty(len(weights), np.int32)
        kernels.alias_rows(starts, weights, share, other)
        return self._tensor(share, torch.float32), self._tensor(other, torch.int32)

    def _from_alias(self, table, random, start=0, length=None):
        """Draw one place in start..start + length of each (n,); places count from start."""
        share, other = table
        length = len(share) if length is None else length
        size, device = (self.batch,), self.device
        integers = torch.randint(2**_BITS, size, generator=random, device=device)
        place = (integers * length) >> _BITS
        coin = torch.rand(size, generator=random, device=device)
        kept = coin < share[start + place]
        return torch.where(kept, place, other[start + place].long())

    def _tensor(self, array: ArrayLike, dtype: torch.dtype | None = None) -> torch.Tensor:
        # The type first: Apple's GPU takes no float64.
        return torch.as_tensor(array).to(self.dtype if dtype is None else dtype).to(self.device)


class CorpusPairs:
    """Pairs met in running text, as the original word2vec meets them: about `batch` a step.

    `tokens` (N,) are ranks in `stats.words`, with END_OF_DOCUMENT (-1) between documents (see
    `word_ids`); a memory map will do. Step s takes the s-th block of the text, over and over. In it
    each occurrence of word i survives with probability p_i; the survivors close ranks; each is
    paired with those at most b words away, b drawn evenly from 1..L, inside its document and its
    block; and each pair brings `negatives` others, of the same centre with words drawn from q.
    Pairs count alike, as in the "weighted" drawing above.

    The weights are Word2Vec's alone: ValueError for others, and for tokens that are no ranks. With
    `subsample` the windows reach past the words that were dropped, which P_ij, counted before, does
    not: only without it are these pairs distributed exactly as the statistics say.
    """

    def __init__(
        self,
        stats: CorpusStatistics,
        weighting: Word2Vec,
        batch: int,
        tokens: NDArray,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> None:
        if not isinstance(weighting, Word2Vec):
            raise ValueError(
                f"text is sampled as word2vec does, with weighting.Word2Vec(...); received "
                f"{weighting!r}: leave corpus out to draw from the statistics"
            )
        if weighting.negatives != int(weighting.negatives):
            raise ValueError(
                f"of running text each pair draws a whole number of negative words; received "
                f"negatives = {weighting.negatives}"
            )
        self.tokens = _checked_tokens(tokens, stats.vocab_size)
        self.seed, self.dtype, self.device = seed, dtype, torch.device(device)
        self._window, self._negatives = stats.window, int(weighting.negatives)
        accept = weighting.acceptance(stats)
        self._accept = torch.as_tensor(accept).float().to(self.device)
        self._noise = torch.as_tensor(np.cumsum(weighting.noise(stats))).to(dtype).to(self.device)
        self._positive = float(_positive_weights(stats, weighting).sum())
        negative = negative_total(stats, weighting, self._positive)
        self._scale = stats.vocab_size**2 / (self._positive + negative)
        self._negative = negative
        # A survivor is the centre of L + 1 pairs on average, inside a long document.
        survivors = float(np.mean(accept[self.tokens[self.tokens >= 0]]))
        self.block = int(np.ceil(batch / ((stats.window + 1) * survivors)))

    def draw(self, step: int) -> Batch:
        """Return the minibatch of one step."""
        with one_thread(self.device):
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

    def _pairs(self, tokens, random):
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
    return hashlib.sha256(data).hexdigest()[:32]


def generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """Return the generator of one step: the same for the same (seed, step)."""
    state = np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> np.uint64(1)))


def check_weighting(weighting: Weighting) -> None:
    """Raise ValueError for a weighting that there is no way to draw from."""
    if not isinstance(weighting, (Setting31, RankOne, Word2Vec)):
        raise ValueError(
            f"mode='sampled' draws from Setting31, RankOne or Word2Vec, received {weighting!r}: "
            "train with mode='full', which takes any weighting"
        )


# --- Weights of pairs -----------------------------------------------------------------------------


class _Psi:
    """Psi+ and Psi- of pairs, as `Weighting.psi`, on the device."""

    def __init__(self, stats, weighting, tensor):
        check_weighting(weighting)
        self._word2vec = isinstance(weighting, Word2Vec)
        self.unigram = tensor(stats.unigram)
        if self._word2vec:
            self._accept = tensor(weighting.acceptance(stats))
            self._centres = tensor(weighting.centres(stats))
            self._excess = tensor(weighting.negatives * weighting.noise(stats) / stats.unigram)
        else:
            self._g = tensor(_g_of(stats, weighting))

    def __call__(self, i, j, joint):
        if self._word2vec:
            accept, centres, excess = self._accept, self._centres, self._excess
            negative = (centres[i] * excess[j] + centres[j] * excess[i]) / 2
            return accept[i] * accept[j], negative
        both = self._g[i] * self._g[j] / (joint + self.unigram[i] * self.unigram[j])
        return both, both


def negative_total(stats: CorpusStatistics, weighting: Weighting, positive: float) -> float:
    """Return Z-, the sum of B over all pairs, given Z+."""
    if isinstance(weighting, Word2Vec):
        return weighting.negatives * positive
    return float(_g_of(stats, weighting).sum() ** 2) - positive  # A + B = g g^T


def _positive_weights(stats, weighting):
    """Return A = Psi+ P_ij for each cell of the counts, in their order."""
    skipgram = stats.skipgram
    weights = np.empty(skipgram.nnz)
    for row in range(stats.vocab_size):
        part = slice(*skipgram.indptr[row : row + 2])
        positive, _ = weighting.psi(stats, row, skipgram.indices[part], skipgram.data[part])
        weights[part] = positive * skipgram.data[part]
    return weights


def _negative_factors(stats, weighting, plain: bool):
    """Return the two vectors (V,) whose products negative pairs are proposed from."""
    if plain:
        return stats.unigram, stats.unigram
    if isinstance(weighting, Word2Vec):
        return weighting.centres(stats) * stats.unigram, weighting.noise(stats)
    return (_g_of(stats, weighting),) * 2


def _g_of(stats, weighting):
    return np.asarray(weighting.g) if isinstance(weighting, RankOne) else np.ones(stats.vocab_size)


def _checked_tokens(tokens, vocab_size):
    if not (isinstance(tokens, np.ndarray) and tokens.ndim == 1 and tokens.dtype.kind in "iu"):
        raise ValueError(
            "corpus must be a one-dimensional integer array of ranks in stats.words, with -1 "
            "between documents: sampling.word_ids(stats, texts) makes one"
        )
    if not np.any(tokens >= 0) or tokens.min() < END_OF_DOCUMENT or tokens.max() >= vocab_size:
        low, high = (tokens.min(), tokens.max()) if len(tokens) else ("nothing", "nothing")
        raise ValueError(
            f"corpus must hold ranks from 0 to {vocab_size - 1:,} and -1 between documents; "
            f"received {low} to {high}"
        )
    return tokens
