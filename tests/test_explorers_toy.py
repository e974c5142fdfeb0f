# ruff: noqa: F811  fixtures are imported by name
"""The toy: its counting, its tables and its modes against the package; a reader who edits."""

import re

import numpy as np
import pytest
import traitlets
from test_explorers import javascript  # noqa: F401
from test_explorers_trainer import Opened

import qw2v
from qw2v.explorers import Toy

TEXTS = [
    "a b a c\n\nb c a  B. a\nC",
    "über Öl, über ÖL; a-b\r\nöl b a über",
    "the cat\tthe 2 dogs\nthe",
]
WORDS = ["a b c", "über öl a b", "the cat dogs"]


@pytest.mark.parametrize("window", [1, 2, 4])
@pytest.mark.parametrize(("text", "words"), list(zip(TEXTS, WORDS, strict=True)))
def test_the_page_counts_as_the_package_does(javascript, text, words, window):
    explorer = Toy(text=text, words=words, window=window)
    stats = explorer.statistics()
    found = javascript(
        explorer,
        """(() => {
          const counted = m.countIn(v.text, v.words, v.window);
          const { unigram, skipgram, mstar, values, vectors } = m.tablesOf(counted);
          const plain = (xs) => [...xs];
          return { counts: counted.counts, pairs: plain(counted.pairs), unigram, values,
            skipgram: plain(skipgram), mstar: plain(mstar), vectors: vectors.map(plain) };
        })()""",
        text=text,
        words=words.split(),
        window=window,
    )
    order = [stats.index[word] for word in words.split()]  # the package sorts by frequency
    V = len(order)
    pairs = stats.pair_counts.toarray()[np.ix_(order, order)]
    assert found["counts"] == stats.word_counts[order].tolist()
    assert np.reshape(found["pairs"], (V, V)).tolist() == pairs.tolist()
    np.testing.assert_allclose(found["unigram"], stats.unigram[order])
    joint = stats.skipgram.toarray()[np.ix_(order, order)]
    np.testing.assert_allclose(np.reshape(found["skipgram"], (V, V)), joint)
    matrix = qw2v.target(stats).toarray()[np.ix_(order, order)]
    np.testing.assert_allclose(np.reshape(found["mstar"], (V, V)), matrix, atol=1e-13)
    np.testing.assert_allclose(found["values"], np.linalg.eigvalsh(matrix)[::-1], atol=1e-12)
    vectors = np.transpose(found["vectors"])
    np.testing.assert_allclose(matrix @ vectors, vectors * found["values"], atol=1e-12)


def test_what_has_no_tables_is_said_in_words(javascript):
    asked = [
        ("a b", "a"), ("a b", "a b c d e f g"), ("a b", "a a"), ("a b", "a x y"), ("a\nb", "a b"),
        ("a b", "a b"),
    ]  # fmt: skip
    said = javascript(
        Toy(),
        "v.asked.map(([text, words]) => m.problemOf(words, m.countIn(text, words, 2)))",
        asked=[(text, words.split()) for text, words in asked],
    )
    assert said[0] == "Name two words or more."
    assert said[1].startswith("7 words are too many")
    assert said[2] == "“a” is named twice."
    assert said[3] == "The text has no “x” and no “y”."
    assert said[4] == "No two of these words stand on one line."
    assert said[5] == ""


def test_the_default_text_has_two_modes_with_a_meaning():
    explorer = Toy()
    values, vectors = qw2v.target(explorer.statistics()).eigenpairs(2)
    words = explorer.statistics().words
    first, second = (dict(zip(words, np.sign(v), strict=True)) for v in vectors.T)
    assert first["cat"] == first["milk"] == -first["dog"] == -first["bone"]  # two topics
    assert second["cat"] == second["dog"] == -second["milk"] == -second["bone"]  # animals, things
    assert values[1] > 0.1
    assert len(explorer.still().axes) == 3


def test_a_table_of_one_word_or_of_seven_is_refused():
    for words in ("cat", "a b c d e f g"):
        with pytest.raises(traitlets.TraitError, match="name 2 to 6"):
            Toy(words=words)
    with pytest.raises(traitlets.TraitError, match="window"):
        Toy(window=0)


@pytest.mark.site
def test_a_reader_edits_the_text_and_every_table_changes(browser, tmp_path):
    path = tmp_path / "toy.html"
    head = "<!doctype html><html lang='en'><meta charset='utf-8'><title>Toy</title>"
    path.write_text(f"{head}<body><main><h1>Toy</h1>{Toy().to_html()}</main></body></html>")
    with Opened(browser, path, width=390) as visit:
        tables = visit.page.locator("table.matrix")
        assert tables.count() == 5
        text, words = visit.control("the text: a line is a document"), visit.control("the words")
        before, said = tables.all_inner_texts(), visit.said()
        assert said.startswith("Mode 1, λ = 4.28, sets ") and "2 of 4 modes" in said
        text.focus()
        visit.page.keyboard.press("Control+End")
        visit.page.keyboard.type(" Milk and bone, bone and milk.")
        assert visit.said() != said
        after = tables.all_inner_texts()
        assert all(one != other for one, other in zip(before, after, strict=True))
        for control in ("window L", "size of the start"):
            drawn = visit.drawing()
            visit.control(control).press("ArrowRight")
            visit.said()
            assert visit.drawing() != drawn, control
        words.fill("cat zebra")
        alert = visit.page.get_by_role("alert")
        assert visit.said() == alert.inner_text() == "The text has no “zebra”."
        words.fill("cat dog")
        assert re.match(r"Mode 1, λ = ", visit.said()) and alert.inner_text() == ""
        assert tables.last.locator("tbody tr").count() == 2
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
        axe = pytest.importorskip("axe_playwright_python.sync_playwright")
        found = axe.Axe().run(visit.page).response["violations"]
        assert [violation["id"] for violation in found] == []
    assert (visit.errors, visit.failed, visit.outside) == ([], [], [])
