"""The central function: from the statistics of a corpus to word vectors, with no training."""

from __future__ import annotations

import numpy as np

from qw2v import spectrum, targets
from qw2v.vectors import WordVectors


def closed_form(stats, dim: int = 200, kind: str = "mstar", weighting=None) -> WordVectors:
    """Trained embeddings without training: WordVectors of W = V_d Lambda_d^(1/2) (Theorem 1).

    `stats` is a CorpusStatistics, `kind` and `weighting` are those of `qw2v.target`. Where the
    weighting has rank one, G = g g^T, the embeddings are diag(g)^(-1/2) V_d Lambda_d^(1/2), of the
    eigenpairs of diag(g)^(1/2) M* diag(g)^(1/2). Raises ValueError where dim exceeds the number of
    positive eigenvalues.
    """
    target = targets.target(stats, kind=kind, weighting=weighting)
    values, modes, _ = spectrum.positive(target, dim)
    return WordVectors(target.words, modes * np.sqrt(values) / target.scale[:, None])
