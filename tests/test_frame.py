"""The frame: one address, set-up cells in step, clean notebooks, light import, fresh cache."""

import ast
import importlib.util
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import types
from pathlib import Path

import nbformat
import pytest
import setup_cell
import yaml
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted([*ROOT.glob("*.ipynb"), *ROOT.glob("chapters/*.ipynb")])
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
CHAPTERS = setup_cell.chapters()
URL = setup_cell.repository_url()


def name(path):
    return path.relative_to(ROOT).as_posix()


def repository_files():
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode:
        pytest.skip("not a git checkout: " + listed.stderr.strip())
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).is_file()]


# ---- notebooks ---------------------------------------------------------------------------------


def nbstripout(*arguments):
    """Run it as the Makefile does."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    line = re.search(r"^NBSTRIPOUT := \$\(BIN\)/((?:.*\\\n)*.*)", makefile, re.MULTILINE)[1]
    program, *options = shlex.split(line.replace("\\\n", " "))
    return subprocess.run(
        [Path(sys.executable).with_name(program), *options, *arguments],
        capture_output=True,
        text=True,
    )


def test_notebooks_are_stored_clean():
    done = nbstripout("--verify", *NOTEBOOKS)
    assert done.returncode == 0, done.stdout + "mend it with: make clean-notebooks"
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        ids = [cell.id for cell in notebook.cells]
        assert len(set(ids)) == len(ids)
        assert notebook.metadata.kernelspec == KERNEL


def test_cleaning_strips_outputs_and_keeps_ids_sources_and_captions(tmp_path):
    dirty = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL, "colab": {"provenance": []}})
    dirty.metadata["language_info"] = {"name": "python", "version": "3.12.1"}
    cell = nbformat.v4.new_code_cell("1 + 1", id="sum", execution_count=7)
    cell.outputs = [nbformat.v4.new_output("stream", text="2")]
    cell.metadata = {"mystnb": {"image": {"alt": "two"}}, "execution": {"iopub": "now"}}
    dirty.cells = [cell]
    path = tmp_path / "dirty.ipynb"
    nbformat.write(dirty, path)
    assert nbstripout("--verify", path).returncode == 1
    nbstripout(path)
    clean = nbformat.read(path, as_version=4)
    assert clean.metadata == {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    assert clean.cells == [
        nbformat.v4.new_code_cell("1 + 1", id="sum", metadata={"mystnb": {"image": {"alt": "two"}}})
    ]


# ---- the set-up cell ---------------------------------------------------------------------------


@pytest.mark.parametrize("path", CHAPTERS, ids=name)
def test_chapters_begin_with_the_setup_cell(path):
    assert not setup_cell.differs(path, setup_cell.source()), "mend it with: make setup-cells"


def test_an_edited_setup_cell_is_noticed_and_mended(tmp_path):
    path, text = tmp_path / "chapter.ipynb", setup_cell.source()
    cells = [nbformat.v4.new_markdown_cell("# Title"), nbformat.v4.new_code_cell("1 + 1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    for edit in (lambda nb: None, lambda nb: nb.cells[1].update(source="edited")):
        notebook = nbformat.read(path, as_version=4)
        edit(notebook)
        nbformat.write(notebook, path)
        assert setup_cell.differs(path, text)
        setup_cell.write(path, text)
        assert not setup_cell.differs(path, text)
        sources = [cell.source for cell in nbformat.read(path, as_version=4).cells]
        assert sources == ["# Title", text, "1 + 1"]


@pytest.mark.parametrize("absent", [[], ["qw2v"], ["nltk", "torch"]])
def test_setup_installs_only_where_something_is_missing(monkeypatch, absent):
    """It is run twice, as a reader might; a wheel is tried in test_wheel.py."""
    commands, find_spec = [], importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in absent else find_spec(name)
    )
    shell = types.SimpleNamespace(run_line_magic=lambda *command: commands.append(command))
    code = TransformerManager().transform_cell(setup_cell.source())
    for _ in range(2):
        exec(code, {"get_ipython": lambda: shell})
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = f'--quiet "qw2v[notebooks,training]>={project["version"]}"'
    assert commands == ([("pip", f"install {wanted}")] * 2 if absent else [])


def test_setup_names_no_version_of_torch_and_no_list_that_would_replace_one():
    text = setup_cell.source()
    assert "torch" in re.search(r'needed = """(.*?)"""', text, re.DOTALL)[1].split()
    assert "requirements" not in text and "constraints" not in text


# ---- one address -------------------------------------------------------------------------------


def test_the_address_stands_in_one_place():
    needle = URL.removeprefix("https://")
    allowed = {"_config.yml", "README.md", "CITATION.cff", "pyproject.toml"}
    holders = set()
    for path in repository_files():
        if path.suffix != ".npz" and needle in path.read_text(encoding="utf-8", errors="ignore"):
            holders.add(name(path))
    assert holders <= allowed


def test_readme_citation_and_metadata_give_the_same_address():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["repository-code"] == URL
    assert f"git clone {URL} " in (ROOT / "README.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Repository"] == URL


def test_the_paper_is_cited_first():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    paper = citation["preferred-citation"]
    assert [author["family-names"] for author in paper["authors"]] == [
        "Karkada",
        "Simon",
        "Bahri",
        "DeWeese",
    ]
    assert paper["doi"] == "10.52202/085713-0140"
    assert "doi       = {10.52202/085713-0140}" in (ROOT / "references.bib").read_text("utf-8")


# ---- make, environment -------------------------------------------------------------------------


def test_make_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: (\S+)$", makefile, re.MULTILINE))
    for command in (["make", "help"], ["make"]):
        shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        listed = set(re.findall(r"^  ([a-z-]+) ", shown.stdout, re.MULTILINE))
        assert listed == targets
    assert {"book", "serve", "test", "check", "bench", "data", "lock", "clean"} <= targets


def test_make_names_the_python_it_needs_where_there_is_none(tmp_path):
    for file in ("Makefile", "requirements.txt", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path)
    old = tmp_path / "old-python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    for python in ("", str(old)):
        done = subprocess.run(
            ["make", "book", f"PYTHON={python}"], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode != 0
        assert "qw2v needs Python 3.11 or newer" in done.stdout
        assert "make book PYTHON=/path/to/python3.12" in done.stdout
        assert not (tmp_path / ".venv").exists()


def test_every_dependency_is_locked_and_nothing_of_one_machine_is_in_the_lock():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"]]
    for extra in ("book", "figures", "notebooks", "test", "training"):
        wanted += extras[extra]
    wanted = {re.split(r"[=><\[]", requirement)[0] for requirement in wanted} - {"qw2v"}
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    locked = [line for line in lines if not line.startswith("#")]
    assert wanted <= {line.split("==")[0] for line in locked}
    pin = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [^#]+)?")
    assert [line for line in locked if not pin.fullmatch(line)] == []


# ---- the package -------------------------------------------------------------------------------


def test_import_is_light():
    code = """
import json, sys, qw2v
assert "numpy" not in sys.modules  # a room is loaded when it is first asked for
for name in set(qw2v.__all__) - {"train", "training"}:
    getattr(qw2v, name)
print(json.dumps(sorted(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    top = {module.split(".")[0] for module in json.loads(done.stdout)}
    heavy = "torch matplotlib numba tqdm zstandard nltk ipywidgets anywidget IPython platformdirs"
    assert not top & set(heavy.split())
    assert {"numpy", "scipy"} <= top


def private_names(path):
    """Yield what a file imports that is private to a room other than its own."""
    own = path.relative_to(ROOT / "qw2v").with_suffix("").parts[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qw2v."):
            room, *inner = node.module.split(".")[1:]
            names = [*inner, *(alias.name for alias in node.names)]
            if room != own and any(part.startswith("_") for part in names):
                yield f"{node.module}: {names}"


@pytest.mark.parametrize("path", sorted((ROOT / "qw2v").rglob("*.py")), ids=name)
def test_nothing_private_is_imported_from_another_room(path):
    assert list(private_names(path)) == []


def test_rooms_import_from_left_to_right():
    """The order stands in pyproject.toml."""
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [program, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_import_works_where_a_browser_lacks_modules():
    """Pyodide has no lzma, no numba, no sockets; what needs them loads them itself.

    tqdm is pure Python and a dependency, so micropip brings it.
    """
    absent = (
        "lzma _lzma zstandard numba llvmlite platformdirs ssl _ssl fcntl "
        "multiprocessing _multiprocessing"
    )
    code = f"""
import sys
for name in {absent.split()}:
    sys.modules[name] = None
import qw2v
stats = qw2v.CorpusStatistics.from_texts(["a b c a b d"], vocab_size=4, window=2, progress=False)
print(qw2v.closed_form(stats, dim=1).most_similar("a")[0])
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---- the execution cache -----------------------------------------------------------------------

TINY_CONFIG = """
execute:
  execute_notebooks: cache
  stderr_output: error
only_build_toc_files: true
sphinx:
  local_extensions:
    qw2v_book: {extensions}
  config:
    html_static_path: [static]
"""


JUPYTER_BOOK = Path(sys.executable).with_name("jupyter-book")


def tiny_book(folder, source):
    """Write a book of one page with one cell."""
    (folder / "_config.yml").write_text(TINY_CONFIG.format(extensions=ROOT / "extensions"))
    (folder / "_toc.yml").write_text("format: jb-book\nroot: index\n")
    for name in ("qw2v", "data", "static"):
        (folder / name).mkdir()
    cell = nbformat.v4.new_code_cell(source, id="cell")
    title = nbformat.v4.new_markdown_cell("# Page", id="title")
    nbformat.write(
        nbformat.v4.new_notebook(cells=[title, cell], metadata={"kernelspec": KERNEL}),
        folder / "index.ipynb",
    )


@pytest.mark.site
def test_a_change_in_package_or_data_executes_the_pages_again(tmp_path):
    tiny_book(tmp_path, "print('got', open('qw2v/a.py').read(), open('data/b').read())")

    def build(code, data):
        """Build with these contents; return what the page shows and the cache folders."""
        (tmp_path / "qw2v" / "a.py").write_text(code)
        (tmp_path / "data" / "b").write_text(data)
        subprocess.run([JUPYTER_BOOK, "build", tmp_path], check=True, capture_output=True)
        html = (tmp_path / "_build" / "html" / "index.html").read_text(encoding="utf-8")
        shown = re.search(r"got (\S+) (\w+)", html).groups()
        return shown, [path.name for path in (tmp_path / "_build").glob(".jupyter_cache*")]

    first, caches = build("one", "x")
    assert first == ("one", "x") and len(caches) == 1
    again, same = build("one", "x")
    assert again == first and same == caches
    changed, other = build("two", "x")
    assert changed == ("two", "x") and len(other) == 1 and other != caches
    assert build("two", "y")[0] == ("two", "y")

    for ink in ("red", "blue"):  # a style sheet is copied though no page has changed
        (tmp_path / "static" / "site.css").write_text(ink)
        build("two", "y")
        assert (tmp_path / "_build" / "html" / "_static" / "site.css").read_text() == ink


@pytest.mark.slow
@pytest.mark.site
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupt", "kill"])
@pytest.mark.parametrize("stage", ["the cell runs", "dumping object inventory", "copying assets"])
def test_a_build_that_is_stopped_can_be_repeated(tmp_path, stage, how):
    """A page half executed or half written is made again, as if nothing had been there."""
    tiny_book(
        tmp_path, "open('runs', 'a').write('the cell runs')\nimport time; time.sleep(2)\n7 * 6"
    )
    command = [JUPYTER_BOOK, "build", tmp_path]
    with (tmp_path / "said").open("wb") as said:
        run = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
    seen = [tmp_path / "said", tmp_path / "runs"]
    while run.poll() is None:
        if any(path.exists() and stage in path.read_text() for path in seen):
            os.killpg(run.pid, how)
            break
        time.sleep(0.01)
    run.wait(60)
    said = (tmp_path / "said").read_text()
    assert run.returncode != 0 or "build succeeded" in said, said
    subprocess.run(command, check=True, capture_output=True)
    html = (tmp_path / "_build" / "html" / "index.html").read_text(encoding="utf-8")
    assert ">42" in html.replace("<span></span>", "") and "</html>" in html
    assert list((tmp_path / "_build" / "html").rglob("*.css"))
