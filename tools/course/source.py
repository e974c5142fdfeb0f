"""A problem set's one source, and the notebooks and the autograder that follow from it.

The source is a notebook in assignments/. A cell's metadata say what it is, under "course":

    {"role": "solution", "question": "1", "title": ...}   code, with the solution between the lines
                                              `# BEGIN SOLUTION` and `# END SOLUTION`, or on lines
                                              that end in `# SOLUTION`
    {"role": "written", "question": "4", "points": 4, "rubric": [...]}   a text, marked by hand
    {"role": "helpers"}                       functions for the tests of the whole set
    {"role": "public", "question": "1"}       tests that the student has too
    {"role": "hidden", "question": "1"}       tests that only the grader has
    {"role": "wrong", "question": "1", "mistake": ..., "feedback": ...}   a common wrong answer, and
                                              a piece of what its author is told
    {"role": "right", "question": "1", "note": ...}       another correct answer

Cells without any of this are shared. One that cannot run before a question is answered says so:
{"needs": ["1"]}. A test is a function `test_...` of the names it needs; `points` is its keyword.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import setup_cell

from course.grading import tests_in

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "assignments"
BLOCK = re.compile(r"^([ \t]*)# BEGIN SOLUTION\n(.*?)^[ \t]*# END SOLUTION[ \t]*\n?", re.M | re.S)
LINE = re.compile(r"^([ \t]*)((?:[\w, ]+=)?)(.*)# SOLUTION[ \t]*$", re.M)
NOT_SHARED = ("helpers", "public", "hidden", "wrong", "right")

CHECKS = '''\
# Checks of the problem set {name}: leave this cell as it is.
# They are a part of what the grader asks. Call check("1") to check question 1.
import inspect
import zlib

import numpy as np

HELPERS = r"""
{helpers}
"""
CHECKS = {{
{checks}
}}


def check(question):
    """Run the public checks of a question and say how they went."""
    names = {{"np": np}}
    exec(HELPERS + CHECKS[question], names)
    tests = {{key: test for key, test in names.items() if key.startswith("test_")}}
    passed = 0
    for key, test in tests.items():
        names["rng"] = np.random.default_rng(zlib.crc32(key.encode()))
        wanted = [name for name in inspect.signature(test).parameters if name != "points"]
        absent = [name for name in wanted if name not in globals()]
        if absent:
            print(f"Not defined yet: {{', '.join(absent)}}")
            continue
        try:
            test(*[globals()[name] for name in wanted])
            passed += 1
        except AssertionError as error:
            print("Not yet:", error)
        except Exception as error:
            print(f"Not yet: {{type(error).__name__}}: {{error}}")
    print(f"Question {{question}}: {{passed}} of {{len(tests)}} checks pass.")'''


@dataclass(frozen=True)
class Question:
    """One question of a set: its marks, its tests, its wrong and other right answers."""

    name: str
    title: str
    public: str
    hidden: str
    by_hand: float
    rubric: list[str]
    wrong: list[dict]
    right: list[dict]


@dataclass(frozen=True)
class ProblemSet:
    """A source notebook, read."""

    path: Path
    notebook: nbformat.NotebookNode

    @property
    def name(self) -> str:
        """The name of the set, as its file has it."""
        return self.path.stem

    @property
    def about(self) -> dict[str, Any]:
        """Title, number, minutes, goals, chapters: the notebook's own metadata."""
        return self.notebook.metadata["course"]

    @property
    def title(self) -> str:
        """The title of the set."""
        return self.about["title"]

    def cells(self, role: str, question: str | None = None) -> list[nbformat.NotebookNode]:
        """Return the cells of a role, of one question or of all."""
        return [
            cell
            for cell in self.notebook.cells
            if _role(cell) == role
            and (question is None or cell.metadata["course"].get("question") == question)
        ]

    @property
    def helpers(self) -> str:
        """The source that all tests of the set share."""
        return "\n\n".join(cell.source for cell in self.cells("helpers"))

    @property
    def questions(self) -> list[Question]:
        """The questions, in the order of the notebook."""
        found = {}
        for cell in self.notebook.cells:
            about = cell.metadata.get("course", {})
            if about.get("role") in ("solution", "written") and about["question"] not in found:
                found[about["question"]] = self._question(about)
        return list(found.values())

    def _question(self, about: dict) -> Question:
        name = about["question"]
        public, hidden = (
            "\n\n".join(cell.source for cell in self.cells(role, name))
            for role in ("public", "hidden")
        )
        wrong, right = (
            [{**cell.metadata["course"], "source": cell.source} for cell in self.cells(role, name)]
            for role in ("wrong", "right")
        )
        by_hand = float(about.get("points", 0)) if about["role"] == "written" else 0.0
        return Question(
            name, about["title"], public, hidden, by_hand, about.get("rubric", []), wrong, right
        )

    def marks(self, question: Question) -> float:
        """Return the marks that the tests of a question give."""
        sources = (question.public, question.hidden)
        return sum(points for text in sources for *_, points in tests_in(self.helpers, text))


def _role(cell: nbformat.NotebookNode) -> str:
    return cell.metadata.get("course", {}).get("role", "")


def read(path: Path) -> ProblemSet:
    """Read a source notebook."""
    return ProblemSet(path, nbformat.read(path, as_version=4))


def problem_sets(folder: Path = SOURCES) -> list[ProblemSet]:
    """Return all sets, in the order of their numbers."""
    sets = [read(path) for path in sorted(folder.glob("*.ipynb"))]
    return sorted(sets, key=lambda one: one.about["number"])


def without_solution(source: str) -> str:
    """Return a code cell as the student gets it."""
    source = BLOCK.sub(r"\1...  # write here\n", source + "\n").rstrip("\n")

    return LINE.sub(lambda found: f"{found[1]}{found[2]}{' ' if found[2] else ''}...", source)


def with_solution(source: str) -> str:
    """Return a code cell with its solution and without the marks around it."""
    source = re.sub(r"^[ \t]*# (BEGIN|END) SOLUTION[ \t]*\n?", "", source + "\n", flags=re.M)
    return re.sub(r"[ \t]*# SOLUTION[ \t]*$", "", source, flags=re.M).rstrip("\n")


def secrets(problem_set: ProblemSet) -> Iterator[str]:
    """Yield every line that a student must not see: solutions, hidden tests, model answers."""
    for cell in problem_set.notebook.cells:
        role, kept = _role(cell), set()
        if role == "solution":
            kept = set(without_solution(cell.source).splitlines())
            lines = with_solution(cell.source).splitlines()
        elif role in ("hidden", "wrong", "right", "written"):
            lines = cell.source.splitlines()
            public = problem_set.cells("public", cell.metadata["course"]["question"])
            kept = {line for other in public for line in other.source.splitlines()}
        else:
            continue
        yield from (line.strip() for line in lines if line not in kept)
        yield from cell.metadata["course"].get("rubric", [])


def checks_cell(problem_set: ProblemSet) -> nbformat.NotebookNode:
    """Return the cell that holds the public checks and the function `check`."""
    texts = [
        f'    "{question.name}": r"""\n{question.public}\n""",'
        for question in problem_set.questions
        if question.public
    ]
    source = CHECKS.format(
        name=problem_set.name, helpers=problem_set.helpers, checks="\n".join(texts)
    )
    metadata = {"cellView": "form", "jupyter": {"source_hidden": True}, "tags": ["hide-input"]}
    return nbformat.v4.new_code_cell(source, id="checks", metadata=metadata)


def student_notebook(problem_set: ProblemSet) -> nbformat.NotebookNode:
    """Return the notebook that is handed out."""

    def show(cell: nbformat.NotebookNode) -> str:
        if _role(cell) == "solution":
            return without_solution(cell.source)
        if _role(cell) == "written":
            question = cell.metadata["course"]["question"]
            return f"**Answer {question}.**\n\n*Write here.*"
        return cell.source

    return _notebook(problem_set, show)


def solution_notebook(
    problem_set: ProblemSet, instead: dict[str, str] | None = None
) -> nbformat.NotebookNode:
    """Return the notebook with its solutions, or with other answers in place of some of them."""
    instead = instead or {}

    def show(cell: nbformat.NotebookNode) -> str:
        about = cell.metadata.get("course", {})
        if _role(cell) == "solution":
            return instead.get(about["question"], with_solution(cell.source))
        if _role(cell) == "written":
            return f"**Answer {about['question']}.**\n\n{cell.source}"
        return cell.source

    return _notebook(problem_set, show)


def _notebook(problem_set: ProblemSet, show: Any) -> nbformat.NotebookNode:
    cells: list[nbformat.NotebookNode] = []
    for cell in problem_set.notebook.cells:
        if _role(cell) in NOT_SHARED:
            continue
        if cell.cell_type == "code" and not any(c.cell_type == "code" for c in cells):
            setup = nbformat.v4.new_code_cell(
                setup_cell.source(), id="setup", metadata=setup_cell.METADATA
            )
            cells += [setup, checks_cell(problem_set)]
        new = (
            nbformat.v4.new_code_cell if cell.cell_type == "code" else nbformat.v4.new_markdown_cell
        )
        cells.append(new(show(cell), id=cell.id))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return nbformat.v4.new_notebook(
        cells=cells, metadata=metadata | {"problem_set": problem_set.name}
    )


def specification(problem_set: ProblemSet) -> dict[str, Any]:
    """Return what the grader needs of a set, as JSON has it."""
    return {
        "name": problem_set.name,
        "title": problem_set.title,
        "helpers": problem_set.helpers,
        "questions": [
            {
                "name": question.name,
                "title": question.title,
                "public": question.public,
                "hidden": question.hidden,
                "by_hand": question.by_hand,
                "rubric": question.rubric,
            }
            for question in problem_set.questions
        ],
    }
