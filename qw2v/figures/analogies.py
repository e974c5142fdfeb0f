"""Figures of the chapter on analogies: task vectors, their bulk and their spike.

A `record` is what `qw2v.taskvectors.emergence` returns for the dimensions `dims`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from qw2v.figures._style import FAINT, INK, MODES, panels, scatter_labels
from qw2v.taskvectors import BulkFit, fit_bulk

__all__ = [
    "answer_and_rival",
    "bulk_and_spike",
    "localised",
    "localisation_over_dims",
    "rise_and_fall",
    "snr_against_accuracy",
    "spikes",
    "time_is_dimension",
    "trained_and_predicted",
]

BINS_PER_DECADE = 8
RANGE = (2e-4, 3.0)  # of the eigenvalues shown
BLUE, RED, GREEN = MODES[:3]


def title(category: str) -> str:
    """Return a category's name as a reader would write it.

    >>> title("gram7-past-tense")
    'past tense'
    """
    first, _, rest = category.partition("-")
    return (rest if first.startswith("gram") and rest else category).replace("-", " ")


def stacked(values: ArrayLike, limits: tuple[float, float] = RANGE) -> tuple[NDArray, NDArray]:
    """Return where the dots of a dot plot lie: x, and y counted up within bins of log x."""
    x = np.clip(values, *limits)
    bins = np.floor(np.log10(x / limits[0]) * BINS_PER_DECADE).astype(int)
    earlier = [np.sum(bins[i:] == b) for i, b in enumerate(bins)]
    return x, np.array(earlier) - 0.5


def draw_spectrum(
    ax: Axes,
    values: Sequence[float],
    fit: BulkFit | None,
    size: float = 4,
    limits: tuple[float, float] = RANGE,
) -> None:
    """Draw eigenvalues as dots, the largest as a diamond, and the fitted law over them."""
    x, y = stacked(values, limits)
    ax.plot(x[1:], y[1:], "o", color=BLUE, markersize=size, markeredgewidth=0)
    ax.plot(x[0], y[0], "D", color=RED, markersize=size + 2)
    if fit is not None:
        low, high = fit.bulk.support()
        grid = low + (high - low) * np.sin(np.linspace(0, np.pi / 2, 80)) ** 2
        height = fit.bulk.size * np.log(10) / BINS_PER_DECADE * grid * fit.bulk.pdf(grid)
        ax.plot(grid, height, color=INK, linewidth=1.5)
    ax.set(xscale="log", xlim=limits, ylim=(0, None))
    ax.minorticks_off()


def bulk_and_spike(spectra: Mapping[int, Sequence[float]]) -> Figure:
    """Draw the spectrum of R R^T / d at several d (Figure 4, left), d in the keys."""
    figure, axes = panels(len(spectra), 1, height=1.55 * len(spectra) + 0.4, sharex=True)
    axes = np.atleast_1d(axes)
    for ax, (dim, values) in zip(axes, spectra.items(), strict=True):
        fit = fit_bulk(values)
        draw_spectrum(ax, values, fit)
        note = f"$d_\\mathrm{{eff}}$ = {fit.bulk.dim:.0f} ± {fit.dim_error:.0f}"
        ax.set_title(f"d = {dim:,}:  {note}", fontsize=10)
        ax.axvspan(fit.bulk.support()[1], RANGE[1], color=FAINT, alpha=0.15, linewidth=0)
        x, y = stacked(values)
        word = "spike" if fit.stands_out else "largest"
        place = {"textcoords": "offset points", "ha": "left", "va": "center"}
        ax.annotate(word, (x[0], y[0]), (8, 0), color=RED, **place)
    axes[-1].set(xlabel="eigenvalue of $RR^⊤/d$", ylabel="how many")
    return figure


def _multiples(
    names: Sequence[str], height: float = 1.25, **options: Any
) -> tuple[Figure, dict[str, Any]]:
    """Return a figure of small panels, two in a row, and the panels by category."""
    rows = -(-len(names) // 2)
    figure, grid = panels(rows, 2, height=height * rows + 0.5, sharex=True, **options)
    axes = dict(zip(names, grid.ravel(), strict=False))
    for name, ax in axes.items():
        ax.set_title(title(name), fontsize=10)
    for ax in grid.ravel()[len(names) :]:
        ax.set_visible(False)
    return figure, axes


def _label(figure: Figure, axes: Mapping[str, Axes], x: str, y: str) -> None:
    """Name both axes of small panels: below the last panel of each column, and at the left."""
    for ax in list(axes.values())[-2:]:
        ax.set_xlabel(x)
        ax.tick_params(labelbottom=True)
    figure.supylabel(y, fontsize=11)


def spikes(record: Mapping[str, Mapping], at: int) -> Figure:
    """Draw the spectra of all categories (Figure 6) at the dimension with the index `at`."""
    figure, axes = _multiples(list(record), height=1.15)
    for name, ax in axes.items():
        values = record[name]["spectra"][at]
        fit = fit_bulk(values) if 3 <= record[name]["pairs"] <= len(values) else None
        draw_spectrum(ax, values, fit, size=3)
        if fit is not None:
            ax.axvspan(fit.bulk.support()[1], RANGE[1], color=FAINT, alpha=0.15, linewidth=0)
        ax.set_yticks([])
    _label(figure, axes, "eigenvalue of $RR^⊤/d$", "how many")
    return figure


def localised(
    shares: Mapping[str, NDArray], words: Sequence[tuple[str, str]], top: int = 4
) -> Figure:
    """Draw the share of the mean task vector on each mode (Figure 4, top).

    `shares` by category (d,); `words` name the two ends of each mode; the `top` largest are named.
    """
    figure, axes = panels(len(shares), 1, height=2.2 * len(shares) + 0.4, sharex=True)
    for ax, (name, share) in zip(np.atleast_1d(axes), shares.items(), strict=True):
        modes, percent = np.arange(1, len(share) + 1), 100 * share
        ax.vlines(modes, 0, percent, color=FAINT, linewidth=1.2)
        chosen = np.argsort(-share)[:top]
        ax.set(ylim=(0, 1.25 * percent.max()), xlim=(-4, len(share) + 6), ylabel="share in %")
        ax.set_title(title(name))
        lines = []
        for slot, k in enumerate(chosen):
            ax.vlines(modes[k], 0, percent[k], color=MODES[slot], linewidth=3)
            lines.append((f"{modes[k]}: {words[k][0]} / {words[k][1]}", MODES[slot]))
        for row, (line, color) in enumerate(lines):
            ax.annotate(
                line,
                (1, 1),
                (0, -13 * row),
                xycoords="axes fraction",
                textcoords="offset points",
                ha="right",
                va="top",
                color=color,
                fontsize=9.5,
                parse_math=False,
            )
    np.atleast_1d(axes)[-1].set(xlabel="mode, by its number")
    return figure


def _log_dims(ax: Axes, dims: Sequence[int]) -> None:
    shown = [d for d in (4, 16, 64, 256, 1024, 4096) if dims[0] <= d <= dims[-1]]
    ax.set(xscale="log", xlim=(dims[0] * 0.85, dims[-1] * 1.2))
    ax.set_xticks(shown, [f"{d:,}" if d < 1000 else f"{d // 1024}k" for d in shown])
    ax.minorticks_off()


def rise_and_fall(record: Mapping[str, Mapping], dims: Sequence[int]) -> Figure:
    """Draw SNR and accuracy against d (Figures 4 and 6, bottom), each over its largest value."""
    figure, axes = _multiples(list(record), sharey=True)
    for name, ax in axes.items():
        curves = (("accuracy", BLUE, "{:.0%}", 0), ("snr", RED, "{:.1f}", -32))
        for key, color, form, shift in curves:
            values = np.array(record[name][key])
            ax.plot(dims, values / max(values.max(), 1e-9), color=color, linewidth=1.8)
            place = {"xytext": (shift, 0), "textcoords": "offset points", "ha": "right"}
            text = form.format(values.max())
            ax.annotate(text, (dims[-1] * 1.15, 1.15), color=color, fontsize=9.5, **place)
        _log_dims(ax, dims)
        ax.set(ylim=(0, 1.5), yticks=[0, 1])
    first = next(iter(axes.values()))
    first.annotate("accuracy", (dims[0], 1.2), color=BLUE, fontsize=9.5)
    first.annotate("SNR", (dims[0], 0.9), color=RED, fontsize=9.5)
    _label(figure, axes, "dimension d", "share of the largest value, which is written above")
    return figure


def answer_and_rival(record: Mapping[str, Mapping], dims: Sequence[int]) -> Figure:
    """Draw the cosine of query and answer, and of query and nearest other word (Figure 8)."""
    figure, axes = _multiples(list(record), height=1.7, sharey=True)
    for ax in axes.values():
        _log_dims(ax, dims)
        ax.set(ylim=(-0.05, 1))
    for name, ax in axes.items():
        answer, rival = (np.array(record[name][key]) for key in ("answer", "rival"))
        ax.plot(dims, answer, color=BLUE)
        ax.plot(dims, rival, color=RED, linewidth=1.4)
        ax.fill_between(dims, answer, rival, where=answer > rival, color=BLUE, alpha=0.15, lw=0)
    first = next(iter(axes.values()))
    first.annotate("answer", (dims[0], 0.36), color=BLUE, fontsize=9.5)
    first.annotate("nearest other word", (dims[0], 0.18), color=RED, fontsize=9.5)
    _label(figure, axes, "dimension d", "cosine to the query")
    return figure


def localisation_over_dims(
    record: Mapping[str, Mapping], dims: Sequence[int], named: Sequence[str] = ()
) -> Figure:
    """Draw the inverse participation ratio against d, over that of noise, 3 / (d + 2).

    Each category's mean task vector is a line, those of `named` in colour; the band is where single
    task vectors lie, on average by category.
    """
    figure, ax = panels(height=3.8)
    noise = 3 / (np.asarray(dims) + 2)
    single = np.array([row["ipr"] for row in record.values()]) / noise
    ax.fill_between(dims, single.min(axis=0), single.max(axis=0), color=FAINT, alpha=0.35, lw=0)
    ax.axhline(1, color=INK, linewidth=1, linestyle="--")
    for name in sorted(record, key=lambda name: name in named):
        slot = list(named).index(name) if name in named else None
        color, width = (FAINT, 0.9) if slot is None else (MODES[slot], 2.2)
        curve = np.array(record[name]["mean_ipr"]) / noise
        ax.plot(dims, curve, color=color, linewidth=width)
    ends = [record[name]["mean_ipr"][-1] / noise[-1] for name in named]
    ax.set(xlabel="dimension d", ylabel="IPR, over that of noise", ylim=(0, None))
    _log_dims(ax, dims)
    heights = _apart(ends, 0.06 * ax.get_ylim()[1])
    for name, height, color in zip(named, heights, MODES, strict=False):
        place = {"xytext": (5, 0), "textcoords": "offset points", "annotation_clip": False}
        ax.annotate(
            title(name), (dims[-1], height), va="center", fontsize=9.5, color=color, **place
        )
    return figure


def _apart(heights: Sequence[float], gap: float) -> NDArray:
    """Return the heights, the lower ones pushed down until all stand a gap apart."""
    placed, last = np.array(heights, float), np.inf
    for i in np.argsort(-placed):
        last = placed[i] = min(placed[i], last - gap)
    return placed


def time_is_dimension(
    learned: Sequence[int],
    in_time: Mapping[str, Sequence[float]],
    dims: Sequence[int],
    over_dims: Mapping[str, Sequence[float]],
) -> Figure:
    """Draw accuracy against the modes learned by a time, over accuracy against d."""
    figure, axes = _multiples(list(in_time), height=1.7, sharey=True)
    for name, ax in axes.items():
        ax.plot(dims, 100 * np.array(over_dims[name]), color=INK, linewidth=1.2)
        ax.plot(learned, 100 * np.array(in_time[name]), "o", color=RED, markersize=3.5)
        ax.set(xscale="log", ylim=(0, 102))
        ax.set_xticks([1, 4, 16, 64, 200], ["1", "4", "16", "64", "200"])
        ax.minorticks_off()
    first = next(iter(axes.values()))
    first.annotate("finished model", (0.03, 0.8), xycoords="axes fraction", color=INK, fontsize=9.5)
    first.annotate("in time", (0.03, 0.62), xycoords="axes fraction", color=RED, fontsize=9.5)
    _label(figure, axes, "d, or modes learned", "accuracy in %")
    return figure


def trained_and_predicted(
    times: Sequence[float],
    predicted: Mapping[str, ArrayLike],
    measured: Mapping[str, tuple[ArrayLike, ArrayLike]] | None = None,
    label: str = "accuracy in %",
    percent: bool = True,
) -> Figure:
    """Draw each category over time: predicted (seeds, T) as a band and its mean, trained as dots.

    `times` (T,) are in units of tau_1; `measured` holds the times (S,) of checkpoints and values
    (seeds, S). The band is two standard deviations over seeds, on each side.
    """
    figure, axes = _multiples(list(predicted), sharey=percent)
    scale = 100 if percent else 1
    for name, ax in axes.items():
        values = scale * np.atleast_2d(predicted[name])
        mean = values.mean(axis=0)
        if len(values) > 1:
            spread = 2 * values.std(axis=0, ddof=1)
            ax.fill_between(times, mean - spread, mean + spread, color=BLUE, alpha=0.25, lw=0)
        ax.plot(times, mean, color=BLUE, linewidth=1.5)
        if measured is not None:
            checkpoints, found = measured[name]
            for seed in np.atleast_2d(found):
                ax.plot(checkpoints, scale * np.asarray(seed), "o", color=RED, markersize=2.5)
        ax.set(xscale="log", ylim=(0, 102) if percent else (0, None))
        ax.set_xticks([0.3, 1, 3, 10, 30], ["0.3", "1", "3", "10", "30"])
        ax.minorticks_off()
    _label(figure, axes, "time $t / \\tau_1$", label)
    return figure


def snr_against_accuracy(points: Mapping[str, tuple[float, float]], label: str) -> Figure:
    """Draw SNR and accuracy of each category as a point with its name."""
    figure, ax = panels(height=4.4)
    names = list(points)
    x, y = np.array([points[name] for name in names]).T
    grammar = np.array([name.startswith("gram") for name in names])
    colors = np.where(grammar, RED, BLUE)
    ax.scatter(x, 100 * y, c=colors, s=26, zorder=3)
    ax.set(xscale="log", ylim=(-4, 104), xlabel=label, ylabel="accuracy in %")
    ax.set_xlim(x.min() / 1.15, x.max() * 2.2)
    ticks = [t for t in (1, 2, 5, 10, 20, 50) if x.min() / 1.2 < t < x.max() * 1.2]
    ax.set_xticks(ticks, [str(t) for t in ticks])
    ax.minorticks_off()
    figure.draw_without_rendering()  # labels can be kept apart once the layout is known
    order = np.argsort(-y)
    places = np.stack([x, 100 * y], axis=1)[order]
    scatter_labels(ax, [title(names[i]) for i in order], places, colors[order].tolist())
    return figure
