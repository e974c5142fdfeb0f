"""How near the answer of an analogy comes, and its nearest rival (Figure 8)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from qw2v._checks import choice
from qw2v.evaluation import PROTOCOLS, SCORES_AT_ONCE, all_questions, google_questions, known_rows
from qw2v.vectors import WordVectors

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Completions:
    """The n questions of a category, a : b :: c : answer, and the cosines with b - a + c."""

    answer: Array
    """(n,) cosine of the answer."""
    rival: Array
    """(n,) largest cosine among all words but the four of the question."""
    answerable: NDArray[np.bool_]
    """(n,) False where the answer is one of the three words that are left out."""
    listed: NDArray[np.bool_]
    """(n,) whether Google's list asks it, too."""

    def accuracy(self, protocol: str = "pairs") -> float | None:
        """Return the share of questions whose answer comes before its rival, as in `evaluate`.

        Unanswerable questions count as wrong. None where the protocol asks nothing.
        """
        choice("protocol", protocol, PROTOCOLS)
        asked = self.listed if protocol == "google" else np.ones_like(self.listed)
        correct = (self.answer > self.rival) & self.answerable & asked
        return float(correct.sum() / asked.sum()) if asked.any() else None


def completions(
    vectors: WordVectors, pairs: Iterable[tuple[str, str]], *, unit: bool = True
) -> Completions:
    """Return how near the answer and its nearest rival come, for all questions of one category.

    Every ordered pair of the word pairs is a question. The query is b - a + c of rows of length
    one, as in the paper; with unit=False of the rows as they are. Cosines in both cases (Figure 8).

    >>> vectors = WordVectors(["a", "b", "c", "d"], np.array([[1.0, 0], [1, 1], [2, 0], [2, 1]]))
    >>> completions(vectors, [("a", "b"), ("c", "d")], unit=False).answer.round(3)
    array([1., 1.])
    """
    distinct = list(dict.fromkeys(pairs))
    questions = all_questions(distinct)
    rows = known_rows(vectors, [word for question in questions for word in question])
    rows = rows.reshape(-1, 4)
    known = (rows >= 0).all(axis=1)
    google = set(google_questions(distinct))
    listed = np.array([question in google for question in questions], dtype=bool)[known]
    rows = rows[known]
    answer, rival = np.empty((2, len(rows)))
    directions = vectors.normalized.astype(np.float32, copy=False)
    added = directions if unit else vectors.matrix.astype(np.float32, copy=False)
    step = max(1, SCORES_AT_ONCE // len(directions))
    for start in range(0, len(rows), step):
        asked = rows[start : start + step]
        a, b, c, _ = asked.T
        query = added[b] - added[a] + added[c]
        length = np.linalg.norm(query, axis=1, keepdims=True)
        scores = (query / np.where(length == 0, 1, length)) @ directions.T
        each = np.arange(len(asked))[:, None]
        answer[start : start + step] = scores[each[:, 0], asked[:, 3]]
        scores[each, asked] = -np.inf
        rival[start : start + step] = scores.max(axis=1)
    answerable = (rows[:, :3] != rows[:, 3:]).all(axis=1)
    return Completions(answer, rival, answerable, listed)
