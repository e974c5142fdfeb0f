"""The symmetric matrix whose tied flow is the untied flow of M*: [[c/2, M*], [M*, -c/2]]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from qw2v._checks import whole
from qw2v.dynamics._lemma import Array
from qw2v.spectrum import FULL, MatrixLike, Symmetric, as_symmetric


def eigenpairs(target: MatrixLike, k: int, *, progress: bool = True) -> tuple[Array, Array]:
    """Return the k eigenvalues of M* largest in magnitude (k,), in that order, and vectors (V, k).

    Past V = 2,000 the two ends of the spectrum are computed one after the other, and kept as those
    of a target are. Raises ValueError for a k that is not in 1..V.

    >>> eigenpairs(np.diag([3.0, -5.0, 1.0]), 2)[0]
    array([-5.,  3.])
    """
    target = as_symmetric(target)
    size = target.shape[0]
    k = whole("k", k, 1, size, of="V")
    if size <= FULL:
        values, vectors = target.all_eigenpairs()
    else:
        values, vectors = _both_ends(target, k, progress)
    order = np.argsort(-np.abs(values), kind="stable")[:k]
    return values[order], vectors[:, order]


def _both_ends(target: Symmetric, k: int, progress: bool) -> tuple[Array, Array]:
    """Return the top k of M*, and of -M* as many as can be among the k largest in magnitude."""
    upper, vectors = target.eigenpairs(k, progress=progress)
    few = max(k // 4, 1)
    lower, others = (-target).eigenpairs(few, progress=progress)
    while few < k and lower[-1] > upper[k - few - 1]:  # there may be more of them
        few = min(2 * few, k)
        lower, others = (-target).eigenpairs(few, progress=progress)
    return np.concatenate([upper, -lower]), np.hstack([vectors, others])


def mix(values: Array, c: float) -> tuple[Array, Array]:
    """Cosine and sine of the upper eigenvector of each block [[c/2, lambda], [lambda, -c/2]]."""
    if c == 0:  # of equal size to the last digit, so that a tied start stays tied
        return np.full(len(values), 0.5**0.5), np.where(values < 0, -1.0, 1.0) * 0.5**0.5
    angle = np.arctan2(values, c / 2) / 2
    return np.cos(angle), np.sin(angle)


class Dilation(Symmetric):
    """[[c/2, M*], [M*, -c/2]] (2V, 2V) as an operator, never formed."""

    def __init__(self, target: Symmetric, c: float, progress: bool = True) -> None:
        super().__init__(2 * target.shape[0])
        self._target, self._c, self._progress = target, c, progress
        self._table: NDArray[Any] | Symmetric = target

    def _matmat(self, x: NDArray[Any]) -> NDArray[Any]:
        upper, lower = np.split(x, 2)
        shift = x.dtype.type(self._c / 2)
        return np.vstack([self._table @ lower + shift * upper, self._table @ upper - shift * lower])

    def prepared(self) -> Symmetric:
        """Return the operator itself, with M* in the form that multiplies fastest."""
        ready = Dilation(self._target, self._c, self._progress)
        ready._table = self._target.prepared()
        ready.dtype = ready._table.dtype
        return ready

    def __neg__(self) -> Dilation:
        return Dilation(-self._target, -self._c, self._progress)

    def rows(self, low: int, high: int, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Return the dense rows low .. high - 1, (high - low, 2V)."""
        size = self._target.shape[0]
        own = np.zeros((high - low, 2 * size), dtype)
        numbers = np.arange(low, high)
        own[numbers - low, numbers] = np.where(numbers < size, 1, -1) * self._c / 2
        if low < size:
            own[: max(0, min(high, size) - low), size:] = self._target.rows(
                low, min(high, size), dtype
            )
        if high > size:
            own[max(0, size - low) :, :size] += self._target.rows(
                max(low, size) - size, high - size, dtype
            )
        return own

    def eigenpairs(
        self, k: int, *, cache: bool = True, progress: bool = True, device: str = "auto"
    ) -> tuple[Array, Array]:
        """Return the k upper eigenpairs (k,), (2V, k), from those of M* by magnitude."""
        values, vectors = eigenpairs(self._target, k, progress=progress and self._progress)
        parts = mix(values, self._c)
        return np.hypot(values, self._c / 2), np.vstack([vectors * part for part in parts])

    @property
    def frobenius_squared(self) -> float:
        """Return the sum of the squares of all entries."""
        return 2 * self._target.frobenius_squared + self.shape[0] * self._c**2 / 4
