"""The inner loops of counting pairs, compiled by numba on first use; see `word_kernels`."""

from __future__ import annotations

import numpy as np

from qw2v._numba import compiled
from qw2v.text._intrinsics import prefetch
from qw2v.text.spool import END_OF_DOCUMENT

ONE = np.uint64(1)
AHEAD = 16  # places; 8 to 32 are as fast


@compiled
def encode(block, read, gap, ranks, vocab_size, window, keep_others, out, size):
    """Append the ranks of block[read:] to out[:size], and `window` sentinels V after a document.

    A word outside the vocabulary, of rank V, is skipped, or with `keep_others` kept as a sentinel.
    Stops where `out` is full; returns the new (size, read, sentinels still to write).
    """
    while True:
        while gap and size < len(out):
            out[size] = vocab_size
            size += 1
            gap -= 1
        if size == len(out) or read == len(block):
            return size, read, gap
        word = block[read]
        read += 1
        if word == END_OF_DOCUMENT:
            gap = window
        else:
            rank = ranks[word]
            out[size] = rank
            size += keep_others or rank != vocab_size


@compiled
def histogram(ids, start, stop, vocab_size):
    """Count each id in ids[start:stop]; (V + 1,), the sentinel last."""
    counts = np.zeros(vocab_size + 1, np.int64)
    for i in range(start, stop):
        counts[ids[i]] += 1
    return counts


@compiled
def fill_places(ids, start, stop, vocab_size, fill, places):
    """Write the places of each word in ids[start:stop] to its list, from fill[word] on."""
    for i in range(start, stop):
        word = ids[i]
        if word < vocab_size:
            places[fill[word]] = i
            fill[word] += 1


@compiled
def count_rows(ids, first, places, weights, start, stop, vocab_size, row, columns, values, lengths):
    """Count rows start..stop of the table into (columns, values), sorted; return how many cells.

    `row` is a multiple of 16 zeros, V + 1 or more. The text around a place is asked for 16 places
    early: it lies anywhere in memory.
    """
    window = np.uint64(len(weights))
    last = first[stop] - 1
    cells = 0
    for word in range(start, stop):
        for i in range(first[word], first[word + 1]):
            ahead = np.uint64(places[min(i + AHEAD, last)])
            prefetch(ids, np.int64(ahead - window))
            prefetch(ids, np.int64(ahead + window))
            place = np.uint64(places[i])
            for k in range(len(weights)):
                distance = np.uint64(k) + ONE
                row[ids[place - distance]] += weights[k]
                row[ids[place + distance]] += weights[k]
        row[vocab_size] = 0
        before = cells
        for block in range(0, len(row), 16):
            filled = row[block]
            for j in range(block + 1, block + 16):
                filled |= row[j]
            if filled:
                for j in range(block, block + 16):
                    columns[cells] = j
                    values[cells] = row[j]
                    cells += row[j] != 0
                    row[j] = 0
        lengths[word] = cells - before
    return cells
