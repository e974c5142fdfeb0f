"""What an eigenvalue solver multiplies with: a symmetric matrix held so that products are fast.

The work is cut into pieces that threads take as they become free, each with BLAS on one thread. So
a core that is busy with something else slows its own pieces alone; BLAS's own threads would wait
for each other at every product. A piece does the same sums whoever takes it: results do not depend
on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from qw2v.spectrum.operators import SparsePlusRankOne, Symmetric

Runner = Callable[[Callable[[int], None], Iterable[int]], None]

# Small enough that threads end together, large enough that sums of products cost little.
_EDGE = 768
_STRIPE = 96  # rows that are formed at once, beside the tiles they go to
# Products with a table cost 2 V^2 operations a column, with its entries 2 nnz at a third of the
# speed (with 32 columns 60 against 22 GFlop/s on one core), less where a block leaves the cache.
_DENSE_SHARE = 1 / 4


class Table(Protocol):
    """A symmetric matrix that multiplies blocks of vectors."""

    dtype: np.dtype[Any]

    def multiply(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return M @ block, both (V, b)."""


@contextmanager
def workers() -> Iterator[Runner]:
    """Give a function that runs pieces of work on every core that this process may use.

    Inside, BLAS keeps to one thread.
    """
    import threadpoolctl

    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with threadpoolctl.threadpool_limits(1), ThreadPoolExecutor(count) as pool:

        def run(piece: Callable[[int], None], pieces: Iterable[int]) -> None:
            for _ in pool.map(piece, pieces):
                pass

        yield run


def is_sparse(matrix: Symmetric) -> bool:
    """Return whether the sparse entries multiply faster than the table they fill."""
    if not isinstance(matrix, SparsePlusRankOne):
        return False
    return matrix.sparse.nnz < _DENSE_SHARE * matrix.shape[0] ** 2


def table(matrix: Symmetric, dtype: DTypeLike, run: Runner) -> Table:
    """Return the matrix in the form that multiplies fastest.

    Half a dense table where at least a quarter of the entries are their own, its sparse part beside
    the constant where fewer are: at 58.7 million words of English that is from V = 20,000 or so.
    """
    if isinstance(matrix, SparsePlusRankOne) and is_sparse(matrix):
        return SparseRows(matrix, dtype, run)
    return Tiles(matrix, dtype, run)


def table_bytes(matrix: Symmetric, dtype: DTypeLike) -> int:
    """Return the bytes that `table` will take."""
    size, item = matrix.shape[0], np.dtype(dtype).itemsize
    if isinstance(matrix, SparsePlusRankOne) and is_sparse(matrix):
        return matrix.sparse.nnz * item
    return size * (size + 2 * _EDGE) // 2 * item


class Tiles:
    """The tiles on and above the diagonal: half a table, half the memory to read from."""

    def __init__(self, matrix: Symmetric, dtype: DTypeLike, run: Runner) -> None:
        self.dtype = np.dtype(dtype)
        self._size, self._run = matrix.shape[0], run
        self._edges = [*range(0, self._size, _EDGE), self._size]
        self._tiles: dict[tuple[int, int], NDArray[Any]] = {}
        run(lambda row: self._fill(matrix, row), range(len(self._edges) - 1))

    def _fill(self, matrix: Symmetric, row: int) -> None:
        low, high = self._edges[row : row + 2]
        columns = range(row, len(self._edges) - 1)
        for column in columns:
            left, right = self._edges[column : column + 2]
            self._tiles[row, column] = np.empty((high - low, right - left), self.dtype)
        for first in range(low, high, _STRIPE):
            last = min(first + _STRIPE, high)
            stripe = matrix.rows(first, last, self.dtype)
            for column in columns:
                left, right = self._edges[column : column + 2]
                self._tiles[row, column][first - low : last - low] = stripe[:, left:right]

    def multiply(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return M @ block, (V, b)."""
        block = np.asarray(block, self.dtype)
        product = np.zeros((self._size, block.shape[1]), self.dtype)

        def piece(row: int) -> None:
            into = product[self._edges[row] : self._edges[row + 1]]
            for column in range(len(self._edges) - 1):
                tile = self._tiles[min(row, column), max(row, column)]
                part = block[self._edges[column] : self._edges[column + 1]]
                into += (tile if row <= column else tile.T) @ part

        self._run(piece, range(len(self._edges) - 1))
        return product


class SparseRows:
    """Sparse entries in rows, plus a constant times the outer product of a scale with itself."""

    def __init__(self, matrix: SparsePlusRankOne, dtype: DTypeLike, run: Runner) -> None:
        self.dtype = np.dtype(dtype)
        self._sparse, self._run = matrix.sparse, run
        self._data = matrix.sparse.data.astype(dtype, copy=False)
        self._constant, self._scale = matrix.constant, matrix.scale
        # Rows of equal work: those of frequent words hold thousands of entries each.
        pieces = max(1, min(512, matrix.shape[0] // 64))
        cuts = np.searchsorted(
            matrix.sparse.indptr, np.linspace(0, matrix.sparse.nnz, pieces + 1)[1:-1]
        )
        self._edges = np.unique([0, *cuts, matrix.shape[0]]).tolist()

    def multiply(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return M @ block, (V, b)."""
        from qw2v.spectrum.kernels import multiply_rows

        # Row by row, so that what one entry multiplies lies together.
        block = np.ascontiguousarray(block, self.dtype)
        # The constant is nearly all of M* and must cancel to the last digit: float64.
        total = self._scale @ block.astype(np.float64)
        along = (self._constant * total).astype(self.dtype)
        scale = self._scale.astype(self.dtype)
        product = np.empty_like(block)

        def piece(number: int) -> None:
            multiply_rows(
                self._sparse.indptr,
                self._sparse.indices,
                self._data,
                block,
                scale,
                along,
                product,
                self._edges[number],
                self._edges[number + 1],
            )

        self._run(piece, range(len(self._edges) - 1))
        return product
