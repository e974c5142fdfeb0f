"""One static page of word vectors: what it holds, what it says in a browser, what it refuses."""

import re

import numpy as np
import pytest
from test_site import Visit

import qw2v
from qw2v import features, page
from qw2v.__main__ import main

HOSTILE = [
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "a\"b'c&amp;", "\u2028",
    "<!--", "naïve", "日本", "__proto__", "constructor", "Berlin", "' onfocus=alert(1) '",
]  # fmt: skip


def vectors_of(words, dim, seed=0):
    rng = np.random.default_rng(seed)
    scales = np.geomspace(3, 0.1, dim)
    return qw2v.WordVectors(words, rng.standard_normal((len(words), dim)) * scales)


@pytest.fixture(scope="module")
def vectors():
    words = [a + b + c for a in "abcdefgh" for b in "klmnop" for c in "uvwxyz"]
    return vectors_of(words + HOSTILE, 24)


# ---- what it holds -------------------------------------------------------------------------------


def test_no_cosine_moves_by_more_than_eight_bits_allow(vectors):
    found = page.coordinates(vectors.matrix)
    rows = found["entries"].T * found["step"]
    assert found["entries"].dtype == np.int8 and found["entries"].shape == (24, len(vectors))
    np.testing.assert_allclose(found["lengths"], np.linalg.norm(vectors.matrix, axis=1))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    exact = vectors.normalized @ vectors.normalized.T
    assert np.abs(unit @ unit.T - exact).max() < 0.01


def test_features_are_the_left_singular_vectors(vectors):
    found = page.coordinates(vectors.matrix)
    values, expected = features.components(vectors.matrix)
    entries = found["entries"].T * found["step"] * found["lengths"][:, None]
    half = found["step"] / 2 * found["lengths"][:, None]
    assert np.all(np.abs(entries - expected * values) <= half * 1.01 + 1e-12)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_any_scale_and_more_dimensions_than_words(scale):
    matrix = np.vstack([vectors_of(list("abc"), 5).matrix, np.zeros(5)]) * scale
    found = page.coordinates(matrix)
    assert found["entries"].shape == (4, 4) and not found["entries"][:, 3].any()
    assert all(np.isfinite(values).all() for values in found.values())
    text = page.html_page(qw2v.WordVectors(list("abcd"), matrix))
    assert "4 words, 5 dimensions" in text


def test_the_page_asks_no_one_and_escapes_everything(vectors, tmp_path):
    title = '<script>alert(1)</script> & "more"'
    text = page.html_page(vectors, title=title)
    assert text == page.html_page(vectors, title=title)
    assert text.count("<script") == text.count("</script>") == 2
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;" in text
    addresses = re.findall(r"https?://[^\s\"'`<]+", text)
    assert all(address.startswith("http://www.w3.org/") for address in addresses)
    assert "default-src 'none'" in text


def test_a_limit_takes_the_first_words(vectors):
    text = page.html_page(vectors, limit=7)
    assert f"7 words (the first of {len(vectors)})" in text and vectors.words[7] not in text
    for wrong in (0, -1):
        with pytest.raises(ValueError, match="limit"):
            page.html_page(vectors, limit=wrong)


def test_ten_thousand_words_weigh_what_the_docstring_says():
    big = vectors_of([f"word{i}" for i in range(10_000)], 200)
    assert len(page.html_page(big).encode()) < 2.6e6


# ---- the command line ----------------------------------------------------------------------------


def test_the_command_writes_a_page_from_any_format(vectors, tmp_path, capsys):
    plain = vectors_of(["up", "down", "side", "fore"], 3)
    plain.save(tmp_path / "v.npz")
    plain.save_word2vec_format(tmp_path / "v.txt")
    plain.save_word2vec_format(tmp_path / "v.bin", binary=True)
    for name in ("v.npz", "v.txt", "v.bin"):
        output = tmp_path / f"{name}.html"
        assert main(["page", str(tmp_path / name), "-o", str(output)]) == 0
        assert f"<h1>{name}</h1>" in output.read_text(encoding="utf-8")
        said = capsys.readouterr().out
        assert said == f"{output}: 4 words, 0.0 MB\n"
    quiet = ["page", str(tmp_path / "v.txt"), "-o", str(tmp_path / "q.html"), "--quiet"]
    assert main([*quiet, "--limit", "2", "--title", "Mine"]) == 0
    assert capsys.readouterr() == ("", "")
    assert "<h1>Mine</h1>" in (tmp_path / "q.html").read_text(encoding="utf-8")


def test_the_command_refuses_in_its_own_words(vectors, tmp_path, capsys):
    source = tmp_path / "v.npz"
    vectors.save(source)
    for arguments, message in (
        ([str(source), "-o", str(tmp_path / "no" / "p.html")], "there is no folder"),
        ([str(source), "-o", str(source)], "is also an input"),
        ([str(source), "-o", str(tmp_path / "p.html"), "--limit", "0"], "--limit is 0"),
        ([str(tmp_path / "absent"), "-o", str(tmp_path / "p.html")], "absent"),
    ):
        assert main(["page", *arguments]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "p.html").exists()


# ---- in a browser --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(vectors, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "mine.html"
    page.write_page(vectors, path, title="My <own> vectors")
    return path


class Opened(Visit):
    def __init__(self, browser, path, **options):
        super().__init__(browser, path, **options)
        self.page.wait_for_selector("html[data-live=page]")

    def listed(self, heading):
        """Return the words under a heading, and the numbers beside them."""
        box = self.page.locator("section", has=self.page.get_by_role("heading", name=heading))
        rows = box.locator(".results > div, .results > ol").first.locator("li")
        words = rows.locator("button").all_text_contents()
        beside = [text.replace("−", "-") for text in rows.locator(".number").all_text_contents()]
        return words, [float(text) for text in beside if text]


@pytest.mark.site
@pytest.mark.parametrize("mode", ["light", "dark"])
def test_a_reader_searches_asks_and_looks_around(browser, written, vectors, mode):
    with Opened(browser, written, width=390) as visit:
        visit.page.emulate_media(color_scheme=mode)
        assert visit.page.title() == "My <own> vectors"
        for word in ["bky", "<img src=x onerror=alert(1)>", "constructor", "日本"]:
            visit.page.get_by_label("word", exact=True).fill(word)
            names, scores = visit.listed("A word and its neighbours")
            expected = dict(vectors.most_similar(word, topn=len(vectors) - 1))
            assert len(names) == 20 and scores == sorted(scores, reverse=True)
            np.testing.assert_allclose(scores, [expected[name] for name in names], atol=0.012)
            assert scores[0] == pytest.approx(max(expected.values()), abs=0.012)
        asked = ("akv", "bky", "clz")
        for label, word in zip(("a", "is to b", "as c is to …"), asked, strict=True):
            visit.page.get_by_label(label, exact=True).fill(word)
        names, scores = visit.listed("An analogy")
        expected = dict(vectors.analogy(*asked, topn=len(vectors)))
        np.testing.assert_allclose(scores, [expected[name] for name in names], atol=0.02)

        slider = visit.page.get_by_role("slider")
        slider.focus()
        slider.press("ArrowRight")
        up = visit.listed("Features")[0]
        best = np.argsort(-features.components(vectors.matrix)[1][:, 1])[:15]
        assert len(set(up) & {vectors.words[row] for row in best}) >= 13
        visit.page.locator("section").last.locator("li button").first.press("Enter")
        assert visit.page.get_by_label("word", exact=True).input_value() == up[0]
        assert (
            visit.page.locator("[aria-live=polite]")
            .text_content()
            .startswith(f"Nearest to {up[0]}: ")
        )
        strong = visit.page.get_by_role("button", name=re.compile("^feature 2, one end"))
        slider.fill("9")
        strong.click()
        assert slider.input_value() == "2"

        visit.page.get_by_label("word", exact=True).fill("qqq")
        visit.page.keyboard.press("Tab")
        assert f"“qqq” is not among the {len(vectors)} words" in visit.page.content()
        visit.page.get_by_label("word", exact=True).fill("BKY")  # in lower case it is there
        assert visit.listed("A word and its neighbours")[0][0] != ""
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
        axe = pytest.importorskip("axe_playwright_python.sync_playwright")
        found = axe.Axe().run(visit.page).response["violations"]
        assert [violation["id"] for violation in found] == []
    assert (visit.errors, visit.failed, visit.outside) == ([], [], [])


@pytest.mark.site
def test_without_javascript_the_page_says_so(browser, written):
    with browser.new_context(java_script_enabled=False) as context:
        visit = context.new_page()
        visit.goto(written.as_uri())
        assert "without JavaScript" in visit.locator("main").inner_text()
