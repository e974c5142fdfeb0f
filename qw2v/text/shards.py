"""Counting in other processes and on other machines, through any concurrent.futures.Executor.

A text is shared out as shards. In a first round workers count the words of each shard, which
decides the vocabulary; in a second one they count its pairs. Counts come back packed, as bytes or
as the path of a file, and are added up by the workers too, in pairs and pairs of pairs: few are
ever held here. Integers add up to the same bits in any order. A shard whose worker was lost is
counted again; of each shard one result is taken.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from qw2v import _archive
from qw2v._environment import available_memory, progress_bar
from qw2v.text import counting, splitting
from qw2v.text.finding import STDIN, Part
from qw2v.text.words import check_vocab_size, top_words

SHARD = 1 << 28  # bytes of files that make a shard, or less where there are few
FEWEST = 32  # shards that a large text is shared out into, where it can be
IN_FLIGHT = 64  # tasks handed out at once
TRIES = 4
# What another try cannot mend: errors of the text and of what was asked for.
FINAL = (ValueError, TypeError, ArithmeticError, LookupError, ImportError, AssertionError)

Packed = bytes | str


class Shards:
    """A text that is read where it is counted; see `splitting.Text`."""

    def __init__(
        self,
        parts: list[Part],
        recipe: splitting.Recipe,
        executor: Executor | Callable[[], Executor],
        scratch: Any = None,
        progress: bool = True,
    ) -> None:
        if any(part.path == STDIN or part.size == 0 and _is_pipe(part.path) for part in parts):
            raise ValueError(
                "a pipe or standard input cannot be shared out among workers: save it as a file, "
                "or count it without an executor"
            )
        self.rule = None if recipe.tokenize else recipe.rule
        self._shards = _shared_out(parts)
        self._recipe = recipe
        self._executor = executor
        self._scratch = scratch
        tasks = [_Task(_words_of, (shard, recipe)) for shard in self._shards]
        self._tally = json.loads(
            zlib.decompress(self._add_up("Reading", tasks, _add_words, progress))
        )
        splitting.Letters(*self._tally["letters"]).judge()
        self.n_tokens: int = self._tally["n_tokens"]
        self.n_documents: int = self._tally["n_documents"]

    def word_counts(self) -> Counter[str]:
        """Return how often each word occurs."""
        return Counter(self._tally["counts"])

    def most_frequent(self, vocab_size: int | None) -> list[str]:
        """Return the most frequent words, ties in alphabetical order."""
        counts = self.word_counts()
        return top_words(counts, check_vocab_size(vocab_size, len(counts)))

    def count(
        self, words: list[str], request: counting.Request, progress: bool
    ) -> tuple[NDArray[np.int64], sparse.csr_array]:
        """Return the counts of words (V,) and of their pairs (V, V)."""
        n_words = sum(self._tally["counts"].get(word, 0) for word in words)
        counting.check_overflow(n_words, request, self._tally["longest"])
        request = replace(request, vocab_size=None, vocabulary=words, workers=self._recipe.workers)
        with self._folder() as folder:
            tasks = [
                _Task(_pairs_of, (shard, self._recipe, request, folder)) for shard in self._shards
            ]
            packed = self._add_up(
                "Counting", tasks, lambda one, two: (_add_pairs, (one, two, folder)), progress
            )
            _, word_counts, pair_counts = _unpacked(packed)
        return word_counts, pair_counts

    def ids(self, words: list[str]) -> NDArray[np.int32]:
        """Refuse: the text is not here."""
        raise ValueError(
            "the ids of a text that other processes read are not here: read it without an executor"
        )

    def description(self) -> str:
        """Return what the text holds, in words."""
        return (
            f"{self.n_tokens:,} tokens of {len(self._tally['counts']):,} words in "
            f"{self.n_documents:,} documents, {len(self._shards):,} shards"
        )

    @contextmanager
    def _folder(self) -> Iterator[str | None]:
        """Make a folder in `scratch` for the counts on their way; nothing of it remains."""
        if self._scratch is None:
            yield None
            return
        folder = tempfile.mkdtemp(prefix="qw2v-", dir=self._scratch)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _add_up(
        self, name: str, tasks: list[_Task], add: Callable[[Any, Any], Any], progress: bool
    ) -> Any:
        size = sum(part.size for shard in self._shards for part in shard)
        for task, shard in zip(tasks, self._shards, strict=True):
            task.size = sum(part.size for part in shard)
        with progress_bar(name, "B", size, progress=progress, unit_scale=True) as bar:
            return _Round(self._executor, add, bar).run(tasks)


@dataclass
class _Task:
    """What a worker is to do; `level` is how many rounds of addition are in its result."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    size: int = 0
    level: int = 0
    tries: int = 0


class _Round:
    """Tasks handed out to an executor, their results added up in pairs of equal level."""

    def __init__(
        self, executor: Executor | Callable[[], Executor], add: Callable[[Any, Any], Any], bar: Any
    ) -> None:
        self._make = None if isinstance(executor, Executor) else executor
        self._executor: Executor = executor if isinstance(executor, Executor) else executor()
        self._add = add
        self._bar = bar
        self._waiting: dict[int, Any] = {}  # one result of each level

    def run(self, tasks: list[_Task]) -> Any:
        """Return the sum of all results."""
        todo = deque(tasks)
        running: dict[Future[Any], _Task] = {}
        try:
            while todo or running or len(self._waiting) > 1:
                if not todo and not running:
                    # Those left alone are added up too, the smallest first.
                    one, two = sorted(self._waiting)[:2]
                    todo.append(self._addition(self._waiting.pop(one), two))
                while todo and len(running) < IN_FLIGHT:
                    task = todo.popleft()
                    if not self._submit(task, running):
                        todo.extendleft([task, *self._recover(running)])
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    if future in running:
                        todo.extendleft(self._finished(running.pop(future), future, running))
        finally:
            for future in running:
                future.cancel()
            if self._make is not None:
                self._executor.shutdown(wait=False, cancel_futures=True)
        return next(iter(self._waiting.values()))

    def _submit(self, task: _Task, running: dict[Future[Any], _Task]) -> bool:
        try:
            running[self._executor.submit(task.function, *task.arguments)] = task
        except BrokenExecutor:
            return False
        return True

    def _finished(
        self, task: _Task, future: Future[Any], running: dict[Future[Any], _Task]
    ) -> list[_Task]:
        """Take a result, or return what is to be done again."""
        try:
            result = future.result()
        except FINAL:
            raise
        except BrokenExecutor as error:
            task.tries += 1
            if task.tries >= TRIES:
                raise
            return [task, *self._recover(running, error)]
        except Exception:
            task.tries += 1
            if task.tries >= TRIES:
                raise
            return [task]
        self._bar.update(task.size)
        for argument in task.arguments if task.level else ():
            if isinstance(argument, str) and argument.endswith(".npz"):
                Path(argument).unlink(missing_ok=True)  # it is in the sum
        if task.level not in self._waiting:
            self._waiting[task.level] = result
            return []
        return [self._addition(result, task.level)]

    def _addition(self, one: Any, level: int) -> _Task:
        """Return the task of adding a result to the one that waits at a level."""
        function, arguments = self._add(one, self._waiting.pop(level))
        return _Task(function, arguments, level=level + 1)

    def _recover(
        self, running: dict[Future[Any], _Task], error: Exception | None = None
    ) -> list[_Task]:
        """Make an executor that broke anew; return the tasks that it had."""
        if self._make is None:
            raise RuntimeError(
                "the executor broke, as where a worker was killed; pass a function that makes one, "
                "such as partial(ProcessPoolExecutor, 4), to go on with a new one"
            ) from error
        self._executor.shutdown(wait=False, cancel_futures=True)
        self._executor = self._make()
        lost = list(running.values())
        running.clear()
        return lost


def _is_pipe(path: str) -> bool:
    return not Path(path).is_file()


def _shared_out(parts: list[Part]) -> list[list[Part]]:
    """Take parts that follow each other together, up to a size."""
    most = min(SHARD, sum(part.size for part in parts) // FEWEST + 1)
    shards: list[list[Part]] = []
    size = most
    for part in parts:
        if size + part.size > most:
            shards.append([])
            size = 0
        shards[-1].append(part)
        size += part.size
    return shards


# --- What workers do ------------------------------------------------------------------------------


def _text_of(parts: list[Part], recipe: splitting.Recipe) -> splitting.Text:
    if recipe.memory is None:  # several workers share a machine
        available = available_memory()
        recipe = replace(recipe, memory=None if available is None else max(available // 8, 1))
    return splitting.read_parts(parts, recipe, progress=False, judged=False)


def _words_of(parts: list[Part], recipe: splitting.Recipe) -> bytes:
    """Return how often the words of a shard occur, packed."""
    text = _text_of(parts, recipe)
    letters = text.letters
    return _packed_words(
        {
            "n_tokens": text.n_tokens,
            "n_documents": text.n_documents,
            "longest": text.longest,
            "letters": [letters.all, letters.lost, letters.unspaced],
            "counts": text.word_counts(),
        }
    )


def _packed_words(tally: dict[str, Any]) -> bytes:
    return zlib.compress(json.dumps(tally).encode(), 1)


def _add_words(one: bytes, two: bytes) -> tuple[Callable[..., bytes], tuple[bytes, bytes]]:
    return _sum_of_words, (one, two)


def _sum_of_words(one: bytes, two: bytes) -> bytes:
    a, b = (json.loads(zlib.decompress(packed)) for packed in (one, two))
    counts = Counter(a["counts"])
    counts.update(b["counts"])
    return _packed_words(
        {
            "n_tokens": a["n_tokens"] + b["n_tokens"],
            "n_documents": a["n_documents"] + b["n_documents"],
            "longest": max(a["longest"], b["longest"]),
            "letters": [x + y for x, y in zip(a["letters"], b["letters"], strict=True)],
            "counts": counts,
        }
    )


def _pairs_of(
    parts: list[Part], recipe: splitting.Recipe, request: counting.Request, folder: str | None
) -> Packed:
    """Return the counts of a shard, packed."""
    words = list(request.vocabulary or [])
    return _packed(words, *_text_of(parts, recipe).count(words, request, False), folder)


def _add_pairs(one: Packed, two: Packed, folder: str | None) -> Packed:
    words, *first = _unpacked(one)
    _, *second = _unpacked(two)
    return _packed(words, first[0] + second[0], first[1] + second[1], folder)


def _packed(
    words: list[str], word_counts: NDArray[np.int64], pairs: sparse.csr_array, folder: str | None
) -> Packed:
    """Return counts as a file of statistics: its bytes, or its path in the folder that all see."""
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as own:
        path = Path(own, "counts.npz")
        _archive.write(path, {}, words, word_counts, pairs)
        if folder is None:
            return path.read_bytes()
        kept = Path(f"{own}.npz")
        path.replace(kept)
        return str(kept)


def _unpacked(packed: Packed) -> tuple[list[str], NDArray[np.int64], sparse.csr_array]:
    if isinstance(packed, str):
        return _archive.read(Path(packed))[1:]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "counts.npz")
        path.write_bytes(packed)
        return _archive.read(path)[1:]
