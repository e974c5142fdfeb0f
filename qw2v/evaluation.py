"""How good word vectors are: analogies by two protocols, and similarity to people's ratings."""

from __future__ import annotations

import html
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from qw2v.vectors import WordVectors

PROTOCOLS = ("pairs", "google")

# In Google's list a pair is asked against the next 39 pairs of its category, round and round.
_REACH = 39
_BLOCK = 1 << 24  # scores held at once: 64 MB of float32


@dataclass(frozen=True)
class AnalogyScore:
    """The analogies of one category."""

    category: str
    pairs: int
    """Distinct word pairs in the list."""
    found: int
    """Pairs with both words in the vocabulary."""
    asked: int
    correct: int
    unanswerable: int
    """Questions among those asked whose answer is one of the three words left out: never right."""

    @property
    def accuracy(self) -> float | None:
        """Correct over asked (the paper's number); None if nothing was asked."""
        return self.correct / self.asked if self.asked else None

    @property
    def accuracy_answerable(self) -> float | None:
        """Correct over answerable; None if there is no answerable question."""
        answerable = self.asked - self.unanswerable
        return self.correct / answerable if answerable else None


@dataclass(frozen=True)
class SimilarityScore:
    """The rank correlation of cosines with one list of ratings."""

    name: str
    pairs: int
    found: int
    """Pairs with both words in the vocabulary."""
    spearman: float | None
    """None with fewer than two pairs found, or where all ratings or all cosines are equal."""


@dataclass(frozen=True)
class Report:
    """What `evaluate` found: prints as a table, also in a notebook."""

    protocol: str
    vocab_size: int
    dim: int
    analogies: tuple[AnalogyScore, ...]
    similarities: tuple[SimilarityScore, ...]

    @property
    def total(self) -> AnalogyScore:
        """All categories together."""
        names = ("pairs", "found", "asked", "correct", "unanswerable")
        sums = (sum(getattr(score, name) for score in self.analogies) for name in names)
        return AnalogyScore("all", *sums)

    @property
    def accuracy(self) -> float | None:
        """The share of correct answers over all categories; None if nothing was asked."""
        return self.total.accuracy

    @property
    def similarity(self) -> dict[str, float | None]:
        """Spearman's rank correlation by list."""
        return {score.name: score.spearman for score in self.similarities}

    def to_dict(self) -> dict:
        """Return plain dictionaries, lists, strings and numbers, ready for JSON."""
        rows = [*self.analogies, self.total]
        return {
            "protocol": self.protocol,
            "vocab_size": self.vocab_size,
            "dim": self.dim,
            "accuracy": self.accuracy,
            "analogies": [
                {
                    **vars(row),
                    "accuracy": row.accuracy,
                    "accuracy_answerable": row.accuracy_answerable,
                }
                for row in rows
            ],
            "similarities": [dict(vars(row)) for row in self.similarities],
        }

    def _title(self) -> str:
        return f"{self.vocab_size:,} words, d = {self.dim}"

    def _tables(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """The report as (caption, header, rows of text); the first column names the row."""
        tables = []
        if self.analogies:
            header = ["category", "pairs", "asked", "correct", "no answer", "accuracy"]
            rows = [_analogy_row(row) for row in (*self.analogies, self.total)]
            caption = {"pairs": "every pair with every other", "google": "Google's list"}
            tables.append((f"Analogies ({caption[self.protocol]})", header, rows))
        if self.similarities:
            header = ["ratings", "pairs", "Spearman"]
            rows = [
                [row.name, f"{row.found:,}/{row.pairs:,}", _or_dash(row.spearman, ".3f")]
                for row in self.similarities
            ]
            tables.append(("Similarity", header, rows))
        return tables

    def _notes(self) -> list[str]:
        notes, total = [], self.total
        if self.analogies and not total.asked:
            notes.append("No analogy could be asked: too few of the words are in the vocabulary.")
        if total.unanswerable and total.accuracy_answerable is not None:
            notes.append(
                f"No answer: the answer is one of the three words left out; counted as wrong. "
                f"Without these questions: {total.accuracy_answerable:.1%}."
            )
        for row in self.similarities:
            if row.spearman is None:
                why = "no pair is in the vocabulary" if not row.found else "no ranking to compare"
                notes.append(f"{row.name}: {why}.")
        return notes

    def __str__(self) -> str:
        parts = [self._title()]
        for caption, header, rows in self._tables():
            widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
            lines = [
                "  ".join(
                    [row[0].ljust(widths[0])]
                    + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
                )
                for row in (header, *rows)
            ]
            rule = "-" * len(lines[0])
            parts.append("\n".join([caption, rule, lines[0], rule, *lines[1:]]))
        return "\n\n".join(parts + [textwrap.fill(note, 78) for note in self._notes()])

    def _repr_html_(self) -> str:
        parts = []
        for caption, header, rows in self._tables():
            head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in header)
            body = "".join(
                f'<tr><th scope="row">{html.escape(row[0])}</th>'
                + "".join(f"<td>{html.escape(cell)}</td>" for cell in row[1:])
                + "</tr>"
                for row in rows
            )
            parts.append(
                f"<table><caption>{caption}: {self._title()}</caption>"
                f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            )
        return "".join(parts) + "".join(f"<p>{html.escape(note)}</p>" for note in self._notes())


def _or_dash(number: float | None, form: str) -> str:
    return "-" if number is None else format(number, form)


def _analogy_row(row: AnalogyScore) -> list[str]:
    counts = [f"{number:,}" for number in (row.asked, row.correct, row.unanswerable)]
    return [row.category, f"{row.found}/{row.pairs}", *counts, _or_dash(row.accuracy, ".1%")]


def evaluate(
    vectors: WordVectors,
    *,
    protocol: str = "pairs",
    analogies: Mapping[str, Iterable[tuple[str, str]]] | None = None,
    similarities: Mapping[str, Iterable[tuple[str, str, float]]] | None = None,
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
        "google": the questions of Google's list.
    analogies : mapping, optional
        Word pairs by category; `datasets.google_analogies()` by default, {} for none.
    similarities : mapping, optional
        (word, word, rating) by list; MEN and WordSim353 by default, {} for none.

    Returns
    -------
    Report
        Prints as a table.
    """
    from qw2v import datasets

    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol is {protocol!r}; choose one of {PROTOCOLS}.")
    if analogies is None:
        analogies = datasets.google_analogies()
    if similarities is None:
        similarities = {"MEN": datasets.men(), "WordSim353": datasets.wordsim353()}
    return Report(
        protocol,
        *vectors.matrix.shape,
        tuple(
            _score_analogies(vectors, name, pairs, protocol) for name, pairs in analogies.items()
        ),
        tuple(_score_similarity(vectors, name, rows) for name, rows in similarities.items()),
    )


def _rows(vectors: WordVectors, words: Sequence[str]) -> np.ndarray:
    """The row of each word, as spelt or else in lower case; -1 outside the vocabulary."""
    index = vectors.index
    return np.array([index.get(word, index.get(word.lower(), -1)) for word in words], dtype=int)


# Analogies


def google_questions(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
    """Return the questions that Google's list asks about the pairs of one category, in its order.

    Each pair (a, b) is followed by the next 39 pairs (c, d), starting over at the end, but not
    by one that shares its first or its second word. With `datasets.google_analogies()` this
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


def _all_questions(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str, str, str]]:
    return [(*first, *second) for first in pairs for second in pairs if first != second]


def _score_analogies(
    vectors: WordVectors, category: str, pairs: Iterable[tuple[str, str]], protocol: str
) -> AnalogyScore:
    distinct = list(dict.fromkeys((a, b) for a, b in pairs))
    questions = (google_questions if protocol == "google" else _all_questions)(distinct)
    rows = _rows(vectors, [word for question in questions for word in question]).reshape(-1, 4)
    rows = rows[(rows >= 0).all(axis=1)]
    found = _rows(vectors, [word for pair in distinct for word in pair]).reshape(-1, 2)
    unanswerable = (rows[:, :3] == rows[:, 3:]).any(axis=1)
    correct = _answers(vectors, rows[:, :3]) == rows[:, 3]
    return AnalogyScore(
        category=category,
        pairs=len(distinct),
        found=int((found >= 0).all(axis=1).sum()),
        asked=len(rows),
        correct=int((correct & ~unanswerable).sum()),
        unanswerable=int(unanswerable.sum()),
    )


def _answers(vectors: WordVectors, questions: np.ndarray) -> np.ndarray:
    """The row nearest to b - a + c for each question (n, 3), its own three words left out."""
    unit = vectors.normalized.astype(np.float32, copy=False)
    answers = np.empty(len(questions), dtype=int)
    step = max(1, _BLOCK // len(unit))
    for start in range(0, len(questions), step):
        a, b, c = questions[start : start + step].T
        scores = (unit[b] - unit[a] + unit[c]) @ unit.T
        scores[np.arange(len(a)), [a, b, c]] = -np.inf
        answers[start : start + step] = scores.argmax(axis=1)
    return answers


# Similarity


def _score_similarity(
    vectors: WordVectors, name: str, rows: Iterable[tuple[str, str, float]]
) -> SimilarityScore:
    rows = list(rows)
    first, second = (_rows(vectors, [row[side] for row in rows]) for side in (0, 1))
    found = (first >= 0) & (second >= 0)
    ratings = np.array([row[2] for row in rows], dtype=float)[found]
    unit = vectors.normalized
    cosine = np.einsum("nd,nd->n", unit[first[found]], unit[second[found]])
    ranked = len(ratings) > 1 and np.ptp(ratings) > 0 and np.ptp(cosine) > 0
    spearman = float(spearmanr(cosine, ratings).statistic) if ranked else None
    return SimilarityScore(name, len(rows), int(found.sum()), spearman)
