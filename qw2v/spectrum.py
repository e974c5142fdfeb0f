"""Eigenpairs of a symmetric operator: checks, all or the top ones, and their cache."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import DTypeLike, NDArray
from scipy import linalg

from qw2v import _files
from qw2v._environment import progress_bar

Array = NDArray[np.float64]

DENSE_BYTES = 6 * 2**30  # a float32 table this large (V = 40,000) is still held whole


def eigenpairs(matrix: Any, k: int, *, progress: bool = True) -> tuple[Array, Array]:
    """Return the k largest eigenvalues (k,), descending, with eigenvectors (V, k), of a matrix.

    Takes a Target or a plain symmetric array. LAPACK where the matrix is small or k is a large
    share of V, block Lanczos (float32 arithmetic past V = 5,000) otherwise. Errors as in
    `Target.eigenpairs`.

    >>> eigenpairs(np.diag([3.0, -5.0, 1.0]), 2)[0]
    array([3., 1.])
    """
    if not hasattr(matrix, "toarray"):
        matrix = symmetric(matrix)
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


def _dense(matrix: Any, dtype: DTypeLike) -> NDArray:
    return matrix.toarray(dtype) if hasattr(matrix, "toarray") else matrix.astype(dtype, copy=False)


def _lapack(matrix: Any, k: int) -> tuple[Array, Array]:
    size = matrix.shape[0]
    table = _dense(matrix, np.float64)
    values, vectors = scipy.linalg.eigh(table, subset_by_index=[size - k, size - 1])
    return values[::-1].copy(), vectors[:, ::-1].copy()


def _positive_eigenvalues(matrix: Any) -> int:
    """Count them by Sylvester's law of inertia: an LDL^T costs a tenth of the eigenvalues."""
    _, blocks, _ = scipy.linalg.ldl(_dense(matrix, np.float64))
    pivots = np.diagonal(blocks), np.diagonal(blocks, -1)
    return int(np.sum(scipy.linalg.eigvalsh_tridiagonal(*pivots) > 0))


def _block_lanczos(matrix: Any, k: int, *, progress: bool, block: int = 32) -> tuple[Array, Array]:
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


def read_pairs(file: Path, matrix: Any, k: int) -> tuple[Array, Array] | None:
    """Return the first k pairs of `matrix` (V, V) that `write_pairs` kept, or None.

    None where fewer are there, or where the file is damaged or holds anything but eigenpairs of
    this very matrix: a random mixture of them is put through it.
    """
    try:
        stored = _files.read_arrays(file, ["values", "vectors"])
    except (OSError, _files.DamagedFileError):
        return None
    values, vectors = stored["values"], stored["vectors"]
    size = matrix.shape[0]
    if values.ndim != 1 or not 1 <= k <= len(values) or vectors.shape != (size, len(values)):
        return None
    if values.dtype.kind != "f" or vectors.dtype.kind != "f":
        return None
    values = values[:k].astype(np.float64)
    vectors = vectors[:, :k].astype(np.float64)
    if not (np.isfinite(values).all() and np.isfinite(vectors).all()):
        return None
    mixture = np.random.default_rng().standard_normal((k, 2)) / k**0.5
    mixed = vectors @ mixture
    residual = np.linalg.norm(matrix @ mixed - vectors @ (values[:, None] * mixture))
    tolerance = 1e-4  # what float32 explains, and a margin
    if residual > tolerance * max(abs(values[0]), 1e-300) or (np.diff(values) > 0).any():
        return None
    # Orthonormal columns keep every inner product of the mixtures.
    if np.abs(mixed.T @ mixed - mixture.T @ mixture).max() > tolerance:
        return None
    return values, vectors


def write_pairs(file: Path, values: Array, vectors: Array) -> None:
    """Keep the pairs in a file, in float32 where that holds all their digits.

    They are computed: where they cannot be kept, a warning says so and the work goes on.
    """
    compact = vectors.astype(np.float32)
    if np.array_equal(compact, vectors):  # the large ones were computed in float32
        vectors = compact
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _files.replacing(file) as stream:
            np.savez(stream, values=values, vectors=vectors)
    except OSError as error:
        warnings.warn(
            f"the eigenpairs were not kept for the next time ({error}): set QW2V_CACHE to a folder "
            f"that can be written to, or pass cache=False; now it is {file.parent}",
            stacklevel=3,
        )


def size_of(target) -> int:
    """Return V of a square matrix or operator (V, V)."""
    shape = np.shape(target) if not hasattr(target, "shape") else target.shape
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ValueError(f"the target must be a square matrix, received shape {tuple(shape)}")
    return shape[0]


def symmetric(target) -> np.ndarray:
    """Return the matrix as float64, checked to be square, finite and symmetric."""
    size_of(target)
    M = np.asarray(target, dtype=float)
    if not np.isfinite(M).all():
        raise ValueError("the target must be finite; got NaN or infinity in it.")
    gap = np.abs(M - M.T).max(initial=0.0)
    if gap > 1e-9 * np.abs(M).max(initial=0.0):
        raise ValueError(
            f"the target must be symmetric; M - M^T has an entry of {gap:.3g}. "
            "Pass (M + M.T) / 2 if that is what you mean."
        )
    return (M + M.T) / 2


def full(target) -> tuple[np.ndarray, np.ndarray]:
    """Return all eigenvalues, descending, and eigenvectors of a matrix or Target."""
    M = target.toarray() if hasattr(target, "toarray") else target
    values, vectors = np.linalg.eigh(symmetric(M))
    return values[::-1], vectors[:, ::-1]


def top(target, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k largest eigenvalues, descending, and their eigenvectors."""
    if hasattr(target, "eigenpairs"):
        return target.eigenpairs(k)
    M = symmetric(target)
    values, vectors = linalg.eigh(M, subset_by_index=(len(M) - k, len(M) - 1))
    return values[::-1], vectors[:, ::-1]


def frobenius_squared(target) -> float:
    """Return the sum of squares of all entries."""
    if hasattr(target, "frobenius_squared"):
        return float(target.frobenius_squared)
    return float(np.sum(np.square(np.asarray(target, float))))


def positive(target, dim: int | None) -> tuple[np.ndarray, np.ndarray, float]:
    """Top `dim` eigenpairs, all positive, and what is left of ||M*||_F^2 outside them."""
    size = size_of(target)
    plain = not hasattr(target, "eigenpairs")
    if dim is None and not plain:
        raise ValueError("dim, the number of modes, must be given with a Target.")
    if dim is not None and (int(dim) != dim or not 1 <= dim <= size):
        raise ValueError(f"dim must be an integer between 1 and V = {size}; got {dim}.")
    values, vectors = full(target) if plain else top(target, int(dim))
    positive = int(np.sum(values > 0))
    dim = positive if dim is None else int(dim)
    if dim > positive or positive == 0:
        raise ValueError(
            f"the target has {positive} positive eigenvalues, and only those are learned; "
            f"got dim = {dim}. Lower dim to {positive} or less."
        )
    outside = float(np.sum(values[dim:] ** 2))
    if not plain:
        outside = max(frobenius_squared(target) - float(np.sum(values[:dim] ** 2)), 0.0)
    return values[:dim], vectors[:, :dim], outside
