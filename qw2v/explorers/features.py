"""Features in the reader's hands: the words at both ends, and where other models have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qw2v import figures
from qw2v.explorers.base import Explorer
from qw2v.features import squared_overlaps

ENDS = 8  # words at each end


class Features(Explorer):
    """Choose a model and a feature k: its words, and its squared overlap with all other models.

    `features` gives each model's orthonormal features (V, at least `count`), over the same `words`:
    eigenvectors of a target, or `qw2v.features.components` of embeddings. `model` and `k`, from 1,
    are what is shown. The page holds words and overlaps of the first `count` features, the
    overlaps in 255 steps. Raises TraitError for a model or a feature that is not there, ValueError
    for fewer than two models and what `squared_overlaps` refuses.
    """

    module = "features.js"
    model = traitlets.Unicode().tag(sync=True)
    k = traitlets.Int(1, min=1).tag(sync=True)

    def __init__(
        self,
        features: Mapping[str, NDArray],
        words: Sequence[str],
        count: int = 100,
        **traits: Any,
    ) -> None:
        if len(features) < 2:
            raise ValueError(f"compare two models or more, received {list(features)}")
        least = min(vectors.shape[1] for vectors in features.values())
        if not 1 <= count <= least:
            raise ValueError(f"count must lie between 1 and {least}, the features of every model")
        self.names, self.count = list(features), count
        first = [np.asarray(vectors)[:, :count] for vectors in features.values()]
        order = [np.argsort(vectors, axis=0, kind="stable") for vectors in first]
        self.ends = np.array([np.stack([o[: -ENDS - 1 : -1], o[:ENDS]]) for o in order])
        self.ends = self.ends.transpose(0, 3, 1, 2)  # model, feature, end, word
        self.overlaps = {
            (a, b): squared_overlaps(first[a], first[b])
            for a in range(len(first))
            for b in range(a + 1, len(first))
        }
        used = np.unique(self.ends)
        self.words = [words[row] for row in used]
        number = len(first)
        pairs = np.zeros((number, number), np.uint8)
        shares, signs = np.ones((2, number, number, count), np.float32)
        for table, (a, b) in enumerate(self.overlaps):
            pairs[a, b] = table
            for one, other in ((a, b), (b, a)):
                overlaps = self.between(one, other)
                best = overlaps.argmax(axis=1)
                shares[one, other] = overlaps.sum(axis=1)
                signs[one, other] = np.sign(np.sum(first[one] * first[other][:, best], axis=0))
        codes = [np.rint(255 * overlaps) for overlaps in self.overlaps.values()]
        arrays: dict[str, NDArray] = {
            "ends": np.searchsorted(used, self.ends).astype(np.uint16),
            "codes": np.array(codes, np.uint8),
            "pairs": pairs,
            "shares": shares,
            "signs": signs.astype(np.int8),
        }
        texts: dict[str, Any] = {"models": self.names, "words": self.words, "count": count}
        super().__init__(arrays, texts, **({"model": self.names[0]} | traits))

    @property  # a row of bars and of a table a model
    def heights(self) -> tuple[int, int]:  # type: ignore[override]
        """Its height on a phone, and where there is room."""
        more = len(self.names) - 3
        return 565 + 120 * more, 379 + 75 * more

    @property  # what is shown changes with the feature, so the text does too
    def alt(self) -> str:  # type: ignore[override]
        """What the picture of the present view shows."""
        return (
            f"Feature {self.k} of {self.model}: for each other model, bars of its squared overlap "
            f"with the first {self.count} features there."
        )

    def between(self, a: int, b: int) -> NDArray[np.float64]:
        """Return the squared overlaps of the features of model a (rows) with those of model b."""
        return self.overlaps[a, b] if a < b else self.overlaps[b, a].T

    @traitlets.validate("model")
    def _known(self, proposal: Mapping) -> str:
        if proposal["value"] not in self.names:
            raise traitlets.TraitError(
                f"model is {proposal['value']!r}; choose one of {self.names}"
            )
        return proposal["value"]

    @traitlets.validate("k")
    def _counted(self, proposal: Mapping) -> int:
        if not 1 <= proposal["value"] <= self.count:
            raise traitlets.TraitError(
                f"k is {proposal['value']}; features are counted from 1 to {self.count}"
            )
        return proposal["value"]

    def still(self) -> Figure:
        """Return bars of the squared overlaps of the chosen feature with those of each other."""
        a = self.names.index(self.model)
        others = [b for b in range(len(self.names)) if b != a]
        figure, axes = figures.panels(
            len(others), 1, height=0.8 + 0.9 * len(others), sharex=True, sharey=True, squeeze=False
        )
        for ax, b in zip(axes.flat, others, strict=True):
            overlaps = self.between(a, b)[self.k - 1]
            ax.bar(np.arange(1, self.count + 1), overlaps, color=figures.mode_color(b + 1))
            ax.set(ylim=(0, 1), yticks=[0, 1])
            ax.set_title(f"{self.names[b]}: {overlaps.sum():.0%} in its first {self.count}")
        axes.flat[-1].set(xlabel=f"feature of the other model; k = {self.k} of {self.model}")
        return figure
