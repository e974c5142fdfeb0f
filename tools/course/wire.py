"""What passes between the grader and a submission's process: plain data, and nothing that runs.

Values travel as JSON, arrays inside it as base64 of their bytes. Nothing is ever unpickled: the
process of a submission may send whatever it likes, and the worst it can send is a wrong answer.
"""

import base64
import json
import os
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

LARGEST = 256 * 2**20  # bytes of one message
KINDS = "biufcU"  # of arrays: booleans, numbers, text; never objects


class WireError(Exception):
    """What arrived is no message: too long, cut short, or not of the known kinds."""


@dataclass(frozen=True)
class Opaque:
    """A value that is not plain data; all that travels is the name of its type."""

    type_name: str


@dataclass(frozen=True)
class Function:
    """A callable that stays where it is; it can be asked for, and called, by its name."""

    name: str


def pack(value: Any, name: str = "") -> Any:
    """Return `value` as something that JSON can hold; `name` is that of a function."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float) and not isinstance(value, np.generic):
        return {"float": repr(float(value))}
    if isinstance(value, Function):
        return {"function": value.name}
    if isinstance(value, list):
        return [pack(item) for item in value]
    if isinstance(value, tuple | set | frozenset):
        kind = "tuple" if isinstance(value, tuple) else "set"
        return {kind: [pack(item) for item in value]}
    if isinstance(value, dict):
        return {"dict": [[pack(key), pack(item)] for key, item in value.items()]}
    if isinstance(value, np.ndarray | np.generic):
        return _pack_array(np.asarray(value), scalar=isinstance(value, np.generic))
    return _pack_known(value, name)


def _pack_array(array: np.ndarray, scalar: bool = False) -> Any:
    if array.dtype.kind == "O" and array.size < 1e5:
        return pack(array.tolist())
    if array.dtype.kind not in KINDS:
        return {"opaque": f"array of {array.dtype}"}
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")
    return {"array": [array.dtype.str, list(array.shape), data, scalar]}


def _pack_known(value: Any, name: str) -> Any:
    """Pack what numpy's friends return; anything else stays where it is."""
    kind = type(value).__name__
    if sparse.issparse(value):
        rows = sparse.csr_array(value)
        parts = [pack(np.asarray(part)) for part in (rows.data, rows.indices, rows.indptr)]
        return {"sparse": [parts, list(rows.shape)]}
    if kind == "CorpusStatistics":
        keep = "words word_counts pair_counts window window_weights out_of_vocabulary"
        keep += " n_documents n_tokens"
        return {"statistics": {field: pack(getattr(value, field)) for field in keep.split()}}
    if kind == "WordVectors":
        return {"vectors": [pack(list(value.words)), pack(np.asarray(value.matrix))]}
    if kind == "DataFrame":
        return {"frame": [pack(value.to_numpy()), pack(list(value.index)), pack(list(value))]}
    for convert in ("to_numpy", "numpy", "toarray"):  # pandas, torch, a Target
        if hasattr(value, convert) and hasattr(value, "shape"):
            return _pack_array(np.asarray(getattr(value, convert)()))
    if callable(value) and name:
        return {"function": name}
    return {"opaque": kind}


def unpack(value: Any) -> Any:
    """Return what `pack` was given, or raise WireError."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if not isinstance(value, dict) or len(value) != 1:
        raise WireError("a value of no known kind")
    (kind, held), *_ = value.items()
    try:
        return _UNPACK[kind](held)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise WireError(f"a broken value of kind {kind!r}") from error


def _array(held: Any) -> Any:
    dtype, shape, data, scalar = held
    if np.dtype(dtype).kind not in KINDS:
        raise WireError(f"an array of {dtype}")
    array = np.frombuffer(base64.b64decode(data), np.dtype(dtype)).reshape(shape).copy()
    return array[()] if scalar else array


def _sparse(held: Any) -> Any:
    parts, shape = held
    return sparse.csr_array(tuple(unpack(part) for part in parts), shape=tuple(shape))


def _statistics(held: Any) -> Any:
    from qw2v import CorpusStatistics

    return CorpusStatistics(**{field: unpack(item) for field, item in held.items()})


def _vectors(held: Any) -> Any:
    from qw2v import WordVectors

    return WordVectors(unpack(held[0]), unpack(held[1]))


def _frame(held: Any) -> Any:
    import pandas as pd

    data, index, columns = (unpack(part) for part in held)
    return pd.DataFrame(data, index=index, columns=columns)


_UNPACK = {
    "float": float,
    "function": Function,
    "opaque": Opaque,
    "tuple": lambda held: tuple(unpack(item) for item in held),
    "set": lambda held: {unpack(item) for item in held},
    "dict": lambda held: {unpack(key): unpack(item) for key, item in held},
    "array": _array,
    "sparse": _sparse,
    "statistics": _statistics,
    "vectors": _vectors,
    "frame": _frame,
}


def send(descriptor: int, message: dict[str, Any]) -> None:
    """Write one message, its length first."""
    data = json.dumps(message).encode()
    data = struct.pack("<Q", len(data)) + data
    while data:
        data = data[os.write(descriptor, data) :]


def receive(read: Any) -> dict[str, Any]:
    """Read one message through `read(n)`, which returns exactly n bytes."""
    (length,) = struct.unpack("<Q", read(8))
    if length > LARGEST:
        raise WireError(f"a message of {length:,} bytes; at most {LARGEST:,} are taken")
    try:
        message = json.loads(read(length))
    except (ValueError, RecursionError) as error:
        raise WireError("a message that is not JSON") from error
    if not isinstance(message, dict):
        raise WireError("a message that is not an object")
    return message
