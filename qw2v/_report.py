"""What an evaluation found, and how it prints."""

from __future__ import annotations

import html
import textwrap
from dataclasses import dataclass
from typing import Any

from qw2v._tables import html_table, text_table

_CAPTIONS = {"pairs": "every pair with every other", "google": "Google's list"}


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
    """Pairs in the list that have a rating."""
    found: int
    """Pairs with both words in the vocabulary."""
    spearman: float | None
    """None with fewer than two pairs found, or where all ratings or all cosines are equal."""
    unrated: int = 0
    """Pairs in the list whose rating is missing; they count nowhere else."""


@dataclass(frozen=True)
class Report:
    """What `evaluate` found: prints as a table, also in a notebook."""

    protocol: str
    vocab_size: int
    dim: int
    analogies: tuple[AnalogyScore, ...]
    similarities: tuple[SimilarityScore, ...]
    exclude_question_words: bool = True
    indistinct: int = 0
    """Words taken as absent: a zero vector, or the same vector as another word's."""

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

    def to_dict(self) -> dict[str, Any]:
        """Return plain dictionaries, lists, strings and numbers, ready for JSON."""
        rows = [*self.analogies, self.total]
        return {
            "protocol": self.protocol,
            "exclude_question_words": self.exclude_question_words,
            "vocab_size": self.vocab_size,
            "dim": self.dim,
            "indistinct": self.indistinct,
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
        """Return the report as (caption, header, rows of text); the first column names the row."""
        tables = []
        if self.analogies:
            header = ["category", "pairs", "asked", "correct", "no answer", "accuracy"]
            rows = [_analogy_row(row) for row in (*self.analogies, self.total)]
            asked = _CAPTIONS[self.protocol]
            if not self.exclude_question_words:
                asked += ", the words of the question not left out"
            tables.append((f"Analogies ({asked})", header, rows))
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
        if self.indistinct:
            notes.append(
                f"{self.indistinct:,} words count as absent: their vectors are zero, or the same "
                "as another word's, as of words that never occur in the text."
            )
        for row in self.similarities:
            if row.spearman is None:
                why = "no pair is in the vocabulary" if not row.found else "no ranking to compare"
                notes.append(f"{row.name}: {why}.")
            if row.unrated:
                notes.append(f"{row.name}: {row.unrated:,} pairs have no rating.")
        return notes

    def __str__(self) -> str:
        tables = [text_table(*table) for table in self._tables()]
        notes = [textwrap.fill(note, 78) for note in self._notes()]
        return "\n\n".join([self._title(), *tables, *notes])

    def _repr_html_(self) -> str:
        tables = [
            html_table(f"{caption}: {self._title()}", header, rows)
            for caption, header, rows in self._tables()
        ]
        return "".join([*tables, *(f"<p>{html.escape(note)}</p>" for note in self._notes())])


def _or_dash(number: float | None, form: str) -> str:
    return "-" if number is None else format(number, form)


def _analogy_row(row: AnalogyScore) -> list[str]:
    counts = [f"{number:,}" for number in (row.asked, row.correct, row.unanswerable)]
    return [row.category, f"{row.found}/{row.pairs}", *counts, _or_dash(row.accuracy, ".1%")]
