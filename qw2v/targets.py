"""What the embeddings factorise: M*, PMI and PPMI as one operator, and its eigenpairs.

Each is a function of P_ij / (P_i P_j) that takes ONE value wherever two words never meet. So each
is a sparse matrix, with the pattern of the counts, plus that constant: nothing here is V x V until
someone asks for `toarray()`.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from qw2v import _checks
from qw2v.spectrum import SparsePlusRankOne
from qw2v.spectrum.operators import RUN, run_from
from qw2v.spectrum.products import workers
from qw2v.statistics import CorpusStatistics
from qw2v.weighting import Setting31, Weighting, fingerprint, rank_one_factor

Array = NDArray[np.float64]

KINDS = ("mstar", "pmi", "ppmi")
_SHORT_FROM, _SHORT = 1_000, 1 / 20  # of this many words, this share of the pairs should have met


class Target(SparsePlusRankOne):
    """What the embeddings factorise: a symmetric operator (V, V) with the words of its rows.

    Held as sparse + constant * scale scale^T. It does what every linear operator of scipy's does:
    `M @ x`, `toarray()`, and `eigenpairs(k)`.

    Parameters
    ----------
    kind : str
        Which matrix this is.
    words : list of str
        The names of the rows.
    sparse : scipy.sparse.csr_array
        (V, V), symmetric.
    constant : float
        What stands, times the scales, where two words never meet.
    scale : array
        (V,), diag(Gamma) of a rank-one weighting, else ones.
    fingerprint : str
        A digest of all of this, under which eigenpairs are kept.

    Examples
    --------
    >>> stats = CorpusStatistics.from_texts(["a b c a b d"], vocab_size=4, window=2)
    >>> values, vectors = target(stats).eigenpairs(1)
    >>> bool(np.allclose(target(stats) @ vectors, vectors * values))
    True
    """

    def __init__(
        self,
        kind: str,
        words: list[str],
        sparse: scipy.sparse.csr_array,
        constant: float,
        scale: Array,
        fingerprint: str,
    ) -> None:
        super().__init__(sparse, constant, scale)
        self.kind, self.words, self.fingerprint = kind, words, fingerprint

    def __repr__(self) -> str:
        return f"<Target {self.kind}: {len(self.words):,} words>"

    def __neg__(self) -> Target:
        """Return -M, which keeps its eigenpairs under a name of its own."""
        return Target(
            f"-{self.kind}",
            self.words,
            -self.sparse,
            -self.constant,
            self.scale,
            f"minus-{self.fingerprint}",
        )


def target(
    stats: CorpusStatistics,
    kind: str = "mstar",
    weighting: Weighting | None = None,
    *,
    floor: float = 1e-25,
    shift: float = 1.0,
) -> Target:
    """Return the matrix that the embeddings factorise, (V, V), without forming it.

    Warns where the text is short for its vocabulary: past V = 5,000, where fewer than a twentieth
    of all pairs of words ever met.

    Parameters
    ----------
    stats : CorpusStatistics
        The counts, V words.
    kind : {"mstar", "pmi", "ppmi"}
        With x = Psi+ P_ij / (Psi- P_i P_j): "mstar" is M*_ij = 2 (x - 1) / (x + 1), in [-2, 2]
        (Equation (4); G = 1 in Setting 3.1); "pmi" is ln(x + floor), the unconstrained minimiser of
        word2vec's loss; "ppmi" is max(ln x, 0).
    weighting : Weighting, optional
        Psi+ and Psi-; by default Setting 3.1. Where G has rank one, G = g g^T, each entry is
        multiplied by (g_i g_j)^(1/2): the best fit to this matrix is the best weighted by G.
    floor : float
        What stands for zero in the logarithm of PMI. The larger, the less a pair that never met
        counts for: as M* is bounded, so is PMI then, by ln(floor).
    shift : float
        k, of which ln k is subtracted from PMI and PPMI (Levy and Goldberg's shift by the number
        of negatives).

    Raises
    ------
    ValueError
        For an unknown kind, a floor or shift that is not positive, and words that never occur.

    Examples
    --------
    >>> stats = CorpusStatistics.from_texts(["a b c a b d"], vocab_size=4, window=2)
    >>> target(stats).toarray().min()
    np.float64(-2.0)
    """
    kind = _checks.choice("kind", kind, KINDS)
    floor, shift = _checks.positive("floor", floor), _checks.positive("shift", shift)
    _refuse_absent_words(stats)
    _warn_where_short(stats)
    weighting = Setting31() if weighting is None else weighting
    g = rank_one_factor(weighting, stats)
    scale = np.ones(stats.vocab_size) if g is None else np.sqrt(g)
    counts = stats.pair_counts
    total = counts.sum()
    data = np.empty(counts.nnz)

    def fill(low: int) -> None:
        part, rows, cols = run_from(counts, low)
        skipgram = counts.data[part] / total
        positive, negative = weighting.psi(stats, rows, cols, skipgram)
        joint, apart = positive * skipgram, negative * stats.unigram[rows] * stats.unigram[cols]
        if kind == "mstar":
            values = 4 * joint / (joint + apart)
        elif kind == "pmi":
            values = np.log(joint / apart + floor) - np.log(floor)
        else:
            values = np.maximum(np.log(joint / apart / shift), 0)
        data[part] = values * scale[rows] * scale[cols]

    starts = range(0, counts.nnz, RUN)
    if len(starts) < 2:
        for low in starts:
            fill(low)
    else:
        with workers() as run:
            run(fill, starts)
    constant = {"mstar": -2.0, "pmi": float(np.log(floor) - np.log(shift)), "ppmi": 0.0}[kind]
    recipe = f"{stats.fingerprint} {kind} {fingerprint(weighting, stats)} {floor} {shift}"
    return Target(
        kind=kind,
        words=stats.words,
        sparse=scipy.sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape),
        constant=constant,
        scale=scale,
        fingerprint=hashlib.blake2b(recipe.encode(), digest_size=16).hexdigest(),
    )


def _refuse_absent_words(stats: CorpusStatistics) -> None:
    """Refuse words of which nothing can be learned: all of them would get one and the same row."""
    absent = np.flatnonzero(stats.word_counts == 0)
    if len(absent):
        raise ValueError(
            f"{len(absent):,} of the {stats.vocab_size:,} words never occur in the text, the first "
            f"of them {stats.words[absent[0]]!r}: nothing can be learned of them; leave them "
            "out by stats.restrict([word for word, n in zip(stats.words, stats.word_counts) if n])"
        )


def _warn_where_short(stats: CorpusStatistics) -> None:
    share = stats.pair_counts.nnz / stats.vocab_size**2
    if stats.vocab_size <= _SHORT_FROM or share >= _SHORT:
        return
    often = int(np.sum(stats.word_counts >= 100))
    warnings.warn(
        f"the text is short for {stats.vocab_size:,} words: {share:.1%} of their pairs ever met, "
        "and of the rarer words little can be learned. "
        f"{often:,} words occur 100 times or more: restrict({often}), or count more text",
        stacklevel=3,
    )


def mode_words(
    vectors: NDArray, words: Sequence[str], k: int, n: int = 5
) -> tuple[list[str], list[str]]:
    """Return the n words with the largest and the n with the smallest entries in mode k (from 1).

    `vectors` are eigenvectors (V, d) in the order of `words`: the two lists name what mode k tells
    apart. Raises ValueError for a k outside 1..d.

    >>> mode_words(np.array([[0.8], [-0.6], [0.1]]), ["cat", "dog", "the"], k=1, n=1)
    (['cat'], ['dog'])
    """
    if not 1 <= k <= vectors.shape[1]:
        raise ValueError(f"k counts the modes from 1 to {vectors.shape[1]}, received {k}")
    order = np.argsort(vectors[:, k - 1], kind="stable")
    return [words[i] for i in order[: -n - 1 : -1]], [words[i] for i in order[:n]]
