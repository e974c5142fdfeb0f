"""Figures of the page on what came after the paper: months in a circle, Muon, hypernyms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from qw2v.figures._style import FAINT, INK, MODES, mode_color, panels

__all__ = ["hypernyms", "months_in_a_circle", "two_optimisers"]


def months_in_a_circle(months: Sequence[str], by_lag: ArrayLike, points: NDArray) -> Figure:
    """Draw P_ij / P_i P_j of months (lags 0..6) beside two eigenvectors of their block of M*.

    by_lag (7, n): the ratios at each lag, one a pair; points (12, 2): entries of the eigenvectors.
    """
    figure, (left, right) = panels(1, 2, height=2.9)
    by_lag = np.asarray(by_lag)
    for lag, ratios in enumerate(by_lag):
        left.plot(np.full(len(ratios), lag), ratios, "o", color=FAINT, markersize=3)
    left.plot([np.mean(ratios) for ratios in by_lag], "o-", color=MODES[0], markersize=5)
    left.set(xlabel="months apart", ylabel="$P_{ij} / P_i P_j$", xticks=range(7))
    left.set_ylim(0, None)
    ring = np.vstack([points, points[:1]])
    right.plot(*ring.T, color=FAINT, linewidth=1)
    right.plot(*points.T, "o", color=MODES[0], markersize=5)
    for name, (x, y) in zip(months, 1.22 * points, strict=True):
        right.text(x, y, name[:3], ha="center", va="center", fontsize=9)
    right.set(aspect="equal", xticks=[], yticks=[], xlabel="eigenvector 2", ylabel="eigenvector 3")
    right.margins(0.18)
    return figure


def two_optimisers(runs: Mapping[str, tuple[NDArray, NDArray]], ends: ArrayLike) -> Figure:
    """Draw the singular values of W W'^T in time, a panel each optimiser, over where they end.

    runs: title -> (times (T,), singular values (T, d)); ends (d,) are those of M*.
    """
    figure, axes = panels(1, len(runs), height=2.9, sharey=True)
    ends = np.asarray(ends)
    for ax, (title, (times, values)) in zip(axes, runs.items(), strict=True):
        for k, end in enumerate(ends):
            ax.axhline(end, color=FAINT, linewidth=0.6)
            ax.plot(times, values[:, k], color=mode_color(k + 1))
        ax.set(title=title, xlabel="time", xlim=(0, times[-1]))
    axes[0].set_ylabel("singular values of $WW'^\\top$")
    return figure


def hypernyms(shares: Mapping[str, ArrayLike], levels: Sequence[int]) -> Figure:
    """Draw the share of the variance within modes that WordNet's classes of each level explain.

    shares: which modes -> share (L,) at each of the levels (L,), relative to the deepest.
    """
    figure, ax = panels(height=3.0)
    for k, (name, share) in enumerate(shares.items()):
        ax.plot(levels, share, "o-", color=mode_color(k + 1), markersize=4, label=f"modes {name}")
    ax.axhline(1, color=INK, linewidth=0.6)
    ax.set(xlabel="level of WordNet (1: coarsest)", ylabel="share explained", ylim=(0, 1.05))
    ax.legend(loc="upper left")
    return figure
