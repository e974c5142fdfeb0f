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
    """What the theory leaves open: which pairs weigh more, and the exponent of the eigenvalues."""

    weighting: Weighting | None
    power: float


RECIPES = {
    "paper": Recipe(None, 0.5),
    "tuned": Recipe(ByFrequency(0.5), 0.25),
}
"""Recipes by name; `experiments/recipe.py` chose the tuned one, on questions kept for choosing."""


def closed_form(
    stats: CorpusStatistics,
    dim: int = 200,
    kind: str = "mstar",
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
    kind : str
        What is factorised: "mstar", "pmi" or "ppmi", as in `qw2v.target`.
    weighting : Weighting, optional
        How much each pair counts; that of the recipe by default.
    power : float, optional
        The exponent of the eigenvalues; that of the recipe by default, 1/2 in the paper. A smaller
        one gives weaker modes more say, which serves analogies and similarity.
    recipe : str
        "paper", or "tuned": `ByFrequency(0.5)` and the power 1/4, the best of those that
        `experiments/recipe.py` compared on 59 million words. On a text of a few million the
        paper's answers more analogies.
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
    weighting = chosen.weighting if weighting is None else weighting
    power = chosen.power if power is None else float(power)
    if not np.isfinite(power):
        raise ValueError(f"power must be a finite number; received {power}")
    target = targets.target(stats, kind=kind, weighting=weighting)
    dim = whole("dim", dim, most=len(target.words), of="the number of words")
    values, modes = target.eigenpairs(dim, progress=progress)
    return WordVectors(target.words, modes * values**power / target.scale[:, None])
