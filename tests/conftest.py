"""What the test files share."""

import subprocess
import sys
from pathlib import Path

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


@pytest.fixture(scope="session")
def build():
    """Return the outcome of building what of the book is not up to date."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT]
    strict = ["-W", "-n", "--keep-going"]
    return subprocess.run([*command, *strict], capture_output=True, text=True)


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
