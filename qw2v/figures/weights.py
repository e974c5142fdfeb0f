"""Figures of the chapter on other weights: rank-one G, untied embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from qw2v.figures._style import FAINT, direct_labels, mode_color, panels

__all__ = ["nearly_balanced", "predicted_times", "two_ends", "untied_curves"]


def predicted_times(spread: ArrayLike, ratios: Mapping[str, NDArray]) -> Figure:
    """Draw measured over predicted learning times against the spread of the weights.

    spread (A,) is the exponent of g; ratios: (A, d) for each prediction, one panel each.
    """
    figure, axes = panels(len(ratios), 1, height=2.4 * len(ratios), sharex=True, sharey=True)
    for ax, (name, ratio) in zip(np.atleast_1d(axes), ratios.items(), strict=True):
        ax.axhline(1, color=FAINT, linewidth=1)
        for k in range(ratio.shape[1]):
            ax.plot(spread, ratio[:, k], "o-", color=mode_color(k + 1), markersize=3)
        ax.set_title(name)
        ax.set(ylabel="measured / predicted")
    np.atleast_1d(axes)[-1].set(xlabel="exponent α of the weights, $g_i \\propto P_i^α$")
    return figure


def untied_curves(
    times: NDArray, exact: NDArray, measured: tuple[NDArray, NDArray], eigenvalues: NDArray
) -> Figure:
    """Draw the singular values of W W'^T over time, and which sign of M*'s eigenvalue each has.

    times (T,), exact (T, d), measured (times (S,), values (S, d)), eigenvalues (d,) by magnitude.
    Positive modes are solid, negative ones dashed.
    """
    figure, ax = panels(height=3.6)
    for k in reversed(range(exact.shape[1])):
        style = "--" if eigenvalues[k] < 0 else "-"
        ax.plot(times, exact[:, k], style, color=mode_color(k + 1))
        ax.plot(measured[0], measured[1][:, k], "o", color=mode_color(k + 1), markersize=3)
    labels = [f"λ = {value:.0f}" for value in eigenvalues[: exact.shape[1]]]
    direct_labels(ax, times[-1], exact[-1], labels)
    ax.set(xlabel="time $t$", ylabel="singular value of $WW'^⊤$, root", xlim=(times[0], times[-1]))
    ax.set_ylim(0, None)
    return figure


def two_ends(values: NDArray, words: Sequence[str]) -> Figure:
    """Draw eigenvalues by magnitude (n,): positive ones in blue, negative in red, the first named.

    `words` names the eigenvalue largest in magnitude.
    """
    figure, ax = panels(height=3.0)
    rank = np.arange(1, len(values) + 1)
    for sign, name, color in ((1, "positive", mode_color(1)), (-1, "negative", mode_color(2))):
        chosen = np.flatnonzero(np.sign(values) == sign)
        size = {"markersize": 3.5 if sign > 0 else 5, "zorder": 2 - sign}
        ax.loglog(rank[chosen], np.abs(values[chosen]), "o", color=color, **size)
        k = chosen[min(1, len(chosen) - 1)]
        shift = (8, 6) if sign > 0 else (-6, -18)
        align = "left" if sign > 0 else "right"
        label = {"textcoords": "offset points", "color": color, "ha": align}
        ax.annotate(name, (rank[k], abs(values[k])), shift, **label)
    first = f"{values[0]:,.0f}: {', '.join(words)}".replace("-", "−")
    place = {"xytext": (8, -3), "textcoords": "offset points", "parse_math": False}
    ax.annotate(first, (1, abs(values[0])), **place, fontsize=10)
    ax.set(xlabel="order of learning", ylabel="|eigenvalue of $M^⋆$|")
    return figure


def nearly_balanced(scales: ArrayLike, errors: Mapping[str, ArrayLike]) -> Figure:
    """Draw the largest error of the singular values against the scale of a random start."""
    figure, ax = panels(height=2.8)
    scales = np.asarray(scales)
    for k, (name, error) in enumerate(errors.items()):
        ax.loglog(scales, error, "o-", color=(mode_color(2), mode_color(1))[k])
        ax.annotate(
            name,
            (scales[1], np.asarray(error)[1]),
            (6, -14),
            textcoords="offset points",
            color=(mode_color(2), mode_color(1))[k],
        )
    ax.set(xlabel="scale σ of the random start", ylabel="relative error")
    return figure
