r"""The losses over all pairs of words at once, and the velocity of gradient flow on them.

With x_ij = w_i . w_j, A = Psi+ P_ij, B = Psi- P_i P_j and G = A + B, the population loss of
word2vec and that of its quartic model are (twice the paper's Equation 2, and its Equation 3)

    sgns:  L = sum_ij 2 A_ij log(1 + e^-x_ij) + 2 B_ij log(1 + e^x_ij)
    qwem:  L = sum_ij A_ij (x_ij^2 / 4 - x_ij) + B_ij (x_ij^2 / 4 + x_ij)

The factor 2 makes their gradients agree at the origin: in both, dL/dx = C = 2 (G f(x) - pull), with

    sgns:  f(x) = 1 / (1 + e^-x)    pull = A
    qwem:  f(x) = x / 4             pull = (A - B) / 2 .

Everything is in units of the mean of G, so that time is that of the theory: the velocity -C W of
tied embeddings is dW/dt = (M* - W W^T) W / 2 in Setting 3.1. The loss is reported above its floor,
which only embeddings of unlimited rank could reach: it is then sum_ij G_ij (x_ij - M*_ij)^2 / 4 for
qwem, what `Path.loss` gives in closed form.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import xlogy

from qw2v.statistics import CorpusStatistics
from qw2v.weighting import Weighting, rank_one_factor

_BLOCK_ROWS = 512  # on a CPU: a block of the table stays in cache between its passes
_TABLE_CELLS = 2**20  # of the float64 blocks that tables are made from


class Population(ABC):
    """A loss over all V x V pairs. `left` and `right` are (V, d); tied embeddings are both."""

    floor: float  # the least loss, without a bound on the rank

    @abstractmethod
    def velocity(self, left: torch.Tensor, right: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        """Write -C @ right into `out` (V, d): the direction of `left` in gradient flow."""

    @abstractmethod
    def loss(self, left: torch.Tensor, right: torch.Tensor) -> float:
        """Return the loss above its floor, in units of the mean of G."""

    @abstractmethod
    def initial_pull(self, vector: torch.Tensor) -> torch.Tensor:
        """Return (A - B) v = (G o M*) v / 2: what drives small embeddings, (V,) to (V,)."""


class _Factorised(Population):
    """The quartic loss with G = g g^T of rank one: two thin products in place of a V x V table.

    C W' = diag(g) W (W'^T diag(g) W') / 2 - (A - B) W'.
    """

    def __init__(
        self,
        g: NDArray[np.float64],
        stats: CorpusStatistics,
        weighting: Weighting,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._g = torch.as_tensor(g / g.mean(), dtype=dtype, device=device)[:, None]
        tables = _tables("qwem", stats, weighting, dtype, device, with_weight=False)
        self._pull, _, self.floor = tables

    def velocity(self, left: torch.Tensor, right: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        torch.mm(self._pull, right, out=out)
        gram = right.T @ (self._g * right)
        return out.addmm_(self._g * left, gram, beta=2, alpha=-0.5)

    def loss(self, left: torch.Tensor, right: torch.Tensor) -> float:
        square = (left.T @ (self._g * left)) * (right.T @ (self._g * right))
        pull = (self._pull @ right) * left
        return _sum(square) / 4 - 2 * _sum(pull) - self.floor

    def initial_pull(self, vector: torch.Tensor) -> torch.Tensor:
        return 2 * (self._pull @ vector)


class _Weighted(Population):
    """Either loss with any weighting: tables of G and of the pull, met in blocks of rows.

    Where the embeddings are tied, C is symmetric and only its blocks on and above the diagonal are
    computed.
    """

    def __init__(
        self,
        loss: str,
        stats: CorpusStatistics,
        weighting: Weighting,
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self._loss = loss
        self._pull, self._G, self.floor = _tables(loss, stats, weighting, dtype, device)
        rows = _BLOCK_ROWS if device.type == "cpu" else 4 * _BLOCK_ROWS
        self._rows = min(rows, stats.vocab_size)
        self._buffer = torch.empty(self._rows * stats.vocab_size, dtype=dtype, device=device)
        # On a GPU the elementwise passes become one kernel.
        fuse = device.type == "cuda"
        self._difference = torch.compile(_fusible, dynamic=True) if fuse else _difference

    def velocity(self, left: torch.Tensor, right: torch.Tensor, out: torch.Tensor) -> torch.Tensor:
        tied = left is right
        out.zero_()
        for rows, columns, x in self._blocks(left, right, upper=tied):
            x = self._difference(self._pull[rows, columns], self._G[rows, columns], x, self._loss)
            out[rows].addmm_(x, right[columns], alpha=2)
            if tied and rows.stop < len(out):
                beyond = x[:, rows.stop - rows.start :]
                out[rows.stop :].addmm_(beyond.T, left[rows], alpha=2)
        return out

    def loss(self, left: torch.Tensor, right: torch.Tensor) -> float:
        total = 0.0
        for rows, columns, x in self._blocks(left, right, upper=False):
            energy = _potential(self._loss, x).mul_(self._G[rows, columns])
            energy -= self._pull[rows, columns] * x
            total += _sum(energy)
        return 2 * total - self.floor

    def initial_pull(self, vector: torch.Tensor) -> torch.Tensor:
        pull = self._pull @ vector
        return 2 * pull - self._G @ vector if self._loss == "sgns" else 2 * pull

    def _blocks(
        self, left: torch.Tensor, right: torch.Tensor, upper: bool
    ) -> Iterator[tuple[slice, slice, torch.Tensor]]:
        """Yield rows, columns and x = left right^T there, in a buffer that may be overwritten."""
        size = len(left)
        for low in range(0, size, self._rows):
            rows = slice(low, min(low + self._rows, size))
            columns = slice(low if upper else 0, size)
            shape = rows.stop - rows.start, size - columns.start
            x = self._buffer[: shape[0] * shape[1]].view(shape)
            yield rows, columns, torch.mm(left[rows], right[columns].T, out=x)


def _fusible(pull: torch.Tensor, G: torch.Tensor, x: torch.Tensor, loss: str) -> torch.Tensor:
    """Return pull - G f(x) = -C / 2."""
    return pull - G * (torch.sigmoid(x) if loss == "sgns" else x / 4)


def _difference(pull: torch.Tensor, G: torch.Tensor, x: torch.Tensor, loss: str) -> torch.Tensor:
    """Return the same in the place of x: fresh memory costs more than the arithmetic."""
    if loss == "sgns":
        return torch.addcmul(pull, G, x.sigmoid_(), value=-1, out=x)
    return torch.addcmul(pull, G, x, value=-0.25, out=x)


def _potential(loss: str, x: torch.Tensor) -> torch.Tensor:
    """Return the integral of f: L = 2 sum_ij G_ij F(x_ij) - pull_ij x_ij, up to a constant."""
    return torch.nn.functional.softplus(x) if loss == "sgns" else x * x / 8


def _sum(x: torch.Tensor) -> float:
    """Return the sum, in float64 where the device has it."""
    return x.sum(dtype=None if x.device.type == "mps" else torch.float64).item()


def make(
    loss: str,
    stats: CorpusStatistics,
    weighting: Weighting,
    dtype: torch.dtype,
    device: torch.device,
) -> Population:
    """Return the loss over all pairs, in its cheapest form."""
    g = rank_one_factor(weighting, stats) if loss == "qwem" else None
    if g is not None:
        return _Factorised(g, stats, weighting, dtype, device)
    return _Weighted(loss, stats, weighting, dtype, device)


def factorises(loss: str, stats: CorpusStatistics, weighting: Weighting) -> bool:
    """Return whether the loss needs no table of x: quartic, with G of rank one."""
    return loss == "qwem" and rank_one_factor(weighting, stats) is not None


def weights(
    stats: CorpusStatistics, weighting: Weighting
) -> Iterator[tuple[slice, NDArray[np.float64], NDArray[np.float64]]]:
    """Yield, in blocks of rows, where they are and A = Psi+ P_ij and B = Psi- P_i P_j there."""
    size = stats.vocab_size
    columns, step = np.arange(size), max(1, _TABLE_CELLS // size)
    for low in range(0, size, step):
        rows = slice(low, min(low + step, size))
        skipgram = stats.skipgram[rows].toarray()
        positive, negative = weighting.psi(stats, columns[rows, None], columns, skipgram)
        chance = np.multiply.outer(stats.unigram[rows], stats.unigram)
        yield rows, positive * skipgram, negative * chance


def _tables(
    loss: str,
    stats: CorpusStatistics,
    weighting: Weighting,
    dtype: torch.dtype,
    device: torch.device,
    with_weight: bool = True,
) -> tuple[torch.Tensor, Any, float]:
    """Return the pull, G (V, V) and the floor of the loss, in units of the mean of G."""
    size = stats.vocab_size
    pull = torch.empty(size, size, dtype=dtype, device=device)
    G: Any = torch.empty_like(pull) if with_weight else None
    total = floor = 0.0
    for rows, A, B in weights(stats, weighting):
        weight = A + B
        pull[rows] = torch.as_tensor(A if loss == "sgns" else (A - B) / 2, dtype=dtype).to(device)
        if with_weight:
            G[rows] = torch.as_tensor(weight, dtype=dtype).to(device)
        total += weight.sum()
        floor += _floor(loss, A, B).sum()
    mean = total / size**2
    if not np.isfinite(mean + floor):
        absent = stats.words[int(np.argmin(stats.word_counts))]
        raise ValueError(
            f"the weights of some pairs are not finite; the rarest word, {absent!r}, has a count "
            f"of {stats.word_counts.min()}: every word must occur, so leave out those that do not"
        )
    pull /= mean
    if with_weight:
        G /= mean
    return pull, G, floor / mean


def _floor(loss: str, A: NDArray[np.float64], B: NDArray[np.float64]) -> Any:
    """Return the least of each pair's loss, at x = M*_ij (qwem) or x = ln(A / B) (sgns)."""
    if loss == "qwem":
        return -((A - B) ** 2) / (A + B)
    # 2 A log(1 + B/A) + 2 B log(1 + A/B), where either may be zero.
    return 2 * (xlogy(A + B, A + B) - xlogy(A, A) - xlogy(B, B))
