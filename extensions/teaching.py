"""Sphinx extension of the book: what *For teachers* tells of the chapters, and the handouts.

    ```{chapters-table}
    ```
    ```{chapters-graph}
    ```

Both are read off the chapters: which other chapters a chapter's **You need** and its formulas point
to, how long its text is, and how long its cells took when it was last executed. After a build the
figures to download and the slides are written beside the book (tools/course/handouts.py).
"""

import html
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

WORDS_A_MINUTE, LINES_A_MINUTE = 180, 20
MINUTES = {"formula": 0.5, "figure": 0.5, "explorer": 3}


@dataclass(frozen=True)
class Chapter:
    """What a chapter says of itself."""

    name: str
    title: str
    needs: list[str]
    minutes: int


class ChaptersTable(nodes.General, nodes.Element):
    """Stands for the table until execution times are known."""


class ChaptersGraph(nodes.General, nodes.Element):
    """Stands for the graph until addresses are known."""


def chapters(root: Path = ROOT) -> list[Chapter]:
    """Read all chapters, in the book's order."""
    toc = (root / "_toc.yml").read_text(encoding="utf-8")
    names = re.findall(r"file: chapters/([\w-]+)", toc)
    texts = {name: _markdown(root / "chapters" / f"{name}.ipynb") for name in names}
    labels = {
        label: name
        for name, text in texts.items()
        for label in re.findall(r":label: (eq-\S+)", text)
    }
    found: list[Chapter] = []
    for name, text in texts.items():
        paragraph = re.search(r"\*\*You need\.\*\*(.*?)(?:\n\n|\Z)", text, re.S)
        named = paragraph[1] if paragraph else ""
        linked = set(re.findall(r"\]\(([\w-]+)\)", named))
        linked |= {labels.get(label, "") for label in re.findall(r"\{eq\}`([\w-]+)`", named)}
        before = [chapter.name for chapter in found]
        needs = [other for other in before if other in linked]
        title = re.search(r"^# (.+)$", text, re.M)[1]
        minutes = _minutes(text, _code(root / "chapters" / f"{name}.ipynb"))
        found.append(Chapter(name, title, needs, minutes))
    return found


def _markdown(path: Path) -> str:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = (c for c in notebook["cells"] if c["cell_type"] == "markdown")
    return "\n\n".join("".join(cell["source"]) for cell in cells)


def _code(path: Path) -> str:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = (c for c in notebook["cells"] if c["cell_type"] == "code" and c["id"] != "setup")
    return "\n".join("".join(cell["source"]) for cell in cells)


def _minutes(text: str, code: str) -> int:
    """Return the minutes that a first reading takes, exercises left out."""
    text = text.split("## Exercises")[0]
    words = len(
        re.findall(r"[A-Za-z]{2,}", re.sub(r"\$\$.*?\$\$|\$[^$]*\$", " ", text, flags=re.S))
    )
    minutes = words / WORDS_A_MINUTE + len(code.splitlines()) / LINES_A_MINUTE
    minutes += MINUTES["formula"] * len(re.findall(r"^```\{math\}|^\$\$", text, re.M))
    minutes += MINUTES["figure"] * code.count("figures.")
    minutes += MINUTES["explorer"] * code.count("explorers.")
    return max(5, 5 * round(minutes / 5))


class Table(SphinxDirective):
    """The chapters with what they need and the time they take."""

    def run(self) -> list[nodes.Node]:
        """Leave a place for the table."""
        return [ChaptersTable()]


class ProblemSets(SphinxDirective):
    """The problem sets, each with the buttons that open it."""

    def run(self) -> list[nodes.Node]:
        """Return the list, by the student notebooks in the tree."""
        import setup_cell
        import yaml
        from course.source import problem_sets

        config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
        url, branch = config["repository"]["url"], config["repository"]["branch"]
        repository = setup_cell.repository_url().removeprefix("https://github.com/")
        parts = []
        for one in problem_sets():
            path = f"assignments/student/{one.name}.ipynb"
            self.env.note_dependency(str(one.path))
            colab = f"https://colab.research.google.com/github/{repository}/blob/{branch}/{path}"
            binder = f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{path}"
            title, number = html.escape(one.title), one.about["number"]
            goals = "".join(f"<li>{html.escape(goal)}</li>" for goal in one.about["goals"])
            links = {"Colab": colab, "Binder": binder, "View": f"{url}/blob/{branch}/{path}"}
            opened = " · ".join(
                f'<a href="{link}" aria-label="{name}: problem set {number}">{name}</a>'
                for name, link in links.items()
            )
            about = f"<strong>{title}.</strong> {one.about['minutes']} minutes. {opened}"
            parts.append(f"<li><p>{about}</p><ul>{goals}</ul></li>")
        text = f'<ol class="problem-sets">{"".join(parts)}</ol>'
        return [nodes.raw("", text, format="html")]


class Graph(SphinxDirective):
    """Which chapter needs which."""

    def run(self) -> list[nodes.Node]:
        """Leave a place for the picture."""
        return [ChaptersGraph()]


def fill(app, doctree, docname):
    """Put table and graph in their places."""
    address = {
        c.name: app.builder.get_relative_uri(docname, f"chapters/{c.name}") for c in chapters()
    }
    for node in list(doctree.findall(ChaptersTable)):
        times = {}
        for page, data in getattr(app.env, "nb_metadata", {}).items():
            times[page] = data.get("exec_data", {}).get("runtime")
        node.replace_self(nodes.raw("", table(address, times), format="html"))
    for node in list(doctree.findall(ChaptersGraph)):
        node.replace_self(nodes.raw("", graph(address), format="html"))


def table(address: dict[str, str], times: dict[str, float | None]) -> str:
    """Return the table of chapters."""
    titles = {chapter.name: chapter.title for chapter in chapters()}
    rows = []
    for one in chapters():
        needs = ", ".join(html.escape(titles[name]) for name in one.needs) or "none"
        seconds = times.get(f"chapters/{one.name}")
        ran = "not executed" if seconds is None else f"{seconds:.0f}"
        rows.append(
            f'<tr><th scope="row"><a href="{address[one.name]}">{html.escape(one.title)}</a></th>'
            f"<td>{needs}</td><td>{one.minutes}</td><td>{ran}</td></tr>"
        )
    head = "".join(
        f'<th scope="col">{name}</th>'
        for name in ("Chapter", "Needs", "Reading, minutes", "Running, seconds")
    )
    return (
        '<div class="pst-scrollable-table-container" tabindex="0" role="region" '
        'aria-label="Chapters, what they need, and the time they take">'
        f'<table class="table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def graph(address: dict[str, str]) -> str:
    """Return the picture: a chapter stands below all that it needs."""
    everything = chapters()
    level: dict[str, int] = {}
    for one in everything:
        level[one.name] = 1 + max((level[name] for name in one.needs), default=-1)
    rows: dict[int, list[Chapter]] = {}
    for one in everything:
        rows.setdefault(level[one.name], []).append(one)
    width, box, high, step = 760, 170, 40, 84
    place = {}
    for depth, row in rows.items():
        for i, one in enumerate(row):
            place[one.name] = (width * (i + 1) / (len(row) + 1), 30 + step * depth)
    lines, boxes = [], []
    for one in everything:
        x, y = place[one.name]
        for name in one.needs:
            a, b = place[name]
            lines.append(f'<path d="M{a:.0f} {b + high / 2:.0f}L{x:.0f} {y - high / 2:.0f}"/>')
        boxes.append(
            f'<a href="{address[one.name]}"><rect x="{x - box / 2:.0f}" y="{y - high / 2:.0f}" '
            f'width="{box}" height="{high}" rx="6"/><text x="{x:.0f}" y="{y + 5:.0f}" '
            f'text-anchor="middle">{html.escape(one.title)}</text></a>'
        )
    tall = 30 + step * max(rows) + 30
    return (
        f'<svg class="chapters-graph" viewBox="0 0 {width} {tall}" role="group" '
        'aria-label="Which chapter needs which: the table above says the same in words">'
        f"<g>{''.join(lines)}</g>{''.join(boxes)}</svg>"
    )


def write_handouts(app, exception):
    """Write the figures to download and the slides, from the pages just built."""
    if exception is None and app.builder.name == "html":
        from course import handouts

        handouts.write(Path(app.outdir))


def setup(app):
    """Register with Sphinx."""
    app.add_node(ChaptersTable)
    app.add_node(ChaptersGraph)
    app.add_directive("chapters-table", Table)
    app.add_directive("chapters-graph", Graph)
    app.add_directive("problem-sets", ProblemSets)
    app.connect("doctree-resolved", fill)
    app.connect("build-finished", write_handouts)
    app.add_css_file("teaching.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
