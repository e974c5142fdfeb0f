"""The training history in the reader's hands: what is learned, in which order and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qw2v import dynamics, figures
from qw2v._packing import quantised
from qw2v.explorers.base import Explorer
from qw2v.statistics import CorpusStatistics
from qw2v.targets import KINDS, mode_words, target

HORIZON, LONG_HORIZON = 4.0, 20.0  # in units of tau_1
BACKGROUND = 1_500  # words shown as grey points
FREQUENT = 3_000  # words that may be named


class History(Explorer):
    """Time moves: singular values rise one by one, the loss falls in steps, the word cloud opens.

    `time` is t / tau_1 in [0, 4], `log_scale` the base-10 logarithm of the aligned start's scale,
    -6 (small) or -1 (as word2vec's). The cloud shows the embeddings along modes 1 and 3.
    """

    module = "history.js"
    heights = (1061, 541)
    time = traitlets.Float(1.8, min=0, max=HORIZON).tag(sync=True)
    log_scale = traitlets.Enum([-6, -1], -6).tag(sync=True)

    def __init__(self, stats: CorpusStatistics, dim: int = 200, **traits: Any) -> None:
        matrix = target(stats)
        values, vectors = matrix.eigenpairs(dim)
        plane = vectors[:, [0, 2]]
        topics = choose_words(plane[:FREQUENT])
        rows = np.concatenate(topics)
        background = np.unique(np.linspace(0, len(plane) - 1, BACKGROUND).astype(int))
        cloud, cloud_step = quantised(plane[background])
        marked, marked_step = quantised(plane[rows])
        arrays = {
            "eigenvalues": values,
            "frobenius": np.array([matrix.frobenius_squared]),
            "cloud": cloud,
            "cloud_step": cloud_step,
            "marked": marked,
            "marked_step": marked_step,
        }
        names = [mode_words(vectors, stats.words, k, n=1) for k in range(1, min(8, dim) + 1)]
        groups = [topic for topic, chosen in enumerate(topics) for _ in chosen]
        texts = {
            "horizon": HORIZON,
            "starts": [[-6, "small: 10⁻⁶"], [-1, "word2vec’s: 0.1"]],
            "names": [[up[0], down[0]] for up, down in names],
            "words": [stats.words[row] for row in rows],
            "topics": groups,
        }
        self._path = dynamics.aligned(target(stats), 1e-6, dim=dim)
        self._words, self._rows, self._groups = stats.words, rows, groups
        super().__init__(arrays, texts, **traits)

    def stills(self) -> Mapping[str, Figure]:
        """Return the curves over time, and the cloud at the default moment."""
        W = self._path.embeddings(1.8 * self._path.learning_times[0])[:, [0, 2]]
        few = [i for i in range(len(self._rows)) if i % 3 == 0]
        cloud = figures.closed_form.cloud(
            [self._words[self._rows[i]] for i in few],
            [("t = 1.8 τ₁", W[self._rows[few]])],
            groups=[self._groups[i] + 1 for i in few],
            background=[W[::7]],
        )
        curves = (
            "Singular values rise one by one as sigmoids over training time, each named by two "
            "words, while the loss falls in steps and the number of learned modes climbs."
        )
        words = (
            "The cloud of word embeddings along modes 1 and 3, with words of four topics at its "
            "four ends."
        )
        return {curves: figures.closed_form.history(self._path, self._words, HORIZON), words: cloud}


class Modes(Explorer):
    """All modes of M*, PMI or PPMI over time: their sigmoids, learning times, words, rank and loss.

    Its traits are the controls: `kind` of target, `log_scale` (base-10 logarithm of the start),
    `dim` (d), `time` (t / tau_1), `log_time` (the time axis) and `mode` (k, the one brought out).
    """

    module = "modes.js"
    heights = (1036, 660)
    alt = (
        "Singular values of M* rise one after another over training time, the loss falls in steps "
        "and the number of learned modes climbs."
    )
    kind = traitlets.Enum(KINDS, "mstar").tag(sync=True)
    log_scale = traitlets.Float(-6, min=-12, max=0).tag(sync=True)
    dim = traitlets.Int(200, min=1).tag(sync=True)
    time = traitlets.Float(1.8, min=0, max=LONG_HORIZON).tag(sync=True)
    log_time = traitlets.Bool(True).tag(sync=True)
    mode = traitlets.Int(3, min=1).tag(sync=True)

    def __init__(self, stats: CorpusStatistics, modes: int = 200, **traits: Any) -> None:
        arrays, words = {}, {}
        for kind in KINDS:
            matrix = target(stats, kind)
            values, vectors = matrix.eigenpairs(modes)
            arrays[f"{kind}_eigenvalues"] = values
            arrays[f"{kind}_frobenius"] = np.array([matrix.frobenius_squared])
            words[kind] = [mode_words(vectors, stats.words, k, n=6) for k in range(1, modes + 1)]
        self._stats = stats
        texts = {
            "horizon": LONG_HORIZON,
            "kinds": [[kind, figures.NAMES[kind]] for kind in ("mstar", "ppmi", "pmi")],
            "words": words,
        }
        super().__init__(arrays, texts, **{"dim": modes, **traits})

    def still(self) -> Figure:
        """Return singular values, loss and number of learned modes of M* over time."""
        path = dynamics.aligned(target(self._stats), 1e-6, dim=self.dim)
        return figures.closed_form.history(path, self._stats.words, HORIZON)


def choose_words(plane: NDArray, each: int = 11, spread: float = 0.05) -> list[NDArray]:
    """Return rows of words for the four ends of a plane (V, 2): right, left, top and bottom.

    The most frequent words (the first rows) beyond three quarters of the way to an end, no two
    closer than `spread` of the plane's width, so that their labels have room.

    >>> [rows.tolist() for rows in choose_words(np.array([[1, 0], [-1, 0], [0, 1], [0, -1.0]]))]
    [[0], [1], [2], [3]]
    """
    scaled = plane / np.abs(plane).max(axis=0)
    chosen: list[NDArray] = []
    taken = np.empty((0, 2))
    for axis, sign in ((0, 1), (0, -1), (1, 1), (1, -1)):
        along = sign * scaled[:, axis]
        found: list[int] = []
        for row in np.flatnonzero(along > 0.75 * along.max()):
            gaps = np.abs(taken - scaled[row])
            if len(found) < each and np.all((gaps[:, 0] > 2.5 * spread) | (gaps[:, 1] > spread)):
                found.append(int(row))
                taken = np.vstack([taken, scaled[row]])
        chosen.append(np.array(found, int))
    return chosen
