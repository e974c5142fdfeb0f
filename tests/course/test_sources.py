"""Problem sets: what follows from a source, and that right and wrong answers are told apart."""

import ast
import json
import re

import nbformat
import pytest
from course import grading, trial
from course.build import EXERCISES, stale
from course.session import Limits, library
from course.source import (
    SOURCES,
    checks_cell,
    problem_sets,
    secrets,
    solution_notebook,
    specification,
    student_notebook,
    with_solution,
    without_solution,
)

SETS = {one.name: one for one in problem_sets()}
TRIVIAL = re.compile(r"^[\W\d]*$|^(return|import numpy as np|import qw2v|def \w+\(.*\):)$")


@pytest.fixture(scope="module", params=SETS)
def problem_set(request):
    return SETS[request.param]


def test_five_sets_of_one_to_two_hours():
    assert [one.about["number"] for one in SETS.values()] == [1, 2, 3, 4, 5]
    assert all(60 <= one.about["minutes"] <= 120 for one in SETS.values())


def test_every_question_is_marked(problem_set):
    for question in problem_set.questions:
        assert problem_set.marks(question) > 0 or question.by_hand > 0, question.name
        assert question.by_hand == 0 or question.rubric, question.name
    kinds = {bool(q.by_hand) for q in problem_set.questions}
    assert kinds == {True, False}, "a set mixes code with texts"


def test_marks_in_the_text_are_those_of_the_tests(problem_set):
    """`## Question 3: ... (6 points)`, and `**a** (4 points)` below it, say what tests give."""
    heading = re.compile(r"^## Question (\d)[^\n]*\((\d+) points\)", re.M)
    text = "\n\n".join(c.source for c in problem_set.notebook.cells if c.cell_type == "markdown")
    stated = {name: float(points) for name, points in heading.findall(text)}
    for number, points in stated.items():
        parts = [q for q in problem_set.questions if q.name.rstrip("abc") == number]
        given = sum(problem_set.marks(q) + q.by_hand for q in parts)
        assert given == points, f"question {number}: {points} in the text, {given} by the tests"


def test_solutions_and_other_right_answers_pass_and_wrong_ones_are_told_why(problem_set):
    names = trial.solved(problem_set)
    for question in problem_set.questions:
        if not question.hidden:
            continue
        failed = [v for v in trial.answer(problem_set, question.name, "", names) if not v.passed]
        assert not failed, (question.name, failed)
        for right in question.right:
            found = trial.answer(problem_set, question.name, right["source"], names)
            assert all(v.passed for v in found), (question.name, right["note"], found)
        for wrong in question.wrong:
            found = trial.answer(problem_set, question.name, wrong["source"], names)
            lost = [v for v in found if not v.passed]
            told = " | ".join(v.feedback for v in lost)
            assert sum(v.points for v in lost) > 0, (question.name, wrong["mistake"])
            assert wrong["feedback"] in told, (question.name, wrong["mistake"], told)


def test_every_question_with_code_lists_common_mistakes(problem_set):
    for question in problem_set.questions:
        if question.hidden:
            assert question.wrong, question.name


def test_student_version_holds_no_solution(problem_set):
    own = {cell.id for role in ("solution", "written") for cell in problem_set.cells(role)}
    shown = set()  # what a question shows: a cell that all share may hold a common line
    for cell in student_notebook(problem_set).cells:
        if cell.id in own | {"checks"}:
            shown |= {line.strip() for line in cell.source.splitlines()}
    for line in secrets(problem_set):
        assert TRIVIAL.match(line) or line not in shown, line


def test_hidden_tests_are_hidden(problem_set):
    public = checks_cell(problem_set).source + json.dumps(student_notebook(problem_set))
    for question in problem_set.questions:
        for name, *_ in grading.tests_in(problem_set.helpers, question.hidden):
            mine = {n for n, *_ in grading.tests_in(problem_set.helpers, question.public)}
            assert name not in mine, f"{name} stands in both the public and the hidden tests"
            assert not re.search(rf"\b{name}\b", public) or _elsewhere(problem_set, name)


def _elsewhere(problem_set, name):
    """Whether another question has a public test of this name."""
    found = (n for q in problem_set.questions for n, *_ in grading.tests_in("", q.public))
    return name in found


def test_feedback_holds_no_values_of_the_answer(problem_set):
    """What a failing test says is fixed text: no expected value is computed into it."""
    for question in problem_set.questions:
        for node in ast.walk(ast.parse(question.hidden)):
            if isinstance(node, ast.Assert) and node.msg is not None:
                assert isinstance(node.msg, ast.Constant), ast.unparse(node)


def test_student_notebooks_in_the_tree_are_made_from_the_sources():
    assert not stale(), "run: make assignments"


def test_half_of_the_exercises_can_be_set():
    """Half have their answer on the page; every other one has it in the instructor's archive."""
    kept = EXERCISES.read_text(encoding="utf-8")
    on_page = off_page = 0
    for path in (SOURCES.parent / "chapters").glob("*.ipynb"):
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        pattern = r"\{exercise\} ([^\n]*)\n:label: (ex-[\w-]+)\n(.*?)\n```"
        for title, label, asked in re.findall(pattern, text, re.S):
            if re.search(rf"\{{solution(-start)?\}} {label}\n", text):
                on_page += 1
            else:
                off_page += 1
                assert f"### {title}\n" in kept, (path.name, title)
                plain = re.sub(r"\{eq\}`|\{ref\}`", "`", asked).strip()
                assert plain in kept, f"{path.name}: the text of {title} is another there"
    assert 0.4 < off_page / (on_page + off_page) < 0.6


def test_notebooks_are_valid(problem_set):
    for notebook in (student_notebook(problem_set), solution_notebook(problem_set)):
        nbformat.validate(notebook)
        first = [cell for cell in notebook.cells if cell.cell_type == "code"][:2]
        assert [cell.id for cell in first] == ["setup", "checks"]


def test_solution_marks():
    source = (
        "def f(x):\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION\n\n\na = 1  # SOLUTION"
    )
    assert without_solution(source) == "def f(x):\n    ...  # write here\n\n\na = ..."
    assert with_solution(source) == "def f(x):\n    return x\n\n\na = 1"


def test_public_checks_run_in_the_notebook(problem_set, capsys):
    names = trial.solved(problem_set)
    exec(checks_cell(problem_set).source, names)
    for question in problem_set.questions:
        if question.public:
            names["check"](question.name)
    said = capsys.readouterr().out
    assert "Not" not in said and "checks pass" in said


def test_public_checks_say_what_is_missing(capsys):
    names = {}
    exec(checks_cell(SETS["counts"]).source, names)
    names["check"]("1")
    names["mstar"] = lambda P_ij, P_i: P_ij
    names["check"]("3")
    said = capsys.readouterr().out
    assert "Not defined yet: count_pairs" in said and "Question 1: 0 of 2" in said
    assert "Not yet: a pair that never meets" in said


@pytest.mark.slow
def test_solution_passes_and_student_version_fails_where_it_should(problem_set):
    spec = specification(problem_set)
    with library() as folders:
        run = {
            kind: grading.grade(
                json.loads(json.dumps(notebook)), spec, limits=Limits(), library=folders
            )
            for kind, notebook in (
                ("solution", solution_notebook(problem_set)),
                ("student", student_notebook(problem_set)),
            )
        }
    assert run["solution"].points == run["solution"].possible
    assert [cell for cell in run["solution"].cells if cell.error] == []
    assert run["student"].points == 0
    for question in run["student"].questions:
        assert not any(test.passed for test in question.tests if test.points), question.name
    needs = {
        cell.source
        for cell in problem_set.notebook.cells
        if cell.metadata.get("course", {}).get("needs")
    }
    broken = {cell.source for cell in run["student"].cells if cell.error}
    assert broken == needs
