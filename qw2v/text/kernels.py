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
from qw2v.text.spool import END_OF_DOCUMENT
from qw2v.text.words import CODE_POINT, DIGIT, JOINER, LETTER, MARK, UNSPACED

# A token is looked up by its first 16 bytes, as two numbers; in a longer one the second is a digest
# of the rest, marked by its top bit. Tokens with that bit are compared letter by letter. A slot of
# the hash table is (first, second, 1 + word id, count): half a cache line, so that one miss fetches
# all of it.
SLOT = 4
FULL = 6  # a table has at least this many numbers a word: it is at most two thirds full
ONE = np.uint64(1)
SIXTH_BITS = np.uint64(0x4040404040404040)
WHOLE_BYTES = np.uint64(0x78)
LONG_WORD = np.uint64(1 << 63)
BOUNDARY = np.uint8(1)
AHEAD = 16
# Capital sigma is CE A3 in UTF-8; the small one CF 83, at the end of a word CF 82.
_SIGMA_BYTE, _SMALL_SIGMA, _FINAL_SIGMA_BYTE = 0xA3, 0x3C3, 0x82


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
def normalise(text, size, boundary, digits):
    """Lowercase the ASCII letters of text[:size] in place; `boundary` becomes 1, all else 0.

    With `digits`, 0 to 9 are kept as A to J. Returns the number of letters.
    """
    letters = 0
    for i in range(size):
        byte = text[i]
        lower = np.uint8(byte | np.uint8(0x20))
        letter = np.uint8(lower - np.uint8(0x61)) < np.uint8(26)
        letters += letter
        text[i] = lower if letter else np.uint8(byte == boundary)
        if digits and np.uint8(byte - np.uint8(0x30)) < np.uint8(10):
            text[i] = np.uint8(byte + np.uint8(0x11))
    return letters


@inlined
def _code_point(text, at):
    """Return the code point of valid UTF-8 at a place, and how many bytes it takes."""
    byte = np.uint32(text[at])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | np.uint32(text[at + 1]) & 0x3F, 2
    middle = np.uint32(text[at + 1]) & 0x3F
    if byte < 0xF0:
        return (byte & 0xF) << 12 | middle << 6 | np.uint32(text[at + 2]) & 0x3F, 3
    last = (np.uint32(text[at + 2]) & 0x3F) << 6 | np.uint32(text[at + 3]) & 0x3F
    return (byte & 7) << 18 | middle << 12 | last, 4


@inlined
def _write(code, out, size):
    """Write a code point as UTF-8; return the size then."""
    if code < 0x80:
        out[size] = code
        return size + 1
    if code < 0x800:
        out[size] = 0xC0 | code >> 6
        out[size + 1] = 0x80 | code & 0x3F
        return size + 2
    if code < 0x10000:
        out[size] = 0xE0 | code >> 12
        out[size + 1] = 0x80 | code >> 6 & 0x3F
        out[size + 2] = 0x80 | code & 0x3F
        return size + 3
    out[size] = 0xF0 | code >> 18
    out[size + 1] = 0x80 | code >> 12 & 0x3F
    out[size + 2] = 0x80 | code >> 6 & 0x3F
    out[size + 3] = 0x80 | code & 0x3F
    return size + 4


@compiled
def fold(text, boundary, digits, kinds, out):
    """Write the words of valid UTF-8 to `out` as `words.words_of` gives them, 0 between them.

    `boundary` becomes 1. Returns (size of out, letters, those of scripts without spaces).
    """
    at = size = length = whole = end = letters = unspaced = 0
    sigma = False
    while at < len(text):
        code, count = _code_point(text, at)
        at += count
        kind = kinds[code] if code < len(kinds) else np.uint32(0)
        begins = kind & LETTER or digits and kind & DIGIT
        if begins or length and kind & (MARK | JOINER):
            length += 1
            if kind & LETTER:
                letters += 1
                unspaced += kind & UNSPACED > 0
            if code < 0x80 and kind & DIGIT:
                code += 0x11
            else:
                code = kind & CODE_POINT
            size = _write(code, out, size)
            if not kind & JOINER:
                end = size
                whole = length
                sigma = kind & CODE_POINT == _SMALL_SIGMA and text[at - 1] == _SIGMA_BYTE
        else:
            if length:
                if sigma and whole > 1:
                    out[end - 1] = _FINAL_SIGMA_BYTE
                size = end
                length = 0
            out[size] = code == boundary
            size += 1
    if length:
        if sigma and whole > 1:
            out[end - 1] = _FINAL_SIGMA_BYTE
        size = end
    return size, letters, unspaced


@compiled
def other_letters(text, kinds):
    """Return how many letters beyond ASCII a text holds, and how many of scripts without spaces.

    The last three bytes are not looked at, so that none is read beyond the end.
    """
    at = letters = unspaced = 0
    while at < len(text) - 3:
        code, count = _code_point(text, at)
        at += count
        if code >= 0x80 and code < len(kinds) and kinds[code] & LETTER:
            letters += 1
            unspaced += kinds[code] & UNSPACED > 0
    return letters, unspaced


@inlined
def _gaps(number):
    """Mark the bytes of eight that are no letter: those below 0x40, in which no word has a byte."""
    return ~(number | number >> ONE) & SIXTH_BITS


@inlined
def _token(text, start, seeds):
    """Return the length of the token at `start` and the two numbers that stand for it."""
    first = _eight_bytes(text, start)
    second = np.uint64(0)
    length = 0
    gaps = _gaps(first)
    if gaps:
        bits = _trailing_zeros(gaps) & WHOLE_BYTES
        first &= (ONE << bits) - ONE
    else:
        length = 8
        second = _eight_bytes(text, start + 8)
        gaps = _gaps(second)
        digest = np.uint64(0)
        while gaps == 0:
            digest = _mix(digest ^ second, seeds[0]) | LONG_WORD
            length += 8
            second = _eight_bytes(text, start + length)
            gaps = _gaps(second)
        bits = _trailing_zeros(gaps) & WHOLE_BYTES
        second &= (ONE << bits) - ONE
        if digest:
            second = _mix(digest ^ second, seeds[1]) | LONG_WORD
    return length + np.int64(bits >> np.uint64(3)), first, second


@inlined
def _mix(number, seed):
    number *= seed
    return number ^ (number >> np.uint64(32))


@inlined
def _home(first, second, shift, seeds):
    """Return where in the table the search for a token starts: the top bits of a random product.

    The seeds are odd and random: whoever does not know them cannot make words that all meet.
    """
    return np.int64((_mix(first, seeds[0]) + second) * seeds[1] >> shift) * SLOT


@inlined
def _shift(size):
    """Return by how many bits to shift, for a table of `size` numbers."""
    shift = np.uint64(64)
    while size > SLOT:
        size //= 2
        shift -= ONE
    return shift


@compiled
def _same_letters(text, start, length, letters, at):
    for i in range(length):
        if text[start + i] != letters[at + i]:
            return False
    return letters[at + length] == 0


@compiled
def split(text, size, state, slots, starts, letters, seeds, out):
    """Write the word ids of normalised text, END_OF_DOCUMENT after each document that has a word.

    `state` is (position, words known, whether the document has a word). Stops early, before a
    token, where a table is too full; returns how many numbers it wrote.
    """
    position, n_words, inside = state[0], state[1], state[2]
    end = np.int64(len(slots))
    shift = _shift(end)
    written = 0
    while position < size:
        length, first, second = _token(text, position, seeds)
        if length:
            at = _home(first, second, shift, seeds)
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
def rehash(slots, larger, seeds):
    """Move all words to a larger table."""
    shift = _shift(len(larger))
    for old in range(0, len(slots), SLOT):
        if slots[old + 2]:
            at = _home(slots[old], slots[old + 1], shift, seeds)
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
