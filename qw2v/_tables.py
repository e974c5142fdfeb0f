"""Tables of text cells, for a terminal and for a notebook."""

from __future__ import annotations

import html
from collections.abc import Sequence

Row = Sequence[str]


def text_table(caption: str, header: Row, rows: Sequence[Row]) -> str:
    """Return a table as lines of text: the first column to the left, the others to the right.

    >>> print(text_table("Pets", ["name", "age"], [["Tom", "7"]]))
    Pets
    ---------
    name  age
    ---------
    Tom     7
    """
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = [
        "  ".join(
            [row[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        )
        for row in (header, *rows)
    ]
    rule = "-" * len(lines[0])
    return "\n".join([caption, rule, lines[0], rule, *lines[1:]])


def html_table(caption: str, header: Row, rows: Sequence[Row]) -> str:
    """Return a table as HTML that a screen reader can follow; the first cell names its row.

    >>> html_table("A & B", ["name"], [["Tom"]])[:33]
    '<table><caption>A &amp; B</captio'
    """
    head = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>'
        + "".join(f"<td>{html.escape(cell)}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        f"<table><caption>{html.escape(caption)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    )
