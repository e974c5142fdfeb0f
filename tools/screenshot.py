"""Take pictures of the built pages: wide and phone, light and dark.

python tools/screenshot.py OUTDIR            every page
python tools/screenshot.py OUTDIR index.html chapters/words.html
"""

import argparse
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
WIDTHS = (1280, 390)
MODES = ("light", "dark")
NOT_CONTENT = {"genindex.html", "search.html", "prf-prf.html"}
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium() -> str | None:
    """Return the path of a Chromium or Chrome on this machine: $CHROMIUM, or the first found."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    found = (shutil.which(name) for name in (os.environ.get("CHROMIUM", ""), *names) if name)
    return next((path for path in found if path), None)


def pages(site: Path = SITE) -> list[str]:
    """Return the site's pages of content, as paths relative to it."""
    found = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(
        p.as_posix() for p in found if p.parts[0] != "_static" and str(p) not in NOT_CONTENT
    )


def set_mode(page, mode: str) -> None:
    """Make the theme start in light or dark."""
    page.add_init_script(f"localStorage.mode = localStorage.theme = '{mode}'")


def settle(page) -> None:
    """Wait until the formulas are set and the pictures are there."""
    page.evaluate("async () => { await window.qw2vFormulas; }")
    page.wait_for_load_state("networkidle")


def main() -> int:
    """Take the pictures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("outdir", type=Path)
    parser.add_argument("pages", nargs="*", help="for example chapters/words.html; default: all")
    args = parser.parse_args()
    executable = chromium()
    if executable is None:
        print("No Chromium or Chrome found: install one, or set CHROMIUM to its path.")
        return 1
    if not (SITE / "index.html").is_file():
        print(f"No built book in {SITE}: run `make book` first.")
        return 1
    from playwright.sync_api import sync_playwright

    args.outdir.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for mode in MODES:
            for width in WIDTHS:
                page = browser.new_page(viewport={"width": width, "height": 900})
                set_mode(page, mode)
                for name in args.pages or pages():
                    page.goto((SITE / name).as_uri())
                    settle(page)
                    stem = name.removesuffix(".html").replace("/", "-")
                    picture = args.outdir / f"{stem}-{width}-{mode}.png"
                    page.screenshot(path=picture, full_page=True)
                    print(picture)
                page.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
