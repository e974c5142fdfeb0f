"""Grade notebooks: the submission's process computes, this one asks, compares and decides.

A test is a function whose arguments carry the names it needs from the submission. What it receives
for a function is a stand-in that sends its arguments to the submission's process and returns what
comes back. So the same tests serve in the notebook, where the names are simply there, and here,
where the submission never sees them, their expected values, or its marks.
"""

import inspect
import json
import os
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from course import wire
from course.session import CellReport, Limits, Session, SubmissionError

SKIPPED = ("# Set-up", "# Checks")  # first lines of the cells that the grader has no use for
ANSWER = r"\*\*Answer {question}\.\*\*"


@dataclass(frozen=True)
class Verdict:
    """One test: whether it is among the public ones, its marks, and words if it failed."""

    name: str
    public: bool
    points: float
    passed: bool
    feedback: str = ""


@dataclass
class QuestionResult:
    """One question: its tests, or a text to be marked by hand."""

    name: str
    title: str
    tests: list[Verdict] = field(default_factory=list)
    by_hand: float = 0.0
    answer: str = ""

    @property
    def points(self) -> float:
        """The marks earned, of those that tests give."""
        return sum(test.points for test in self.tests if test.passed)

    @property
    def possible(self) -> float:
        """The marks that tests give."""
        return sum(test.points for test in self.tests)


@dataclass
class Grade:
    """What one submission got, and what became of its cells."""

    problem_set: str
    questions: list[QuestionResult]
    cells: list[CellReport]
    held: list[str]
    output: str = ""

    @property
    def points(self) -> float:
        """The marks earned, of those that tests give."""
        return sum(question.points for question in self.questions)

    @property
    def possible(self) -> float:
        """The marks that tests give."""
        return sum(question.possible for question in self.questions)


def code_cells(notebook: dict) -> list[CellReport]:
    """Return the cells to run: all code but the set-up, which the grader does not need."""
    cells, number = [], 0
    for cell in notebook.get("cells", []):
        if cell.get("cell_type") != "code":
            continue
        number += 1
        source = "".join(cell.get("source", ""))
        if source.strip() and not source.startswith(SKIPPED):
            cells.append(CellReport(number, source))
    return cells


def written_answer(notebook: dict, question: str) -> str:
    """Return the text under the heading **Answer ....** of this question, wherever it stands."""
    pattern = re.compile(ANSWER.format(question=re.escape(question)))
    for cell in notebook.get("cells", []):
        source = "".join(cell.get("source", ""))
        if cell.get("cell_type") == "markdown" and pattern.search(source):
            text = pattern.split(source, maxsplit=1)[1].strip()
            return "" if text == "*Write here.*" else text
    return ""


def problem_set_of(notebook: dict) -> str | None:
    """Return which problem set a notebook answers, from its metadata or from its Checks cell."""
    named = notebook.get("metadata", {}).get("problem_set")
    for cell in notebook.get("cells", []):
        found = re.match(r"# Checks of the problem set (\w+)", "".join(cell.get("source", "")))
        named = named or (found and found[1])
    return named


def grade(
    notebook: dict,
    spec: dict,
    *,
    limits: Limits | None = None,
    library: list[str] | None = None,
    confine: bool = True,
    user: int | None = None,
) -> Grade:
    """Run a submission and test it; an honest fault of it is a result, never an exception.

    Parameters
    ----------
    notebook : the submission, as JSON has it.
    spec : what `course.source.specification` makes of a problem set.
    limits : on time, memory and files.
    library : folders the submission needs to import qw2v (`course.session.library`).
    confine : shut the process in; False only where the kernel cannot and one has to grade.
    user : run the process as this user, where this one is root.
    """
    os.environ["TQDM_DISABLE"] = "1"  # what tests count here needs no progress bar
    cells = code_cells(notebook)
    with Session(cells, limits or Limits(), library or [], confine, user) as session:
        try:
            session.run()
        except SubmissionError as error:
            cells.append(CellReport(0, "", str(error)))
        results = [_grade_question(session, notebook, spec, q) for q in spec["questions"]]
        session.close()
    return Grade(spec["name"], results, cells, session.held, session.output)


def _grade_question(session: Session, notebook: dict, spec: dict, question: dict) -> Any:
    result = QuestionResult(question["name"], question["title"], by_hand=question["by_hand"])
    if question["by_hand"]:
        result.answer = written_answer(notebook, question["name"])
    for public, source in ((True, question["public"]), (False, question["hidden"])):
        for name, test, points in tests_in(spec["helpers"], source):
            said = _run(test, name, session)
            result.tests.append(Verdict(name, public, points, said is None, said or ""))
    return result


def tests_in(helpers: str, source: str) -> list[tuple[str, Callable, float]]:
    """Return the tests of a source: name, function, marks."""
    names: dict[str, Any] = {"np": np}
    exec(compile(helpers, "<helpers>", "exec"), names)
    before = set(names)
    exec(compile(source, "<tests>", "exec"), names)
    found = []
    for name, value in names.items():
        if name not in before and name.startswith("test_"):
            points = inspect.signature(value).parameters.get("points")
            found.append((name, value, 1.0 if points is None else float(points.default)))
    return found


def _run(test: Callable, name: str, session: Session) -> str | None:
    """Return None if the test passes, or what to tell the author."""
    received: list[str] = []

    def stand_in(function: str) -> Callable:
        def ask(*arguments: Any, **options: Any) -> Any:
            value = session.call(function, *arguments, **options)
            received.append(type(value).__name__)
            return value

        return ask

    test.__globals__["rng"] = np.random.default_rng(zlib.crc32(name.encode()))
    try:
        values = {}
        for wanted in inspect.signature(test).parameters:
            if wanted == "points":
                continue
            value = session.look(wanted)
            function = isinstance(value, wire.Function)
            values[wanted] = stand_in(wanted) if function else value
            received.append(type(value).__name__)
        with np.errstate(all="ignore"):
            test(**values)
    except AssertionError as error:
        return str(error) or "this is not what was asked for"
    except SubmissionError as error:
        return str(error)
    except Exception:
        kind = received[-1] if received else "nothing"
        return f"this is not of the kind that was asked for (received {kind})"
    return None


def read_notebook(path: Path) -> dict:
    """Read a submission; raise SubmissionError if it is no notebook."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(notebook, dict) or not isinstance(notebook.get("cells"), list):
            raise ValueError("it has no cells")
        if not all(isinstance(cell, dict) for cell in notebook["cells"]):
            raise ValueError("its cells are not objects")
    except (ValueError, OSError, RecursionError) as error:
        raise SubmissionError(f"this file is not a notebook: {error}") from error
    return notebook
