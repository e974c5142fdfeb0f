"""What the test files share: the book, the wheel and the browser, and which worker runs what."""

import json
import re
import subprocess
import sys
import types
from pathlib import Path

import filelock
import pytest
import screenshot
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# Numba compiles inside the first example, and this is no place for a clock.
settings.register_profile("qw2v", deadline=None)
settings.load_profile("qw2v")


@pytest.fixture(scope="session")
def corpora_dir() -> Path:
    """The folder of real text beside the checkout, which only developers have."""
    folder = Path(__file__).parents[2] / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip("no real text here: ../shared/corpora is absent")
    return folder


# Whoever asks for one of these reads the book or a page in a browser.
SITE = {"build", "site", "browser"}


def is_worker(config) -> bool:
    """Return whether this process is one of several that pytest-xdist runs."""
    return hasattr(config, "workerinput")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """Mark what needs a browser, and say in which order workers take it.

    The book is built first, while the other workers run what does not need it; the pages come last.
    """
    for item in items:
        if SITE & set(getattr(item, "fixturenames", ())):
            item.add_marker("site")
    if is_worker(config):
        items.sort(key=turn)


def turn(item) -> int:
    """Return 0 for the test that builds the book, 1 for what needs none, 2 for the site's files."""
    needs = SITE & set(getattr(item, "fixturenames", ()))
    if needs == {"build"}:
        return 0
    file = item.nodeid.partition("::")[0]
    if "site" in needs and not file.endswith("_site.py"):
        raise pytest.UsageError(f"{item.nodeid} reads the book: move it to a file named *_site.py")
    return 2 if file.endswith("_site.py") else 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out tests by the group that their id names, in the order of `turn`.

    The mark xdist_group would be the usual way, but pytest-xdist 3.8 writes it into ids that pytest
    9.2 keeps elsewhere: it is without effect, and without a word.
    """
    from xdist.scheduler import LoadScopeScheduling

    from qw2v import explorers

    names = {name.lower() for name in explorers.__all__}

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group(nodeid, names)

    return Groups(config, log) if config.getoption("dist") == "loadgroup" else None


def group(nodeid: str, explorers: set[str]) -> str:
    """Return the name that a test shares with those that the same worker takes.

    The tests of a file go together, so that what they share is made once, but for those that wait
    for the book, in files named *_site.py: each page and each explorer is on its own.
    """
    file, _, test = nodeid.partition("::")
    if not file.endswith("_site.py"):
        return file
    found = explorers & set(re.split(r"[-\[\]]", test)) if "explorers" in file else ()
    return f"{file}::{next(iter(found), test)}"


@pytest.fixture(scope="session")
def once(request, tmp_path_factory):
    """Return a function: of all workers, the first does a piece of work, the others wait for it.

    It is called with a name for the work and with what does it in a folder, and returns that
    folder and what the work returned, which is kept as JSON.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if is_worker(request.config) else base

    def once(name, work):
        folder, done = shared / f"once-{name}", shared / f"once-{name}.json"
        with filelock.FileLock(f"{done}.lock"):
            if not done.is_file():
                folder.mkdir()
                done.write_text(json.dumps(work(folder)), encoding="utf-8")
        return folder, json.loads(done.read_text(encoding="utf-8"))

    return once


@pytest.fixture(scope="session")
def build(once):
    """Return the outcome of building what of the book is not up to date."""

    def work(folder):
        command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT]
        strict = ["-W", "-n", "--keep-going"]
        done = subprocess.run([*command, *strict], capture_output=True, text=True)
        return {"returncode": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    return types.SimpleNamespace(**once("book", work)[1])


@pytest.fixture(scope="session")
def wheel(once):
    """Return the wheel, built from this checkout."""

    from course.build import make_wheel

    folder, name = once("wheel", lambda folder: make_wheel(folder).name)
    return folder / name


@pytest.fixture(scope="session")
def site(build):
    """Return the folder of the built book."""
    site = ROOT / "_build" / "html"
    if not (site / "index.html").is_file():
        pytest.fail("no book was built:\n" + (build.stdout + build.stderr)[-3000:])
    return site


@pytest.fixture(scope="session")
def browser():
    """Return a headless Chromium, one for the whole run: Playwright starts but once a thread."""
    executable = screenshot.chromium()
    if executable is None:
        pytest.skip("no Chromium or Chrome on this machine (set CHROMIUM to its path)")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=screenshot.FLAGS)
        yield browser
        browser.close()
