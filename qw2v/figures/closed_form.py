"""Figures of the closed form: modes over time, the cloud of words, scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from qw2v.dynamics import Trajectory
from qw2v.figures._style import (
    COLORS,
    INK,
    MODES,
    NAMES,
    direct_labels,
    mode_color,
    panels,
    scatter_labels,
)
from qw2v.targets import mode_words

__all__ = ["benchmark", "cloud", "history", "mode_curves", "shrinking_error", "text_share"]


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
    direct_labels(top, times[-1], singular_values[-1], labels)
    top.set(ylabel="singular value $s_k$", ylim=(0, None))
    middle.plot(times, loss / loss[0], color=INK)
    middle.set(ylabel="loss / start")
    bottom.plot(times, learned, color=INK)
    bottom.yaxis.get_major_locator().set_params(integer=True)
    bottom.set(
        xlabel="training time $t / \\tau_1$", ylabel="modes learned", xlim=(times[0], times[-1])
    )
    return figure


def history(path: Trajectory, words: Sequence[str], horizon: float = 4.0) -> Figure:
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
        scatter_labels(ax, words, points, [mode_color(group) for group in groups])
    return figure


def shrinking_error(scales: ArrayLike, errors: Mapping[str, ArrayLike]) -> Figure:
    """Draw the largest relative error of predicted learning times against the scale sigma."""
    figure, ax = panels(height=2.8)
    scales = np.asarray(scales)
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


def text_share(
    scores: Mapping[str, Sequence[tuple[float, float]]],
    curves: Mapping[str, Mapping[str, Sequence[float]]],
    quoted: Mapping[str, float],
    far: float,
) -> Figure:
    """Draw scores (in %) against the size of the text, and the curves taken to `far` tokens.

    scores: (tokens, score) of every text, by model. curves: by model, `curve` (a, b, c) of
    a - b n^-c, n in units of the largest text, and the `interval` of its value at `far`. quoted:
    the paper's number, an open diamond.
    """
    figure, ax = panels(height=3.6)
    whole = max(tokens for points in scores.values() for tokens, _ in points)
    for step, (model, points) in enumerate(scores.items()):
        color = COLORS[model]
        tokens, values = np.array(points).T
        ax.plot(tokens, 100 * values, ".", color=color, markersize=5)
        x = np.geomspace(tokens.min(), far, 200)
        a, b, c = curves[model]["curve"]
        known, rising = x <= whole, a - b
        y = 100 * (a - b * (x / whole) ** -c)
        ax.plot(x[known], y[known], color=color)
        ax.plot(x[~known], y[~known], color=color, linestyle="--")
        low, high = curves[model]["interval"]
        aside = far * 1.12**step  # bars that would lie on each other stand side by side
        ax.plot([aside] * 2, [100 * low, 100 * high], color=color, linewidth=3, alpha=0.5)
        diamond = {"markerfacecolor": "white", "markeredgecolor": color, "markersize": 6}
        ax.plot(aside, 100 * quoted[model], "D", **diamond)
        place = {"xytext": (8, 7), "textcoords": "offset points"}
        ax.annotate(NAMES[model], (whole, 100 * rising), **place, color=color)
    ax.set_xscale("log")
    ax.set(xlabel="words of text; ◇ the paper", ylabel="analogies in %", ylim=(0, None))
    ax.set_xlim(min(tokens) / 1.3, far * 1.8)
    return figure
