"""Colab, simulated: its versions of what it has, a notebook alone in a folder, the wheel served.

One environment serves all tests here. It is made where COLAB_ENV says, and kept, or in a temporary
folder. The versions are those of Colab's runtime as far as the package indexes have them; torch is
the one that this project is tested with, since what counts is that nobody replaces it.
"""

import functools
import http.server
import json
import os
import shutil
import subprocess
import threading
import venv
from pathlib import Path

import nbformat
import pytest
from course.source import problem_sets, solution_notebook, student_notebook

ROOT = Path(__file__).resolve().parents[2]
PROVIDED = {
    "numpy": "2.0.2",
    "scipy": "1.16.3",
    "pandas": "2.2.2",
    "matplotlib": "3.10.0",
    "torch": "2.13.0",
    "ipywidgets": "7.7.1",
}
OTHERS = ("ipykernel", "nbclient", "jinja2", "nltk", "tqdm")
CHAPTERS = ["index", *(f"chapters/{path.stem}" for path in sorted(ROOT.glob("chapters/*.ipynb")))]
RUN = """
import json, sys
import nbformat
from nbclient import NotebookClient
notebook = nbformat.read(sys.argv[1], as_version=4)
NotebookClient(notebook, timeout=1800, kernel_name="python3").execute()
print(json.dumps([[o.get("text", "") for o in c.get("outputs", [])]
                  for c in notebook.cells if c.cell_type == "code"]))
"""

pytestmark = [pytest.mark.slow, pytest.mark.wheel]


@pytest.fixture(scope="session")
def colab(tmp_path_factory):
    """Return the Python of an environment with what Colab provides, without qw2v."""
    folder = Path(os.environ.get("COLAB_ENV") or tmp_path_factory.mktemp("colab") / "env")
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        wanted = [f"{name}=={version}" for name, version in PROVIDED.items()]
        install = [python, "-m", "pip", "install", "--quiet", *wanted, *OTHERS]
        if subprocess.run(install).returncode:
            pytest.skip("the package indexes here do not have what Colab provides")
    subprocess.run([python, "-m", "pip", "uninstall", "--quiet", "--yes", "qw2v"], check=True)
    for left in python.parent.parent.glob("lib/*/site-packages/qw2v"):
        shutil.rmtree(left)  # what was compiled there, which uninstalling leaves
    return python


@pytest.fixture(scope="session")
def index(wheel, tmp_path_factory):
    """Serve the wheel as a package index does; return the address."""
    folder = tmp_path_factory.mktemp("index")
    (folder / "qw2v").mkdir()
    shutil.copy(wheel, folder / "qw2v")
    (folder / "qw2v" / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def execute(colab, index, folder, notebook):
    """Run a notebook, alone in an empty folder, with the environment's own kernel."""
    folder.mkdir(exist_ok=True)
    (folder / "notebook.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}
    kept |= {"PATH": f"{colab.parent}:{os.environ['PATH']}", "PIP_EXTRA_INDEX_URL": index}
    kept |= {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "TQDM_DISABLE": "1"}
    kept["JUPYTER_PATH"] = str(colab.parent.parent / "share" / "jupyter")
    done = subprocess.run(
        [colab, "-c", RUN, "notebook.ipynb"], cwd=folder, env=kept, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def versions(colab):
    listed = subprocess.check_output(
        [colab, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    )
    found = {row["name"].lower(): row["version"].split("+")[0] for row in json.loads(listed)}
    return {name: found.get(name) for name in PROVIDED}


def notebooks():
    for name in CHAPTERS:
        yield name, nbformat.read(ROOT / f"{name}.ipynb", as_version=4)
    for one in problem_sets():
        yield f"student/{one.name}", student_notebook(one)


NOTEBOOKS = dict(notebooks())


def test_first_cell_installs_once_and_leaves_the_hosts_packages_alone(colab, index, tmp_path):
    before = versions(colab)
    assert before == PROVIDED
    first = next(c for c in NOTEBOOKS["chapters/words"].cells if c.cell_type == "code")
    probe = nbformat.v4.new_code_cell("import qw2v; print(qw2v.__file__)")
    twice = nbformat.v4.new_notebook(
        cells=[first, nbformat.from_dict({**first, "id": "again"}), probe]
    )
    outputs = execute(colab, index, tmp_path / "empty", twice)
    assert "site-packages" in outputs[-1][0]
    assert versions(colab) == before
    assert [path.name for path in (tmp_path / "empty").iterdir()] == ["notebook.ipynb"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_starts_alone_in_an_empty_folder(name, colab, index, tmp_path):
    """The set-up cell and the imports after it; a problem set's checks as well."""
    cells = [cell for cell in NOTEBOOKS[name].cells if cell.cell_type == "code"]
    execute(colab, index, tmp_path / "empty", nbformat.v4.new_notebook(cells=cells[:3]))
    assert versions(colab) == PROVIDED


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_chapter_runs_to_its_end(name, colab, index, tmp_path):
    execute(colab, index, tmp_path / "empty", NOTEBOOKS[name])


@pytest.mark.parametrize("one", problem_sets(), ids=lambda one: one.name)
def test_every_solution_runs_and_its_checks_pass(one, colab, index, tmp_path):
    outputs = execute(colab, index, tmp_path / "empty", solution_notebook(one))
    said = "".join("".join(text) for cell in outputs for text in cell)
    assert "Not yet" not in said and "Not defined" not in said
    assert said.count("checks pass") == sum(bool(question.public) for question in one.questions)
