"""The tests in environments of their own: `nox`, or one session, `nox --session lowest`.

`python` sessions take every Python from 3.11 that is found here; `lowest` takes the lower bounds
that pyproject.toml states, `latest` the newest of everything, `executors` counts through mpi4py and
parsl. uv makes the environments.
"""

import tomllib
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["python", "lowest", "latest", "without_extras", "executors"]

# What needs a browser, the book or minutes is left to `make test`.
QUICK = ["-m", "not site and not slow and not wheel", "-p", "no:cacheprovider", "-q"]
PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]
# The tests read the notebooks and the workflows, and compare with gensim where it is installed.
TESTED_WITH = [
    "filelock>=3.12",
    "hypothesis>=6.100",
    "mpmath>=1.3",
    "nbformat>=5.9",
    "nltk>=3.9.1",
    "pandas>=2.2.2",
    "pytest>=8.2",
    "pyyaml>=6.0.1",
]


def mathematics(session):
    """Run the tests of the package, leaving out those of the book's frame."""
    tests = [str(path) for path in sorted(Path("tests").glob("test_*.py"))]
    frame = ("after", "explorers", "figures", "frame", "house", "js", "links", "page", "prose")
    frame += ("site", "wheel")
    tests = [path for path in tests if not any(word in path for word in frame)]
    session.run("python", "-m", "pytest", *QUICK, *tests, *session.posargs)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def python(session):
    """Try every Python found, with the newest dependencies that it has."""
    session.install(".[test,notebooks]")
    mathematics(session)


@nox.session(python="3.11")
def lowest(session):
    """Try the lower bounds of what the package states, with Python 3.11."""
    session.install("--resolution", "lowest-direct", ".[training]", *TESTED_WITH)
    session.run("python", "-c", "import numpy, scipy, numba; print(numpy.__version__)")
    mathematics(session)


@nox.session
def latest(session):
    """Try the newest version of everything, the book's environment included."""
    session.install("--upgrade", ".[test,notebooks]")
    mathematics(session)


@nox.session
def without_extras(session):
    """Run the package with what it needs and nothing else: no torch, no matplotlib, no widgets."""
    session.install(".")
    session.run(
        "python",
        "-c",
        "import qw2v; print(qw2v.evaluate(qw2v.closed_form(qw2v.load_statistics(), dim=50)))",
    )
    session.run("qw2v", "data", "--check")


@nox.session
def executors(session):
    """Count through the executors of mpi4py, with an MPI from the package index, and of parsl."""
    session.install(".", "mpi4py>=4", "mpich", "parsl>=2024.5")
    session.run("python", "tests/executors.py", "mpi4py")
    session.run("python", "tests/executors.py", "parsl")
