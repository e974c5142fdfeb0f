"""What the embeddings factorise: M*, PMI and PPMI as one operator, and its eigenpairs.

Each is a function of P_ij / (P_i P_j) that takes ONE value wherever two words never meet. So each
is a sparse matrix, with the pattern of the counts, plus that constant: nothing here is V x V until
someone asks for `toarray()`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import scipy.sparse
from numpy.typing import DTypeLike, NDArray

from qw2v import spectrum
from qw2v._environment import cache_folder
from qw2v.statistics import CorpusStatistics
from qw2v.weighting import Setting31, Weighting, fingerprint, rank_one_factor

Array = NDArray[np.float64]

KINDS = ("mstar", "pmi", "ppmi")
STRETCH = 2**18  # entries


@dataclass(frozen=True, eq=False)
class Target:
    """A symmetric V x V matrix held as sparse + constant * scale scale^T.

    `words` (V,) names the rows; `scale` (V,) is diag(Gamma) of a rank-one weighting, else ones;
    `kind` and `fingerprint` identify it. Supports `@`, `toarray()` and `eigenpairs(k)`.
    """

    kind: str
    words: list[str] = field(repr=False)
    sparse: scipy.sparse.csr_array = field(repr=False)
    constant: float
    scale: Array = field(repr=False)
    fingerprint: str = field(repr=False)

    @property
    def shape(self) -> tuple[int, int]:
        """(V, V)."""
        return self.sparse.shape

    @property
    def dtype(self) -> np.dtype:
        """float64."""
        return self.sparse.dtype

    def __matmul__(self, x: NDArray) -> NDArray:
        """Return M x for x of shape (V,) or (V, n), in time proportional to the non-zero counts."""
        x = np.asarray(x)
        along = self.constant * (self.scale.astype(x.dtype) @ x)
        return self.sparse @ x + np.multiply.outer(self.scale.astype(x.dtype), along)

    def toarray(self, dtype: DTypeLike = np.float64) -> NDArray:
        """Return the whole (V, V) matrix: 800 MB at V = 10,000 in float64."""
        dense = self.sparse.toarray().astype(dtype, copy=False)
        dense += np.multiply.outer(self.constant * self.scale, self.scale).astype(dtype)
        return dense

    @cached_property
    def frobenius_squared(self) -> float:
        """Return the sum of squares of all V x V entries, without forming them."""
        square = self.scale**2
        total = self.constant**2 * square.sum() ** 2  # as if the constant stood everywhere
        for part, rows, cols in _stretches(self.sparse):
            constants = self.constant * self.scale[rows] * self.scale[cols]
            total += np.sum((constants + self.sparse.data[part]) ** 2 - constants**2)
        return float(total)

    @cached_property
    def trace(self) -> float:
        """Return the sum of the diagonal, which is the sum of all eigenvalues."""
        return float(self.sparse.diagonal().sum() + self.constant * np.sum(self.scale**2))

    def eigenpairs(
        self, k: int, *, cache: bool = True, progress: bool = True
    ) -> tuple[Array, Array]:
        """Return the k largest eigenvalues (k,), descending, and their eigenvectors (V, k).

        The entry of largest magnitude of each eigenvector is positive. Computed once: the result is
        kept by the content of the counts in $QW2V_CACHE, or the user's cache (cache=False: not);
        what is read back is checked against this matrix, and a cache that fails only warns.
        Raises ValueError where k is not in 1..V or reaches past the positive eigenvalues, and
        ArithmeticError where a residual |M v - lambda v| exceeds what float32 explains.

        >>> stats = CorpusStatistics.from_texts(["a b c a b d"], vocab_size=4, window=2)
        >>> values, vectors = target(stats).eigenpairs(1)
        >>> bool(np.allclose(target(stats) @ vectors, vectors * values))
        True
        """
        file = cache_folder() / f"eigenpairs-{self.fingerprint}.npz"
        if cache and (found := spectrum.read_pairs(file, self, k)) is not None:
            return found
        values, vectors = spectrum.eigenpairs(self, k, progress=progress)
        if cache and self.shape[0] > 1000:
            spectrum.write_pairs(file, values, vectors)
        return values, vectors


def target(
    stats: CorpusStatistics,
    kind: str = "mstar",
    weighting: Weighting | None = None,
    *,
    floor: float = 1e-25,
    shift: float = 1.0,
) -> Target:
    """Return the matrix that the embeddings factorise, (V, V), without forming it.

    kind "mstar": M*_ij = (Psi+ P_ij - Psi- P_i P_j) / (G_ij / 2), Equation (4) and Setting 3.1, in
    [-2, 2]. "pmi": ln(x + floor) with x = Psi+ P_ij / (Psi- P_i P_j), the unconstrained minimiser
    of word2vec's loss. "ppmi": max(ln x, 0). `shift` k subtracts ln k from PMI and PPMI (Levy and
    Goldberg's shift by the number of negatives); `weighting` defaults to Setting 3.1.
    Raises ValueError for an unknown kind, and for a floor or shift that is not positive.

    >>> stats = CorpusStatistics.from_texts(["a b c a b d"], vocab_size=4, window=2)
    >>> target(stats).toarray().min()
    np.float64(-2.0)
    """
    if kind not in KINDS:
        raise ValueError(f"unknown kind of target {kind!r}: choose one of {', '.join(KINDS)}")
    for name, value in (("floor", floor), ("shift", shift)):
        if not value > 0:
            raise ValueError(f"{name} must be positive, received {value}")
    weighting = Setting31() if weighting is None else weighting
    g = rank_one_factor(weighting, stats) if kind == "mstar" else None
    scale = np.ones(stats.vocab_size) if g is None else np.sqrt(g)
    counts = stats.pair_counts
    total = counts.sum()
    data = np.empty(counts.nnz)
    for part, rows, cols in _stretches(counts):
        skipgram = counts.data[part] / total
        positive, negative = weighting.psi(stats, rows, cols, skipgram)
        joint, apart = positive * skipgram, negative * stats.unigram[rows] * stats.unigram[cols]
        if kind == "mstar":
            data[part] = 4 * joint / (joint + apart) * scale[rows] * scale[cols]
        elif kind == "pmi":
            data[part] = np.log(joint / apart + floor) - np.log(floor)
        else:
            data[part] = np.maximum(np.log(joint / apart / shift), 0)
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


def _stretches(matrix: scipy.sparse.csr_array) -> Iterator[tuple[slice, NDArray, NDArray]]:
    """Yield the entries in runs that fit the processor's cache: where, their rows, columns."""
    for low in range(0, matrix.nnz, STRETCH):
        part = slice(low, min(low + STRETCH, matrix.nnz))
        first, last = np.searchsorted(matrix.indptr, [part.start, part.stop - 1], side="right") - 1
        bounds = np.clip(matrix.indptr[first : last + 2], part.start, part.stop)
        yield part, np.repeat(np.arange(first, last + 1), np.diff(bounds)), matrix.indices[part]


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
