"""The built book in a browser: complete offline, readable at every width, accessible, linked up."""

import subprocess
import sys
from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import screenshot
import setup_cell
import yaml

pytestmark = pytest.mark.site
ROOT = Path(__file__).resolve().parent.parent
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [TOC["root"]] + [page["file"] for part in TOC["parts"] for page in part["chapters"]]
CHAPTERS = [page for page in PAGES if page.startswith("chapters/")]
# What the theme logs and what its own markup does: not ours to mend.
THEME_LOGS = ("THEBE_JS_URL", "invalid theme mode")
THEME_FINDINGS = {
    "region": "logo__image",
    "aria-required-children": "citation-list",
    "aria-allowed-role": "doc-biblioentry",
    "aria-deprecated-role": "doc-biblioentry",
}


NEXT_FRAME = "() => new Promise((go) => requestAnimationFrame(() => setTimeout(go)))"


class Visit:
    """A page opened from disk with everything beyond the disk cut off, and what it asked for."""

    def __init__(self, browser, path, mode="light", width=1280):
        self.outside, self.failed, self.errors = [], [], []
        self.page = browser.new_page(viewport={"width": width, "height": 800})
        screenshot.set_mode(self.page, mode)
        self.page.route("**/*", self.only_local)
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self.log)
        self.page.goto(path.as_uri())
        screenshot.settle(self.page)

    def resize(self, width):
        """Take this width, and wait until all has moved that moves."""
        self.page.set_viewport_size({"width": width, "height": 800})
        self.page.evaluate(NEXT_FRAME)
        self.page.wait_for_function(STILL)

    def only_local(self, route):
        url = urlsplit(route.request.url)
        if url.scheme in ("file", "data", "blob"):
            route.continue_()
        else:
            self.outside.append(route.request.url)
            route.abort()

    def log(self, message):
        if message.type == "error":
            self.errors.append(message.text)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.page.close()


def test_the_book_builds_without_a_warning(build):
    assert build.returncode == 0, (build.stdout + build.stderr)[-6000:]


OPEN_ANSWERS = """() => {
  for (const box of document.querySelectorAll("details")) box.open = true;
  for (const box of document.querySelectorAll(".toggle-hidden button")) box.click();
}"""


# The theme fades what it opens.
STILL = """() => document.getAnimations().every((one) =>
  one.playState === "finished" || one.effect.getComputedTiming().iterations === Infinity)"""


# An A4 page between margins of 1 cm, in CSS pixels; and what would be cut off there.
PAPER = 718
CUT_OFF = """() => [...document.querySelectorAll(
    "article :is(pre, table, img, svg, mjx-container)")]
  .filter((box) => box.checkVisibility() && !box.closest("details:not([open])"))
  .filter((box) => {
    const wide = box.matches("pre") ? box.scrollWidth - box.clientWidth : 0;
    return wide > 1 || box.getBoundingClientRect().right > innerWidth + 1;
  })
  .map((box) => box.outerHTML.slice(0, 120))"""


# A visit costs seconds, so each looks at everything that it can see.
@pytest.mark.parametrize("mode, widths", [("light", (390, 320, 1280)), ("dark", (1280, 390))])
@pytest.mark.parametrize("name", PAGES)
def test_pages_are_complete_offline_accessible_and_fit_every_width_and_paper(
    site, browser, name, mode, widths
):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    violations, wide = [], {}
    with Visit(browser, site / f"{name}.html", mode, widths[0]) as visit:
        assert visit.page.evaluate("document.documentElement.dataset.theme") == mode
        for width in widths:
            visit.resize(width)
            wide[width] = visit.page.evaluate("document.documentElement.scrollWidth")
        errors = [e for e in visit.errors if not any(known in e for known in THEME_LOGS)]
        assert (visit.outside, visit.failed, errors) == ([], [], [])
        visit.page.evaluate(OPEN_ANSWERS)
        for width in (1280, 390):
            visit.resize(width)
            violations += axe.Axe().run(visit.page).response["violations"]
        visit.page.emulate_media(media="print")
        visit.resize(PAPER)
        assert visit.page.evaluate(CUT_OFF) == []
        assert not visit.page.get_by_role("navigation", name="Main").is_visible()
    assert all(found <= width for width, found in wide.items()), wide
    found = {
        (violation["id"], node["html"][:200])
        for violation in violations
        for node in violation["nodes"]
        if THEME_FINDINGS.get(violation["id"], "nothing") not in node["html"]
    }
    assert found == set()


def test_pages_are_valid_html(site):
    """By html-validate's rules for what the standard says."""
    if not (ROOT / "js" / "node_modules" / "html-validate").is_dir():
        pytest.skip("the npm packages are not installed here: `make check` installs them")
    command = [sys.executable, ROOT / "tools" / "js.py", "pages"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


# What a reader cannot see, of what is not folded away on purpose.
HIDDEN = """() => [...document.querySelectorAll(
    "article :is(p, img, h2, h3, pre, table, .math), article > section > h1")]
  .filter((box) => !box.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
  .filter((box) => !box.closest("details:not([open]), .toggle-hidden, noscript, [hidden]"))
  .map((box) => box.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("name", PAGES)
def test_without_scripts_a_page_can_be_read(site, browser, name):
    """Text, code, figures, the explorers' pictures and the way to other pages are all there."""
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((site / f"{name}.html").as_uri())
        assert page.evaluate(HIDDEN) == []
        assert page.get_by_role("navigation", name="Main").get_by_role("link").count() > 10
        said = page.locator(".without-scripts").all_inner_texts()
        assert len(said) == min(1, page.locator("article .math").count()), said


def test_formulas_are_set(site, browser):
    with Visit(browser, site / "chapters" / "derivation.html") as visit:
        formulas = visit.page.locator("mjx-container").count()
        assert formulas > 0
        assert formulas == visit.page.locator(".math").count()
        assert visit.page.locator("mjx-merror, [data-mjx-error]").count() == 0


# ---- what stands in the files, read without a browser --------------------------------------------


class Anchors(HTMLParser):
    """Collect the ids, links, sources and images of a page."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.images = set(), [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.ids.add(found.get("id"))
        self.links += [found[key] for key in ("href", "src") if found.get(key)]
        if tag == "img":
            self.images.append(found)


@pytest.fixture(scope="session")
def parsed(site):
    return {path: Anchors(path) for path in site.rglob("*.html") if "_static" not in path.parts}


def test_every_link_inside_the_site_leads_somewhere(site, parsed):
    broken = defaultdict(set)
    for path, anchors in parsed.items():
        for link in anchors.links:
            url = urlsplit(link)
            if url.scheme or url.netloc:
                continue
            target = (path.parent / unquote(url.path)).resolve() if url.path else path
            if not target.is_file() or not target.is_relative_to(site):
                broken[path.name].add(link)
            elif url.fragment and target in parsed:
                if unquote(url.fragment) not in parsed[target].ids | {""}:
                    broken[path.name].add(link)
    assert dict(broken) == {}


def test_links_to_the_outside_are_https(parsed):
    schemes = {urlsplit(link).scheme for anchors in parsed.values() for link in anchors.links}
    assert schemes <= {"", "https", "data"}


def test_every_picture_has_a_text(parsed):
    silent = {
        (path.name, image.get("src"))
        for path, anchors in parsed.items()
        for image in anchors.images
        if not image.get("alt") or image["alt"].startswith(("../_images", "_images"))
    }
    assert silent == set()


@pytest.mark.parametrize("name", CHAPTERS)
def test_chapters_open_on_colab_and_binder_and_can_be_downloaded(site, parsed, name):
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    repository = setup_cell.repository_url().removeprefix("https://github.com/")
    branch = config["repository"]["branch"]
    notebook = f"{name}.ipynb"
    links = parsed[site / f"{name}.html"].links
    assert (ROOT / notebook).is_file()
    assert (
        f"https://colab.research.google.com/github/{repository}/blob/{branch}/{notebook}" in links
    )
    assert f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{notebook}" in links
    assert f"../_sources/{notebook}" in links


def test_the_site_can_be_served_by_github_pages(site):
    assert (site / ".nojekyll").is_file()
