"""`make grade`: every notebook of a folder, each in a process of its own, several at a time."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from course.grading import grade, problem_set_of, read_notebook
from course.reports import Submission, identify, write_feedback, write_tables
from course.session import (
    Limits,
    NotConfinedError,
    Session,
    SubmissionError,
    another_user,
    library,
)


def check_confinement(confine: bool) -> list[str]:
    """Try the sandbox before anything runs in it; raise NotConfinedError where it does not hold."""
    with library() as folders, Session([], Limits(), folders, confine, another_user()) as session:
        session.run()
        return session.held


def grade_folder(
    folder: Path,
    out: Path,
    specs: dict[str, dict],
    *,
    limits: Limits | None = None,
    roster: dict[str, dict[str, str]] | None = None,
    marks: dict[tuple[str, str], float] | None = None,
    confine: bool = True,
    jobs: int | None = None,
    say: Callable[[str], None] = print,
) -> list[Submission]:
    """Grade the notebooks under `folder`; write tables and feedback pages to `out`.

    `specs` are the problem sets by name. `marks` are those given by hand, by file and question.
    A file that cannot be graded gets no marks and a note, so that a person looks at it.
    """
    check_confinement(confine)
    paths = sorted(p for p in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    if not paths:
        raise SystemExit(f"{folder}: no notebooks (*.ipynb) here or below")
    with library() as folders:

        def one(path: Path) -> Submission:
            name = path.relative_to(folder)
            submission = Submission(name, identify(path, roster or {}))
            try:
                notebook = read_notebook(path)
                chosen = problem_set_of(notebook)
                if chosen not in specs:
                    known = ", ".join(specs)
                    raise SubmissionError(f"no problem set {chosen!r}; there are {known}")
                submission.grade = grade(
                    notebook, specs[chosen], limits=limits, library=folders,
                    confine=confine, user=another_user() if confine else None,
                )  # fmt: skip
            except SubmissionError as error:
                submission.trouble = str(error)
            except NotConfinedError:
                raise
            except Exception as error:  # ours, not the author's: it must not cost the others
                submission.trouble = f"the grader failed ({type(error).__name__}: {error})"
            held = {} if submission.grade is None else submission.grade.questions
            for question in held:
                given = (marks or {}).get((str(name), question.name))
                if given is not None:
                    submission.marks[question.name] = given
            total = "not graded" if submission.total is None else f"{submission.total:g}"
            say(f"{name}: {total} {submission.trouble}".rstrip())
            return submission

        with ThreadPoolExecutor(jobs or min(4, os.cpu_count() or 1)) as pool:
            submissions = list(pool.map(one, paths))
    out.mkdir(parents=True, exist_ok=True)
    titles = {name: spec["title"] for name, spec in specs.items()}
    write_tables(out, submissions, titles)
    for submission in submissions:
        name = submission.grade.problem_set if submission.grade else ""
        write_feedback(out / "feedback", submission, titles.get(name, ""))
    return submissions
