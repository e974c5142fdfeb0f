"""What grading leaves behind: tables that Canvas and Moodle import, and a page for each author."""

import csv
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from course.grading import Grade

# Downloads carry a person in their names: Canvas in the file's, Moodle in the folder's.
CANVAS = re.compile(r"^(?P<name>[^_]+)(?:_LATE)?_(?P<id>\d+)_\d+_.+$")
MOODLE = re.compile(r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_file_?$")
ROSTER = ("file", "name", "id", "login", "email", "section")

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto;
padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
td, th {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ccc;
vertical-align: top; }}
td.n, th.n {{ text-align: right; }}
pre {{ white-space: pre-wrap; background: #f4f4f4; padding: .6rem; }}
</style></head><body><h1>{title}</h1>{body}</body></html>
"""


@dataclass
class Submission:
    """A file that was handed in: whose it is, and its grade, or why there is none."""

    path: Path
    who: dict[str, str]
    grade: Grade | None = None
    trouble: str = ""
    marks: dict[str, float] = field(default_factory=dict)  # by hand

    @property
    def total(self) -> float | None:
        """All marks, those given by hand among them; None where a person has to look."""
        return None if self.grade is None else self.grade.points + sum(self.marks.values())


def identify(path: Path, roster: dict[str, dict[str, str]]) -> dict[str, str]:
    """Say whose file this is: by the roster, by Canvas's or Moodle's names, or by its own."""
    known = roster.get(path.name) or roster.get(path.stem)
    if known:
        return known
    found = MOODLE.match(path.parent.name) or CANVAS.match(path.stem)
    if found:
        return {"name": found["name"], "id": found["id"]}
    return {"name": path.stem}


def read_roster(path: Path | None) -> dict[str, dict[str, str]]:
    """Read a table with the columns file, name, id, login, email, section (the first is needed)."""
    if path is None:
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if not rows or "file" not in rows[0]:
        raise SystemExit(
            f"{path}: a roster needs a column 'file', and may have {', '.join(ROSTER[1:])}; "
            f"received {', '.join(rows[0]) if rows else 'no rows'}"
        )
    return {row["file"].strip(): {k: (v or "").strip() for k, v in row.items()} for row in rows}


def _write(path: Path, rows: Iterable[list]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([[_harmless(cell) for cell in row] for row in rows])


def _harmless(cell: object) -> object:
    """Put an apostrophe before a text that a spreadsheet would take for a formula."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return "'" + cell
    return cell


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def write_tables(folder: Path, submissions: list[Submission], titles: dict[str, str]) -> None:
    """Write grades.csv, canvas.csv, moodle.csv and marking.csv."""
    header = ["file", "name", "problem set", "question", "marks", "possible", "by hand", "note"]
    rows: list[list] = [header]
    for one in submissions:
        if one.grade is None:
            rows.append([str(one.path), one.who["name"], "", "", "", "", "", one.trouble])
            continue
        for q in one.grade.questions:
            hand = one.marks.get(q.name)
            marks = q.points if hand is None else q.points + hand
            row = [str(one.path), one.who["name"], one.grade.problem_set, q.name, _number(marks)]
            rows.append([*row, _number(q.possible + q.by_hand), _number(q.by_hand), one.trouble])
    _write(folder / "grades.csv", rows)
    sets = [name for name in titles if any(_is_of(one, name) for one in submissions)]
    people: dict[tuple, dict[str, Submission]] = {}
    for one in submissions:
        if one.grade is not None:
            key = tuple(one.who.get(k, "") for k in ("name", "id", "login", "email", "section"))
            people.setdefault(key, {})[one.grade.problem_set] = one
    best = {name: _possible(submissions, name) for name in sets}
    canvas = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", *map(titles.get, sets)]]
    canvas.append(["    Points Possible", "", "", "", "", *(_number(best[n]) for n in sets)])
    moodle = [["Full name", "ID number", "Username", "Email address", *map(titles.get, sets)]]
    for (name, number, login, email, section), held in people.items():
        totals = [_number(held[n].total) if n in held else "" for n in sets]
        canvas.append([name, number, "", login, section, *totals])
        moodle.append([name, number, login, email, *totals])
    _write(folder / "canvas.csv", canvas)
    _write(folder / "moodle.csv", moodle)
    marking: list[list] = [["file", "question", "possible", "marks", "answer"]]
    for one in submissions:
        for q in one.grade.questions if one.grade else []:
            if q.by_hand:
                given = _number(one.marks.get(q.name))
                marking.append([str(one.path), q.name, _number(q.by_hand), given, q.answer])
    _write(folder / "marking.csv", marking)


def _is_of(one: Submission, name: str) -> bool:
    return one.grade is not None and one.grade.problem_set == name


def _possible(submissions: list[Submission], name: str) -> float:
    grade = next(one.grade for one in submissions if _is_of(one, name))
    return sum(q.possible + q.by_hand for q in grade.questions)


def read_marks(path: Path | None) -> dict[tuple[str, str], float]:
    """Read the marks that a person wrote into marking.csv, by file and question."""
    if path is None:
        return {}
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    try:
        return {(r["file"], r["question"]): float(r["marks"]) for r in rows if r["marks"].strip()}
    except (KeyError, ValueError) as error:
        raise SystemExit(f"{path}: the column 'marks' must hold numbers ({error})") from error


def write_feedback(folder: Path, one: Submission, title: str) -> Path:
    """Write the page that goes back to the author; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    # Two files of one name, in folders of two people, must not share a page.
    stem = re.sub(r"[^\w.-]+", "_", "_".join([*one.path.parent.parts[-1:], one.path.stem]))
    path = folder / f"{stem}.html"
    heading = f"{title}: {one.who['name']}" if title else one.who["name"]
    path.write_text(PAGE.format(title=html.escape(heading), body=feedback(one)), encoding="utf-8")
    return path


def feedback(one: Submission) -> str:
    """Return the body of a feedback page, all of the submission's text escaped."""
    say = html.escape
    if one.grade is None:
        return f"<p>Not graded: {say(one.trouble)}. A person will look at it.</p>"
    grade, rows = one.grade, []
    for q in grade.questions:
        told = [f"<li>{say(t.feedback)}</li>" for t in q.tests if not t.passed]
        notes = f"<ul>{''.join(dict.fromkeys(told))}</ul>" if told else ""
        if q.by_hand:
            hand = one.marks.get(q.name)
            notes += f"<p>By hand: {'open' if hand is None else f'{hand:g}'} of {q.by_hand:g}</p>"
            notes += "" if q.answer else "<p>No text was found under the heading of the answer.</p>"
        rows.append(
            f"<tr><th scope='row'>{say(q.name)}</th><td>{say(q.title)}{notes}</td>"
            f"<td class='n'>{q.points:g} of {q.possible:g}</td></tr>"
        )
    body = f"<p>{grade.points:g} of {grade.possible:g} marks by tests.</p>"
    body += "<table><thead><tr><th scope='col'>Question</th><th scope='col'></th>"
    body += (
        f"<th scope='col' class='n'>Marks</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )
    failed = [cell for cell in grade.cells if cell.error]
    if failed:
        body += "<h2>Cells that did not run</h2><ul>"
        for cell in failed:
            where = f"Code cell {cell.number}: " if cell.number else ""
            body += f"<li>{where}{say(cell.error)}<pre>{say(cell.source[:400])}</pre></li>"
        body += "</ul>"
    return body
