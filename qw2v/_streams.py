"""The streams of the statistics file: packed by zstd, small numbers in a byte each, checksummed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

ESCAPE = 255
STREAMS = ("words", "word_counts", "row_lengths", "gaps", "gap_excess", "values", "value_excess")
MOST = 2**62  # counts up to here can be doubled, and added up in pairs, within int64

Bytes = NDArray[np.uint8]


def compress(raw: dict[str, Bytes], compact: bool = False) -> dict[str, Bytes]:
    import zstandard

    # Nearly all of the gain lies in the choice of symbols and hardly any in long matches: so the
    # careful strategy with a short search, as small as level 19 and six times as fast. Level 1 is
    # fifty times as fast again and 3% larger: 27.5 MB for 26.7 (`benchmarks/counting.py`).
    careful = {
        "strategy": zstandard.STRATEGY_BTOPT,
        "min_match": 3,
        "target_length": 16,
        "search_log": 3,
        "chain_log": 16,
        "hash_log": 16,
        "window_log": 18,
    }
    parameters = zstandard.ZstdCompressionParameters.from_level(
        12 if compact else 1, threads=-1, **(careful if compact else {})
    )
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    return {
        name: np.frombuffer(compressor.compress(np.ascontiguousarray(raw[name]).data), np.uint8)
        for name in STREAMS
    }


def frame_size(name: str, stream: Bytes) -> int:
    """Return how many bytes a stream announces that it holds."""
    import zstandard

    try:
        size = zstandard.frame_content_size(np.ascontiguousarray(stream).data)
    except zstandard.ZstdError as error:
        raise ValueError(f"{name}: {error}") from error
    if size < 0:
        raise ValueError(f"{name} does not say how long it is")
    return size


def decompress(name: str, streams: Mapping[str, Bytes], size: int) -> Bytes:
    """Return a stream's `size` bytes; ValueError, before memory is taken, where it has others."""
    import zstandard

    announced = frame_size(name, streams[name])
    if announced != size:
        raise ValueError(f"{name} holds {announced:,} bytes instead of {size:,}")
    try:
        data = zstandard.ZstdDecompressor().decompress(
            np.ascontiguousarray(streams[name]).data, allow_extra_data=False
        )
    except zstandard.ZstdError as error:
        raise ValueError(f"{name}: {error}") from error
    if len(data) != size:
        raise ValueError(f"{name} is cut short")
    return np.frombuffer(data, np.uint8)


def integers(data: Bytes) -> NDArray[np.int64]:
    """Return bytes as the little-endian int64 that they are."""
    return data.view("<i8").astype(np.int64)


def checksum(members: Mapping[str, Bytes]) -> Bytes:
    """Return the SHA-256 of the header and the streams."""
    digest = hashlib.sha256()
    for name in ("header", *STREAMS):
        if name in members:
            digest.update(f"{name} {members[name].size}\n".encode())
            digest.update(np.ascontiguousarray(members[name]).data)
    return np.frombuffer(digest.digest(), np.uint8)


def escape(numbers: NDArray[np.int64]) -> tuple[Bytes, Bytes]:
    large = numbers[numbers >= ESCAPE] - ESCAPE
    planes = large.astype("<i8").view(np.uint8).reshape(-1, 8).T
    return np.minimum(numbers, ESCAPE).astype(np.uint8), planes.ravel()


def unescape(name: str, small: Bytes, streams: Mapping[str, Bytes]) -> NDArray[Any]:
    """Return the numbers, 32-bit where all fit: memory costs more time than arithmetic."""
    large = np.flatnonzero(small == ESCAPE)
    planes = decompress(f"{name}_excess", streams, 8 * large.size)
    excess = np.ascontiguousarray(planes.reshape(8, -1).T).view("<i8").ravel()
    if excess.min(initial=0) < 0:
        raise ValueError(f"a {name} passes 2^63")
    fits = excess.max(initial=0) < 2**31 - ESCAPE
    numbers: NDArray[Any] = small.astype(np.int32 if fits else np.int64)
    if not fits and excess.max() > MOST:
        raise ValueError(f"a {name} passes 2^62")
    numbers[large] += excess.astype(numbers.dtype)
    return numbers
