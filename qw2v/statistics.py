"""Word and pair counts of a corpus: exact integers that can be added, restricted, kept and shared.

The skip-gram counts of the paper: two words at a distance of at most L weigh L + 1 - distance
(word2vec's dynamic window in expectation), and no window reaches over the end of a document. Counts
are integers all the way, so that shards of a corpus add up to the same bits as the whole.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from qw2v import _archive, _checks, _counts
from qw2v.text.corpus import Corpus
from qw2v.text.counting import INT64_MAX, check_settings
from qw2v.text.finding import Paths
from qw2v.text.words import check_vocabulary

ALIKE = ("words", "window", "window_weights", "out_of_vocabulary")
KEPT = ("window", "window_weights", "out_of_vocabulary", "n_documents", "n_tokens")


@dataclass(frozen=True, eq=False, repr=False)
class CorpusStatistics:
    """Vocabulary, word counts and symmetric weighted pair counts of a corpus.

    `words` is the vocabulary, most frequent first, ties in alphabetical order. `word_counts` (V,)
    and `pair_counts` (V, V), sparse and symmetric with sorted indices, are int64 and exact.
    `window` is L, the words on each side; `window_weights` "linear" (L + 1 - distance), "uniform"
    (1) or "harmonic" (1 / distance, as whole numbers: the least common multiple of 1..L over the
    distance, past L = 16 720,720 over it, rounded). `out_of_vocabulary` says whether other words
    were removed before windows were laid ("remove", the paper's way) or kept their place in them
    ("mask"). `n_tokens` counts every word read, `n_documents` the documents with any. Treat the
    arrays as read-only.

    >>> stats = CorpusStatistics.from_texts(["to be or not to be"], vocab_size=2, window=1)
    >>> stats.words, stats.word_counts.tolist(), stats.pair_counts.toarray().tolist()
    (['be', 'to'], [2, 2], [[0, 3], [3, 0]])
    """

    words: list[str]
    word_counts: NDArray[np.int64]
    pair_counts: sparse.csr_array
    window: int
    window_weights: str
    out_of_vocabulary: str
    n_documents: int
    n_tokens: int
    source: str = ""

    def __post_init__(self) -> None:
        words = check_vocabulary(self.words)
        vocab_size = len(words)
        word_counts = np.asarray(self.word_counts)
        pairs = sparse.csr_array(self.pair_counts)
        if word_counts.shape != (vocab_size,) or pairs.shape != (vocab_size, vocab_size):
            raise ValueError(
                f"{vocab_size} words need word_counts of shape ({vocab_size},) and pair_counts of "
                f"shape ({vocab_size}, {vocab_size}); "
                f"received {word_counts.shape} and {pairs.shape}"
            )
        if word_counts.dtype.kind not in "iu" or pairs.dtype.kind not in "iu":
            raise TypeError(
                f"counts must be integers, received {word_counts.dtype} and {pairs.dtype}"
            )
        window = check_settings(self.window, self.window_weights, self.out_of_vocabulary)
        if not pairs.has_canonical_format:
            pairs = pairs.copy()
            pairs.sum_duplicates()
        pairs = pairs.astype(np.int64, copy=False)
        _counts.check_counts(words, word_counts, pairs)
        fields: dict[str, Any] = {
            "words": words,
            "word_counts": word_counts.astype(np.int64, copy=False),
            "pair_counts": pairs,
            "window": window,
            "n_documents": _checks.whole("n_documents", self.n_documents, 0),
            "n_tokens": _checks.whole("n_tokens", self.n_tokens, 0),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_files(cls, paths: Paths, **options: Any) -> CorpusStatistics:
        """Count the words and pairs of files: short for `Corpus.from_files` and its `count`.

        Parameters
        ----------
        paths : path or sequence of paths
            The files, folders or patterns.
        **options
            Those of `Corpus.from_files` and of `Corpus.count`: `vocab_size` or `vocabulary` must be
            among them.

        Examples
        --------
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "text.txt")
        ...     _ = path.write_text("the cat sat\\nthe dog sat")
        ...     CorpusStatistics.from_files(path, vocab_size=4, window=2).words
        ['sat', 'the', 'cat', 'dog']
        """
        reading, counting = _counts.divided_options(options, Corpus.from_files)
        return Corpus.from_files(paths, **reading).count(**counting)

    @classmethod
    def from_texts(cls, texts: Iterable[Any], **options: Any) -> CorpusStatistics:
        """Count an iterable of documents, read once: short for `Corpus.from_texts` and its `count`.

        Parameters
        ----------
        texts : iterable of str
            The documents, or records with a field that holds one.
        **options
            Those of `Corpus.from_texts` and of `Corpus.count`: `vocab_size` or `vocabulary` must be
            among them.

        Examples
        --------
        >>> CorpusStatistics.from_texts(["a b", "b"], vocab_size=2, window=1).word_counts.tolist()
        [2, 1]
        """
        reading, counting = _counts.divided_options(options, Corpus.from_texts)
        return Corpus.from_texts(texts, **reading).count(**counting)

    @classmethod
    def merge(cls, parts: Iterable[CorpusStatistics]) -> CorpusStatistics:
        """Return the sum of statistics of separate shards: the same bits as one run over all.

        Parts must be counted with the same `vocabulary`; `Corpus.from_files(executor=...)` does all
        of it. Some at a time are added in pairs, so that few are held at once.

        Raises ValueError for no parts, or parts that differ in words, window, weights or treatment
        of other words; OverflowError where the sum could pass 2^63.

        >>> one = CorpusStatistics.from_texts(["a b"], vocabulary=["a", "b"], window=1)
        >>> CorpusStatistics.merge([one, one, one]).pair_counts.toarray().tolist()
        [[0, 3], [3, 0]]
        """
        waiting: list[tuple[int, CorpusStatistics]] = []
        for part in parts:
            level = 0
            while waiting and waiting[-1][0] == level:
                part, level = waiting.pop()[1] + part, level + 1
            waiting.append((level, part))
        if not waiting:
            raise ValueError("nothing to merge: pass at least one CorpusStatistics")
        total = waiting.pop()[1]
        while waiting:
            total = waiting.pop()[1] + total
        return total

    def __add__(self, other: CorpusStatistics) -> CorpusStatistics:
        if not isinstance(other, CorpusStatistics):
            return NotImplemented
        self._check_alike(other, "added")
        if _counts.total(self.pair_counts) + _counts.total(other.pair_counts) > INT64_MAX:
            raise OverflowError("the sum of these counts would pass 2^63: count fewer shards")
        return CorpusStatistics(
            self.words,
            self.word_counts + other.word_counts,
            self.pair_counts + other.pair_counts,
            **{name: getattr(self, name) for name in ALIKE[1:]},
            n_documents=self.n_documents + other.n_documents,
            n_tokens=self.n_tokens + other.n_tokens,
            source="; ".join(dict.fromkeys(filter(None, [self.source, other.source]))),
        )

    def __sub__(self, other: CorpusStatistics) -> CorpusStatistics:
        """Return the counts of the text without a part of it that was counted alike.

        >>> whole, part = (
        ...     CorpusStatistics.from_texts(texts, vocabulary=["a", "b"], window=1)
        ...     for texts in (["a b", "b a b"], ["a b"])
        ... )
        >>> (whole - part).pair_counts.toarray().tolist()
        [[0, 2], [2, 0]]
        """
        if not isinstance(other, CorpusStatistics):
            return NotImplemented
        self._check_alike(other, "subtracted")
        rest = self.pair_counts - other.pair_counts
        rest.eliminate_zeros()
        try:
            return CorpusStatistics(
                self.words,
                self.word_counts - other.word_counts,
                rest,
                **{name: getattr(self, name) for name in ALIKE[1:]},
                n_documents=self.n_documents - other.n_documents,
                n_tokens=self.n_tokens - other.n_tokens,
                source=self.source,
            )
        except ValueError as error:
            raise ValueError(
                f"these statistics cannot be subtracted, the second is no part of the first: "
                f"{error}"
            ) from error

    def _check_alike(self, other: CorpusStatistics, done: str) -> None:
        for name in ALIKE:
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                raise ValueError(
                    f"these statistics cannot be {done}, they differ in {name}: "
                    f"{_counts.difference(ours, theirs)}; count both with the same vocabulary and "
                    "settings"
                )

    def restrict(self, words: int | Iterable[str]) -> CorpusStatistics:
        """Return the same counts for some of the words alone.

        Windows stay as they were laid: under "remove", counting anew with fewer words would pull
        the rest closer together.

        Parameters
        ----------
        words : int or iterable of str
            How many of the first words to keep, or which words, in the order wanted.

        Raises
        ------
        ValueError
            For a size out of range, and words that are not there or are named twice.

        Examples
        --------
        >>> stats = CorpusStatistics.from_texts(["a b a c"], vocab_size=3, window=2)
        >>> stats.restrict(2).words, stats.restrict(["c", "a"]).word_counts.tolist()
        (['a', 'b'], [1, 2])
        """
        if isinstance(words, Iterable):
            wanted = check_vocabulary(words)
            missing = [word for word in wanted if word not in self.index]
            if missing:
                raise ValueError(
                    f"{len(missing):,} of these words are not among the {self.vocab_size:,} of the "
                    f"statistics, the first of them {missing[0]!r}: leave them out"
                )
            rows = np.array([self.index[word] for word in wanted])
            pairs = self.pair_counts[rows][:, rows]
            pairs.sort_indices()
        else:
            size = _checks.whole(
                "vocab_size", words, most=self.vocab_size, of="the words there are"
            )
            wanted, rows = self.words[:size], np.arange(size)
            pairs = self.pair_counts[:size, :size]
        return CorpusStatistics(wanted, self.word_counts[rows], pairs, **self._header())

    def save(self, path: str | Path, *, compact: bool = False) -> None:
        """Write the statistics to one .npz file, exactly; a file there is replaced whole.

        Parameters
        ----------
        path : path
            The file to write.
        compact : bool
            Make it 3% smaller, in ten times the time: for a file to be shared.

        Raises
        ------
        FileNotFoundError
            Where the folder does not exist.
        ValueError
            For a table whose diagonal is odd, which no text makes.
        """
        counts = (self.words, self.word_counts, self.pair_counts)
        _archive.write(Path(path), self._header(), *counts, compact=compact)

    @classmethod
    def load(cls, path: str | Path) -> CorpusStatistics:
        """Read what `save` wrote, without pickle; its checksum is verified.

        Raises FileNotFoundError for no file, ValueError for one that is damaged, cut short, of
        another version or of another kind.
        """
        header, words, word_counts, pairs = _archive.read(Path(path))
        try:
            settings = {name: header[name] for name in (*KEPT, "source")}
            for name, least in (("window", 1), ("n_documents", 0), ("n_tokens", 0)):
                settings[name] = _checks.whole(name, settings[name], least, INT64_MAX)
            if not isinstance(settings["source"], str):
                raise TypeError(f"source must be a str; received {settings['source']!r}")
            stats = cls(words, word_counts, pairs, **settings)
        except (KeyError, TypeError, ValueError) as error:
            raise _archive.ArchiveError(f"{path} does not fit together: {error}") from error
        if header["version"] == 1 and stats.fingerprint != header.get("fingerprint"):
            raise _archive.ArchiveError(
                f"{path} is damaged, its fingerprint is another: {_archive.REMEDY}"
            )
        return stats

    @property
    def vocab_size(self) -> int:
        """V, the number of words."""
        return len(self.words)

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def unigram(self) -> NDArray[np.float64]:
        """P_i, (V,): the share of each word among the words of the vocabulary; sums to 1."""
        return self.word_counts / self.word_counts.sum()

    @cached_property
    def skipgram(self) -> sparse.csr_array:
        """P_ij, (V, V), sparse and symmetric: the share of each pair of words; sums to 1."""
        pairs = self.pair_counts
        shares = pairs.data / max(_counts.total(pairs), 1)
        table = sparse.csr_array((shares, pairs.indices, pairs.indptr), shape=pairs.shape)
        table.has_canonical_format = True
        return table

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of everything but `source`: equal where the statistics are equal."""
        settings = {name: getattr(self, name) for name in KEPT}
        digest = hashlib.sha256(json.dumps({**settings, "words": self.words}).encode())
        pairs = self.pair_counts
        for array in (self.word_counts, pairs.indptr, pairs.indices, pairs.data):
            digest.update(np.ascontiguousarray(array, "<i8").data)
        return digest.hexdigest()

    def _header(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*KEPT, "source")}

    def __repr__(self) -> str:
        return (
            f"CorpusStatistics({self.vocab_size:,} words, {self.n_tokens:,} tokens in "
            f"{self.n_documents:,} documents, window {self.window} {self.window_weights}, "
            f"{self.pair_counts.nnz:,} pairs" + (f", {self.source!r})" if self.source else ")")
        )
