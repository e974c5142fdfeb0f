r"""Minibatches of positive and negative pairs, drawn so that their gradient is right on average.

Let A = Psi+ P_ij and B = Psi- P_i P_j, with sums Z+ and Z- over all pairs. A minibatch of n
positive and n negative pairs stands for all of them in one of two ways:

- "weighted": positive pairs are drawn in proportion to A_ij, and each counts Z+ / n. Negative ones
  are proposed in proportion to some a_i b_j, made symmetric, and each counts B_ij over that. The
  weighting may say which a and b are right for pairs that never meet (`negative_factors`); where it
  does not, they are the sums of B over rows. word2vec's tricks are such ways of drawing: there
  B_ij = a_i b_j, and all negative pairs count alike too.
- "plain": they are drawn from P_ij and P_i P_j and count Psi+_ij / n and Psi-_ij / n, as the paper
  describes it. That gradient varies more: rare pairs are drawn rarely and then count much.

`running.CorpusPairs` takes pairs from running text instead, as the original word2vec does.

Step s draws from a generator seeded by (seed, s) alone. So a run that goes on from a checkpoint
needs no state of a generator.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from qw2v import _checks
from qw2v.statistics import CorpusStatistics
from qw2v.training import threads
from qw2v.training.pair_weights import (
    between,
    negative_by_word,
    negative_total,
    product,
    stored_weights,
)
from qw2v.weighting import Setting31, Weighting, negative_factors

DRAWS = ("weighted", "plain")
_BITS = 31
_STRANDS = 8


class Sampler(Protocol):
    """Draws minibatches."""

    def draw(self, step: int) -> Batch:
        """Return the minibatch of one step, the same whatever came before."""


class Pairs(Protocol):
    """Says where `train` takes its minibatches from."""

    def settings(self) -> dict[str, Any]:
        """Return what a file says of it, fit for JSON."""

    def sampler(
        self,
        stats: CorpusStatistics,
        weighting: Weighting,
        *,
        seed: int,
        dtype: torch.dtype,
        device: torch.device | str,
    ) -> Sampler:
        """Return what draws the minibatches on this device."""


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


def push_pairs(
    rows: torch.Tensor,
    columns: torch.Tensor,
    weights: torch.Tensor,
    signs: torch.Tensor,
    loss: str,
    now: list[torch.Tensor],
    out: list[torch.Tensor],
) -> None:
    """Add what each pair moves, as `kernels.push_pairs` does, on any device."""
    left, right = now[0][rows], now[-1][columns]
    half = (left * right).sum(dim=1) / 2
    move = -weights * ((half.tanh() if loss == "sgns" else half) + signs)
    add_rows(out[0], rows, move[:, None] * right)
    add_rows(out[-1], columns, move[:, None] * left)


def add_rows(out: torch.Tensor, rows: torch.Tensor, parts: torch.Tensor) -> None:
    """Add parts[k] (n, d) to out[rows[k]] (V, d), the same sums each time.

    A GPU sorts the rows for `index_put_`, so that sums do not depend on who comes first, as they
    would with the atomic additions of `index_add_`. But it sums a row's parts one after another,
    and all wait for the most frequent word: so every row is summed in strands, joined at the end.
    """
    size, dim = out.shape
    strand = torch.arange(len(rows), device=rows.device) % _STRANDS
    strands = torch.zeros(size * _STRANDS, dim, dtype=out.dtype, device=out.device)
    strands.index_put_((rows * _STRANDS + strand,), parts, accumulate=True)
    out += strands.view(size, _STRANDS, dim).sum(dim=1)


def find_cells(
    keys: torch.Tensor, values: torch.Tensor, size: int, rows: torch.Tensor, columns: torch.Tensor
) -> torch.Tensor:
    """Return what `kernels.find_cells` writes, on any device; keys are row * size + column."""
    wanted = rows * size + columns
    place = torch.searchsorted(keys, wanted).clamp(max=len(keys) - 1)
    return torch.where(keys[place] == wanted, values[place], 0)


@dataclass(frozen=True)
class StatisticsPairs:
    """Train on pairs drawn independently from the statistics: `batch` positive, as many negative.

    Parameters
    ----------
    batch : int
        How many positive pairs a step has.
    draw : str
        "weighted" draws pairs by their weights, "plain" draws from P_ij and P_i P_j and weighs
        them. On average both move as the full gradient does.
    """

    batch: int = 50_000
    draw: str = "weighted"

    def __post_init__(self) -> None:
        object.__setattr__(self, "batch", _checks.whole("batch", self.batch))
        _checks.choice("draw", self.draw, DRAWS)

    def settings(self) -> dict[str, Any]:
        """Return what a file says of it, fit for JSON."""
        return {"kind": "statistics", **asdict(self)}

    def sampler(
        self,
        stats: CorpusStatistics,
        weighting: Weighting | None = None,
        *,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
    ) -> StatisticsSampler:
        """Return what draws the minibatches.

        >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
        >>> StatisticsPairs(batch=2).sampler(stats).draw(step=0).signs
        tensor([-1., -1.,  1.,  1.])
        """
        weighting = Setting31() if weighting is None else weighting
        return StatisticsSampler(self, stats, weighting, seed, dtype, torch.device(device))


class StatisticsSampler:
    """Draws the minibatches of `StatisticsPairs`: `draw(step)` is the same whatever came before.

    Everything lies on the device, 12 to 24 bytes a cell of the counts.
    """

    def __init__(
        self,
        pairs: StatisticsPairs,
        stats: CorpusStatistics,
        weighting: Weighting,
        seed: int,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.batch, self.seed, self.dtype, self.device = pairs.batch, seed, dtype, device
        self._stats, self._weighting = stats, weighting
        plain = pairs.draw == "plain"
        counts, skipgram = stats.pair_counts, stats.skipgram.data
        stored = positive, negative = stored_weights(stats, weighting)
        self._positive = float(positive.sum())
        total = negative_total(stats, weighting, stored)
        self._scale = stats.vocab_size**2 / (self._positive + total) / self.batch

        chances = skipgram if plain else positive
        self._starts = self._tensor(counts.indptr, torch.int64)
        self._columns = self._tensor(counts.indices, torch.int32)
        self._cells = self._alias(chances, counts.indptr)
        ends = np.concatenate([[0.0], np.cumsum(chances)])[counts.indptr]
        self._rows = self._alias(np.diff(ends))
        self._of_cell = self._tensor(positive / skipgram) if plain else None

        factors = negative_factors(weighting, stats)
        everywhere, even = False, 0.0
        if factors is not None:
            everywhere = np.allclose(between(factors, counts), negative, rtol=1e-9, atol=0)
            even = float(factors[0].sum() * factors[1].sum())
        # What a negative pair weighs: a product for those that never meet, a table for the others.
        self._absent = None if factors is None else [self._tensor(factor) for factor in factors]
        self._met = None if everywhere else self._tensor(negative)
        self._keys = None
        if self._met is not None and self.device.type != "cpu":
            cells = np.repeat(np.arange(stats.vocab_size), np.diff(counts.indptr))
            self._keys = self._tensor(cells * stats.vocab_size + counts.indices, torch.int64)
        self._even = even if everywhere and not plain else 0.0
        if plain:
            factors = stats.unigram, stats.unigram
        elif factors is None:
            rows = negative_by_word(stats, weighting)
            factors = rows, rows
        self._proposals = [self._alias(factor) for factor in factors]
        self._density = [self._tensor(factor / factor.sum()) for factor in factors]

    def draw(self, step: int) -> Batch:
        """Return the minibatch of one step."""
        with threads.for_work(0, self.device):
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

    def _positive_pairs(
        self, random: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        rows = self._from_alias(self._rows, random)
        start, end = self._starts[rows], self._starts[rows + 1]
        cell = start + self._from_alias(self._cells, random, start, end - start)
        columns = self._columns[cell].long()
        if self._of_cell is not None:
            return rows, columns, self._of_cell[cell]
        return rows, columns, torch.full_like(rows, self._positive, dtype=self.dtype)

    def _negative_pairs(
        self, random: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Propose (i, j) with density (a_i b_j + b_i a_j) / 2, and weigh it B_ij over that."""
        table, other = self._proposals
        i, j = self._from_alias(table, random), self._from_alias(other, random)
        swap = torch.rand(self.batch, generator=random, device=self.device) < 0.5
        i, j = torch.where(swap, j, i), torch.where(swap, i, j)
        if self._even:
            return i, j, torch.full_like(i, self._even, dtype=self.dtype)
        return i, j, self._negative(i, j) / product(self._density, i, j)

    def _negative(self, i: torch.Tensor, j: torch.Tensor) -> torch.Tensor:
        """Return B_ij of pairs (n,)."""
        if self._absent is not None:
            weights = product(self._absent, i, j)
        else:  # the weighting itself, on the processor
            P, rows, columns = self._stats.unigram, i.cpu().numpy(), j.cpu().numpy()
            _, psi = self._weighting.psi(self._stats, rows, columns, np.zeros(len(rows)))
            weights = self._tensor(psi * P[rows] * P[columns])
        if self._met is None:
            return weights
        met = self._lookup(self._met, i, j)
        return torch.where(met > 0, met, weights)

    def _lookup(
        self, values: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor
    ) -> torch.Tensor:
        """Return the values of the cells of pairs (n,), zero where there is no cell."""
        if self._keys is not None:
            return find_cells(self._keys, values, len(self._starts) - 1, rows, columns)
        from qw2v.training import kernels

        found = torch.empty_like(rows, dtype=self.dtype)
        table = self._starts, self._columns, values, rows, columns, found
        kernels.find_cells(*(x.numpy() for x in table))
        return found

    def _alias(
        self, weights: NDArray[np.float64], starts: ArrayLike | None = None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        from qw2v.training import kernels

        starts = np.asarray([0, len(weights)] if starts is None else starts, np.int64)
        share, other = np.empty(len(weights), np.float32), np.empty(len(weights), np.int32)
        kernels.alias_rows(starts, weights, share, other)
        return self._tensor(share, torch.float32), self._tensor(other, torch.int32)

    def _from_alias(
        self,
        table: tuple[torch.Tensor, torch.Tensor],
        random: torch.Generator,
        start: Any = 0,
        length: Any = None,
    ) -> torch.Tensor:
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


def generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """Return the generator of one step: the same for the same (seed, step)."""
    state = np.random.SeedSequence([seed, step]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> np.uint64(1)))
