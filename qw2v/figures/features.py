"""Figures of the chapter on what is learned: features, spectra, scores against dimension."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qw2v.features import Decay
from qw2v.figures._style import COLORS, FAINT, INK, MODES, NAMES, panels

__all__ = ["eigenvalue_decay", "overlap_maps", "scores_by_dim", "shared_features"]

TICKS = 1, 10, 20, 30
BINS = 12  # along log k


def overlap_maps(maps: Mapping[tuple[str, str], NDArray], first: int = 30) -> Figure:
    """Draw squared overlaps of the first features of pairs of models, rows by columns (Figure 5).

    maps: (model of the rows, model of the columns) to overlaps (n, m). Dark: the same feature.
    """
    columns = min(2, len(maps))
    rows = -(-len(maps) // columns)
    figure, axes = panels(rows, columns, height=0.5 + 2.55 * rows, squeeze=False)
    for ax, ((down, across), overlaps) in zip(axes.flat, maps.items(), strict=False):
        image = ax.imshow(overlaps[:first, :first], cmap="Blues", vmin=0, vmax=1)
        ticks = [k for k in TICKS if k <= first]
        ax.set_xticks(np.array(ticks) - 1, ticks, fontsize=9)
        ax.set_yticks(np.array(ticks) - 1, ticks, fontsize=9)
        ax.tick_params(length=2)
        ax.set(xlabel=across, ylabel=down)
        ax.spines[:].set_visible(True)
    for ax in axes.flat[len(maps) :]:
        ax.set_visible(False)
    bar = figure.colorbar(image, ax=axes, location="bottom", shrink=0.7, aspect=40, pad=0.02)
    bar.set_label("squared overlap of two features", fontsize=10)
    return figure


def shared_features(
    best: Mapping[str, NDArray],
    share: Mapping[str, NDArray],
    best_error: Mapping[str, NDArray] | None = None,
    share_error: Mapping[str, NDArray] | None = None,
    chance: float = 0.0,
) -> Figure:
    """Draw how much of feature k another model has: in its best match, and in its whole space.

    best and share (n,) by what is compared, their errors drawn as bands. Lines are means over k in
    steps of a factor of about 1.5; dots are single features. `chance` is the share by chance.
    """
    figure, (top, bottom) = panels(2, 1, height=5.6, sharex=True, sharey=True)
    for ax, curves, errors, title in (
        (top, best, best_error or {}, "in its best match"),
        (bottom, share, share_error or {}, "in the whole space"),
    ):
        for row, (name, values) in enumerate(curves.items()):
            color = MODES[row]
            k = np.arange(1, len(values) + 1)
            ax.plot(k, values, ".", color=color, alpha=0.25, markersize=4, markeredgewidth=0)
            middle, mean = _binned(values)
            if name in errors:
                width = _binned(np.asarray(errors[name]))[1]
                ax.fill_between(
                    middle, mean - width, mean + width, color=color, alpha=0.2, linewidth=0
                )
            ax.plot(middle, mean, color=color)
        ax.set(xscale="log", ylim=(0, 1.03), ylabel="share of feature k")
        ax.set_title(title)
    if chance:
        bottom.axhline(chance, color=FAINT, linewidth=1, linestyle="--")
    bottom.set(xlabel="feature k", xlim=(0.95, len(values) * 1.02))
    lasts = [(_binned(values)[1][-1], name) for name, values in share.items()]
    _labels(bottom, len(values), [(*last, MODES[row]) for row, last in enumerate(lasts)])
    bottom.set_xticks([k for k in (1, 3, 10, 30, 100, 200) if k <= len(values)])
    bottom.xaxis.set_major_formatter("{x:.0f}")
    bottom.minorticks_off()
    return figure


def eigenvalue_decay(
    spectra: Mapping[str, NDArray],
    laws: Mapping[str, Decay],
    names: Mapping[str, str],
    noise: Mapping[str, float] | None = None,
) -> Figure:
    """Draw positive eigenvalues against k, a panel a matrix, and the power law fitted to them.

    `spectra` (V,) descending and `laws` by matrix; `names` are what to write as its title, `noise`
    the largest eigenvalues that counting by chance gives, drawn as levels.
    """
    columns = 2
    rows = -(-len(spectra) // columns)
    figure, axes = panels(rows, columns, height=0.4 + 2.4 * rows, sharex=True, squeeze=False)
    for ax, (name, values) in zip(axes.flat, spectra.items(), strict=False):
        positive = values[values > 0]
        k = np.unique(np.geomspace(1, len(positive), 300).astype(int))
        ax.loglog(k, positive[k - 1], color=COLORS.get(name, MODES[2]))
        law = laws[name]
        ends = np.array([law.low, law.high])
        ax.loglog(ends, 1.7 * law(ends), color=INK, linewidth=1)
        middle = np.sqrt(law.low * law.high)
        label = rf"$k^{{-{law.exponent:.2f} \pm {law.error:.2f}}}$"
        ax.annotate(label, (middle, 1.7 * law(middle)), (3, 3), textcoords="offset points")
        if noise is not None and name in noise:
            ax.axhline(noise[name], color=FAINT, linewidth=1.2, linestyle="--")
            ax.annotate(
                "noise", (1.3, noise[name]), (0, -12), textcoords="offset points", color=INK
            )
        ax.set_title(names[name])
        ax.set(xlim=(0.8, 12_000), ylim=(positive[0] / 1e3, positive[0] * 4))
        ax.minorticks_off()
    for ax in axes[:, 0]:
        ax.set(ylabel=r"$\lambda_k$")
    for ax in axes[-1]:
        ax.set(xlabel="k", xticks=[1, 10, 100, 1000, 10_000])
    return figure


def scores_by_dim(
    dims: Sequence[int],
    scores: Mapping[str, Mapping[str, Sequence[float]]],
    quoted: Mapping[str, Mapping[str, float]],
    titles: Mapping[str, str],
) -> Figure:
    """Draw benchmark scores against the dimension, a panel a task, a curve a model.

    `scores` and `quoted` go from model to task to scores in [0, 1], for all of `dims` or the first
    of them; the paper's, at d = 200, are open diamonds. `titles` name the tasks.
    """
    figure, axes = panels(len(titles), 1, height=2.0 * len(titles), sharex=True)
    for ax, (task, title) in zip(axes, titles.items(), strict=True):
        for model, rows in scores.items():
            percent = 100 * np.asarray(rows[task])
            ax.plot(dims[: len(percent)], percent, color=COLORS[model])
            end = dims[len(percent) - 1], percent[-1]
            style = {"xytext": (5, 0), "textcoords": "offset points", "va": "center"}
            ax.annotate(NAMES[model], end, **style, color=COLORS[model], annotation_clip=False)
            if task in quoted.get(model, {}):
                ax.plot(
                    200,
                    100 * quoted[model][task],
                    "D",
                    markerfacecolor="white",
                    markeredgecolor=COLORS[model],
                    markersize=6,
                )
        ax.set(xscale="log", ylim=(0, None), ylabel="in %")
        ax.set_title(title)
    axes[-1].set(xlabel="dimension d; ◇ the paper, d = 200")
    axes[-1].set_xticks([10, 30, 100, 300, 1000])
    axes[-1].xaxis.set_major_formatter("{x:.0f}")
    axes[-1].minorticks_off()
    return figure


def _binned(values: NDArray) -> tuple[NDArray, NDArray]:
    """Mean k and mean value in bins of equal width in log k."""
    edges = np.unique(np.rint(np.geomspace(1, len(values) + 1, BINS + 1)).astype(int))
    parts = [slice(low - 1, high - 1) for low, high in zip(edges[:-1], edges[1:], strict=True)]
    k = np.arange(1, len(values) + 1)
    return (
        np.array([np.exp(np.log(k[part]).mean()) for part in parts]),
        np.array([values[part].mean() for part in parts]),
    )


def _labels(ax: Axes, x: float, ends: Sequence[tuple[float, str, str]]) -> None:
    """Write labels (height, text, colour) at x, pushed apart; the axes' limits must be set."""
    to_axes = ax.transData + ax.transAxes.inverted()
    place, gap = np.inf, 0.95 / ax.bbox.height * ax.figure.dpi / 72 * 14
    for height, text, color in sorted(ends, reverse=True):
        place = min(to_axes.transform((x, height))[1], place - gap)
        ax.annotate(
            text,
            (x, place),
            (5, 0),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            color=color,
            va="center",
            fontsize=10,
            annotation_clip=False,
        )
