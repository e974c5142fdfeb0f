r"""Task vectors: the directions b - a behind analogies, their spectrum, its bulk and its spike.

A category of N word pairs has the task vectors r_n = w_b - w_a, the rows of R (N, d), not
normalised. If all pairs stood in the same relation and differed by noise, then R = 1 mu^T + noise,
and the spectrum of the Gram matrix G = R R^T / d would be

- one spike, along the mean task vector mu, and
- a bulk, that of noise in some effective dimension d_eff: the Marchenko-Pastur law.

Figure 4 of the paper shows just that. There d_eff is set by hand; `fit_bulk` finds it by maximum
likelihood, with an error.

By Result 3, time switches on one dimension after another. So the same numbers are followed twice:
`emergence` as d grows, `emergence_in_time` along a path of training.
"""

from qw2v.taskvectors._bulk import BulkFit, MarchenkoPastur, fit_bulk
from qw2v.taskvectors._completions import Completions, completions
from qw2v.taskvectors._emergence import emergence, emergence_in_time, measure
from qw2v.taskvectors._spectra import (
    gram_spectrum,
    inverse_participation,
    localisation,
    mean_alignment,
    mean_share,
    snr,
    task_vectors,
)
from qw2v.taskvectors._statistics import agreement, rank_correlation

__all__ = [
    "BulkFit",
    "Completions",
    "MarchenkoPastur",
    "agreement",
    "completions",
    "emergence",
    "emergence_in_time",
    "fit_bulk",
    "gram_spectrum",
    "inverse_participation",
    "localisation",
    "mean_alignment",
    "mean_share",
    "measure",
    "rank_correlation",
    "snr",
    "task_vectors",
]
