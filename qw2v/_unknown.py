"""The error that a word is not there, with what may have been meant."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from functools import cached_property
from typing import Any

# difflib compares one word at a time: among the most frequent words is where a slip is mended.
_SPELLING_POOL = 50_000


class UnknownWordError(KeyError):
    """A word that is not in the vocabulary; its message offers near spellings."""

    def __init__(self, word: Any, vocabulary: Sequence[str]):
        super().__init__(word)
        self.word = word
        self._vocabulary = vocabulary

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.word, self._vocabulary)

    @cached_property
    def suggestions(self) -> list[str]:
        """Up to three words of the vocabulary spelt like the unknown one."""
        if not isinstance(self.word, str):
            return []
        pool = self._vocabulary[:_SPELLING_POOL]
        return difflib.get_close_matches(self.word.lower(), pool, n=3, cutoff=0.7)

    def __str__(self) -> str:
        near = ", ".join(repr(word) for word in self.suggestions)
        near = f"Near spellings: {near}." if near else "No word of it is spelt like this one."
        return f"{self.word!r} is not among the {len(self._vocabulary):,} words. {near}"
