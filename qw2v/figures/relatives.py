"""Figures of the chapter on relatives: SimCLR, kernels, next-token prediction."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from qw2v.figures._style import FAINT, INK, mode_color, panels

__all__ = ["contrastive_curves", "kernel_movement", "lazy_and_rich", "mode_maps"]


def mode_maps(points: NDArray, modes: NDArray, values: ArrayLike) -> Figure:
    """Draw modes as colours on the points (n, 2): modes (n, K), K a multiple of three, values (K,).

    Red is positive, blue is negative, white is zero; each mode on its own scale.
    """
    rows, values = modes.shape[1] // 3, np.asarray(values)
    figure, axes = panels(rows, 3, height=1.9 * rows, sharex=True, sharey=True)
    for k, ax in enumerate(np.ravel(axes)):
        peak = np.abs(modes[:, k]).max()
        color = {"c": modes[:, k], "cmap": "RdBu_r", "vmin": -peak, "vmax": peak}
        ax.scatter(*points.T, s=22, edgecolors=FAINT, linewidths=0.4, **color)
        ax.set_xlabel(f"{k + 1}:  λ = {values[k]:.0f}")
        ax.set(aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.margins(0.08)
    return figure


def contrastive_curves(
    times: NDArray, theory: NDArray, flow: NDArray, sampled: tuple[NDArray, NDArray]
) -> Figure:
    """Draw singular values (T, d): theory solid, the softmax loss dashed, its sampled run as dots.

    sampled is (times (S,), singular values (S, d)).
    """
    figure, ax = panels(height=3.6)
    for k in reversed(range(theory.shape[1])):
        color = mode_color(k + 1)
        ax.plot(times, theory[:, k], color=color)
        ax.plot(times, flow[:, k], "--", color=color, linewidth=1.6)
        ax.plot(sampled[0], sampled[1][:, k], "o", color=color, markersize=2.5)
    ax.annotate("theory", (times[-1], theory[-1, 0]), (-2, -15), **_beside(mode_color(1)))
    ax.annotate("SimCLR", (times[-1], flow[-1, 0]), (-2, 8), **_beside(mode_color(1)))
    ax.set(xlabel="time $t$", ylabel="singular value $s_k$", xlim=(times[0], times[-1]))
    ax.set_ylim(0, None)
    return figure


def lazy_and_rich(panels_of: Mapping[str, tuple[NDArray, NDArray, NDArray]]) -> Figure:
    """Draw the learned share of the first modes over time, a panel each start.

    panels_of: title -> (times (T,), shares (T, K), linearised shares (T, K)), the last dashed.
    """
    figure, axes = panels(len(panels_of), 1, height=2.4 * len(panels_of), sharey=True)
    for ax, (title, (times, exact, linear)) in zip(
        np.atleast_1d(axes), panels_of.items(), strict=True
    ):
        ax.axhline(1, color=FAINT, linewidth=0.8)
        for k in reversed(range(exact.shape[1])):
            ax.plot(times, exact[:, k], color=mode_color(k + 1))
            ax.plot(times, linear[:, k], "--", color=mode_color(k + 1), linewidth=1.2)
        ax.set(title=title, ylabel="learned share", ylim=(-0.15, 1.4), xlim=(0, times[-1]))
        ax.set_xlabel("time $t$")
    return figure


def kernel_movement(sizes: ArrayLike, movement: ArrayLike, limit: ArrayLike) -> Figure:
    """Draw ||X - X(0)|| / ||X(0)|| against the size of the start in units of lambda_1.

    `movement` is measured on exact paths, `limit` is what the end point alone says.
    """
    figure, ax = panels(height=3.0)
    ax.axhline(1, color=FAINT, linewidth=1)
    ax.axvline(1, color=FAINT, linewidth=1)
    ax.loglog(sizes, limit, color=INK, linewidth=1)
    ax.loglog(sizes, movement, "o", color=mode_color(1))
    for place, name in ((0.06, "rich"), (0.82, "lazy")):
        ax.annotate(name, (place, 0.63), xycoords="axes fraction")
    ax.set(xlabel="size of the start, $σ^2 d / λ_1$", ylabel="movement of the kernel")
    return figure


def _beside(color: str) -> dict[str, object]:
    return {"textcoords": "offset points", "ha": "right", "color": color, "fontsize": 10}
