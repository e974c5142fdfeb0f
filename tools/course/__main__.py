"""The course's commands: build, grade, students, handouts."""

import argparse
import json
import sys
from pathlib import Path

from course.session import Limits, NotConfinedError

ROOT = Path(__file__).resolve().parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return the exit code."""
    parser = argparse.ArgumentParser(prog="course", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("build", help="write everything that is handed out or kept")
    build.add_argument("-o", "--out", type=Path, default=ROOT / "_build" / "course")
    build.add_argument("--wheel", type=Path, help="put this wheel of qw2v into the archives")
    build.add_argument("--no-wheel", action="store_true", help="leave it out: for a quick look")
    students = commands.add_parser("students", help="write assignments/student/ from the sources")
    students.add_argument("--check", action="store_true", help="change nothing, only say")
    handouts = commands.add_parser("handouts", help="figures as PNG and slides as PDF")
    handouts.add_argument("--site", type=Path, default=ROOT / "_build" / "html")
    grade = commands.add_parser("grade", help="grade every notebook of a folder")
    grade.add_argument("folder", type=Path)
    grade.add_argument("-o", "--out", type=Path, default=ROOT / "_build" / "grades")
    grade.add_argument("--autograders", type=Path, help="folder of the *.json of `build`")
    grade.add_argument("--roster", type=Path, help="table: file, name, id, login, email, section")
    grade.add_argument("--marking", type=Path, help="marking.csv, with marks given by hand")
    grade.add_argument("--seconds", type=float, default=900, help="for one notebook (900)")
    grade.add_argument("--memory", type=float, default=6, help="GB for one notebook (6)")
    grade.add_argument("--jobs", type=int, help="notebooks at a time")
    grade.add_argument("--unconfined", action="store_true", help="without the sandbox")
    chosen = parser.parse_args(arguments)
    return globals()[f"_{chosen.command}"](chosen)


def _build(chosen: argparse.Namespace) -> int:
    from course.build import build

    for name, path in build(chosen.out, chosen.wheel, not chosen.no_wheel).items():
        print(f"{name:12} {path}")
    return 0


def _students(chosen: argparse.Namespace) -> int:
    from course.build import stale, write_students

    changed = stale() if chosen.check else write_students()
    said = "is not what its source makes" if chosen.check else "written"
    for path in changed:
        print(f"{path.relative_to(ROOT)}: {said}")
    if chosen.check and changed:
        print("Mend it with: make assignments")
    return int(chosen.check and bool(changed))


def _handouts(chosen: argparse.Namespace) -> int:
    import screenshot
    from playwright.sync_api import sync_playwright

    from course.handouts import with_browser

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=screenshot.chromium(), args=screenshot.FLAGS
        )
        written = with_browser(chosen.site, browser)
        browser.close()
    print(f"{len(written)} files in {chosen.site / 'figures'} and {chosen.site / 'slides'}")
    return 0


def _grade(chosen: argparse.Namespace) -> int:
    from course.reports import read_marks, read_roster
    from course.run import grade_folder
    from course.source import problem_sets, specification

    if chosen.autograders:
        read = (json.loads(path.read_text("utf-8")) for path in chosen.autograders.glob("*.json"))
        specs = {spec["name"]: spec for spec in read}
    else:
        specs = {one.name: specification(one) for one in problem_sets()}
    limits = Limits(total=chosen.seconds, memory=int(chosen.memory * 2**30))
    try:
        submissions = grade_folder(
            chosen.folder, chosen.out, specs, limits=limits, jobs=chosen.jobs,
            roster=read_roster(chosen.roster), marks=read_marks(chosen.marking),
            confine=not chosen.unconfined,
        )  # fmt: skip
    except NotConfinedError as error:
        print(error, file=sys.stderr)
        return 2
    if chosen.unconfined:
        print("Graded without the sandbox: a submission could read this account's files.")
    open_ = sum(one.grade is None for one in submissions)
    print(f"{len(submissions)} notebooks, {open_} for a person to look at: {chosen.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
