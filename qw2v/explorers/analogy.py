"""Analogies in the reader's hands: who answers, how clearly, and since which dimension or time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure

from qw2v import datasets, dynamics, figures
from qw2v._packing import quantised
from qw2v.explorers.base import Explorer
from qw2v.statistics import CorpusStatistics
from qw2v.targets import target
from qw2v.vectors import UnknownWordError, WordVectors

START = 1e-6  # scale of the aligned start
TIMES = (1.0, 20.0)  # in units of tau_1: from the first mode's switch to well after the last's
EXAMPLES = (
    ("paris", "france", "rome"),
    ("man", "king", "woman"),
    ("brother", "sister", "father"),
    ("good", "better", "bad"),
    ("walking", "walked", "playing"),
    ("mouse", "mice", "dog"),
    ("he", "she", "actor"),
    ("london", "england", "moscow"),
)


class Analogy(Explorer):
    """Type a : b :: c : ? and see the nearest words change as the dimension or the time grows.

    `a`, `b`, `c` are the words, `dim` the dimension d, `time` is t / tau_1 in [1, 20], `against`
    what the chart runs over, "dim" or "time". The embeddings are those of the closed form, s_k(t)
    v_k at time t (Lemma 3.1), from an aligned start of 1e-6.

    The vocabulary: the `vocab_size` most frequent words and those of the Google analogies. Eight
    bits an entry are enough, because a cosine forgives any length: each word's row is first brought
    to length one, which evens out the entries, and every mode has its own step.
    """

    module = "analogy.js"
    heights = (851, 468)
    alt = (
        "Cosines of five candidate answers to a question against the dimension: the right answer "
        "rises from among the others, takes the lead, and keeps it."
    )
    a = traitlets.Unicode("paris").tag(sync=True)
    b = traitlets.Unicode("france").tag(sync=True)
    c = traitlets.Unicode("rome").tag(sync=True)
    dim = traitlets.Int(200, min=2).tag(sync=True)
    time = traitlets.Float(TIMES[1], min=TIMES[0], max=TIMES[1]).tag(sync=True)
    against = traitlets.Enum(["dim", "time"], "dim").tag(sync=True)

    def __init__(
        self, stats: CorpusStatistics, modes: int = 200, vocab_size: int = 3_000, **traits: Any
    ) -> None:
        values, vectors = target(stats).eigenpairs(modes)
        pairs = {
            category: [
                (stats.index[a.lower()], stats.index[b.lower()])
                for a, b in dict.fromkeys(found)
                if a.lower() in stats.index and b.lower() in stats.index
            ]
            for category, found in datasets.load_google_analogies().items()
        }
        needed = np.array([row for found in pairs.values() for pair in found for row in pair], int)
        rows = np.union1d(np.arange(min(vocab_size, stats.vocab_size)), needed)
        place = {row: at for at, row in enumerate(rows.tolist())}
        self.words = [stats.words[row] for row in rows]
        self.eigenvalues = values
        length = np.linalg.norm(vectors[rows] * np.sqrt(values), axis=1, keepdims=True)
        entries, step = quantised(vectors[rows] / length, np.int8)
        self.entries = (entries * step).astype(np.float32)
        coded = [
            (category, place[a], place[b])
            for category, found in enumerate(pairs.values())
            for a, b in found
        ]
        arrays = {
            "modes": entries.T.copy(),
            "step": step,
            "eigenvalues": values,
            "words": np.frombuffer("\n".join(self.words).encode(), np.uint8),
            "pairs": np.array(coded, np.uint16).reshape(-1, 3),
        }
        known = set(self.words)
        texts: dict[str, Any] = {
            "start": START,
            "times": TIMES,
            "examples": [list(example) for example in EXAMPLES if known.issuperset(example)],
        }
        self.index = {word: at for at, word in enumerate(self.words)}
        start = {"dim": modes} | dict(
            zip("abc", (texts["examples"] or [self.words])[0], strict=False)
        )
        super().__init__(arrays, texts, **(start | traits))

    @traitlets.validate("a", "b", "c")
    def _known(self, proposal: Mapping) -> str:
        if proposal["value"] not in self.index:
            raise traitlets.TraitError(str(UnknownWordError(proposal["value"], self.words)))
        return proposal["value"]

    @traitlets.validate("dim")
    def _computed(self, proposal: Mapping) -> int:
        if not 2 <= proposal["value"] <= len(self.eigenvalues):
            raise traitlets.TraitError(
                f"dim is {proposal['value']}; choose between 2 and {len(self.eigenvalues)}"
            )
        return proposal["value"]

    def vectors(self, dim: int | None = None, time: float | None = None) -> WordVectors:
        """Return the embeddings the explorer works with at d = `dim` and t / tau_1 = `time`.

        By default at the present `dim` and `time`. Each row is that of the closed form up to a
        factor, which no cosine sees, and up to the rounding of eight bits.
        """
        dim, time = self.dim if dim is None else dim, self.time if time is None else time
        tau = dynamics.learning_times(self.eigenvalues[:1], START)[0]
        s = dynamics.sigmoid(self.eigenvalues[:dim], START, time * tau)
        return WordVectors(self.words, self.entries[:, :dim] * s)

    def still(self) -> Figure:
        """Return the cosines of the leading answers against d."""
        dims = np.unique(np.geomspace(2, len(self.eigenvalues), 60).astype(int))
        best = [word for word, _ in self.vectors().analogy(self.a, self.b, self.c, topn=5)]
        rows = [self.index[word] for word in best]
        asked = [self.index[word] for word in (self.a, self.b, self.c)]
        rising = []
        for dim in dims:
            unit = self.vectors(dim).normalized
            query = unit[asked[1]] - unit[asked[0]] + unit[asked[2]]
            rising.append(unit[rows] @ (query / np.linalg.norm(query)))
        curves = np.array(rising)
        figure, ax = figures.panels(height=3.4)
        for k, curve in enumerate(curves.T, start=1):
            ax.plot(dims, curve, color=figures.mode_color(k), linewidth=3 if k == 1 else 1.2)
        low = np.floor(10 * curves[len(curves) // 3 :].min()) / 10
        ax.set(ylim=(low, 1), xlabel="dimension d", ylabel="cosine to the query")
        ax.set_title(f"{self.a} : {self.b} :: {self.c} : ?")
        figures.direct_labels(ax, dims[-1], curves[-1], best)
        return figure
