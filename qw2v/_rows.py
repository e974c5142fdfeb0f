"""Rows of word vectors as they are read: which are taken, passed over, or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qw2v._files import DamagedFileError, parse_json

CONTROLS = bytes(range(32)) + b"\x7f"


@dataclass
class Rows:
    """What has been read: words and numbers, and which rows were passed over."""

    dim: int
    skip: bool
    """Whether malformed rows are passed over."""
    first: bool
    """Whether of a word that stands twice the first is kept."""
    words: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    matrix: NDArray[np.float32] = field(default_factory=lambda: np.empty((0, 0), np.float32))
    malformed: list[str] = field(default_factory=list)
    """What is wrong with each row passed over."""
    duplicates: int = 0

    def __post_init__(self) -> None:
        self.matrix = np.empty((64, self.dim), np.float32)

    def refuse(self, problem: str) -> None:
        """Pass over a malformed row, or refuse the file for it."""
        if not self.skip:
            raise DamagedFileError(f"{problem}. Mend it, or pass malformed='skip'.")
        self.malformed.append(problem)

    def add(
        self, where: str, raw: bytes, numbers: Sequence[float] | NDArray[np.float32], errors: str
    ) -> None:
        """Take one row, if it is well formed."""
        try:
            word = raw.decode("utf-8", errors)
        except UnicodeDecodeError as error:
            reason = f'is not UTF-8 ({error.reason}); convert the file, or pass errors="replace"'
            return self.refuse(f"{where}, {raw[:40]!r}, {reason}")
        if raw.translate(None, CONTROLS) != raw:
            return self.refuse(f"{where}: the word {word[:40]!r} holds control characters")
        if word in self.seen:
            if self.first:
                self.duplicates += 1
                return None
            rows = [self.words.index(word), len(self.words)]
            raise DamagedFileError(
                f"{where}: The word {word!r} stands in rows {rows}: each word once, please, or "
                "pass duplicates='first'."
            )
        place = len(self.words)
        if place == len(self.matrix):
            self.matrix.resize((place * 2, self.dim), refcheck=False)
        with np.errstate(over="ignore"):
            self.matrix[place] = numbers
        row = self.matrix[place]
        if not np.isfinite(row).all():
            problem = f"The vector of {word[:40]!r} (row {place}) holds NaN or infinity"
            return self.refuse(f"{where}: {problem}")
        if not row.any() and np.any(numbers):
            problem = f"The vector of {word[:40]!r} (row {place}) is too small for single precision"
            return self.refuse(f"{where}: {problem}")
        self.words.append(word)
        self.seen.add(word)
        return None


def words_of(stored: NDArray[Any]) -> list[str]:
    """Return the words of an array in a file; ValueError where it holds none."""
    if stored.dtype == np.uint8:
        words = parse_json(stored.tobytes())
    elif stored.ndim == 1 and stored.dtype.kind == "U":
        words = stored.tolist()
    else:
        raise ValueError(f"words are an array of {stored.dtype}")
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError("words are no list of strings")
    return words
