"""Word and pair counts of a corpus: exact integers that can be added, restricted, kept and shared.

The skip-gram counts of the paper: two words at a distance of at most L weigh L + 1 - distance
(word2vec's dynamic window in expectation), and no window reaches over the end of a document. Counts
are integers all the way, so that shards of a corpus add up to the same bits as the whole.
"""

from __future__ import annotations

import hashlib
import json
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from qw2v import _archive, _checks
from qw2v._environment import progress_bar
from qw2v.text import counting
from qw2v.text.corpus import (
    Tokenizer,
    Tokens,
    check_choice,
    read_files,
    read_texts,
    worker_count,
)
from qw2v.text.reading import Paths

OUT_OF_VOCABULARY = ("remove", "mask")
ALIKE = ("words", "window", "window_weights", "out_of_vocabulary")
KEPT = ("window", "window_weights", "out_of_vocabulary", "n_documents", "n_tokens")


@dataclass(frozen=True, eq=False, repr=False)
class CorpusStatistics:
    """Vocabulary, word counts and symmetric weighted pair counts of a corpus.

    `words` is the vocabulary, most frequent first, ties in alphabetical order. `word_counts` (V,)
    and `pair_counts` (V, V), sparse and symmetric with sorted indices, are int64 and exact.
    `window` is L, the words on each side; `window_weights` "linear" (L + 1 - distance), "uniform"
    (1) or "harmonic" (1 / distance, as integers: the least common multiple of 1..L over the
    distance). `out_of_vocabulary` says whether other words were removed before windows were laid
    ("remove", the paper's way) or kept their place in them ("mask"). `n_tokens` counts every word
    read, `n_documents` the documents with any. Treat the arrays as read-only.

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
        vocab_size = len(self.words)
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
        _check_settings(self.window, self.window_weights, self.out_of_vocabulary)
        pairs = pairs.astype(np.int64, copy=False)
        pairs.sum_duplicates()
        object.__setattr__(self, "word_counts", word_counts.astype(np.int64, copy=False))
        object.__setattr__(self, "pair_counts", pairs)

    @classmethod
    def from_files(
        cls,
        paths: Paths,
        *,
        vocab_size: int | None = None,
        vocabulary: Sequence[str] | None = None,
        window: int = 16,
        window_weights: str = "linear",
        out_of_vocabulary: str = "remove",
        document: str = "line",
        tokenize: Tokenizer | None = None,
        errors: str = "strict",
        source: str = "",
        workers: int | None = None,
        memory: int | None = None,
        progress: bool = True,
    ) -> CorpusStatistics:
        """Count the words and pairs of UTF-8 text files; .gz, .xz and .zst are unpacked.

        Each line is a document, or with document="file" each file. Give `vocab_size` for the most
        frequent words, or `vocabulary`, a list kept in its order, to count shards alike (see
        `merge`). By default ASCII letters are lowercased and all else separates words; `tokenize`
        maps the str of a document to its tokens instead. errors="replace" reads bytes that are not
        UTF-8 as separators. `memory` bounds the bytes taken (default: what is free): ids beyond a
        quarter of it wait in a temporary file, and the text is counted in pieces. `workers` is the
        number of threads (default: one a core); the result never depends on it.

        Raises FileNotFoundError or IsADirectoryError for a path that is no file; ValueError for
        undecodable or damaged files, no words, fewer words than `vocab_size` and settings out of
        range; MemoryError before it would take too much; OverflowError where a count could pass
        2^63.

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "text.txt")
        ...     _ = path.write_text("the cat sat\\nthe dog sat")
        ...     CorpusStatistics.from_files(path, vocab_size=4, window=2).words
        ['sat', 'the', 'cat', 'dog']
        """
        request = _Request(
            vocab_size, vocabulary, window, window_weights, out_of_vocabulary, source,
            worker_count(workers), memory, progress,
        )  # fmt: skip
        tokens = read_files(
            paths,
            document=document,
            tokenize=tokenize,
            errors=errors,
            workers=workers,
            progress=progress,
            budget=request.reading_budget(),
        )
        return cls(**request.count(tokens))

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str],
        *,
        vocab_size: int | None = None,
        vocabulary: Sequence[str] | None = None,
        window: int = 16,
        window_weights: str = "linear",
        out_of_vocabulary: str = "remove",
        tokenize: Tokenizer | None = None,
        source: str = "",
        workers: int | None = None,
        memory: int | None = None,
        progress: bool = True,
    ) -> CorpusStatistics:
        """Count the words and pairs of an iterable of str, one document each, read once.

        Other arguments and errors are those of `from_files`; TypeError for what is not str.

        >>> CorpusStatistics.from_texts(["a b", "b"], vocab_size=2, window=1).word_counts.tolist()
        [2, 1]
        """
        request = _Request(
            vocab_size, vocabulary, window, window_weights, out_of_vocabulary, source,
            worker_count(workers), memory, progress,
        )  # fmt: skip
        tokens = read_texts(
            texts, tokenize=tokenize, progress=progress, budget=request.reading_budget()
        )
        return cls(**request.count(tokens))

    @classmethod
    def merge(cls, parts: Iterable[CorpusStatistics]) -> CorpusStatistics:
        """Return the sum of statistics of separate shards: the same bits as one run over all.

        Shards may be counted anywhere, by any executor, with the same `vocabulary`:

            counts = sum(executor.map(corpus.count_words, shards), Counter())
            words = corpus.top_words(counts, 10_000)
            count = partial(CorpusStatistics.from_files, vocabulary=words)
            stats = CorpusStatistics.merge(executor.map(count, shards))

        Raises ValueError for no parts, or parts that differ in words, window, weights or treatment
        of other words; OverflowError where the sum could pass 2^63.

        >>> one = CorpusStatistics.from_texts(["a b"], vocabulary=["a", "b"], window=1)
        >>> CorpusStatistics.merge([one, one, one]).pair_counts.toarray().tolist()
        [[0, 3], [3, 0]]
        """
        parts = iter(parts)
        total = next(parts, None)
        if total is None:
            raise ValueError("nothing to merge: pass at least one CorpusStatistics")
        for part in parts:
            total = total + part
        return total

    def __add__(self, other: CorpusStatistics) -> CorpusStatistics:
        if not isinstance(other, CorpusStatistics):
            return NotImplemented
        for name in ALIKE:
            ours, theirs = getattr(self, name), getattr(other, name)
            if ours != theirs:
                raise ValueError(
                    f"these statistics cannot be added, they differ in {name}: "
                    f"{_difference(ours, theirs)}; count both with the same vocabulary and settings"
                )
        if _total(self.pair_counts) + _total(other.pair_counts) > counting.INT64_MAX:
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

    def restrict(self, vocab_size: int) -> CorpusStatistics:
        """Return the same counts for the first `vocab_size` words alone.

        Windows stay as they were laid: under "remove", counting anew with fewer words would pull
        the rest closer together. Raises ValueError unless 1 <= vocab_size <= V.

        >>> stats = CorpusStatistics.from_texts(["a b a c"], vocab_size=3, window=2)
        >>> stats.restrict(2).words
        ['a', 'b']
        """
        if not 1 <= operator.index(vocab_size) <= self.vocab_size:
            raise ValueError(
                f"vocab_size must lie between 1 and {self.vocab_size:,}, the words there are; "
                f"received {vocab_size:,}"
            )
        return CorpusStatistics(
            self.words[:vocab_size],
            self.word_counts[:vocab_size],
            self.pair_counts[:vocab_size, :vocab_size],
            **self._header(),
        )

    def save(self, path: str | Path) -> None:
        """Write the statistics to one compact .npz file, exactly; a file there is replaced whole.

        Raises FileNotFoundError where the folder does not exist, ValueError for a table that is not
        symmetric.
        """
        _archive.write(Path(path), self._header(), self.words, self.word_counts, self.pair_counts)

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
                settings[name] = _checks.whole(name, settings[name], least, counting.INT64_MAX)
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
        shares = pairs.data / max(_total(pairs), 1)
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
            digest.update(np.ascontiguousarray(array, "<i8"))
        return digest.hexdigest()

    def _header(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in (*KEPT, "source")}

    def __repr__(self) -> str:
        return (
            f"CorpusStatistics({self.vocab_size:,} words, {self.n_tokens:,} tokens in "
            f"{self.n_documents:,} documents, window {self.window} {self.window_weights}, "
            f"{self.pair_counts.nnz:,} pairs" + (f", {self.source!r})" if self.source else ")")
        )


@dataclass(frozen=True)
class _Request:
    """What to count, checked before any text is read."""

    vocab_size: int | None
    vocabulary: Sequence[str] | None
    window: int
    window_weights: str
    out_of_vocabulary: str
    source: str
    workers: int
    memory: int | None
    progress: bool

    def __post_init__(self) -> None:
        _check_settings(self.window, self.window_weights, self.out_of_vocabulary)
        if (self.vocab_size is None) == (self.vocabulary is None):
            raise ValueError(
                "pass either vocab_size, the number of words to keep, or vocabulary, a list of "
                f"words; received {'neither' if self.vocabulary is None else 'both'}"
            )
        if self.memory is not None and self.memory < 1:
            raise ValueError(f"memory must be a positive number of bytes, received {self.memory}")

    def reading_budget(self) -> int:
        """Return how many bytes of word ids may wait in memory."""
        limit = counting.available_memory() if self.memory is None else self.memory
        return 1 << 30 if limit is None else limit // 4

    def count(self, tokens: Tokens) -> dict[str, Any]:
        """Return the fields of the statistics."""
        words, word_counts, rank = tokens.choose(self.vocab_size, self.vocabulary)
        with progress_bar(
            "Counting",
            " words",
            int(word_counts.sum()),
            progress=self.progress,
            unit_scale=True,
        ) as bar:
            pair_counts = counting.count_pairs(
                tokens,
                rank,
                word_counts,
                counting.pair_weights(self.window, self.window_weights),
                keep_others=self.out_of_vocabulary == "mask",
                memory=self.memory,
                workers=self.workers,
                bar=bar,
            )
        return {
            "words": words,
            "word_counts": word_counts,
            "pair_counts": pair_counts,
            "window": self.window,
            "window_weights": self.window_weights,
            "out_of_vocabulary": self.out_of_vocabulary,
            "n_documents": tokens.n_documents,
            "n_tokens": tokens.n_tokens,
            "source": self.source,
        }


def _check_settings(window: int, window_weights: str, out_of_vocabulary: str) -> None:
    try:
        valid = operator.index(window) >= 1
    except TypeError:
        valid = False
    if not valid:
        raise ValueError(
            f"window must be a whole number of words on each side, at least 1; received {window!r}"
        )
    check_choice("window_weights", window_weights, counting.WINDOW_WEIGHTS)
    check_choice("out_of_vocabulary", out_of_vocabulary, OUT_OF_VOCABULARY)


def _total(pairs: sparse.csr_array) -> int:
    return int(pairs.data.sum())


def _difference(ours: Any, theirs: Any) -> str:
    if not isinstance(ours, list):
        return f"{ours!r} and {theirs!r}"
    if len(ours) != len(theirs):
        return f"{len(ours):,} and {len(theirs):,} words"
    row = next(i for i, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1])
    return f"row {row} is {ours[row]!r} and {theirs[row]!r}"
