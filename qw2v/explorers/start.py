"""The start in the reader's hands: exact dynamics, Lemma 3.1 and Result 3 from any scale and angle.

Two dimensions, so that the page can solve the flow by hand, in sums of positive terms.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qw2v import dynamics, figures
from qw2v.explorers.base import Explorer

OTHERS = (0.3, 0.0, -0.4, -1.0)  # eigenvalues after lambda_1 = 1 and lambda_2
AWAY = ((0.3, -0.4), (0.4, -0.3), (0.6, 0.3), (-0.3, 0.6), (0.4, -0.2), (-0.3, -0.5))

GUESSES = ("Lemma 3.1", "Result 3", "own starts")


class Start(Explorer):
    """Two modes learned from a start of any scale and alignment, by three theories.

    `log_scale` is the base-10 logarithm of sigma, which both singular values start at; `angle`
    turns the start away from the first two of six eigenvectors, in degrees; `ratio` is lambda_2
    over lambda_1 = 1. Lemma 3.1 takes each mode's own overlap for its start, Result 3 takes sigma,
    and with "own starts" it takes that of `dynamics.silent_start`.
    """

    module = "start.js"
    heights = (774, 618)
    alt = (
        "Above, two singular values over time: the exact curves, and beside them those of Lemma "
        "3.1 and of Result 3. Below, the largest errors of each against the scale of the start."
    )
    log_scale = traitlets.Float(-1.0, min=-12, max=1).tag(sync=True)
    angle = traitlets.Float(70.0, min=0, max=90).tag(sync=True)
    ratio = traitlets.Float(0.7, min=0.5, max=0.99).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__({}, {"others": OTHERS, "away": AWAY}, **traits)

    def curves(self, sigma: float, count: int = 240) -> tuple[NDArray, dict[str, NDArray]]:
        """Return times (count,) and the singular values (count, 2) of each theory from sigma."""
        values = np.array([1.0, self.ratio, *OTHERS])
        frame = tilted(self.angle)
        times = np.linspace(0, horizon(self.ratio, sigma), count)
        overlaps = sigma * np.linalg.norm(frame[:2], axis=1)
        own = dynamics.silent_start(np.eye(6)[:, :2], sigma * frame)
        path = dynamics.exact(np.diag(values), sigma * frame, progress=False)
        return times, {
            "exact": path.singular_values(times),
            "Lemma 3.1": lemma(values[:2], overlaps, times),
            "Result 3": lemma(values[:2], np.full(2, sigma), times),
            "own starts": lemma(values[:2], own, times),
        }

    def still(self) -> Figure:
        """Return the curves of the three theories, and their errors against the scale."""
        figure, (top, bottom) = figures.panels(2, 1, height=5.2, height_ratios=(3, 2))
        times, curves = self.curves(10.0**self.log_scale)
        for name, style in (("exact", "-"), ("Lemma 3.1", "--"), ("Result 3", ":")):
            for k in (1, 2):
                color = figures.mode_color(k)
                top.plot(
                    times, curves[name][:, k - 1], style, color=color, label=name if k == 1 else ""
                )
        top.legend()
        top.set(xlabel="training time $t$, in $1/\\lambda_1$", ylabel="singular value $s_k$")
        top.set(xlim=(0, times[-1]), ylim=(0, ceiling(10.0**self.log_scale)))
        scales = 10.0 ** np.arange(-12, 1.01, 0.5)
        found = [self.curves(sigma, 80)[1] for sigma in scales]
        for place, name in enumerate(GUESSES, start=3):
            error = [100 * np.abs(c[name] - c["exact"]).max() for c in found]
            bottom.semilogx(scales, error, color=figures.mode_color(place), label=name)
        bottom.axvline(10.0**self.log_scale, color=figures.FAINT, linestyle="--", linewidth=1)
        bottom.legend()
        bottom.set(xlabel="scale σ of the start", ylabel="largest error in %", ylim=(0, 100))
        return figure


def tilted(angle: float) -> NDArray[np.float64]:
    """Return two orthonormal columns (6, 2), turned by an angle in degrees from modes 1 and 2.

    >>> bool(np.allclose(tilted(0), np.eye(6)[:, :2]))
    True
    """
    turn = np.radians(angle)
    first, second = (np.cos(turn) * np.eye(6)[:, :2] + np.sin(turn) * np.array(AWAY)).T
    first = first / np.linalg.norm(first)
    second = second - (first @ second) * first
    return np.stack([first, second / np.linalg.norm(second)], axis=1)


def lemma(values: NDArray, s0: NDArray, times: NDArray) -> NDArray[np.float64]:
    """Return the sigmoids (T, 2) of Lemma 3.1, the larger first."""
    return np.sort(dynamics.sigmoid(values, s0, times[:, None]), axis=1)[:, ::-1]


def horizon(ratio: float, sigma: float) -> float:
    """Return a time by which both modes are learned.

    >>> horizon(0.5, 10.0)
    16.0
    """
    return 1.25 * max(np.log(ratio / sigma**2) / ratio, 0.0) + 8 / ratio


def ceiling(sigma: float) -> float:
    """Return the height of the chart: room for the modes, and for a large start up to 4."""
    return 1.05 * max(1.15, min(sigma, 4.0))
