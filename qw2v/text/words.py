"""What a word is, and text as numbers: each word gets an id when it first appears.

Rules, by name:

- "letters": letters of any script with the marks on them, lowercased; all else separates words;
- "letters+digits": digits too;
- "a-z": the paper's, ASCII letters alone, so that an accented letter cuts a word in two.

Text is brought to Unicode's composed form (NFC) first, so that an accent typed apart is no other
letter, except under "a-z". A small text is split by plain Python; a large one by `kernels`, into
the same ids. Any other rule is a function of the caller's, from the str of a document to tokens.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from qw2v import _checks

Tokenizer = Callable[[str], Iterable[str]]

RULES = ("letters", "letters+digits", "a-z")
LETTER, MARK, DIGIT, UNSPACED, JOINER = (1 << bit for bit in range(21, 26))
CODE_POINT = (1 << 21) - 1
CODE_POINTS = 0x32400  # no letter lies beyond; what lies there separates words
_JOINERS = "\u200c\u200d"  # zero-width: they shape letters inside a word, as in Persian
# Scripts that are written without spaces: Thai, Lao, Burmese, Khmer, kana, Chinese characters.
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x3040, 0x30FF), (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x323AF),
)  # fmt: skip


@lru_cache(1)
def code_points() -> NDArray[np.uint32]:
    """Return, for each code point, its lower case and what it is: a sum of the flags above.

    Zero for what separates words.
    """
    table = np.zeros(CODE_POINTS, np.uint32)
    for number in range(CODE_POINTS):
        character = chr(number)
        kind = unicodedata.category(character)[0]
        if kind == "L":
            lower = character.lower()
            # Of all letters only the Turkish dotted capital I becomes two: its dot is dropped.
            table[number] = ord(lower[0]) | LETTER
        elif kind == "M":
            table[number] = number | MARK
        elif unicodedata.category(character) == "Nd":
            table[number] = number | DIGIT
    for joiner in _JOINERS:
        table[ord(joiner)] = ord(joiner) | JOINER
    for first, last in _UNSPACED:
        table[first : last + 1] |= np.where(table[first : last + 1], np.uint32(UNSPACED), 0)
    return table


def words_of(text: str, rule: str = "letters") -> list[str]:
    """Return the words of a text.

    >>> words_of("Zoë's caf\u00e9 -- НЕ 2 ΛΟΓΟΣ")
    ['zoë', 's', 'café', 'не', 'λογος']
    >>> words_of("Zoë's 2 cats", "a-z"), words_of("B2B", "letters+digits")
    (['zo', 's', 'cats'], ['b2b'])
    """
    if rule == "a-z":
        return re.findall("[a-z]+", re.sub("[A-Z]+", lambda run: run[0].lower(), text))
    letters = _letters(rule == "letters+digits")
    if text.isascii():
        return text.translate(letters).lower().split()
    words = composed(text).translate(letters).split()
    return [word for run in words if (word := _whole(run))]


def composed(text: str) -> str:
    """Return text with its accents in one character each (NFC)."""
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


class _Letters(dict):
    """A table for str.translate that is filled as characters are met."""

    def __init__(self, digits: bool) -> None:
        self._kept = LETTER | MARK | JOINER | (DIGIT if digits else 0)

    def __missing__(self, number: int) -> int:
        known = int(code_points()[number]) if number < CODE_POINTS else 0
        self[number] = number if known & self._kept else 0x20
        return self[number]


@lru_cache(2)
def _letters(digits: bool) -> _Letters:
    return _Letters(digits)


def _whole(run: str) -> str:
    """Return a run of letters, marks and joiners as a word: it begins with a letter, in lower case.

    A capital sigma that ends a word becomes the final one.
    """
    kinds = code_points()
    start = 0
    while start < len(run) and not kinds[ord(run[start])] & (LETTER | DIGIT):
        start += 1
    word = run[start:].rstrip(_JOINERS)
    final = len(word) > 1 and word[-1] == "\u03a3"
    lower = composed("".join(map(_lower, word)))
    return lower[:-1] + "\u03c2" if final else lower


def _lower(letter: str) -> str:
    number = ord(letter)
    return (
        chr(int(code_points()[number]) & CODE_POINT or number) if number < CODE_POINTS else letter
    )


def lower_before_marks(text: str) -> str:
    """Return text with capitals before marks in lower case, and composed.

    J and a caron are two characters, j with a caron is one.
    """
    after = [*map(unicodedata.category, text[1:]), " "]
    letters = zip(text, after, strict=True)
    return composed("".join(_lower(x) if kind[0] == "M" else x for x, kind in letters))


# --- Vocabularies ---------------------------------------------------------------------------------


def top_words(counts: Counter[str], vocab_size: int) -> list[str]:
    """Return the `vocab_size` most frequent words, ties in alphabetical order.

    Raises ValueError where there are fewer words than that.

    >>> top_words(Counter("to be or not to be".split()), 3)
    ['be', 'to', 'not']
    """
    vocab_size = check_vocab_size(vocab_size, len(counts))
    return sorted(counts, key=lambda word: (-counts[word], word))[:vocab_size]


def check_vocab_size(vocab_size: int | None, n_words: int) -> int:
    """Return a size of the vocabulary that the text can fill."""
    if n_words == 0:
        raise ValueError("the corpus has no words: it is empty, or the tokenizer yields nothing")
    size = _checks.whole("vocab_size", vocab_size)
    if size > n_words:
        raise ValueError(
            f"vocab_size is {size:,}, but the corpus has only {n_words:,} different words: "
            f"pass {n_words:,} or less, or more text"
        )
    return size


def check_vocabulary(vocabulary: Iterable[str], rule: str | None = None) -> list[str]:
    """Return a vocabulary as a list of different words that the rule can yield.

    Any iterable in an order of its own is taken: a list, an array, an Index, a generator.
    """
    if isinstance(vocabulary, set | frozenset):
        raise TypeError(
            "vocabulary must have an order, which decides the rows: received a set; pass "
            "sorted(vocabulary)"
        )
    if isinstance(vocabulary, str | bytes) or not isinstance(vocabulary, Iterable):
        raise ValueError(f"vocabulary must be a list of words, received {vocabulary!r}")
    words = [str(word) if isinstance(word, np.str_) else word for word in vocabulary]
    if not words:
        raise ValueError("vocabulary must be a list of words, received none")
    for word in words:
        check_token(word)
        if rule is not None and words_of(word, rule) != [word]:
            instead = " ".join(words_of(word, rule)) or "nothing"
            raise ValueError(
                f"the vocabulary holds {word!r}, which the rule {rule!r} never yields: it gives "
                f"{instead!r}; change the word, or pass the tokenize= or tokens= it comes from"
            )
    if len(set(words)) < len(words):
        twice = next(word for word, count in Counter(words).items() if count > 1)
        raise ValueError(f"the vocabulary holds {twice!r} more than once: list each word once")
    return words


def check_token(token: str) -> None:
    """Raise where a token is no word that files of vectors could hold."""
    if not isinstance(token, str):
        raise TypeError(f"a token must be a str, received {token!r} ({type(token).__name__})")
    if token.split() != [token]:
        raise ValueError(
            f"a token must not be empty or hold white space, received {token!r}: files of word "
            "vectors separate words by spaces; join its parts, as in 'new_york'"
        )


def id_type(vocab_size: int) -> type[np.unsignedinteger]:
    """Return the smallest type of the ranks 0..V; V itself stands for every other word."""
    return np.uint16 if vocab_size < 2**16 else np.uint32
