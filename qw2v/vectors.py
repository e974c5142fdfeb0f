"""Word vectors: nearest words, analogies, and the file formats that other tools read."""

from __future__ import annotations

import difflib
import mmap
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

import numpy as np

from qw2v._files import DamagedFileError, read_arrays, replacing

# difflib compares one word at a time: among the most frequent words is where a slip is mended.
_SPELLING_POOL = 50_000
_ASCII_SPACE = frozenset(" \t\n\r\v\f")


class UnknownWordError(KeyError):
    """A word that is not in the vocabulary; its message offers near spellings."""

    def __init__(self, word: str, vocabulary: Sequence[str]):
        super().__init__(word)
        self.word = word
        self._vocabulary = vocabulary

    def __reduce__(self):
        return type(self), (self.word, self._vocabulary)

    @cached_property
    def suggestions(self) -> list[str]:
        """Up to three words of the vocabulary spelt like the unknown one."""
        if not isinstance(self.word, str):
            return []
        pool = self._vocabulary[:_SPELLING_POOL]
        return difflib.get_close_matches(self.word.lower(), pool, n=3, cutoff=0.7)

    def __str__(self) -> str:
        near = ", ".join(repr(word) for word in self.suggestions)
        near = f"Near spellings: {near}." if near else "No word of it is spelt like this one."
        return f"{self.word!r} is not among the {len(self._vocabulary):,} words. {near}"


@dataclass(frozen=True, eq=False, repr=False)
class WordVectors:
    """One vector a word: `words` (V strings) and `matrix` (V, d) floats, read-only.

    >>> vectors = WordVectors(["up", "down"], np.array([[1.0, 0.0], [-1.0, 0.0]]))
    >>> vectors.most_similar("up")
    [('down', -1.0)]
    """

    words: list[str]
    matrix: np.ndarray

    def __post_init__(self):
        words, matrix = list(self.words), np.asarray(self.matrix)
        if matrix.ndim != 2 or len(words) != len(matrix) or not matrix.size:
            raise ValueError(
                f"words and matrix do not fit: {len(words):,} words, matrix of shape "
                f"{matrix.shape}. Give one row of at least one number for each word."
            )
        if matrix.dtype.kind not in "fiu":
            raise ValueError(f"The matrix holds {matrix.dtype}; real numbers are needed.")
        if matrix.dtype.kind != "f":
            matrix = matrix.astype(np.float64)
        finite = np.isfinite(matrix).all(axis=1)
        if not finite.all():
            row = int(np.argmin(finite))
            raise ValueError(
                f"The vector of {words[row]!r} (row {row}) holds NaN or infinity "
                f"({int((~finite).sum()):,} such rows). Drop these words or mend their vectors."
            )
        matrix = matrix.view()
        matrix.flags.writeable = False
        object.__setattr__(self, "words", words)
        object.__setattr__(self, "matrix", matrix)
        if len(self.index) < len(words):
            twice = next(word for row, word in enumerate(words) if self.index[word] != row)
            rows = [row for row, word in enumerate(words) if word == twice]
            raise ValueError(f"The word {twice!r} stands in rows {rows}: each word once, please.")

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @property
    def dim(self) -> int:
        """The dimension d of the vectors."""
        return self.matrix.shape[1]

    @cached_property
    def normalized(self) -> np.ndarray:
        """The rows divided by their lengths, (V, d); a zero row stays zero."""
        rows = self.matrix.astype(np.promote_types(self.matrix.dtype, np.float32))
        # By the largest entry first, so that no square over- or underflows.
        largest = np.abs(rows).max(axis=1, keepdims=True)
        rows /= np.where(largest == 0, 1, largest)
        length = np.linalg.norm(rows, axis=1, keepdims=True)
        rows /= np.where(length == 0, 1, length)
        rows.flags.writeable = False
        return rows

    def row(self, word: str) -> int:
        """Return the row of a word.

        Raises
        ------
        UnknownWordError
            A KeyError whose message offers near spellings.
        """
        try:
            return self.index[word]
        except (KeyError, TypeError):
            raise UnknownWordError(word, self.words) from None

    def __getitem__(self, word: str) -> np.ndarray:
        return self.matrix[self.row(word)]

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        first = ", ".join(self.words[:3]) + (", ..." if len(self) > 3 else "")
        return f"WordVectors({len(self):,} words x {self.dim}, {self.matrix.dtype}: {first})"

    def restrict(self, vocab_size: int) -> WordVectors:
        """Return the vectors of the first `vocab_size` words alone."""
        if not 1 <= vocab_size <= len(self):
            raise ValueError(f"vocab_size is {vocab_size}; choose between 1 and {len(self):,}.")
        return WordVectors(self.words[:vocab_size], self.matrix[:vocab_size])

    # Neighbours

    def most_similar(
        self, query: str | np.ndarray, topn: int = 10, exclude: Iterable[str] = ()
    ) -> list[tuple[str, float]]:
        """Return the `topn` words nearest to a word or a vector (d,), as (word, cosine).

        The query word and the words in `exclude` are left out; ties go to the earlier word.

        Raises
        ------
        UnknownWordError
            If the query or a word in `exclude` is not in the vocabulary.
        """
        excluded = {self.row(word) for word in ([exclude] if isinstance(exclude, str) else exclude)}
        if isinstance(query, str):
            row = self.row(query)
            return self._nearest(self.normalized[row], topn, excluded | {row})
        return self._nearest(np.asarray(query), topn, excluded)

    def analogy(self, a: str, b: str, c: str, topn: int = 1) -> list[tuple[str, float]]:
        """Return the `topn` answers to "a is to b as c is to ?", as (word, cosine).

        The answer is the word nearest to b - a + c, each of length one; a, b and c are left out.

        Raises
        ------
        UnknownWordError
            If a, b or c is not in the vocabulary.
        """
        i, j, k = (self.row(word) for word in (a, b, c))
        query = self.normalized[j] - self.normalized[i] + self.normalized[k]
        return self._nearest(query, topn, {i, j, k})

    def _nearest(self, query: np.ndarray, topn: int, excluded: set[int]) -> list[tuple[str, float]]:
        if topn < 1:
            raise ValueError(f"topn is {topn}; ask for at least one word.")
        if query.shape != (self.dim,) or not np.isfinite(query).all():
            raise ValueError(
                f"The query has shape {query.shape}; a word, or {self.dim} finite numbers, "
                f"shape ({self.dim},), is needed."
            )
        length = np.linalg.norm(query)
        if length == 0:
            raise ValueError("The query is the zero vector, which has no direction.")
        cosine = self.normalized @ (query / length)
        best = np.argsort(-cosine, kind="stable")[: topn + len(excluded)]
        kept = [row for row in best.tolist() if row not in excluded][:topn]
        return [(self.words[row], float(cosine[row])) for row in kept]

    # Files

    def save(self, path: str | os.PathLike) -> None:
        """Write a NumPy .npz file (`words`, `matrix`), in full precision and without pickle."""
        # A fixed-width NumPy string ends at its trailing NULs, so such a word would change.
        odd = next((word for word in self.words if "\0" in word), None)
        if odd is not None:
            raise ValueError(f"The word {odd!r} holds a NUL character; rename it before saving.")
        with replacing(path) as file:
            np.savez(file, words=np.array(self.words), matrix=self.matrix)

    @classmethod
    def load(cls, path: str | os.PathLike) -> WordVectors:
        """Read a file written by `save`.

        Raises
        ------
        ValueError
            If the file is damaged or holds something else.
        """
        try:
            arrays = read_arrays(path, ["words", "matrix"])
            words, matrix = arrays["words"], arrays["matrix"]
            if words.dtype.kind != "U" or words.ndim != 1 or matrix.dtype.kind != "f":
                raise DamagedFileError(f"{path}: words {words.dtype}, matrix {matrix.dtype}")
            words = words.tolist()
        except (DamagedFileError, UnicodeError) as error:
            raise ValueError(
                f"{path} is not a file written by WordVectors.save, or it is damaged ({error}). "
                "Write it again; word2vec files are read by load_word2vec_format."
            ) from error
        return _building(cls, path, words, matrix)

    def save_word2vec_format(self, path: str | os.PathLike, binary: bool = False) -> None:
        """Write the word2vec format, text or binary, in single precision as word2vec does.

        Raises
        ------
        ValueError
            If a word is empty, holds white space or cannot be written as UTF-8, or if a
            number is too large for single precision. Nothing is written then.
        """
        words = [self._encode(word) for word in self.words]
        with np.errstate(over="ignore"):
            matrix = self.matrix.astype("<f4")
        if not np.isfinite(matrix).all():
            largest = np.abs(self.matrix).max()
            raise ValueError(
                f"The largest number, {largest:.3g}, does not fit single precision (3.4e38). "
                "Rescale the matrix, or use save, which keeps the full precision."
            )
        with replacing(path) as file:
            file.write(b"%d %d\n" % matrix.shape)
            if binary:
                for word, row in zip(words, matrix, strict=True):
                    file.write(word + b" " + row.tobytes() + b"\n")
            else:
                line = b"%b" + b" %.9g" * self.dim + b"\n"  # nine digits give float32 back exactly
                for word, row in zip(words, matrix, strict=True):
                    file.write(line % (word, *row.tolist()))

    @staticmethod
    def _encode(word: str) -> bytes:
        if not word or not _ASCII_SPACE.isdisjoint(word):
            raise ValueError(
                f"The word {word!r} is empty or holds white space, which the word2vec format "
                "cannot hold. Rename it (new_york), or use save."
            )
        try:
            return word.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"The word {word!r} cannot be written as UTF-8: {error}.") from error

    @classmethod
    def load_word2vec_format(
        cls,
        path: str | os.PathLike,
        binary: bool | None = None,
        limit: int | None = None,
        errors: str = "strict",
    ) -> WordVectors:
        """Read the word2vec format, text or binary, as float32.

        Parameters
        ----------
        path : path
            The file.
        binary : bool, optional
            Which of the two; by default the first row after the header tells.
        limit : int, optional
            Read only this many words, from the first.
        errors : str
            What to do with a word that is not UTF-8: "strict", "replace" or "ignore".

        Raises
        ------
        ValueError
            If the header or a row is wrong, the file ends early, a number is not finite or a
            word stands twice; the message gives the place.
        """
        if limit is not None and limit < 1:
            raise ValueError(f"limit is {limit}; read at least one word, or leave it out.")
        with open(path, "rb") as file:
            header = file.readline(100)
            vocab_size, dim = _parse_header(path, header)
            count = vocab_size if limit is None else min(limit, vocab_size)
            _check_size(path, file, count, dim)
            start = file.tell()
            if binary is None:
                binary = not _is_text_row(file.readline(1000 + 64 * dim), dim)
                file.seek(start)
            read = _read_binary if binary else _read_text
            raw, matrix = read(path, file, count, vocab_size, dim)
        return _building(cls, path, _decode_words(path, raw, errors), matrix)


def _building(cls, path, words, matrix) -> WordVectors:
    try:
        return cls(words, matrix)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _parse_header(path, header: bytes) -> tuple[int, int]:
    try:
        vocab_size, dim = (int(number) for number in header.split())
    except ValueError:
        vocab_size = dim = 0
    if vocab_size < 1 or dim < 1:
        raise ValueError(
            f"{path} starts with {header[:40]!r}; the word2vec format starts with two positive "
            "numbers, the count of words and the dimension (GloVe's files lack this line: add it)."
        )
    return vocab_size, dim


def _check_size(path, file: BinaryIO, count: int, dim: int) -> None:
    # Before memory is taken: a number needs two bytes at least (a space and a digit).
    size = os.fstat(file.fileno()).st_size
    if 2 * count * dim > size:
        raise ValueError(
            f"{path} announces {count:,} words of {dim:,} numbers, too many for its {size:,} "
            "bytes: the header is wrong or the file was cut short. Fetch or write it again."
        )


def _is_text_row(row: bytes, dim: int) -> bool:
    # Half the numbers are enough, so that a text row with a slip in it is still called text;
    # in a binary row even one would be a rare accident.
    return 2 * sum(map(_is_number, row.split()[1:])) >= dim


def _is_number(text: bytes) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _read_text(path, file: BinaryIO, count: int, vocab_size: int, dim: int):
    words, matrix = [], np.empty((count, dim), dtype=np.float32)
    for row in range(count):
        line = file.readline()
        if not line:
            raise ValueError(
                f"{path} ends after {row:,} of the {vocab_size:,} words that its header announces: "
                "it was cut short. Fetch or write it again."
            )
        parts = line.split()
        if len(parts) != dim + 1:
            raise ValueError(
                f"{path}, line {row + 2}, {line[:40]!r}: {len(parts)} items; a word and the "
                f"{dim} numbers that the header announces are needed."
            )
        try:
            with np.errstate(over="ignore"):  # infinity is refused later, by the word's name
                matrix[row] = [float(number) for number in parts[1:]]
        except ValueError as error:
            raise ValueError(f"{path}, line {row + 2}, word {parts[0][:40]!r}: {error}.") from error
        words.append(parts[0])
    if count == vocab_size and (rest := file.read(1 << 16).strip()):
        raise ValueError(
            f"{path} goes on after the {vocab_size:,} words that its header announces, with "
            f"{rest[:40]!r}. Mend the header, or pass limit={vocab_size - 1 or 1}."
        )
    return words, matrix


def _read_binary(path, file: BinaryIO, count: int, vocab_size: int, dim: int):
    start, width = file.tell(), 4 * dim
    words, matrix = [], np.empty((count, dim), dtype=np.float32)
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for row in range(count):
            space = data.find(b" ", start)
            end = space + 1 + width
            if space < 0 or end > len(data):
                raise ValueError(
                    f"{path} ends within word {row + 1:,} of the {vocab_size:,} that its header "
                    "announces: it was cut short, or it is text (pass binary=False)."
                )
            # word2vec ends each row with a newline; gensim does not.
            words.append(data[start:space].lstrip(b"\n"))
            matrix[row] = np.frombuffer(data[space + 1 : end], dtype="<f4")
            start = end
        if count == vocab_size and (rest := data[start : start + 40].strip(b"\n")):
            raise ValueError(
                f"{path} goes on after the {vocab_size:,} words that its header announces, with "
                f"{rest!r}: the header is wrong, or the file is text (pass binary=False)."
            )
    return words, matrix


def _decode_words(path, raw: list[bytes], errors: str) -> list[str]:
    words = []
    for row, word in enumerate(raw):
        try:
            words.append(word.decode("utf-8", errors))
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{path}: word {row + 1:,}, {word[:40]!r}, is not UTF-8 ({error.reason}). "
                'Convert the file, or pass errors="replace".'
            ) from error
    return words
