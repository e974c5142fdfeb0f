"""Figures of the chapter on words and their company."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qw2v.figures._style import COLORS, FAINT, MODES, panels

__all__ = ["frequency_tricks", "window_weight", "word_matrix", "zipf"]


def word_matrix(
    values: NDArray, words: Sequence[str], label: str, limit: float | None = None, groups: int = 0
) -> Figure:
    """Draw a small symmetric matrix over words as a heat map; lines part every `groups` words."""
    figure, ax = panels(height=5.6)
    limit = np.abs(values).max() if limit is None else limit
    image = ax.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit)
    ax.set_xticks(range(len(words)), words, rotation=90, fontsize=9, parse_math=False)
    ax.set_yticks(range(len(words)), words, fontsize=9, parse_math=False)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    for edge in range(groups, len(words), groups or len(words)):
        ax.axhline(edge - 0.5, color="white", linewidth=2)
        ax.axvline(edge - 0.5, color="white", linewidth=2)
    figure.colorbar(image, ax=ax, location="bottom", shrink=0.7, aspect=30, label=label)
    return figure


def zipf(
    word_counts: NDArray, words: Sequence[str], named: Sequence[int] = (1, 10, 100, 1000)
) -> Figure:
    """Draw counts against rank on logarithmic axes, with a few ranks named."""
    figure, ax = panels()
    rank = np.arange(1, len(word_counts) + 1)
    ax.loglog(rank, word_counts, color=COLORS["theory"])
    for r in named:
        ax.plot(r, word_counts[r - 1], "o", color=MODES[1])
        place = {"textcoords": "offset points", "parse_math": False}
        ax.annotate(words[r - 1], (r, word_counts[r - 1]), (6, 4), **place)
    ax.set(xlabel="rank of the word", ylabel="occurrences")
    return figure


def window_weight(window: int, simulated: NDArray) -> Figure:
    """Draw the weight of a neighbour against its distance beside a simulated dynamic window."""
    figure, ax = panels(height=2.8)
    distance = np.arange(1, window + 1)
    expected = (window + 1 - distance) / window
    ax.bar(np.r_[-distance[::-1], distance], np.r_[simulated[::-1], simulated], color="#b9cfe6")
    ax.plot(-distance, expected, color=MODES[0])
    ax.plot(distance, expected, color=MODES[0])
    ax.annotate(
        "expected: (L + 1 − distance) / L",
        (0.98, 0.95),
        xycoords="axes fraction",
        ha="right",
        va="top",
        color=MODES[0],
    )
    ax.annotate(
        "the centre word", (0, 0), (0, 0.12), ha="center", rotation=90, va="bottom", fontsize=9
    )
    ax.set(xlabel="position of the neighbour", ylabel="chance to count", ylim=(0, 1.25))
    return figure


def frequency_tricks(unigram: NDArray, acceptance: NDArray, noise: NDArray) -> Figure:
    """Draw subsampling and the negative distribution as factors, against a word's frequency."""
    figure, ax = panels(height=3)
    ax.loglog(unigram, acceptance, color=MODES[0])
    ax.loglog(unigram, noise / unigram, color=MODES[1])
    ax.axhline(1, color=FAINT, linewidth=0.8, zorder=0)
    middle = len(unigram) // 40
    ax.annotate(
        "kept as a centre: $p_i$",
        (unigram[5], acceptance[5]),
        (-4, -4),
        textcoords="offset points",
        color=MODES[0],
        ha="right",
        va="top",
    )
    ax.annotate(
        "drawn as a negative: $q_i / P_i$",
        (unigram[middle], (noise / unigram)[middle]),
        (4, 8),
        textcoords="offset points",
        color=MODES[1],
    )
    ax.set_yticks([0.1, 0.2, 0.5, 1, 2, 5], ["0.1", "0.2", "0.5", "1", "2", "5"])
    ax.minorticks_off()
    ax.set(xlabel="frequency $P_i$ of the word", ylabel="factor (1 = no change)", ylim=(0.08, 5))
    return figure
