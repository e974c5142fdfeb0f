"""The inner loops of splitting text, compiled by numba on first use and kept for the next process.

They run without Python's lock, so threads share the work. numba takes a second to load and some to
compile, once a machine: hence rooms of their own, imported where used.
"""

from __future__ import annotations

import numpy as np

from qw2v._numba import compiled, inlined
from qw2v.text._intrinsics import eight_bytes, trailing_zeros
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
# Capital sigma is CE A3 in UTF-8; the small one CF 83, at the end of a word CF 82.
_SIGMA_BYTE, _SMALL_SIGMA, _FINAL_SIGMA_BYTE = 0xA3, 0x3C3, 0x82


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

    `boundary` becomes 1. Returns (size of out, letters, those of scripts without spaces, whether a
    mark follows a capital: the two may have one character in lower case that they have not here).
    """
    at = size = length = whole = end = letters = unspaced = 0
    sigma = marked = capital = False
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
            marked |= capital and kind & MARK > 0
            capital = kind & CODE_POINT != code
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
                capital = False
            out[size] = code == boundary
            size += 1
    if length:
        if sigma and whole > 1:
            out[end - 1] = _FINAL_SIGMA_BYTE
        size = end
    return size, letters, unspaced, marked


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
    first = eight_bytes(text, start)
    second = np.uint64(0)
    length = 0
    gaps = _gaps(first)
    if gaps:
        bits = trailing_zeros(gaps) & WHOLE_BYTES
        first &= (ONE << bits) - ONE
    else:
        length = 8
        second = eight_bytes(text, start + 8)
        gaps = _gaps(second)
        digest = np.uint64(0)
        while gaps == 0:
            digest = _mix(digest ^ second, seeds[0]) | LONG_WORD
            length += 8
            second = eight_bytes(text, start + length)
            gaps = _gaps(second)
        bits = trailing_zeros(gaps) & WHOLE_BYTES
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
