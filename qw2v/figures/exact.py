"""Figures of the chapter on exact dynamics from any start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from qw2v.figures._style import FAINT, INK, direct_labels, mode_color, panels

__all__ = [
    "alignment_rate",
    "exact_on_run",
    "forgotten_start",
    "lost_digits",
    "predicted_accuracy",
    "silent_alignment",
]


def lost_digits(times: NDArray, exact: NDArray, naive: NDArray) -> Figure:
    """Draw singular values (T, n) as lines, and as dots what the formula gives in plain arithmetic.

    times (T,) in units of the last learning time; what is not a number is not drawn.
    """
    figure, ax = panels(height=3.4)
    for k in reversed(range(exact.shape[1])):
        ax.semilogy(times, exact[:, k], color=mode_color(k + 1))
        ax.semilogy(times, naive[:, k], "o", color=mode_color(k + 1), markersize=3.5, mfc="white")
    low, high = exact[exact > 0].min(), exact.max()
    ax.set(xlim=(times[0], times[-1]), ylim=(0.1 * low, 30 * high))
    ax.set(xlabel="training time $t / \\tau_d$", ylabel="singular value $s_k$")
    ax.text(0.98, 0.05, "lines: exact   circles: naive", ha="right", transform=ax.transAxes)
    return figure


def silent_alignment(times: NDArray, overlaps: NDArray, learned: NDArray) -> Figure:
    """Draw how far each mode has turned, (T, n) overlaps, above how far it has grown, (T, n).

    times (T,) in units of tau_1. A dotted line marks where a mode has 1% of its final size.
    """
    figure, (top, bottom) = panels(2, 1, height=4.6, sharex=True)
    for k in range(overlaps.shape[1]):
        seen = times[np.argmax(learned[:, k] > 0.01)]
        for ax, values in ((top, overlaps), (bottom, learned)):
            ax.plot(times, values[:, k], color=mode_color(k + 1))
            ax.axvline(seen, color=mode_color(k + 1), linestyle=":", linewidth=1)
    top.set(ylabel="aligned $(v_k \\cdot u_k)^2$", ylim=(0, 1.05))
    bottom.set(ylabel="grown $s_k^2 / \\lambda_k$", ylim=(0, 1.05))
    bottom.set(xlabel="training time $t / \\tau_1$", xlim=(times[0], times[-1]))
    return figure


def alignment_rate(
    scales: ArrayLike, errors: Mapping[str, NDArray], exponents: Sequence[float]
) -> Figure:
    """Draw errors against the scale sigma, and dashed beside each the power law it should follow.

    Each law is drawn through its curve's smallest scale.
    """
    figure, ax = panels(height=3.2)
    scales = np.asarray(scales, float)
    last = int(np.argmin(scales))
    for k, ((name, error), exponent) in enumerate(zip(errors.items(), exponents, strict=True)):
        color = mode_color(k + 1)
        law = error[last] * (scales / scales[last]) ** exponent
        ax.loglog(scales, law, "--", color=color, linewidth=1)
        ax.loglog(scales, error, "o", color=color, markersize=5)
        ax.annotate(name, (scales[last], error[last]), (14, -8), textcoords="offset points")
        ax.texts[-1].set(color=color, fontsize=10)
    ax.set(xlabel="scale σ of the start", ylabel="error in $s^2 / \\lambda_1$")
    ax.margins(y=0.15)
    return figure


def forgotten_start(
    times: NDArray, singular_values: Mapping[str, NDArray], negative: NDArray, limit: NDArray
) -> Figure:
    """Draw the largest and the least singular value from several large starts, and what they lose.

    times (T,); singular_values: (T, d) by the name of the start; negative (T,): share of |W|^2
    along negative eigenvalues; limit (T,) is the law that all starts fall to.
    """
    figure, (top, bottom) = panels(2, 1, height=5.0, sharex=True, height_ratios=(2, 1))
    top.loglog(times, limit, "--", color=INK, linewidth=1)
    top.annotate("$1/\\sqrt{t}$", (times[len(times) // 4], limit[len(times) // 4]), (6, 6),
                 textcoords="offset points")  # fmt: skip
    for k, (name, values) in enumerate(singular_values.items()):
        top.loglog(times, values[:, 0], color=mode_color(k + 1))
        top.loglog(times, values[:, -1], color=mode_color(k + 1), linewidth=1)
        top.annotate(name, (times[0], values[0, 0]), (14, 5), textcoords="offset points")
        top.texts[-1].set(color=mode_color(k + 1), fontsize=10)
    top.set(ylabel="largest and least $s_k$")
    bottom.semilogx(times, 100 * negative, color=INK)
    bottom.set(ylabel="% on $\\lambda < 0$", ylim=(0, None), xlabel="training time $t$")
    bottom.set(xlim=(times[0], times[-1]))
    return figure


def exact_on_run(
    run: tuple[NDArray, NDArray],
    times: NDArray,
    exact: NDArray,
    limit: NDArray,
    modes: Sequence[int],
) -> Figure:
    """Draw a run's singular values as circles, the exact theory as lines, Result 3 dotted.

    run: times (S,) and singular values (S, d); exact and limit (T, d) at times (T,); `modes` are
    drawn, counted from 1.
    """
    figure, ax = panels(height=3.8)
    for place, k in enumerate(modes, start=1):
        color = mode_color(place)
        ax.plot(times, limit[:, k - 1], ":", color=color, linewidth=1.5)
        ax.plot(times, exact[:, k - 1], color=color)
        ax.plot(run[0], run[1][:, k - 1], "o", color=color, markersize=4, mfc="white")
    ax.set(xlim=(times[0], times[-1]), ylim=(0, None))
    chosen = [k - 1 for k in modes]
    direct_labels(ax, times[-1], exact[-1, chosen], [f"mode {k}" for k in modes])
    ax.set(xlabel="training time $t$", ylabel="singular value $s_k$")
    return figure


def predicted_accuracy(
    runs: Mapping[str, tuple[NDArray, NDArray]],
    predictions: Mapping[str, tuple[NDArray, NDArray]],
) -> Figure:
    """Draw analogy accuracy (in %) over time: recorded runs as circles, predictions as lines."""
    figure, ax = panels(height=3.4)

    def label(
        name: str, x: float, y: float, color: str, offset: tuple[float, float], side: str
    ) -> None:
        ax.annotate(name, (x, y), offset, textcoords="offset points", ha=side, color=color)
        ax.texts[-1].set_fontsize(10)

    for k, (name, (times, values)) in enumerate(predictions.items()):
        color, style = ((INK, "-"), (FAINT, "--"))[k > 0]
        ax.plot(times, values, style, color=color)
        late, rising = int(0.8 * len(times)), np.flatnonzero(values < 0.6 * values[-1])[-1]
        at, offset = (late, (0, -16)) if k == 0 else (rising, (10, -8))
        label(name, times[at], values[at], color, offset, "left")
    for k, (name, (times, values)) in enumerate(runs.items(), start=1):
        ax.plot(times, values, "o", color=mode_color(k), markersize=5, mfc="white")
        label(name, times[-1], values[-1], mode_color(k), (6, -16 if k == 1 else 8), "right")
    ax.set(xlabel="training time $t / \\tau_1$", ylabel="analogies in %", ylim=(0, None))
    return figure
