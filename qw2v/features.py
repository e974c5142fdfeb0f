r"""What is learned: components of embeddings, how far two models share them, how spectra decay.

A feature is a direction over words: an eigenvector of the target or, for embeddings W from
anywhere, a left singular vector of W. W is not centred, as in the paper: the closed form
W = V_d Lambda_d^(1/2) then gives back the eigenvectors, and a rotation of W changes nothing.

Two orthonormal sets of features are compared by their squared overlaps O_kj = (v_k . u_j)^2, the
numbers of Figure 5. Row k sums to the share of v_k that lies in the space of all u_j. Eigenvectors
whose eigenvalues nearly coincide mix under the smallest perturbation, so one-to-one matches say how
stable a feature is, and sums over spaces say whether what it tells apart is still told apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from qw2v import datasets
from qw2v.statistics import CorpusStatistics
from qw2v.text.counting import pair_weights

__all__ = [
    "Decay",
    "FeatureMatch",
    "components",
    "restrict_features",
    "fit_decay",
    "jackknife_error",
    "align_signs",
    "load_spectra",
    "squared_overlaps",
    "match_features",
    "independent_counts",
    "without_pairs",
]

Array = NDArray[np.float64]

_ORTHONORMAL = 1e-3  # what eigenvectors in float32 keep, with room to spare
_PIECES = 5  # of a range of k, each giving a local exponent


# ---------------------------------------------------------------------------------------------
# features and their overlaps


def components(W: ArrayLike) -> tuple[Array, Array]:
    """Return the singular values (d,) and left singular vectors (V, d) of embeddings W (V, d).

    Singular values descend; the entry of largest magnitude of each vector is positive. Raises
    ValueError where W has fewer words than dimensions, or holds what is not finite.

    >>> values, vectors = components([[0.0, 2.0], [1.0, 0.0], [0.0, 0.0]])
    >>> values.tolist(), vectors.T.tolist()
    ([2.0, 1.0], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    """
    W = np.asarray(W, dtype=np.float64)
    if W.ndim != 2 or W.shape[0] < W.shape[1]:
        raise ValueError(f"embeddings must be (V, d) with V >= d, received shape {W.shape}")
    if not np.all(np.isfinite(W)):
        raise ValueError("embeddings must be finite: did the training diverge?")
    vectors, values, _ = scipy.linalg.svd(W, full_matrices=False)
    peak = np.abs(vectors).argmax(axis=0)
    return values, vectors * np.sign(vectors[peak, np.arange(len(values))]) + 0.0


def squared_overlaps(A: ArrayLike, B: ArrayLike) -> Array:
    """Return O_kj = (a_k . b_j)^2 (n, m) of two sets of features (V, n) and (V, m) (Figure 5).

    Raises ValueError unless both have the same words and orthonormal columns.

    >>> squared_overlaps(np.eye(3)[:, :2], np.eye(3)[:, 1:]).tolist()
    [[0.0, 0.0], [1.0, 0.0]]
    """
    A, B = (np.asarray(side, dtype=np.float64) for side in (A, B))
    if A.ndim != 2 or B.ndim != 2 or len(A) != len(B):
        raise ValueError(
            f"features must be (V, n) and (V, m) over the same words, received shapes {A.shape} "
            f"and {B.shape}; `restrict_features` brings them to the first words of both"
        )
    for name, side in (("first", A), ("second", B)):
        worst = np.abs(side.T @ side - np.eye(side.shape[1])).max()
        if worst > _ORTHONORMAL:
            raise ValueError(
                f"the columns of the {name} set are not orthonormal (off by {worst:.2g}): pass "
                "eigenvectors, or embeddings through `components`"
            )
    return (A.T @ B) ** 2


def restrict_features(vectors: ArrayLike, words: int) -> Array:
    """Return features cut to the first `words` words, made orthonormal again one after another.

    Feature k of the result spans, with those before it, what the first k spanned. (V, n) to
    (words, n). Raises ValueError unless n <= words <= V.

    >>> restrict_features([[0.6, 0.8], [0.0, 0.1], [0.8, -0.6]], words=2).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    vectors = np.asarray(vectors, dtype=np.float64)
    if not vectors.shape[1] <= words <= len(vectors):
        raise ValueError(
            f"words must lie between {vectors.shape[1]:,} features and V = {len(vectors):,}, "
            f"received {words:,}"
        )
    Q, R = np.linalg.qr(vectors[:words])
    return Q * np.sign(np.diagonal(R)) + 0.0


def align_signs(vectors: ArrayLike, like: ArrayLike) -> Array:
    """Return features (V, n), each with the sign that it has in its best match among `like` (V, m).

    Errors as in `squared_overlaps`.

    >>> align_signs(-np.eye(3)[:, :2], like=np.eye(3)).tolist()
    [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]
    """
    vectors, like = np.asarray(vectors, np.float64), np.asarray(like, np.float64)
    best = squared_overlaps(vectors, like).argmax(axis=1)
    return vectors * np.sign(np.sum(vectors * like[:, best], axis=0)) + 0.0


@dataclass(frozen=True)
class FeatureMatch:
    """How the features of one model, k = 1 to n, are found again in another; all shapes (n,)."""

    best: Array
    """The largest squared overlap with a single feature of the other."""
    match: NDArray[np.int64]
    """Which one that is, counted from 1."""
    within: Array
    """The share of feature k in the space of the other's first k."""
    share: Array
    """The share of feature k in the space of all the other's features."""
    space: Array
    """The mean share of features 1 to k in the space of the other's first k."""


def match_features(overlaps: ArrayLike) -> FeatureMatch:
    """Return what squared overlaps (n, m), m >= n, say of each feature of the first set.

    By chance, `share` is m / V and `space` is k / V.

    >>> match_features([[0.5, 0.5], [0.5, 0.25]]).space.tolist()
    [0.5, 0.875]
    """
    overlaps = np.asarray(overlaps, dtype=np.float64)
    n, m = overlaps.shape
    if m < n:
        raise ValueError(f"compare with at least as many features, received {n} against {m}")
    up_to = np.cumsum(overlaps, axis=1)
    return FeatureMatch(
        best=overlaps.max(axis=1),
        match=overlaps.argmax(axis=1) + 1,
        within=np.diagonal(up_to).copy(),
        share=up_to[:, -1].copy(),
        space=np.diagonal(np.cumsum(up_to, axis=0)) / np.arange(1, n + 1),
    )


def jackknife_error(replicates: ArrayLike) -> Array:
    """Return the standard error (...) of what has the values (n, ...) with one of n parts left out.

    >>> numbers = np.array([1.0, 2.0, 3.0, 6.0])
    >>> left_out = [np.delete(numbers, i).mean() for i in range(4)]
    >>> bool(np.isclose(jackknife_error(left_out), numbers.std(ddof=1) / 2))
    True
    """
    replicates = np.asarray(replicates, dtype=np.float64)
    return np.sqrt((len(replicates) - 1) * replicates.var(axis=0))


# ---------------------------------------------------------------------------------------------
# spectra


def independent_counts(stats: CorpusStatistics, *, seed: int = 0) -> CorpusStatistics:
    """Return counts as they would be, but for chance, if no word had to do with any other.

    The number of times that words i and j meet is a Poisson number of mean N P_i P_j / w, N the sum
    of all counts and w = sum w_r^2 / sum w_r the weight of a meeting, (2 L + 1) / 3 for linear
    weights: the relative noise of the counts is then that of the real ones. The largest eigenvalue
    of its M* is where features drown. Real words come in bursts, so real noise is larger.

    >>> stats = CorpusStatistics.from_texts(["a b a c b a"], vocab_size=3, window=2)
    >>> independent_counts(stats, seed=1).pair_counts.toarray().tolist()
    [[4, 4, 1], [4, 4, 1], [1, 1, 0]]
    """
    rng = np.random.default_rng(seed)
    weights = np.array(pair_weights(stats.window, stats.window_weights), dtype=np.float64)
    meetings = stats.pair_counts.sum() * weights.sum() / (weights**2).sum()
    rows = []
    for i in range(stats.vocab_size):  # the upper triangle: half of them, the diagonal halved again
        mean = meetings * stats.unigram[i] * stats.unigram[i:]
        mean[0] /= 2
        met = rng.poisson(mean)
        (columns,) = np.nonzero(met)
        rows.append((columns + i, met[columns]))
    columns, data = (np.concatenate(side) for side in zip(*rows, strict=True))
    starts = np.concatenate([[0], np.cumsum([len(columns) for columns, _ in rows])])
    upper = sparse.csr_array((data, columns, starts), shape=stats.pair_counts.shape)
    return replace(
        stats, pair_counts=sparse.csr_array(upper + upper.T), source="no relations, by chance"
    )


class Spectra(dict[str, NDArray[np.float32]]):
    """All V eigenvalues of several matrices by name, descending; `about` says where from."""

    about: dict[str, Any]


def load_spectra() -> Spectra:
    """Return `spectra.npz` of data/: "mstar", "pmi", "ppmi" and "G" at V = 10,000, float32.

    >>> int((load_spectra()["mstar"] >= 0).sum())
    4912
    """
    with np.load(datasets.verify("spectra.npz"), allow_pickle=False) as stored:
        spectra = Spectra({name: stored[name] for name in stored.files if name != "about"})
        spectra.about = json.loads(str(stored["about"]))
    return spectra


@dataclass(frozen=True)
class Decay:
    """A power law lambda_k = amplitude * k^-exponent, fitted for k from `low` to `high`."""

    exponent: float
    error: float
    """Standard deviation of the exponents of five equal stretches of log k: how straight it is."""
    amplitude: float
    low: int
    high: int

    def __call__(self, k: ArrayLike) -> Array:
        """Return the fitted eigenvalues at k."""
        return self.amplitude * np.asarray(k, dtype=np.float64) ** -self.exponent


def fit_decay(eigenvalues: ArrayLike, low: int = 3, high: int = 100) -> Decay:
    """Fit a power law to eigenvalues `low` to `high` (from 1), each decade weighing the same.

    Least squares of ln lambda_k on ln k, weight 1 / k. Eigenvalues are no independent draws, so the
    error is not that of a regression: it is the spread of the exponent along the range, which
    says where a power law is only a manner of speaking. Raises ValueError for a range that is too
    short, reaches past the eigenvalues, or meets one that is not positive.

    >>> law = fit_decay(3 / np.sqrt(np.arange(1, 101)), low=2, high=100)
    >>> round(law.exponent, 6), round(law.amplitude, 6), round(law.error, 6)
    (0.5, 3.0, 0.0)
    """
    values = np.sort(np.asarray(eigenvalues, dtype=np.float64))[::-1]
    if not 1 <= low <= high <= len(values):
        raise ValueError(f"low and high must lie in 1..{len(values):,}, received {low} and {high}")
    if values[high - 1] <= 0:
        raise ValueError(
            f"eigenvalue {high:,} is {values[high - 1]:.3g}, but a power law is positive: choose "
            f"high <= {np.sum(values > 0):,}"
        )
    edges = np.rint(np.geomspace(low, high, _PIECES + 1)).astype(int)
    if np.diff(edges).min() < 2:
        raise ValueError(f"{low} to {high} is too short a range for {_PIECES} local exponents")
    slope, height = _line(values, low, high)
    local = [_line(values, *ends)[0] for ends in zip(edges[:-1], edges[1:], strict=True)]
    return Decay(-slope, float(np.std(local, ddof=1)), float(np.exp(height)), low, high)


def _line(values: Array, low: int, high: int) -> tuple[float, float]:
    """Slope and height of the line through (ln k, ln lambda_k), each ln k weighing the same."""
    k = np.arange(low, high + 1)
    slope, height = np.polyfit(np.log(k), np.log(values[low - 1 : high]), 1, w=k**-0.5)
    return float(slope), float(height)


def without_pairs(
    stats: CorpusStatistics, pairs: Iterable[tuple[str, str]], *, fill: str = "never"
) -> CorpusStatistics:
    """Return the statistics as if these pairs of words had never met, or had met by chance.

    Parameters
    ----------
    stats : CorpusStatistics
    pairs : pairs of words, in either order; those with a word outside the vocabulary are passed
        over.
    fill : "never" sets their counts to zero, so that M*_ij = -2; "chance" sets them to the nearest
        integer to P_i P_j times the sum of all counts, so that M*_ij is about 0.

    Returns
    -------
    CorpusStatistics
        The words, their own counts and all other pairs are unchanged.

    Raises
    ------
    ValueError
        For another `fill`.

    Examples
    --------
    >>> stats = CorpusStatistics.from_texts(["king queen king man"], vocab_size=3, window=1)
    >>> apart = without_pairs(stats, [("queen", "king")])
    >>> apart.pair_counts.sum() == stats.pair_counts.sum() - 4
    np.True_
    """
    if fill not in ("never", "chance"):
        raise ValueError(f"fill must be 'never' or 'chance', received {fill!r}")
    counts = stats.pair_counts.copy()
    total = int(counts.sum())
    known = [(a, b) for a, b in pairs if a in stats.index and b in stats.index]
    for one, other in known:
        for i, j in {
            (stats.index[one], stats.index[other]),
            (stats.index[other], stats.index[one]),
        }:
            low, high = counts.indptr[i : i + 2]
            at = low + np.searchsorted(counts.indices[low:high], j)
            if at < high and counts.indices[at] == j:
                expected = round(stats.unigram[i] * stats.unigram[j] * total)
                counts.data[at] = expected if fill == "chance" else 0
    counts.eliminate_zeros()
    return replace(stats, pair_counts=counts)
