# ruff: noqa: F811  fixtures are imported by name
"""The explorers' JavaScript as code: linted, typed, built afresh, and its algebra against numpy."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_explorers import JS, javascript  # noqa: F401

from qw2v import dynamics, explorers

ROOT = Path(__file__).resolve().parent.parent


def graded(n, seed):
    """A symmetric matrix with eigenvalues from 100 down to 1e-6 of both signs."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.standard_normal((n, n)))[0]
    values = np.geomspace(100, 1e-6, n) * rng.choice([-1, 1], n)
    return (basis * values) @ basis.T, np.sort(values)[::-1]


@pytest.mark.parametrize("n", [1, 2, 5, 40])
def test_eigenpairs_are_those_of_lapack(javascript, n):
    matrix, values = graded(n, n)
    matrix = (matrix + matrix.T) / 2
    found = javascript(
        "linalg.js",
        "(() => { const { values, vectors } = m.eigenpairs(v.N);"
        " return { values, vectors: vectors.map((x) => [...x]) }; })()",
        N=matrix.ravel().tolist(),
    )
    np.testing.assert_allclose(found["values"], values, atol=1e-13 * 100)
    vectors = np.transpose(found["vectors"])
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(n), atol=1e-13)
    np.testing.assert_allclose(matrix @ vectors, vectors * values, atol=3e-12)
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    assert (largest > 0).all()


@pytest.mark.parametrize("matrix", [np.zeros((3, 3)), np.eye(4), np.diag([1.0, -2, 0, 5])])
def test_eigenpairs_of_what_is_diagonal_already(javascript, matrix):
    found = javascript("linalg.js", "m.eigenpairs(v.N).values", N=matrix.ravel().tolist())
    np.testing.assert_allclose(found, np.sort(np.diag(matrix))[::-1], atol=1e-15)


def test_the_exact_flow_is_that_of_the_package(javascript):
    """Steps of any length: three of them end where `dynamics.exact` is at once."""
    rng = np.random.default_rng(5)
    matrix, _ = graded(12, 6)
    values, vectors = np.linalg.eigh(matrix)
    W0 = 0.3 * rng.standard_normal((12, 4))
    path = dynamics.exact((matrix + matrix.T) / 2, W0)
    found = javascript(
        "theory.js",
        """(() => {
          const a = m.along(v.vectors.map((x) => Float64Array.from(x)), Float64Array.from(v.W), 4);
          return v.steps.map((h) => {
            m.flow(a, 4, v.values, h);
            return m.theoryLoss(a, 4, v.values);
          });
        })()""",
        vectors=vectors.T.tolist(),
        values=values.tolist(),
        W=W0.ravel().tolist(),
        steps=[0.01, 0.09, 0.4],
    )
    np.testing.assert_allclose(found, path.loss(np.array([0.01, 0.1, 0.5])), rtol=1e-9)


def test_every_explorer_has_its_source_and_its_bundle():
    sources = {path.name for path in (JS / "explorers").glob("*.js")}
    used = {getattr(explorers, name).module for name in explorers.__all__}
    built = {path.name for path in (ROOT / "qw2v" / "explorers" / "static").glob("*.js")}
    assert sources == used == built
    for name in built:
        size = len((ROOT / "qw2v" / "explorers" / "static" / name).read_bytes())
        assert size < 80_000, name


def test_the_lock_file_names_no_other_registry():
    lock = (JS / "package-lock.json").read_text(encoding="utf-8")
    addresses = [line.split('"')[3] for line in lock.splitlines() if '"resolved"' in line]
    assert all(address.startswith("https://registry.npmjs.org/") for address in addresses)


def test_the_code_is_clean_typed_and_built():
    if not (JS / "node_modules").is_dir():
        pytest.skip("the npm packages are not installed here: `make check` installs them")
    command = [sys.executable, ROOT / "tools" / "js.py", "check"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


# ---- the self-checks' formulas -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("2 tanh(x/2)", "2*(exp(x) - 1)/(exp(x) + 1)", True),
        ("x^2^2", "x**4", True),  # from the right
        ("-x^2", "0 - x*x", True),  # a sign binds less than a power
        ("\u2212(x \u2212 1)", "1 - x", True),
        ("2x", "x/0.5", True),
        ("tanh(x/2)", "2 tanh(x/2)", False),
        ("1/2x", "1/(2x)", False),  # read from the left, as a calculator does
    ],
)
def test_formulas_are_compared_by_their_values(javascript, one, other, alike):
    expression = "m.same(v.one, v.other, { x: [0.2, 2] })"
    assert javascript("site/formula.js", expression, one=one, other=other) is alike


@pytest.mark.parametrize(
    ("text", "value"),
    [("0,5", 0.5), ("1/4", 0.25), ("62%", 0.62), ("\u22123e-2", -0.03), (".5", 0.5)],
)
def test_numbers_are_read_as_people_write_them(javascript, text, value):
    assert javascript("site/formula.js", "m.number(v.text)", text=text) == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2 +", "the formula ends too early"),
        ("tanh x", "tanh needs brackets"),
        ("(1 + x", "a bracket is not closed"),
        ("y", '"y" is not known here; the letters are x'),
        ("x)", '")" stands where nothing is expected'),
        ("constructor", '"constructor" is not known here; the letters are x'),
    ],
)
def test_what_is_no_formula_says_so(javascript, text, said):
    expression = (
        "(() => { try { m.parse(v.text, { x: [0, 1] }); } catch (e) { return e.message; } })()"
    )
    assert javascript("site/formula.js", expression, text=text) == said
