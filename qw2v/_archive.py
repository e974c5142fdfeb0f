"""The file that statistics are kept in: exact, small, checked, and read without pickle.

An .npz archive of byte arrays. `header` is JSON; every other member is one zstd frame:

- `words` (JSON list), `word_counts` and `row_lengths` (little-endian int64);
- `gaps`: the distance of each cell of the upper triangle from the one before it in its row, one
  byte each. The first cell of a row is measured from just left of the diagonal, so no gap is 0;
- `values`: the cells, one byte each, those on the diagonal halved: C = U + U^T restores the table,
  since a word beside itself is counted from both sides.

A gap or value that does not fit below 255 is written as 255, and its excess over 255 goes to
`gap_excess` or `value_excess`: eight planes of bytes, lowest first, of which the high ones are
nearly all zero and vanish under compression. The header holds a SHA-256 over the other members.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

FORMAT = "qw2v statistics"
VERSION = 1
ESCAPE = 255
STREAMS = ("words", "word_counts", "row_lengths", "gaps", "gap_excess", "values", "value_excess")
REMEDY = "copy or download it again, or make it anew with `python -m qw2v count`"

Bytes = NDArray[np.uint8]


class ArchiveError(ValueError):
    """Says that a file does not hold statistics, or that what it holds is damaged."""


def write(
    path: Path, header: dict, words: list[str], word_counts: NDArray, pairs: sparse.csr_array
) -> None:
    """Write one archive, whole or not at all: to a file beside `path`, then renamed."""
    raw = {
        "words": np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), np.uint8),
        "word_counts": np.ascontiguousarray(word_counts, "<i8").view(np.uint8),
        **_pack(pairs),
    }
    streams = _compress(raw)
    header = {"format": FORMAT, "version": VERSION, **header, "sha256": _checksum(streams)}
    text = json.dumps(header, indent=1, ensure_ascii=False)
    members = {"header": np.frombuffer(text.encode(), np.uint8), **streams}
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
    ) as file:
        try:
            np.savez(file, **members)
            file.flush()
            os.fsync(file.fileno())
            file.close()
            _open_to_readers(file.name)
            os.replace(file.name, path)
        except BaseException:
            file.close()
            Path(file.name).unlink(missing_ok=True)
            raise


def read(path: Path) -> tuple[dict, list[str], NDArray[np.int64], sparse.csr_array]:
    """Return the header, words, word counts and pair counts; ArchiveError for a damaged file."""
    header, streams = _read_members(path)
    try:
        raw = _decompress(streams)
        words = json.loads(raw["words"].tobytes())
        word_counts = raw["word_counts"].view("<i8").astype(np.int64)
        return header, words, word_counts, _unpack(raw)
    except (ValueError, IndexError) as error:
        raise ArchiveError(f"{path} passes its checksum but cannot be decoded: {error}") from error


def _read_members(path: Path) -> tuple[dict, dict[str, Bytes]]:
    """Return the header and the compressed streams, checked against the header's checksum."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            header = json.loads(archive["header"].tobytes())
            kind, version = header["format"], header["version"]
            if kind == FORMAT and version == VERSION:
                streams = {name: archive[name] for name in STREAMS}
                intact = header["sha256"] == _checksum(streams)
    except (FileNotFoundError, PermissionError, IsADirectoryError):
        raise
    except Exception as error:
        # Broken archives make numpy and zipfile raise nearly anything.
        raise ArchiveError(
            f"{path} is not a file of statistics, or is damaged or cut short "
            f"({type(error).__name__}: {error}): {REMEDY}"
        ) from error
    if kind != FORMAT:
        raise ArchiveError(f"{path} holds {kind!r}, not {FORMAT!r}: {REMEDY}")
    if version != VERSION:
        raise ArchiveError(
            f"{path} is of version {version} of the format, this qw2v reads version {VERSION}: "
            "update qw2v, or make the file anew with `python -m qw2v count`"
        )
    if not intact:
        raise ArchiveError(
            f"{path} is damaged, its SHA-256 is not the one it was written with: {REMEDY}"
        )
    return header, streams


def _compress(raw: dict[str, Bytes]) -> dict[str, Bytes]:
    import zstandard

    # Nearly all of the gain lies in the choice of symbols and hardly any in long matches: so the
    # careful strategy with a short search, as small as level 19 and six times as fast.
    parameters = zstandard.ZstdCompressionParameters.from_level(
        12,
        strategy=zstandard.STRATEGY_BTOPT,
        min_match=3,
        target_length=16,
        search_log=3,
        chain_log=16,
        hash_log=16,
        window_log=18,
        threads=-1,
    )
    compressor = zstandard.ZstdCompressor(compression_params=parameters)
    return {
        name: np.frombuffer(compressor.compress(np.ascontiguousarray(raw[name])), np.uint8)
        for name in STREAMS
    }


def _decompress(streams: dict[str, Bytes]) -> dict[str, Bytes]:
    import zstandard

    def decompress(name: str) -> Bytes:
        try:
            data = zstandard.ZstdDecompressor().decompress(np.ascontiguousarray(streams[name]))
        except zstandard.ZstdError as error:
            raise ValueError(f"{name}: {error}") from error
        return np.frombuffer(data, np.uint8)

    # The two large streams are unpacked side by side: zstd lets go of Python's lock.
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(STREAMS, pool.map(decompress, STREAMS), strict=True))


def _checksum(streams: dict[str, Bytes]) -> str:
    digest = hashlib.sha256()
    for name in STREAMS:
        digest.update(f"{name} {streams[name].size}\n".encode())
        digest.update(np.ascontiguousarray(streams[name]))
    return digest.hexdigest()


def _pack(pairs: sparse.csr_array) -> dict[str, Bytes]:
    """Return the streams of a symmetric table with an even diagonal."""
    upper = sparse.triu(pairs, format="csr")
    lengths = np.diff(upper.indptr)
    filled = np.flatnonzero(lengths)
    first = upper.indptr[filled]
    values = upper.data.copy()
    diagonal = first[upper.indices[first] == filled]
    if (
        2 * upper.nnz - len(diagonal) != pairs.nnz
        or np.any(values < 1)
        or np.any(values[diagonal] % 2)
    ):
        raise ValueError(
            "pair_counts cannot be kept: it must be symmetric with positive entries and an even "
            "diagonal (a word beside itself is counted from both sides), as counting makes it"
        )
    values[diagonal] //= 2
    gaps = np.diff(upper.indices, prepend=0).astype(np.int64)
    gaps[first] = upper.indices[first] - filled + 1
    packed = {"row_lengths": lengths.astype("<i8").view(np.uint8)}
    packed["gaps"], packed["gap_excess"] = _escape(gaps)
    packed["values"], packed["value_excess"] = _escape(values)
    return packed


def _unpack(raw: dict[str, Bytes]) -> sparse.csr_array:
    """Return the symmetric table from its streams, (V, V) int64 with sorted indices."""
    lengths = raw["row_lengths"].view("<i8").astype(np.int64)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    if not raw["gaps"].size == raw["values"].size == starts[-1]:
        raise ValueError("the streams differ in length")
    filled = np.flatnonzero(lengths)
    first = starts[filled]
    on_diagonal = raw["gaps"][first] == 1
    cells = 2 * starts[-1] - np.count_nonzero(on_diagonal)
    index = np.int32 if cells < 2**31 else np.int64
    columns, values = np.empty(cells, index), np.empty(cells, np.int64)
    with ThreadPoolExecutor(1) as pool:
        # The system takes as long to hand out this memory as the rest takes: meanwhile.
        touched = [pool.submit(array.fill, 0) for array in (columns, values)]
        upper = _upper(raw, starts, filled, first, index)
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


def _upper(
    raw: dict[str, Bytes], starts: NDArray, filled: NDArray, first: NDArray, index: type
) -> sparse.csr_array:
    """Return the upper triangle, its diagonal halved."""
    columns = _unescape(raw["gaps"], raw["gap_excess"])
    if len(filled):
        # One running sum over all rows: the step into a row starts where the row before ended.
        last = filled - 1 + np.add.reduceat(columns, first)
        columns[first] += filled - 1
        columns[first[1:]] -= last[:-1]
        np.cumsum(columns, dtype=columns.dtype, out=columns)
        if not 0 <= columns.min() <= columns.max() < len(starts) - 1:
            raise ValueError("a cell lies outside the table")
    values = _unescape(raw["values"], raw["value_excess"])
    upper = sparse.csr_array(
        (values, columns.astype(index, copy=False), starts.astype(index)),
        shape=(len(starts) - 1, len(starts) - 1),
    )
    upper.has_canonical_format = True
    return upper


def _escape(numbers: NDArray[np.int64]) -> tuple[Bytes, Bytes]:
    large = numbers[numbers >= ESCAPE] - ESCAPE
    planes = large.astype("<i8").view(np.uint8).reshape(-1, 8).T
    return np.minimum(numbers, ESCAPE).astype(np.uint8), planes.ravel()


def _unescape(small: Bytes, planes: Bytes) -> NDArray:
    """Return the numbers, 32-bit where all fit: memory costs more time than arithmetic."""
    large = np.flatnonzero(small == ESCAPE)
    if planes.size != 8 * large.size:
        raise ValueError("the streams differ in length")
    excess = np.ascontiguousarray(planes.reshape(8, -1).T).view("<i8").ravel()
    fits = excess.max(initial=0) < 2**31 - ESCAPE
    numbers = small.astype(np.int32 if fits else np.int64)
    numbers[large] += excess.astype(numbers.dtype)
    return numbers


def _open_to_readers(name: str) -> None:
    """Give a temporary file, which only its owner can read, the usual permissions."""
    if os.name == "posix":
        mask = os.umask(0)
        os.umask(mask)
        os.chmod(name, 0o666 & ~mask)
