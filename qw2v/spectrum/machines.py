"""Where a Krylov basis lies and is worked on: this computer's cores, or a GPU through PyTorch.

The algorithm asks for one step at a time (`extend`, `restart`, `combine`); what each does with the
arrays is written once here, in four operations that the two machines have of their own.
"""

from __future__ import annotations

import sys
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qw2v import _checks
from qw2v._environment import available_memory
from qw2v.spectrum import products
from qw2v.spectrum.operators import Array, SparsePlusRankOne, Symmetric

_LARGE = 20_000  # from this V on it is worth while to load PyTorch to look for a GPU
_ROWS, _COLUMNS = 2048, 256  # pieces of a basis: fixed, so that sums are the same on any machine


class Machine(ABC):
    """A symmetric table and a basis (V, columns) beside it."""

    @abstractmethod
    def multiply(self, block: Any) -> Any:
        """Return M @ block, (V, b)."""

    @abstractmethod
    def _get(self, low: int, high: int) -> Any:
        """Return columns of the basis."""

    @abstractmethod
    def _put(self, low: int, block: Any) -> None:
        """Write columns of the basis."""

    @abstractmethod
    def _inner(self, low: int, high: int, block: Any) -> Array:
        """Return basis[:, low:high]^T @ block."""

    @abstractmethod
    def _subtract(self, block: Any, low: int, high: int, weights: Array) -> None:
        """Subtract basis[:, low:high] @ weights from the block."""

    @abstractmethod
    def _gram(self, block: Any) -> Array:
        """Return block^T @ block, summed in float64."""

    @abstractmethod
    def _turned(self, block: Any, turn: Array) -> Any:
        """Return block @ turn."""

    @abstractmethod
    def _qr(self, block: Any) -> tuple[Any, Array]:
        """Return Q and R of a block by Householder's method."""

    @abstractmethod
    def combine(self, turn: Array) -> Any:
        """Return basis[:, :n] @ turn (n, m), as (V, m) of the machine's own kind."""

    @abstractmethod
    def _turn(self, turn: Array) -> None:
        """Replace the first m columns of the basis by its first n times turn (n, m)."""

    @abstractmethod
    def numpy(self, block: Any) -> NDArray[Any]:
        """Return a block as a NumPy array."""

    @abstractmethod
    def _from_numpy(self, block: NDArray[Any]) -> Any:
        """Return a NumPy array as one of this machine's."""

    def start(self, size: int, block: int) -> None:
        """Begin the basis with a random block, the same on every machine."""
        random = np.random.default_rng(0).standard_normal((size, block))
        self._put(0, self._orthonormal(self._from_numpy(random))[0])

    def extend(self, low: int, high: int, before: int) -> tuple[Array, Array]:
        """Multiply the last block of the basis, low..high, and append what is new in the product.

        Returns what the product has along the basis (high, b), and R (b, b), the factor of what is
        appended. In exact arithmetic a product meets the basis from `before` on alone, the two last
        blocks; once that is out, one pass over the whole basis removes what rounding left.
        """
        fresh = self.multiply(self._get(low, high))
        near = self._inner(before, high, fresh)
        self._subtract(fresh, before, high, near)
        overlap = self._inner(0, high, fresh)
        self._subtract(fresh, 0, high, overlap)
        overlap[before:] += near
        fresh, coupling = self._orthonormal(fresh)
        self._put(high, fresh)
        return overlap, coupling

    def restart(self, turn: Array, high: int, block: int) -> None:
        """Keep of the basis its first columns times turn (high, m), and the block that follows."""
        self._turn(turn)
        self._put(turn.shape[1], self._get(high, high + block))

    def _orthonormal(self, block: Any) -> tuple[Any, Array]:
        """Return Q (V, b) and R (b, b): Cholesky's way twice, in float64, where that is safe.

        It is all products of matrices, which threads share and a GPU likes.
        """
        whole = np.eye(block.shape[1])
        given = block
        for _ in range(2):
            gram = self._gram(block)
            try:
                factor = scipy.linalg.cholesky(gram)
            except (np.linalg.LinAlgError, ValueError):
                return self._qr(given)
            spread = np.diagonal(factor)
            if not spread.min() > 1e-6 * spread.max():  # the block has lost its rank
                return self._qr(given)
            inverse = scipy.linalg.solve_triangular(factor, np.eye(len(factor)))
            block, whole = self._turned(block, inverse), factor @ whole
        return block, whole


class Cores(Machine):
    """The cores of this computer, each on pieces of its own."""

    def __init__(
        self, matrix: Symmetric, dtype: np.dtype[Any], columns: int, run: products.Runner
    ) -> None:
        size = matrix.shape[0]
        self._table, self._run, self._dtype = products.table(matrix, dtype, run), run, dtype
        # By columns; the pages of an empty array are taken as they are written to.
        self._basis = np.empty((size, columns), dtype, order="F")
        self._rows = [*range(0, size, _ROWS), size]

    def multiply(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return M @ block, (V, b)."""
        return self._table.multiply(block)

    def _get(self, low: int, high: int) -> NDArray[Any]:
        return self._basis[:, low:high]

    def _put(self, low: int, block: NDArray[Any]) -> None:
        self._basis[:, low : low + block.shape[1]] = block

    def _inner(self, low: int, high: int, block: NDArray[Any]) -> Array:
        found = np.empty((high - low, block.shape[1]))

        def piece(first: int) -> None:
            last = min(first + _COLUMNS, high)
            found[first - low : last - low] = self._basis[:, first:last].T @ block

        self._run(piece, range(low, high, _COLUMNS))
        return found

    def _subtract(self, block: NDArray[Any], low: int, high: int, weights: Array) -> None:
        weights = weights.astype(self._dtype)

        def piece(number: int) -> None:
            rows = slice(self._rows[number], self._rows[number + 1])
            block[rows] -= self._basis[rows, low:high] @ weights

        self._run(piece, range(len(self._rows) - 1))

    def _gram(self, block: NDArray[Any]) -> Array:
        parts = [np.empty(0)] * (len(self._rows) - 1)

        def piece(number: int) -> None:
            rows = block[self._rows[number] : self._rows[number + 1]].astype(np.float64)
            parts[number] = rows.T @ rows

        self._run(piece, range(len(parts)))
        return sum(parts[1:], parts[0])

    def _turned(self, block: NDArray[Any], turn: Array) -> NDArray[Any]:
        turned = np.empty((len(block), turn.shape[1]), self._dtype)

        def piece(number: int) -> None:
            rows = slice(self._rows[number], self._rows[number + 1])
            turned[rows] = block[rows] @ turn  # float64, then rounded

        self._run(piece, range(len(self._rows) - 1))
        return turned

    def _qr(self, block: NDArray[Any]) -> tuple[NDArray[Any], Array]:
        return np.linalg.qr(block.astype(self._dtype))

    def combine(self, turn: Array) -> NDArray[Any]:
        """Return basis[:, :n] @ turn (n, m), as (V, m)."""
        made = np.empty((len(self._basis), turn.shape[1]), self._dtype)
        turn = turn.astype(self._dtype)

        def piece(number: int) -> None:
            rows = slice(self._rows[number], self._rows[number + 1])
            made[rows] = self._basis[rows, : len(turn)] @ turn

        self._run(piece, range(len(self._rows) - 1))
        return made

    def _turn(self, turn: Array) -> None:
        turn = turn.astype(self._dtype)

        def piece(number: int) -> None:
            rows = slice(self._rows[number], self._rows[number + 1])
            self._basis[rows, : turn.shape[1]] = self._basis[rows, : len(turn)] @ turn

        self._run(piece, range(len(self._rows) - 1))

    def numpy(self, block: NDArray[Any]) -> NDArray[Any]:
        """Return a block as it is."""
        return block

    def _from_numpy(self, block: NDArray[Any]) -> NDArray[Any]:
        return block.astype(self._dtype)


class Torch(Machine):
    """A device of PyTorch's: a GPU, or for tests its own view of the processor."""

    def __init__(self, matrix: Symmetric, dtype: np.dtype[Any], columns: int, device: str) -> None:
        import torch

        self._torch, self._device = torch, torch.device(device)
        self._dtype = torch.float64 if dtype == np.float64 else torch.float32
        size = matrix.shape[0]
        self._sparse = products.is_sparse(matrix)
        if self._sparse and isinstance(matrix, SparsePlusRankOne):
            rows = matrix.sparse
            index = torch.int32 if rows.nnz < 2**31 else torch.int64
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", message="Sparse")  # that these are in beta state
                self._table = torch.sparse_csr_tensor(
                    torch.as_tensor(rows.indptr).to(index),
                    torch.as_tensor(rows.indices).to(index),
                    torch.as_tensor(rows.data).to(self._dtype),
                    size=rows.shape,
                    device=self._device,
                    check_invariants=False,
                )
            self._constant = matrix.constant
            self._scale = torch.as_tensor(matrix.scale).to(self._device, torch.float64)
        else:
            self._table = torch.empty((size, size), dtype=self._dtype, device=self._device)
            for low in range(0, size, _ROWS):
                high = min(low + _ROWS, size)
                self._table[low:high] = torch.as_tensor(matrix.rows(low, high, dtype))
        self._basis = torch.empty((columns, size), dtype=self._dtype, device=self._device)

    def multiply(self, block: Any) -> Any:
        """Return M @ block, (V, b)."""
        product = self._table @ block.contiguous()
        if self._sparse:
            total = self._scale @ block.double()
            along = (self._constant * total).to(self._dtype)
            product += self._torch.outer(self._scale.to(self._dtype), along)
        return product

    def _get(self, low: int, high: int) -> Any:
        return self._basis[low:high].T

    def _put(self, low: int, block: Any) -> None:
        self._basis[low : low + block.shape[1]] = block.T

    def _inner(self, low: int, high: int, block: Any) -> Array:
        return self.numpy((self._basis[low:high] @ block).double())

    def _subtract(self, block: Any, low: int, high: int, weights: Array) -> None:
        block -= self._basis[low:high].T @ self._from_numpy(weights)

    def _gram(self, block: Any) -> Array:
        block = block.double()
        return self.numpy(block.T @ block)

    def _turned(self, block: Any, turn: Array) -> Any:
        weights = self._torch.as_tensor(turn, device=self._device)
        return (block.double() @ weights).to(self._dtype)

    def _qr(self, block: Any) -> tuple[Any, Array]:
        orthonormal, factor = self._torch.linalg.qr(block)
        return orthonormal, self.numpy(factor.double())

    def combine(self, turn: Array) -> Any:
        """Return basis[:, :n] @ turn (n, m), as (V, m)."""
        return self._basis[: len(turn)].T @ self._from_numpy(turn)

    def _turn(self, turn: Array) -> None:
        self._basis[: turn.shape[1]] = self._from_numpy(turn).T @ self._basis[: len(turn)]

    def numpy(self, block: Any) -> NDArray[Any]:
        """Return a tensor as a NumPy array."""
        return block.cpu().numpy()

    def _from_numpy(self, block: NDArray[Any]) -> Any:
        return self._torch.as_tensor(np.ascontiguousarray(block)).to(self._device, self._dtype)


@contextmanager
def machine(
    matrix: Symmetric, dtype: np.dtype[Any], columns: int, device: str
) -> Iterator[Machine]:
    """Give the machine to solve on; what "auto" takes, `spectrum.eigenpairs` says.

    Raises MemoryError, before any is taken, where the table and the basis have no room.
    """
    _checks.choice("device", device, ["auto", "cpu", "cuda", "torch"])
    size = matrix.shape[0]
    need = products.table_bytes(matrix, dtype) + columns * size * dtype.itemsize
    if device in ("cuda", "torch") or (device == "auto" and _gpu_has(need, size)):
        yield Torch(matrix, dtype, columns, "cpu" if device == "torch" else "cuda")
        return
    check_memory(need, size)
    with products.workers() as run:
        yield Cores(matrix, dtype, columns, run)


def check_memory(need: int, size: int) -> None:
    """Raise MemoryError where `need` bytes are not free, with what can be done about it."""
    free = available_memory()
    if free is not None and need > free:
        raise MemoryError(
            f"eigenpairs at V = {size:,} need about {need / 2**30:.1f} GiB, and "
            f"{free / 2**30:.1f} are free: ask for fewer pairs, restrict() the statistics to fewer "
            "words, or close other programs"
        )


def _gpu_has(need: int, size: int) -> bool:
    """Return whether PyTorch finds a GPU with room for twice what is needed."""
    if size < _LARGE and "torch" not in sys.modules:
        return False
    try:
        import torch
    except ImportError:
        return False
    return torch.cuda.is_available() and torch.cuda.mem_get_info()[0] > 2 * need
