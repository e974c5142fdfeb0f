"""The file that statistics are kept in: exact, small, checked, and read without pickle.

An .npz archive of uncompressed byte arrays. `header` is JSON; every stream is one zstd frame:

- `words` (JSON list), `word_counts` and `row_lengths` (little-endian int64);
- `gaps`: the distance of each cell of the upper triangle from the one before it in its row, one
  byte each. The first cell of a row is measured from just left of the diagonal, so no gap is 0;
- `values`: the cells, one byte each, those on the diagonal halved: C = U + U^T restores the table,
  since a word beside itself is counted from both sides.

A gap or value that does not fit below 255 is written as 255, and its excess over 255 goes to
`gap_excess` or `value_excess`: eight planes of bytes, lowest first, of which the high ones are
nearly all zero and vanish under compression. `sha256` is over the header and the streams. Version 1
kept it in the header, which it did not cover; there the fingerprint of the content does.

Nothing is believed because a checksum says so: the size of a stream is known before it is unpacked,
and every row is checked before a sparse array is made of it.

numcodecs (delta, then Blosc's zstd with shuffle) was tried in the place of this codec: as small,
26.84 MB against 26.70, but it loads in 2.8 s against 1.15 (`benchmarks/libraries.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from qw2v import _files, _streams
from qw2v._environment import available_memory
from qw2v._streams import Bytes

FORMAT = "qw2v statistics"
VERSION = 2
REMEDY = "copy or download it again, or make it anew with `qw2v count`"
WORST_RATIO = 200  # no list of different words shrinks further than this
BYTES_PER_CELL = 40  # of the upper triangle, while both triangles are put together


class ArchiveError(ValueError):
    """Says that a file does not hold statistics, or that what it holds is damaged."""


def write(
    path: Path,
    header: dict[str, Any],
    words: list[str],
    word_counts: NDArray[np.int64],
    pairs: sparse.csr_array,
    *,
    compact: bool = False,
) -> None:
    """Write one archive, whole or not at all; a compact one takes much longer."""
    raw = {
        "words": np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), np.uint8),
        "word_counts": np.ascontiguousarray(word_counts, "<i8").view(np.uint8),
        **_pack(pairs),
    }
    text = json.dumps(
        {"format": FORMAT, "version": VERSION, **header}, indent=1, ensure_ascii=False
    )
    members = {"header": np.frombuffer(text.encode(), np.uint8), **_streams.compress(raw, compact)}
    with _files.replacing(path) as file:
        _files.write_arrays(file, {"sha256": _streams.checksum(members), **members})


def read(
    path: Path,
) -> tuple[dict[str, Any], list[str], NDArray[np.int64], sparse.csr_array]:
    """Return the header, words, word counts and pair counts; ArchiveError for a damaged file."""
    header, streams = _read_members(path)
    try:
        words = _words(streams["words"])
        size = 8 * len(words)
        word_counts = _streams.integers(_streams.decompress("word_counts", streams, size))
        if word_counts.min() < 0:
            raise ValueError(f"a word is counted {word_counts.min()} times")
        lengths = _streams.integers(_streams.decompress("row_lengths", streams, size))
        if lengths.min() < 0 or (lengths > np.arange(len(words), 0, -1)).any():
            raise ValueError("a row of the table is longer than the words allow")
        return header, words, word_counts, _unpack(streams, lengths)
    except MemoryError as error:
        raise MemoryError(f"{path}: {error}") from error
    except (ValueError, IndexError) as error:
        raise ArchiveError(
            f"{path} passes its checksum but cannot be decoded ({error}): {REMEDY}"
        ) from error


def _read_members(path: Path) -> tuple[dict[str, Any], dict[str, Bytes]]:
    """Return the header and the compressed streams, checked against the file's checksum."""
    try:
        members = _files.read_arrays(path, ["header"])
        header = _files.parse_json(members["header"].tobytes())
        kind, version = header["format"], header["version"]
        if kind == FORMAT and version in (1, VERSION):
            members |= _files.read_arrays(path, _streams.STREAMS)
            for name, array in members.items():
                if array.dtype != np.uint8 or array.ndim != 1:
                    raise ValueError(f"{name} is no array of bytes")
            if version == 1:
                del members["header"]
                intact = header["sha256"] == _streams.checksum(members).tobytes().hex()
            else:
                found = _files.read_arrays(path, ["sha256"])["sha256"]
                intact = found.tobytes() == _streams.checksum(members).tobytes()
    except OSError:
        raise
    except Exception as error:  # a forged header can hold anything
        raise ArchiveError(
            f"{path} is not a file of statistics, or is damaged or cut short "
            f"({type(error).__name__}: {error}): {REMEDY}"
        ) from error
    if kind != FORMAT:
        raise ArchiveError(f"{path} holds {kind!r}, not {FORMAT!r}: {REMEDY}")
    if version not in (1, VERSION):
        raise ArchiveError(
            f"{path} is of version {version} of the format, this qw2v reads version {VERSION}: "
            "update qw2v, or make the file anew with `qw2v count`"
        )
    if not intact:
        raise ArchiveError(
            f"{path} is damaged, its SHA-256 is not the one it was written with: {REMEDY}"
        )
    return header, {name: members[name] for name in _streams.STREAMS}


def _words(stream: Bytes) -> list[str]:
    """Return the vocabulary: different words, none of them empty."""
    size = _streams.frame_size("words", stream)
    if size > (1 << 20) + WORST_RATIO * stream.size:
        raise ValueError(f"words announces {size:,} bytes in {stream.size:,}")
    words = _files.parse_json(_streams.decompress("words", {"words": stream}, size).tobytes())
    if not isinstance(words, list) or not words:
        raise ValueError("words is no list of words")
    if not all(isinstance(word, str) and word for word in words):
        raise ValueError("a word is empty, or no text")
    if len(set(words)) < len(words):
        raise ValueError("a word is there twice")
    "".join(words).encode()  # half a surrogate pair is no text
    return words


def _pack(pairs: sparse.csr_array) -> dict[str, Bytes]:
    """Return the streams of a symmetric table with an even diagonal."""
    spans = [
        slice(start + int(pairs.indices[start:stop].searchsorted(row)), stop)
        for row, (start, stop) in enumerate(pairwise(pairs.indptr.tolist()))
    ]
    columns = np.concatenate([pairs.indices[span] for span in spans])
    values = np.concatenate([pairs.data[span] for span in spans])
    lengths = np.array([span.stop - span.start for span in spans])
    filled = np.flatnonzero(lengths)
    first = (np.cumsum(lengths) - lengths)[filled]
    diagonal = first[columns[first] == filled]
    if (
        2 * len(columns) - len(diagonal) != pairs.nnz
        or np.any(values < 1)
        or np.any(values[diagonal] % 2)
    ):
        raise ValueError(
            "pair_counts cannot be kept: it must be symmetric with positive entries and an even "
            "diagonal (a word beside itself is counted from both sides), as counting makes it"
        )
    values[diagonal] //= 2
    _check_sum(values)
    gaps = np.diff(columns, prepend=columns[:1])
    gaps[first] = columns[first] - filled + 1
    packed = {"row_lengths": lengths.astype("<i8").view(np.uint8)}
    packed["gaps"], packed["gap_excess"] = _streams.escape(gaps)
    packed["values"], packed["value_excess"] = _streams.escape(values)
    return packed


def _unpack(streams: Mapping[str, Bytes], lengths: NDArray[np.int64]) -> sparse.csr_array:
    """Return the symmetric table from its streams, (V, V) int64 with sorted indices.

    `lengths` (V,) are the cells in each row of the upper triangle, at most V - row of them.
    """
    starts = np.concatenate([[0], np.cumsum(lengths)])
    n_cells = int(starts[-1])
    free = available_memory()
    if free is not None and BYTES_PER_CELL * n_cells > free:
        raise MemoryError(
            f"its table of {2 * n_cells:,} pairs needs about {BYTES_PER_CELL * n_cells / 1e9:.1f} "
            f"GB to read, {free / 1e9:.1f} GB are free"
        )
    with ThreadPoolExecutor(2) as pool:
        # The two large streams are unpacked side by side: zstd lets go of Python's lock.
        small = pool.map(_streams.decompress, ("gaps", "values"), [streams] * 2, [n_cells] * 2)
        gaps, values_below = small
    filled = np.flatnonzero(lengths)
    first = starts[filled]
    on_diagonal = gaps[first] == 1
    cells = 2 * n_cells - np.count_nonzero(on_diagonal)
    index = np.int32 if cells < 2**31 else np.int64
    columns, values = np.empty(cells, index), np.empty(cells, np.int64)
    with ThreadPoolExecutor(1) as pool:
        # The system takes as long to hand out this memory as the rest takes: meanwhile.
        touched = [pool.submit(array.fill, 0) for array in (columns, values)]
        upper = _upper(
            _columns(_streams.unescape("gap", gaps, streams), lengths, filled, first),
            _streams.unescape("value", values_below, streams),
            starts,
            index,
        )
        lower = upper.T.tocsr()
        for done in touched:
            done.result()
    indptr = upper.indptr + lower.indptr
    indptr[1:] -= np.cumsum(np.bincount(filled[on_diagonal], minlength=len(lengths)), dtype=index)
    # The diagonal is the last cell of a lower row and the first of an upper row: they overlap.
    for row, (start, stop) in enumerate(pairwise(indptr.tolist())):
        a, b = lower.indptr[row : row + 2].tolist()
        columns[start : start + b - a] = lower.indices[a:b]
        values[start : start + b - a] = lower.data[a:b]
        a, b = upper.indptr[row : row + 2].tolist()
        columns[stop - b + a : stop] = upper.indices[a:b]
        values[stop - b + a : stop] = upper.data[a:b]
    values[indptr[1:][filled[on_diagonal]] - lengths[filled[on_diagonal]]] *= 2
    table = sparse.csr_array((values, columns, indptr), shape=upper.shape)
    table.has_canonical_format = True
    return table


def _columns(
    gaps: NDArray[Any], lengths: NDArray[np.int64], filled: NDArray[Any], first: NDArray[Any]
) -> NDArray[Any]:
    """Return the column of each cell from the gaps, in place; ValueError unless they rise to V - 1.

    `filled` are the rows that have cells, `first` the places of their first ones.
    """
    size = len(lengths)
    if not len(filled):
        return gaps
    if gaps.min() < 1 or gaps.max() > size:
        raise ValueError("the columns of a row do not rise within the table")
    last = filled - 1 + np.add.reduceat(gaps, first, dtype=np.int64)
    if last.max() >= size:
        raise ValueError("a cell lies outside the table")
    # One running sum over all rows: the step into a row starts where the row before ended.
    gaps[first] += (filled - 1).astype(gaps.dtype)
    gaps[first[1:]] -= last[:-1].astype(gaps.dtype)
    return np.cumsum(gaps, dtype=gaps.dtype, out=gaps)


def _upper(
    columns: NDArray[Any], values: NDArray[Any], starts: NDArray[np.int64], index: type
) -> sparse.csr_array:
    """Return the upper triangle, its diagonal halved."""
    if values.min(initial=1) < 1:
        raise ValueError("a pair that is listed is counted less than once")
    _check_sum(values)
    size = len(starts) - 1
    upper = sparse.csr_array(
        (values, columns.astype(index, copy=False), starts.astype(index)), shape=(size, size)
    )
    upper.has_canonical_format = True
    return upper


def _check_sum(values: NDArray[Any]) -> None:
    """Refuse an upper triangle whose table would add up to more than int64 holds."""
    if (
        values.sum(dtype=np.float64) > 0.99 * _streams.MOST
        and sum(values.tolist()) >= _streams.MOST
    ):
        raise ValueError("the counts add up to more than 2^63")
