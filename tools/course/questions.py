"""The chapters' self-checks: one source, questions/*.toml, for the pages, QTI 1.2 and Moodle.

Each file holds the questions of one chapter. Three kinds:

    choice    `choices`, each with `text`, `feedback`, and `right = true` for one of them
    number    `answer` and `tolerance` (relative; absolute where the answer is 0)
    formula   `answer`, an expression in `variables` (a table: name = [low, high]), and
              `spellings`, for systems that compare letters; the page compares values

Numbers and formulas have `right` and `wrong`, what is said then, and may have `near`: wrong answers
that one can foresee, each with an `answer` and a `feedback`. Texts are Markdown with $formulas$.
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "questions"
KINDS = ("choice", "number", "formula")


@dataclass(frozen=True)
class Choice:
    """One of the answers to choose from."""

    text: str
    feedback: str
    right: bool = False


@dataclass(frozen=True)
class Near:
    """A wrong answer that one can foresee, and what is said to it."""

    answer: float | str
    feedback: str


@dataclass(frozen=True)
class SelfCheck:
    """One question of a chapter."""

    name: str
    kind: str
    text: str
    choices: list[Choice] = field(default_factory=list)
    answer: float | str = ""
    tolerance: float = 0.01
    variables: dict[str, list[float]] = field(default_factory=dict)
    spellings: list[str] = field(default_factory=list)
    right: str = ""
    wrong: str = ""
    near: list[Near] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.name}: kind must be one of {KINDS}, received {self.kind!r}")
        if self.kind == "choice" and sum(choice.right for choice in self.choices) != 1:
            raise ValueError(f"{self.name}: exactly one choice must be right")
        if self.kind != "choice" and not (self.right and self.wrong):
            raise ValueError(f"{self.name}: say what is told to a right and to a wrong answer")
        if self.kind == "formula" and not (self.variables and self.spellings):
            raise ValueError(f"{self.name}: a formula needs `variables` and `spellings`")


@dataclass(frozen=True)
class Quiz:
    """The questions of one chapter."""

    name: str
    title: str
    questions: list[SelfCheck]


def _check(name: str, table: dict[str, Any]) -> SelfCheck:
    table = dict(table)
    choices = [Choice(**choice) for choice in table.pop("choices", [])]
    near = [Near(**one) for one in table.pop("near", [])]
    return SelfCheck(name=name, choices=choices, near=near, **table)


def read_quiz(name: str, folder: Path = FOLDER) -> Quiz:
    """Read the questions of one chapter."""
    table = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
    checks = [_check(f"{name}-{n}", one) for n, one in enumerate(table["question"], 1)]
    return Quiz(name, table["title"], checks)


def read_all(folder: Path = FOLDER) -> list[Quiz]:
    """Read all chapters' questions."""
    return [read_quiz(path.stem, folder) for path in sorted(folder.glob("*.toml"))]


def plain(text: str) -> str:
    r"""Return a text with its formulas as both systems take them: \( ... \), and no Markdown.

    >>> plain("where *s* is $a < b$")
    'where s is \\(a < b\\)'
    """
    text = re.sub(r"\$([^$]+)\$", r"\\(\1\\)", text.strip())
    parts = re.split(r"(\\\(.*?\\\))", text)
    parts[::2] = [re.sub(r"[*`]+", "", part) for part in parts[::2]]
    return re.sub(r"\s+", " ", "".join(parts))


def export(quizzes: list[Quiz], folder: Path) -> list[Path]:
    """Write every quiz as QTI 1.2 (an archive each, for Canvas) and as Moodle XML."""
    from course import moodle, qti

    written = []
    for quiz in quizzes:
        for kind, write in (("qti", qti.write), ("moodle", moodle.write)):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            written.append(write(quiz, folder / kind))
    return written
