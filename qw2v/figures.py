"""Every picture of the companion, one function a figure, in one style.

A figure is drawn 5.2 inches wide with 11-point type, so that it is still legible in the 350 pixels
of a phone. It is an SVG without background; the site turns its lightness over in dark mode. Colours
mean the same everywhere: `mode_color(k)` for the k-th mode, `COLORS[model]` for a model.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from qw2v.dynamics import Path
from qw2v.targets import mode_words

INK, FAINT = "#1c2430", "#9aa3ad"
MODES = ("#0b63b5", "#d1495b", "#1a8a5f", "#b8720a", "#7a4bb8", "#0f8b9d", "#b03a8c", "#6b7a1e")
COLORS = {
    "mstar": "#0b63b5",
    "pmi": "#d1495b",
    "ppmi": "#b8720a",
    "theory": INK,
    "quartic": "#1a8a5f",
}
NAMES = {"mstar": "M*", "pmi": "PMI", "ppmi": "PPMI"}
WIDTH = 5.2

STYLE = {
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.linewidth": 0.8,
    "lines.linewidth": 2,
    "legend.frameon": False,
    "legend.fontsize": 10,
    "figure.constrained_layout.use": True,
    "svg.hashsalt": "qw2v",  # the same figure is the same file
    "savefig.transparent": True,
}


def mode_color(k: int) -> str:
    """Return the colour of mode k, counted from 1; modes past the eighth are grey."""
    return MODES[k - 1] if k <= len(MODES) else FAINT


def use_style() -> None:
    """Set the companion's style, and have notebooks show every Figure as an SVG."""
    matplotlib.rcParams.update(STYLE)
    try:
        from IPython import get_ipython
    except ImportError:
        return
    if shell := get_ipython():
        from matplotlib import pyplot  # noqa: F401  its first import resets the formatters

        formatters = shell.display_formatter.formatters
        formatters["image/svg+xml"].for_type(Figure, to_svg)


def to_svg(figure: Figure) -> str:
    """Return a figure as SVG text, the same bytes for the same figure."""
    stream = io.StringIO()
    with matplotlib.rc_context(
        {key: STYLE[key] for key in ("svg.hashsalt", "savefig.transparent")}
    ):
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def panels(
    rows: int = 1, columns: int = 1, height: float = 3.2, **options: Any
) -> tuple[Figure, Any]:
    """Return a Figure of the companion's width, in its style, and its axes."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, height))
        return figure, figure.subplots(rows, columns, **options)


def playground(draw: Callable[..., Figure], alt: str = "", **controls: Any) -> Any:
    """Return a figure with controls: live in a kernel, a still picture on a page without one.

    `controls` are ipywidgets by the name of `draw`'s arguments; their first values give the still
    picture, whose text is `alt`. A page without a kernel shows no slider that could not move.
    """
    import ipywidgets

    def picture(**values: Any) -> str:
        return to_svg(draw(**values))

    values = {name: control.value for name, control in controls.items()}
    still = picture(**values)
    view = ipywidgets.HTML(_img(still, alt))

    def redraw(_: Any) -> None:
        now = {name: control.value for name, control in controls.items()}
        try:
            view.value = _img(picture(**now), alt)
        except ValueError as problem:
            view.value = f"<p role='alert'>{html.escape(str(problem))}</p>"

    for control in controls.values():
        control.observe(redraw, names="value")

    class Playground(ipywidgets.VBox):
        def _repr_mimebundle_(self, **options: Any) -> Any:
            bundle = super()._repr_mimebundle_(**options)
            data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
            return {**data, "image/svg+xml": still}, metadata

    return Playground([*controls.values(), view])


def _img(svg: str, alt: str) -> str:
    encoded = base64.b64encode(svg.encode()).decode()
    source = f"data:image/svg+xml;base64,{encoded}"
    return f'<img alt="{html.escape(alt)}" style="max-width:100%" src="{source}">'


def word_matrix(
    values: NDArray, words: Sequence[str], label: str, limit: float | None = None, groups: int = 0
) -> Figure:
    """Draw a small symmetric matrix over words as a heat map; lines part every `groups` words."""
    figure, ax = panels(height=5.6)
    limit = np.abs(values).max() if limit is None else limit
    image = ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.set_xticks(range(len(words)), words, rotation=90, fontsize=9)
    ax.set_yticks(range(len(words)), words, fontsize=9)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    for edge in range(groups, len(words), groups or len(words)):
        ax.axhline(edge - 0.5, color="white", linewidth=2)
        ax.axvline(edge - 0.5, color="white", linewidth=2)
    figure.colorbar(image, ax=ax, location="bottom", shrink=0.7, aspect=30, label=label)
    return figure


def zipf(
    word_counts: NDArray, words: Sequence[str], named: Sequence[int] = (1, 10, 100, 1000)
) -> Figure:
    """Draw counts against rank on logarithmic axes, with a few ranks named."""
    figure, ax = panels()
    rank = np.arange(1, len(word_counts) + 1)
    ax.loglog(rank, word_counts, color=COLORS["theory"])
    for r in named:
        ax.plot(r, word_counts[r - 1], "o", color=MODES[1])
        ax.annotate(words[r - 1], (r, word_counts[r - 1]), (6, 4), textcoords="offset points")
    ax.set(xlabel="rank of the word", ylabel="occurrences")
    return figure


def window_weight(window: int, simulated: NDArray) -> Figure:
    """Draw the weight of a neighbour against its distance beside a simulated dynamic window."""
    figure, ax = panels(height=2.8)
    distance = np.arange(1, window + 1)
    expected = (window + 1 - distance) / window
    ax.bar(np.r_[-distance[::-1], distance], np.r_[simulated[::-1], simulated], color="#b9cfe6")
    ax.plot(-distance, expected, color=MODES[0])
    ax.plot(distance, expected, color=MODES[0])
    ax.annotate(
        "expected: (L + 1 − distance) / L",
        (0.98, 0.95),
        xycoords="axes fraction",
        ha="right",
        va="top",
        color=MODES[0],
    )
    ax.annotate(
        "the centre word", (0, 0), (0, 0.12), ha="center", rotation=90, va="bottom", fontsize=9
    )
    ax.set(xlabel="position of the neighbour", ylabel="chance to count", ylim=(0, 1.25))
    return figure


def frequency_tricks(unigram: NDArray, acceptance: NDArray, noise: NDArray) -> Figure:
    """Draw subsampling and the negative distribution as factors, against a word's frequency."""
    figure, ax = panels(height=3)
    ax.loglog(unigram, acceptance, color=MODES[0])
    ax.loglog(unigram, noise / unigram, color=MODES[1])
    ax.axhline(1, color=FAINT, linewidth=0.8, zorder=0)
    middle = len(unigram) // 40
    ax.annotate(
        "kept as a centre: $p_i$",
        (unigram[5], acceptance[5]),
        (-4, -4),
        textcoords="offset points",
        color=MODES[0],
        ha="right",
        va="top",
    )
    ax.annotate(
        "drawn as a negative: $q_i / P_i$",
        (unigram[middle], (noise / unigram)[middle]),
        (4, 8),
        textcoords="offset points",
        color=MODES[1],
    )
    ax.set_yticks([0.1, 0.2, 0.5, 1, 2, 5], ["0.1", "0.2", "0.5", "1", "2", "5"])
    ax.minorticks_off()
    ax.set(xlabel="frequency $P_i$ of the word", ylabel="factor (1 = no change)", ylim=(0.08, 5))
    return figure


def taylor(reach: float = 4.0) -> Figure:
    """Draw the loss of one positive pair and its second-order Taylor polynomial, with their gap."""
    x = np.linspace(-reach, reach, 401)
    exact, approximate = np.logaddexp(0, -x), np.log(2) - x / 2 + x**2 / 8
    figure, ax = panels()
    ax.fill_between(x, exact, approximate, color="#cfe6dc")
    ax.plot(x, exact, color=COLORS["theory"], label="log(1 + e$^{-x}$)")
    ax.plot(x, approximate, "--", color=COLORS["quartic"], label="log 2 − x/2 + x²/8")
    ax.legend(loc="upper right")
    ax.set(xlabel="$x = w_i · w_j$", ylabel="loss of a positive pair", ylim=(0, None))
    return figure


def loss_agreement(scales: NDArray, losses: NDArray, gradients: NDArray) -> Figure:
    """Draw the relative gaps of loss and gradient, SGNS against quartic, as embeddings grow."""
    figure, ax = panels()
    for gap, name, color, side in (
        (losses, "loss", INK, -18),
        (gradients, "gradient", COLORS["quartic"], 12),
    ):
        ax.loglog(scales, gap, "o-", color=color)
        place = {"xytext": (0, side), "textcoords": "offset points", "ha": "center"}
        ax.annotate(name, (scales[2], gap[2]), **place, color=color)
    ax.set_xticks(scales, [f"{scale:.0%}" for scale in scales])
    ax.minorticks_off()
    ax.set(xlabel="size of the embeddings (100% = fully trained)", ylabel="relative gap")
    return figure


def soft_clip(pmi: NDArray, marked: Mapping[str, float] | None = None) -> Figure:
    """Draw M* = 2 tanh(PMI / 2) beside PMI, over the PMI of real pairs, with a few pairs named."""
    figure, (top, bottom) = panels(2, 1, height=4.8, sharex=True, height_ratios=(3, 1))
    x = np.linspace(-6, 6, 241)
    top.plot(x, x, color=COLORS["pmi"], linewidth=1.2)
    top.plot(x, np.maximum(x, 0), color=COLORS["ppmi"], linestyle="--", linewidth=1.2)
    top.plot(x, 2 * np.tanh(x / 2), color=COLORS["mstar"], linewidth=3)
    top.annotate(
        "PMI", (3.0, 3.0), (-4, 2), textcoords="offset points", color=COLORS["pmi"], ha="right"
    )
    top.annotate("PPMI", (-5.8, 0), (0, 4), textcoords="offset points", color=COLORS["ppmi"])
    top.annotate("M* = 2 tanh(PMI / 2)", (6, -0.2), ha="right", color=COLORS["mstar"])
    for name, value in (marked or {}).items():
        y = 2 * np.tanh(value / 2)
        top.plot(value, y, "o", color=COLORS["mstar"])
        side = "right" if value > 4 else "left"
        top.annotate(
            name, (value, y), (0, -8), textcoords="offset points", fontsize=10, ha=side, va="top"
        )
    top.set(ylim=(-4, 4), ylabel="entry of the matrix")
    bottom.hist(
        pmi, bins=np.linspace(-6, 6, 97), color="#b9cfe6", weights=np.full(len(pmi), 100 / len(pmi))
    )
    bottom.set(xlabel="PMI of the pair", ylabel="% of pairs")
    return figure


def spent_on_silence(shares: Mapping[str, float]) -> Figure:
    """Draw the share of each matrix's squared norm that lies on pairs that never co-occur."""
    figure, ax = panels(height=2.2)
    names = list(shares)
    ax.barh(range(len(names)), [100] * len(names), color="#e6e9ed")
    ax.barh(range(len(names)), [100 * shares[n] for n in names], color=[COLORS[n] for n in names])
    for row, name in enumerate(names):
        ax.annotate(f"{100 * shares[name]:.2f}%", (101, row), va="center", annotation_clip=False)
    ax.set_yticks(range(len(names)), [NAMES[n] for n in names])
    ax.set(xlim=(0, 100), xlabel="% of the squared norm on pairs never seen together")
    ax.invert_yaxis()
    return figure


def mode_curves(
    times: NDArray,
    singular_values: NDArray,
    loss: NDArray,
    learned: NDArray,
    labels: Sequence[str] = (),
    measured: tuple[NDArray, NDArray] | None = None,
) -> Figure:
    """Draw singular values rising one by one, the loss falling in steps, and the rank, over time.

    times (T,) in units of tau_1; singular_values (T, d); loss (T,) and learned (T,). `labels` name
    the first modes at their right end; `measured` (times (S,), singular values (S, n)) is dotted.
    """
    figure, axes = panels(3, 1, height=6.4, sharex=True, height_ratios=(3, 1.3, 1.3))
    top, middle, bottom = axes
    for k in reversed(range(singular_values.shape[1])):
        style = {"color": mode_color(k + 1), "linewidth": 2 if k < len(MODES) else 0.7}
        top.plot(times, singular_values[:, k], **style)
    if measured is not None:
        for k in range(measured[1].shape[1]):
            top.plot(
                measured[0],
                measured[1][:, k],
                "o",
                color=mode_color(k + 1),
                markersize=3,
                markerfacecolor="white",
            )
    _direct_labels(top, times[-1], singular_values[-1], labels)
    top.set(ylabel="singular value $s_k$", ylim=(0, None))
    middle.plot(times, loss / loss[0], color=INK)
    middle.set(ylabel="loss / start")
    bottom.plot(times, learned, color=INK)
    bottom.yaxis.get_major_locator().set_params(integer=True)
    bottom.set(
        xlabel="training time $t / \\tau_1$", ylabel="modes learned", xlim=(times[0], times[-1])
    )
    return figure


def history(path: Path, words: Sequence[str], horizon: float = 4.0) -> Figure:
    """Draw a whole training history: `mode_curves` of a path, up to `horizon` in units of tau_1.

    The first eight modes are named by the words at their two ends; `words` (V,) names the rows.
    """
    times = np.linspace(0, horizon, 400)
    t = times * path.learning_times[0]
    named = range(1, min(len(path.eigenvalues), len(MODES)) + 1)
    ends = [mode_words(path.eigenvectors, words, k, n=1) for k in named]
    labels = [f"{up[0]} / {down[0]}" for up, down in ends]
    curves = path.singular_values(t), path.loss(t), path.learned_modes(t)
    return mode_curves(times, *curves, labels=labels)


def _direct_labels(ax: Axes, x: float, heights: NDArray, labels: Sequence[str]) -> None:
    """Write each label beside its curve's end, pushed apart so that none overlaps another."""
    if not labels:
        return
    gap = 0.062 * np.ptp(ax.get_ylim())
    place = np.inf
    for k, label in enumerate(labels):
        place = min(heights[k], place - gap)
        ax.annotate(
            label,
            (x, place),
            (4, 0),
            textcoords="offset points",
            color=mode_color(k + 1),
            va="center",
            fontsize=9,
            annotation_clip=False,
        )


def cloud(
    words: Sequence[str],
    frames: Sequence[tuple[str, NDArray]],
    groups: Sequence[int],
    background: Sequence[NDArray] | None = None,
    axes_labels: tuple[str, str] = ("component 1", "component 3"),
) -> Figure:
    """Draw the embeddings of a few words in two components at several moments, one above another.

    frames: (title, coordinates (n, 2)) per moment; groups (n,) colours words of one topic alike;
    background: coordinates (m, 2) of all other words, per moment.
    """
    figure, axes = panels(len(frames), 1, height=2.3 * len(frames), sharex=True, sharey=True)
    axes = np.atleast_1d(axes)
    for row, (ax, (title, points)) in enumerate(zip(axes, frames, strict=True)):
        if background is not None:
            ax.scatter(*background[row].T, s=1, color="#d5d9de", rasterized=True)
        ax.scatter(*points.T, s=12, color=[mode_color(group) for group in groups], zorder=3)
        ax.set_title(title)
        ax.set(ylabel=axes_labels[1])
        ax.margins(x=0.12, y=0.15)
    axes[-1].set(xlabel=axes_labels[0])
    figure.draw_without_rendering()  # labels can be kept apart once the layout is known
    for ax, (_, points) in zip(axes, frames, strict=True):
        _scatter_labels(ax, words, points, [mode_color(group) for group in groups])
    return figure


def _scatter_labels(
    ax: Axes, words: Sequence[str], points: NDArray, colors: Sequence[str], size: float = 9
) -> None:
    """Write each word near its point, on the first height where it covers no earlier word."""
    anchors = ax.transData.transform(points) * 72 / ax.figure.dpi
    taken: list[tuple[float, float, float]] = []
    for word, (x, y), point, color in zip(words, anchors, points, colors, strict=True):
        width, height = 0.62 * size * len(word), 1.25 * size
        for step in (0, -1, 1, -2, 2, -3, 3, -4, 4):
            low = y + 3 + step * height
            if all(
                abs(low - other) >= height or x + width < left or x > right
                for left, right, other in taken
            ):
                break
        taken.append((x, x + width, low))
        ax.annotate(
            word, point, (3, low - y), textcoords="offset points", fontsize=size, color=color
        )


def shrinking_error(scales: ArrayLike, errors: Mapping[str, ArrayLike]) -> Figure:
    """Draw the largest relative error of predicted learning times against the scale sigma."""
    figure, ax = panels(height=2.8)
    for k, (name, error) in enumerate(errors.items()):
        percent = 100 * np.asarray(error)
        ax.loglog(scales, percent, "o-", color=mode_color(k + 1))
        place = {"xytext": (0, 10 - 22 * k), "textcoords": "offset points"}
        ax.annotate(name, (scales[-3], percent[-3]), **place, color=mode_color(k + 1))
    ax.set(xlabel="scale σ of the random start", ylabel="error of the times in %")
    return figure


def benchmark(
    scores: Mapping[str, Mapping[str, float]], quoted: Mapping[str, Mapping[str, float]]
) -> Figure:
    """Draw benchmark scores (in %) per task and model as bars, the paper's as open diamonds."""
    tasks = list(next(iter(scores.values())))
    figure, axes = panels(len(tasks), 1, height=1.35 * len(tasks) + 0.4, sharex=True)
    for ax, task in zip(axes, tasks, strict=True):
        for row, model in enumerate(scores):
            ax.barh(row, scores[model][task], color=COLORS[model], height=0.7)
            ax.annotate(
                f"{scores[model][task]:.1f}", (2, row), va="center", color="white", fontsize=9
            )
            ax.plot(
                quoted[model][task],
                row,
                "D",
                markerfacecolor="white",
                markeredgecolor=INK,
                markersize=6,
            )
        ax.set_yticks(range(len(scores)), [NAMES[m] for m in scores])
        ax.set_title(task)
        ax.invert_yaxis()
    axes[-1].set(xlabel="score in %; ◇ the paper, on 34 times more text", xlim=(0, 85))
    return figure
