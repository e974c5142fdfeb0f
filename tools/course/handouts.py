"""From the built book: its figures to download, and the slides that tell the paper with them.

The book's build writes the pages and the SVG files (`write`); `python -m course handouts` adds PNG
files and the slides' PDF (`with_browser`), which need Chromium.

Both read what the book's build wrote, so that no figure is drawn twice and none can differ.
"""

import html
import re
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

from course.source import ROOT

DECK = ROOT / "slides" / "deck.md"
LICENCE = (
    "Text, code and figures: MIT licence, the qw2v maintainers. Figures computed from the counts "
    "of Wikipedia: CC BY-SA 3.0, Wikipedia contributors, for what is theirs in them."
)


@dataclass(frozen=True)
class Figure:
    """A figure of the book: its name, where it stands, its picture, caption and description."""

    name: str
    page: str
    title: str
    picture: Path
    number: str
    caption: str
    caption_html: str
    alt: str


def figures(site: Path) -> list[Figure]:
    """Return the numbered figures of a built book, in the order of its pages."""
    found = []
    for page in _pages(site):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        title = soup.find("h1")
        for figure in soup.select("figure[id^=fig-]"):
            image = figure.find("img")
            if image is None or not str(image.get("src", "")).endswith(".svg"):
                continue
            words = title.get_text().rstrip("#") if title else page.stem
            found.append(_figure(figure, image, page, site, words))
    return found


def _pages(site: Path) -> list[Path]:
    """Return the pages in the book's order, as the sidebar of its first page has it."""
    soup = BeautifulSoup((site / "index.html").read_text(encoding="utf-8"), "html.parser")
    links = [str(a["href"]).split("#")[0] for a in soup.select("nav.bd-links a[href]")]
    pages = [site / "index.html", *(site / link for link in links if "://" not in link)]
    return [page for page in dict.fromkeys(pages) if page.is_file()]


def _figure(figure: Tag, image: Tag, page: Path, site: Path, title: str) -> Figure:
    caption = figure.find("figcaption")
    number, text, inner = "", "", ""
    if caption is not None:
        for link in caption.select("a.headerlink"):
            link.decompose()
        for link in caption.select("a[href]"):  # from the figure's page; now from the gallery's
            target = urljoin(f"/{page.relative_to(site).as_posix()}", str(link["href"]))
            link["href"] = f"..{target}" if target.startswith("/") else target
        label = caption.find(class_="caption-number")
        number = label.get_text().strip() if label else ""
        body = caption.find(class_="caption-text") or caption
        text, inner = body.get_text().strip(), body.decode_contents().strip()
    return Figure(
        str(figure["id"]),
        page.relative_to(site).as_posix(),
        title.strip(),
        (page.parent / str(image["src"])).resolve(),
        number,
        text,
        inner,
        str(image.get("alt", "")),
    )


def write(site: Path) -> list[Path]:
    """Write figures/ and slides/ into a built book; return the two pages."""
    found = figures(site)
    return [_write_figures(site, found), _write_slides(site, {one.name: one for one in found})]


HEAD = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>{title}</title>
<link rel="icon" href="../_static/favicon.svg">
<script>window.MathJax = {{tex: {{inlineMath: [["\\\\(", "\\\\)"]]}}}};</script>
<script defer src="{mathjax}"></script>
<style>{style}</style></head>
"""
GALLERY = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem;
background: #fff; color: #222; }
figure { border-top: 1px solid #ccc; margin: 0; padding: 1.5rem 0; }
img { max-width: 100%; height: auto; }
a { color: #0f5bc7; }
"""


def _mathjax(site: Path) -> str:
    """Return where the book keeps MathJax, from a folder one below the top."""
    scripts = sorted(site.glob("_static/mathjax/**/tex-*.js"))
    chosen = [s for s in scripts if s.name in ("tex-chtml.js", "tex-mml-chtml.js")] or scripts
    return f"../{chosen[0].relative_to(site).as_posix()}" if chosen else ""


def _size(picture: Path) -> str:
    """Return the attributes by which a page keeps a picture's room free before it is there."""
    text = picture.read_text(encoding="utf-8")
    box = re.search(r'viewBox="[\d.]+ [\d.]+ ([\d.]+) ([\d.]+)"', text)
    # The pictures are drawn in points, of which a pixel is three quarters.
    return "".join(
        f' {name}="{float(side) * 4 / 3:.0f}"'
        for name, side in zip(("width", "height"), box.groups() if box else (), strict=False)
    )


def _write_figures(site: Path, found: list[Figure]) -> Path:
    folder = site / "figures"
    folder.mkdir(exist_ok=True)
    parts = [HEAD.format(title="Figures", mathjax=_mathjax(site), style=GALLERY)]
    parts.append('<body><main><h1>Figures of the book</h1><p><a href="../for-teachers.html">For ')
    parts.append(f"teachers</a> · {html.escape(LICENCE)}</p>")
    listed = []
    for one in found:
        shutil.copyfile(one.picture, folder / f"{one.name}.svg")
        listed.append(f"{one.name}: {one.number} {one.caption}\n")
        name, links = html.escape(one.name), f'<a href="{one.name}.svg" download>SVG</a>'
        if (folder / f"{one.name}.png").is_file():
            links += f' · <a href="{one.name}.png" download>PNG</a>'
        parts.append(
            f'<figure id="{name}">'
            f'<img src="{name}.svg" alt="{html.escape(one.alt)}"{_size(one.picture)} '
            'loading="lazy">'
            f"<figcaption><p><strong>{html.escape(one.number)}</strong> {one.caption_html}</p>"
            f'<p>{links} · <a href="../{one.page}#{name}">{html.escape(one.title)}</a></p>'
            "</figcaption></figure>"
        )
    (folder / "captions.txt").write_text("\n".join([LICENCE, "", *listed]), encoding="utf-8")
    with zipfile.ZipFile(folder / "figures.zip", "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(folder.iterdir()):
            if path.suffix in (".svg", ".png", ".txt"):
                bundle.write(path, f"figures/{path.name}")
    parts.append('<p><a href="figures.zip" download>All of them, with captions</a></p>')
    page = folder / "index.html"
    page.write_text("\n".join([*parts, "</main></body></html>"]), encoding="utf-8")
    return page


SLIDES = """
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: #1b1b1b; font: 28px/1.4 system-ui, sans-serif; }
section { display: none; flex-direction: column; justify-content: center; gap: .4em;
width: 100vw; height: 100vh; padding: 3vh 6vw; overflow: hidden; }
section.now { display: flex; }
h1 { font-size: 1.9em; line-height: 1.15; margin: 0; } h2 { font-size: 1.45em; margin: 0; }
p, ul { margin: .2em 0; }
figure { flex: 1; min-height: 0; margin: 0; text-align: center; }
figure img { max-width: 100%; max-height: 100%; height: 100%; object-fit: contain; }
aside { display: none; }
footer { position: fixed; right: 1vw; bottom: 1vh; font-size: 16px; color: #555; }
@page { size: 1280px 720px; margin: 0; }
@media print {
  section { display: flex !important; width: 1280px; height: 719px; page-break-after: always; }
  footer { display: none; }
}
"""
KEYS = """
const slides = [...document.querySelectorAll("section")];
const place = document.querySelector("footer");
let now = Math.max(0, (parseInt(location.hash.slice(1)) || 1) - 1);
function show(n) {
  now = Math.min(Math.max(n, 0), slides.length - 1);
  slides.forEach((s, i) => s.classList.toggle("now", i === now));
  place.textContent = `${now + 1} / ${slides.length}`;
  history.replaceState(null, "", `#${now + 1}`);
}
addEventListener("keydown", (event) => {
  const step = {ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1}[event.key];
  if (step) { event.preventDefault(); show(now + step); }
  if (event.key === "Home") show(0);
  if (event.key === "End") show(slides.length - 1);
});
addEventListener("click", (event) => { if (!event.target.closest("a")) show(now + 1); });
show(now);
"""


@dataclass(frozen=True)
class Slide:
    """One slide: its Markdown, the names of its figures, the speaker's notes and minutes."""

    text: str
    figures: list[str]
    notes: str
    minutes: int


def deck(path: Path = DECK) -> list[Slide]:
    """Read the deck."""
    found = []
    for part in re.split(r"^---$", path.read_text(encoding="utf-8"), flags=re.M):
        text, _, notes = part.partition("\n???\n")
        minutes = re.match(r"(\d+) min\.", notes.strip())
        if minutes is None:
            raise ValueError(
                f"{path}: a slide's notes begin with its minutes: {text.strip()[:60]!r}"
            )
        names = re.findall(r"!\[\]\((fig-[\w-]+)\)", text)
        found.append(Slide(text.strip(), names, notes.strip(), int(minutes[1])))
    return found


def _write_slides(site: Path, by_name: dict[str, Figure]) -> Path:
    folder = site / "slides"
    folder.mkdir(exist_ok=True)
    markdown = MarkdownIt("commonmark").use(dollarmath_plugin, renderer=_formula)
    parts = [HEAD.format(title="Slides", mathjax=_mathjax(site), style=SLIDES), "<body><main>"]
    for number, slide in enumerate(deck(), 1):
        missing = [name for name in slide.figures if name not in by_name]
        if missing:
            raise ValueError(f"slide {number}: the book has no figure {', '.join(missing)}")
        body = markdown.render(slide.text)
        for name in slide.figures:
            image = (
                f'<figure><img src="../figures/{name}.svg" alt="{html.escape(by_name[name].alt)}">'
            )
            body = re.sub(rf'<p><img src="{name}" alt="" /></p>', f"{image}</figure>", body)
        notes = html.escape(slide.notes)
        parts.append(f'<section aria-label="Slide {number}">{body}<aside>{notes}</aside></section>')
    parts.append(f"</main><footer></footer><script>{KEYS}</script></body></html>")
    page = folder / "index.html"
    page.write_text("\n".join(parts), encoding="utf-8")
    return page


def _formula(content: str, options: dict) -> str:
    left, right = ("\\[", "\\]") if options["display_mode"] else ("\\(", "\\)")
    return f"{left}{html.escape(content)}{right}"


def with_browser(site: Path, browser: object) -> list[Path]:
    """Write every figure as PNG, twice its size, and the slides as PDF."""
    tab = browser.new_page(device_scale_factor=3, viewport={"width": 1400, "height": 1200})
    written = []
    tab.goto((site / "figures" / "index.html").as_uri())
    for picture in sorted((site / "figures").glob("*.svg")):
        path = picture.with_suffix(".png")
        image = tab.locator(f"#{picture.stem} img")
        image.scroll_into_view_if_needed()
        image.evaluate("image => image.decode()")
        image.screenshot(path=path)
        written.append(path)
    tab.close()
    write(site)  # the page names what is there
    tab = browser.new_page(viewport={"width": 1280, "height": 720})
    tab.goto((site / "slides" / "index.html").as_uri())
    if _mathjax(site):
        tab.wait_for_function("window.MathJax && MathJax.startup && MathJax.startup.promise")
        tab.evaluate("MathJax.startup.promise")
    path = site / "slides" / "slides.pdf"
    tab.pdf(path=path, prefer_css_page_size=True, print_background=True)
    tab.close()
    return [*written, path]
