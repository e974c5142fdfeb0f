"""Sphinx extension of the book: the self-checks of a chapter, from questions/*.toml.

    ```{self-checks} words
    ```

writes the questions of `questions/words.toml` into the page as forms. All texts, the feedback to
each answer among them, are set when the book is built, formulas too; js/site/check.js only compares
an answer and shows the text that belongs to it. Its interface is in the attributes of the form:

    data-kind       choice, number or formula
    data-answer     the right answer
    data-tolerance  of a number, relative (absolute where the answer is 0)
    data-variables  of a formula, as JSON: {"x": [low, high]}
    data-near       wrong answers with a feedback of their own, as a JSON list

and the feedback stands in the form's `.check-feedback > [data-for]`: for "right" and "wrong", for
the letter of a choice, or for "near-0", "near-1" and so on.
"""

import html
import json
import re
import string
import sys
from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from course.questions import FOLDER, SelfCheck, read_quiz  # noqa: E402

PROMPT = {"number": "Your answer, a number", "formula": "Your answer, a formula"}
FORMULA = re.compile(r"\$[^$]*\$")
HINT = "For example 2*exp(-a*t), sqrt(x), x^2/4"


def _raw(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def _spoken(text: str) -> str:
    """Return a name for an answer that is a formula alone: set formulas are no text to a label."""
    words = re.sub(r"\\([A-Za-z]+)", r" \1 ", text).translate(str.maketrans("", "", "${}\\"))
    return f' aria-label="{html.escape(" ".join(words.split()))}"'


class SelfChecks(SphinxDirective):
    """The questions of one chapter, answered in the page."""

    required_arguments = 1
    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return one form a question."""
        name = self.arguments[0]
        path = FOLDER / f"{name}.toml"
        self.env.note_dependency(str(path))
        if not path.is_file():
            raise self.error(f"there is no {path.relative_to(FOLDER.parent)}")
        found: list[nodes.Node] = [_raw(f'<div class="checks" data-chapter="{html.escape(name)}">')]
        quiz = read_quiz(name)
        for number, check in enumerate(quiz.questions, 1):
            found += self._form(check, number, quiz.title)
        return [*found, _raw("</div>")]

    def _form(self, check: SelfCheck, number: int, title: str) -> list[nodes.Node]:
        data = {"kind": check.kind, "answer": str(check.answer)}
        if check.kind == "choice":
            right = next(i for i, choice in enumerate(check.choices) if choice.right)
            data["answer"] = string.ascii_lowercase[right]
        if check.kind == "number":
            data["tolerance"] = str(check.tolerance)
        if check.kind == "formula":
            data["variables"] = json.dumps(check.variables)
        if check.near:
            data["near"] = json.dumps([near.answer for near in check.near])
        attributes = "".join(f' data-{k}="{html.escape(v)}"' for k, v in data.items())
        name, label = html.escape(check.name), html.escape(f"{title}, question {number}")
        found: list[nodes.Node] = [
            _raw(
                f'<form class="check" novalidate{attributes} aria-label="{label}">'
                f'<div class="check-question" id="{name}-text">'
            ),
            *self.parse_text_to_nodes(f"**{number}.** {check.text}"),
            _raw("</div>"),
            *(self._choices(check) if check.kind == "choice" else self._field(check)),
            _raw(
                '<button type="submit" class="check-button">Check</button>'
                '<div class="check-said" role="status"></div><div class="check-feedback" hidden>'
            ),
        ]
        said = {"right": check.right, "wrong": check.wrong}
        if check.kind == "choice":
            said = {string.ascii_lowercase[i]: c.feedback for i, c in enumerate(check.choices)}
        said |= {f"near-{i}": near.feedback for i, near in enumerate(check.near)}
        for key, text in said.items():
            found += [_raw(f'<div data-for="{key}">'), *self.parse_text_to_nodes(text)]
            found.append(_raw("</div>"))
        return [*found, _raw("</div></form>")]

    def _choices(self, check: SelfCheck) -> list[nodes.Node]:
        name = html.escape(check.name)
        found: list[nodes.Node] = [
            _raw(f'<div role="radiogroup" class="check-choices" aria-labelledby="{name}-text">')
        ]
        for letter, choice in zip(string.ascii_lowercase, check.choices, strict=False):
            spoken = "" if re.search(r"\w", FORMULA.sub("", choice.text)) else _spoken(choice.text)
            found.append(
                _raw(
                    f'<label class="check-choice"><input type="radio" name="{name}" '
                    f'value="{letter}"{spoken}><span class="check-label">'
                )
            )
            paragraph = self.parse_text_to_nodes(choice.text)[0]
            inline = nodes.inline("", "", *paragraph.children)
            found += [inline, _raw("</span></label>")]
        return [*found, _raw("</div>")]

    def _field(self, check: SelfCheck) -> list[nodes.Node]:
        name, mode = html.escape(check.name), "decimal" if check.kind == "number" else "text"
        hint = f'<span class="check-hint">{HINT}</span>' if check.kind == "formula" else ""
        return [
            _raw(
                f'<label class="check-field"><span>{PROMPT[check.kind]}</span>'
                f'<input type="text" name="{name}" inputmode="{mode}" autocomplete="off" '
                f'autocapitalize="off" spellcheck="false" aria-describedby="{name}-text">'
                f"{hint}</label>"
            )
        ]


def setup(app):
    """Register with Sphinx."""
    app.add_directive("self-checks", SelfChecks)
    app.add_js_file("check.js", defer="defer")
    app.add_css_file("check.css")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
