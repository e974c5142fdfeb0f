"""Figures of the chapter on finite steps and noise."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from qw2v.dynamics import discrete
from qw2v.figures._style import FAINT, INK, MODES, mode_color, panels

__all__ = [
    "bifurcation",
    "edge_runs",
    "falling_behind",
    "noise_floors",
    "outside_share",
    "step_orders",
]


def falling_behind(times: NDArray, measured: NDArray, flow: NDArray, corrected: NDArray) -> Figure:
    """Draw singular values under steps (dots), of the flow (dashed), and corrected (lines).

    times (T,); the others (T, k), one column a mode.
    """
    figure, ax = panels(height=3.4)
    for k in range(measured.shape[1]):
        ax.plot(times, flow[:, k], "--", color=FAINT, linewidth=1.4)
        ax.plot(times, corrected[:, k], color=mode_color(k + 1), linewidth=1.6)
        ax.plot(times, measured[:, k], "o", color=mode_color(k + 1), markersize=3.4)
    first = int(np.argmax(flow[:, 0] > 0.6 * flow[-1, 0]))
    place = {"xytext": (-6, 0), "textcoords": "offset points", "ha": "right", "color": "#6b7480"}
    ax.annotate("flow", (times[first], flow[first, 0]), **place)
    behind = int(np.argmax(measured[:, -1] > 0.5 * flow[-1, -1]))
    place |= {"xytext": (10, -4), "ha": "left", "color": mode_color(measured.shape[1])}
    ax.annotate("steps", (times[behind], measured[behind, -1]), **place)
    ax.set(xlabel="time, learning rate × steps", ylabel="singular value $s_k$", ylim=(0, None))
    return figure


def step_orders(rates: ArrayLike, errors: Mapping[str, tuple[ArrayLike, int]]) -> Figure:
    """Draw errors against the size of the step, each with a guide of the order it should have."""
    figure, ax = panels(height=3.2)
    rates = np.asarray(rates)
    for k, (name, (error, order)) in enumerate(errors.items()):
        error = np.asarray(error)
        guide = error[-1] * (rates / rates[-1]) ** order
        ax.loglog(rates, guide, "--", color=FAINT, linewidth=1.2)
        ax.loglog(rates, error, "o-", color=mode_color(k + 1), markersize=4)
        place = {"xytext": (8, -4), "textcoords": "offset points", "va": "top"}
        at = np.argmin(rates)
        ax.annotate(f"{name}: order {order}", (rates[at], error[at]), **place, color=MODES[k])
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.minorticks_off()
    ax.margins(y=0.15)
    ax.set(xlabel="step size, learning rate × $λ_1$", ylabel="distance from the steps")
    return figure


def edge_runs(runs: Mapping[str, tuple[NDArray, NDArray]], limit: float = 1.6) -> Figure:
    """Draw the size of modes step by step, over sqrt(lambda_1), one panel a run, by name.

    Each run is (T, k) for the first modes, and (T,) for a direction that cannot be learned (black).
    """
    figure, axes = panels(len(runs), 1, 1.45 * len(runs) + 0.5, sharex=True, sharey=True)
    for ax, (name, (learned, silent)) in zip(axes, runs.items(), strict=True):
        for k in reversed(range(learned.shape[1])):
            ax.plot(learned[:, k], ".", color=mode_color(k + 1), markersize=2.5)
        ax.plot(silent, color=INK, linewidth=1.6)
        ax.set_title(name)
        ax.set(ylim=(0, limit))
    axes[len(runs) // 2].set(ylabel=r"$|v_k^\top W| / \sqrt{λ_1}$")
    axes[-1].set(xlabel="step")
    return figure


def bifurcation(low: float = 0.0, high: float = 4.0) -> Figure:
    """Draw what one mode's steps visit for ever, s / sqrt(lambda) against a = lr lambda."""
    figure, ax = panels(height=3.8)
    a = np.linspace(max(low, 1e-3), high, 641)
    visited = np.abs(discrete.attractor(a, skip=3_000, keep=400))
    heights = np.linspace(0, 1.6, 238)  # no edge at 1
    density, _, _ = np.histogram2d(
        np.tile(a, len(visited)), visited.ravel(), bins=[np.r_[a, 2 * a[-1] - a[-2]], heights]
    )
    blue = mode_color(1)
    ink = LinearSegmentedColormap.from_list("ink", [blue + "00", blue])
    shade = np.minimum(density / 12, 1) ** 0.5
    extent = (a[0], a[-1], heights[0], heights[-1])
    ax.imshow(shade.T, cmap=ink, vmin=0, vmax=1, aspect="auto", origin="lower", extent=extent)
    doubling = 2 * (np.sqrt(5) - 1)
    for edge, name in ((1, "overshoots"), (2, "period 2"), (doubling, "4"), (4, "diverges")):
        if low < edge <= high:
            ax.axvline(edge, color=FAINT, linewidth=0.9, zorder=0)
            place = {"textcoords": "offset points", "rotation": 90, "va": "top", "fontsize": 10}
            ax.annotate(name, (edge, 1.83), (-2, 0), **place, ha="right", color="#6b7480")
    ax.set(xlabel="step size $a = η λ$", ylabel=r"$s / \sqrt{λ}$, in the long run")
    ax.set(xlim=(low, high), ylim=(0, 1.85))
    return figure


def noise_floors(
    rates: ArrayLike, predicted: Mapping[int, ArrayLike], measured: Mapping[int, ArrayLike]
) -> Figure:
    """Draw the excess loss against the learning rate: lines predicted, circles measured, by batch.

    Keys are batch sizes; `rates` (n,) and each value (n,).
    """
    figure, ax = panels(height=3.4)
    rates = np.asarray(rates)
    for k, batch in enumerate(predicted):
        line, seen = np.asarray(predicted[batch]), np.asarray(measured[batch])
        ax.loglog(rates, line, color=mode_color(k + 1))
        ax.loglog(rates, seen, "o", color=mode_color(k + 1), markerfacecolor="white", markersize=6)
        place = {"xytext": (8, 0), "textcoords": "offset points", "va": "center"}
        ax.annotate(f"{batch:,} pairs", (rates[-1], line[-1]), **place, color=mode_color(k + 1))
    ax.set_xticks(rates, [f"{rate:g}" for rate in rates])
    ax.minorticks_off()
    ax.set_xlim(None, 2.6 * np.max(rates))
    ax.set(xlabel="step size, learning rate × $λ_1$", ylabel="loss above its minimum")
    return figure


def outside_share(predicted: ArrayLike, measured: ArrayLike, gaps: ArrayLike) -> Figure:
    """Draw how much of each mode (%) lies outside the learned span, beside its gap to the rest."""
    figure, (top, bottom) = panels(2, 1, height=3.8, sharex=True)
    modes = np.arange(1, len(np.asarray(predicted)) + 1)
    colors = [mode_color(k) for k in modes.tolist()]
    top.bar(modes, 100 * np.asarray(measured), color=colors, width=0.6)
    top.plot(modes, 100 * np.asarray(predicted), "D", color=INK, markerfacecolor="white")
    top.set(ylabel="% outside")
    bottom.bar(modes, np.asarray(gaps), color="#c3cad2", width=0.6)
    bottom.set(xlabel="mode $k$", ylabel="$λ_k − λ_{d+1}$", xticks=modes)
    return figure
