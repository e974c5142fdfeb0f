"""Text to word ids: split by several threads, numbered, and kept to be counted."""

from __future__ import annotations

import queue
import threading
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from qw2v._environment import available_memory, is_small, progress_bar, worker_count
from qw2v.text import counting, reading
from qw2v.text.finding import Layout, Part
from qw2v.text.reading import BLOCK, Block
from qw2v.text.spool import END_OF_DOCUMENT, Spool
from qw2v.text.tables import PlainTable, TokenTable, WordTable
from qw2v.text.words import Tokenizer, check_vocab_size, id_type

UNSPACED_SHARE = 0.25  # of the letters, from which a text is not one that spaces split into words
BUDGET = 1 << 30  # bytes of ids in memory where what is free is unknown


@dataclass(frozen=True)
class Recipe:
    """How text is read and split: the same in every thread and on every machine."""

    layout: Layout = Layout()
    rule: str = "letters"
    tokenize: Tokenizer | None = None
    workers: int | None = None
    memory: int | None = None

    def budget(self) -> int:
        """Return how many bytes of word ids may wait in memory."""
        limit = available_memory() if self.memory is None else self.memory
        return BUDGET if limit is None else limit // 4


@dataclass(frozen=True)
class Letters:
    """How many letters were read, lost by the rule, and of scripts without spaces."""

    all: int = 0
    lost: int = 0
    unspaced: int = 0

    def __add__(self, other: Letters) -> Letters:
        return Letters(self.all + other.all, self.lost + other.lost, self.unspaced + other.unspaced)

    def judge(self) -> None:
        """Refuse text that has no spaces between words; warn of letters that were lost."""
        if self.unspaced > UNSPACED_SHARE * self.all:
            raise ValueError(
                f"{self.unspaced / self.all:.0%} of the letters are of scripts that put no spaces "
                "between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese): pass a function "
                "that splits them, as in tokenize=jieba.lcut for Chinese or "
                "tokenize=janome.tokenizer.Tokenizer(wakati=True).tokenize for Japanese"
            )
        if self.lost:
            warnings.warn(
                f"the rule 'a-z' keeps ASCII letters alone: {self.lost / self.all:.2%} of the "
                "letters are others and were read as spaces; tokens='letters' keeps them",
                stacklevel=5,
            )


class Text:
    """A text as word ids; those of each thread's own table become one by `aliases`."""

    def __init__(
        self,
        table: WordTable | TokenTable,
        spool: Spool,
        aliases: list[NDArray[np.int64] | None],
        rule: str | None,
        letters: Letters,
    ) -> None:
        self.rule = rule
        self.letters = letters
        self.n_documents = spool.n_documents
        self.n_tokens = int(table.counts().sum())
        self.n_words = len(table)
        self.longest = spool.longest
        self._table = table
        self._spool = spool
        self._aliases = aliases
        self._lock = threading.Lock()

    def word_counts(self) -> Counter[str]:
        """Return how often each word occurs."""
        counts = self._table.counts()[: self.n_words]
        words = self._table.words()[: self.n_words]
        return Counter(dict(zip(words, counts.tolist(), strict=True)))

    def most_frequent(self, vocab_size: int | None) -> list[str]:
        """Return the most frequent words, ties in alphabetical order."""
        counts = self._table.counts()[: self.n_words]
        vocab_size = check_vocab_size(vocab_size, self.n_words)
        rarest = np.partition(counts, -vocab_size)[-vocab_size]
        candidates = np.flatnonzero(counts >= rarest)
        words = self._table.words(candidates)
        order = sorted(range(len(words)), key=lambda i: (-counts[candidates[i]], words[i]))
        return [words[i] for i in order[:vocab_size]]

    def count(
        self, words: list[str], request: counting.Request, progress: bool
    ) -> tuple[NDArray[np.int64], sparse.csr_array]:
        """Return the counts of words (V,) and of their pairs (V, V)."""
        numbers, rank = self._ranks(words)
        word_counts = self._table.counts()[numbers]
        masked = request.out_of_vocabulary == "mask"
        total = int(word_counts.sum())
        ids = counting.Ids(
            blocks=self._blocks(rank),
            word_counts=word_counts,
            n_ids=self.n_tokens if masked else total,
            n_documents=self.n_documents,
            longest=self.longest,
            in_memory=self._spool.in_memory,
            keep_others=masked,
        )
        with progress_bar("Counting", " words", total, progress=progress, unit_scale=True) as bar:
            return word_counts, counting.count_pairs(ids, request, bar)

    def ids(self, words: list[str]) -> NDArray[np.int32]:
        """Return the text as ranks (N,), each document closed by END_OF_DOCUMENT."""
        _, rank = self._ranks(words)
        parts = [np.zeros(0, np.int32)]
        for ids, ranks in self._blocks(rank):
            inside = np.where(ids < 0, END_OF_DOCUMENT, ranks[ids].astype(np.int32))
            parts.append(inside[inside < len(words)].astype(np.int32))
        return np.concatenate(parts)

    def description(self) -> str:
        """Return what the text holds, in words."""
        return (
            f"{self.n_tokens:,} tokens of {self.n_words:,} words in {self.n_documents:,} documents"
        )

    def _ranks(self, words: list[str]) -> tuple[NDArray[np.int64], NDArray]:
        """Return the id of each word, and the rank of each id, V if it is no word of these."""
        with self._lock:  # words that never occurred are added to the table
            numbers = self._table.find(words)
            rank = np.full(len(self._table), len(words), id_type(len(words)))
        rank[numbers] = np.arange(len(words))
        return numbers, rank

    def _blocks(self, rank: NDArray) -> Iterator[tuple[NDArray[np.int32], NDArray]]:
        ranks = [rank if alias is None else rank[alias] for alias in self._aliases]
        for table, ids in self._spool.read():
            yield ids, ranks[table]


def read_parts(parts: list[Part], recipe: Recipe, progress: bool, *, judged: bool = True) -> Text:
    """Return the text of files as ids."""
    size = sum(part.size for part in parts)
    spool = Spool(recipe.budget())
    with progress_bar("Reading", "B", size or None, progress=progress, unit_scale=True) as bar:
        if recipe.tokenize is not None:
            pieces = (
                piece for part in parts for piece in reading.documents(part, recipe.layout, bar)
            )
            return _tokenized(recipe.tokenize, pieces, spool)
        text = _split(
            lambda part: reading.blocks(parts[part], recipe.layout, bar),
            len(parts),
            recipe.rule,
            spool,
            workers=worker_count(recipe.workers),
            small=is_small(size),
        )
    if judged:
        text.letters.judge()
    return text


def read_texts(texts: Iterator[str], recipe: Recipe, progress: bool) -> Text:
    """Return the text of an iterable of documents as ids."""
    spool = Spool(recipe.budget())
    with progress_bar("Reading", "B", progress=progress, unit_scale=True) as bar:
        if recipe.tokenize is not None:
            return _tokenized(recipe.tokenize, reading.in_pieces(texts), spool)
        blocks = reading.text_blocks(texts, recipe.layout.ascii_words, bar)
        text = _split(lambda _: blocks, 1, recipe.rule, spool, workers=1, small=True)
    text.letters.judge()
    return text


def _split(
    read: Callable[[int], Iterable[Block]],
    n_parts: int,
    rule: str,
    spool: Spool,
    *,
    workers: int,
    small: bool,
) -> Text:
    """Split the parts of a text, each whole in one thread; every thread numbers its own words.

    A text that seems small begins in plain Python, and goes on compiled where it is not.
    """
    new = PlainTable if small else WordTable
    tables: list[PlainTable | WordTable] = [new(rule) for _ in range(min(workers, n_parts))]
    read_so_far = [0] * len(tables)
    idle: queue.SimpleQueue[int] = queue.SimpleQueue()
    for number in range(len(tables)):
        idle.put(number)

    def split(part: int) -> None:
        number = idle.get()
        try:
            for buffer, size, boundary, last in read(part):
                read_so_far[number] += size
                table = tables[number]
                if isinstance(table, PlainTable) and not is_small(read_so_far[number]):
                    table = tables[number] = table.compiled()
                spool.add(part, number, table.split(buffer, size, boundary, last))
        finally:
            idle.put(number)

    if len(tables) == 1:  # where there are no threads, as in a browser, this does without
        for part in range(n_parts):
            split(part)
        letters = Letters(tables[0].letters, tables[0].lost, tables[0].unspaced)
        return Text(tables[0], spool, [None], rule, letters)
    with ThreadPoolExecutor(len(tables)) as pool:
        try:
            for done in [pool.submit(split, part) for part in range(n_parts)]:
                done.result()
        except BaseException:
            # Stops the other threads at their next block.
            spool.close()
            pool.shutdown(cancel_futures=True)
            raise
    letters = sum((Letters(x.letters, x.lost, x.unspaced) for x in tables), Letters())
    if any(isinstance(table, WordTable) for table in tables):
        tables = [x.compiled() if isinstance(x, PlainTable) else x for x in tables]
    aliases = [None, *(tables[0].absorb(table) for table in tables[1:])]
    return Text(tables[0], spool, aliases, rule, letters)


def _tokenized(tokenize: Tokenizer, pieces: Iterable[tuple[str, bool]], spool: Spool) -> Text:
    """Split documents with the caller's tokenizer, in one thread: it is Python code."""
    table = TokenTable()
    batch: list[int] = []
    inside = False
    for piece, last in pieces:
        ids = table.add(tokenize(piece))
        batch += ids
        inside |= bool(ids)
        if inside and last:
            batch.append(END_OF_DOCUMENT)
            inside = False
        if len(batch) >= BLOCK:
            spool.add(0, 0, np.array(batch, np.int32))
            batch = []
    spool.add(0, 0, np.array(batch, np.int32))
    return Text(table, spool, [None], None, Letters())
