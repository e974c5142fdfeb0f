"""The size of a step in the reader's hands: four modes from the flow to chaos."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from qw2v import dynamics, figures
from qw2v.dynamics import discrete
from qw2v.explorers.base import Explorer

START = 0.01  # of the singular values, in sqrt(lambda_1)
END = 30.0  # of the time axis, in 1 / lambda_1


class StepSize(Explorer):
    """Four modes under steps of any size, beside the flow and the corrected flow, and their fate.

    `step` is lr lambda_1; `eigenvalues` are the first of M*, descending and positive. Below, the
    values that a mode's steps visit for ever, with each mode's own lr lambda_k marked.
    """

    module = "stepsize.js"
    heights = (773, 651)
    alt = "Sizes of four modes over time: dots of the steps lie on lines, right of the dashed flow."
    fate_alt = "Values that one mode visits in the long run split at a step of 2 and end at 4."
    step = traitlets.Float(0.6, min=0.05, max=4.2).tag(sync=True)

    def __init__(self, eigenvalues: ArrayLike, **traits: Any) -> None:
        values = np.asarray(eigenvalues, dtype=float)[:4]
        if not (values.ndim == 1 and len(values) and np.all(values > 0)):
            raise ValueError(f"eigenvalues must be positive, one a mode; received {eigenvalues!r}.")
        self.ratios = values / values[0]
        arrays = {"ratios": self.ratios, "start": np.array([START])}
        super().__init__(arrays, {}, **traits)

    def curves(self) -> tuple[NDArray, NDArray, NDArray]:
        """Return times (T,) and the sizes (T, k) of steps and of the flow, in sqrt(lambda_1)."""
        count = int(END / self.step)
        t, start = self.step * np.arange(count + 1), np.full(len(self.ratios), START)
        path = discrete.gradient_descent(np.diag(self.ratios), np.diag(start), self.step, count)
        sizes = np.abs(np.diagonal(path, axis1=1, axis2=2))
        return t, sizes, dynamics.sigmoid(self.ratios, START, t[:, None])

    def still(self) -> Figure:
        """Return the sizes of the modes under steps, the flow, and the corrected flow."""
        t, sizes, flow = self.curves()
        corrected = sizes * np.nan
        smooth = self.step * self.ratios < 1
        known = discrete.step_sigmoid(self.ratios[smooth], START, self.step, t[:, None])
        corrected[:, smooth] = known
        return figures.steps.falling_behind(t, sizes, flow, corrected)

    def stills(self) -> Mapping[str, Figure]:
        """Return the modes over time, and the fate of one mode."""
        return {self.alt: self.still(), self.fate_alt: figures.steps.bifurcation()}
