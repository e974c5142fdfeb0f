"""Every figure draws, says what it must, is reproducible, and is legible on a phone."""

import inspect
import re
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("matplotlib")
from matplotlib.figure import Figure

from qw2v import dynamics, figures, taskvectors
from qw2v.features import fit_decay
from qw2v.vectors import WordVectors

STYLE = "qw2v.figures._style"

RNG = np.random.default_rng(0)
WORDS = ["alpha", "beta", "gamma", "delta"]


def draw() -> dict[str, Figure]:
    t = np.linspace(0, 3, 50)
    curves = 5 / (1 + np.exp(-10 * (t[:, None] - [1, 1.5, 2, 2.5])))
    points = RNG.standard_normal((4, 2))
    scores = {kind: {"one": 50.0, "two": 20.0} for kind in ("mstar", "pmi", "ppmi")}
    return {
        "word_matrix": figures.counting.word_matrix(
            RNG.standard_normal((4, 4)), WORDS, "M*", groups=2
        ),
        "zipf": figures.counting.zipf(
            10_000 // np.arange(1, 2_000), [f"w{i}" for i in range(2_000)]
        ),
        "window_weight": figures.counting.window_weight(4, np.array([1, 0.75, 0.5, 0.25])),
        "frequency_tricks": figures.counting.frequency_tricks(*(np.logspace(-1, -5, 100),) * 3),
        "taylor": figures.derivation.taylor(),
        "loss_agreement": figures.derivation.loss_agreement(t[1:5], t[1:5] ** 2, t[1:5] ** 3),
        "soft_clip": figures.derivation.soft_clip(RNG.standard_normal(500), {"one–two": 1.5}),
        "spent_on_silence": figures.derivation.spent_on_silence({"mstar": 0.8, "pmi": 0.9996}),
        "mode_curves": figures.closed_form.mode_curves(
            t, curves, 1 - t / 6, np.sum(curves > 2, axis=1), labels=WORDS
        ),
        "history": figures.closed_form.history(
            dynamics.aligned(np.diag([3.0, 2, 1, -1]), 1e-3, dim=3), WORDS
        ),
        "text_share": figures.closed_form.text_share(
            {"mstar": [(1e6, 0.3), (4e6, 0.5)], "pmi": [(1e6, 0.2), (4e6, 0.1)]},
            {
                "mstar": {"curve": [0.6, 0.1, 0.5], "interval": [0.5, 0.6]},
                "pmi": {"curve": [0.1, 0.0, 0.5], "interval": [0.0, 0.1]},
            },
            {"mstar": 0.66, "pmi": 0.08},
            1e8,
        ),
        "cloud": figures.closed_form.cloud(
            WORDS, [("early", points / 9), ("late", points)], [1, 1, 2, 2]
        ),
        "shrinking_error": figures.closed_form.shrinking_error(
            [1e-4, 1e-3, 1e-2], {"Result 3": [0.1, 0.2, 0.3]}
        ),
        "benchmark": figures.closed_form.benchmark(scores, scores),
        **draw_training(),
        **draw_features(),
        **draw_analogies(),
        **draw_exact(),
        **draw_steps(),
        **draw_weights(),
        **draw_relatives(),
        **draw_after(),
        **draw_quality(),
    }


def draw_training() -> dict[str, Figure]:
    path = dynamics.aligned(np.diag([3.0, 2, 1, -1]), 1e-3, dim=3)
    t = np.linspace(0, 5 * path.learning_times[0], 60)
    run = SimpleNamespace(time=t, loss=path.loss(t), singular_values=path.singular_values(t))
    theories, units = {"QWEM": path, "word2vec": None}, {"QWEM": 5.0, "word2vec": 4.0}
    cell = t, run.singular_values
    frames = [("early", RNG.standard_normal((4, 2))), ("late", RNG.standard_normal((4, 2)))]
    batches = 2.0 ** np.arange(6)
    corners = [(loss, w) for loss in ("qwem", "sgns") for w in ("setting31", "word2vec")]
    return {
        "stepwise": figures.training.stepwise(dict.fromkeys(theories, run), theories, units),
        "histories": figures.training.histories({n: {"small": cell} for n in theories}, 5),
        "clouds": figures.training.clouds(
            WORDS, {"QWEM": frames, "word2vec": frames}, [1, 1, 2, 2]
        ),
        "averaged_gradient": figures.training.averaged_gradient(
            batches, {"qwem": 1 / np.sqrt(batches)}
        ),
        "step_sizes": figures.training.step_sizes({"lr = 1": (t, t / t[-1]), "lr = 2": (t, t)}),
        "ablation": figures.training.ablation(
            {
                c: (t * slow, 60 - 60 * np.exp(-t))
                for c, slow in zip(corners, (1, 3) * 2, strict=True)
            }
        ),
        "trained_overlaps": figures.training.trained_overlaps(
            {"QWEM": np.eye(5), "word2vec": np.eye(5)}
        ),
    }


def draw_features() -> dict[str, Figure]:
    k = np.arange(1, 201)
    spectra = {"mstar": 9.0 * k**-0.5 - 0.7, "G": 3.0 * k**-1.2}
    laws = {name: fit_decay(values, 5, 100) for name, values in spectra.items()}
    share = {"one in two": 1 / (1 + k / 50), "one in three": 1 / (1 + k / 9)}
    scores = {"mstar": {"one": [0.1, 0.4, 0.6], "two": [0.3, 0.5, 0.5]}}
    return {
        "overlap_maps": figures.features.overlap_maps(
            {("one", "two"): np.eye(40), ("one", "three"): np.eye(40, k=1), ("x", "y"): np.eye(9)}
        ),
        "shared_features": figures.features.shared_features(
            share, share, {"one in two": 0.1 + 0 * k}, {"one in two": 0.05 + 0 * k}, chance=0.04
        ),
        "eigenvalue_decay": figures.features.eigenvalue_decay(
            spectra, laws, {"mstar": "M*", "G": "G"}, {"mstar": 1.0}
        ),
        "scores_by_dim": figures.features.scores_by_dim(
            [10, 100, 1000], scores, {"mstar": {"one": 0.5}}, {"one": "One", "two": "Two"}
        ),
    }


def draw_analogies() -> dict[str, Figure]:
    dims, names = [8, 16, 32], ["family", "gram7-past-tense", "gram8-plural"]
    vectors = WordVectors([f"{a}{b}" for a in range(9) for b in "xyz"], RNG.normal(size=(27, 32)))
    pairs = {
        name: [(f"{a}{x}", f"{a}{y}") for a in range(7)]
        for name, (x, y) in zip(names, ("xy", "yz", "xz"), strict=True)
    }
    record = taskvectors.emergence(vectors, pairs, dims)
    accuracy = {name: row["accuracy"] for name, row in record.items()}
    predicted = {name: RNG.random((2, 3)) for name in names}
    return {
        "bulk_and_spike": figures.analogies.bulk_and_spike({32: record["family"]["spectra"][2]}),
        "spikes": figures.analogies.spikes(record, at=1),
        "localised": figures.analogies.localised(
            {"family": np.arange(1, 7) / 21}, [(f"up{k}", f"down{k}") for k in range(6)]
        ),
        "rise_and_fall": figures.analogies.rise_and_fall(record, dims),
        "answer_and_rival": figures.analogies.answer_and_rival(record, dims),
        "localisation_over_dims": figures.analogies.localisation_over_dims(record, dims, names[:1]),
        "time_is_dimension": figures.analogies.time_is_dimension(
            [1, 5, 9], accuracy, dims, accuracy
        ),
        "trained_and_predicted": figures.analogies.trained_and_predicted(
            [0.3, 1, 3], predicted, {name: ([1, 3], RNG.random((2, 2))) for name in names}
        ),
        "snr_against_accuracy": figures.analogies.snr_against_accuracy(
            {name: (row["snr"][1], row["accuracy"][1]) for name, row in record.items()}, "SNR"
        ),
    }


def draw_exact() -> dict[str, Figure]:
    t = np.linspace(0.1, 3, 20)
    curves = 5 / (1 + np.exp(-10 * (t[:, None] - [1, 1.5, 2, 2.5])))
    falling = 9 / np.sqrt(t[:, None] + [0.1, 0.4])
    naive = np.where(t[:, None] < 2, curves * 1.1, np.nan)
    scales, accuracy = 10.0 ** -np.arange(1, 6), (t, 60 - 50 * np.exp(-t))
    return {
        "lost_digits": figures.exact.lost_digits(t, curves, naive),
        "silent_alignment": figures.exact.silent_alignment(t, curves / 5, curves / 6),
        "alignment_rate": figures.exact.alignment_rate(
            scales, {"gap 1/2": scales, "gap 1/4": scales**0.5}, [1, 0.5]
        ),
        "forgotten_start": figures.exact.forgotten_start(
            t, {"σ = 1": falling, "σ = 10": 2 * falling}, 0.5 / (1 + t), 9 / np.sqrt(t)
        ),
        "exact_on_run": figures.exact.exact_on_run((t, curves), t, curves, curves * 0.8, [1, 2, 4]),
        "predicted_accuracy": figures.exact.predicted_accuracy(
            {"trained": accuracy}, {"exact": accuracy, "Result 3": accuracy}
        ),
    }


def draw_steps() -> dict[str, Figure]:
    t = np.linspace(0, 3, 40)
    curves = 2 / (1 + np.exp(-6 * (t[:, None] - [1, 2])))
    line = {batch: np.array([1.0, 2.0, 4.0]) / batch for batch in (100, 1_000)}
    return {
        "falling_behind": figures.steps.falling_behind(t, curves, np.roll(curves, -2, 0), curves),
        "step_orders": figures.steps.step_orders([0.1, 0.2], {"flow": ([0.1, 0.2], 1)}),
        "edge_runs": figures.steps.edge_runs(
            {name: (curves / 2, t / 9) for name in ("one", "two")}
        ),
        "bifurcation": figures.steps.bifurcation(1.5, 4.0),
        "noise_floors": figures.steps.noise_floors([0.1, 0.2, 0.4], line, line),
        "outside_share": figures.steps.outside_share([0.1, 0.2], [0.12, 0.19], [3.0, 1.0]),
    }


def draw_weights() -> dict[str, Figure]:
    t = np.linspace(0, 3, 50)
    curves = 5 / (1 + np.exp(-10 * (t[:, None] - [1, 1.5, 2, 2.5])))
    values = np.array([-9.0, 5.0, 4.0, -3.0])
    errors = {"one": [0.1, 0.2, 0.3], "other": [0.01, 0.02, 0.04]}
    return {
        "predicted_times": figures.weights.predicted_times(
            t[:4], {"a": curves[:4], "b": curves[4:8]}
        ),
        "untied_curves": figures.weights.untied_curves(t, curves, (t[::5], curves[::5]), values),
        "two_ends": figures.weights.two_ends(values, WORDS[:2]),
        "nearly_balanced": figures.weights.nearly_balanced([1e-3, 1e-2, 1e-1], errors),
    }


def draw_relatives() -> dict[str, Figure]:
    t = np.linspace(0, 3, 50)
    curves = 1 / (1 + np.exp(-10 * (t[:, None] - [1, 1.5, 2, 2.5])))
    circle = np.column_stack([np.cos(t), np.sin(t)])
    sampled = t[::5], curves[::5]
    return {
        "mode_maps": figures.relatives.mode_maps(circle, curves[:, :3], [3.0, 2.0, 1.0]),
        "contrastive_curves": figures.relatives.contrastive_curves(
            t, curves, curves + 0.1, sampled
        ),
        "lazy_and_rich": figures.relatives.lazy_and_rich({"a": (t, curves, 0 * curves)}),
        "kernel_movement": figures.relatives.kernel_movement(
            [0.1, 1, 10], [10, 1, 0.1], [10, 1, 0.1]
        ),
    }


def draw_quality() -> dict[str, Figure]:
    rows = [
        {"name": title, "title": title, "cpu_seconds": seconds, "analogies": score}
        for title, seconds, score in (("closed form", 20, 0.5), ("other", 90, 0.4), ("x", 99, 0.6))
    ]
    return {"frontier": figures.quality.frontier(rows, {"analogies": "Analogies"})}


def draw_after() -> dict[str, Figure]:
    t = np.linspace(0, 3, 9)
    ring = np.column_stack([np.cos(t), np.sin(t)])
    return {
        "months_in_a_circle": figures.after.months_in_a_circle(
            [f"month{k}" for k in range(9)], [[2, 3], [1, 2]], ring
        ),
        "two_optimisers": figures.after.two_optimisers(
            {name: (t, np.outer(t, [1, 0.5])) for name in ("plain", "Adam")}, [3, 2]
        ),
        "hypernyms": figures.after.hypernyms({"1-5": [0.3, 0.8, 1.0]}, [1, 2, 3]),
    }


@pytest.fixture(scope="module")
def drawn() -> dict[str, Figure]:
    return draw()


def test_every_public_figure_is_tested(drawn):
    rooms = [room for room in vars(figures).values() if inspect.ismodule(room)]
    public = {name for room in rooms if room.__name__ != STYLE for name in room.__all__}
    assert public == set(drawn)


def test_the_same_figure_is_the_same_bytes():
    global RNG
    RNG = np.random.default_rng(1)
    first = {name: figures.to_svg(figure) for name, figure in draw().items()}
    RNG = np.random.default_rng(1)
    assert {name: figures.to_svg(figure) for name, figure in draw().items()} == first


def test_axes_are_named_and_type_is_legible(drawn):
    for name, figure in drawn.items():
        assert figure.get_figwidth() == figures.WIDTH, name
        texts = [text for ax in figure.axes for text in [*ax.texts, ax.xaxis.label, ax.yaxis.label]]
        assert all(text.get_fontsize() >= 9 for text in texts if text.get_text()), name
        assert any(ax.get_xlabel() or ax.get_ylabel() for ax in figure.axes), name


def test_labels_keep_apart(drawn):
    for name in ("ablation", "cloud", "clouds", "exact_on_run", "history", "mode_curves"):
        figure = drawn[name]
        figure.draw_without_rendering()
        for ax in figure.axes:
            boxes = [text.get_window_extent() for text in ax.texts]
            for i, one in enumerate(boxes):
                for other in boxes[:i]:
                    shared = min(one.y1, other.y1) - max(one.y0, other.y0)
                    beside = min(one.x1, other.x1) - max(one.x0, other.x0)
                    assert shared < 0.35 * one.height or beside <= 0, name


def test_ground_is_transparent(drawn):
    svg = figures.to_svg(drawn["taylor"])
    background = re.search(r'<g id="patch_1">\s*<path[^>]*style="([^"]*)"', svg).group(1)
    assert "opacity: 0" in background or "fill: none" in background


def test_modes_keep_their_colours():
    colors = [figures.mode_color(k) for k in range(1, 9)]
    assert len(set(colors)) == 8
    assert figures.mode_color(9) == figures.mode_color(200) == figures.FAINT


def test_playground_redraws_and_carries_a_still():
    ipywidgets = pytest.importorskip("ipywidgets")
    made = []

    def picture(reach):
        made.append(reach)
        if reach > 5:
            raise ValueError("reach is at most 5")
        return figures.derivation.taylor(reach)

    slider = ipywidgets.FloatSlider(value=2, min=1, max=8, description="reach")
    play = figures.playground(picture, alt="two curves", reach=slider)
    still = play.children[-1].value
    assert 'alt="two curves"' in still
    slider.value = 4
    assert made == [2, 4]
    assert play.children[-1].value != still
    slider.value = 7
    assert "reach is at most 5" in play.children[-1].value
    data, _ = play._repr_mimebundle_()
    assert data["image/svg+xml"] == figures.to_svg(figures.derivation.taylor(2))
    assert "application/vnd.jupyter.widget-view+json" in data


def test_faults_18_words_with_dollar_signs_are_drawn_as_they_are():
    words = [r"$\bad$", "$x^{", "a_b", r"\$", "$$", "%", "&", "$1"]
    points, t = np.column_stack([np.arange(8), np.arange(8)]), np.linspace(0, 3, 9)
    path = dynamics.aligned(np.diag(np.arange(8.0, 0, -1)), 1e-3, dim=8)
    pairs = [(word, word) for word in words]
    drawn = [
        figures.counting.word_matrix(np.eye(8), words, "M*"),
        figures.counting.zipf(np.arange(2_000, 0, -1), words * 250),
        figures.closed_form.cloud(words, [("late", points)], [1] * 8),
        figures.closed_form.history(path, words),
        figures.training.clouds(words, {"QWEM": [("late", points)]}, [1] * 8),
        figures.analogies.localised({"family": t[:8] / 9}, pairs),
        figures.weights.two_ends(np.array([3.0, -1.0, 0.5]), words[:2]),
    ]
    for figure in drawn:
        assert "<svg" in figures.to_svg(figure)


def test_histories_cut_off_no_curve():
    t = np.linspace(0, 5, 20)
    grid = {n: {"small": (t, height * np.ones((20, 2)))} for n, height in (("a", 1), ("b", 9))}
    tops = [ax.get_ylim()[1] for ax in figures.training.histories(grid, 5).axes]
    assert min(tops) > 9
