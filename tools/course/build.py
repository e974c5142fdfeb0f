"""`make course`: everything that an instructor hands out or keeps, from the sources."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat

from course import questions
from course.gradescope import archive
from course.guide import as_html, guide
from course.source import (
    ROOT,
    SOURCES,
    ProblemSet,
    problem_sets,
    solution_notebook,
    specification,
    student_notebook,
)

STUDENT = SOURCES / "student"
EXERCISES = SOURCES / "exercises.md"


def text(notebook: nbformat.NotebookNode) -> str:
    """Return a notebook as its file has it."""
    return nbformat.writes(notebook) + "\n"


def stale(folder: Path = STUDENT) -> list[Path]:
    """Return the student notebooks in the tree that are not what their source makes."""
    wanted = {folder / f"{one.name}.ipynb": text(student_notebook(one)) for one in problem_sets()}
    known = set(folder.glob("*.ipynb"))
    return sorted(
        path
        for path in known | set(wanted)
        if path not in wanted or path not in known or path.read_text("utf-8") != wanted[path]
    )


def write_students(folder: Path = STUDENT) -> list[Path]:
    """Write the student notebooks that the buttons open; return those that changed."""
    changed = stale(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in changed:
        path.unlink(missing_ok=True)
    for one in problem_sets():
        path = folder / f"{one.name}.ipynb"
        if path in changed:
            path.write_text(text(student_notebook(one)), encoding="utf-8")
    return changed


def make_wheel(folder: Path) -> Path:
    """Build the project's wheel into `folder` and return it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return max(folder.glob("qw2v-*.whl"), key=lambda path: path.stat().st_mtime)


def build(out: Path, wheel: Path | None = None, with_wheel: bool = True) -> dict[str, Path]:
    """Write the course to `out`; return what was written, by name.

    students/ may be given to anybody. instructor/ and instructor.zip, autograders/ and gradescope/
    hold solutions and hidden tests: nothing on the site links to them.
    """
    shutil.rmtree(out, ignore_errors=True)
    for name in ("students", "autograders", "gradescope", "quizzes", "instructor/solutions"):
        (out / name).mkdir(parents=True)
    sets = problem_sets()
    if with_wheel and wheel is None:
        wheel = make_wheel(out / "wheel")
    for one in sets:
        _write_set(out, one, wheel if with_wheel else None)
    instructor = out / "instructor"
    said = guide(sets)
    (instructor / "guide.md").write_text(said, encoding="utf-8")
    (instructor / "guide.html").write_text(as_html(said, "Instructor's guide"), encoding="utf-8")
    shutil.copyfile(EXERCISES, instructor / "exercises.md")
    questions.export(questions.read_all(), out / "quizzes")
    return {
        "students": _zip(out / "students"),
        "instructor": _zip(instructor),
        "gradescope": out / "gradescope",
        "quizzes": out / "quizzes",
        "autograders": out / "autograders",
    }


def _write_set(out: Path, one: ProblemSet, wheel: Path | None) -> None:
    file = f"{one.name}.ipynb"
    (out / "students" / file).write_text(text(student_notebook(one)), encoding="utf-8")
    solution = out / "instructor" / "solutions" / file
    solution.write_text(text(solution_notebook(one)), encoding="utf-8")
    spec = json.dumps(specification(one), indent=1)
    (out / "autograders" / f"{one.name}.json").write_text(spec, encoding="utf-8")
    archive(one, wheel, out / "gradescope" / f"{one.name}.zip")


def _zip(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            bundle.write(file, file.relative_to(folder.parent))
    return path
