"""What may be asked of the counting, and what its counts must be."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from qw2v.text.corpus import Corpus
from qw2v.text.counting import Request


def divided_options(options: dict[str, Any], read: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the options of reading, and those of counting; some are of both."""
    parameters = inspect.signature(read).parameters
    counted = inspect.signature(Corpus.count).parameters
    for name in options:
        if name not in {*parameters, *counted}:
            raise TypeError(
                f"there is no option {name!r}: choose from "
                f"{', '.join(sorted({*parameters, *counted} - {'self', 'paths', 'texts'}))}"
            )
    counting = {name: value for name, value in options.items() if name in counted}
    fields = {name: value for name, value in counting.items() if name not in ("source", "progress")}
    if "vocabulary" in counting:
        # What is wrong shows before the text is read; an iterator is used up by the check.
        counting["vocabulary"] = Request(**fields).vocabulary
    else:
        Request(**fields)
    return {name: value for name, value in options.items() if name in parameters}, counting


def check_counts(words: list[str], word_counts: NDArray, pairs: sparse.csr_array) -> None:
    """Refuse what no text can have."""
    if word_counts.min(initial=0) < 0 or pairs.data.min(initial=0) < 0:
        word = words[int(word_counts.argmin())]
        raise ValueError(
            "counts must not be negative; received "
            + (
                f"{word_counts.min()} for the word {word!r}"
                if word_counts.min(initial=0) < 0
                else f"{pairs.data.min()} for a pair"
            )
        )
    # C x = C^T x for one random x, modulo 2^64: as sure as a transpose, and a tenth of its time.
    x = np.random.default_rng().integers(2**63, size=len(words), dtype=np.int64)
    if not np.array_equal(pairs @ x, x @ pairs):
        row, column = (int(places[0]) for places in (pairs != pairs.T).nonzero())
        raise ValueError(
            f"pair_counts must be symmetric; received {pairs[row, column]} for "
            f"({words[row]!r}, {words[column]!r}) and {pairs[column, row]} the other way"
        )


def total(pairs: sparse.csr_array) -> int:
    """Return the sum of all cells, as a Python int."""
    return int(pairs.data.sum())


def difference(ours: Any, theirs: Any) -> str:
    """Say where two settings, or two lists of words, differ."""
    if not isinstance(ours, list):
        return f"{ours!r} and {theirs!r}"
    if len(ours) != len(theirs):
        return f"{len(ours):,} and {len(theirs):,} words"
    row = next(i for i, pair in enumerate(zip(ours, theirs, strict=True)) if pair[0] != pair[1])
    return f"row {row} is {ours[row]!r} and {theirs[row]!r}"
