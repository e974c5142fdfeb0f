"""What the package asks of its arguments: the same checks and the same words everywhere.

A message says which argument is wrong, what is allowed, and what was received. NumPy's numbers are
taken wherever Python's are, and come back as Python's.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

_TOLERANCE = 1e-6  # of the largest entry: a symmetric table computed in float32 passes


def shown(value: Any) -> str:
    """Return how an error message shows a value: an array by its shape, the rest in short.

    >>> shown(np.float64(3)), shown(np.zeros((2, 3))), shown("x" * 100)
    ('3.0', 'an array of shape (2, 3)', "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'")
    """
    if isinstance(value, np.ndarray) and value.ndim or sparse.issparse(value):
        return f"an array of shape {value.shape}"
    if isinstance(value, np.generic):
        value = value.item()
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:37]}...{text[-1]}"


def whole(name: str, value: Any, least: int = 1, most: int | None = None, *, of: str = "") -> int:
    """Return a whole number between `least` and `most` as a Python int.

    Parameters
    ----------
    name : str
        What the caller calls it.
    value : int or numpy integer
        The number; True and False are none.
    least, most : int
        What is allowed, both included; no upper bound by default.
    of : str
        What `most` is: "the words there are".

    Raises
    ------
    ValueError
        If it is anything else.

    Examples
    --------
    >>> whole("window", np.int64(5))
    5
    >>> whole("dim", 2.5, most=10, of="the number of words")
    Traceback (most recent call last):
    ValueError: dim must be a whole number between 1 and 10, the number of words; received 2.5
    """
    try:
        number = None if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least or (most is not None and number > most):
        bounds = f"of at least {least:,}" if most is None else f"between {least:,} and {most:,}"
        raise ValueError(
            f"{name} must be a whole number {bounds}{', ' * bool(of)}{of}; received {shown(value)}"
        )
    return number


def choice(name: str, value: Any, allowed: Iterable[str]) -> str:
    """Return the value where it is one of those allowed; ValueError lists them otherwise.

    >>> choice("kind", "MStar", ["mstar", "pmi"])
    Traceback (most recent call last):
    ValueError: kind must be one of 'mstar', 'pmi'; received 'MStar'
    """
    allowed = list(allowed)
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(
            f"{name} must be one of {', '.join(map(repr, allowed))}; received {shown(value)}"
        )
    return value


def positive(name: str, value: Any, *, zero: bool = False) -> float:
    """Return one positive finite number as a Python float; zero=True takes zero too.

    >>> positive("lr", np.float32(0.5)), positive("time", 0, zero=True)
    (0.5, 0.0)
    >>> positive("lr", float("nan"))
    Traceback (most recent call last):
    ValueError: lr must be a positive finite number; received nan
    """
    number = _number(value)
    if not math.isfinite(number) or number < 0 or (number == 0 and not zero):
        kind = "finite number of at least 0" if zero else "positive finite number"
        raise ValueError(f"{name} must be a {kind}; received {shown(value)}")
    return number


def share(name: str, value: Any) -> float:
    """Return a number from 0 to 1, both included.

    >>> share("momentum", 1.5)
    Traceback (most recent call last):
    ValueError: momentum must be a number between 0 and 1; received 1.5
    """
    number = _number(value)
    if not 0 <= number <= 1:
        raise ValueError(f"{name} must be a number between 0 and 1; received {shown(value)}")
    return number


def finite(name: str, values: ArrayLike) -> NDArray[Any]:
    """Return an array of finite numbers; ValueError says where the first other one is.

    >>> finite("W0", [[1.0, float("inf")]])
    Traceback (most recent call last):
    ValueError: W0 must be finite; received inf at (0, 1)
    """
    try:
        array = np.asarray(values)
        if array.dtype.kind not in "iufb":
            raise TypeError
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be an array of numbers; received {shown(values)}") from None
    # A sum is finite where every number is, unless it overflows: one pass, no mask.
    with np.errstate(over="ignore", invalid="ignore"):
        suspect = array.dtype.kind == "f" and not np.isfinite(array.sum())
    if suspect and not (good := np.isfinite(array)).all():
        place = tuple(int(i) for i in np.argwhere(~good)[0])
        at = f" at {place}" if place else ""
        raise ValueError(f"{name} must be finite; received {array[place]}{at}")
    return array


def positive_each(name: str, values: ArrayLike, size: int, *, of: str = "word") -> NDArray[Any]:
    """Return `size` positive finite numbers as a float64 array (size,).

    >>> positive_each("g", [1.0, 0.0], 2)
    Traceback (most recent call last):
    ValueError: g must be 2 positive finite numbers, one a word; received 0.0 at (1,)
    """
    array = np.asarray(values)
    wanted = f"{name} must be {size:,} positive finite numbers, one a {of}"
    if array.shape != (size,) or array.dtype.kind not in "iuf":
        raise ValueError(f"{wanted}; received {shown(values)}")
    wrong = np.flatnonzero(~(np.isfinite(array) & (array > 0)))
    if wrong.size:
        raise ValueError(f"{wanted}; received {array[wrong[0]]} at ({wrong[0]},)")
    return array.astype(np.float64)


def symmetric(name: str, matrix: Any) -> NDArray[Any] | sparse.csr_array:
    """Return a square, finite, symmetric table, dense or sparse, as it came.

    Entries may differ from their mirror images by 1e-6 of the largest, as rounding makes them.

    >>> symmetric("the target", [[1.0, 2.0], [3.0, 1.0]])
    Traceback (most recent call last):
    ValueError: the target must be symmetric; received 2.0 at (0, 1) and 3.0 at (1, 0)
    """
    table = sparse.csr_array(matrix) if sparse.issparse(matrix) else np.asarray(matrix)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or table.shape[0] == 0:
        raise ValueError(f"{name} must be a square table; received shape {table.shape}")
    entries = finite(name, table.data if sparse.issparse(table) else table)
    allowed = _TOLERANCE * max(-float(entries.min(initial=0)), float(entries.max(initial=0)))
    step = max(1, 2**22 // table.shape[0])  # in stripes: no second table is held
    for low in range(0, table.shape[0], step):
        stripe, mirror = table[low : low + step], table[:, low : low + step].T
        apart = abs(stripe - mirror)
        if apart.max() > allowed:
            if sparse.issparse(apart):
                apart = apart.toarray()
            row, column = (int(i) for i in np.unravel_index(np.argmax(apart), apart.shape))
            row += low
            raise ValueError(
                f"{name} must be symmetric; received {table[row, column]} at ({row}, {column}) "
                f"and {table[column, row]} at ({column}, {row})"
            )
    return table


def _number(value: Any) -> float:
    """Return a real number as a float, NaN for what is none."""
    if isinstance(value, bool | np.bool_ | str | bytes) or np.ndim(value) != 0:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan
