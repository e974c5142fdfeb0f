"""The paper's numbers beside this book's: quoted in `data/paper.toml`, ours in `data/results.json`.

Neither is typed on a page. `paper.toml` says for each number where the paper has it, which of our
results answers it, and why the two differ; `results.json` is computed by `experiments/results.py`.
"""

from __future__ import annotations

import html
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qw2v import datasets
from qw2v._tables import html_table


@dataclass(frozen=True)
class Row:
    """One number of the paper and ours."""

    what: str
    paper: float | str | None
    """A number, a claim in words, or None where the paper only has a picture."""
    ours: float
    form: str

    def cells(self) -> tuple[str, str, str, str]:
        """Return what is compared, the paper's, ours, and the difference, as text.

        >>> Row("analogies", 0.663, 0.621, ".1%").cells()
        ('analogies', '66.3%', '62.1%', '−4.2')
        """
        here = format(self.ours, self.form)
        if not isinstance(self.paper, int | float):
            return self.what, self.paper or "a picture", here, ""
        return self.what, format(self.paper, self.form), here, _difference(self)


@dataclass(frozen=True)
class Group:
    """What one figure, table or section of the paper reports."""

    title: str
    place: str
    """Where in the paper."""
    page: str
    """Where in this book."""
    why: str
    rows: tuple[Row, ...]

    def _repr_html_(self) -> str:
        table = html_table(
            f"{self.title} ({self.place})",
            ("what", "paper", "here", "difference"),
            [row.cells() for row in self.rows],
        )
        return (
            f"{table}"
            f'<p>{html.escape(self.why)} <a href="{self.page}.html">Where it is shown.</a></p>'
        )


@dataclass(frozen=True)
class Settings:
    """How the paper's runs and ours were set, line by line; shown as a table."""

    rows: tuple[tuple[str, str, str], ...]

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in ("what", "paper", "here"))
        body = "".join(
            f'<tr><th scope="row">{html.escape(what)}</th>'
            f"<td>{html.escape(paper)}</td><td>{html.escape(here)}</td></tr>"
            for what, paper, here in self.rows
        )
        return (
            '<table class="prose"><caption>Settings</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        )


def settings() -> Settings:
    """Return every difference of setting between the paper's runs and those recorded here.

    >>> settings().rows[0][0]
    'text'
    """
    quoted = tomllib.loads(datasets.verify("paper.toml").read_text(encoding="utf-8"))
    return Settings(tuple((row["what"], row["paper"], row["here"]) for row in quoted["settings"]))


_SCORES = {"accuracy": "analogies", "kept": "kept", "MEN": "MEN", "WordSim353": "WordSim353"}


@dataclass(frozen=True)
class TextShare:
    """What more text would bring: scores of the closed form on nested texts, and their curves.

    `found` has scores by text, "KIND PARTS/ALL draw N"; `curves`, by kind and score, what
    `experiments/text_share.py` fitted to them; `paper`, by kind and score, what the paper reports
    at `far` tokens.
    """

    found: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, Mapping[str, Mapping[str, Any]]]
    paper: Mapping[str, Mapping[str, float | None]]
    far: float

    def points(self, kind: str, score: str) -> list[tuple[float, float]]:
        """Return (tokens, score) of every text, the smallest first."""
        rows = (row for name, row in self.found.items() if name.startswith(f"{kind} "))
        return sorted((row["tokens"], row[score]) for row in rows)

    def _repr_html_(self) -> str:
        head = ("all our text", "foretold from a quarter", "at the paper's size", "90% interval")
        rows = []
        for kind, curves in self.curves.items():
            for score, curve in curves.items():
                form = ".1%" if score in ("accuracy", "kept") else ".3f"
                said = self.paper[kind][score]
                label = {"accuracy": "analogies", "kept": "analogies, question words kept"}
                measured = self.points(kind, score)[-1][1]
                rows.append(
                    (
                        f"{label.get(score, score)}, {_MATRICES[kind]}",
                        format(measured, form),
                        format(curve["all_foretold_from_a_quarter"], form),
                        format(curve["at_paper"], form),
                        " to ".join(format(end, form) for end in curve["interval"]),
                        "" if said is None else format(said, form),
                    )
                )
        return html_table("More text", ("score", *head, "the paper"), rows)


_MATRICES = {"mstar": "M*", "ppmi": "PPMI", "pmi": "PMI"}


def text_share() -> TextShare:
    """Return scores on nested parts of the text, taken to the paper's size by a curve.

    Recorded in `data/text-share.json` by `experiments/text_share.py`.

    >>> round(text_share().paper["mstar"]["accuracy"], 3)
    0.663
    """
    record = json.loads(datasets.verify("text-share.json").read_text(encoding="utf-8"))
    quoted = tomllib.loads(datasets.verify("paper.toml").read_text(encoding="utf-8"))
    rows = (row for group in quoted["groups"] for row in group["rows"])
    said = {r["ours"]: r["paper"] for r in rows if isinstance(r.get("paper"), int | float)}
    paper = {
        kind: {score: said.get(f"closed_form.{kind}.{key}") for score, key in _SCORES.items()}
        for kind in record["curves"]
    }
    return TextShare(record["found"], record["curves"], paper, record["paper_tokens"])


def groups() -> list[Group]:
    """Return the whole comparison, in the paper's order.

    Raises KeyError, with the path, where `paper.toml` asks for a result that `results.json` lacks.

    >>> groups()[0].title
    'The text'
    """
    quoted = tomllib.loads(datasets.verify("paper.toml").read_text(encoding="utf-8"))
    results = json.loads(datasets.verify("results.json").read_text(encoding="utf-8"))
    return [
        Group(
            **{name: group[name] for name in ("title", "place", "page", "why")},
            rows=tuple(
                Row(row["what"], row.get("paper"), look_up(results, row["ours"]), row["form"])
                for row in group["rows"]
            ),
        )
        for group in quoted["groups"]
    ]


def look_up(results: Mapping[str, Any], path: str) -> float:
    """Return the number at a dotted path.

    >>> look_up({"text": {"tokens": 5}}, "text.tokens")
    5
    """
    found: Any = results
    for name in path.split("."):
        if not isinstance(found, Mapping) or name not in found:
            raise KeyError(
                f"results.json has no {path!r} (stuck at {name!r}): run experiments/results.py"
            )
        found = found[name]
    return found


def _difference(row: Row) -> str:
    """In points for shares, as a factor for counts far apart, else as the plain difference."""
    assert isinstance(row.paper, int | float)
    gap = row.ours - row.paper
    if row.form.endswith("%"):
        return f"{100 * gap:+.1f}".replace("-", "−")
    if row.form.startswith(",") and not 0.5 < row.ours / row.paper < 2:
        ratio = max(row.ours / row.paper, row.paper / row.ours)
        return f"{'×' if gap > 0 else '÷'} {ratio:.1f}"
    return format(gap, "+" + row.form).replace("-", "−")
