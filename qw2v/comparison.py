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


@dataclass(frozen=True)
class TextShare:
    """What more text would bring: scores of the closed form, measured and foretold."""

    rows: tuple[tuple[str, ...], ...]

    def _repr_html_(self) -> str:
        names = (
            "", "all our text", "the same, foretold from a quarter", "at the paper's size",
            "90% interval", "the paper",
        )  # fmt: skip
        head = "".join(f'<th scope="col">{name}</th>' for name in names)
        body = "".join(
            f'<tr><th scope="row">{html.escape(first)}</th>'
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in rest)
            + "</tr>"
            for first, *rest in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def text_share() -> TextShare:
    """Return scores on nested parts of the text, taken to the paper's size by a curve.

    Recorded in `data/text-share.json` by `experiments/text_share.py`.
    """
    record = json.loads(datasets.verify("text-share.json").read_text(encoding="utf-8"))
    quoted = tomllib.loads(datasets.verify("paper.toml").read_text(encoding="utf-8"))
    paper = {row["ours"]: row.get("paper") for g in quoted["groups"] for row in g["rows"]}
    scores = {
        "accuracy": ("analogies", ".1%"),
        "kept": ("kept", ".1%"),
        "MEN": ("MEN", ".3f"),
        "WordSim353": ("WordSim353", ".3f"),
    }
    names = {"mstar": "M*", "ppmi": "PPMI", "pmi": "PMI"}
    rows = []
    for kind, curves in record["curves"].items():
        whole = record["found"][f"{kind} {record['parts']}/{record['parts']} draw 0"]
        for score, curve in curves.items():
            key, form = scores[score]
            said = paper.get(f"closed_form.{kind}.{key}")
            low, high = curve["interval"]
            label = "analogies, question words kept" if score == "kept" else key
            rows.append(
                (
                    f"{label}, {names[kind]}",
                    format(whole[score], form),
                    format(curve["all_foretold_from_a_quarter"], form),
                    format(curve["at_paper"], form),
                    f"{low:{form}} to {high:{form}}",
                    "" if said is None else format(said, form),
                )
            )
    return TextShare(tuple(rows))


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
