"""Words numbered by first appearance: in plain Python for small texts, compiled for large ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from qw2v.text.reading import BLOCK, MARGIN
from qw2v.text.spool import END_OF_DOCUMENT
from qw2v.text.words import (
    CODE_POINTS,
    LETTER,
    UNSPACED,
    check_token,
    code_points,
    composed,
    lower_before_marks,
    words_of,
)

_DIGITS = bytes.maketrans(b"0123456789", b"ABCDEFGHIJ")  # no letter is a capital any more
_DIGITS_BACK = bytes.maketrans(b"ABCDEFGHIJ", b"0123456789")


class TokenTable:
    """Words numbered by first appearance, in plain Python: of small texts, or a tokenizer's."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._counts: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._index)

    def counts(self) -> NDArray[np.int64]:
        """Return how often each occurred."""
        return np.array([self._counts[number] for number in range(len(self))], np.int64)

    def words(self, ids: NDArray[np.int64] | None = None) -> list[str]:
        """Return the words with these ids, or all."""
        words = list(self._index)
        return words if ids is None else [words[number] for number in ids.tolist()]

    def find(self, vocabulary: list[str]) -> NDArray[np.int64]:
        """Return the ids of these words; those that never occurred get one, and a count of 0."""
        return np.array([self.id_of(word) for word in vocabulary], np.int64)

    def absorb(self, other: TokenTable | WordTable) -> NDArray[np.int64]:
        """Add the words and counts of another table; return the ids of its words in this one."""
        ids = self.find(other.words())
        for number, count in zip(ids.tolist(), other.counts().tolist(), strict=True):
            self._counts[number] += count
        return ids

    def add(self, tokens: Iterable[str]) -> list[int]:
        """Count the tokens of one document, and return their ids."""
        if isinstance(tokens, str):
            raise TypeError(
                "tokenize returned one str, not tokens: return a list, as text.split() does"
            )
        ids = [self.id_of(token) for token in tokens]
        self._counts.update(ids)
        return ids

    def id_of(self, token: str) -> int:
        """Return the id of a token, a new one where it was never met."""
        number = self._index.get(token)
        if number is None:
            check_token(token)
            number = self._index[token] = len(self._index)
        return number


class PlainTable(TokenTable):
    """The words of a small text under a rule."""

    def __init__(self, rule: str) -> None:
        super().__init__()
        self.rule = rule
        self.letters = self.lost = self.unspaced = 0
        self._inside = False

    def split(self, block: NDArray[np.uint8], size: int, boundary: int, last: bool) -> NDArray:
        """Return the ids of the words in block[:size]; `last` ends the document there."""
        data = block[:size].tobytes()
        ids: list[int] = []
        texts = data.split(bytes([boundary])) if boundary < 0x100 else [data]
        for number, document in enumerate(texts):
            text = document.decode("utf-8", "replace")
            self._count_letters(text)
            words = self.add(words_of(text, self.rule))
            ids += words
            self._inside |= bool(words)
            if self._inside and (number < len(texts) - 1 or last):
                ids.append(END_OF_DOCUMENT)
                self._inside = False
        return np.array(ids, np.int32)

    def _count_letters(self, text: str) -> None:
        """Count the letters, those that the rule loses, and those of scripts without spaces."""
        codes = np.frombuffer(text.encode("utf-32-le", "replace"), "<u4")
        if text.isascii():
            self.letters += int(np.count_nonzero((codes | 0x20) - 0x61 < 26))
            return
        kinds = code_points()[np.where(codes < CODE_POINTS, codes, 0)]
        letters = kinds & LETTER > 0
        self.letters += int(letters.sum())
        self.unspaced += int((letters & (kinds & UNSPACED > 0)).sum())
        if self.rule == "a-z":
            self.lost += int((letters & (codes > 0x7F)).sum())

    def compiled(self) -> WordTable:
        """Return the same words and numbers in a table for large texts."""
        table = WordTable(self.rule)
        table.absorb(self)
        table.letters, table.lost, table.unspaced = self.letters, self.lost, self.unspaced
        table.go_on(self._inside)
        return table


class WordTable:
    """The words of a large text under a rule, split by compiled loops."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self.letters = self.lost = self.unspaced = 0
        self._slots = np.zeros(4 << 16, np.uint64)
        self._starts = np.zeros(1 << 15, np.int64)
        # Every word once, each followed by a zero: text that can itself be split.
        self._letters = np.zeros(1 << 19, np.uint8)
        self._state = np.zeros(3, np.int64)
        self._extra = np.zeros(0, np.int64)
        self._out = np.empty(BLOCK + 1, np.int32)
        # Drawn anew for each table: no text can be made whose words all meet in one slot.
        self._seeds = np.random.SeedSequence().generate_state(2, np.uint64) | np.uint64(1)

    def __len__(self) -> int:
        return int(self._state[1])

    def go_on(self, inside: bool) -> None:
        """Say whether the document that goes on has had a word."""
        self._state[2] = inside

    def counts(self) -> NDArray[np.int64]:
        """Return how often each word occurred."""
        from qw2v.text import word_kernels

        counts = np.pad(self._extra, (0, len(self) - len(self._extra)))
        word_kernels.add_counts(self._slots, counts)
        return counts

    def words(self, ids: NDArray[np.int64] | None = None) -> list[str]:
        """Return the words with these ids, or all."""
        text, starts = self._text().translate(_DIGITS_BACK), self._starts
        if ids is None:
            return text.decode().split("\0")[:-1]
        return [text[starts[i] : starts[i + 1] - 1].decode() for i in ids.tolist()]

    def find(self, vocabulary: list[str]) -> NDArray[np.int64]:
        """Return the ids of these words; those that never occurred get one, and a count of 0."""
        for word in vocabulary:
            check_token(word)
        return self._add(vocabulary, np.zeros(len(vocabulary), np.int64))

    def absorb(self, other: WordTable | PlainTable) -> NDArray[np.int64]:
        """Add the words and counts of another table; return the ids of its words in this one."""
        return self._add(other.words(), other.counts())

    def split(self, block: NDArray[np.uint8], size: int, boundary: int, last: bool) -> NDArray:
        """Return the ids of the words in block[:size]; `last` ends the document there."""
        from qw2v.text import word_kernels

        data = block[:size].tobytes()
        digits = self.rule == "letters+digits"
        if data.isascii():
            self.letters += word_kernels.normalise(block, size, boundary, digits)
            text = block
        elif self.rule == "a-z":
            ours = word_kernels.normalise(block, size, boundary, digits)
            text, (letters, unspaced) = (
                block,
                word_kernels.other_letters(np.frombuffer(data + bytes(3), np.uint8), code_points()),
            )
            self.letters, self.lost = self.letters + ours + letters, self.lost + letters
            self.unspaced += unspaced
        else:
            string = composed(data.decode("utf-8", "replace"))
            text, size, letters, unspaced, marked = self._fold(string, boundary)
            if marked:
                text, size, *_ = self._fold(lower_before_marks(string), boundary)
            self.letters, self.unspaced = self.letters + letters, self.unspaced + unspaced
        text[size : size + MARGIN] = 0
        if last:
            text[size] = word_kernels.BOUNDARY
        return self._run(text, size + last)

    def _fold(self, string: str, boundary: int) -> tuple[NDArray[np.uint8], int, int, int, bool]:
        from qw2v.text import word_kernels

        data = np.frombuffer(string.encode(), np.uint8)
        text = np.empty(2 * len(data) + MARGIN, np.uint8)
        digits = self.rule == "letters+digits"
        return text, *word_kernels.fold(data, boundary, digits, code_points(), text)

    def _run(self, text: NDArray[np.uint8], size: int) -> NDArray[np.int32]:
        from qw2v.text import word_kernels

        if len(self._out) <= size:
            self._out = np.empty(size + 1, np.int32)
        out = self._out
        written = 0
        self._state[0] = 0
        while True:
            written += word_kernels.split(
                text, size, self._state, self._slots, self._starts, self._letters, self._seeds,
                out[written:],
            )  # fmt: skip
            if self._state[0] >= size:
                return out[:written].copy()
            self._grow(size)

    def _add(self, words: list[str], counts: NDArray[np.int64]) -> NDArray[np.int64]:
        text = "".join(f"{word}\0" for word in words).encode().translate(_DIGITS)
        padded = np.frombuffer(text + bytes(MARGIN), np.uint8)
        ids = self._run(padded, len(text)).astype(np.int64)
        self._extra = np.pad(self._extra, (0, len(self) - len(self._extra)))
        # Splitting the list of words has counted each of them once.
        self._extra[ids] += counts - 1
        return ids

    def _grow(self, size: int) -> None:
        from qw2v.text import word_kernels

        if word_kernels.FULL * len(self) >= len(self._slots):
            larger = np.zeros(2 * len(self._slots), np.uint64)
            word_kernels.rehash(self._slots, larger, self._seeds)
            self._slots = larger
        elif len(self) + 2 > len(self._starts):
            self._starts = np.pad(self._starts, (0, len(self._starts)))
        else:
            self._letters = np.pad(self._letters, (0, len(self._letters) + size))

    def _text(self) -> bytes:
        return self._letters[: self._starts[len(self)]].tobytes()
