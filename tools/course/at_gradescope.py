"""What runs at Gradescope for one submission: grade it, write results.json."""

import json
import sys
from pathlib import Path

from course.grading import Grade, grade, read_notebook
from course.session import Limits, NotConfinedError, SubmissionError, another_user, library


def results(graded: Grade) -> dict:
    """Return a grade in the form that Gradescope reads."""
    tests = []
    for question in graded.questions:
        if not question.tests:
            continue
        told = dict.fromkeys(test.feedback for test in question.tests if not test.passed)
        tests.append(
            {
                "name": f"{question.name}. {question.title}",
                "score": question.points,
                "max_score": question.possible,
                "output": "\n".join(told) or "All tests pass.",
                "visibility": "visible",
            }
        )
    broken = [f"Code cell {c.number}: {c.error}" for c in graded.cells if c.error]
    return {"score": graded.points, "tests": tests, "output": "\n".join(broken)}


def main(root: Path) -> int:
    """Grade the one notebook in root/submission; return the exit code."""
    spec = json.loads((root / "source" / "problem_set.json").read_text(encoding="utf-8"))
    found = sorted((root / "submission").glob("**/*.ipynb"))
    limits = Limits(total=540.0)  # Gradescope itself stops after ten minutes by default
    try:
        if len(found) != 1:
            raise SubmissionError(f"hand in one notebook; received {len(found)}")
        user = another_user()
        with library() as folders:
            notebook = read_notebook(found[0])
            answer = results(grade(notebook, spec, limits=limits, library=folders, user=user))
    except (SubmissionError, NotConfinedError) as error:
        answer = {"score": 0, "output": str(error), "tests": []}
    (root / "results").mkdir(exist_ok=True)
    (root / "results" / "results.json").write_text(json.dumps(answer, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
