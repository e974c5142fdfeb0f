"""Four words and a few lines of text in the reader's hands: from counts to sigmoids."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure

from qw2v import dynamics, figures
from qw2v.explorers.base import Explorer
from qw2v.statistics import CorpusStatistics
from qw2v.targets import target

TEXT = """The cat drinks milk. The cat likes milk.
The dog has a bone. The dog likes the bone.
Milk for the cat, milk for every cat!
A bone for the dog, a bone for every dog!
The cat looks at the dog. The dog looks at the cat."""
WORDS = "cat milk dog bone"
MOST = 6  # words that a table can hold


class Toy(Explorer):
    """Edit a text of a few lines and see every table change: counts, P, M*, eigenvectors, sigmoids.

    `text` holds documents, one a line; `words` are two to six of its words, separated by spaces;
    `window` is L; `log_scale` the base-10 logarithm of the aligned start's scale. Other words are
    removed before windows are laid, as in `CorpusStatistics`. While the text lacks a word or holds
    no pair, the page says so and keeps the last tables.
    """

    module = "toy.js"
    heights = (1491, 1040)
    alt = (
        "M* of four words and its eigenvectors as coloured tables, and the singular values of the "
        "modes that can be learned as sigmoids over training time."
    )
    text = traitlets.Unicode(TEXT).tag(sync=True)
    words = traitlets.Unicode(WORDS).tag(sync=True)
    window = traitlets.Int(3, min=1, max=5).tag(sync=True)
    log_scale = traitlets.Float(-3, min=-6, max=-1).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__({}, {}, **traits)

    @traitlets.validate("words")
    def _few(self, proposal: Any) -> str:
        found = proposal["value"].split()
        if not 2 <= len(found) <= MOST:
            raise traitlets.TraitError(
                f"words are {len(found)} words, received {proposal['value']!r}: name 2 to {MOST}"
            )
        return proposal["value"]

    def statistics(self) -> CorpusStatistics:
        """Return the counts of the present text.

        >>> Toy().statistics().words
        ['cat', 'milk', 'dog', 'bone']
        """
        return CorpusStatistics.from_texts(
            self.text.splitlines(),
            vocabulary=self.words.split(),
            window=self.window,
            progress=False,
        )

    def still(self) -> Figure:
        """Return M*, its eigenvectors, and the singular values over time."""
        stats = self.statistics()
        matrix = target(stats)
        values, vectors = np.linalg.eigh(matrix.toarray())
        values, vectors = values[::-1], vectors[:, ::-1]
        figure, (left, middle, right) = figures.panels(1, 3, height=2.8, width_ratios=(1, 1, 1.3))
        tables = ((left, matrix.toarray(), "M*"), (middle, vectors, "eigenvectors"))
        for ax, table, title in tables:
            ax.imshow(table, cmap="RdBu", vmin=-np.abs(table).max(), vmax=np.abs(table).max())
            for (i, j), x in np.ndenumerate(table):
                ax.text(j, i, f"{x:.2f}", ha="center", va="center", color="black", fontsize=8)
            ax.set(title=title, yticks=range(len(values)), yticklabels=stats.words)
        left.set_xticks(range(len(values)), stats.words)
        middle.set_xticks(range(len(values)), [f"{x:.1f}" for x in values])
        learned = int(np.sum(values > 0))
        path = dynamics.aligned(matrix, 10**self.log_scale, dim=learned)
        times = np.linspace(0, 1.3 * path.learning_times[-1], 200)
        for k, s in enumerate(path.singular_values(times).T, start=1):
            right.plot(times / path.learning_times[0], s, color=figures.mode_color(k))
        right.set(xlabel="training time $t/\\tau_1$", ylabel="singular value $s_k$")
        return figure
