"""Arrays on their way to a page: typed, deflated, written as text, or rounded to few bits."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

CODES = {"i1": "Int8", "u1": "Uint8", "i2": "Int16", "u2": "Uint16", "i4": "Int32", "u4": "Uint32"}
CODES |= {"f4": "Float32", "f8": "Float64"}


def pack(arrays: Mapping[str, NDArray]) -> tuple[dict[str, Any], bytes]:
    """Return the layout {name: [kind, byte offset, shape]} and the deflated bytes of arrays.

    Little-endian, each array aligned to its items. Raises TypeError for a type that has no typed
    array in JavaScript, such as int64.

    >>> pack({"a": np.array([1, 2], np.uint8), "b": np.array([[0.5]], np.float32)})[0]
    {'a': ['Uint8', 0, [2]], 'b': ['Float32', 4, [1, 1]]}
    """
    layout, blob = {}, bytearray()
    for name, array in arrays.items():
        kind = CODES.get(array.dtype.str[1:])
        if kind is None:
            raise TypeError(
                f"array {name!r} is {array.dtype}; allowed are {', '.join(CODES)}: convert it first"
            )
        blob += b"\0" * (-len(blob) % array.itemsize)  # typed arrays start at whole items
        layout[name] = [kind, len(blob), list(array.shape)]
        blob += np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes()
    return layout, zlib.compress(bytes(blob), 9)


# Printable, and no letter that a script of JSON would have to escape.
DIGITS = "".join(chr(code) for code in range(35, 122) if chr(code) not in "<\\")


def base85(data: bytes) -> str:
    """Return bytes as text, five letters for four bytes: 6% shorter than base64.

    First come the 85 digits by value, then the number of bytes that fill up the last group.

    >>> base85(b"sum") == DIGITS + "1I,4@$"
    True
    """
    missing = -len(data) % 4
    words = np.frombuffer(data + b"\0" * missing, ">u4").astype(np.uint32)
    places = words[:, None] // 85 ** np.arange(4, -1, -1, dtype=np.uint32) % 85
    return DIGITS + str(missing) + "".join(np.array(list(DIGITS))[places.ravel()])


def quantised(array: NDArray, dtype: Any = np.int16) -> tuple[NDArray, NDArray[np.float64]]:
    """Return integers and a step per column, (n, d) and (d,): array = integers * step, rounded.

    The largest magnitude of each column takes the largest integer, so that no entry moves by more
    than half a step. A vector gives a step of shape ().

    >>> quantised(np.array([[1.0, 20.0], [-0.5, 10.0]]), np.int8)[0].tolist()
    [[127, 127], [-64, 64]]
    """
    step = np.maximum(np.abs(array).max(axis=0), 1e-300) / np.iinfo(dtype).max
    return np.rint(array / step).astype(dtype), step
