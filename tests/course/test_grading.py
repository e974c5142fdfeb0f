"""A sample class is graded as a table says it should be, whatever its notebooks try."""

import csv
import json
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import sample_class
from course import wire
from course.__main__ import main
from course.at_gradescope import results
from course.gradescope import archive
from course.grading import Grade, QuestionResult, Verdict, grade
from course.reports import Submission, feedback, identify, read_marks
from course.run import check_confinement, grade_folder
from course.session import Limits, NotConfinedError, Session, library
from course.source import SOURCES, read, solution_notebook, specification
from scipy import sparse

LIMITS = Limits(cell=15, call=5, total=600)


def _landlock() -> bool:
    try:
        return "files" in check_confinement(True)
    except NotConfinedError:
        return False


needs_landlock = pytest.mark.skipif(not _landlock(), reason="this kernel has no Landlock")


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    folder, out = (tmp_path_factory.mktemp(name) for name in ("class", "grades"))
    (out / "counts-tests.json").write_text("{}", encoding="utf-8")
    expected = sample_class.write_class(folder, [SOURCES, out, folder])
    specs = {"counts": specification(read(SOURCES / "counts.ipynb"))}
    said = []
    submissions = grade_folder(folder, out, specs, limits=LIMITS, jobs=2, say=said.append)
    return expected, {one.path.as_posix(): one for one in submissions}, out


@needs_landlock
def test_marks_are_those_of_the_table(graded):
    expected, submissions, _ = graded
    assert set(submissions) == set(expected)
    for name, marks in expected.items():
        found = submissions[name].grade
        if marks is None:
            assert found is None and submissions[name].trouble
            continue
        by_tests = tuple(q.points for q in found.questions if q.tests)
        broken = [cell.error for cell in found.cells if cell.error]
        assert by_tests == marks, (name, broken)


@needs_landlock
def test_thief_gets_nothing(graded):
    _, submissions, out = graded
    output = submissions["thief.ipynb"].grade.output
    assert "stolen: []" in output, output
    assert "kill the grader -> PermissionError" in output
    assert "read by a child -> PermissionError" in output


@needs_landlock
def test_authors_are_told_what_happened(graded):
    _, submissions, out = graded
    pages = {path.name: path.read_text("utf-8") for path in (out / "feedback").glob("*.html")}
    assert len(pages) == len(submissions)
    page = {name: text for name, text in pages.items()}
    assert "nearer counts more" in next(t for n, t in page.items() if "mistake" in n)
    assert "SIGSEGV" in page["crash.html"]
    assert "more than 15 seconds" in page["loop-in-cell.html"]
    assert "more than 5 seconds" in page["loop-in-function.html"]
    assert "MemoryError" in page["memory.html"]
    assert "this file is not a notebook" in page["garbage.html"]
    for text in page.values():
        assert "def test_" not in text


@needs_landlock
def test_tables_for_canvas_and_moodle(graded):
    _, submissions, out = graded
    title = "Counts and the matrix M*"
    with (out / "canvas.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[:5] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
    assert rows[0]["Student"].strip() == "Points Possible" and float(rows[0][title]) == 34
    by_name = {row["Student"]: row for row in rows[1:]}
    assert by_name["Ada Lovelace"]["ID"] == "123456"
    assert float(by_name["perfect"][title]) == 30 and "garbage" not in by_name
    with (out / "moodle.csv").open(newline="") as file:
        assert {row["Full name"] for row in csv.DictReader(file)} == set(by_name)
    with (out / "marking.csv").open(newline="") as file:
        texts = list(csv.DictReader(file))
    assert all(row["question"] == "5b" for row in texts)
    said = {row["file"]: row["answer"] for row in texts}
    assert "tanh" in said["perfect.ipynb"] and said["empty.ipynb"] == ""


@needs_landlock
def test_same_marks_twice(graded):
    """Random instances are drawn from the test's own name: grading again changes nothing."""
    problem_set = read(SOURCES / "counts.ipynb")
    notebook = json.loads(json.dumps(solution_notebook(problem_set)))
    with library() as folders:
        one = grade(notebook, specification(problem_set), limits=LIMITS, library=folders)
    assert one.points == one.possible == 30


def test_marks_by_hand_are_added(tmp_path):
    path = tmp_path / "marking.csv"
    path.write_text("file,question,possible,marks,answer\na.ipynb,5b,4,2.5,text\n", "utf-8")
    assert read_marks(path) == {("a.ipynb", "5b"): 2.5}
    path.write_text("file,question,possible,marks,answer\na.ipynb,5b,4,good,text\n", "utf-8")
    with pytest.raises(SystemExit, match="must hold numbers"):
        read_marks(path)


def test_names_of_downloads(tmp_path):
    canvas = tmp_path / "lovelaceada_LATE_4711_99_counts.ipynb"
    assert identify(canvas, {}) == {"name": "lovelaceada", "id": "4711"}
    roster = {"x.ipynb": {"file": "x.ipynb", "name": "Ada", "id": "1"}}
    assert identify(tmp_path / "x.ipynb", roster)["name"] == "Ada"


def test_feedback_page_is_escaped(tmp_path):
    test = Verdict("t", False, 1.0, False, "<script>alert(1)</script>")
    grade_ = Grade("counts", [QuestionResult("1", "A", [test])], [], [])
    body = feedback(Submission(tmp_path / "a.ipynb", {"name": "a"}, grade_))
    assert "<script>" not in body and "&lt;script&gt;" in body


def test_what_gradescope_reads():
    tests = [Verdict("t", False, 2.0, False, "no"), Verdict("u", True, 1.0, True)]
    found = results(Grade("counts", [QuestionResult("1", "A", tests)], [], []))
    assert found["score"] == 1.0
    assert found["tests"][0] | {"output": "no"} == found["tests"][0]
    assert found["tests"][0]["max_score"] == 3.0


@needs_landlock
@pytest.mark.slow
def test_gradescope_archive_runs(tmp_path):
    problem_set = read(SOURCES / "counts.ipynb")
    bundle = archive(problem_set, None, tmp_path / "counts.zip")
    for name in ("source", "submission", "results"):
        (tmp_path / name).mkdir()
    with zipfile.ZipFile(bundle) as opened:
        opened.extractall(tmp_path / "source")
        assert opened.getinfo("run_autograder").external_attr >> 16 == 0o755
    text = json.dumps(solution_notebook(problem_set))
    (tmp_path / "submission" / "mine.ipynb").write_text(text, encoding="utf-8")
    script = str(tmp_path / "source" / "run_autograder")
    root = SOURCES.parent
    environment = {"PYTHON": sys.executable, "AUTOGRADER": str(tmp_path), "PYTHONPATH": str(root)}
    script = (tmp_path / "source" / "run_autograder").read_text("utf-8")
    script = script.replace("/autograder/source", f"{tmp_path}/source")
    script = script.replace("/autograder/submission", f"{tmp_path}/submission")
    subprocess.run(["bash", "-c", script], check=True, env=environment | {"PATH": "/usr/bin:/bin"})
    answer = json.loads((tmp_path / "results" / "results.json").read_text("utf-8"))
    assert answer["score"] == 30
    assert [test["score"] for test in answer["tests"]] == list(sample_class.FULL)


def test_command_says_what_is_missing(tmp_path):
    with pytest.raises(SystemExit, match="no notebooks"):
        main(["grade", str(tmp_path), "-o", str(tmp_path / "out"), "--unconfined"])


@pytest.mark.parametrize(
    "value",
    [
        None, True, 3, 2.5, float("inf"), "text", [1, [2]], (1, "a"), {"a": (1,)}, {1, 2},
        np.arange(6.0).reshape(2, 3), np.float64(1.5), np.array(["a", "bc"]),
    ],
)  # fmt: skip
def test_values_travel(value):
    there = wire.unpack(json.loads(json.dumps(wire.pack(value))))
    np.testing.assert_equal(there, value)
    assert type(there) is type(value)


def test_matrices_and_tables_travel():
    matrix = sparse.csr_array(np.diag([1, 2]))
    assert (wire.unpack(wire.pack(matrix)) != matrix).nnz == 0
    assert wire.unpack(wire.pack(object())) == wire.Opaque("object")
    assert wire.unpack(wire.pack(len, "len")) == wire.Function("len")


@pytest.mark.parametrize("message", [{"array": ["|O", [1], "", False]}, {"a": 1, "b": 2}, {"x": 1}])
def test_broken_messages_are_refused(message):
    with pytest.raises(wire.WireError):
        wire.unpack(message)


def test_unconfined_must_be_asked_for(monkeypatch):
    """Where the kernel cannot keep files out of reach, grading stops and says so."""
    monkeypatch.setattr(Session, "_ask", lambda self, request, seconds: {"ready": []})
    session = Session([], Limits(), [])
    with pytest.raises(NotConfinedError, match="Landlock"):
        session.run()
