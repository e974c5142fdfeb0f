"""A digest of what an object holds, so that equal content is known again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def add_content(digest: Any, value: Any, depth: int) -> None:
    """Add the content of an attribute; what has none that can be read is left to `psi`."""
    if isinstance(value, np.ndarray) and value.dtype.kind != "O":
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif value is None or isinstance(
        value, bool | int | float | complex | str | bytes | np.generic
    ):
        digest.update(f"{type(value).__name__} {value!r};".encode())
    elif depth < 8 and isinstance(value, Mapping):
        for name in sorted(value, key=str):
            digest.update(f"{name}:".encode())
            add_content(digest, value[name], depth + 1)
    elif depth < 8 and isinstance(value, list | tuple):
        digest.update(f"{type(value).__name__} of {len(value)}".encode())
        for item in value:
            add_content(digest, item, depth + 1)
