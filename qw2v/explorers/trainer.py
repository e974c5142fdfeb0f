"""A small model that is trained in the reader's browser, beside the theory that foretells it."""

from __future__ import annotations

from typing import Any

import numpy as np
import traitlets
from matplotlib.figure import Figure
from numpy.typing import NDArray

from qw2v import dynamics, figures
from qw2v.explorers.base import Explorer
from qw2v.statistics import CorpusStatistics
from qw2v.targets import target
from qw2v.weighting import Word2Vec

WHOLE = 150  # a vocabulary of at most this many words is taken as it is
DIMS = (2, 8)
BATCHES = (0, 125, 500, 2_000)  # 0: all pairs at once
PLANES = ("1 2", "1 3", "2 3", "3 4")
SEEDS = 20


class Trainer(Explorer):
    """Gradient descent on about a hundred words, live in the browser, over the theory's curves.

    Its traits are the controls, and a change of any but `plane` starts a fresh run: `loss` "qwem"
    or "sgns", `weighting` "setting31" or "word2vec", `log_scale` (base-10 logarithm of sigma; the
    entries of W(0) are N(0, sigma^2 / d)), `dim` d, `rate` = lr x lambda_1, `negatives` k (with
    word2vec's weighting), `batch` (positive and negative pairs drawn a step; 0: all pairs), `seed`,
    and `plane`, the two modes in which words are shown.

    The words are the most frequent ones at both ends of the first `modes` modes of M*, `each` an
    end, and some frequent ones; P_ij is their exact counts, renormalised. A vocabulary of at most
    150 words is taken whole. With word2vec's weighting lambda_1 and tau_1 are those of 2 (A - B) in
    units of the mean of A + B (A = Psi+ P_ij, B = Psi- P_i P_j), which is M* in Setting 3.1.
    Raises ValueError where M* of the words has fewer than 8 positive eigenvalues.
    """

    module = "trainer.js"
    heights = (1479, 725)
    alt = (
        "The theory of a small model: singular values rise one after another over training time, "
        "the loss falls in steps and the number of learned modes climbs."
    )
    loss = traitlets.Enum(["qwem", "sgns"], "qwem").tag(sync=True)
    weighting = traitlets.Enum(["setting31", "word2vec"], "setting31").tag(sync=True)
    log_scale = traitlets.Float(-3, min=-6, max=-1).tag(sync=True)
    dim = traitlets.Int(6, min=DIMS[0], max=DIMS[1]).tag(sync=True)
    rate = traitlets.Float(0.1, min=0.05, max=5).tag(sync=True)
    negatives = traitlets.Int(1, min=1, max=10).tag(sync=True)
    batch = traitlets.Enum(BATCHES, 0).tag(sync=True)
    seed = traitlets.Int(1, min=1, max=SEEDS).tag(sync=True)
    plane = traitlets.Enum(PLANES, "1 2").tag(sync=True)

    def __init__(
        self, stats: CorpusStatistics, modes: int = 6, each: int = 8, **traits: Any
    ) -> None:
        if stats.vocab_size <= WHOLE:
            self.stats, note = stats, f"All {stats.vocab_size} words of these counts."
        else:
            rows = choose_words(target(stats).eigenpairs(modes)[1], each)
            self.stats = CorpusStatistics(
                [stats.words[row] for row in rows],
                stats.word_counts[rows],
                stats.pair_counts[rows][:, rows],
                **stats._header(),
            )
            note = (
                f"{len(rows)} of {stats.vocab_size:,} words: some at both ends of the first "
                f"{modes} modes of M*, some frequent. Pᵢⱼ is their exact counts, renormalised."
            )
        positive = int(np.sum(np.linalg.eigvalsh(target(self.stats).toarray()) > 0))
        if positive < DIMS[1]:
            raise ValueError(
                f"M* of these {self.stats.vocab_size} words has {positive} positive eigenvalues, "
                f"and only those can be learned: {DIMS[1]} are needed, so take more words"
            )
        counts = self.stats.pair_counts.toarray()[np.tril_indices(self.stats.vocab_size)]
        recipe = Word2Vec()
        arrays = {
            "pairs": counts.astype(np.uint32 if counts.max() < 2**32 else np.float64),
            "counts": self.stats.word_counts.astype(np.float64),
        }
        texts = {
            "words": self.stats.words,
            "dims": DIMS,
            "batches": BATCHES,
            "planes": PLANES,
            "seeds": SEEDS,
            "weights": {"subsample": recipe.subsample, "power": recipe.power},
            "note": note + " Time is in units of the first learning time, τ₁ = ln(λ₁/s²)/λ₁ with "
            "s the start’s length along the first mode; with word2vec’s weighting λ₁ is the rate "
            "at which the run itself begins to grow, and the theory’s curves keep their own τ₁.",
        }
        super().__init__(arrays, texts, **traits)

    def still(self) -> Figure:
        """Return the theory's curves for the present start and dimension."""
        path = dynamics.vanishing(target(self.stats), 10**self.log_scale, self.dim, corrected=True)
        horizon = 1.3 * path.learning_times[-1] / path.learning_times[0]
        return figures.closed_form.history(path, self.stats.words, horizon)


def choose_words(
    vectors: NDArray, each: int, first: int = 60, last: int = 2_500, step: int = 24
) -> NDArray:
    """Return rows of words at the ends of all modes (V, n), most frequent first.

    At each end the `each` first rows beyond three quarters of the way to it, among the rows from
    `first` to `last`: words before that stand in every text. Of the frequent ones up to row 300
    every `step`-th is there whatever its place.

    >>> choose_words(np.array([[1, 0], [-1, 0], [0, 1], [0, -1], [0, 0.1]]), 1, 0, 5, 10).tolist()
    [0, 1, 2, 3]
    """
    chosen = set(range(first, min(300, len(vectors)), step))
    taken: set[int] = set()
    for mode in vectors[first:last].T:
        for along in (mode, -mode):
            rows = np.flatnonzero(along > 0.75 * along.max()) + first
            taken.update([int(row) for row in rows if row not in taken][:each])
    return np.array(sorted(chosen | taken))
