"""Explorers without a book: their mathematics, their data and their life in a kernel."""

import json
import re
import shutil
import subprocess
import sys
import types
import zlib
from pathlib import Path

import numpy as np
import pytest
import traitlets

import qw2v
from qw2v import _packing, dynamics, explorers
from qw2v.explorers import base, pair

JS = Path(__file__).resolve().parent.parent / "js"
EVERY = [explorers.History, explorers.Modes, explorers.Pairs, explorers.Taylor]


@pytest.fixture(scope="module")
def stats():
    """Sixty words of four topics; many pairs never meet."""
    rng = np.random.default_rng(3)
    words = np.array([a + b for a in "abcdef" for b in "ghijklmnop"])
    documents = []
    for topic in rng.integers(0, 4, 150):
        odds = np.where(np.arange(60) % 4 == topic, 1.0, 0.05) / np.arange(1, 61)
        documents.append(" ".join(rng.choice(words, 12, p=odds / odds.sum())))
    return qw2v.CorpusStatistics.from_texts(documents, vocab_size=60, window=3)


@pytest.fixture(scope="module")
def target(stats):
    return qw2v.target(stats)


@pytest.fixture
def javascript(tmp_path):
    """Evaluate an expression under node, with `m` an explorer's own module or a file of js/."""
    node = shutil.which("node") or shutil.which("nodejs")
    if node is None:
        pytest.skip("no node here to run JavaScript")

    def evaluate(module, expression, **values):
        if isinstance(module, str):
            parts = f"import * as m from '{(JS / module).as_uri()}';"
        else:
            (tmp_path / "explorer.mjs").write_text(module._esm, encoding="utf-8")
            parts = "import { bundle as m } from './explorer.mjs';"
        (tmp_path / "main.mjs").write_text(
            f"{parts}\nconst v = {json.dumps(values)};\n"
            # JSON has no infinity: as text, which Python's float() reads back.
            "const plain = (k, x) => (x === Infinity ? 'inf' : x === -Infinity ? '-inf' : x);\n"
            f"console.log(JSON.stringify({expression}, plain));",
            encoding="utf-8",
        )
        done = subprocess.run([node, tmp_path / "main.mjs"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return evaluate


# ---- the same mathematics ------------------------------------------------------------------------


@pytest.mark.parametrize("s0", [1e-12, 1e-6, 1e-1, 1.0])
@pytest.mark.parametrize("dim", [1, 7, 12])
def test_the_page_computes_the_same_history_as_the_package(javascript, target, s0, dim):
    path = dynamics.aligned(target, s0, dim=dim)
    times = np.array([0, 0.3, 0.9, 1, 1.1, 2, 5, 40]) * np.abs(path.learning_times[0])
    values = {
        "eigenvalues": list(target.eigenpairs(12)[0]),
        "frobenius": target.frobenius_squared,
        "times": list(times),
        "d": dim,
        "s0": s0,
    }
    found = javascript(
        "theory.js",
        """{
          squares: v.times.map((t) => v.eigenvalues.slice(0, v.d).map((x) => m.square(x, v.s0, t))),
          taus: v.eigenvalues.slice(0, v.d).map((x) => m.learningTime(x, v.s0)),
          moments: v.times.map((t) => m.moment(v.eigenvalues, v.frobenius, v.d, v.s0, t)),
          forever: m.moment(v.eigenvalues, v.frobenius, v.d, v.s0, Infinity).loss,
        }""",
        **values,
    )
    expected = dynamics.sigmoid(path.eigenvalues, s0, times[:, None]) ** 2
    np.testing.assert_allclose(found["squares"], expected, rtol=1e-9)
    np.testing.assert_allclose(found["taus"], path.learning_times, rtol=1e-12)
    moments = {name: [m[name] for m in found["moments"]] for name in found["moments"][0]}
    np.testing.assert_allclose(moments["loss"], path.loss(times), rtol=1e-9)
    np.testing.assert_allclose(moments["effectiveRank"], path.participation_ratio(times), rtol=1e-9)
    np.testing.assert_array_equal(moments["learned"], path.learned_modes(times))
    assert found["forever"] == pytest.approx(path.loss(np.inf), rel=1e-9)


def test_half_of_the_final_square_is_reached_at_the_half_time(javascript):
    halves = javascript(
        "theory.js", "[3, 80, 2500].map((x) => m.square(x, 0.1, m.halfTime(x, 0.1)) / x)"
    )
    assert halves == pytest.approx([0.5] * 3)


def test_the_cloud_is_the_embeddings(javascript, stats, target):
    explorer = explorers.History(stats, dim=8)
    _, vectors = target.eigenpairs(8)
    data = {name: read(explorer, name) for name in ("marked", "marked_step", "cloud", "cloud_step")}
    for name in ("marked", "cloud"):
        plane = data[name].reshape(-1, 2) * data[f"{name}_step"]
        rows = range(60)
        if name == "marked":
            rows = [stats.index[word] for word in explorer._texts["words"]]
        np.testing.assert_allclose(plane, vectors[rows][:, [0, 2]], atol=2e-5)


def test_words_of_the_cloud_lie_at_the_end_their_colour_says(stats, target):
    explorer = explorers.History(stats, dim=8)
    plane = target.eigenpairs(8)[1][:, [0, 2]]
    for word, topic in zip(explorer._texts["words"], explorer._texts["topics"], strict=True):
        axis, sign = divmod(topic, 2)
        along = (1 - 2 * sign) * plane[:, axis]
        assert along[stats.index[word]] > 0.75 * along.max()


def test_the_page_knows_every_pair_up_to_half_a_step(javascript, stats, target):
    explorer = explorers.Pairs(stats, vocab_size=20, examples=[("ag", "ah")])
    data = {name: read(explorer, name).tolist() for name in ("codes", "scale", "counts", "total")}
    expression = "v.counts.map((_, i) => v.counts.map((_, j) => m.pairOf(v, i, j)))"
    found = javascript(explorers.Pairs, expression, **data)
    get = np.vectorize(lambda cell, name: float(cell[name]))
    found = {name: get(found, name) for name in ("pmi", "apart", "joint", "target")}

    joint = stats.skipgram[:20, :20].toarray()
    apart = np.outer(stats.unigram[:20], stats.unigram[:20])
    exact = target.toarray()[:20, :20]
    silent = joint == 0
    assert silent.any() and not silent.all()
    np.testing.assert_allclose(found["apart"], apart, rtol=1e-12)
    np.testing.assert_array_equal(found["pmi"] == -np.inf, silent)
    np.testing.assert_array_equal(found["joint"] == 0, silent)
    np.testing.assert_array_equal(found["target"][silent], -2)
    half = pair.STEP / 2 * (1 + 1e-9)
    exact_pmi = np.log(joint[~silent] / apart[~silent])
    assert np.abs(found["pmi"][~silent] - exact_pmi).max() <= half
    assert np.abs(np.log(found["joint"][~silent] / joint[~silent])).max() <= half
    assert np.abs(found["target"] - exact).max() <= half


def test_unrounded_pmi_gives_the_target_to_the_last_digits(javascript, target, stats):
    pmi = pair.pmi_table(stats, 60)
    met = np.isfinite(pmi)
    found = javascript(explorers.Pairs, "v.pmi.map(m.softClip)", pmi=list(pmi[met]))
    np.testing.assert_allclose(found, target.toarray()[met], atol=1e-12)


def test_rounding_spares_what_is_large(javascript):
    codes, lowest = pair.rounded(np.array([-np.inf, -30.0, -5.0, 7.3]))
    assert codes.tolist() == [0, 1, 9, 255]
    assert lowest == pytest.approx(7.3 - 254 * 0.05)


def test_the_parabola_is_taylors(javascript):
    x = np.linspace(-4, 4, 33)
    found = javascript(
        explorers.Taylor, "v.x.map((x) => [m.exactLoss(x), m.parabola(x)])", x=list(x)
    )
    expected = np.stack([np.logaddexp(0, -x), np.log(2) - x / 2 + x**2 / 8], axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-14)


# ---- data on their way to the page ---------------------------------------------------------------


def read(explorer, name):
    """Read an array back from the bytes that an explorer sends."""
    kind, offset, shape = explorer._layout[name]
    bytes_ = zlib.decompress(explorer._blob)
    code = next(code for code, other in _packing.CODES.items() if other == kind)
    return np.frombuffer(bytes_, f"<{code}", int(np.prod(shape)), offset).reshape(shape)


def test_every_kind_of_array_arrives(javascript):
    rng = np.random.default_rng(0)
    arrays = {f"a{code}": rng.integers(0, 100, (3, 2)).astype(code) for code in _packing.CODES}
    layout, blob = _packing.pack(arrays)
    expression = """await m.unpack({ get: (name) => ({
      _layout: v.layout, _blob: new DataView(Uint8Array.from(v.blob).buffer) })[name] })
      .then((found) => Object.fromEntries(Object.entries(found).map(
        ([name, a]) => [name, [a.constructor.name, [...a], a.shape]])))"""
    found = javascript("model.js", expression, layout=layout, blob=list(blob))
    for name, array in arrays.items():
        kind, values, shape = found[name]
        assert kind == _packing.CODES[name[1:]] + "Array"
        assert values == array.ravel().tolist() and shape == [3, 2]


def test_an_array_without_a_javascript_type_is_refused():
    with pytest.raises(TypeError, match="'rows' is int64; allowed are i1, u1"):
        _packing.pack({"rows": np.arange(3)})


def test_quantised_moves_no_entry_by_more_than_half_a_step():
    array = np.random.default_rng(1).standard_normal((50, 4)) * [1, 10, 1e-3, 0]
    integers, step = _packing.quantised(array, np.int8)
    assert np.abs(integers * step - array).max(axis=0) == pytest.approx(step / 2, rel=0.2, abs=1e-9)
    assert np.abs(integers[:, :3].astype(int)).max(axis=0).tolist() == [127] * 3


def test_numbers_are_written_for_people(javascript):
    found = javascript("format.js", "[m.show(-0.00012345), m.power(-12), m.scientific(2.5e-8, 2)]")
    assert found == ["−0.000123", "10⁻¹²", "2.5 × 10⁻⁸"]


def test_labels_stand_apart(javascript):
    assert javascript("marks.js", "m.apart([10, 11, 40], 5)") == [10, 15, 40]


def test_bytes_come_back_from_their_text(javascript):
    for data in (b"", b"a", b"sum", bytes(range(256))):
        found = javascript(
            "model.js", "[...new Uint8Array(m.bytesOf(v.text).buffer)]", text=_packing.base85(data)
        )
        assert bytes(found[: len(data)]) == data
        length = javascript("model.js", "m.bytesOf(v.text).byteLength", text=_packing.base85(data))
        assert length == len(data)


# ---- the two views -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made(stats):
    """One of each explorer."""
    return {
        "History": explorers.History(stats, dim=8),
        "Modes": explorers.Modes(stats, modes=8),
        "Pairs": explorers.Pairs(stats, vocab_size=20, examples=[("ag", "ah")]),
        "Taylor": explorers.Taylor(),
    }


@pytest.mark.parametrize("name", [cls.__name__ for cls in EVERY])
def test_a_live_view_and_a_page_come_together(made, name):
    bundle = made[name]._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    assert "image/svg+xml" not in data  # the book would show it in place of the explorer
    page = data["text/html"]
    assert made[name]._esm in page
    assert page == made[name].to_html()  # the same bytes each time
    addresses = re.findall(r"https?://[^\s\"'<`]+", page)
    assert all(re.match(r"http://www\.w3\.org/(XML/)?\d{4}/", a) for a in addresses)  # XML's names
    for text in re.findall(r'<img [^>]*alt="([^"]*)"', page):
        assert len(text) > 30
    assert page.count("</script>") == 2 and page.count("<script") == 2


def test_colab_gets_the_live_view_alone(made, monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    bundle = made["Taylor"]._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "text/html" not in data


def test_the_page_holds_the_traits_as_they_are(stats):
    page = explorers.Modes(stats, modes=8, dim=5, log_scale=-3, kind="ppmi").to_html()
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])
    assert (state["dim"], state["log_scale"], state["kind"]) == (5, -3, "ppmi")
    assert {"layout", "tabbable", "_esm", "_css", "_model_name"}.isdisjoint(state)


def test_text_of_a_corpus_cannot_end_the_script(stats):
    words = ["</script><script>alert(1)</script>", *stats.words[1:]]
    odd = qw2v.CorpusStatistics(
        words, stats.word_counts, stats.pair_counts, stats.window, stats.window_weights,
        stats.out_of_vocabulary, stats.n_documents, stats.n_tokens,
    )  # fmt: skip
    page = explorers.Pairs(odd, vocab_size=20).to_html()
    assert page.count("</script>") == 2


def test_colours_of_text_can_be_read_on_both_grounds():
    sheet = base.stylesheet()
    assert "colours */" not in sheet and sheet.count("--m8:") == 2
    assert base.legible("#ffff00", "#ffffff") != "#ffff00"
    assert base.legible("#000000", "#ffffff") == "#000000"


def test_a_word_that_is_not_there_is_refused(stats):
    explorer = explorers.Pairs(stats, vocab_size=20, examples=[("ag", "ah")])
    with pytest.raises(traitlets.TraitError, match="'zebra' is not among the 20 words"):
        explorer.first = "zebra"
    with pytest.raises(traitlets.TraitError, match="greater than|less than|<=|≤|range|maximum"):
        explorers.Taylor(x=9)


def test_examples_with_unknown_words_are_left_out(stats):
    explorer = explorers.Pairs(stats, vocab_size=20)  # none of the built-in examples is there
    assert [explorer.first, explorer.second] == stats.words[:2]


# ---- the room that a page keeps free -------------------------------------------------------------


@pytest.mark.site
@pytest.mark.parametrize(("width", "which"), [(360, 0), (720, 1)])
def test_nothing_below_an_explorer_moves_when_it_is_drawn(browser, tmp_path, stats, width, which):
    every = [  # without those whose height is in the lengths of their words
        explorers.Modes(stats, modes=8), explorers.Taylor(), explorers.Spike(), explorers.Start(),
        explorers.StepSize([3.0, 2, 1]), explorers.Toy(),
    ]  # fmt: skip
    path = tmp_path / "page.html"
    head = "<!doctype html><html lang='en'><meta charset='utf-8'><title>All</title><main>"
    path.write_text(head + "".join(one.to_html() for one in every))
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(path.as_uri())
    for one in every:
        name = type(one).__name__.lower()
        page.wait_for_selector(f"[data-explorer^='{name}-'][data-live='page']")
        height = page.locator(f"[data-explorer^='{name}-'] .qw2v-live").bounding_box()["height"]
        assert abs(height - one.heights[which]) < 0.12 * height, (name, height)
    page.close()


@pytest.mark.site
def test_a_picture_takes_the_place_of_what_fails_or_has_no_script(browser, tmp_path):
    path = tmp_path / "page.html"
    whole = explorers.Taylor().to_html()
    for text, enabled in ((whole, False), (whole.replace('"_layout":{}', '"_layout":null'), True)):
        path.write_text(f"<!doctype html><meta charset='utf-8'>{text}")
        with browser.new_context(java_script_enabled=enabled) as context:
            page = context.new_page()
            page.goto(path.as_uri())
            page.locator("img").first.wait_for(state="visible")


def test_an_explorer_without_a_picture_is_refused_when_it_is_defined():
    with pytest.raises(TypeError, match="Bare has no picture for paper: give it still()"):
        type("Bare", (explorers.base.Explorer,), {"module": "modes.js"})
