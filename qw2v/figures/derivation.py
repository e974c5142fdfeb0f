"""Figures of the derivation: what is expanded, what is factorised."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qw2v.figures._style import COLORS, INK, NAMES, panels

__all__ = ["loss_agreement", "soft_clip", "spent_on_silence", "taylor"]


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
