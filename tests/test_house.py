"""The house: rooms that can be read at a sitting, and a page for every public name."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import pytest

import qw2v
from qw2v.__main__ import _parser

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 350  # lines
PAGES = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "api").glob("*.md"))
DOCUMENTED = set(re.findall(r"auto(?:module|class|function):: (qw2v[\w.]*)", PAGES))


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "qw2v").rglob("*.py")),
    ids=lambda path: f"{path.parent.name}-{path.stem}",
)
def test_a_room_is_read_at_a_sitting(path):
    n_lines = len(path.read_text(encoding="utf-8").splitlines())
    assert n_lines <= LONGEST, "split it by job: one purpose a file"


def test_every_public_room_is_on_an_api_page():
    rooms = {f"qw2v.{room.name}" for room in pkgutil.iter_modules(qw2v.__path__)}
    public = {room for room in rooms if not room.rpartition(".")[2].startswith("_")}
    missing = {
        room for room in public if not any(f"{one}.".startswith(f"{room}.") for one in DOCUMENTED)
    }
    assert missing == set()


def test_every_public_name_is_on_an_api_page():
    for name in qw2v.__all__:
        thing = getattr(qw2v, name)
        home = getattr(thing, "__module__", thing.__name__)  # a room has its own name only
        documented = {home, home.rpartition(".")[0], f"{home}.{name}"} & DOCUMENTED
        assert documented, f"{name} of {home} is on no page of api/"


def test_names_of_all_are_there():
    for room in sorted(DOCUMENTED):
        try:
            module = importlib.import_module(room)
        except ModuleNotFoundError:
            continue  # a class or a function
        for name in getattr(module, "__all__", []):
            assert hasattr(module, name), f"{room}.{name}"


def test_every_command_is_named_on_the_api_page():
    text = (ROOT / "api" / "index.md").read_text(encoding="utf-8")
    action = next(action for action in _parser()._actions if action.dest == "command")
    assert [
        name for name in action.choices if f"`{name}`" not in text and f"qw2v {name}`" not in text
    ] == []


@pytest.mark.parametrize("path", sorted((ROOT / "qw2v").rglob("*.py")), ids=lambda path: path.stem)
def test_examples_stand_under_their_heading_where_there_are_others(path):
    """Below a section without its own heading an example is read as a part of that section."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        said = ast.get_docstring(node) or ""
        _, underline, rest = said.partition("\n------")
        assert not underline or ">>>" not in rest or "Examples\n--------\n" in said, node.name
