"""What a chapter's sentences take from its cells: the numbers they state, the claims they make.

A number in the text is not typed. A cell computes it and names it, `number("late", gap, ".1%")`;
the sentence takes it by that name, ``{glue:text}`late` ``. A takeaway that claims a size or an
order has a `claim` in the cell behind it: the build stops when the data no longer bear it out.
What the paper reports comes from `data/paper.toml`, by `paper`.
"""

from __future__ import annotations

import os
from typing import Any

from qw2v import comparison

__all__ = ["ClaimError", "claim", "number", "paper"]

_RECORD = "application/papermill.record/text/plain"  # what myst-nb's glue writes and reads


class ClaimError(AssertionError):
    """A sentence of the book that its data do not bear out."""


def number(name: str, value: Any, form: str = "") -> None:
    """Give a number a name by which the text of the same page shows it.

    The text shows it with a true minus sign. In a notebook outside the book's build, where the text
    shows the name alone, it is printed too.

    Parameters
    ----------
    name : str
        Its name in the text, after `glue:text` and in backquotes, once a page.
    value : number or str
        A number, or text that is shown as it stands.
    form : str
        A format such as ".1%" or ",.0f".

    Examples
    --------
    >>> number("late", -0.0714, ".1%")
    late: −7.1%
    """
    shown = format(value, form)
    if not isinstance(value, str):
        shown = shown.replace("-", "−")
    try:
        from IPython import get_ipython
        from IPython.display import publish_display_data
    except ImportError:  # a plain interpreter
        pass
    else:
        if get_ipython() is not None:
            publish_display_data(
                {_RECORD: repr(shown)},
                metadata={
                    "scrapbook": {"name": name, "mime_prefix": _RECORD[: -len("text/plain")]}
                },
            )
    if "QW2V_BOOK" not in os.environ:
        print(f"{name}: {shown}")


def claim(holds: Any, sentence: str, **evidence: Any) -> None:
    """Stop the build unless what the text says is so.

    Parameters
    ----------
    holds : a truth value.
    sentence : what the text claims, in its words.
    evidence : the numbers that decide it, for the message.

    Raises
    ------
    ClaimError
        With the sentence and the evidence.

    Examples
    --------
    >>> claim(0.02 < 0.03, "half-times are within 3% of Result 3")
    >>> claim(0.04 < 0.03, "half-times are within 3% of Result 3", gap=0.04)
    Traceback (most recent call last):
    ...
    qw2v.prose.ClaimError: the text says: half-times are within 3% of Result 3. The data no longer \
bear it out: gap = 0.04. Correct the sentence, or find what changed the data.
    """
    if holds:
        return
    shown = ", ".join(f"{name} = {value!r}" for name, value in evidence.items())
    raise ClaimError(
        f"the text says: {sentence.rstrip('.')}. The data no longer bear it out"
        f"{': ' + shown if shown else ''}. Correct the sentence, or find what changed the data."
    )


def paper(what: str) -> float:
    """Return a number that the paper reports, as `data/paper.toml` quotes it.

    Parameters
    ----------
    what : the row's `what` there.

    Raises
    ------
    KeyError
        Where no row or more than one has that name, or the row quotes no number.

    Examples
    --------
    >>> paper("analogies, M*")
    0.663
    """
    rows = [row for group in comparison.groups() for row in group.rows if row.what == what]
    if len(rows) != 1:
        raise KeyError(f"one row of paper.toml must be named {what!r}, found {len(rows)}")
    quoted = rows[0].paper
    if not isinstance(quoted, int | float):
        raise KeyError(f"paper.toml quotes no number for {what!r}, received {quoted!r}")
    return quoted
