"""Lists to score vectors with: analogies and ratings, from files, tables and Python's own lists.

Published lists come in many layouts. A table's layout is read off its content: what separates the
cells, whether a first row names the columns, which columns hold words, parts of speech, ratings.
"""

from __future__ import annotations

import csv
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

Question = tuple[str, ...]
"""A word pair (a, b), or a whole question (a, b, c, d)."""
Rating = tuple[str, str, float]

_PARTS_OF_SPEECH = frozenset(
    "n v a j r adj adv noun verb adjective adverb nn vb jj rb nnp nns vbd vbg".split()
)
_COLUMN_NAMES = re.compile(r"(word|w|pair|term|target|question|answer)[ _]?\d?|[abcd]", re.I)
_CATEGORY_NAMES = frozenset({"category", "relation", "type", "section", "task"})
_MISSING = frozenset({"", "nan", "na", "n/a", "none", "null", "-"})
_TAGGED = re.compile(r".-[nvajr]")  # MEN's lemmas: sun-n, walk-v

_CATEGORY = ":\n"  # in the place of a first word: no word of a file holds a line end


def analogies(source: Any) -> dict[str, list[Question]]:
    """Return analogies by category, each a list of word pairs or one of whole questions.

    Parameters
    ----------
    source : path, mapping, table or iterable
        A file in the layout of Google's list (": category", then four words a line, or two), or a
        table of two or four columns of words, and one named "category" if it likes, separated by
        tabs, commas, semicolons or spaces; a mapping of category to rows; a pandas DataFrame; an
        iterable of rows.

    Returns
    -------
    dict
        (a, b) or (a, b, c, d) by category. Rows without a category are in the one named after the
        file, or "analogies".

    Raises
    ------
    ValueError
        If a row has another number of words, or a category holds both kinds; it says where.

    Examples
    --------
    >>> analogies([("man", "king", "woman", "queen")])
    {'analogies': [('man', 'king', 'woman', 'queen')]}
    """
    if isinstance(source, str | os.PathLike):
        return _analogies_of_file(Path(source))
    if isinstance(source, Mapping):
        return {
            str(name): _questions(f"category {name!r}", _as_rows(rows)[1])
            for name, rows in source.items()
        }
    header, rows = _as_rows(source)
    return _by_category("analogies", "the analogies", header, rows)


def ratings(source: Any) -> list[Rating]:
    """Return rated word pairs; a pair whose rating is missing has NaN.

    Parameters
    ----------
    source : path, table or iterable
        A file of two words and a rating a line, separated by tabs, commas, semicolons or spaces, or
        a pandas DataFrame, or rows. A first row of names is passed over, and so are columns of
        parts of speech, of numbers before the words, and after the first rating.

    Raises
    ------
    ValueError
        If there are no two columns of words and one of numbers, or a row has other columns.

    Examples
    --------
    >>> ratings([("sun", "N", "light", "N", 4.5), ("sun", "N", "ice", "N", "")])
    [('sun', 'light', 4.5), ('sun', 'ice', nan)]
    """
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        where, rows = str(path), [row for _, row in _lines(path)]
    else:
        where, rows = "the ratings", _as_rows(source)[1]
    return _rated(where, rows)


def named_ratings(source: Any) -> dict[str, list[Rating]]:
    """Return lists of ratings by name, from a mapping of sources, one path, or several.

    >>> named_ratings({"mine": [("sun", "light", 4.5)]})
    {'mine': [('sun', 'light', 4.5)]}
    """
    if isinstance(source, Mapping):
        return {str(name): ratings(rows) for name, rows in source.items()}
    if isinstance(source, str | os.PathLike):
        source = [source]
    if isinstance(source, Sequence) and all(isinstance(p, str | os.PathLike) for p in source):
        return {Path(path).stem: ratings(path) for path in source}
    return {"ratings": ratings(source)}


# Tables


def _as_rows(source: Any) -> tuple[list[str], list[list[Any]]]:
    """Return the names of a DataFrame's columns (else none), and the rows."""
    if hasattr(source, "itertuples") and hasattr(source, "columns"):
        return [str(name) for name in source.columns], [
            list(row) for row in source.itertuples(index=False, name=None)
        ]
    if isinstance(source, str | bytes) or not isinstance(source, Iterable):
        raise ValueError(f"a list must be rows of words; received {source!r}")
    rows = []
    for number, row in enumerate(source, start=1):
        if isinstance(row, str | bytes) or not isinstance(row, Iterable):
            raise ValueError(f"row {number} must be words, as in ('man', 'king'); received {row!r}")
        rows.append(list(row))
    return [], rows


def _lines(path: Path) -> list[tuple[int, list[str]]]:
    """Return the rows of a file that are neither blank nor comments, with their line numbers."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8 ({error.reason}): convert it first") from error
    lines = [
        (number, line)
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not re.match(r"#(\s|$)", line)
    ]
    content = [line for _, line in lines if not line.startswith(":")]
    mark = next((mark for mark in "\t;," if content and mark in content[0]), None)
    return [(number, _cells(line, mark)) for number, line in lines]


def _cells(line: str, mark: str | None) -> list[str]:
    if line.startswith(":"):
        return [_CATEGORY, line[1:].strip()]
    if mark is None:
        return line.split()
    return [cell.strip() for cell in next(csv.reader([line], delimiter=mark))]


# Analogies


def _analogies_of_file(path: Path) -> dict[str, list[Question]]:
    lines = _lines(path)
    if not any(row[0] == _CATEGORY for _, row in lines):
        rows: list[list[Any]] = [row for _, row in lines]
        header: list[str] = []
        if rows and all(
            _COLUMN_NAMES.fullmatch(c) or c.lower() in _CATEGORY_NAMES for c in rows[0]
        ):
            header, rows = rows[0], rows[1:]
        return _by_category(path.stem, str(path), header, rows)
    found: dict[str, list[list[Any]]] = {}
    rows = found.setdefault(path.stem, [])
    for _, row in lines:
        if row[0] == _CATEGORY:
            rows = found.setdefault(row[1] or path.stem, [])
        else:
            rows.append(row)
    return {
        name: _questions(f"{path}, category {name!r}", rows) for name, rows in found.items() if rows
    }


def _by_category(
    name: str, where: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> dict[str, list[Question]]:
    at = next((i for i, column in enumerate(header) if column.lower() in _CATEGORY_NAMES), None)
    if at is None:
        return {name: _questions(where, rows)}
    found: dict[str, list[Sequence[Any]]] = {}
    for row in rows:
        found.setdefault(str(row[at]), []).append([*row[:at], *row[at + 1 :]])
    return {key: _questions(f"{where}, category {key!r}", rows) for key, rows in found.items()}


def _questions(where: str, rows: Iterable[Sequence[Any]]) -> list[Question]:
    found: list[Question] = []
    for number, row in enumerate(rows, start=1):
        words = tuple(row)
        if not all(isinstance(word, str) and word.strip() for word in words):
            raise ValueError(f"{where}, row {number}: {words!r} are not all words")
        if len(words) not in (2, 4):
            raise ValueError(
                f"{where}, row {number}: {len(words)} words, {words!r}; a row must be a pair "
                "(a, b) or a question (a, b, c, d)"
            )
        if found and len(words) != len(found[0]):
            raise ValueError(
                f"{where}, row {number}: {len(words)} words after rows of {len(found[0])}; "
                "give pairs and whole questions in categories of their own"
            )
        found.append(tuple(str(word) for word in words))
    return found


# Ratings


def _rated(where: str, rows: list[list[Any]]) -> list[Rating]:
    if not rows:
        return []
    width = len(rows[-1])
    for number, row in enumerate(rows, start=1):
        if len(row) != width:
            raise ValueError(
                f"{where}, row {number}: {len(row)} columns, {row!r}; the last row has {width}"
            )
    if len(rows) > 1 and not any(map(_is_number, rows[0])) and any(map(_is_number, rows[1])):
        rows = rows[1:]  # names of columns
    columns = list(zip(*rows, strict=True))
    numbers = [i for i, column in enumerate(columns) if all(map(_is_rating, column))]
    words = [i for i in range(width) if i not in numbers]
    if len(words) > 2:
        words = [i for i in words if not _is_tags(columns[i])]
    if len(words) < 2 or not numbers:
        raise ValueError(
            f"{where}: {len(words)} columns of words and {len(numbers)} of numbers, as in row "
            f"{rows[0]!r}; two of words and one of ratings are needed"
        )
    first, second = words[:2]
    rating = next((i for i in numbers if i > second), numbers[0])
    found = []
    for number, row in enumerate(rows, start=1):
        pair = row[first], row[second]
        if not all(isinstance(word, str) and word.strip() for word in pair):
            raise ValueError(f"{where}, row {number}: {pair!r} are not two words")
        found.append((str(pair[0]), str(pair[1]), _number(row[rating])))
    if all(_TAGGED.fullmatch(word[-3:]) for row in found for word in row[:2]):
        return [(one[:-2], other[:-2], rating) for one, other, rating in found]
    return found


def _is_tags(column: Sequence[Any]) -> bool:
    return all(isinstance(cell, str) and cell.lower() in _PARTS_OF_SPEECH for cell in column)


def _is_missing(cell: Any) -> bool:
    return cell is None or (isinstance(cell, str) and cell.strip().lower() in _MISSING)


def _is_number(cell: Any) -> bool:
    return not _is_missing(cell) and not (isinstance(cell, str) and "_" in cell) and _parses(cell)


def _parses(cell: Any) -> bool:
    try:
        float(cell)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def _is_rating(cell: Any) -> bool:
    return _is_missing(cell) or _is_number(cell)


def _number(cell: Any) -> float:
    return math.nan if _is_missing(cell) else float(cell)
