"""Text to word ids: reading files and iterables, splitting into words, choosing a vocabulary.

The default rule is the paper's: ASCII letters are lowercased, every other character separates
words. It works on the bytes of the text, each read once: a word gets an id when it first appears,
and its rank in the vocabulary when all counts are known. Ids wait in memory, or beyond a budget in
an unnamed temporary file, so the text may be a generator and may be larger than memory.
"""

from __future__ import annotations

import os
import queue
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from qw2v._environment import progress_bar
from qw2v.text import reading
from qw2v.text.reading import (
    TEXT_END,
    Part,
    Paths,
    TextReader,
    blocks,
    checked,
    documents_of,
    existing_files,
    parts_of,
)

Tokenizer = Callable[[str], Iterable[str]]

END_OF_DOCUMENT = -1
LINE_END = 0x0A
NO_BOUNDARY = 0x100


def count_words(
    paths: Paths,
    *,
    document: str = "line",
    tokenize: Tokenizer | None = None,
    errors: str = "strict",
    workers: int | None = None,
    progress: bool = True,
) -> Counter[str]:
    """Return how often each word occurs in the files; the Counters of shards add up.

    Arguments and errors are those of `CorpusStatistics.from_files`.

    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "a.txt")
    ...     _ = path.write_text("The cat, the dog.")
    ...     count_words(path)
    Counter({'the': 2, 'cat': 1, 'dog': 1})
    """
    tokens = read_files(
        paths,
        document=document,
        tokenize=tokenize,
        errors=errors,
        workers=workers,
        progress=progress,
        keep_ids=False,
    )
    table = tokens.table
    return Counter(dict(zip(table.words(), table.counts().tolist(), strict=True)))


def top_words(counts: Counter[str], vocab_size: int) -> list[str]:
    """Return the `vocab_size` most frequent words, ties in alphabetical order.

    Raises ValueError where there are fewer words than that.

    >>> top_words(Counter("to be or not to be".split()), 3)
    ['be', 'to', 'not']
    """
    _check_vocab_size(vocab_size, len(counts))
    return sorted(counts, key=lambda word: (-counts[word], word))[:vocab_size]


class Tokens:
    """A corpus as word ids, each document closed by END_OF_DOCUMENT."""

    def __init__(self, table: WordTable | TokenTable, spool: Spool, aliases: list) -> None:
        self.table = table
        self.n_documents = spool.n_documents
        self.n_tokens = int(table.counts().sum())
        self._spool = spool
        self._aliases = aliases

    @property
    def bytes_in_memory(self) -> int:
        """Memory that the waiting ids take."""
        return self._spool.in_memory

    def choose(
        self, vocab_size: int | None, vocabulary: Sequence[str] | None
    ) -> tuple[list[str], NDArray[np.int64], NDArray]:
        """Return the vocabulary, its counts (V,), and the rank of each word id, V if not in it."""
        if vocabulary is None:
            chosen = self._most_frequent(vocab_size)
        else:
            chosen = self.table.find(vocabulary)
        counts = self.table.counts()
        rank = np.full(len(counts), len(chosen), id_type(len(chosen)))
        rank[chosen] = np.arange(len(chosen))
        return self.table.words(chosen), counts[chosen], rank

    def _most_frequent(self, vocab_size: int) -> NDArray[np.int64]:
        counts = self.table.counts()
        _check_vocab_size(vocab_size, len(counts))
        rarest = np.partition(counts, -vocab_size)[-vocab_size]
        candidates = np.flatnonzero(counts >= rarest)
        words = self.table.words(candidates)
        order = sorted(range(len(words)), key=lambda i: (-counts[candidates[i]], words[i]))
        return candidates[order[:vocab_size]]

    def drain(self, rank: NDArray) -> Iterator[tuple[NDArray[np.int32], NDArray]]:
        """Yield, in the text's order, blocks of ids and the ranks they index; each is let go of."""
        ranks = [rank if alias is None else rank[alias] for alias in self._aliases]
        for table, ids in self._spool.drain():
            yield ids, ranks[table]


def id_type(vocab_size: int) -> type[np.unsignedinteger]:
    """Return the smallest type of the ranks 0..V; V itself stands for every other word."""
    return np.uint16 if vocab_size < 2**16 else np.uint32


def read_files(
    paths: Paths,
    *,
    document: str = "line",
    tokenize: Tokenizer | None = None,
    errors: str = "strict",
    workers: int | None = None,
    progress: bool = True,
    budget: int = 1 << 30,
    keep_ids: bool = True,
) -> Tokens:
    """Return the words of text files as ids, of which at most `budget` bytes wait in memory.

    Arguments and errors are those of `CorpusStatistics.from_files`.
    """
    check_choice("document", document, ("line", "file"))
    check_choice("errors", errors, ("strict", "replace"))
    paths = existing_files(paths)
    spool = Spool(budget, keep_ids)
    with progress_bar(
        "Reading",
        "B",
        sum(path.stat().st_size for path in paths),
        progress=progress,
        unit_scale=True,
    ) as bar:
        if tokenize is not None:
            documents = documents_of(paths, document, errors, bar)
            return _split_with(tokenize, documents, spool)
        parts = list(parts_of(paths, document))
        boundary = LINE_END if document == "line" else NO_BOUNDARY
        read = lambda part: blocks(part, boundary, errors, bar)  # noqa: E731
        return _split(read, parts, spool, worker_count(workers))


def read_texts(
    texts: Iterable[str],
    *,
    tokenize: Tokenizer | None = None,
    progress: bool = True,
    budget: int = 1 << 30,
) -> Tokens:
    """Return the words of an iterable of documents as ids; see `CorpusStatistics.from_texts`."""
    if isinstance(texts, str):
        raise TypeError(
            "texts must be an iterable of documents, received one str: pass [text] for one "
            "document, or text.splitlines() for one document a line"
        )
    spool = Spool(budget)
    with progress_bar("Reading", "B", progress=progress, unit_scale=True) as bar:
        if tokenize is not None:
            return _split_with(tokenize, checked(texts), spool)
        part = Part("texts", lambda: TextReader(checked(texts)))
        return _split(lambda part: blocks(part, TEXT_END, "strict", bar), [part], spool, 1)


# --- Splitting into words -------------------------------------------------------------------------


class WordTable:
    """The words met so far under the default rule, numbered by first appearance."""

    def __init__(self) -> None:
        self._slots = np.zeros(4 << 16, np.uint64)
        self._starts = np.zeros(1 << 15, np.int64)
        # Every word once, each followed by a zero: text that can itself be split.
        self._letters = np.zeros(1 << 19, np.uint8)
        self._state = np.zeros(3, np.int64)
        self._extra = np.zeros(0, np.int64)
        self._out = np.empty(reading.BLOCK + 1, np.int32)

    def __len__(self) -> int:
        return int(self._state[1])

    def counts(self) -> NDArray[np.int64]:
        """Return how often each word occurred."""
        from qw2v.text import kernels

        counts = np.pad(self._extra, (0, len(self) - len(self._extra)))
        kernels.add_counts(self._slots, counts)
        return counts

    def words(self, ids: NDArray[np.int64] | None = None) -> list[str]:
        """Return the words with these ids, or all."""
        if ids is None:
            return self._text().decode().split("\0")[:-1]
        text, starts = self._text(), self._starts
        return [text[starts[i] : starts[i + 1] - 1].decode() for i in ids.tolist()]

    def find(self, vocabulary: Sequence[str]) -> NDArray[np.int64]:
        """Return the ids of these words; those that never occurred get one, and a count of 0."""
        for word in _check_vocabulary(vocabulary):
            if not re.fullmatch("[a-z]+", word):
                raise ValueError(
                    f"the vocabulary holds {word!r}, which the default rule never yields: it gives "
                    "runs of the letters a-z; change the word, or pass the tokenize= it comes from"
                )
        return self._add("\0".join(vocabulary).encode() + b"\0", np.zeros(len(vocabulary), int))

    def absorb(self, other: WordTable) -> NDArray[np.int64]:
        """Add the words and counts of another table; return the ids of its words in this one."""
        return self._add(other._text(), other.counts())

    def split(self, buffer: NDArray[np.uint8], size: int, boundary: int, last: bool) -> NDArray:
        """Return the ids of the words in buffer[:size]; `last` ends the document there."""
        from qw2v.text import kernels

        kernels.normalise(buffer, size, boundary)
        buffer[size : size + reading.MARGIN] = 0
        if last:
            buffer[size] = kernels.BOUNDARY
        return self._run(buffer, size + last)

    def _run(self, text: NDArray[np.uint8], size: int) -> NDArray[np.int32]:
        from qw2v.text import kernels

        if len(self._out) <= size:
            self._out = np.empty(size + 1, np.int32)
        out = self._out
        written = 0
        self._state[0] = 0
        while True:
            written += kernels.split(
                text, size, self._state, self._slots, self._starts, self._letters, out[written:]
            )
            if self._state[0] >= size:
                return out[:written].copy()
            self._grow(size)

    def _add(self, text: bytes, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        padded = np.frombuffer(text + bytes(reading.MARGIN), np.uint8)
        ids = self._run(padded, len(text)).astype(np.int64)
        self._extra = np.pad(self._extra, (0, len(self) - len(self._extra)))
        # Splitting the list of words has counted each of them once.
        self._extra[ids] += counts - 1
        return ids

    def _grow(self, size: int) -> None:
        from qw2v.text import kernels

        if kernels.FULL * len(self) >= len(self._slots):
            larger = np.zeros(2 * len(self._slots), np.uint64)
            kernels.rehash(self._slots, larger)
            self._slots = larger
        elif len(self) + 2 > len(self._starts):
            self._starts = np.pad(self._starts, (0, len(self._starts)))
        else:
            self._letters = np.pad(self._letters, (0, len(self._letters) + size))

    def _text(self) -> bytes:
        return self._letters[: self._starts[len(self)]].tobytes()


class TokenTable:
    """The tokens met so far under any other rule, numbered by first appearance."""

    def __init__(self) -> None:
        self._index: dict[str, int] = {}
        self._counts: Counter[int] = Counter()

    def __len__(self) -> int:
        return len(self._index)

    def counts(self) -> NDArray[np.int64]:
        """Return how often each token occurred."""
        return np.array([self._counts[i] for i in range(len(self))], np.int64)

    def words(self, ids: NDArray[np.int64] | None = None) -> list[str]:
        """Return the tokens with these ids, or all."""
        tokens = list(self._index)
        return tokens if ids is None else [tokens[i] for i in ids.tolist()]

    def find(self, vocabulary: Sequence[str]) -> NDArray[np.int64]:
        """Return the ids of these tokens; those that never occurred get one, and a count of 0."""
        return np.array([self._id(word) for word in _check_vocabulary(vocabulary)], np.int64)

    def split(self, tokens: Iterable[str]) -> list[int]:
        """Return the ids of the tokens of one document."""
        if isinstance(tokens, str):
            raise TypeError(
                "tokenize returned one str, not tokens: return a list, as text.split() does"
            )
        ids = [self._id(token) for token in tokens]
        self._counts.update(ids)
        return ids

    def _id(self, token: str) -> int:
        number = self._index.get(token)
        if number is None:
            _check_token(token)
            number = self._index[token] = len(self._index)
        return number


def _split(read: Callable, parts: list[Part], spool: Spool, workers: int) -> Tokens:
    """Split the parts of a corpus, each whole in one thread; every thread numbers its own words."""
    tables = [WordTable() for _ in range(min(workers, len(parts)))]
    idle: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(tables)):
        idle.put(number)

    def split(part: int) -> None:
        number = idle.get()
        try:
            for block in read(parts[part]):
                spool.add(part, number, tables[number].split(*block))
        finally:
            idle.put(number)

    with ThreadPoolExecutor(len(tables)) as pool:
        try:
            for done in [pool.submit(split, part) for part in range(len(parts))]:
                done.result()
        except BaseException:
            # Stops the other threads at their next block.
            spool.close()
            pool.shutdown(cancel_futures=True)
            raise
    aliases = [None, *(tables[0].absorb(table) for table in tables[1:])]
    return Tokens(tables[0], spool, aliases)


def _split_with(tokenize: Tokenizer, documents: Iterable[str], spool: Spool) -> Tokens:
    """Split documents with the caller's tokenizer, in one thread: it is Python code."""
    table = TokenTable()
    batch: list[int] = []
    for text in documents:
        ids = table.split(tokenize(text))
        if ids:
            batch += ids
            batch.append(END_OF_DOCUMENT)
        if len(batch) >= reading.BLOCK:
            spool.add(0, 0, np.array(batch, np.int32))
            batch = []
    spool.add(0, 0, np.array(batch, np.int32))
    return Tokens(table, spool, [None])


class Spool:
    """Blocks of ids, kept in memory up to a budget and in a temporary file beyond it."""

    def __init__(self, budget: int, keep_ids: bool = True) -> None:
        self.n_documents = 0
        self.in_memory = 0
        self._budget = budget
        self._keep_ids = keep_ids
        self.blocks: dict[int, list] = {}
        self._file = None
        self._lock = threading.Lock()
        self._closed = False

    def add(self, part: int, table: int, ids: NDArray[np.int32]) -> None:
        """Append a block of ids of one table to one part of the corpus."""
        with self._lock:
            if self._closed:
                raise RuntimeError("reading was stopped")
            self.n_documents += int(np.count_nonzero(ids == END_OF_DOCUMENT))
            if not self._keep_ids:
                return
            if self.in_memory + ids.nbytes <= self._budget:
                self.in_memory += ids.nbytes
            else:
                ids = self._write(ids)
            self.blocks.setdefault(part, []).append((table, ids))

    def drain(self) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Yield (table, ids) in the order of the text, and forget them."""
        for part in sorted(self.blocks):
            blocks = self.blocks.pop(part)
            for i, (table, ids) in enumerate(blocks):
                blocks[i] = None
                yield table, ids if isinstance(ids, np.ndarray) else self._read(*ids)
        self.close()

    def close(self) -> None:
        """Let go of everything; adding more is refused."""
        self._closed = True
        self.blocks.clear()
        if self._file is not None:
            self._file.close()

    def _write(self, ids: NDArray[np.int32]) -> tuple[int, int]:
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="qw2v-")
        try:
            offset = self._file.seek(0, os.SEEK_END)
            self._file.write(ids)
        except OSError as error:
            raise OSError(
                f"no room for word ids in {tempfile.gettempdir()}: {error}; set TMPDIR to a larger "
                "disk, or raise memory= to keep more of them in memory"
            ) from error
        return offset, len(ids)

    def _read(self, offset: int, count: int) -> NDArray[np.int32]:
        self._file.seek(offset)
        return np.frombuffer(self._file.read(4 * count), np.int32)


# --- Checks ---------------------------------------------------------------------------------------


def check_choice(name: str, value: str, allowed: Sequence[str]) -> None:
    """Raise ValueError unless the value is one of those allowed."""
    if value not in allowed:
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, allowed))}, received {value!r}"
        )


def worker_count(workers: int | None) -> int:
    """Return the number of threads: as given, or as many as this process has cores."""
    if workers is None:
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if workers < 1:
        raise ValueError(f"workers must be at least 1, received {workers}")
    return workers


def _check_vocab_size(vocab_size: int | None, n_words: int) -> None:
    if n_words == 0:
        raise ValueError("the corpus has no words: it is empty, or the tokenizer yields nothing")
    if vocab_size is None or vocab_size < 1:
        raise ValueError(f"vocab_size must be at least 1, received {vocab_size}")
    if vocab_size > n_words:
        raise ValueError(
            f"vocab_size is {vocab_size:,}, but the corpus has only {n_words:,} different words: "
            f"pass {n_words:,} or less, or more text"
        )


def _check_vocabulary(vocabulary: Sequence[str]) -> list[str]:
    if isinstance(vocabulary, str) or not vocabulary:
        raise ValueError(f"vocabulary must be a list of words, received {vocabulary!r}")
    words = list(vocabulary)
    if len(set(words)) < len(words):
        twice = next(word for word, count in Counter(words).items() if count > 1)
        raise ValueError(f"the vocabulary holds {twice!r} more than once: list each word once")
    for word in words:
        _check_token(word)
    return words


def _check_token(token: str) -> None:
    if not isinstance(token, str):
        raise TypeError(f"a token must be a str, received {token!r} ({type(token).__name__})")
    if token.split() != [token]:
        raise ValueError(
            f"a token must not be empty or hold white space, received {token!r}: files of word "
            "vectors separate words by spaces; join its parts, as in 'new_york'"
        )
