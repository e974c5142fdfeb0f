"""The target in the reader's hands: what M* holds for two words, and where its parabola is good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qw2v import figures
from qw2v.explorers.base import Explorer
from qw2v.statistics import CorpusStatistics

STEP = 0.05  # of PMI: P_ij is known to 2.5%
EXAMPLES = (("los", "angeles"), ("king", "queen"), ("war", "battle"), ("film", "species"))


class Pairs(Explorer):
    """Two words: P_ij, P_i P_j, PMI and M*, and where the pair lies on 2 tanh(PMI / 2).

    `first` and `second` are the words, out of the `vocab_size` most frequent ones. To be small
    enough for a page, PMI is rounded to steps of 0.05; word counts are exact, and so is silence.
    Raises TraitError for a word that is not among them.
    """

    module = "pairs.js"
    heights = (729, 534)
    alt = (
        "M* follows PMI near zero and levels off at plus and minus two; pairs of words are marked "
        "on the curve, above a histogram of the PMI of all pairs."
    )
    first = traitlets.Unicode().tag(sync=True)
    second = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        stats: CorpusStatistics,
        vocab_size: int = 1_200,
        examples: Sequence[tuple[str, str]] = EXAMPLES,
        **traits: Any,
    ) -> None:
        words = stats.words[: min(vocab_size, stats.vocab_size)]
        self._known = set(words)
        examples = [pair for pair in examples if self._known.issuperset(pair)] or [
            (words[0], words[1])
        ]
        self._examples, self._pmi = examples, pmi_table(stats, len(words))
        codes, lowest = rounded(self._pmi[np.triu_indices(len(words))])
        arrays = {
            "codes": codes,
            "scale": np.array([lowest, STEP]),
            "counts": stats.word_counts[: len(words)].astype(np.float64),
            "total": np.array([stats.word_counts.sum()], np.float64),
        }
        texts = {"words": words, "examples": [list(pair) for pair in examples]}
        chosen = dict(zip(("first", "second"), examples[0], strict=True))
        super().__init__(arrays, texts, **{**chosen, **traits})

    @traitlets.validate("first", "second")
    def _known_word(self, proposal: Any) -> str:
        if proposal.value not in self._known:
            raise traitlets.TraitError(
                f"{proposal.value!r} is not among the {len(self._known):,} words of this explorer: "
                "choose a more frequent word, or make it with a larger vocab_size"
            )
        return proposal.value

    def still(self) -> Figure:
        """Return the soft clip with the examples marked, above a histogram of PMI."""
        row = {word: i for i, word in enumerate(self._texts["words"])}
        marked = {f"{a}–{b}": float(self._pmi[row[a], row[b]]) for a, b in self._examples}
        met = self._pmi[np.isfinite(self._pmi)]
        return figures.derivation.soft_clip(
            met, {k: v for k, v in marked.items() if np.isfinite(v)}
        )


class Taylor(Explorer):
    """The loss of a positive pair, its parabola, and the gap between them at x = w_i . w_j."""

    module = "taylor.js"
    heights = (408, 387)
    alt = "log(1 + exp(-x)) and its parabola: close around zero, apart beyond two."
    x = traitlets.Float(2.0, min=-4, max=4).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__({}, {}, **traits)

    def still(self) -> Figure:
        """Return the curve, the parabola and their gap."""
        return figures.derivation.taylor()


def pmi_table(stats: CorpusStatistics, n: int) -> NDArray[np.float64]:
    """Return ln(P_ij / (P_i P_j)) of the n most frequent words, (n, n); -inf where two never met.

    >>> stats = CorpusStatistics.from_texts(["a b", "a b", "c"], vocabulary=["a", "b", "c"])
    >>> pmi_table(stats, 2).round(3)
    array([[ -inf, 1.139],
           [1.139,  -inf]])
    """
    skipgram = stats.skipgram[:n, :n].toarray()
    with np.errstate(divide="ignore"):
        return np.log(skipgram / np.outer(stats.unigram[:n], stats.unigram[:n]))


def rounded(pmi: NDArray, step: float = STEP) -> tuple[NDArray[np.uint8], float]:
    """Return a byte per entry, and the PMI that byte 1 stands for: 0 is minus infinity.

    Byte c stands for lowest + (c - 1) step. Entries below what 254 steps reach from the largest
    are set to the lowest: they are as good as silent.

    >>> rounded(np.array([-np.inf, -1.02, 0.0]))
    (array([ 0,  1, 21], dtype=uint8), -1.0)
    """
    met = pmi[np.isfinite(pmi)]
    top = np.ceil(met.max(initial=0) / step)
    bottom = max(np.rint(met.min(initial=0) / step), top - 254)
    codes = np.maximum(np.rint(pmi / step) - bottom, 0) + 1
    return np.where(np.isfinite(pmi), codes, 0).astype(np.uint8), float(bottom * step)
