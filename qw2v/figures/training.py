"""Figures of the chapter on training: trained runs beside the theory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from qw2v.figures._style import (
    COLORS,
    FAINT,
    INK,
    MODES,
    NAMES,
    mode_color,
    panels,
    scatter_labels,
)

if TYPE_CHECKING:
    from qw2v.dynamics import Trajectory
    from qw2v.training import Trace

_LOSSES = ("qwem", "sgns")
_WEIGHTS = {"setting31": "Setting 3.1", "word2vec": "word2vec's weights"}

__all__ = [
    "ablation",
    "averaged_gradient",
    "clouds",
    "histories",
    "step_sizes",
    "stepwise",
    "trained_overlaps",
]


def stepwise(
    traces: Mapping[str, Trace],
    theories: Mapping[str, Trajectory | None],
    units: Mapping[str, float],
    horizon: float = np.inf,
    modes: int = 8,
) -> Figure:
    """Draw the loss and the leading singular values of trained runs, theory dotted over them.

    One column a run, by title, up to `horizon`; `units` holds tau_1 of each, which times are
    divided by. The loss is scaled to go from one to zero. A run without a theory (None) is alone.
    """
    figure, axes = panels(2, len(traces), 4.6, sharex="col", height_ratios=(1, 2), squeeze=False)
    for (name, trace), top, bottom in zip(traces.items(), *axes, strict=True):
        unit, theory = units[name], theories[name]
        shown = trace.time <= horizon * unit
        times, loss, values = (
            x[shown] for x in (trace.time / unit, trace.loss, trace.singular_values)
        )
        top.plot(times, (loss - loss[-1]) / (loss[0] - loss[-1]), color=INK)
        top.set(title=name, yticks=[0, 1])
        for k in reversed(range(min(modes, values.shape[1]))):
            bottom.plot(times, values[:, k], color=mode_color(k + 1), alpha=0.55)
        if theory is not None:
            t = np.linspace(times[0], times[-1], 160)
            dotted = {"color": INK, "linestyle": (0, (1, 1.6)), "linewidth": 1.3}
            bottom.plot(t, theory.singular_values(t * unit)[:, :modes], **dotted)
        bottom.set(xlabel=r"time $t / \tau_1$", xlim=(times[0], times[-1]), ylim=(0, None))
    axes[0, 0].set(ylabel="loss, scaled")
    axes[1, 0].set(ylabel="singular value $s_k$")
    return figure


def histories(grid: Mapping[str, Mapping[str, tuple[NDArray, NDArray]]], horizon: float) -> Figure:
    """Draw training histories up to `horizon` in a grid: rows by name, columns by name.

    Each cell is (times (T,) in units of tau_1, singular values (T, d)); the first eight modes have
    their colours, every fifth of the others is grey. A cell may be missing.
    """
    columns = list(next(iter(grid.values())))
    figure, axes = panels(
        len(grid), len(columns), 1.75 * len(grid) + 0.5, sharex="col", sharey="col", squeeze=False
    )
    for row, (name, cells) in zip(axes, grid.items(), strict=True):
        for ax, column in zip(row, columns, strict=True):
            if column not in cells:
                ax.set_axis_off()
                continue
            times, values = cells[column]
            shown = [*range(0, min(len(MODES), values.shape[1])), *range(12, values.shape[1], 5)]
            for k in reversed(shown):
                width = 1.6 if k < len(MODES) else 0.5
                ax.plot(times, values[:, k], color=mode_color(k + 1), linewidth=width)
            ax.set_title(f"{name}, {column}", fontsize=10)
            ax.set(xlim=(0, horizon))
        row[0].set(ylabel="$s_k$")
    for ax in axes[-1]:
        ax.set(xlabel=r"time $t / \tau_1$", ylim=(0, None))  # shared, and all is drawn by now
    return figure


def clouds(
    words: Sequence[str],
    columns: Mapping[str, Sequence[tuple[str, NDArray]]],
    groups: Sequence[int],
) -> Figure:
    """Draw the cloud of a few words in two components: a column a model, a row a moment.

    columns: by model, a (title, coordinates (n, 2)) per moment; groups (n,) colours words of one
    topic alike.
    """
    rows = max(len(frames) for frames in columns.values())
    figure, axes = panels(rows, len(columns), 2.1 * rows, sharex="col", sharey="col", squeeze=False)
    colors = [mode_color(group) for group in groups]
    for column, (name, frames) in zip(axes.T, columns.items(), strict=True):
        for ax, (title, points) in zip(column, frames, strict=True):
            ax.axhline(0, color=FAINT, linewidth=0.4)
            ax.axvline(0, color=FAINT, linewidth=0.4)
            ax.scatter(*points.T, s=12, color=colors, zorder=3)
            ax.set_title(f"{name}, {title}", fontsize=10)
            ax.margins(x=0.25, y=0.2)
            ax.set(xticks=[], yticks=[])
        column[-1].set(xlabel="component 1")
    for ax in axes[:, 0]:
        ax.set(ylabel="component 2")
    figure.draw_without_rendering()  # labels can be kept apart once the layout is known
    for column, frames in zip(axes.T, columns.values(), strict=True):
        for ax, (_, points) in zip(column, frames, strict=True):
            scatter_labels(ax, words, points, colors)
    return figure


def averaged_gradient(batches: ArrayLike, errors: Mapping[str, ArrayLike]) -> Figure:
    """Draw the relative error of an average of sampled gradients against the number of batches."""
    figure, ax = panels(height=2.9)
    batches = np.asarray(batches)
    for name, error in errors.items():
        percent = 100 * np.asarray(error)
        ax.loglog(batches, percent, "o-", color=COLORS[name], markersize=4)
        place = {"xytext": (6, 2), "textcoords": "offset points"}
        ax.annotate(NAMES[name], (batches[0], percent[0]), **place, color=COLORS[name])
    guide = percent[0] * 0.55 * np.sqrt(batches[0] / batches)
    ax.loglog(batches, guide, color=FAINT, linestyle="--", linewidth=1.2)
    middle = len(batches) // 2
    place = {"xytext": (-4, -14), "textcoords": "offset points", "ha": "right"}
    ax.annotate(r"slope $-\frac{1}{2}$", (batches[middle], guide[middle]), **place)
    ax.set(xlabel="number of batches averaged", ylabel="error of the gradient in %")
    return figure


def step_sizes(curves: Mapping[str, tuple[NDArray, NDArray]]) -> Figure:
    """Draw the leading s^2 over its eigenvalue against time, one panel a learning rate, by name.

    Each curve is (times (T,), s^2 / lambda (T,)), a point a step.
    """
    figure, axes = panels(len(curves), 1, 1.15 * len(curves) + 0.6, sharex=True, sharey=True)
    for k, (ax, (name, (times, share))) in enumerate(zip(axes, curves.items(), strict=True)):
        ax.axhline(1, color=FAINT, linewidth=0.8)
        ax.plot(times, share, ".-", color=mode_color(k + 1), linewidth=0.9, markersize=4)
        ax.annotate(name, (0.02, 0.74), xycoords="axes fraction", color=mode_color(k + 1))
        ax.set(ylim=(0, 1.6))
    axes[len(curves) // 2].set(ylabel=r"$s_1^2 / \lambda_1$")
    axes[-1].set(xlabel=r"time $t / \tau_1$")
    return figure


def ablation(curves: Mapping[tuple[str, str], tuple[NDArray, NDArray]]) -> Figure:
    """Draw analogy accuracy (in %) over training for the four corners (loss, weighting).

    Curves are (times (T,) in units of tau_1, accuracy (T,)). Colours are those of the loss; lines
    are solid for Setting 3.1, dashed for word2vec's weights.
    """
    figure, ax = panels(height=3.4)
    for (loss, weights), (times, accuracy) in curves.items():
        line = "-" if weights == "setting31" else "--"
        ax.plot(times, accuracy, line, color=COLORS[loss], marker="o", markersize=3)
    ax.set(xlabel=r"time $t / \tau_1$", ylabel="analogies in %", ylim=(0, None), xscale="log")
    ax.xaxis.set_major_formatter("{x:g}")
    beside = {"textcoords": "offset points", "va": "center", "fontsize": 10}
    # One name above its curve, one beside the rise: clear of all four curves.
    where = ((0.97, (-30, 10)), (0.2, (12, -6)))
    for (weights, label), (share, aside) in zip(_WEIGHTS.items(), where, strict=True):
        times, accuracy = curves["qwem", weights]
        middle = np.argmax(accuracy > share * accuracy[-1])
        ax.annotate(label, (times[middle], accuracy[middle]), aside, **beside)
        place = np.inf
        for loss in sorted(_LOSSES, key=lambda loss: -curves[loss, weights][1][-1]):
            times, accuracy = curves[loss, weights]
            place = min(accuracy[-1], place - 0.07 * ax.get_ylim()[1])
            point, color = (times[-1], place), COLORS[loss]
            aside = (-36, -10) if (loss, weights) == ("qwem", "setting31") else (6, 0)
            ax.annotate(NAMES[loss], point, aside, color=color, annotation_clip=False, **beside)
    return figure


def trained_overlaps(tables: Mapping[str, NDArray]) -> Figure:
    """Draw squared overlaps of trained features (columns) with the modes of M* (rows)."""
    figure, axes = panels(1, len(tables), 2.9, sharey=True, squeeze=False)
    for ax, (name, table) in zip(axes[0], tables.items(), strict=True):
        ends = 0.5, table.shape[1] + 0.5, table.shape[0] + 0.5, 0.5
        image = ax.imshow(table, cmap="Blues", vmin=0, vmax=1, extent=ends)
        ax.set_title(name)
        ax.set(xlabel="trained feature")
    axes[0, 0].set(ylabel="mode of M*")
    bar = figure.colorbar(image, ax=axes[0].tolist(), shrink=0.8, ticks=[0, 0.5, 1])
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    bar.set_label("squared overlap")
    return figure
