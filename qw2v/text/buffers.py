"""Where counts are written: a row being filled, which stays in cache, and a table that grows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

UINT32_MAX = 2**32 - 1
ROW_BLOCK = 16  # cells looked at together where a row is read out


class Buffer:
    """What one thread counts into, used again for one group of rows after another.

    Cells are 32-bit where the group cannot overflow them, and 64-bit elsewhere.
    """

    def __init__(self, vocab_size: int, capacity: int, weights: list[int]) -> None:
        self._row_length = -(-(vocab_size + 1) // ROW_BLOCK) * ROW_BLOCK
        self._capacity = capacity + ROW_BLOCK
        self._columns = np.empty(self._capacity, np.int32)
        self._weights = weights
        self._cells: dict = {}

    def arrays(self, largest: int) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Return (row, columns, values, weights) for cells of at most `largest`."""
        dtype = np.uint32 if largest <= UINT32_MAX else np.uint64
        if dtype not in self._cells:
            self._cells[dtype] = (
                np.zeros(self._row_length, dtype),
                self._columns,
                np.empty(self._capacity, dtype),
                np.array(self._weights, dtype),
            )
        return self._cells[dtype]


class GrowingTable:
    """A sparse table that is appended to, row after row."""

    def __init__(self, vocab_size: int, capacity: int) -> None:
        self.lengths = np.zeros(vocab_size, np.int64)
        self._columns = np.empty(capacity, np.int32)
        self._values = np.empty(capacity, np.int64)
        self._cells = 0

    def append(
        self, buffer: Buffer, columns: NDArray, values: NDArray, words: int, bar: Any
    ) -> Buffer:
        """Copy the cells of some rows, and return the buffer they came in."""
        end = self._cells + len(columns)
        if end > len(self._columns):
            self._resize(end + end // 4)
        self._columns[self._cells : end] = columns
        self._values[self._cells : end] = values
        self._cells = end
        bar.update(words)
        return buffer

    def finish(self) -> sparse.csr_array:
        """Return the table; its memory is cut to size in place."""
        self._resize(self._cells)
        vocab_size = len(self.lengths)
        index = np.int32 if self._cells < 2**31 else np.int64
        indptr = np.concatenate([[0], np.cumsum(self.lengths)]).astype(index)
        columns = self._columns.astype(index, copy=False)
        table = sparse.csr_array((self._values, columns, indptr), shape=(vocab_size, vocab_size))
        table.has_canonical_format = True
        return table

    def _resize(self, capacity: int) -> None:
        self._columns.resize(capacity, refcheck=False)
        self._values.resize(capacity, refcheck=False)
