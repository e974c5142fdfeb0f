"""Self-checks as the page shows them: built by Sphinx, driven by mouse and by keys, read by axe."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from course import questions

ROOT = Path(__file__).resolve().parents[2]
CONF = """
import sys
sys.path.insert(0, {extensions!r})
extensions = ["myst_parser", "sphinx.ext.mathjax", "sphinx_mathjax_offline", "self_checks"]
myst_enable_extensions = ["dollarmath"]
html_static_path = [{static!r}]
html_theme = "basic"
exclude_patterns = []
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Return a page with every chapter's questions, built in a minute book of its own."""
    folder = tmp_path_factory.mktemp("book")
    paths = {"extensions": str(ROOT / "extensions"), "static": str(ROOT / "static")}
    text = CONF.format(**paths).replace("sphinx_mathjax_offline", "sphinx-mathjax-offline")
    (folder / "conf.py").write_text(text, encoding="utf-8")
    quizzes = questions.read_all()
    body = "".join(f"## {q.title}\n\n```{{self-checks}} {q.name}\n```\n\n" for q in quizzes)
    (folder / "index.md").write_text(f"# Checks\n\n{body}", encoding="utf-8")
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", folder, folder / "out"]
    subprocess.run(command, check=True)
    return folder / "out" / "index.html"


@pytest.fixture(scope="module")
def tab(page, browser):
    opened = browser.new_page()
    errors = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(page.as_uri())
    opened.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.document")
    yield opened
    assert errors == []
    opened.close()


def _form(tab, check):
    return tab.locator(f'form.check:has([name="{check.name}"])')


def _said(form):
    return form.locator(".check-said")


CHECKS = [check for quiz in questions.read_all() for check in quiz.questions]


def test_source_has_no_formula_left_unset(page):
    text = page.read_text(encoding="utf-8")
    inside = re.findall(r'<form class="check".*?</form>', text, flags=re.S)
    assert len(inside) == len(CHECKS)
    for form in inside:
        assert "$" not in re.sub(r"<[^>]*>", "", form)


def test_every_right_answer_is_right_by_mouse(tab):
    for check in CHECKS:
        form = _form(tab, check)
        if check.kind == "choice":
            right = next(i for i, choice in enumerate(check.choices) if choice.right)
            form.locator(".check-label").nth(right).click()
        else:
            form.locator("input").fill(str(check.answer))
        form.get_by_role("button").click()
        assert _said(form).get_attribute("data-right") == "true", check.name
        assert _said(form).inner_text().strip()


def test_every_wrong_choice_and_foreseen_answer_has_its_own_words(tab):
    for check in CHECKS:
        form = _form(tab, check)
        for i, choice in enumerate(check.choices):
            if not choice.right:
                form.locator("input").nth(i).check()
                form.get_by_role("button").click()
                assert _said(form).get_attribute("data-right") == "false"
        heard = set()
        for near in check.near:
            form.locator("input").fill(str(near.answer))
            form.get_by_role("button").click()
            assert _said(form).get_attribute("data-right") == "false", (check.name, near)
            heard.add(_said(form).inner_text())
        assert len(heard) == len({near.feedback for near in check.near}), check.name


def test_by_keys_alone(tab):
    """Arrow keys choose, Enter answers, and the status is announced by its role."""
    choice = next(check for check in CHECKS if check.kind == "choice")
    form = _form(tab, choice)
    form.locator("input").first.focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    assert form.locator("input").nth(1).is_checked()
    assert _said(form).inner_text().strip()
    assert _said(form).get_attribute("role") == "status"
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "check-button"
    number = next(check for check in CHECKS if check.kind == "number")
    form = _form(tab, number)
    form.locator("input").focus()
    tab.keyboard.press("ControlOrMeta+a")
    tab.keyboard.type(f"{number.answer:g}".replace(".", ","))
    tab.keyboard.press("Enter")
    assert _said(form).get_attribute("data-right") == "true"


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("2tanh(x/2)", True), ("2 tanh(0.5 x)", True), ("2*(exp(x)-1)/(exp(x)+1)", True),
        ("2(e^x - 1)/(e^x + 1)", True), ("-2tanh(-x/2)", True), ("x", False), ("2tanh x", False),
        ("2*(", False), ("hello", False), ("", False), ("alert(1)", False), ("x - x^3/12", False),
    ],
)  # fmt: skip
def test_formulas_as_people_write_them(tab, given, right):
    check = next(check for check in CHECKS if check.name == "derivation-1")
    form = _form(tab, check)
    form.locator("input").fill(given)
    form.get_by_role("button").click()
    assert _said(form).get_attribute("data-right") == str(right).lower()
    assert _said(form).inner_text().strip()


def test_axe_finds_nothing_of_ours(tab):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(tab, context=".checks").response["violations"]
    assert [(v["id"], [n["html"] for n in v["nodes"]][:2]) for v in found] == []
