"""How good word vectors are: analogies by two protocols, and similarity to people's ratings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from qw2v import lists
from qw2v._checks import choice
from qw2v._report import AnalogyScore, Report, SimilarityScore
from qw2v.vectors import WordVectors

__all__ = [
    "PROTOCOLS",
    "AnalogyScore",
    "Report",
    "SimilarityScore",
    "all_questions",
    "evaluate",
    "google_questions",
    "known_rows",
    "nearest_rows",
]

PROTOCOLS = ("pairs", "google")
SCORES_AT_ONCE = 1 << 24  # 64 MB of float32

# In Google's list a pair is asked against the next 39 pairs of its category, round and round.
_REACH = 39


def evaluate(
    vectors: WordVectors,
    *,
    protocol: str = "pairs",
    analogies: Any = None,
    similarities: Any = None,
    exclude_question_words: bool = True,
) -> Report:
    """Score word vectors on analogies and on similarity ratings.

    An analogy a : b :: c : ? is answered by the word nearest to b - a + c (rows of length one),
    a, b and c left out. A word is looked up as it is spelt, else in lower case; a pair with a
    word outside the vocabulary is dropped; a pair that stands twice in a category counts once.

    Parameters
    ----------
    vectors : WordVectors
        The vectors, V words of dimension d.
    protocol : str
        "pairs": every ordered pair of distinct word pairs of a category, as in the paper.
        "google": the questions of Google's list. Categories of whole questions are asked as they
        stand.
    analogies : optional
        What `lists.analogies` takes: word pairs or questions by category, a file, a DataFrame;
        `datasets.load_google_analogies()` by default, {} for none.
    similarities : optional
        Lists of (word, word, rating) by name, or what `lists.ratings` takes, a file or several;
        MEN and WordSim353 by default, {} for none.
    exclude_question_words : bool
        Leave a, b and c out of the answers, as everyone does. Otherwise the nearest of all words
        is the answer, which often is b or c.

    Returns
    -------
    Report
        Prints as a table.

    Raises
    ------
    ValueError
        For an unknown protocol, and for lists that are none.

    Examples
    --------
    >>> vectors = WordVectors(["up", "rise", "down", "fall"], np.array([[1, 1], [1, 2], [-1, 1],
    ...     [-1, 2]]))
    >>> report = evaluate(vectors, analogies=[("up", "rise", "down", "fall")], similarities={})
    >>> report.accuracy
    1.0
    """
    from qw2v import datasets

    choice("protocol", protocol, PROTOCOLS)
    categories = lists.analogies(
        datasets.load_google_analogies() if analogies is None else analogies
    )
    if similarities is None:
        similarities = {"MEN": datasets.load_men(), "WordSim353": datasets.load_wordsim353()}
    return Report(
        protocol,
        len(vectors),
        vectors.dim,
        tuple(
            _score_analogies(vectors, name, rows, protocol, exclude_question_words)
            for name, rows in categories.items()
        ),
        tuple(
            _score_similarity(vectors, name, rows)
            for name, rows in lists.named_ratings(similarities).items()
        ),
        exclude_question_words,
        int((~vectors.distinct).sum()),
    )


def known_rows(vectors: WordVectors, words: Sequence[str]) -> NDArray[np.int64]:
    """Return the row of each word, as spelt or else in lower case; -1 for one that is not known.

    A word whose vector tells it from no other (`WordVectors.distinct`) is not known either.

    >>> vectors = WordVectors(["king", "queen"], np.eye(2))
    >>> known_rows(vectors, ["Queen", "table"])
    array([ 1, -1])
    """
    index, distinct = vectors.key_to_index, vectors.distinct
    rows = np.array([index.get(word, index.get(word.lower(), -1)) for word in words], dtype=int)
    return np.where(distinct[rows], rows, -1)


# Analogies


def google_questions(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
    """Return the questions that Google's list asks about the pairs of one category, in its order.

    Each pair (a, b) is followed by the next 39 pairs (c, d), starting over at the end, but not
    by one that shares its first or its second word. With `datasets.load_google_analogies()` this
    gives the 19,544 questions of the published list, line by line.

    >>> google_questions([("he", "she"), ("king", "queen")])
    [('he', 'she', 'king', 'queen'), ('king', 'queen', 'he', 'she')]
    """
    return [
        (*pairs[i], *pairs[j])
        for i in range(len(pairs))
        for j in _followers(i, len(pairs))
        if pairs[i][0] != pairs[j][0] and pairs[i][1] != pairs[j][1]
    ]


def _followers(i: int, n: int) -> list[int]:
    return [(i + step) % n for step in range(1, min(_REACH + 1, n))]


def all_questions(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
    """Return every ordered pair of distinct word pairs as a question, as the paper asks them.

    >>> all_questions([("he", "she"), ("king", "queen")])
    [('he', 'she', 'king', 'queen'), ('king', 'queen', 'he', 'she')]
    """
    return [(*first, *second) for first in pairs for second in pairs if first != second]


def _score_analogies(
    vectors: WordVectors,
    category: str,
    listed: Iterable[lists.Question],
    protocol: str,
    exclude: bool,
) -> AnalogyScore:
    distinct = list(dict.fromkeys(listed))
    questions: Sequence[lists.Question]
    if distinct and len(distinct[0]) == 4:
        questions = distinct
        pairs = list(dict.fromkeys((q[k], q[k + 1]) for q in questions for k in (0, 2)))
    else:
        pairs = [(a, b) for a, b in distinct]
        questions = (google_questions if protocol == "google" else all_questions)(pairs)
    rows = known_rows(vectors, [word for question in questions for word in question])
    rows = rows.reshape(-1, 4)
    rows = rows[(rows >= 0).all(axis=1)]
    found = known_rows(vectors, [word for pair in pairs for word in pair]).reshape(-1, 2)
    left_out = (rows[:, :3] == rows[:, 3:]).any(axis=1) & exclude
    correct = nearest_rows(vectors, rows[:, :3], exclude=exclude) == rows[:, 3]
    return AnalogyScore(
        category=category,
        pairs=len(pairs),
        found=int((found >= 0).all(axis=1).sum()),
        asked=len(rows),
        correct=int((correct & ~left_out).sum()),
        unanswerable=int(left_out.sum()),
    )


def nearest_rows(
    vectors: WordVectors, questions: NDArray[Any], *, exclude: bool = True
) -> NDArray[np.int64]:
    """Return the row nearest to b - a + c for each question (n, 3), its own rows left out or not.

    >>> vectors = WordVectors(list("abcd"), np.array([[1, 1], [1, 2], [-1, 1], [-1, 2]]))
    >>> nearest_rows(vectors, np.array([[0, 1, 2]]))
    array([3])
    """
    unit = vectors.normalized.astype(np.float32, copy=False)
    answers = np.empty(len(questions), dtype=int)
    step = max(1, SCORES_AT_ONCE // len(unit))
    for start in range(0, len(questions), step):
        a, b, c = questions[start : start + step].T
        scores = (unit[b] - unit[a] + unit[c]) @ unit.T
        if exclude:
            scores[np.arange(len(a)), [a, b, c]] = -np.inf
        answers[start : start + step] = scores.argmax(axis=1)
    return answers


# Similarity


def _score_similarity(
    vectors: WordVectors, name: str, listed: Sequence[lists.Rating]
) -> SimilarityScore:
    rows = [row for row in listed if np.isfinite(row[2])]
    first = known_rows(vectors, [row[0] for row in rows])
    second = known_rows(vectors, [row[1] for row in rows])
    found = (first >= 0) & (second >= 0)
    ratings = np.array([row[2] for row in rows], dtype=float)[found]
    unit = vectors.normalized
    cosine = np.einsum("nd,nd->n", unit[first[found]], unit[second[found]])
    ranked = len(ratings) > 1 and np.ptp(ratings) > 0 and np.ptp(cosine) > 0
    spearman = float(spearmanr(cosine, ratings).statistic) if ranked else None
    return SimilarityScore(name, len(rows), int(found.sum()), spearman, len(listed) - len(rows))
