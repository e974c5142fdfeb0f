"""A class of synthetic submissions to the first problem set, and what each must get."""

import copy
import json
from pathlib import Path

from course.source import SOURCES, read, solution_notebook, student_notebook

SET = read(SOURCES / "counts.ipynb")
QUESTIONS = ("1", "2", "3", "4", "5a", "6")
FULL = (8, 4, 6, 4, 3, 5)

# What it tries, it tries with everything a notebook has; it keeps a list of what succeeded.
THIEF = """
import ctypes, glob, os, signal, socket, subprocess, sys
import numpy as np

stolen = []


def attempt(name, action):
    try:
        if action():
            stolen.append(name)
    except BaseException as error:
        print(name, "->", type(error).__name__)


def read_tests():
    found = []
    for folder in {folders}:
        found += glob.glob(folder + "/**/counts*", recursive=True)
        found += [open(path).read() for path in glob.glob(folder + "/*.ipynb")]
    return found


attempt("read the tests", read_tests)
attempt("write a grade", lambda: [open(f + "/grades.csv", "w") for f in {folders}])
attempt("read by a child", lambda: subprocess.check_output(["cat", {one!r}]))
attempt("fork", lambda: os.fork() or os._exit(0))
attempt("kill the grader", lambda: os.kill(os.getppid(), signal.SIGTERM) is None)
attempt("look into the grader", lambda: open(f"/proc/{{os.getppid()}}/environ", "rb").read())
attempt("phone home", lambda: socket.create_connection(("127.0.0.1", 9), 1))
attempt("change the limits", lambda: ctypes.CDLL(None).execve(b"/bin/sh", None, None) == 0)
print("stolen:", stolen)
np.allclose = np.isclose = lambda *a, **k: True


class Anything:
    def __eq__(self, other):
        return True

    def __getattr__(self, name):
        return self

    def __call__(self, *a, **k):
        return self


count_pairs = probabilities = mstar = mstar_of_pmi = Anything()
silent_share = seek_share = answer_6a = answer_6b = answer_6c = Anything()
for descriptor in range(3, 20):
    try:
        os.write(descriptor, b"not a message")
    except OSError:
        pass
"""


def alternatives(role: str) -> dict[str, str]:
    """Return the first answer of this role to each question that has one."""
    chosen = {}
    for question in SET.questions:
        for answer in getattr(question, role)[:1]:
            chosen[question.name] = answer["source"]
    return chosen


def _solved(only=QUESTIONS, instead=None):
    notebook = solution_notebook(SET, instead)
    empty = {cell.id: cell.source for cell in student_notebook(SET).cells}
    of = {c.id: c.metadata["course"].get("question") for c in SET.cells("solution")}
    for cell in notebook.cells:
        if cell.id in of and of[cell.id] not in only:
            cell.source = empty[cell.id]
    return notebook


def _with(notebook, source, after="counts-02"):
    cells = [copy.deepcopy(cell) for cell in notebook.cells]
    where = next(i for i, cell in enumerate(cells) if cell.id == after) + 1
    new = copy.deepcopy(cells[where - 1])
    new.update(cell_type="code", source=source, outputs=[], execution_count=None, id="added")
    return {**notebook, "cells": [*cells[:where], new, *cells[where:]]}


def _from_colab(notebook):
    """As Colab saves it: no ids of cells, no metadata of ours, lines in a list."""
    cells = []
    for cell in json.loads(json.dumps(notebook))["cells"]:
        cell.pop("id")
        cells.append({**cell, "source": cell["source"].splitlines(keepends=True)})
    return {"cells": cells, "metadata": {"colab": {}}, "nbformat": 4, "nbformat_minor": 0}


def write_class(folder: Path, secret_folders: list[Path]) -> dict[str, tuple[float, ...] | None]:
    """Write the class to `folder`; return the marks expected by file, question by question."""
    places = [str(place) for place in secret_folders]
    thief = THIEF.format(folders=places, one=f"{places[0]}/counts.ipynb")
    endless = {"2": "def probabilities(word_counts, pair_counts):\n    while True:\n        pass"}
    none = (0,) * 6
    loop = (8, 0, 6, 0, 3, 5)
    notebooks = {
        "perfect": (_solved(), FULL),
        "empty": (student_notebook(SET), none),
        "partly": (_solved(("1", "2", "5a")), (8, 4, 0, 0, 3, 0)),
        "alternative": (_solved(instead=alternatives("right")), FULL),
        "mistake": (_solved(instead={"1": SET.questions[0].wrong[1]["source"]}), (2, *FULL[1:])),
        "crash": (_with(_solved(), "import ctypes; ctypes.string_at(0)"), FULL),
        "crash-in-answer": (_solved(instead={"3": "import os; os.abort()"}), (8, 4, 0, 0, 3, 5)),
        "loop-in-cell": (_with(_solved(), "while True:\n    pass"), FULL),
        "loop-in-function": (_solved(instead=endless), loop),
        "thief": (_with(student_notebook(SET), thief, after="counts-52"), none),
        "memory": (_with(_solved(), "hog = bytearray(40 * 2**30)"), FULL),
        "exit": (_with(_solved(), "raise SystemExit"), FULL),
        "colab": (_from_colab(_solved()), FULL),
    }
    for name, (notebook, _) in notebooks.items():
        (folder / f"{name}.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    (folder / "garbage.ipynb").write_text("not a notebook", encoding="utf-8")
    person = folder / "Ada Lovelace_123456_assignsubmission_file"
    person.mkdir()
    twice = _solved()
    twice.cells = [*twice.cells, *twice.cells[-6:]]  # pasted twice, as happens
    (person / "counts.ipynb").write_text(json.dumps(twice), encoding="utf-8")
    expected = {f"{name}.ipynb": marks for name, (_, marks) in notebooks.items()}
    return expected | {"garbage.ipynb": None, f"{person.name}/counts.ipynb": FULL}
