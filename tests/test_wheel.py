"""The wheel as a stranger uses it: installed in an environment of its own, outside any checkout.

The environments see this one's third-party packages by links, so that nothing is downloaded; the
package itself they have from the wheel alone.
"""

import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
import setup_cell

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
CHAPTER = ROOT / "chapters" / "words.ipynb"

pytestmark = pytest.mark.wheel


def requirements(names, extras=()):
    """Return the names of these distributions and of all that they need."""
    found, waiting = set(), [(name, extras) for name in names]
    while waiting:
        name, extras = waiting.pop()
        name = re.sub(r"[-_.]+", "-", name).lower()
        if name in found or name == "qw2v":
            continue
        try:
            needs = metadata.requires(name) or []
        except metadata.PackageNotFoundError:
            continue
        found.add(name)
        for need in needs:
            if "extra ==" not in need:
                waiting.append((re.match(r"[A-Za-z0-9._-]+", need)[0], ()))
    return found


def environment(folder, distributions):
    """Make a virtual environment with pip and links to these distributions; return its folder."""
    venv.create(folder / "env", with_pip=True)
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "env")}))
    for name in distributions:
        there = metadata.distribution(name)
        tops = {file.parts[0] for file in there.files if ".." not in file.parts}
        for top in tops - {"__pycache__"}:
            source, link = Path(there.locate_file(top)), site / top
            if source.exists() and not link.exists():
                link.symlink_to(source)
    return folder / "env"


def run(env, folder, *command, **variables):
    """Run a command of the environment as a stranger would; return what it printed."""
    # The cache of eigenpairs is shared: what it holds is checked, whoever wrote it.
    kept = {
        name: os.environ[name]
        for name in ("HOME", "LANG", "QW2V_CACHE", "NUMBA_CACHE_DIR", "OPENBLAS_NUM_THREADS")
        if name in os.environ
    }
    kept |= {"PATH": f"{env / 'bin'}:/usr/bin:/bin"}
    done = subprocess.run(
        [env / "bin" / command[0], *command[1:]],
        cwd=folder,
        env=kept | variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """Return an environment with the wheel and what it needs, and nothing else."""
    folder = tmp_path_factory.mktemp("bare")
    names = [re.match(r"[A-Za-z0-9_-]+", need)[0] for need in PROJECT["dependencies"]]
    env = environment(folder, requirements(names))
    run(env, folder, "python", "-m", "pip", "install", "--quiet", "--no-index", wheel)
    run(env, folder, "python", "-m", "pip", "check")
    return env


def test_the_wheel_is_pure_and_holds_the_data_and_no_scripts(wheel):
    assert wheel.name == f"qw2v-{PROJECT['version']}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        sums = archive.read("qw2v/data/SHA256SUMS").decode("ascii")
    listed = {f"qw2v/data/{line.split()[1]}" for line in sums.splitlines()}
    data = {name for name in names if name.startswith("qw2v/data/")}
    assert data == listed | {"qw2v/data/SHA256SUMS", "qw2v/data/README.md"}
    assert "qw2v/py.typed" in names
    assert wheel.stat().st_size < 60 * 2**20


TEN_LINES = re.search(
    r"## Ten lines\n\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S
)


def test_readmes_ten_lines_run_where_only_the_wheel_is(bare, tmp_path):
    code = (
        TEN_LINES[1]
        .replace(
            '["your own text, one document a string", ...]',
            "['a cat and a cat', 'the dog the dog']",
        )
        .replace("vocab_size=10_000, window=16)", "vocab_size=4, window=3)")
        .replace("dim=100", "dim=1")
    )
    code += """
import sys
assert "site-packages" in qw2v.__file__, qw2v.__file__
print(vectors.analogy("man", "king", "woman")[0][0])
print("torch" in sys.modules, "matplotlib" in sys.modules)
"""
    printed = run(bare, tmp_path, "python", "-c", code)
    assert printed.splitlines()[-2:] == ["queen", "False False"]
    here = subprocess.run(
        [sys.executable, "-m", "qw2v", "eval"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert here.stdout.split("\n\nThe paper")[0] in printed  # the same numbers as in the checkout
    assert (tmp_path / "mine.vec").read_text().startswith("4 1\n")


def test_the_command_line_runs_where_only_the_wheel_is(bare, tmp_path):
    (tmp_path / "text.txt").write_text("the cat sat on the mat\nthe dog sat on the log\n" * 20)
    options = ["--vocab-size", "6", "--window", "3", "--quiet"]
    assert "6 words" in run(bare, tmp_path, "qw2v", "count", "text.txt", "-o", "s.npz", *options)
    run(bare, tmp_path, "qw2v", "embed", "s.npz", "--dim", "1", "-o", "v.txt")
    assert (tmp_path / "v.txt").read_text().startswith("6 1\n")
    lines = run(bare, tmp_path, "qw2v", "data", "--check").splitlines()
    assert len(lines) > 10 and all(line.endswith("ok") for line in lines)
    scores = json.loads(run(bare, tmp_path, "qw2v", "eval", "--json"))
    assert 0.5 < scores["accuracy"] < 0.7


EXECUTE = """
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], as_version=4)
nbclient.NotebookClient(notebook).execute()
print(notebook.cells[-1].outputs[0].text)
"""


def test_a_chapter_alone_in_an_empty_folder(wheel, tmp_path):
    """Its set-up cell finds no package, installs the wheel, and leaves the rest as it is."""
    names = ["ipykernel", "nbclient"]
    extras = PROJECT["optional-dependencies"]
    for needs in (PROJECT["dependencies"], extras["figures"], *map(extras.get, setup_cell.EXTRAS)):
        names += [re.match(r"[A-Za-z0-9_-]+", need)[0] for need in needs]
    env = environment(tmp_path, requirements(names))
    alone = tmp_path / "alone"
    alone.mkdir()
    notebook = nbformat.read(CHAPTER, as_version=4)
    setup, *first = [cell.source for cell in notebook.cells if cell.cell_type == "code"][:4]
    where = "import qw2v, torch; print(qw2v.__file__, torch.__file__, sep='\\n')"
    cells = [nbformat.v4.new_code_cell(source) for source in (setup, setup, *first, where)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), alone / CHAPTER.name)
    served = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel.parent)}
    printed = run(env, alone, "python", "-c", EXECUTE, CHAPTER.name, **served)
    package, torch = map(Path, printed.split())
    assert env in package.parents and "site-packages" in package.parts
    assert torch.parent.is_symlink()  # the host's own, untouched
    assert [path.name for path in alone.iterdir()] == [CHAPTER.name]
