"""The inner loops, compiled by numba on first use and kept for the next process.

All of them run without Python's lock, so threads share the work. numba takes half a second to load
and two to compile these, once a machine: hence a room of their own, imported where used.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from qw2v._numba import compiled, inlined

# A token is looked up by its first 16 bytes, as two numbers; in a longer one the second is a digest
# of the rest, marked by its top bit, which no letter has. A slot of the hash table is (first,
# second, 1 + word id, count): half a cache line, so that one miss fetches all of it.
SLOT = 4
FULL = 6  # a table has at least this many numbers a word: it is at most two thirds full
ONE = np.uint64(1)
LETTERS = np.uint64(0x4040404040404040)
WHOLE_BYTES = np.uint64(0x78)
LONG_WORD = np.uint64(1 << 63)
BOUNDARY = np.uint8(1)
END_OF_DOCUMENT = -1
AHEAD = 16


def _address(context, builder, array_type, array, index):
    array = context.make_array(array_type)(context, builder, array)
    pointer = builder.gep(array.data, [index])
    return builder.bitcast(pointer, ir.IntType(8).as_pointer())


@intrinsic
def _prefetch(typing, array, index):
    """Ask for the cache line of array[index], early: nothing waits for it."""

    def generate(context, builder, signature, arguments):
        pointer = _address(context, builder, signature.args[0], *arguments)
        number = ir.IntType(32)
        function_type = ir.FunctionType(ir.VoidType(), [pointer.type, number, number, number])
        function = cgutils.get_or_insert_function(builder.module, function_type, "llvm.prefetch.p0")
        builder.call(function, [pointer, number(0), number(3), number(1)])
        return context.get_dummy_value()

    return types.void(array, types.int64), generate


@intrinsic
def _eight_bytes(typing, array, index):
    """Read array[index : index + 8] of a byte array as one little-endian number."""

    def generate(context, builder, signature, arguments):
        pointer = _address(context, builder, signature.args[0], *arguments)
        word = builder.load(builder.bitcast(pointer, ir.IntType(64).as_pointer()))
        word.align = 1
        return word

    return types.uint64(array, types.int64), generate


@intrinsic
def _trailing_zeros(typing, number):
    """Count the zero bits below the lowest one bit."""

    def generate(context, builder, signature, arguments):
        return builder.cttz(arguments[0], ir.IntType(1)(1))

    return types.uint64(types.uint64), generate


@compiled
def normalise(text, size, boundary):
    """Lowercase the ASCII letters of text[:size] in place; `boundary` becomes 1, all else 0."""
    for i in range(size):
        byte = text[i]
        lower = np.uint8(byte | np.uint8(0x20))
        letter = np.uint8(lower - np.uint8(0x61)) < np.uint8(26)
        text[i] = lower if letter else np.uint8(byte == boundary)


@inlined
def _token(text, start):
    """Return the length of the token at `start` and the two numbers that stand for it."""
    first = _eight_bytes(text, start)
    second = np.uint64(0)
    length = 0
    gaps = ~first & LETTERS
    if gaps:
        bits = _trailing_zeros(gaps) & WHOLE_BYTES
        first &= (ONE << bits) - ONE
    else:
        length = 8
        second = _eight_bytes(text, start + 8)
        gaps = ~second & LETTERS
        digest = np.uint64(0)
        while gaps == 0:
            digest = _mix(digest ^ second) | LONG_WORD
            length += 8
            second = _eight_bytes(text, start + length)
            gaps = ~second & LETTERS
        bits = _trailing_zeros(gaps) & WHOLE_BYTES
        second &= (ONE << bits) - ONE
        if digest:
            second = _mix(digest ^ second) | LONG_WORD
    return length + np.int64(bits >> np.uint64(3)), first, second


@inlined
def _mix(number):
    number *= np.uint64(0x9FB21C651E98DF25)
    return number ^ (number >> np.uint64(32))


@inlined
def _home(first, second, mask):
    """Return where in the table the search for a token starts."""
    return np.int64(_mix(first ^ _mix(second)) & mask) * SLOT


@compiled
def _same_letters(text, start, length, letters, at):
    for i in range(length):
        if text[start + i] != letters[at + i]:
            return False
    return letters[at + length] == 0


@compiled
def split(text, size, state, slots, starts, letters, out):
    """Write the word ids of normalised text, END_OF_DOCUMENT after each document that has a word.

    `state` is (position, words known, whether the document has a word). Stops early, before a
    token, where a table is too full; returns how many numbers it wrote.
    """
    position, n_words, inside = state[0], state[1], state[2]
    end = np.int64(len(slots))
    mask = np.uint64(end // SLOT - 1)
    written = 0
    while position < size:
        length, first, second = _token(text, position)
        if length:
            at = _home(first, second, mask)
            while True:
                word = np.int64(slots[at + 2]) - 1
                if word < 0:
                    break
                if slots[at] == first and slots[at + 1] == second:
                    if second < LONG_WORD:
                        break
                    if _same_letters(text, position, length, letters, starts[word]):
                        break
                at += SLOT
                if at == end:
                    at = 0
            if word < 0:
                room = starts[n_words] + length < len(letters) and n_words + 2 <= len(starts)
                if not room or FULL * n_words >= end:
                    break
                word = n_words
                n_words += 1
                slots[at] = first
                slots[at + 1] = second
                slots[at + 2] = n_words
                for i in range(length):
                    letters[starts[word] + i] = text[position + i]
                starts[n_words] = starts[word] + length + 1
            slots[at + 3] += ONE
            out[written] = word
            written += 1
            inside = 1
            position += length
        if text[position] == BOUNDARY and inside:
            out[written] = END_OF_DOCUMENT
            written += 1
            inside = 0
        position += 1
    state[0], state[1], state[2] = position, n_words, inside
    return written


@compiled
def rehash(slots, larger):
    """Move all words to a larger table."""
    mask = np.uint64(len(larger) // SLOT - 1)
    for old in range(0, len(slots), SLOT):
        if slots[old + 2]:
            at = _home(slots[old], slots[old + 1], mask)
            while larger[at + 2]:
                at = (at + SLOT) % len(larger)
            larger[at : at + SLOT] = slots[old : old + SLOT]


@compiled
def add_counts(slots, counts):
    """Add the count of each word id in the table to `counts`."""
    for at in range(0, len(slots), SLOT):
        if slots[at + 2]:
            counts[np.int64(slots[at + 2]) - 1] += np.int64(slots[at + 3])


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
            _prefetch(ids, np.int64(ahead - window))
            _prefetch(ids, np.int64(ahead + window))
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
