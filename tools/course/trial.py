"""Try a problem set on its own answers in one process: no sandbox, for sources one trusts."""

import contextlib
import copy
import io
import os
from typing import Any

from course import wire
from course.grading import Verdict, _run, code_cells, tests_in
from course.session import SubmissionError
from course.source import ProblemSet, solution_notebook


class Local:
    """Names in this process, seen as the grader sees those of a submission."""

    def __init__(self, names: dict[str, Any]):
        self.names = names

    def look(self, name: str) -> Any:
        """Return a value as it would come out of a process of its own."""
        if name not in self.names:
            raise SubmissionError(f"`{name}` is not defined")
        return wire.unpack(wire.pack(self.names[name], name))

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Call a function; an exception becomes what the grader would make of it."""
        try:
            return wire.unpack(wire.pack(self.names[name](*copy.deepcopy(arguments), **options)))
        except Exception as error:
            raise SubmissionError(f"{type(error).__name__}: {error}") from error


def solved(problem_set: ProblemSet) -> dict[str, Any]:
    """Run the solution and return the names it defines."""
    os.environ["MPLBACKEND"] = "Agg"
    names: dict[str, Any] = {"__name__": "__main__", "check": lambda *_: None}
    with contextlib.redirect_stdout(io.StringIO()):
        for cell in code_cells(solution_notebook(problem_set)):
            exec(compile(cell.source, "<cell>", "exec"), names)
    return names


def answer(problem_set: ProblemSet, question: str, source: str, names: dict) -> list[Verdict]:
    """Return how the tests of one question take another answer to it."""
    own = dict(names)
    exec(compile(source, "<cell>", "exec"), own)
    chosen = next(one for one in problem_set.questions if one.name == question)
    results = []
    for public, text in ((True, chosen.public), (False, chosen.hidden)):
        for name, test, points in tests_in(problem_set.helpers, text):
            said = _run(test, name, Local(own))
            results.append(Verdict(name, public, points, said is None, said or ""))
    return results
