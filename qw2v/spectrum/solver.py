"""The top eigenpairs of a symmetric operator: LAPACK for a small one, block Lanczos for a large."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qw2v import _checks
from qw2v._environment import available_memory, progress_bar
from qw2v.spectrum import machines, products
from qw2v.spectrum.operators import (
    Array,
    MatrixLike,
    SparsePlusRankOne,
    Symmetric,
    as_symmetric,
)
from qw2v.spectrum.refine import refined

# Up to this V a whole spectrum is a matter of seconds: it is the default of the dynamics.
FULL = 2_000
_EXACT = 5_000  # up to this V arithmetic is float64, beyond it float32
_BLOCK = 32
_RESTARTS = 40
_OPPOSITE = 200  # Ritz vectors of the lowest eigenvalues, to refine with


def eigenpairs(
    matrix: MatrixLike, k: int, *, progress: bool = True, device: str = "auto"
) -> tuple[Array, Array]:
    """Return the k largest eigenvalues (k,), descending, with eigenvectors (V, k), of a matrix.

    LAPACK where the matrix is small or k is a large share of V, block Lanczos (float32 arithmetic
    past V = 5,000) otherwise. The entry of largest magnitude of each eigenvector is positive.

    Parameters
    ----------
    matrix : Symmetric or array
        A target, or a plain symmetric array.
    k : int
        How many pairs; all of their eigenvalues must be positive.
    progress : bool
        Show a bar where it takes longer than two seconds.
    device : {"auto", "cpu", "cuda"}
        Where a large matrix is multiplied. "auto" takes a GPU where PyTorch is loaded and finds
        one with room.

    Raises
    ------
    ValueError
        Where k is not in 1..V or reaches past the positive eigenvalues.
    ArithmeticError
        Where a residual |M v - lambda v| exceeds 1e-11 (float64) or 1e-6 (float32) of the largest
        eigenvalue in magnitude.
    MemoryError
        Where it would take more memory than there is, before it is taken.

    Examples
    --------
    >>> eigenpairs(np.diag([3.0, -5.0, 1.0]), 2)[0]
    array([3., 1.])
    """
    operator = as_symmetric(matrix)
    size = operator.shape[0]
    k = _checks.whole("k", k, 1, size, of="V")
    # A Krylov basis of 10 k or so must be worth its while.
    few = size > 1000 and 20 * k < size
    if few:
        values, vectors = block_lanczos(operator, k, progress=progress, device=device)
    if not few or values[-1] <= 0:
        machines.check_memory(3 * 8 * size**2, size)
        if k > (positive := positive_eigenvalues(operator)):
            raise ValueError(
                f"this matrix has {positive:,} positive eigenvalues, and only those can be "
                f"learned: ask for at most that many, received {k:,}"
            )
        table = operator.toarray()
        values, vectors = scipy.linalg.eigh(table, subset_by_index=[size - k, size - 1])
        values, vectors = values[::-1].copy(), vectors[:, ::-1].copy()
    return values, with_fixed_signs(vectors)


def learnable(
    matrix: MatrixLike, dim: int | None = None, *, progress: bool = True
) -> tuple[Array, Array]:
    """Return the top `dim` eigenpairs, all positive; by default every positive one.

    Raises
    ------
    ValueError
        Where fewer are positive, and past V = 2,000 for no `dim`.

    Examples
    --------
    >>> learnable(np.diag([3.0, -5.0, 1.0]))[0]
    array([3., 1.])
    """
    operator = as_symmetric(matrix)
    size = operator.shape[0]
    if dim is not None:
        dim = _checks.whole("dim", dim, 1, size, of="V")
        return operator.eigenpairs(dim, progress=progress)
    if size > FULL:
        raise ValueError(
            f"dim, the number of modes, must be given past V = {FULL:,}; received none at "
            f"V = {size:,}"
        )
    values, vectors = operator.all_eigenpairs()
    positive = int(np.sum(values > 0))
    if not positive:
        raise ValueError("the target has no positive eigenvalue, and only those are learned")
    return values[:positive], with_fixed_signs(vectors[:, :positive].copy())


def with_fixed_signs(vectors: Array) -> Array:
    """Turn each column (V, n) so that its entry of largest magnitude is positive, in place."""
    peak = np.abs(vectors).argmax(axis=0)
    vectors *= np.where(vectors[peak, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
    return vectors


def positive_eigenvalues(matrix: Symmetric) -> int:
    """Count them by Sylvester's law of inertia: an LDL^T costs a tenth of the eigenvalues.

    >>> positive_eigenvalues(as_symmetric(np.diag([3.0, -5.0, 1.0])))
    2
    """
    _, blocks, _ = scipy.linalg.ldl(matrix.toarray())
    pivots = np.diagonal(blocks), np.diagonal(blocks, -1)
    return int(np.sum(scipy.linalg.eigvalsh_tridiagonal(*pivots) > 0))


def block_lanczos(
    matrix: Symmetric,
    k: int,
    *,
    progress: bool = True,
    block: int = _BLOCK,
    columns: int | None = None,
    device: str = "auto",
) -> tuple[Array, Array]:
    """Grow one Krylov basis, fully orthogonalised, until the top k Ritz pairs have converged.

    The spectrum of M* is the hard case: a flat tail at lambda_k and a negative end that is larger
    than lambda_1. Subspace iteration and filters that fix an interval crawl there; a Krylov space
    serves both ends at once. Narrow blocks need fewer columns and wide ones multiply faster: at
    V = 10,000 and k = 200 blocks of 8, 16 and 32 need 1,500, 1,750 and 2,150 columns, which cost
    8.9, 5.0 and 3.4 ms of one core each. Half precision would be lost on lambda_k, which is 60
    times smaller than the largest eigenvalue in magnitude. A basis of `columns` that is full is
    restarted from its outermost Ritz vectors. Errors as in `eigenpairs`.
    """
    size = matrix.shape[0]
    dtype = np.dtype(np.float64 if size <= _EXACT else np.float32)
    tolerance = 1e-11 if dtype == np.float64 else 1e-6
    columns = (columns or _basis_columns(size, k, dtype)) // block * block
    with progress_bar(f"top {k} eigenpairs", "vector", progress=progress, leave=False) as bar:
        raw, image, radius, low = _converge(
            matrix, k, block, columns, dtype, tolerance, device, bar
        )
    vectors, product = raw.astype(np.float64), image.astype(np.float64)
    if low is not None and isinstance(matrix, SparsePlusRankOne):
        vectors, product = refined(matrix, vectors, *low)
    vectors, values, product = _rayleigh(vectors, product)
    residual = np.linalg.norm(product - vectors * values, axis=0).max()
    if residual > tolerance * radius:
        raise ArithmeticError(
            f"the eigenpairs did not converge: residual {residual:.2g} at a spectral radius of "
            f"{radius:.3g}, allowed {tolerance * radius:.2g}; ask for fewer than k = {k}"
        )
    return values, vectors


def _converge(
    matrix: Symmetric,
    k: int,
    block: int,
    columns: int,
    dtype: np.dtype[Any],
    tolerance: float,
    device: str,
    bar: Any,
) -> tuple[NDArray[Any], NDArray[Any], float, tuple[NDArray[Any], Array] | None]:
    """Return k Ritz vectors that have converged, M times them, and the spectral radius.

    And for `refined`, where float32 leaves more than a table of float32 does, the other end.
    """
    size = matrix.shape[0]
    with machines.machine(matrix, dtype, columns + block, device) as machine:
        small = np.zeros((columns, columns))  # M in the basis, its upper triangle
        machine.start(size, block)
        kept, check = 0, min(9 * k + block, columns)
        for attempt in range(_RESTARTS + 1):
            for low in range(kept, columns - block + 1, block):
                high = low + block
                # After a restart a block meets all that was kept.
                before = 0 if low == kept else low - block
                overlap, coupling = machine.extend(low, high, before)
                small[:high, low:high] = overlap
                bar.update(block)
                full = high + block > columns
                if high < check and not full:
                    continue
                values, turn = _ritz(small[:high, :high], k)
                # The ends of the spectrum, which set the scale of rounding, have long converged.
                ends = min(8 * block, high)
                radius = np.abs(scipy.linalg.eigvalsh(small[:ends, :ends], lower=False)).max()
                gap = np.linalg.norm(coupling @ turn[-block:], axis=0).max() / radius
                # A digit takes some 0.9 k columns at the end, more before.
                more = int(0.9 * k * np.log10(max(gap / (tolerance / 5), 1)))
                check = high + max(block, min(more, high // 4))
                if gap <= tolerance / 5 or full:
                    break
            if gap <= tolerance / 5 or high + block > size or attempt == _RESTARTS:
                break
            kept = _restart(machine, small, high, k, block)
            check = kept + max(block, more)
        vectors = machine.combine(turn)
        image = machine.numpy(machine.multiply(vectors))
        opposite: tuple[NDArray, Array] | None = None
        if dtype == np.float32 and products.is_sparse(matrix):
            ends, turn = scipy.linalg.eigh(
                small[:high, :high], lower=False, subset_by_index=[0, min(_OPPOSITE, high - k) - 1]
            )
            opposite = machine.numpy(machine.combine(turn)), ends
        return machine.numpy(vectors), image, float(radius), opposite


def _ritz(small: Array, k: int) -> tuple[Array, Array]:
    """Return the k largest eigenvalues, descending, and eigenvectors of an upper triangle."""
    size = len(small)
    values, turn = scipy.linalg.eigh(
        np.asfortranarray(small),  # the copy that LAPACK then works in
        lower=False,
        overwrite_a=True,
        subset_by_index=[size - k, size - 1],
        check_finite=False,
    )
    return values[::-1], turn[:, ::-1]


def _restart(machine: machines.Machine, small: Array, high: int, k: int, block: int) -> int:
    """Shrink a full basis to its outermost Ritz vectors, the top k among them; how many are left.

    Both ends are kept: the negative one, once forgotten, would have to be found anew.
    """
    values, turn = scipy.linalg.eigh(small[:high, :high], lower=False)
    keep = (k + high) // 2
    outer = np.argsort(-np.abs(values), kind="stable")
    top = outer >= high - k
    chosen = np.concatenate([outer[top], outer[~top][: keep - k]])
    chosen = chosen[np.argsort(-np.abs(values[chosen]), kind="stable")]
    machine.restart(turn[:, chosen], high, block)
    small[:] = 0
    small[np.arange(keep), np.arange(keep)] = values[chosen]
    return keep


def _rayleigh(vectors: Array, product: Array) -> tuple[Array, Array, Array]:
    """Vectors of length one, their Rayleigh quotients, descending, and M @ vectors, from both."""
    length = np.linalg.norm(vectors, axis=0)
    vectors, product = vectors / length, product / length
    values = np.sum(vectors * product, axis=0)
    order = np.argsort(-values, kind="stable")
    return vectors[:, order], values[order], product[:, order]


def _basis_columns(size: int, k: int, dtype: np.dtype[Any]) -> int:
    """How many columns a basis may have: 20 k, V, or what a quarter of the free memory holds."""
    free = available_memory()
    room = size if free is None else free // 4 // (size * dtype.itemsize)
    return min(size, max(20 * k, 1024), max(room, 3 * k))
