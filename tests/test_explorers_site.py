# ruff: noqa: F811  fixtures are imported by name
"""Explorers in a browser: on the book's pages by mouse and by keyboard, and linked to a kernel."""

import base64
import functools
import http.server
import json
import re
import threading
from time import monotonic
from urllib.parse import urlsplit

import comm
import numpy as np
import pytest
from test_explorers import read
from test_site import NEXT_FRAME, THEME_LOGS, Visit

import qw2v
from qw2v import datasets, dynamics, explorers, features, figures, taskvectors
from qw2v.dynamics import discrete
from qw2v.explorers import pair, start

pytestmark = pytest.mark.site
PAGES = {
    "history": "index",
    "modes": "chapters/closed-form",
    "taylor": "chapters/derivation",
    "pairs": "chapters/derivation",
    "analogy": "chapters/analogies",
    "spike": "chapters/analogies",
    "start": "chapters/exact",
    "features": "chapters/features",
    "stepsize": "chapters/steps",
}
# Every control of each, by its label or its text.
CONTROLS = {
    "history": {"Play", "training time t / τ₁", "size of the start"},
    "modes": {
        "matrix", "size of the start", "dimension d", "Play", "time t / τ₁", "logarithmic",
        "mode k",
    },
    "taylor": {"x = wᵢ · wⱼ"},
    "pairs": {
        "first word", "second word",
        "los + angeles", "king + queen", "war + battle", "film + species",
    },
    "analogy": {
        "word a", "is to b", "as c is to …", "example", "dimension d", "training time t / τ₁",
        "chart against",
    },
    "spike": {"category", "dimension d", "rows of length one", "questions"},
    "start": {"scale σ of the start", "angle to the modes", "λ₂ / λ₁"},
    "features": {"model", "feature k"},
    "stepsize": {"step size η λ₁"},
}  # fmt: skip


class Opened(Visit):
    """One explorer of a page, from disk or from a server on this machine, and nothing else."""

    def __init__(self, browser, name, root, **options):
        class Address(str):
            as_uri = str.__str__

        self.server = urlsplit(root).netloc
        super().__init__(browser, Address(f"{root}/{PAGES[name]}.html"), **options)
        self.box = self.page.locator(f"[data-explorer^='{name}-']")
        self.page.wait_for_selector(f"[data-explorer^='{name}-'][data-live='page']")
        self.box.scroll_into_view_if_needed()

    def only_local(self, route):
        if self.server and urlsplit(route.request.url).netloc == self.server:
            route.continue_()
        else:
            super().only_local(route)

    def control(self, name):
        return self.box.get_by_label(name, exact=True).or_(
            self.box.get_by_role("button", name=name, exact=True)
        )

    def controls(self):
        """Return the names of all controls."""
        return self.box.locator("input, select, button").evaluate_all(
            """all => all.map((e) => {
              const label = e.labels?.[0] ?? e;
              return (label.firstChild.textContent || label.textContent).trim();
            })"""
        )

    def value(self, name):
        """Return the number beside a slider."""
        return number(self.control(name).get_attribute("aria-valuetext"))

    def said(self):
        """Return the read-out, once what was asked for has been drawn."""
        self.page.evaluate(NEXT_FRAME)
        return self.box.locator(".said").inner_text()

    def shown(self):
        """Return all that is said and all numbers."""
        return self.box.locator(".said, dd").all_inner_texts()

    def ours(self):
        """Return the errors that are not the theme's."""
        return [e for e in self.errors if not any(known in e for known in THEME_LOGS)]

    def drawing(self):
        """Return all that is drawn, canvases and SVG."""
        return self.box.evaluate(
            "e => [...e.querySelectorAll('canvas')].map((c) => c.toDataURL() + c.style.maskImage)"
            ".concat([...e.querySelectorAll('svg')].map((s) => s.innerHTML)).join()"
        )


def number(text):
    """Return the number in a text of ours: 0.1, −3, 10⁻⁶, 2.5 × 10⁻⁸."""
    plain = text.translate(str.maketrans("−⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "--0123456789"))
    if found := re.fullmatch(r"(?:≈ )?(?:([\d.]+) × )?10(-?\d+)", plain):
        return float(found[1] or 1) * 10.0 ** int(found[2])
    return float(plain.removeprefix("≈ ").replace("∞", "inf"))


def numbers(text):
    return [number(found) for found in re.findall(r"−?\d+(?:\.\d+)?", text)]


@pytest.fixture(scope="module")
def served(site):
    handler = functools.partial(Quiet, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(params=["file", "http"])
def root(request, site):
    return site.as_uri() if request.param == "file" else request.getfixturevalue("served")


@pytest.fixture(scope="module")
def stats():
    return qw2v.load_statistics()


@functools.cache
def spectrum(kind):
    return qw2v.target(qw2v.load_statistics(), kind)


# ---- what qw2v computes for what the controls show -----------------------------------------------


def check_history(visit):
    scale = {"-6": 1e-6, "-1": 1e-1}[visit.control("size of the start").input_value()]
    path = dynamics.aligned(spectrum("mstar"), scale, dim=200)
    check_moment(path, visit.value("training time t / τ₁"), *numbers(visit.said())[:4])


def check_moment(path, time, shown_time, learned, dim, share):
    # The read-out says the time to two digits: it must lie between what holds a little apart.
    around = np.array([max(time - 0.006, 0), time + 0.006]) * path.learning_times[0]
    assert shown_time == time
    low, high = path.learned_modes(around)
    assert low <= learned <= high and dim == len(path.learning_times)
    first = path.loss(0.0)
    high, low = path.loss(around) / first * 100
    assert low - 0.06 <= share <= high + 0.06


def check_modes(visit):
    kind = visit.control("matrix").input_value()
    dim, k = int(visit.value("dimension d")), int(visit.value("mode k"))
    scale, time = visit.value("size of the start"), visit.value("time t / τ₁")
    path = dynamics.aligned(spectrum(kind), scale, dim=dim)
    moment, mode, words = visit.said().splitlines()
    shown, learned, of, effective, share = numbers(moment.split(", ", 1)[1])[:5]
    check_moment(path, time, shown, learned, of, share)
    around = np.array([max(time - 0.006, 0), time + 0.006]) * path.learning_times[0]
    low, high = sorted(path.participation_ratio(around))
    assert low - 0.06 <= effective <= high + 0.06
    k = min(k, dim)
    shown_k, value, tau, s = numbers(mode.replace("τ₁", ""))
    assert shown_k == k
    assert value == pytest.approx(path.eigenvalues[k - 1], rel=1e-3)
    assert tau == pytest.approx(path.learning_times[k - 1] / path.learning_times[0], abs=0.006)
    low, high = dynamics.sigmoid(path.eigenvalues[k - 1], scale, around)
    assert low - 0.01 <= s <= high + 0.01
    up, down = qw2v.targets.mode_words(path.eigenvectors, qw2v.load_statistics().words, k, n=6)
    assert words == f"One end: {', '.join(up)}. The other: {', '.join(down)}."


def check_taylor(visit):
    x = visit.value("x = wᵢ · wⱼ")
    exact, parabola = np.logaddexp(0, -x), np.log(2) - x / 2 + x**2 / 8
    shown = numbers(visit.said())[:4]
    assert shown == pytest.approx([x, exact, parabola, parabola - exact], abs=6e-4)


def check_pairs(visit):
    stats = qw2v.load_statistics()
    i, j = (stats.index[visit.control(f"{nth} word").input_value()] for nth in ("first", "second"))
    visit.said()
    joint, apart, pmi, entry = (number(t) for t in visit.box.locator("dd").all_inner_texts())
    exact = stats.skipgram[i, j]
    assert apart == pytest.approx(stats.unigram[i] * stats.unigram[j], rel=5e-3)
    assert joint == pytest.approx(exact, rel=0.026 + 0.05)  # rounding of PMI, and two digits
    expected = np.log(exact / (stats.unigram[i] * stats.unigram[j]))
    assert pmi == pytest.approx(expected, abs=pair.STEP / 2 + 0.006)
    assert entry == pytest.approx(2 * np.tanh(expected / 2), abs=pair.STEP / 2 + 0.006)


@functools.cache
def analogies():
    return explorers.Analogy(qw2v.load_statistics())


def leaders(asked, against, dim, time):
    """Return where the chart's axis has its points, and the word that leads at each."""
    explorer = analogies()
    unasked = np.array([word not in asked for word in explorer.words])
    if against == "time":
        moments = np.geomspace(1, 20, 60)
        found = [explorer.vectors(dim, moment).analogy(*asked)[0][0] for moment in moments]
        return moments, found
    W = explorer.vectors(200, time).matrix
    sums = [np.cumsum(W * W[explorer.index[word]], axis=1) for word in asked]
    sizes = [s[explorer.index[word]] ** 0.5 for s, word in zip(sums, asked, strict=True)]
    a, b, c = (s / size for s, size in zip(sums, sizes, strict=True))
    score, size = (b - a + c)[:, 1:], np.cumsum(W * W, axis=1)[:, 1:] ** 0.5
    scores = np.divide(score, size, out=np.zeros_like(score), where=size > 0)
    scores[~unasked] = -np.inf
    return np.arange(2, 201), [explorer.words[row] for row in scores.argmax(axis=0)]


def check_analogy(visit):
    explorer = analogies()
    asked = [visit.control(n).input_value() for n in ("word a", "is to b", "as c is to …")]
    dim, time = int(visit.value("dimension d")), visit.value("training time t / τ₁")
    visit.box.locator(".said", has_text="Against").wait_for()  # the rest comes a little later
    answers = explorer.vectors(dim, time).analogy(*asked, topn=8)
    assert visit.box.locator("tbody th").all_inner_texts() == [word for word, _ in answers]
    shown = [number(t) for t in visit.box.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert shown == pytest.approx([score for _, score in answers], abs=6e-4)
    said = visit.box.locator(".said").inner_text()
    (first, best), (second, next_best), *_ = answers
    a, b, c = asked
    assert said.startswith(
        f"{a} is to {b} as {c} is to {first}, {best:.3f}, ahead of {second}, {next_best:.3f}, "
        f"at d = {dim}, t = {time:g} τ₁."
    )

    right = [
        d.lower()
        for pairs in qw2v.datasets.load_google_analogies().values()
        for c_, d in pairs
        if (a, b) in [(x.lower(), y.lower()) for x, y in pairs] and c_.lower() == c
        if d.lower() in explorer.index and d.lower() not in asked
    ]
    expected = right[0] if right else explorer.vectors(200, 20.0).analogy(*asked)[0][0]
    assert (f"{expected}, the answer" in said) == (expected != first)
    against = visit.control("chart against").input_value()
    points, found = leaders(asked, against, dim, time)
    where = np.flatnonzero(np.array(found) == expected)
    axis = "the dimension" if against == "dim" else "time"
    _, _, lead = said.partition(f"Against {axis}, {expected} ")
    if not len(where):
        assert lead == "never leads."
        return
    runs = np.split(where, np.flatnonzero(np.diff(where) > 1) + 1)
    if runs[-1][-1] == len(points) - 1:
        assert "leads for good from" in lead
        named = [points[runs[-1][0]]]
    else:
        assert "leads for the last time from" in lead
        named = [points[runs[-1][0]], points[runs[-1][-1]]]
    if len(runs) > 1:
        assert lead.startswith("first leads at ")
        named.insert(0, points[runs[0][0]])
    values = [number(text) for text in re.findall(r"[dt] = ([\d.]+)", lead)]
    assert values == pytest.approx(named, rel=5.1e-3)


@functools.cache
def spikes():
    return explorers.Spike()


def check_spike(visit):
    explorer = spikes()
    category = visit.control("category").input_value()
    dim = int(visit.value("dimension d"))
    normalisation = visit.control("rows of length one").input_value()
    google = visit.control("questions").input_value() == "google"
    row, at = explorer.record[category], explorer.dims.index(dim)
    said = visit.said()
    shown = numbers(said)
    unit = "unit_" if normalisation == "unit" else ""
    values, share = row[f"{unit}spectra"][at], row[f"{unit}mean_share"][at]
    accuracy = f"{'raw_' if normalisation == 'none' else ''}{'google_' if google else ''}accuracy"
    tail = [100 * share, taskvectors.snr(values), 100 * row[accuracy][at]]
    assert shown[:2] == [row["pairs"], dim]
    assert shown[-3:] == pytest.approx(tail, rel=5.1e-3, abs=0.51)
    assert ("Google’s questions" in said) == google

    if dim < row["pairs"]:
        assert "no bulk can be fitted" in said
        assert shown[2] == pytest.approx(values[0], rel=5.1e-3)
        return
    fit = taskvectors.fit_bulk(values)
    assert shown[2:4] == pytest.approx([fit.bulk.dim, fit.dim_error], abs=0.51)
    assert shown[4:6] == pytest.approx([fit.bulk.support()[1], values[0]], rel=5.1e-3)
    assert ("does not stand out" in said) != fit.stands_out
    if fit.stands_out:
        assert shown[6] == pytest.approx(values[0] / fit.bulk.support()[1], rel=0.051)


def check_start(visit):
    named = {"log_scale": "scale σ of the start", "angle": "angle to the modes", "ratio": "λ₂ / λ₁"}
    explorer = explorers.Start(
        **{trait: float(visit.control(name).input_value()) for trait, name in named.items()}
    )
    _, curves = explorer.curves(10.0**explorer.log_scale, 400)
    shown = numbers(visit.said())  # .. Lemma 3.1 .. by up to x%, Result 3 by less than y%, .. z%
    for error, theory in zip((shown[-4], *shown[-2:]), start.GUESSES, strict=True):
        expected = 100 * np.abs(curves[theory] - curves["exact"]).max()
        assert error == (pytest.approx(expected, rel=0.06) if expected >= 1e-3 else 1e-3)


@functools.cache
def shared():
    small = qw2v.load_statistics()
    vectors = {
        figures.NAMES[kind]: qw2v.closed_form(small, 200, kind) for kind in ("mstar", "ppmi", "pmi")
    }
    for name, run in (("QWEM", "qwem-large"), ("word2vec", "sgns-large")):
        vectors[name] = datasets.load_run(run).vectors
    found = {name: features.components(v.matrix)[1] for name, v in vectors.items()}
    return explorers.Features(found, small.words, k=3)


def check_features(visit):
    explorer = shared()
    model, k = visit.control("model").input_value(), int(visit.value("feature k"))
    a = explorer.names.index(model)
    up, down = ([explorer.words[i] for i in end] for end in read(explorer, "ends")[a, k - 1])
    said = visit.said()
    assert said.startswith(
        f"Feature {k} of {model} sets {', '.join(up[:3])} against {', '.join(down[:3])}."
    )
    assert visit.box.locator("dd").all_inner_texts() == [", ".join(up), ", ".join(down)]
    others = [b for b in range(len(explorer.names)) if b != a]
    best = [explorer.between(a, b)[k - 1] for b in others]
    assert visit.box.locator("tbody th").all_inner_texts() == [explorer.names[b] for b in others]
    nearest, overlap = (
        [number(text) for text in visit.box.locator(f"tbody td:nth-child({i})").all_inner_texts()]
        for i in (2, 3)
    )
    assert overlap == pytest.approx([row.max() for row in best], abs=0.0075)
    for j, row in zip(nearest, best, strict=True):
        assert row[int(j) - 1] == pytest.approx(row.max(), abs=1 / 255)


def check_stepsize(visit):
    a = visit.value("step size η λ₁")
    said = visit.said()
    shown = numbers(said)  # η λ₁ = a: mode 1 .. half learned at t = x, the flow at y
    assert shown[0] == pytest.approx(a, abs=5e-3)
    if a < 1:
        expected = discrete.step_times(1.0, 0.01, a), np.log(1e4 - 1)
        assert shown[2:4] == pytest.approx(expected, abs=6e-3)
    elif 2 < a < 2.47:
        assert shown[3:5] == pytest.approx(discrete.period_two(a), abs=6e-4)
    else:
        fate = "overshoots" if a < 2 else "diverges" if a > 4 else ""
        assert fate in said


CHECKS = {
    "history": check_history, "modes": check_modes, "taylor": check_taylor, "pairs": check_pairs,
    "analogy": check_analogy, "spike": check_spike, "start": check_start,
    "features": check_features,
    "stepsize": check_stepsize,
}  # fmt: skip


def by_mouse(visit, name):
    """Change a control as a hand does."""
    control = visit.control(name)
    kind = control.get_attribute("type") or control.evaluate("e => e.tagName")
    if kind == "range":
        box = control.bounding_box()
        control.click(position={"x": 0.31 * box["width"], "y": box["height"] / 2})
    elif kind == "SELECT":
        values = control.locator("option:enabled").evaluate_all("all => all.map((o) => o.value)")
        control.select_option(next(v for v in values if v != control.input_value()))
    elif kind in ("checkbox", "button"):
        control.click()
    else:
        control.click(click_count=3)
        control.press_sequentially("music")


def by_keyboard(visit, name):
    by_keyboard_at(visit.control(name))


def by_keyboard_at(control):
    kind = control.get_attribute("type") or control.evaluate("e => e.tagName")
    control.focus()
    if kind == "range":
        for _ in range(7):
            control.press("ArrowLeft")
    elif kind == "SELECT":
        control.press("ArrowDown")
    elif kind == "checkbox":
        control.press("Space")
    elif kind == "button":
        control.press("Enter")
    else:
        control.press("Control+a")
        control.press_sequentially("water")
        control.press("Tab")


@pytest.mark.parametrize("hand", [by_mouse, by_keyboard])
@pytest.mark.parametrize("name", PAGES)
def test_every_control_changes_drawing_and_read_out_to_what_qw2v_computes(
    browser,
    root,
    name,
    hand,
):
    with Opened(browser, name, root) as visit:
        assert sorted(visit.controls()) == sorted(CONTROLS[name])
        CHECKS[name](visit)
        for control in sorted(CONTROLS[name] - {"Play"}):
            if control == "los + angeles":  # as the page starts: come from elsewhere
                hand(visit, "king + queen")
                visit.said()
            drawn, shown = visit.drawing(), visit.shown()
            hand(visit, control)
            visit.said()
            assert visit.drawing() != drawn, control
            if control != "logarithmic":  # which changes an axis alone
                assert visit.shown() != shown, control
            CHECKS[name](visit)
        spoken, shown = visit.box.locator("[aria-live=polite]"), visit.box.locator(".said")
        # It speaks when all is at rest.
        assert eventually(visit.page, lambda: spoken.text_content() == shown.text_content())
    assert (visit.ours(), visit.failed, visit.outside) == ([], [], [])


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_reaches_every_control_and_shows_where_it_is(site, browser, name):
    with Opened(browser, name, site.as_uri()) as visit:
        controls = visit.box.locator("input, select, button")
        controls.first.focus()
        for i in range(controls.count()):
            if i:
                visit.page.keyboard.press("Tab")
            assert controls.nth(i).evaluate("e => e === document.activeElement")
            outline = controls.nth(i).evaluate("e => getComputedStyle(e).outline")
            if i:  # a focus set by a script need not be shown
                assert "2px" in outline and "none" not in outline


@pytest.mark.parametrize("name", ["history", "modes"])
def test_time_plays_and_halts(site, browser, name):
    time = {"history": "training time t / τ₁", "modes": "time t / τ₁"}[name]
    with Opened(browser, name, site.as_uri()) as visit:
        start = visit.value(time)
        visit.control("Play").click()
        assert eventually(visit.page, lambda: visit.value(time) > start + 0.05)
        visit.control("Pause").click()
        halted = visit.value(time)
        CHECKS[name](visit)
        frames(visit.page, 10)
        assert visit.value(time) == halted
        visit.control(time).press("End")
        end = visit.value(time)
        visit.control("Play").press("Enter")  # from the end it begins again
        assert eventually(visit.page, lambda: visit.value(time) < end)
    assert visit.ours() == []


@pytest.mark.parametrize("name", ["history", "modes"])
def test_with_reduced_motion_time_goes_in_steps(site, browser, name):
    time = {"history": "training time t / τ₁", "modes": "time t / τ₁"}[name]
    with Opened(browser, name, site.as_uri()) as visit:
        visit.page.emulate_media(reduced_motion="reduce")
        visit.control(time).press("Home")
        learned = []
        for _ in range(4):
            visit.control("Next step").click()
            value = visit.value(time)
            frames(visit.page, 5)
            assert visit.value(time) == value
            learned.append(int(re.search(r"(\d+) of 200 modes", visit.said())[1]))
        assert learned == [1, 2, 3, 4]  # each step is a mode


def test_a_word_that_is_not_there_is_answered_in_words(site, browser):
    with Opened(browser, "pairs", site.as_uri()) as visit:
        shown = visit.shown()
        control = visit.control("first word")
        control.fill("qwertyuiop")
        control.press("Tab")
        alert = visit.box.get_by_role("alert").first
        assert alert.inner_text() == "“qwertyuiop” is not among the 1200 words"
        assert control.get_attribute("aria-invalid") == "true"
        assert visit.shown() == shown
        control.fill("Water")
        assert alert.inner_text() == "" and visit.said().startswith("“water” and")


def test_a_mode_is_brought_out_by_pointing_and_kept_by_a_press(site, browser):
    with Opened(browser, "modes", site.as_uri()) as visit:
        plot = visit.box.locator(".plot").first
        box = plot.bounding_box()
        at = {"x": 0.95 * box["width"], "y": 28}  # the highest curve, long after it is learned
        plot.hover(position=at)
        assert "Mode 1:" in visit.said() and visit.value("mode k") == 3
        visit.page.mouse.move(5, 5)
        assert "Mode 3:" in visit.said()
        plot.click(position=at)
        visit.page.mouse.move(5, 5)
        assert "Mode 1:" in visit.said() and visit.value("mode k") == 1


@pytest.mark.parametrize("name", PAGES)
def test_a_picture_stands_in_without_javascript_and_on_paper(site, browser, name):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((site / f"{PAGES[name]}.html").as_uri())
        box = page.locator(f"[data-explorer^='{name}-']")
        assert box.locator("img").first.is_visible()
        assert box.locator("input, button, select").count() == 0
    with Opened(browser, name, site.as_uri()) as visit:
        picture, live = visit.box.locator("img").first, visit.box.locator(".qw2v-live")
        assert not picture.is_visible() and live.is_visible()
        visit.page.emulate_media(media="print")
        assert picture.is_visible() and not live.is_visible()


def test_colours_follow_the_theme_at_once(site, browser):
    with Opened(browser, "history", site.as_uri()) as visit:
        drawn = visit.drawing()
        visit.page.evaluate("document.documentElement.dataset.theme = 'dark'")
        visit.said()
        assert visit.drawing() != drawn


def test_the_page_carries_its_data_once(site):
    for page in set(PAGES.values()):
        text = (site / f"{page}.html").read_text(encoding="utf-8")
        assert "widget-state+json" not in text
        assert len(text.encode()) < 1.5e6


# ---- in a kernel ---------------------------------------------------------------------------------


class Wire(comm.base_comm.BaseComm):
    """The kernel's end of a widget's line: what it sends is kept until the page asks for it."""

    sent: list

    def publish_msg(self, msg_type, data=None, metadata=None, buffers=None, **keys):
        self.__dict__.setdefault("sent", []).append((msg_type, data, buffers or []))


# The front end of the widget protocol, as small as it can be: opened with the widget's state, it
# loads the module as anywidget does and passes changes both ways.
FRONT_END = """async (message) => {
  const bytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const { _esm, _css, ...state } = { ...message.state };
  for (const [name, text] of Object.entries(message.buffers)) state[name] = bytes(text);
  const calls = new Map(), changed = new Set();
  const put = (name, value) => {
    if (state[name] === value) return;
    state[name] = value;
    for (const call of calls.get(`change:${name}`) ?? []) call();
  };
  window.update = (values) => Object.entries(values).forEach(([name, value]) => put(name, value));
  const model = {
    get: (name) => state[name],
    set: (name, value) => { changed.add(name); put(name, value); },
    on: (event, call) => calls.set(event, [...(calls.get(event) ?? []), call]),
    off: (event, call) => calls.set(event, calls.get(event).filter((c) => c !== call)),
    save_changes: () => {
      window.toKernel(Object.fromEntries([...changed].map((name) => [name, state[name]])));
      changed.clear();
    },
  };
  document.head.append(Object.assign(document.createElement("style"), { textContent: _css }));
  document.addEventListener("keydown", (event) => event.preventDefault()); // as notebooks do
  const module = await import(URL.createObjectURL(new Blob([_esm], { type: "text/javascript" })));
  window.end = await module.default.render({ model, el: document.querySelector("#widget") });
}"""


@pytest.mark.parametrize(
    "name",
    [
        "history",
        "modes",
        "pairs",
        "taylor",
        "analogy",
        "spike",
        "start",
        "stepsize",
        "trainer",
        "features",
    ],
)
def test_in_a_kernel_traits_move_the_picture_and_controls_move_the_traits(
    browser,
    monkeypatch,
    name,
):
    lines = []
    monkeypatch.setattr(comm, "create_comm", lambda **keys: lines.append(Wire(**keys)) or lines[-1])
    stats = qw2v.load_statistics()
    make, changes, control, trait = {
        "history": (explorers.History, {"time": 2.5}, "training time t / τ₁", "time"),
        "modes": (explorers.Modes, {"kind": "ppmi", "mode": 7}, "dimension d", "dim"),
        "pairs": (explorers.Pairs, {"second": "new"}, "first word", "first"),
        "taylor": (lambda _: explorers.Taylor(), {"x": -3.0}, "x = wᵢ · wⱼ", "x"),
        "analogy": (explorers.Analogy, {"c": "tokyo", "time": 3.0}, "dimension d", "dim"),
        "spike": (lambda _: explorers.Spike(), {"category": "family"}, "dimension d", "dim"),
        "start": (lambda _: explorers.Start(), {"log_scale": -6.0}, "angle to the modes", "angle"),
        "stepsize": (
            lambda _: explorers.StepSize([3.0, 2, 1]),
            {"step": 2.2},
            "step size η λ₁",
            "step",
        ),
        "trainer": (explorers.Trainer, {"loss": "sgns", "rate": 0.5}, "dimension d", "dim"),
        "features": (lambda _: shared.__wrapped__(), {"model": "PPMI"}, "feature k", "k"),
    }[name]
    widget = make(stats)
    line = next(wire for wire in lines if wire.comm_id == widget.comm.comm_id)
    _, opened, buffers = next(message for message in line.sent if message[0] == "comm_open")
    sent = {path[0]: encoded(b) for path, b in zip(opened["buffer_paths"], buffers, strict=True)}
    page = browser.new_page(viewport={"width": 700, "height": 900})
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))

    def to_kernel(state):
        data = {"method": "update", "state": state, "buffer_paths": []}
        line.handle_msg({"content": {"data": data}, "buffers": []})

    page.expose_function("toKernel", to_kernel)
    page.set_content("<main><div id='widget'></div></main>")
    page.evaluate(FRONT_END, {"state": json.loads(json.dumps(opened["state"])), "buffers": sent})

    def drawn():
        page.evaluate(NEXT_FRAME)
        return page.locator(".said").inner_text(), page.locator("svg").first.inner_html()

    before = drawn()
    line.sent.clear()
    for key, value in changes.items():
        setattr(widget, key, value)
    updates = [data["state"] for kind, data, _ in line.sent if data["method"] == "update"]
    assert updates == [{key: value} for key, value in changes.items()]
    for state in updates:
        page.evaluate("window.update", state)
    after = drawn()
    assert after[0] != before[0] and after[1] != before[1]

    old = getattr(widget, trait)
    by_keyboard_at(page.get_by_label(control, exact=True))
    assert eventually(page, lambda: getattr(widget, trait) != old)
    page.evaluate("window.end()")
    page.close()
    assert errors == []


def eventually(page, condition, seconds=30):
    """Whether the condition comes to hold while the page runs on: a busy machine takes its time."""
    end = monotonic() + seconds
    while monotonic() < end:
        if condition():
            return True
        page.wait_for_timeout(20)
    return False


def frames(page, number):
    """Let the page draw so many frames, in which what moves by itself would move."""
    for _ in range(number):
        page.evaluate(NEXT_FRAME)


def encoded(buffer):
    return base64.b64encode(bytes(buffer)).decode()


def test_a_model_trains_on_the_page_of_training(site, browser):
    # Its controls are tried one by one in test_explorers_trainer.py, on a page of its own.
    with Visit(browser, site / "chapters" / "training.html") as visit:
        box = visit.page.locator("[data-explorer^='trainer-'][data-live='page']")
        said = box.locator(".said")
        before = said.text_content()
        box.get_by_role("button", name="Train", exact=True).click()
        assert eventually(visit.page, lambda: said.text_content() != before)
    assert (visit.failed, visit.outside) == ([], [])
