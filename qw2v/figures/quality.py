"""Figures of the page on quality per CPU second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from qw2v.figures._style import COLORS, FAINT, INK, panels, scatter_labels

__all__ = ["frontier"]

# As short as a label must be; a number is that of the epochs.
_NAMES = {
    "paper": "as in the paper",
    "eigsh": "by eigsh",
    "eigh": "by eigh",
    "sgns-1": "SGNS 1",
    "sgns-3": "SGNS 3",
    "cbow-3": "CBOW 3",
    "cbow-10": "CBOW 10",
    "fasttext-3": "fastText 3",
}


def frontier(rows: Sequence[Mapping[str, Any]], scores: Mapping[str, str]) -> Figure:
    """Draw scores against CPU seconds, a panel a score: what nothing else beats lies on the line.

    `rows` are those of `data/quality.json`; `scores` name a row's scores, by key, as titles.
    """
    figure, axes = panels(len(scores), 1, height=3.1 * len(scores) + 0.4, sharex=True)
    axes = np.atleast_1d(axes)
    seconds = np.array([row["cpu_seconds"] for row in rows])
    names = [_NAMES.get(row["name"], row["name"]) for row in rows]
    colors = [COLORS["mstar"] if "closed form" in row["title"] else INK for row in rows]
    for ax, (key, title) in zip(axes, scores.items(), strict=True):
        percent = 100 * np.array([row[key] for row in rows])
        best = unbeaten(seconds, percent)
        line = np.append(seconds[best], 20 * seconds.max()), np.append(percent[best], percent.max())
        ax.step(*line, where="post", color=FAINT, linewidth=1)
        ax.scatter(seconds, percent, c=colors, s=24, zorder=3)
        ax.set(xscale="log", ylabel="in %", xlim=(seconds.min() / 1.5, 12 * seconds.max()))
        ax.margins(y=0.22)
        ax.set_title(title)
    axes[-1].set(xlabel="CPU seconds, from the text to the vectors")
    figure.draw_without_rendering()  # labels can be kept apart once the layout is known
    for ax, key in zip(axes, scores, strict=True):
        # From the top down: a label that must give way goes below, and labels are as their points.
        high = sorted(range(len(rows)), key=lambda i: -rows[i][key])
        places = np.array([(seconds[i], 100 * rows[i][key]) for i in high])
        scatter_labels(ax, [names[i] for i in high], places, [colors[i] for i in high])
    return figure


def unbeaten(cost: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return which points nothing beats that costs no more, in the order of their cost.

    >>> unbeaten(np.array([3.0, 1.0, 2.0]), np.array([0.9, 0.5, 0.4])).tolist()
    [1, 0]
    """
    order = np.lexsort([-score, cost])
    best = np.maximum.accumulate(score[order])
    fresh = np.append(True, np.diff(best) > 0)
    found: np.ndarray = order[fresh]
    return found
