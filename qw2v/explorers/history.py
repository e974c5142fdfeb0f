"""The training history in the reader's hands: what is learned, in which order and when."""

from __future__ import annotations

import numpy as np
import traitlets
from matplotlib.figure import Figure

from qw2v import dynamics, figures
from qw2v.explorers.base import Explorer
from qw2v.statistics import CorpusStatistics
from qw2v.targets import target


class History(Explorer):
    """Singular values rise one by one as time, in units of tau_1, moves on."""

    module = "history.js"
    alt = "Singular values rise one by one as sigmoids, the loss falls in steps, the rank climbs."
    time = traitlets.Float(1.8, min=0, max=4).tag(sync=True)
    log_scale = traitlets.Float(-6, min=-12, max=0).tag(sync=True)

    def __init__(self, stats: CorpusStatistics, dim: int = 200, **traits):
        matrix = target(stats)
        values, vectors = matrix.eigenpairs(dim)
        self._still = values, vectors, stats.words
        arrays = {"eigenvalues": values, "frobenius": np.array([matrix.frobenius_squared])}
        super().__init__(arrays, {}, **traits)

    def still(self) -> Figure:
        """Return singular values, loss and number of learned modes over time."""
        values, vectors, words = self._still
        path = dynamics.aligned(np.diag(values), 1e-6, dim=len(values))
        return figures.history(path, words, 3)
