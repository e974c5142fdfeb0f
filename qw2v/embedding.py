"""The central function: from the statistics of a corpus to word vectors, with no training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from qw2v import targets
from qw2v._checks import choice, whole
from qw2v.statistics import CorpusStatistics
from qw2v.vectors import WordVectors
from qw2v.weighting import ByFrequency, Weighting


@dataclass(frozen=True)
class Recipe:
    """What is left open: the matrix, which pairs weigh more, and the exponent of the eigenvalues.

    `floor` and `shift` are those of `qw2v.target`, for the logarithm of PMI.
    """

    kind: str = "mstar"
    weighting: Weighting | None = None
    power: float = 0.5
    floor: float = 1e-25
    shift: float = 1.0


RECIPES = {
    "paper": Recipe(),
    "tuned": Recipe("pmi", ByFrequency(0.5), 0.375, floor=0.05, shift=0.5),
}
"""Recipes by name; `experiments/recipe.py` chose the tuned one, on questions kept for choosing."""


def closed_form(
    stats: CorpusStatistics,
    dim: int = 200,
    kind: str | None = None,
    weighting: Weighting | None = None,
    *,
    power: float | None = None,
    recipe: str = "paper",
    progress: bool = True,
) -> WordVectors:
    """Return trained embeddings without training, W = V_d Lambda_d^(1/2) (Theorem 1).

    Where the weighting has rank one, G = g g^T, they are diag(g)^(-1/2) V_d Lambda_d^(1/2), of the
    eigenpairs of diag(g)^(1/2) M* diag(g)^(1/2).

    Parameters
    ----------
    stats : CorpusStatistics
        The counts, V words.
    dim : int
        The dimension d, at most the number of positive eigenvalues.
    kind : str, optional
        What is factorised: "mstar", "pmi" or "ppmi", as in `qw2v.target`; that of the recipe by
        default, "mstar" in the paper.
    weighting : Weighting, optional
        How much each pair counts; that of the recipe by default.
    power : float, optional
        The exponent of the eigenvalues; that of the recipe by default, 1/2 in the paper. A smaller
        one gives weaker modes more say, which serves analogies and similarity.
    recipe : str
        "paper", or "tuned": PMI with a floor of 1/20 and a shift of 1/2, so that a pair which never
        met stands at ln(1/10), weighted by `ByFrequency(0.5)`, and the power 3/8. It answers most
        analogies of those that `experiments/recipe.py` compared, on counts with
        `window=32, window_weights="harmonic"`, to which it owes a part of that.
    progress : bool
        Show a progress bar where it takes time.

    Returns
    -------
    WordVectors
        V words, the columns in the order of their eigenvalues.

    Raises
    ------
    ValueError
        If dim exceeds the number of positive eigenvalues, or an argument is none of those allowed.

    Examples
    --------
    >>> texts = ["a cat and a cat", "the dog the dog"]
    >>> stats = CorpusStatistics.from_texts(texts, vocab_size=4, window=3, progress=False)
    >>> closed_form(stats, dim=1)["cat"].round(3)
    array([1.129])
    """
    chosen = RECIPES[choice("recipe", recipe, RECIPES)]
    kind = chosen.kind if kind is None else kind
    logarithm = {"floor": chosen.floor, "shift": chosen.shift} if kind == chosen.kind else {}
    weighting = chosen.weighting if weighting is None else weighting
    power = chosen.power if power is None else float(power)
    if not np.isfinite(power):
        raise ValueError(f"power must be a finite number; received {power}")
    target = targets.target(stats, kind=kind, weighting=weighting, **logarithm)
    dim = whole("dim", dim, most=len(target.words), of="the number of words")
    values, modes = target.eigenpairs(dim, progress=progress)
    return WordVectors(target.words, modes * values**power / target.scale[:, None])
