"""Symmetric matrices as operators: what can be asked of any of them, formed or not."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Self, TypeAlias

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, DTypeLike, NDArray
from scipy.sparse.linalg import LinearOperator

from qw2v import _checks

Array = NDArray[np.float64]
MatrixLike: TypeAlias = "Symmetric | ArrayLike"
"""A symmetric operator, or an array that `as_symmetric` makes one of."""

_STRIPE = 2**22  # entries of the rows that are formed at once
_COPY_BYTES = 2**30
RUN = 2**18  # entries of a sparse matrix


class Symmetric(LinearOperator):
    """A real symmetric matrix (V, V), as a linear operator of scipy's.

    `M @ x` takes (V,) or (V, n). What is written for one, an eigenvalue solver or a closed form,
    takes every other: a target, or an array that `as_symmetric` has checked and wrapped.
    `fingerprint` names its content, where it has one, so that results can be kept.
    """

    fingerprint: str | None = None

    def __init__(self, size: int, dtype: DTypeLike = np.float64) -> None:
        super().__init__(np.dtype(dtype), (size, size))

    @abstractmethod
    def rows(self, low: int, high: int, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Return the dense rows low .. high - 1, (high - low, V)."""

    @abstractmethod
    def __neg__(self) -> Symmetric:
        """Return -M."""

    def _matvec(self, x: NDArray[Any]) -> NDArray[Any]:
        return self._matmat(np.reshape(x, (-1, 1))).ravel()

    def _adjoint(self) -> Self:
        return self

    _transpose = _adjoint

    def toarray(self, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Return the whole matrix (V, V): 800 MB at V = 10,000 in float64."""
        return self.rows(0, self.shape[0], dtype)

    def prepared(self) -> NDArray[Any] | Symmetric:
        """Return what `@` takes least time with: a dense copy up to 1 GiB, else the operator.

        The copy is float32 past V = 5,000.
        """
        size = self.shape[0]
        if 4 * size**2 > _COPY_BYTES:
            return self
        return self.toarray(np.float64 if size <= 5_000 else np.float32)

    @cached_property
    def frobenius_squared(self) -> float:
        """Return the sum of the squares of all V x V entries."""
        return float(sum(np.sum(stripe**2) for stripe in self._stripes()))

    @cached_property
    def trace(self) -> float:
        """Return the sum of the diagonal, which is the sum of all eigenvalues."""
        diagonals, low = 0.0, 0
        for stripe in self._stripes():
            diagonals += np.trace(stripe, low)
            low += len(stripe)
        return float(diagonals)

    def _stripes(self) -> Iterator[Array]:
        step = max(1, _STRIPE // self.shape[0])
        for low in range(0, self.shape[0], step):
            yield self.rows(low, min(low + step, self.shape[0]))

    def eigenpairs(
        self, k: int, *, cache: bool = True, progress: bool = True, device: str = "auto"
    ) -> tuple[Array, Array]:
        """Return the k largest eigenvalues (k,), descending, and their eigenvectors (V, k).

        Computed once where the matrix has a fingerprint, as a target has: the pairs are kept in
        $QW2V_CACHE, or the user's cache. What is read back is checked against this matrix, and a
        cache that fails only warns.

        Parameters
        ----------
        k : int
            How many pairs; all of their eigenvalues must be positive.
        cache : bool
            Whether to look for kept pairs and to keep them.
        progress, device
            As `spectrum.eigenpairs` takes them, and it raises what that raises.

        Examples
        --------
        >>> as_symmetric(np.diag([3.0, -5.0, 1.0])).eigenpairs(2)[0]
        array([3., 1.])
        """
        from qw2v.spectrum.cache import cache_file, read_pairs, write_pairs
        from qw2v.spectrum.solver import eigenpairs

        file = cache_file(self) if cache else None
        if file is not None and (kept := read_pairs(file, self, k)) is not None:
            return kept
        pairs = eigenpairs(self, k, progress=progress, device=device)
        if file is not None:
            write_pairs(file, *pairs)
        return pairs

    def all_eigenpairs(self) -> tuple[Array, Array]:
        """Return all V eigenvalues, descending, and their eigenvectors (V, V), by LAPACK."""
        values, vectors = np.linalg.eigh(self.toarray())
        return values[::-1], vectors[:, ::-1]


class Dense(Symmetric):
    """A symmetric array (V, V) of float64 as an operator; made by `as_symmetric`."""

    def __init__(self, array: Array) -> None:
        super().__init__(len(array))
        self._array = array

    def _matmat(self, x: NDArray[Any]) -> NDArray[Any]:
        return self._array @ x

    def __neg__(self) -> Dense:
        return Dense(-self._array)

    def rows(self, low: int, high: int, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Return the dense rows low .. high - 1, (high - low, V)."""
        return self._array[low:high].astype(dtype)

    def prepared(self) -> NDArray[Any] | Symmetric:
        """Return the array."""
        return self._array


class SparsePlusRankOne(Symmetric):
    """A symmetric matrix held as sparse + constant * scale scale^T.

    Parameters
    ----------
    sparse : scipy.sparse.csr_array
        (V, V), symmetric.
    constant : float
        What stands, times the scales, where `sparse` holds nothing.
    scale : array
        (V,).
    """

    def __init__(self, sparse: scipy.sparse.csr_array, constant: float, scale: Array) -> None:
        super().__init__(sparse.shape[0], sparse.dtype)
        self.sparse, self.constant, self.scale = sparse, float(constant), np.asarray(scale)

    def _matmat(self, x: NDArray[Any]) -> NDArray[Any]:
        scale = self.scale.astype(x.dtype) if x.dtype.kind == "f" else self.scale
        return self.sparse @ x + np.multiply.outer(scale, self.constant * (scale @ x))

    def __neg__(self) -> SparsePlusRankOne:
        return SparsePlusRankOne(-self.sparse, -self.constant, self.scale)

    def rows(self, low: int, high: int, dtype: DTypeLike = np.float64) -> NDArray[Any]:
        """Return the dense rows low .. high - 1, (high - low, V)."""
        start, stop = self.sparse.indptr[[low, high]]
        own = scipy.sparse.csr_array(
            (
                self.sparse.data[start:stop].astype(dtype),
                self.sparse.indices[start:stop],
                self.sparse.indptr[low : high + 1] - start,
            ),
            shape=(high - low, self.shape[1]),
        ).toarray()
        scale = self.scale.astype(dtype)
        own += np.multiply.outer(scale[low:high] * own.dtype.type(self.constant), scale)
        return own

    @cached_property
    def frobenius_squared(self) -> float:
        """Return the sum of the squares of all V x V entries, without forming them."""
        square = self.scale**2
        total = self.constant**2 * square.sum() ** 2  # as if the constant stood everywhere
        for part, rows, columns in runs(self.sparse):
            constants = self.constant * self.scale[rows] * self.scale[columns]
            total += np.sum((constants + self.sparse.data[part]) ** 2 - constants**2)
        return float(total)

    @cached_property
    def trace(self) -> float:
        """Return the sum of the diagonal, which is the sum of all eigenvalues."""
        return float(self.sparse.diagonal().sum() + self.constant * np.sum(self.scale**2))


def runs(
    matrix: scipy.sparse.csr_array,
) -> Iterator[tuple[slice, NDArray[np.integer], NDArray[np.integer]]]:
    """Yield the entries in runs that fit the processor's cache: where, their rows, columns."""
    for low in range(0, matrix.nnz, RUN):
        yield run_from(matrix, low)


def run_from(
    matrix: scipy.sparse.csr_array, low: int
) -> tuple[slice, NDArray[np.integer], NDArray[np.integer]]:
    """Return the run of entries that begins with this one: where, their rows, columns."""
    part = slice(low, min(low + RUN, matrix.nnz))
    first, last = np.searchsorted(matrix.indptr, [part.start, part.stop - 1], side="right") - 1
    bounds = np.clip(matrix.indptr[first : last + 2], part.start, part.stop)
    return part, np.repeat(np.arange(first, last + 1), np.diff(bounds)), matrix.indices[part]


def as_symmetric(matrix: MatrixLike, name: str = "the target") -> Symmetric:
    """Return an operator as it is, and a plain array checked and wrapped: the one door.

    Raises
    ------
    ValueError
        Where an array is not square, finite and symmetric, within 1e-6 of its largest entry.

    Examples
    --------
    >>> as_symmetric([[2.0, 1.0], [1.0, 2.0]]) @ np.array([1.0, 0.0])
    array([2., 1.])
    """
    if isinstance(matrix, Symmetric):
        return matrix
    if scipy.sparse.issparse(matrix):
        table = scipy.sparse.csr_array(_checks.symmetric(name, matrix), dtype=np.float64)
        table.sum_duplicates()
        return SparsePlusRankOne(table, 0.0, np.zeros(table.shape[0]))
    table = np.asarray(_checks.symmetric(name, matrix), dtype=np.float64)
    return Dense((table + table.T) / 2)
