"""Directions of vectors, at whatever scale they come."""

from __future__ import annotations

from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SAME = 1e-5  # of a vector's length, what rounding in float32 leaves


def normalized(matrix: NDArray[Any]) -> NDArray[np.floating[Any]]:
    """Return the rows divided by their lengths, read-only; a zero row stays zero."""
    rows = matrix.astype(np.promote_types(matrix.dtype, np.float32))
    # By the largest entry first, so that no square over- or underflows.
    largest = np.abs(rows).max(axis=1, keepdims=True)
    rows /= np.where(largest == 0, 1, largest)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(length == 0, 1, length)
    rows.flags.writeable = False
    return rows


def direction(query: NDArray[Any], dim: int) -> NDArray[np.float64]:
    """Return a vector (d,) divided by its length; ValueError where it has none."""
    if query.dtype.kind not in "fiu" or query.shape != (dim,):
        received = f"has shape {query.shape}" if query.dtype.kind in "fiu" else "is not of numbers"
        raise ValueError(
            f"The query {received}; a word, or {dim} finite numbers, shape ({dim},), is needed."
        )
    query = query.astype(np.float64)
    if not np.isfinite(query).all():
        raise ValueError(f"The query holds NaN or infinity; {dim} finite numbers are needed.")
    largest = np.abs(query).max()
    if largest == 0:
        raise ValueError("The query is the zero vector, which has no direction.")
    query /= largest
    unit: NDArray[np.float64] = np.divide(query, np.linalg.norm(query))
    return unit


def distinct(matrix: NDArray[Any], unit: NDArray[Any]) -> NDArray[np.bool_]:
    """Return whether each row, of this direction, is not zero and no other row's equal."""
    length = np.asarray(np.abs(matrix).max(axis=1), np.float64)
    # Equal rows fall side by side along any direction.
    along = unit @ np.random.default_rng(0).standard_normal((unit.shape[1],)).astype(unit.dtype)
    order = np.argsort(along, kind="stable")
    found: NDArray[np.bool_] = length > 0
    for step in range(1, min(4, len(order))):
        one, other = order[:-step], order[step:]
        near = np.abs(along[one] - along[other]) < _SAME
        near &= np.abs(length[one] - length[other]) <= _SAME * length[one]
        one, other = one[near], other[near]
        same = np.abs(unit[one] - unit[other]).max(axis=1, initial=0) < _SAME
        found[one[same]] = found[other[same]] = False
    return found


def read_only(matrix: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[np.floating[Any]]:
    """Return a read-only array that nobody can change: a copy, unless it already is one."""
    base: Any = matrix
    while isinstance(base, np.ndarray) and not base.flags.writeable:
        base = base.base
    native = dtype.newbyteorder("=")
    if base is not None and not isinstance(base, bytes) or matrix.dtype != native:
        matrix = np.array(matrix, native)
    matrix = matrix.view()
    matrix.flags.writeable = False
    return matrix


def terms(given: Any) -> list[Any]:
    """Return the words and vectors of one side of a query: one of them, or several."""
    if isinstance(given, str) or (isinstance(given, np.ndarray) and given.ndim < 2):
        return [given]
    terms = list(given)
    return [terms] if terms and all(isinstance(term, Real) for term in terms) else terms
