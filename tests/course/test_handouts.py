"""Slides, figures to download, the page for teachers: what they say is what the book has."""

import re
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from course import handouts

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "extensions"))

import teaching  # noqa: E402

PAGE = """<html><head><title>x</title></head><body>
<nav class="bd-links"><a href="a.html">A</a></nav>
<h1>A chapter<a class="headerlink">#</a></h1>
<figure id="fig-{0}"><img src="_images/x.svg" alt="say">
<figcaption><p><span class="caption-number">Fig. 1 </span><span class="caption-text"><b>See</b> it,
<a href="#eq">(1)</a>, <a href="sub/b.html#c">b</a>, <a href="https://c.org">c</a>.
</span><a class="headerlink">#</a></p></figcaption></figure></body></html>"""
SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 360 240">
<rect width="360" height="240"/></svg>"""


@pytest.fixture
def book(tmp_path):
    """Return a book of one page a figure that the slides want."""
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images" / "x.svg").write_text(SVG)
    names = [name for slide in handouts.deck() for name in slide.figures]
    figure = re.search(r"<figure.*</figure>", PAGE, re.S)[0]
    page = PAGE.replace(figure, "".join(figure.replace("fig-{0}", name) for name in names))
    (tmp_path / "a.html").write_text(page)
    (tmp_path / "index.html").write_text(PAGE.replace(figure, ""))
    return tmp_path


def test_the_deck_takes_45_minutes():
    slides = handouts.deck()
    assert sum(slide.minutes for slide in slides) == 45
    assert sum(bool(slide.figures) for slide in slides) >= 12


def test_the_decks_figures_are_in_the_chapters():
    text = "".join(path.read_text("utf-8") for path in (ROOT / "chapters").glob("*.ipynb"))
    for slide in handouts.deck():
        for name in slide.figures:
            assert f'"name": "{name}"' in text, name


def test_figures_come_with_caption_and_licence(book):
    handouts.write(book)
    page = BeautifulSoup((book / "figures" / "index.html").read_text("utf-8"), "html.parser")
    assert "CC BY-SA" in page.get_text() and "MIT" in page.get_text()
    for figure in page.select("figure"):
        assert (book / "figures" / f"{figure['id']}.svg").is_file()
        links = [link["href"] for link in figure.select("figcaption p:first-child a")]
        assert links == ["../a.html#eq", "../sub/b.html#c", "https://c.org"]
        assert figure.find("img")["alt"] == "say" and "See it" in figure.get_text()
        assert (book / "figures" / figure.select_one("a[download]")["href"]).is_file()
    assert (book / "figures" / "figures.zip").is_file()


def test_slides_show_the_books_figures_with_their_descriptions(book):
    handouts.write(book)
    page = BeautifulSoup((book / "slides" / "index.html").read_text("utf-8"), "html.parser")
    assert len(page.select("section")) == len(handouts.deck())
    for image in page.select("img"):
        assert (book / "slides" / image["src"]).resolve().is_file() and image["alt"]
    assert "$" not in page.get_text()


def test_a_figure_that_the_book_has_not_is_named(book):
    (book / "a.html").write_text((book / "index.html").read_text())
    with pytest.raises(ValueError, match="the book has no figure fig-window"):
        handouts.write(book)


def test_png_and_pdf(book, browser):
    handouts.write(book)
    written = handouts.with_browser(book, browser)
    assert all(path.stat().st_size > 500 for path in written)
    assert written[-1].read_bytes()[:5] == b"%PDF-"
    page = (book / "figures" / "index.html").read_text("utf-8")
    assert page.count(".png") == page.count("<figure")


def test_needs_are_read_off_the_chapters():
    chapters = {one.name: one for one in teaching.chapters()}
    assert set(chapters) == {path.stem for path in (ROOT / "chapters").glob("*.ipynb")}
    assert chapters["words"].needs == []
    assert chapters["derivation"].needs == ["words"]
    assert "closed-form" in chapters["training"].needs
    assert [name for name, one in chapters.items() if not one.needs] == ["words"]


def test_graph_links_every_chapter():
    address = {one.name: f"{one.name}.html" for one in teaching.chapters()}
    picture = BeautifulSoup(teaching.graph(address), "html.parser")
    assert {a["href"] for a in picture.select("a")} == set(address.values())
    arrows = sum(len(one.needs) for one in teaching.chapters())
    assert len(picture.select("path")) == arrows
