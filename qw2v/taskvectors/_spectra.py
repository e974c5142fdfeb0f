"""Task vectors, the spectrum of their Gram matrix, and where their mean lies."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qw2v.evaluation import known_rows
from qw2v.vectors import WordVectors

Array = NDArray[np.float64]


def task_vectors(vectors: WordVectors, pairs: Iterable[tuple[str, str]]) -> Array:
    """Return w_b - w_a (N, d) for the distinct pairs (a, b) that have both words, in their order.

    A word is looked up as it is spelt, else in lower case, as in `evaluate`.

    >>> vectors = WordVectors(["man", "king"], np.array([[1.0, 0.0], [1.0, 2.0]]))
    >>> task_vectors(vectors, [("Man", "King"), ("man", "ghost")])
    array([[0., 2.]])
    """
    distinct = list(dict.fromkeys(pairs))
    rows = known_rows(vectors, [word for pair in distinct for word in pair]).reshape(-1, 2)
    a, b = rows[(rows >= 0).all(axis=1)].T
    return vectors.matrix[b].astype(np.float64) - vectors.matrix[a]


def gram_spectrum(R: ArrayLike) -> Array:
    """Return the eigenvalues of R R^T / d, descending (Figure 4): min(N, d), all others are zero.

    >>> gram_spectrum([[3.0, 0.0, 0.0], [0.0, 0.0, 6.0]])
    array([12.,  3.])
    """
    R = np.asarray(R, dtype=np.float64)
    if R.ndim != 2 or 0 in R.shape:
        raise ValueError(f"R must hold task vectors in its rows, (N, d); received shape {R.shape}")
    return np.linalg.svd(R, compute_uv=False) ** 2 / R.shape[1]


def snr(eigenvalues: ArrayLike) -> float:
    """Return lambda_max(G) rank(G) / Tr G, the signal-to-noise ratio of a spectrum (Figure 4).

    1 where all eigenvalues are equal, rank(G) where there is only one.

    >>> snr([8.0, 1.0, 1.0, 0.0])
    2.4
    """
    values = np.asarray(eigenvalues, dtype=np.float64)
    if values.size == 0 or not values.max() > 0:
        raise ValueError("a signal-to-noise ratio needs a positive eigenvalue; received none")
    rank = np.sum(values > values.max() * len(values) * np.finfo(float).eps)
    return float(values.max() * rank / values.sum())


def mean_share(R: ArrayLike) -> float:
    """Return the mean task vector's share of the spike, N |mean r|^2 / (d lambda_max), in [0, 1].

    1 where the spike's eigenvector is the same for every pair (Appendix A.6).

    >>> round(mean_share([[1.0, 0.0], [1.0, 0.0]]), 6)
    1.0
    """
    R = np.asarray(R, dtype=np.float64)
    mean = R.mean(axis=0)
    return float(len(R) * (mean @ mean) / R.shape[1] / gram_spectrum(R)[0])


def mean_alignment(R: ArrayLike) -> float:
    """Return the squared cosine of the mean task vector and the spike's direction in R^d.

    One where the mean points along the spike, whatever each pair's part in it.

    >>> round(mean_alignment([[1.0, 0.0], [3.0, 0.0]]), 6)
    1.0
    """
    R = np.asarray(R, dtype=np.float64)
    mean = R.mean(axis=0)
    direction = np.linalg.svd(R, full_matrices=False)[2][0]
    return float((mean @ direction) ** 2 / (mean @ mean))


def localisation(R: ArrayLike) -> Array:
    """Return each column's share (d,) of the squared length of the mean task vector; they sum to 1.

    In the closed form the columns are the modes, so that few large shares mean a task that
    lives on few of them (Figure 4, top).

    >>> localisation([[3.0, 0.0], [3.0, 2.0]]).round(2)
    array([0.9, 0.1])
    """
    power = np.asarray(R, dtype=np.float64).mean(axis=0) ** 2
    return power / power.sum()


def inverse_participation(R: ArrayLike) -> Array:
    """Return the inverse participation ratio sum x_k^4 / (sum x_k^2)^2 of each row of R (..., d).

    One where a task vector lives on one column, 1 / d where all entries are of one size, and
    3 / (d + 2) on average for noise, a direction drawn at random.

    >>> inverse_participation([[1.0, 1.0, 0.0], [0.0, 5.0, 0.0]])
    array([0.5, 1. ])
    """
    square = np.asarray(R, dtype=np.float64) ** 2
    return np.sum(square**2, axis=-1) / square.sum(axis=-1) ** 2
