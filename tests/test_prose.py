"""The book's sentences: numbers computed, claims checked, symbols defined, references cited."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import prose as reading
import pytest

from qw2v import prose

ROOT = Path(__file__).resolve().parent.parent
PAGES = reading.pages()


# ---- the package's side ------------------------------------------------------------------------


def test_a_number_is_glued_in_a_kernel_and_printed_outside_a_build():
    code = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
from IPython.utils.capture import capture_output
import json
with capture_output() as shown:
    shell.run_cell('from qw2v import prose; prose.number("late", -0.0714, ".1%")')
print(json.dumps([shown.stdout, [[o.data, o.metadata] for o in shown.outputs]]))
"""
    printed = {}
    for build in ("", "1"):
        env = {**os.environ, "PYTHONPATH": str(ROOT)} | ({"QW2V_BOOK": "1"} if build else {})
        done = subprocess.run(
            [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
        )
        printed[build], [[data, metadata]] = json.loads(done.stdout.splitlines()[-1])
        assert data == {"application/papermill.record/text/plain": "'−7.1%'"}
        assert metadata["scrapbook"]["name"] == "late"
    assert printed == {"": "late: −7.1%\n", "1": ""}


def test_a_claim_says_what_no_longer_holds():
    prose.claim(True, "one is less than two")
    with pytest.raises(prose.ClaimError, match=r"one is less than two\. The data .*: gap = 3\."):
        prose.claim(3 < 1, "one is less than two", gap=3)


@pytest.mark.parametrize("what, found", [("no such row", "found 0"), ("articles read", "found 0")])
def test_a_number_that_the_paper_lacks_is_named(what, found):
    with pytest.raises(KeyError, match=found):
        prose.paper(what)


# ---- the book's side ---------------------------------------------------------------------------


# The plans for teachers state the lengths of lectures, which nothing computes.
@pytest.mark.parametrize("page", [page for page in PAGES if page != "for-teachers"])
def test_no_result_is_typed(page):
    assert list(reading.typed_results(page)) == []


@pytest.mark.parametrize("page", PAGES)
def test_every_symbol_of_a_displayed_equation_is_defined(page):
    assert reading.unknown_symbols(page) == {}


@pytest.mark.parametrize("page", PAGES)
def test_numbers_that_a_text_takes_are_given_once_by_its_cells(page):
    taken, given = reading.glued(page)
    assert len(set(given)) == len(given)
    assert taken == set(given), "each number in the text has its cell, and each cell's its sentence"


def test_every_reference_is_cited():
    cited = set()
    for page in PAGES:
        for _, text in reading.read(page)[0]:
            for keys in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text):
                cited |= {key.strip() for key in keys.split(",")}
    entries = re.findall(r"^@\w+\{([^,]+),", (ROOT / "references.bib").read_text("utf-8"), re.M)
    assert sorted(set(entries) - cited) == []
    assert sorted(cited - set(entries)) == []


# ---- what reads the prose ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "tex, names",
    [
        (r"M^\star_{ij} = 2\tanh\frac{x}{2}", {r"M^\star", "x"}),
        (r"\Psi^+_{ij} P_{ij} \log(1 + e^{-x_{ij}})", {r"\Psi^+", "P", "e", "x"}),
        (
            r"V_d \Lambda_d^{1/2} + \lambda_V \mathbf w_i",
            {"V_d", r"\Lambda_d", r"\lambda_V", r"\mathbf{w}"},
        ),
        (r"d_{\mathrm{eff}}\, \mathrm{PMI}_{ij} W'^\top", {"d_eff", "W'"}),
        (r"\dot s_k^2(0) \bar G", {"s", r"\bar{G}"}),
    ],
)
def test_symbols_of_a_formula(tex, names):
    assert reading.symbols(tex) == names


def test_typed_results_are_told_from_settings_years_and_names(monkeypatch):
    page = [
        ("cell", "Setting 3.1 of 2013, 1,000 words, $x = 0.5$, `0.7`, the first 10, within 3%."),
        ("cell", "It is 0.98 and better, 91%, seven percent, 34 times."),
    ]
    code = ["%pip install x\nwords = 1_000", "assert gap < 0.03"]
    monkeypatch.setattr(reading, "read", lambda name: (page, code))
    assert len(list(reading.typed_results("page"))) == 4
    assert all("0.98" in line for line in reading.typed_results("page"))
