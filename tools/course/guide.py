"""The instructor's guide, written from the sources: goals, times, marks, mistakes, delivery."""

import html
from pathlib import Path

from markdown_it import MarkdownIt

from course.grading import tests_in
from course.reports import PAGE
from course.source import ROOT, ProblemSet

DELIVERY = ROOT / "assignments" / "delivery.md"


def guide(problem_sets: list[ProblemSet]) -> str:
    """Return the guide as Markdown."""
    parts = ["# Problem sets: the instructor's guide", _overview(problem_sets)]
    parts.append(DELIVERY.read_text(encoding="utf-8"))
    parts += [_one(problem_set) for problem_set in problem_sets]
    return "\n\n".join(parts) + "\n"


def _overview(problem_sets: list[ProblemSet]) -> str:
    rows = [
        "| set | title | minutes | marks by tests | marks by hand | follows |",
        "|" + " --- |" * 6,
    ]
    for one in problem_sets:
        tests = sum(one.marks(q) for q in one.questions)
        hand = sum(q.by_hand for q in one.questions)
        follows = ", ".join(Path(chapter).name for chapter in one.about["chapters"])
        number = one.about["number"]
        rows.append(
            f"| {number} | {one.title} (`{one.name}`) | {one.about['minutes']} "
            f"| {tests:g} | {hand:g} | {follows} |"
        )
    return "\n".join(rows)


def _one(one: ProblemSet) -> str:
    lines = [f"## Set {one.about['number']}: {one.title}", "", "Students learn to", ""]
    lines += [f"- {goal[0].lower()}{goal[1:]}" for goal in one.about["goals"]]
    for question in one.questions:
        tests = one.marks(question)
        lines += ["", f"### {question.name}. {question.title}", ""]
        if question.by_hand:
            lines += [f"By hand, {question.by_hand:g} marks:", ""]
            lines += [f"- {line}" for line in question.rubric]
        if tests:
            lines += [f"By tests, {tests:g} marks:", "", "| test | seen by students | marks |"]
            lines += ["| --- | --- | --- |"]
            for public, text in ((True, question.public), (False, question.hidden)):
                for name, _, points in tests_in(one.helpers, text):
                    seen = "yes" if public else "no"
                    lines.append(f"| {name.removeprefix('test_')} | {seen} | {points:g} |")
        if question.wrong:
            lines += ["", "Common mistakes, and what the author is told:", ""]
            lines += [f"- *{w['mistake']}*: “… {w['feedback']} …”" for w in question.wrong]
        if question.right:
            lines += ["", "Also right, and tested: " + "; ".join(r["note"] for r in question.right)]
    return "\n".join(lines)


def as_html(markdown: str, title: str) -> str:
    """Return the guide as a page that stands alone."""
    body = MarkdownIt("commonmark").enable("table").render(markdown)
    return PAGE.format(title=html.escape(title), body=body)
