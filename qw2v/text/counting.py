"""Word ids to exact pair counts: how the work and the memory are divided.

Every word has a list of its places. A row of the table is counted by walking the places of its word
and adding, from both sides, the weights of the words around each: the row being filled stays in a
core's cache, and comes out complete and sorted, so no V x V table and no transpose is ever made.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from qw2v import _checks
from qw2v._environment import available_memory, is_small, worker_count
from qw2v.text.buffers import Buffer, GrowingTable
from qw2v.text.spool import END_OF_DOCUMENT
from qw2v.text.words import check_vocabulary, id_type

INT64_MAX = 2**63 - 1
WINDOW_WEIGHTS = ("linear", "uniform", "harmonic")
OUT_OF_VOCABULARY = ("remove", "mask")
LONGEST_WINDOW = 2**31 - 1
GROUP_CELLS = 1 << 20  # cells that one thread counts before it hands them over
GROUPS = 64
BYTES_PER_CELL = 4 + 8  # column index, int64 count
SMALLEST_PIECE = 1 << 20
PLAIN_COST = 0.25  # of a pair counted by NumPy, in bytes of text split by plain Python
MOST_CENTRES = 2**31 - 1  # places are 32-bit
HARMONIC_UNIT = 720_720  # the least common multiple of 1..16
HARMONIC_LIMIT = 1_000  # at this distance a whole number is off by 0.07%

Blocks = Iterable[tuple[NDArray[np.int32], NDArray]]


@dataclass(frozen=True)
class Ids:
    """A text as word ids: blocks of ids with the rank of each id, V for other words.

    `n_ids` are the words to lay windows over, `longest` those of the longest document, and
    `in_memory` the bytes that the ids take.
    """

    blocks: Blocks
    word_counts: NDArray[np.int64]
    n_ids: int
    n_documents: int
    longest: int
    in_memory: int
    keep_others: bool


@dataclass(frozen=True)
class Request:
    """What to count, checked before any text is read."""

    vocab_size: int | None = None
    vocabulary: Iterable[str] | None = None
    window: int = 16
    window_weights: str = "linear"
    out_of_vocabulary: str = "remove"
    workers: int | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        if (self.vocab_size is None) == (self.vocabulary is None):
            raise ValueError(
                "pass either vocab_size, the number of words to keep, or vocabulary, a list of "
                f"words; received {'neither' if self.vocabulary is None else 'both'}"
            )
        checked: dict[str, Any] = {
            "window": check_settings(self.window, self.window_weights, self.out_of_vocabulary),
            "workers": worker_count(self.workers),
        }
        if self.vocab_size is not None:
            checked["vocab_size"] = _checks.whole("vocab_size", self.vocab_size)
        if self.vocabulary is not None:
            checked["vocabulary"] = check_vocabulary(self.vocabulary)
        if self.memory is not None:
            checked["memory"] = _checks.whole("memory", self.memory)
        for name, value in checked.items():
            object.__setattr__(self, name, value)
        pair_weights(self.window, self.window_weights, reach=1)


def check_settings(window: int, window_weights: str, out_of_vocabulary: str) -> int:
    """Return the window as a Python int, where all three are what they may be."""
    _checks.choice("window_weights", window_weights, WINDOW_WEIGHTS)
    _checks.choice("out_of_vocabulary", out_of_vocabulary, OUT_OF_VOCABULARY)
    return _checks.whole("window", window, most=LONGEST_WINDOW)


def pair_weights(window: int, window_weights: str, reach: int | None = None) -> list[int]:
    """Return the weight of a pair at distance 1..L, or up to `reach`: whole numbers.

    Harmonic ones are exact up to L = 16, the least common multiple of 1..L over the distance. That
    grows too fast for longer windows; there it is 720,720 over the distance, rounded.

    >>> pair_weights(4, "linear"), pair_weights(4, "uniform"), pair_weights(4, "harmonic")
    ([4, 3, 2, 1], [1, 1, 1, 1], [12, 6, 4, 3])
    """
    distances = range(1, min(window, window if reach is None else reach) + 1)
    if window_weights == "linear":
        return [window + 1 - distance for distance in distances]
    if window_weights == "uniform":
        return [1 for _ in distances]
    if window > HARMONIC_LIMIT:
        raise OverflowError(
            f"harmonic weights are rounded to whole numbers, which is too coarse beyond a window "
            f"of {HARMONIC_LIMIT:,}; received window {window:,}: lower it, or use linear weights"
        )
    unit = HARMONIC_UNIT if window > 16 else math.lcm(*range(1, window + 1))
    return [round(unit / distance) for distance in distances]


def count_pairs(ids: Ids, request: Request, bar: Any) -> sparse.csr_array:
    """Return the symmetric table of weighted pair counts, (V, V) int64 with sorted indices.

    Raises OverflowError where a count could pass 2^63 - 1, MemoryError where the table would not
    fit into the memory asked for (by default what the machine has free).
    """
    # No pair is further apart than a document is long.
    weights = pair_weights(request.window, request.window_weights, ids.longest - 1)
    check_overflow(int(ids.word_counts.sum()), request, ids.longest)
    vocab_size, reach = len(ids.word_counts), len(weights)
    n_ids = ids.n_ids + reach * ids.n_documents
    centres = _piece_size(n_ids, ids.word_counts, reach, request.memory, ids.in_memory)
    if is_small(n_ids * reach * PLAIN_COST):
        return _count_plainly(ids, weights, bar)
    workers = worker_count(request.workers)
    total = sparse.csr_array((vocab_size, vocab_size), dtype=np.int64)
    for number, (text, start, stop) in enumerate(_pieces(ids, vocab_size, reach, centres)):
        piece = _count_piece(text, start, stop, vocab_size, weights, workers, bar)
        total = piece if number == 0 else total + piece
    return total


def check_overflow(n_words: int, request: Request, longest: int) -> None:
    """Refuse where the sum over the table could pass int64: 2 sum(weights) for each word.

    `n_words` are the words to count, `longest` the words of the longest document.
    """
    weights = pair_weights(request.window, request.window_weights, longest - 1)
    bound = 2 * n_words * sum(weights)
    if bound > INT64_MAX:
        raise OverflowError(
            f"{n_words:,} words with windows of {len(weights):,} could add up to about "
            f"10^{len(str(bound)) - 1}, more than int64 holds (9.2 x 10^18): lower the window, or "
            "use uniform weights"
        )


def _count_plainly(ids: Ids, weights: list[int], bar: Any) -> sparse.csr_array:
    """Count a small text by plain NumPy: faster than loading what compiles loops."""
    vocab_size = len(ids.word_counts)
    parts, ends = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    size = 0
    for block, ranks in ids.blocks:
        words = np.where(block == END_OF_DOCUMENT, -1, ranks[block].astype(np.int64))
        if not ids.keep_others:
            words = words[words != vocab_size]
        end = words < 0
        ends.append(size + np.cumsum(~end)[end])
        parts.append(words[~end])
        size += len(parts[-1])
    words = np.concatenate(parts)
    document = np.searchsorted(np.concatenate(ends), np.arange(size), side="right")
    total = sparse.csr_array((vocab_size, vocab_size), dtype=np.int64)
    for distance, weight in enumerate(weights, 1):
        left, right = words[:-distance], words[distance:]
        pairs = (document[:-distance] == document[distance:]) & (
            np.maximum(left, right) < vocab_size
        )
        left, right = left[pairs], right[pairs]
        values = np.full(len(left), weight, np.int64)
        total = total + sparse.coo_array((values, (left, right)), shape=total.shape).tocsr()
    total = (total + total.T).tocsr()
    total.sum_duplicates()
    bar.update(int(ids.word_counts.sum()))
    return total


def estimated_cells(word_counts: NDArray[np.int64], window: int) -> int:
    """Estimate the non-zero cells, as if words met independently: text, which clusters, has fewer.

    >>> estimated_cells(np.array([1000, 1000]), window=2)
    4
    """
    counts = word_counts[word_counts > 0]
    # Words of nearly equal count are taken together, so this costs little for any vocabulary.
    octave = np.floor(8 * np.log2(counts)).astype(np.int64)
    size = np.bincount(octave)
    mean = np.bincount(octave, counts)[size > 0] / size[size > 0]
    size = size[size > 0]
    met = -np.expm1(-2 * window * np.outer(mean, mean / counts.sum()))
    return math.ceil(size @ met @ size)


def _piece_size(
    n_ids: int, word_counts: NDArray, window: int, memory: int | None, in_memory: int
) -> int:
    """Return how many ids to count at once, or refuse: an id takes its rank and a place."""
    vocab_size = len(word_counts)
    limit = available_memory() if memory is None else memory
    if limit is None:
        limit = INT64_MAX
    per_id = np.dtype(id_type(vocab_size)).itemsize + 4
    table = BYTES_PER_CELL * estimated_cells(word_counts, window) + 16 * BYTES_PER_CELL * vocab_size
    if in_memory + per_id * n_ids + table <= limit and n_ids <= MOST_CENTRES - 2 * window:
        return max(n_ids, 1)
    # Adding up pieces holds the sum so far, the piece and the new sum.
    room = (limit - in_memory - 3 * table) // per_id
    if room < min(SMALLEST_PIECE, n_ids):
        need = in_memory + min(3 * table + per_id * SMALLEST_PIECE, table + per_id * n_ids)
        raise MemoryError(
            f"counting {vocab_size:,} words with window {window} needs about {need / 1e9:.2g} GB, "
            f"but {limit / 1e9:.2g} GB may be used: lower vocab_size or window"
            + ("" if memory is None else ", or raise memory")
        )
    return max(min(room, MOST_CENTRES - 2 * window), 1)


def _pieces(
    source: Ids, vocab_size: int, window: int, centres: int
) -> Iterator[tuple[NDArray, int, int]]:
    """Yield (ids, start, stop): the centres ids[start:stop] with `window` ids on either side.

    Where one piece ends, the next goes on with the same ids as its margin: exact for any size.
    """
    from qw2v.text import pair_kernels

    ids = np.empty(centres + 2 * window, id_type(vocab_size))
    ids[:window] = vocab_size
    size = window
    for block, ranks in source.blocks:
        read, gap = 0, 0
        while True:
            size, read, gap = pair_kernels.encode(
                block, read, gap, ranks, vocab_size, window, source.keep_others, ids, size
            )
            if read == len(block) and gap == 0:
                break
            yield ids, window, len(ids) - window
            ids[: 2 * window] = ids[len(ids) - 2 * window :]
            size = 2 * window
    # The last document ends in sentinels of its own: they are the margin.
    yield ids, window, max(size - window, window)


def _count_piece(
    ids: NDArray, start: int, stop: int, vocab_size: int, weights: list[int], workers: int, bar: Any
) -> sparse.csr_array:
    """Count the pairs whose centre is in ids[start:stop]."""
    from qw2v.text import pair_kernels

    with ThreadPoolExecutor(workers) as pool:
        first, places = _places(ids, start, stop, vocab_size, pool, workers)
        most = np.minimum(2 * len(weights) * np.diff(first), vocab_size)
        groups = _groups(first, most)
        capacity = max(int(most[a:b].sum()) for a, b in groups)
        free = [Buffer(vocab_size, capacity, weights) for _ in range(workers + 2)]
        table = GrowingTable(vocab_size, _likely_cells(np.diff(first), most, len(weights)))

        def count(buffer: Buffer, a: int, b: int) -> tuple[Buffer, NDArray, NDArray, int]:
            largest = 2 * int(np.diff(first[a : b + 1]).max()) * sum(weights)
            row, columns, values, steps = buffer.arrays(largest)
            cells = pair_kernels.count_rows(
                ids, first, places, steps, a, b, vocab_size, row, columns, values, table.lengths
            )
            return buffer, columns[:cells], values[:cells], int(first[b] - first[a])

        running: deque[Future[tuple[Buffer, NDArray, NDArray, int]]] = deque()
        for group in groups:
            if not free:
                free.append(table.append(*running.popleft().result(), bar))
            running.append(pool.submit(count, free.pop(), *group))
        for future in running:
            table.append(*future.result(), bar)
    return table.finish()


def _places(
    ids: NDArray, start: int, stop: int, vocab_size: int, pool: ThreadPoolExecutor, workers: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the places of word i in the text, places[first[i]:first[i + 1]], ascending."""
    from qw2v.text import pair_kernels

    cuts = np.linspace(start, stop, workers + 1).astype(np.int64)
    spans = list(zip(cuts[:-1], cuts[1:], strict=True))
    counts = list(pool.map(lambda ab: pair_kernels.histogram(ids, *ab, vocab_size), spans))
    first = np.concatenate([[0], np.cumsum(sum(counts)[:-1])])
    places = np.empty(first[-1], np.int32)
    fill = first[:-1]
    jobs = []
    for (low, high), count in zip(spans, counts, strict=True):
        jobs.append(
            pool.submit(pair_kernels.fill_places, ids, low, high, vocab_size, fill.copy(), places)
        )
        fill = fill + count[:-1]
    for job in jobs:
        job.result()
    return first, places


def _groups(first: NDArray[np.int64], most: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Cut the rows into runs of similar work whose cells fit into a buffer."""
    work = first[-1] / GROUPS
    groups, a = [], 0
    cells = np.concatenate([[0], np.cumsum(most)])
    while a < len(most):
        b = min(
            np.searchsorted(first, first[a] + work, "right"),
            np.searchsorted(cells, cells[a] + GROUP_CELLS, "right"),
        )
        b = max(int(b) - 1, a + 1)
        groups.append((a, b))
        a = b
    return groups


def _likely_cells(word_counts: NDArray, most: NDArray, window: int) -> int:
    """Return how many cells to make room for at first."""
    return min(int(most.sum()), int(1.1 * estimated_cells(word_counts, window)) + 1)
