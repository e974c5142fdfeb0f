"""Word vectors: nearest words, analogies, and the file formats that other tools read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from qw2v import _geometry, _rows, _word2vec
from qw2v._checks import choice, whole
from qw2v._files import DamagedFileError, PathLike, read_arrays, replacing, write_arrays
from qw2v._gensim import GensimNames
from qw2v._unknown import UnknownWordError

__all__ = ["UnknownWordError", "WordVectors"]


@dataclass(frozen=True, eq=False, repr=False)
class WordVectors(GensimNames):
    """One vector a word.

    Parameters
    ----------
    words : sequence of str
        V words, each once.
    matrix : array_like
        (V, d) finite real numbers; kept as a copy, which is read-only.

    Raises
    ------
    ValueError
        If the two do not fit, a word is none, empty or stands twice, or a number is not finite.

    Examples
    --------
    >>> vectors = WordVectors(["up", "down"], np.array([[1.0, 0.0], [-1.0, 0.0]]))
    >>> vectors.most_similar("up")
    [('down', -1.0)]
    """

    words: list[str]
    matrix: NDArray[np.floating[Any]]

    def __post_init__(self) -> None:
        words, matrix = list(self.words), np.asarray(self.matrix)
        if matrix.ndim != 2 or len(words) != len(matrix) or not matrix.size:
            raise ValueError(
                f"words and matrix do not fit: {len(words):,} words, matrix of shape "
                f"{matrix.shape}. Give one row of at least one number for each word."
            )
        odd = next((i for i, w in enumerate(words) if not (isinstance(w, str) and w)), None)
        if odd is not None:
            raise ValueError(f"words[{odd}] is {words[odd]!r}; each must be a string, not empty.")
        if matrix.dtype.kind not in "fiu":
            raise ValueError(f"The matrix holds {matrix.dtype}; real numbers are needed.")
        matrix = _geometry.read_only(
            matrix, np.dtype(np.float64) if matrix.dtype.kind != "f" else matrix.dtype
        )
        finite = np.isfinite(matrix).all(axis=1)
        if not finite.all():
            row = int(np.argmin(finite))
            raise ValueError(
                f"The vector of {words[row]!r} (row {row}) holds NaN or infinity "
                f"({int((~finite).sum()):,} such rows). Drop these words or mend their vectors."
            )
        object.__setattr__(self, "words", [str(word) for word in words])
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
        return int(self.matrix.shape[1])

    @cached_property
    def normalized(self) -> NDArray[np.floating[Any]]:
        """The rows divided by their lengths, (V, d); a zero row stays zero."""
        return _geometry.normalized(self.matrix)

    @cached_property
    def distinct(self) -> NDArray[np.bool_]:
        """Whether a word's vector tells it from all others (V,): not zero, and not another's too.

        Words that never occur in a text get one and the same vector, up to rounding.

        >>> WordVectors(["a", "b", "c", "d"], np.array([[1.0, 2], [3, 1], [1, 2], [0, 0]])).distinct
        array([False,  True, False, False])
        """
        return _geometry.distinct(self.matrix, self.normalized)

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

    def __getitem__(self, word: str) -> NDArray[np.floating[Any]]:
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

    def similarity(self, a: str, b: str) -> float:
        """Return the cosine of the vectors of two words; UnknownWordError for one unknown.

        >>> vectors = WordVectors(["up", "side"], np.array([[2.0, 0.0], [3.0, 3.0]]))
        >>> round(vectors.similarity("up", "side"), 3)
        0.707
        """
        one, other = (self.normalized[self.row(word)].astype(np.float64) for word in (a, b))
        return float(one @ other)

    def most_similar(
        self,
        positive: Any = (),
        topn: int = 10,
        exclude: str | Iterable[str] = (),
        *,
        negative: Any = (),
    ) -> list[tuple[str, float]]:
        """Return the words nearest to a word or a vector, or to a sum of several.

        Parameters
        ----------
        positive, negative : str, array_like (d,), or several of these
            What is added and what is taken off, each brought to length one first.
        topn : int
            How many words to return; ties go to the earlier word.
        exclude : words, optional
            Words to leave out; those of the query always are.

        Returns
        -------
        list of (str, float)
            Words and their cosines with the query, the largest first.

        Raises
        ------
        UnknownWordError
            If a word is not in the vocabulary.
        ValueError
            If the query has no direction, or is not of d finite numbers.

        Examples
        --------
        >>> words, rows = ["king", "queen", "man", "woman"], [[1, 1], [1, -1], [0, 1], [0, -1]]
        >>> vectors = WordVectors(words, np.array(rows))
        >>> vectors.most_similar(positive=["king", "woman"], negative=["man"], topn=1)[0][0]
        'queen'
        """
        excluded = {self.row(word) for word in ([exclude] if isinstance(exclude, str) else exclude)}
        terms: list[NDArray[Any]] = []
        for sign, given in ((1, positive), (-1, negative)):
            for term in _geometry.terms(given):
                if isinstance(term, str):
                    excluded.add(self.row(term))
                    terms.append(sign * self.normalized[self.row(term)])
                else:
                    terms.append(sign * _geometry.direction(np.asarray(term), self.dim))
        if not terms:
            raise ValueError("The query is empty; give a word or a vector.")
        return self._nearest(np.sum(terms, axis=0), topn, excluded)

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

    def doesnt_match(self, words: Iterable[str]) -> str:
        """Return the word that is farthest from the mean of all, each of length one.

        >>> rows = np.array([[1.0, 0.1], [1.0, 0.0], [-1.0, 1.0]])
        >>> WordVectors(["cat", "dog", "algebra"], rows).doesnt_match(["cat", "algebra", "dog"])
        'algebra'
        """
        given = [words] if isinstance(words, str) else list(words)
        if len(given) < 2:
            raise ValueError(f"Give two words or more; received {given!r}.")
        rows = self.normalized[[self.row(word) for word in given]]
        return given[int(np.argmin(rows @ rows.mean(axis=0)))]

    def _nearest(
        self, query: NDArray[Any], topn: int, excluded: set[int]
    ) -> list[tuple[str, float]]:
        if topn < 1:
            raise ValueError(f"topn is {topn}; ask for at least one word.")
        towards = _geometry.direction(query, self.dim)
        cosine = self.normalized @ towards.astype(self.normalized.dtype)
        best = np.argsort(-cosine, kind="stable")[: topn + len(excluded)]
        kept = [row for row in best.tolist() if row not in excluded][:topn]
        return [(self.words[row], float(cosine[row])) for row in kept]

    # Files

    def save(self, path: PathLike) -> None:
        """Write a NumPy .npz file, in full precision and without pickle.

        It holds `matrix` (V, d), and the words as JSON in the bytes of `words`, at the cost of
        their letters: `json.loads(bytes(numpy.load(path)["words"]))`.
        """
        words = np.frombuffer(json.dumps(self.words).encode(), np.uint8)
        with replacing(path) as file:
            write_arrays(file, {"words": words, "matrix": self.matrix})

    @classmethod
    def load(cls, path: PathLike) -> Self:
        """Read a file written by `save`, or one in which `words` (V,) are NumPy's strings.

        Raises
        ------
        ValueError
            If the file is damaged or holds something else.
        """
        try:
            arrays = read_arrays(path, ["words", "matrix"])
            words = _rows.words_of(arrays["words"])
        except ValueError as error:
            raise DamagedFileError(
                f"{path} is not a file written by WordVectors.save, or it is damaged ({error}). "
                "Write it again; word2vec files are read by load_word2vec_format."
            ) from error
        return cls._of_file(path, words, arrays["matrix"])

    def save_word2vec_format(self, path: PathLike, binary: bool = False) -> None:
        """Write the word2vec format, text or binary, in single precision as word2vec does.

        Packed by gzip where the name ends in .gz.

        Raises
        ------
        ValueError
            If a word holds white space or control characters or cannot be written as UTF-8, or if
            the numbers of a row are too large or too small for single precision. Nothing is written
            then.
        """
        words = [_word2vec.encode(word) for word in self.words]
        _word2vec.write(path, words, _word2vec.single(self.words, self.matrix), binary)

    @classmethod
    def load_word2vec_format(
        cls,
        path: PathLike,
        binary: bool | None = None,
        limit: int | None = None,
        errors: str = "strict",
        malformed: str = "raise",
        duplicates: str = "raise",
    ) -> Self:
        """Read the word2vec format, text or binary, or GloVe's without a header, as float32.

        A file packed by gzip is unpacked, whatever its name.

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
        malformed : str
            What to do with a row of text that is not one word and d finite numbers: "raise", or
            "skip", which warns with their number and the first.
        duplicates : str
            What to do with a word that stands above: "raise", or "first", which keeps the first
            row and warns with the number of others.

        Raises
        ------
        ValueError
            If the header or a row is wrong, the file ends early, a number is not finite or a
            word stands twice; the message gives the place.
        """
        if limit is not None and whole("limit", limit, least=0) < 1:
            raise ValueError(f"limit is {limit}; read at least one word, or leave it out.")
        words, matrix = _word2vec.read(
            path,
            binary=binary,
            limit=limit,
            errors=choice("errors", errors, ("strict", "replace", "ignore")),
            malformed=choice("malformed", malformed, ("raise", "skip")),
            duplicates=choice("duplicates", duplicates, ("raise", "first")),
        )
        return cls._of_file(path, words, matrix)

    @classmethod
    def _of_file(cls, path: PathLike, words: list[str], matrix: NDArray[Any]) -> Self:
        matrix.flags.writeable = False
        try:
            return cls(words, matrix)
        except ValueError as error:
            raise DamagedFileError(f"{path}: {error}") from error
