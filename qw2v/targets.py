"""What the embeddings factorise: M*, PMI and PPMI as one operator, and its eigenpairs.

Each is a function of P_ij / (P_i P_j) that takes ONE value wherever two words never meet. So each
is a sparse matrix, with the pattern of the counts, plus that constant: nothing here is V x V until
someone asks for `toarray()`.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import scipy.linalg
import scipy.sparse
from numpy.typing import DTypeLike, NDArray

from qw2v._environment import cache_folder, progress_bar
from qw2v.statistics import CorpusStatistics
from qw2v.weighting import RankOne, Setting31, Weighting

Array = NDArray[np.float64]

KINDS = ("mstar", "pmi", "ppmi")
STRETCH = 2**18  # entries
DENSE_BYTES = 6 * 2**30  # a float32 table this large (V = 40,000) is still held whole


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
        kept by the content of the counts in $QW2V_CACHE, or the user's cache (cache=False: not).
        Raises ValueError where k is not in 1..V or reaches past the positive eigenvalues, and
        ArithmeticError where a residual |M v - lambda v| exceeds what float32 explains.

        >>> stats = CorpusStatistics.from_texts(["a b c a b d"], vocab_size=4, window=2)
        >>> values, vectors = target(stats).eigenpairs(1)
        >>> bool(np.allclose(target(stats) @ vectors, vectors * values))
        True
        """
        file = cache_folder() / f"eigenpairs-{self.fingerprint}.npz"
        if cache and file.exists() and (found := _read_pairs(file, k)) is not None:
            return found
        values, vectors = eigenpairs(self, k, progress=progress)
        if cache and self.shape[0] > 1000:
            _write_pairs(file, values, vectors)
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
    scale = np.ones(stats.vocab_size)
    if kind == "mstar" and isinstance(weighting, RankOne):
        scale = np.sqrt(weighting.g)
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
    recipe = f"{stats.fingerprint} {kind} {weighting!r} {floor} {shift}"
    return Target(
        kind=kind,
        words=stats.words,
        sparse=scipy.sparse.csr_array((data, counts.indices, counts.indptr), shape=counts.shape),
        constant=constant,
        scale=scale,
        fingerprint=hashlib.blake2b(recipe.encode(), digest_size=16).hexdigest(),
    )


def eigenpairs(matrix: Target | NDArray, k: int, *, progress: bool = True) -> tuple[Array, Array]:
    """Return the k largest eigenvalues (k,), descending, with eigenvectors (V, k), of a matrix.

    Takes a Target or a plain symmetric array. LAPACK where the matrix is small or k is a large
    share of V, block Lanczos (float32 arithmetic past V = 5,000) otherwise. Errors as in
    `Target.eigenpairs`.

    >>> eigenpairs(np.diag([3.0, -5.0, 1.0]), 2)[0]
    array([3., 1.])
    """
    if not isinstance(matrix, Target):
        matrix = _checked_symmetric(matrix)
    size = matrix.shape[0]
    if not 1 <= k <= size:
        raise ValueError(f"k must be between 1 and V = {size:,}, received {k}")
    few = size > 1000 and 20 * k < size  # a Krylov basis of 10 k or so must be worth its while
    if few:
        values, vectors = _block_lanczos(matrix, k, progress=progress)
    if not few or values[-1] <= 0:
        if k > (positive := _positive_eigenvalues(matrix)):
            raise ValueError(
                f"k = {k:,} reaches past the positive eigenvalues: this matrix has {positive:,} of "
                "them, and only those can be learned"
            )
        values, vectors = _lapack(matrix, k)
    peak = np.abs(vectors).argmax(axis=0)
    vectors *= np.sign(vectors[peak, np.arange(k)])
    return values, vectors


def _stretches(matrix: scipy.sparse.csr_array) -> Iterator[tuple[slice, NDArray, NDArray]]:
    """Yield the entries in runs that fit the processor's cache: where, their rows, columns."""
    for low in range(0, matrix.nnz, STRETCH):
        part = slice(low, min(low + STRETCH, matrix.nnz))
        first, last = np.searchsorted(matrix.indptr, [part.start, part.stop - 1], side="right") - 1
        bounds = np.clip(matrix.indptr[first : last + 2], part.start, part.stop)
        yield part, np.repeat(np.arange(first, last + 1), np.diff(bounds)), matrix.indices[part]


def _checked_symmetric(matrix: NDArray) -> Array:
    matrix = np.asarray(matrix, dtype=np.float64)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"a target must be a square matrix, received shape {matrix.shape}")
    if not np.all(np.isfinite(matrix)):
        raise ValueError("a target must be finite; use a floor for pairs that never co-occur")
    if not np.allclose(matrix, matrix.T, rtol=1e-10, atol=1e-12):
        raise ValueError("a target must be symmetric; average it with its transpose first")
    return matrix


def _dense(matrix: Target | Array, dtype: DTypeLike) -> NDArray:
    return matrix.toarray(dtype) if isinstance(matrix, Target) else matrix.astype(dtype, copy=False)


def _lapack(matrix: Target | Array, k: int) -> tuple[Array, Array]:
    size = matrix.shape[0]
    table = _dense(matrix, np.float64)
    values, vectors = scipy.linalg.eigh(table, subset_by_index=[size - k, size - 1])
    return values[::-1].copy(), vectors[:, ::-1].copy()


def _positive_eigenvalues(matrix: Target | Array) -> int:
    """Count them by Sylvester's law of inertia: an LDL^T costs a tenth of the eigenvalues."""
    _, blocks, _ = scipy.linalg.ldl(_dense(matrix, np.float64))
    pivots = np.diagonal(blocks), np.diagonal(blocks, -1)
    return int(np.sum(scipy.linalg.eigvalsh_tridiagonal(*pivots) > 0))


def _block_lanczos(
    matrix: Target | Array, k: int, *, progress: bool, block: int = 32
) -> tuple[Array, Array]:
    """Grow one Krylov basis, fully orthogonalised, until the top k Ritz pairs have converged.

    The spectrum of M* is the hard case: a flat tail at lambda_k and a negative end that is larger
    than lambda_1. Subspace iteration crawls there; a Krylov space serves both ends at once, and a
    block of 32 turns the products into matrix-matrix ones.
    """
    size = matrix.shape[0]
    dtype = np.float64 if size <= 5000 else np.float32
    table = _dense(matrix, dtype) if 4 * size**2 <= DENSE_BYTES else matrix
    tolerance = 1e-11 if dtype == np.float64 else 1e-6
    basis = np.empty((size, size // block * block), dtype, order="F")  # pages are taken as used
    projected = np.zeros((basis.shape[1],) * 2)
    start = np.random.default_rng(0).standard_normal((size, block)).astype(dtype)
    fresh = np.linalg.qr(start)[0]
    check = 9 * k + block  # where the first such test can be expected to succeed
    with progress_bar(f"top {k} eigenpairs", "vector", progress=progress, leave=False) as bar:
        for low in range(0, basis.shape[1], block):
            high = low + block
            basis[:, low:high] = fresh
            fresh = table @ fresh
            known = basis[:, :high]
            overlap = known.T @ fresh
            fresh -= known @ overlap
            fresh -= known @ (known.T @ fresh)  # once is not enough in finite precision
            fresh, coupling = np.linalg.qr(fresh)
            projected[:high, low:high] = overlap
            bar.update(block)
            if high < check and high < basis.shape[1]:
                continue
            check = int(1.15 * high)
            small = np.triu(projected[:high, :high])
            values, turn = scipy.linalg.eigh(
                small, lower=False, subset_by_index=[high - k, high - 1]
            )
            values, turn = values[::-1], turn[:, ::-1]
            # The ends of the spectrum, which set the scale of rounding, have long converged.
            radius = np.abs(
                scipy.linalg.eigvalsh(small[: 8 * block, : 8 * block], lower=False)
            ).max()
            if np.linalg.norm(coupling @ turn[-block:], axis=0).max() <= tolerance / 5 * radius:
                break
    vectors = known @ turn.astype(dtype)
    residual = np.linalg.norm(table @ vectors - vectors * values.astype(dtype), axis=0).max()
    if residual > tolerance * radius:
        raise ArithmeticError(
            f"the eigenpairs did not converge: residual {residual:.2g} at a spectral radius of "
            f"{radius:.3g}, allowed {tolerance * radius:.2g}; ask for fewer than k = {k}"
        )
    return values.copy(), vectors.astype(np.float64)


def _read_pairs(file: Path, k: int) -> tuple[Array, Array] | None:
    """Return the first k cached pairs, or None where fewer are there or the file is damaged."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            values, vectors = stored["values"], stored["vectors"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    if len(values) < k:
        return None
    return values[:k], vectors[:, :k].astype(np.float64)


def _write_pairs(file: Path, values: Array, vectors: Array) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    compact = vectors.astype(np.float32)
    if np.array_equal(compact, vectors):  # the large ones were computed in float32
        vectors = compact
    partial = file.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as stream:
        np.savez(stream, values=values, vectors=vectors)
    partial.replace(file)


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
