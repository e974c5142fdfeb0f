# ruff: noqa: F811  fixtures are imported by name
"""The trainer: its losses, sampling, theory and runs against numpy and qw2v; its life in a page."""

import dataclasses
import itertools
import json
import re

import numpy as np
import pytest
import traitlets
from scipy.special import expit
from scipy.stats import kstest
from test_explorers import javascript, read, stats  # noqa: F401
from test_explorers_site import by_keyboard_at, eventually, frames, numbers
from test_site import NEXT_FRAME, Visit

import qw2v
from qw2v import dynamics
from qw2v.explorers import trainer
from qw2v.explorers.trainer import Trainer
from qw2v.weighting import Setting31, Word2Vec

SETTINGS = list(itertools.product(("qwem", "sgns"), ("setting31", "word2vec")))


# ---- an independent trainer in numpy -------------------------------------------------------------


@dataclasses.dataclass
class Population:
    """A loss over all pairs, straight from its definition; A and B in units of the mean of G."""

    stats: object
    loss: str = "qwem"
    weighting: str = "setting31"
    negatives: int = 1

    def __post_init__(self):
        every = np.arange(self.stats.vocab_size)
        P, PP = self.stats.skipgram.toarray(), np.outer(self.stats.unigram, self.stats.unigram)
        kind = Setting31() if self.weighting == "setting31" else Word2Vec(negatives=self.negatives)
        positive, negative = kind.psi(self.stats, every[:, None], every, P)
        self.A, self.B = positive * P, negative * PP
        g = (self.A + self.B).mean()
        self.A, self.B = self.A / g, self.B / g

    def terms(self, X):
        if self.loss == "qwem":
            return self.A * (X**2 / 4 - X) + self.B * (X**2 / 4 + X)
        return 2 * self.A * np.logaddexp(0, -X) + 2 * self.B * np.logaddexp(0, X)

    def above_floor(self, W):
        A, B = self.A, self.B
        if self.loss == "qwem":
            lowest = self.terms(2 * (A - B) / (A + B))
        else:  # where two words never meet, X = -inf makes the loss of the pair vanish
            lowest = np.where(A > 0, self.terms(np.log(np.where(A > 0, A, 1) / B)), 0)
        return (self.terms(W @ W.T) - lowest).sum()

    def velocity(self, W):
        X = W @ W.T
        if self.loss == "qwem":
            slope = self.A * (X / 2 - 1) + self.B * (X / 2 + 1)
        else:
            slope = -2 * self.A * expit(-X) + 2 * self.B * expit(X)
        return -slope @ W

    @property
    def growth(self):
        return 2 * (self.A - self.B)


def first_noise(seed, shape, sigma):
    """Return the start that the page draws: a linear congruence and Marsaglia's polar method."""
    state = int(seed * 0.6180339887498949 % 1 * 2**32)

    def uniform():
        nonlocal state
        state = (1664525 * state + 1013904223) % 2**32
        return state / 2**32

    draws = []
    while len(draws) < np.prod(shape):
        x, y = 2 * uniform() - 1, 2 * uniform() - 1
        r = x * x + y * y
        if 0 < r <= 1:
            size = np.sqrt(-2 * np.log(r) / r)
            draws += [y * size, x * size]
    return sigma * np.array(draws[: np.prod(shape)]).reshape(shape)


class Replica:
    """A full-batch run in numpy, by the meaning of the controls, beside qw2v.dynamics."""

    def __init__(self, stats, loss, weighting, negatives=1, dim=6, log_scale=-3, rate=0.1, seed=1):
        self.population = Population(stats, loss, weighting, negatives)
        self.W0 = first_noise(seed, (stats.vocab_size, dim), 10.0**log_scale / dim**0.5)
        self.path = dynamics.exact(qw2v.target(stats), self.W0)
        values, vectors = np.linalg.eigh(self.population.growth)
        self.lr = rate / values[-1]
        start = np.linalg.norm(vectors[:, -1] @ self.W0)
        self.tau = float(dynamics.learning_times(values[-1:], start)[0])
        self.full = np.minimum(values[::-1][:dim], self.path.eigenvalues[:dim])

    def after(self, steps, every=1):
        """Return singular values and loss / start at every `every`-th of `steps`, and the theory's.

        Shapes (n, d), (n,) and (n, d); the last step is always there.
        """
        W, kept, found = self.W0, sorted({*range(0, steps + 1, every), steps}), []
        for step in range(steps + 1):
            if step:
                W = W + self.lr * self.population.velocity(W)
            if step in kept:
                found.append((np.linalg.svd(W, compute_uv=False), self.population.above_floor(W)))
        s, loss = map(np.array, zip(*found, strict=True))
        times = np.array(kept) * self.lr / self.tau * self.path.learning_times[0]
        return s, loss / loss[0], self.path.singular_values(times)


def problem(explorer, stats):
    """Return what the page is sent, as values for node."""
    return {
        "pairs": read(explorer, "pairs").tolist(),
        "counts": read(explorer, "counts").tolist(),
        "recipe": explorer._texts["weights"],
    }


@pytest.fixture(scope="module")
def made(stats):
    return Trainer(stats, negatives=6)


@pytest.fixture(scope="module")
def whole():
    return qw2v.load_statistics().restrict(2_500)


@pytest.fixture(scope="module")
def real(whole):
    return Trainer(whole)


# ---- the same mathematics ------------------------------------------------------------------------


@pytest.mark.parametrize(("weighting", "k"), [("setting31", 1), ("word2vec", 1), ("word2vec", 5)])
def test_the_page_weighs_pairs_and_finds_modes_as_the_package_does(
    javascript, made, stats, weighting, k
):
    found = javascript(
        made,
        """(() => {
          const t = m.tables(v.pairs, v.counts, v.weighting, v.k, v.recipe);
          const { values, vectors } = m.eigenpairs(m.growth(t));
          const first = vectors.slice(0, 8).map((x) => [...x]);
          return { A: [...t.A], B: [...t.B], values, vectors: first };
        })()""",
        weighting=weighting,
        k=k,
        **problem(made, stats),
    )
    expected = Population(stats, weighting=weighting, negatives=k)
    np.testing.assert_allclose(found["A"], expected.A.ravel(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(found["B"], expected.B.ravel(), rtol=1e-12)
    values = np.linalg.eigvalsh(expected.growth)[::-1]
    np.testing.assert_allclose(found["values"], values, atol=1e-10)
    residual = expected.growth @ np.transpose(found["vectors"])
    np.testing.assert_allclose(residual, np.transpose(found["vectors"]) * values[:8], atol=1e-9)
    if weighting == "setting31":
        target = qw2v.target(stats).toarray()
        np.testing.assert_allclose(expected.growth, target, atol=1e-12)
        vectors = qw2v.target(stats).eigenpairs(8)[1]  # with the same signs
        assert np.abs(np.sum(vectors * np.transpose(found["vectors"]), axis=0) - 1).max() < 1e-9


@pytest.mark.parametrize(("loss", "weighting"), SETTINGS)
def test_a_step_descends_each_loss(javascript, made, stats, loss, weighting):
    W = np.random.default_rng(4).standard_normal((60, 3))
    found = javascript(
        made,
        """(() => {
          const t = m.tables(v.pairs, v.counts, v.weighting, 5, v.recipe);
          const W = Float64Array.from(v.W), change = new Float64Array(180);
          return [m.lossOf(W, 3, t, v.loss), [...m.velocity(W, 3, t, v.loss, change)]];
        })()""",
        W=W.ravel().tolist(),
        loss=loss,
        weighting=weighting,
        **problem(made, stats),
    )
    population = Population(stats, loss, weighting, negatives=5)
    assert found[0] == pytest.approx(population.above_floor(W), rel=1e-9)
    np.testing.assert_allclose(found[1], population.velocity(W).ravel(), rtol=1e-9, atol=1e-9)
    # The independent gradient is itself that of the loss: -grad L / 2 by finite differences.
    direction = np.random.default_rng(5).standard_normal(W.shape)
    ends = [population.above_floor(W + h * direction) for h in (1e-5, -1e-5)]
    along = np.sum(population.velocity(W) * direction)
    assert -(ends[0] - ends[1]) / 2e-5 / 2 == pytest.approx(along, rel=1e-6)
    if (loss, weighting) == ("qwem", "setting31"):
        gap = qw2v.target(stats).toarray() - W @ W.T
        np.testing.assert_allclose(population.velocity(W), gap @ W / 2, atol=1e-9)
        assert found[0] == pytest.approx(np.sum(gap**2) / 4)


@pytest.mark.parametrize(("loss", "weighting"), SETTINGS)
def test_sampled_steps_are_the_full_one_on_average(javascript, made, stats, loss, weighting):
    W = 0.5 * np.random.default_rng(6).standard_normal((60, 2))
    draws = javascript(
        made,
        """(() => {
          const t = m.tables(v.pairs, v.counts, v.weighting, 2, v.recipe);
          const W = Float64Array.from(v.W), uniform = m.generator(9);
          const samplers = [m.sampler(t.A, uniform), m.sampler(t.B, uniform)];
          return Array.from({ length: 500 }, () =>
            [...m.sampledVelocity(W, 2, samplers, v.loss, 300, new Float64Array(120))]);
        })()""",
        W=W.ravel().tolist(),
        loss=loss,
        weighting=weighting,
        **problem(made, stats),
    )
    draws = np.array(draws)
    full = Population(stats, loss, weighting, negatives=2).velocity(W).ravel()
    z = (draws.mean(axis=0) - full) / (draws.std(axis=0, ddof=1) / np.sqrt(len(draws)))
    assert np.abs(z).max() < 4.5
    assert 0.6 < np.mean(z**2) < 1.5  # neither biased nor without noise


def test_cells_are_drawn_with_their_odds(javascript, made):
    weights = [0.0, 1, 2, 0.5, 6.5, 0, 30]
    counts = javascript(
        made,
        """(() => {
          const counts = v.weights.map(() => 0);
          const { draw, total } = m.sampler(v.weights, m.generator(2));
          for (let n = 0; n < 40000; n++) counts[draw()]++;
          return [total, ...counts];
        })()""",
        weights=weights,
    )
    assert counts[0] == 40
    expected = 1000 * np.array(weights)
    spread = np.sqrt(np.maximum(expected * (1 - expected / 40000), 1e-9))
    assert np.abs((np.array(counts[1:]) - expected) / spread).max() < 4


def test_the_start_is_normal_noise_of_its_seed(javascript, made):
    found = javascript(
        made, "[1, 1, 2].map((seed) => [...m.gaussians(m.generator(seed), 6000, 1e-3)])"
    )
    first, again, other = np.array(found)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_allclose(first, first_noise(1, 6000, 1e-3), rtol=1e-12)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.05
    for noise in (first, other):
        assert kstest(noise / 1e-3, "norm").pvalue > 0.01


def test_singular_values_keep_their_digits_when_they_are_graded(javascript, made):
    rng = np.random.default_rng(7)
    left, right = np.linalg.qr(rng.standard_normal((40, 5)))[0], np.linalg.qr(rng.random((5, 5)))[0]
    s = np.array([7, 7, 0.3, 1e-3, 1e-6])
    W = (left * s) @ right
    found = javascript(
        made, "[...m.singularValues(Float64Array.from(v.W), 5)]", W=W.ravel().tolist()
    )
    np.testing.assert_allclose(found, s, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("sigma", [1e-6, 1e-1, 2.0])
def test_the_theory_of_the_page_is_the_exact_path(javascript, made, stats, sigma):
    W0 = sigma * np.random.default_rng(8).standard_normal((60, 5))
    path = dynamics.exact(qw2v.target(stats), W0)
    times = np.linspace(0, (60 - 2 * np.log(sigma)) / path.eigenvalues[4], 90)
    found = javascript(
        made,
        """(() => {
          const N = m.growth(m.tables(v.pairs, v.counts, "setting31", 1, v.recipe));
          const { values, vectors } = m.eigenpairs(N), W = Float64Array.from(v.W);
          const a = Float64Array.from({ length: 300 }, (_, at) =>
            vectors[Math.floor(at / 5)].reduce((sum, x, i) => sum + x * W[i * 5 + (at % 5)], 0));
          const starts = m.silentStart(vectors, W, 5);
          return { starts, path: Array.from({ length: 90 }, (_, i) => {
            if (i) m.flow(a, 5, values, v.h);
            return { s: [...m.singularValues(a, 5)], loss: m.theoryLoss(a, 5, values) };
          }) };
        })()""",
        W=W0.ravel().tolist(),
        h=times[1],
        **problem(made, stats),
    )
    s = np.array([moment["s"] for moment in found["path"]])
    np.testing.assert_allclose(s, path.singular_values(times), rtol=1e-6, atol=1e-9)
    loss = [moment["loss"] for moment in found["path"]]
    np.testing.assert_allclose(loss, path.loss(times), rtol=1e-9)
    assert s[-1][4] ** 2 > 0.9 * path.eigenvalues[4]  # all has been learned by then
    expected = dynamics.silent_start(path.eigenvectors, W0)
    np.testing.assert_allclose(found["starts"], expected[:5], rtol=1e-9)


RUN = """(() => {
  const w = m.tables(v.pairs, v.counts, v.run.weighting, v.run.negatives ?? 1, v.recipe);
  const theirs = m.eigenpairs(m.growth(m.tables(v.pairs, v.counts, "setting31", 1, v.recipe)));
  const own = m.eigenpairs(m.growth(w));
  return v.rates.map((rate) => {
    const sigma = 10 ** (v.run.log_scale ?? -3);
    const r = new m.Run(w, theirs, own, { batch: 0, seed: 1, dim: 6, ...v.run, sigma, rate });
    while (!r.over && !(r.step >= v.until)) r.advance();
    const { step, steps, every, lr, tau, stride, distance, rises, diverged } = r;
    return { ...r.kept, step, steps, every, lr, tau, stride, distance, rises, diverged };
  });
})()"""


@pytest.mark.parametrize(("loss", "weighting"), SETTINGS)
def test_a_run_is_gradient_descent_in_the_theorys_time(javascript, made, stats, loss, weighting):
    chosen = {"loss": loss, "weighting": weighting, "negatives": 2, "seed": 3, "log_scale": -2}
    given = problem(made, stats)
    (run,) = javascript(made, RUN, run=chosen, rates=[0.2], until=200, **given)
    replica = Replica(stats, **chosen, rate=0.2)
    assert run["lr"] == pytest.approx(replica.lr) and run["every"] == 1
    assert run["stride"] == pytest.approx(replica.lr / replica.tau)
    assert run["tau"] == pytest.approx(replica.path.learning_times[0])
    s, share, theory = replica.after(run["step"])
    np.testing.assert_allclose(np.transpose(run["s"]), s, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(run["loss"], share, rtol=1e-6)
    assert run["distance"] == pytest.approx(np.abs(s - theory).max(), rel=1e-6)


def test_shorter_steps_come_nearer_to_the_theory(javascript, made, stats):
    chosen = {"loss": "qwem", "weighting": "setting31"}
    runs = javascript(
        made, RUN, run=chosen, rates=[0.2, 0.1, 0.05], until=1e9, **problem(made, stats)
    )
    far, middle, near = (run["distance"] for run in runs)
    assert far / middle == pytest.approx(2, rel=0.2)  # gradient descent is of first order
    assert middle / near == pytest.approx(2, rel=0.1)
    assert all(run["rises"] == 0 for run in runs)


def test_beyond_two_the_steps_overshoot_and_far_beyond_they_diverge(javascript, real):
    chosen = {"loss": "qwem", "weighting": "setting31"}
    given = problem(real, real.stats)
    settled, overshoots, diverges = javascript(
        real, RUN, run=chosen, rates=[1.9, 2.2, 4.9], until=1e9, **given
    )
    assert settled["rises"] < 1 and not settled["diverged"]
    assert overshoots["rises"] > 2.5 and not overshoots["diverged"]
    assert diverges["diverged"] and diverges["step"] < diverges["steps"]
    assert np.isfinite(diverges["s"]).all() and np.isfinite(diverges["loss"]).all()


# ---- what the page is given ----------------------------------------------------------------------


def test_words_are_at_the_ends_of_the_modes_with_their_exact_counts(whole, real):
    explorer, small = real, real.stats
    assert 80 <= small.vocab_size <= 150
    rows = [whole.index[word] for word in small.words]
    assert rows == sorted(rows)
    counts = whole.pair_counts.toarray()[np.ix_(rows, rows)]
    np.testing.assert_array_equal(small.pair_counts.toarray(), counts)
    np.testing.assert_array_equal(read(explorer, "pairs"), counts[np.tril_indices(len(rows))])
    assert read(explorer, "pairs").dtype == np.uint32
    np.testing.assert_array_equal(read(explorer, "counts"), whole.word_counts[rows])
    for mode in qw2v.target(whole).eigenpairs(6)[1][60:].T:
        for along in (mode, -mode):
            at_the_end = np.flatnonzero(along > 0.75 * along.max()) + 60
            assert len(set(at_the_end[:8]) & set(rows)) == min(8, len(at_the_end))
    assert f"{small.vocab_size} of 2,500 words" in explorer._texts["note"]
    assert len(explorer.to_html()) < 170_000


def test_a_small_vocabulary_is_taken_whole_and_a_tiny_one_refused(made, stats):
    assert made.stats is stats and made._texts["note"].startswith("All 60 words")
    tiny = qw2v.CorpusStatistics.from_texts(["a b c a b d", "a c e"], vocab_size=5, window=2)
    with pytest.raises(
        ValueError, match="of these 5 words has . positive eigenvalues.*8 are needed"
    ):
        Trainer(tiny)


def test_what_the_controls_cannot_show_is_refused(stats):
    for wrong in ({"loss": "hinge"}, {"rate": 6.0}, {"dim": 9}, {"batch": 100}, {"seed": 0}):
        with pytest.raises(traitlets.TraitError, match=next(iter(wrong))):
            Trainer(stats, **wrong)


def test_a_live_view_and_a_page_come_together(made):
    bundle = made._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    page = data["text/html"]
    assert page == made.to_html()
    addresses = re.findall(r"https?://[^\s\"'<`]+", page)
    assert all(re.match(r"http://www\.w3\.org/(XML/)?\d{4}/", a) for a in addresses)  # XML's names
    state = json.loads(re.search(r'<script type="application/json">(.*?)</script>', page)[1])
    assert (state["loss"], state["dim"], state["rate"], state["batch"]) == ("qwem", 6, 0.1, 0)


# ---- in a browser --------------------------------------------------------------------------------

CHOICES = {"loss", "weighting", "pairs a step", "seed", "words in modes"}
SLIDERS = {"start σ", "dimension d", "learning rate lr λ₁", "negatives k"}


class Opened(Visit):
    """The explorer on a page of its own, opened from disk."""

    def __init__(self, browser, path, **options):
        super().__init__(browser, path, **options)
        self.page.wait_for_selector("[data-live='page']")

    def settle_frame(self):
        self.page.evaluate(NEXT_FRAME)

    def button(self, name):
        return self.page.get_by_role("button", name=name, exact=True)

    def control(self, name):
        return self.page.get_by_label(name, exact=True)

    def said(self):
        self.settle_frame()
        return self.page.locator(".said").inner_text()

    def drawing(self):
        self.settle_frame()
        return self.page.evaluate(
            "() => [...document.querySelectorAll('canvas')].map((c) => c.toDataURL())"
            ".concat([...document.querySelectorAll('svg')].map((s) => s.innerHTML)).join()"
        )

    def settings(self):
        value = {name: self.control(name).input_value() for name in CHOICES - {"words in modes"}}
        shown = {name: self.control(name).get_attribute("aria-valuetext") for name in SLIDERS}
        return {
            "loss": value["loss"],
            "weighting": value["weighting"],
            "seed": int(value["seed"]),
            "log_scale": float(self.control("start σ").input_value()),
            "dim": int(shown["dimension d"]),
            "rate": float(shown["learning rate lr λ₁"]),
            "negatives": int(shown["negatives k"]),
        }


def by_mouse_at(control):
    if control.get_attribute("type") == "range":
        box = control.bounding_box()
        control.click(position={"x": 0.31 * box["width"], "y": box["height"] / 2})
    else:
        values = control.locator("option").evaluate_all("all => all.map((o) => o.value)")
        control.select_option(next(v for v in values if v != control.input_value()))


def page_of(explorer, folder):
    path = folder / "trainer.html"
    head = "<!doctype html><html lang='en'><meta charset='utf-8'><title>Trainer</title>"
    path.write_text(f"{head}<body><main><h1>Trainer</h1>{explorer.to_html()}</main></body></html>")
    return path


@pytest.fixture(scope="module")
def page(made, tmp_path_factory):
    return page_of(made, tmp_path_factory.mktemp("made"))


@pytest.fixture(scope="module")
def real_page(real, tmp_path_factory):
    return page_of(real, tmp_path_factory.mktemp("real"))


def check(visit, stats):
    """Compare what is said of a run of all pairs with the same run in numpy."""
    said = visit.said()
    line = re.search(
        r"tep ([\d,]+) of ([\d,]+), t = (.*) τ₁: loss (.*)% of .*?, (\d+) of (\d+) modes", said
    )
    values = (float(x.replace(",", "")) for x in line.groups())
    step, steps, time, share, learned, dim = values
    far = numbers(re.search(r"theory (\S+)\.$", said, re.M)[1])[0]
    settings = visit.settings()
    replica = Replica(stats, **settings)
    every = int(np.ceil(steps / 400))  # the moments that are drawn
    s, loss, theory = replica.after(int(step), every)
    assert dim == settings["dim"]
    assert time == pytest.approx(step * replica.lr / replica.tau, abs=0.0051)
    assert share == pytest.approx(100 * loss[-1], abs=0.051)
    assert learned == np.sum(s[-1] ** 2 > replica.full / 2)
    assert far == pytest.approx(np.abs(s - theory).max(), rel=0.051)
    plain = settings["loss"] == "qwem" and settings["weighting"] == "setting31"
    assert ("quartic model’s theory" in said) != plain


def set_rate(visit, rate):
    slider = visit.control("learning rate lr λ₁")
    slider.evaluate(
        "(e, rate) => { e.value = Math.log10(rate); e.dispatchEvent(new Event('input')); }", rate
    )


@pytest.mark.site
@pytest.mark.parametrize("hand", [by_mouse_at, by_keyboard_at])
def test_every_control_changes_picture_and_read_out_to_what_numpy_computes(
    browser, page, stats, hand
):
    with Opened(browser, page) as visit:
        visit.page.emulate_media(reduced_motion="reduce")
        assert visit.control("negatives k").is_disabled()  # it would change nothing
        rate = "learning rate lr λ₁"
        rest = sorted((SLIDERS | CHOICES) - {rate, "loss", "weighting", "pairs a step"})
        visit.button("Next step").click()
        for name in [rate, "loss", "weighting", *rest, "pairs a step"]:
            trained, said = visit.drawing(), visit.said()
            hand(visit.control(name))
            assert visit.said() != said and visit.drawing() != trained, name
            assert name == "words in modes" or visit.said().startswith("W starts as noise"), name
            visit.button("Next step").click()
            assert visit.said() != said and visit.drawing() != trained, name
            if name == "pairs a step":
                continue  # by chance
            check(visit, stats)
            if name == rate:
                set_rate(visit, 0.1)  # with word2vec's weighting the limit is lower
            if name == "dimension d":
                visit.control(name).press("End")  # all planes there are
            visit.said()
            visit.button("Next step").click()
        spoken, shown = visit.page.locator("[aria-live=polite]"), visit.page.locator(".said")
        assert eventually(visit.page, lambda: spoken.text_content() == shown.text_content())
    assert (visit.errors, visit.failed, visit.outside) == ([], [], [])


@pytest.mark.site
def test_only_planes_of_d_dimensions_are_offered(browser, page):
    with Opened(browser, page) as visit:
        visit.page.emulate_media(reduced_motion="reduce")
        plane = visit.control("words in modes")
        plane.select_option("3 4")
        assert "along mode 3" in visit.said()
        visit.control("dimension d").press("Home")
        assert "along mode 1" in visit.said() and plane.input_value() == "1 2"
        assert plane.locator("option:enabled").count() == 1
        visit.control("dimension d").press("ArrowRight")
        visit.said()
        assert plane.locator("option:enabled").count() == 3


@pytest.mark.site
def test_with_reduced_motion_each_press_learns_a_mode(browser, page):
    with Opened(browser, page) as visit:
        visit.page.emulate_media(reduced_motion="reduce")
        learned = []
        for _ in range(4):
            visit.button("Next step").press("Enter")
            learned.append(int(re.search(r"(\d+) of 6 modes learned", visit.said())[1]))
            still = visit.drawing()
            frames(visit.page, 4)
            assert visit.drawing() == still
        assert learned == [1, 2, 3, 4]
        while not visit.button("Train again").count():
            visit.button("Next step").click()
        assert "6 of 6 modes learned" in visit.said()
        visit.button("Reset").click()
        assert "W starts as noise" in visit.said()


@pytest.mark.site
def test_training_runs_halts_goes_on_and_ends(browser, page, stats):
    with Opened(browser, page) as visit:
        visit.page.clock.install()  # its hands can be turned on
        start = visit.drawing()
        visit.button("Train").click()
        assert eventually(visit.page, lambda: visit.said().startswith("Step"))
        visit.button("Pause").press("Enter")
        drawn, said = visit.drawing(), visit.said()
        frames(visit.page, 8)
        assert (visit.drawing(), visit.said()) == (drawn, said)
        assert drawn != start
        check(visit, stats)
        visit.button("Go on").click()
        visit.control("seed").select_option("7")  # a fresh run, at once
        assert eventually(visit.page, lambda: visit.said().startswith("Step"))
        visit.page.clock.run_for(9_000)
        visit.button("Train again").wait_for()
        assert visit.said().startswith("The run is over.")
        check(visit, stats)
        visit.button("Reset").click()
        assert "W starts as noise" in visit.said() and visit.button("Train").count()
    assert (visit.errors, visit.failed, visit.outside) == ([], [], [])


@pytest.mark.site
def test_divergence_is_reported_in_words_and_drawn_in_numbers(browser, real_page):
    with Opened(browser, real_page) as visit:
        visit.page.emulate_media(reduced_motion="reduce")
        visit.control("learning rate lr λ₁").press("End")
        while not visit.button("Train again").count():
            visit.button("Next step").click()
        said = visit.said()
        assert re.match(r"Diverged at step \d+: at lr λ₁ = 5 .* stable below lr λ₁ = 2\.", said)
        assert "NaN" not in said and "NaN" not in visit.drawing()
        assert "undefined" not in said and "Infinity" not in said
        set_rate(visit, 2.2)
        assert visit.said().startswith("W starts as noise")
        while not visit.button("Train again").count():
            visit.button("Next step").click()
        assert "The steps overshoot: at lr λ₁ = 2.2" in visit.said()
    assert visit.errors == []


@pytest.mark.site
def test_the_keyboard_reaches_every_control_and_a_phone_shows_them(browser, page):
    with Opened(browser, page, width=390) as visit:
        visit.page.emulate_media(reduced_motion="reduce")
        visit.control("weighting").select_option("word2vec")  # so that all can be used
        controls = visit.page.locator("input, select, button")
        names = controls.evaluate_all("all => all.map((e) => (e.labels[0] ?? e).textContent)")
        assert {"Next step", "Reset", *CHOICES, *SLIDERS} == set(names)
        controls.first.focus()
        for i in range(controls.count()):
            if i:
                visit.page.keyboard.press("Tab")
            assert controls.nth(i).evaluate("e => e === document.activeElement")
            if i:  # a focus set by a script need not be shown
                assert "2px" in controls.nth(i).evaluate("e => getComputedStyle(e).outline")
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 390
        assert trainer.PLANES[0] == visit.control("words in modes").input_value()
