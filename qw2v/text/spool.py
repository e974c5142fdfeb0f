"""Word ids that wait to be counted: in memory up to a budget, beyond it in a temporary file."""

from __future__ import annotations

import os
import tempfile
import threading
import weakref
from collections.abc import Iterator
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

END_OF_DOCUMENT = -1


class Spool:
    """Blocks of ids by part of the corpus, each document closed by END_OF_DOCUMENT.

    They are read in the order of the text as often as wanted. The temporary file has no name, so
    nothing is left of it however the process ends.
    """

    def __init__(self, budget: int) -> None:
        self.n_documents = 0
        self.longest = 0  # words of the longest document
        self.in_memory = 0
        self._budget = budget
        self._blocks: dict[int, list[tuple[int, NDArray[np.int32] | tuple[int, int]]]] = {}
        self._open: dict[int, int] = {}  # words so far of the document that a part has not ended
        self._file: BinaryIO | None = None
        self._lock = threading.Lock()
        self._closed = False

    def add(self, part: int, table: int, ids: NDArray[np.int32]) -> None:
        """Append a block of ids, numbered by one table of words, to one part of the corpus."""
        with self._lock:
            if self._closed:
                raise RuntimeError("reading was stopped")
            self._measure(part, ids)
            if self.in_memory + ids.nbytes <= self._budget:
                self.in_memory += ids.nbytes
                self._blocks.setdefault(part, []).append((table, ids))
            else:
                self._blocks.setdefault(part, []).append((table, self._write(ids)))

    def read(self) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Yield (table, ids) in the order of the text."""
        for part in sorted(self._blocks):
            for table, ids in self._blocks[part]:
                yield table, ids if isinstance(ids, np.ndarray) else self._read(*ids)

    def close(self) -> None:
        """Let go of everything; adding more is refused."""
        with self._lock:
            self._closed = True
            self._blocks.clear()
            if self._file is not None:
                self._file.close()

    def _measure(self, part: int, ids: NDArray[np.int32]) -> None:
        ends = np.flatnonzero(ids == END_OF_DOCUMENT)
        before = self._open.get(part, 0)
        if len(ends) == 0:
            self._open[part] = before + len(ids)
            self.longest = max(self.longest, self._open[part])
            return
        lengths = np.diff(ends, prepend=-1) - 1
        lengths[0] += before
        self._open[part] = len(ids) - 1 - int(ends[-1])
        self.n_documents += len(ends)
        self.longest = max(self.longest, int(lengths.max()), self._open[part])

    def _write(self, ids: NDArray[np.int32]) -> tuple[int, int]:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="qw2v-")  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(ids.data)
            self._file.flush()
        except OSError as error:
            raise OSError(
                error.errno,
                f"no room for word ids ({error.strerror}): set TMPDIR to a larger disk, or raise "
                "memory= to keep more of them in memory",
                tempfile.gettempdir(),
            ) from error
        return offset, len(ids)

    def _read(self, offset: int, count: int) -> NDArray[np.int32]:
        with self._lock:
            if self._file is None:
                raise RuntimeError("the word ids were let go of")
            self._file.seek(offset)
            return np.frombuffer(self._file.read(4 * count), np.int32)
