"""How inner loops are compiled: without Python's lock, and kept on disk for the next process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba

Function = Callable[..., Any]


def compiled(function: Function | None = None, **options: Any) -> Any:
    """Compile with numba, kept on disk where any folder can be written."""
    if function is None:
        return lambda function: compiled(function, **options)
    try:
        return numba.njit(nogil=True, cache=True, **options)(function)
    except RuntimeError:  # numba found no folder for its cache
        return numba.njit(nogil=True, **options)(function)


def inlined(function: Function) -> Any:
    """Compile into its callers: a call would cost more than what it does."""
    return numba.njit(inline="always")(function)
