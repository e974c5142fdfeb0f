"""Damage and forgery: bytes changed at random, and files rebuilt around changed parts.

A case is a number: the same seed and case give the same bytes, so that a finding is one line.
"""

import io
import json
import random
import warnings
import zipfile

import numpy as np

# Numbers and texts at which readers trip.
EDGES = [0, 1, -1, 2, 7, 8, 127, 128, 255, 256, 2**15, 2**16, 2**31 - 1, 2**31, 2**32, 2**62]
EDGES += [2**63 - 1, -(2**31), -(2**63), 10**30, True, None, 0.5, -0.0, 1e308, float("nan")]
TOKENS = [
    b"",
    b"\0",
    b"\n",
    b"\r\n",
    b" ",
    b"\t",
    b",",
    b";",
    b'"',
    b"nan",
    b"inf",
    b"-1",
    b"1e999",
]
TOKENS += [
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"[" * 2000,
    b"{" * 2000,
]
TOKENS += [b"99999999999999999999", b"1_0", b"0x10", b"\x1f\x8b", b"BZh9", b"\xfd7zXZ\0", b"PK\3\4"]
TOKENS += [b"\x28\xb5\x2f\xfd", b"\x93NUMPY", b"\xf0\x9f\x98\x80", b"<doc>", b": category\n"]


def bytes_changed(random: random.Random, data: bytes) -> bytes:
    """Return the bytes with a few changes: flips, cuts, repeats, insertions."""
    data = bytearray(data)
    for _ in range(random.choice([1, 1, 1, 2, 4, 16])):
        at = random.randrange(len(data) + 1)
        length = random.choice([1, 1, 2, 4, 8, 64])
        kind = random.randrange(7)
        if kind == 0 and data:
            data[at % len(data)] ^= 1 << random.randrange(8)
        elif kind == 1 and data:
            data[at % len(data)] = random.randrange(256)
        elif kind == 2:
            del data[at:]
        elif kind == 3:
            del data[at : at + length]
        elif kind == 4:
            data[at:at] = random.choice(TOKENS)
        elif kind == 5:
            data[at:at] = data[at : at + length] * random.choice([1, 2, 50])
        else:
            data[at : at + length] = random.randbytes(length)
    return bytes(data)


def json_changed(random: random.Random, value, depth: int = 0):
    """Return a JSON value with one part exchanged for something else."""
    other = random.choice([*EDGES, "", "linear", "\ud800", [], {}, ["a"], {"a": 1}, "x" * 500])
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        kind = random.randrange(5)
        if kind == 0:
            return {name: part for name, part in value.items() if name != key}
        return {**value, key: json_changed(random, value[key], depth + 1) if kind < 4 else other}
    if isinstance(value, list) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        kind = random.randrange(4)
        if kind == 0:
            return value[:at] + value[at + 1 :]
        if kind == 1:
            return [*value, value[at]]
        return [*value[:at], json_changed(random, value[at], depth + 1), *value[at + 1 :]]
    return other


def array_changed(random: random.Random, array: np.ndarray) -> np.ndarray:
    """Return an array with other entries, another shape or another type."""
    kind = random.randrange(7)
    if kind == 0 and array.size:
        array = array.copy()
        array.flat[random.randrange(array.size)] = _edge(random, array.dtype)
        return array
    if kind == 1 and array.size:
        array = array.copy()
        places = np.array([random.randrange(array.size) for _ in range(random.randrange(1, 9))])
        array.flat[places] = np.roll(array.ravel()[places], 1)
        return array
    if kind == 2:
        return array.ravel()[: random.randrange(array.size + 1)]
    if kind == 3:
        return np.concatenate([array.ravel()] * random.choice([2, 3]))
    if kind == 4:
        return array.reshape(random.choice([(1, -1), (-1, 1), (-1,)]))
    if kind == 5:
        types = [np.float16, np.float32, ">f8", np.int8, "<u4", bool, "S3", "U2", "<c8"]
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
                return array.astype(random.choice(types))
        except ValueError:
            return array
    return random.choice([np.empty(0), np.array(3), np.zeros((0, 5)), np.zeros((2, 2, 2))])


def _edge(random: random.Random, dtype: np.dtype):
    if dtype.kind in "SU":
        return random.choice(["", "a", "the"])
    if dtype.kind == "f":
        return random.choice([0.0, np.nan, np.inf, -np.inf, np.finfo(dtype).max, -1.0])
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return random.choice([n for n in EDGES if type(n) is int and info.min <= n <= info.max])
    return 0


def npz_of(random: random.Random, members: dict[str, np.ndarray]) -> bytes:
    """Return an archive of these arrays, now and then with a member packed, twice or left out."""
    file = io.BytesIO()
    odd = random.random()
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in members.items():
            packed = io.BytesIO()
            np.lib.format.write_array(packed, np.asanyarray(array), allow_pickle=False)
            data = packed.getvalue()
            if odd < 0.1 and random.random() < 0.3:
                data = bytes_changed(random, data)
            method = zipfile.ZIP_DEFLATED if 0.1 < odd < 0.13 else zipfile.ZIP_STORED
            if not (0.13 < odd < 0.16 and random.random() < 0.2):
                archive.writestr(f"{name}.npy", data, method)
    return file.getvalue()


def header_text(random: random.Random, header: dict) -> bytes:
    """Return a changed header as JSON, sometimes no JSON at all."""
    text = json.dumps(json_changed(random, header)).encode()
    return bytes_changed(random, text) if random.random() < 0.1 else text
