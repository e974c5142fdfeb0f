"""The word2vec formats, text and binary, as they are found: packed, headerless, with odd rows.

A row is a word and d numbers. What stands in a file is checked row by row, so that a message names
the line; memory grows with the rows that are really there, not with what a header announces.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tempfile
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from qw2v._files import DamagedFileError, PathLike, replacing
from qw2v._rows import CONTROLS, Rows

Source = BinaryIO | gzip.GzipFile

_ASCII_SPACE = frozenset(" \t\n\r\v\f")
_LONGEST_LINE = 1 << 26
_LONGEST_WORD = 1 << 16
_SAMPLE = 1 << 16
_CHUNK = 1 << 20
_ELSE = {  # what other files start with, and what to do about them
    b"PK": "is a zip or .npz archive: read it with WordVectors.load, or unpack it",
    b"BZh": "is packed by bzip2: unpack it first",
    b"\xfd7zXZ": "is packed by xz: unpack it first",
    b"\x28\xb5\x2f\xfd": "is packed by zstandard: unpack it first",
    b"\xba\x16\x4f\x2f": "is a whole fastText model: give its .vec file, which holds the vectors",
    b"\x80": "looks like a pickle, which is not read: save word2vec's format where it was made",
}


def read(
    path: PathLike,
    *,
    binary: bool | None,
    limit: int | None,
    errors: str,
    malformed: str,
    duplicates: str,
) -> tuple[list[str], NDArray[np.float32]]:
    """Return the words and numbers of a file, as `WordVectors.load_word2vec_format` says."""
    with _opened(path) as file:
        line = file.readline(_LONGEST_LINE)
        header = _header(line)
        items = line.split()
        if header is None and (binary or not _is_row(items)):
            raise DamagedFileError(_no_start(path, line))
        dim = header[1] if header else len(items) - 1
        if header is None:
            announced = None
            file.seek(0)
        else:
            announced = header[0]
            _check_size(path, file, announced if limit is None else min(announced, limit), dim)
        rows = Rows(dim, malformed == "skip", duplicates == "first")
        start = file.tell()
        if binary is None:
            sample = file.read(_SAMPLE + 64 * dim)
            binary = header is not None and not _is_text(sample, dim)
            file.seek(start)
        if binary:
            _read_binary(path, file, rows, announced, limit, errors)
        else:
            _read_text(path, file, rows, announced, limit, errors)
    if not rows.words:
        raise DamagedFileError(f"{path} holds no vectors: each of its rows is malformed or missing")
    rows.matrix.resize((len(rows.words), dim), refcheck=False)
    _warn(path, rows)
    return rows.words, rows.matrix


def write(path: PathLike, words: list[bytes], matrix: NDArray[np.float32], binary: bool) -> None:
    """Write rows under a header, packed where the name ends in .gz."""
    with replacing(path) as file:
        if not os.fspath(path).lower().endswith(".gz"):
            return _write(file, words, matrix, binary)
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            _write(packed, words, matrix, binary)


def single(words: list[str], matrix: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    """Return a matrix in single precision; ValueError where that loses a row."""
    with np.errstate(over="ignore", under="ignore"):
        rounded = matrix.astype("<f4")
    largest = np.abs(matrix).max(axis=1).astype(np.float64)
    kept = np.abs(rounded).max(axis=1).astype(np.float64)
    lost = ~(np.abs(kept - largest) <= 1e-6 * largest)
    if lost.any():
        row = int(np.argmax(lost))
        raise ValueError(
            f"The largest number of {words[row]!r}, {largest[row]:.3g}, does not fit "
            f"single precision (1.2e-38 to 3.4e38; {int(lost.sum()):,} such rows). Rescale the "
            "matrix, or use save, which keeps the full precision."
        )
    return rounded


def encode(word: str) -> bytes:
    """Return a word as the formats hold it; ValueError where they cannot."""
    if not _ASCII_SPACE.isdisjoint(word):
        raise ValueError(
            f"The word {word!r} holds white space, which the word2vec format cannot hold. "
            "Rename it (new_york), or use save."
        )
    try:
        raw = word.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"The word {word!r} cannot be written as UTF-8: {error}.") from error
    if raw.translate(None, CONTROLS) != raw:
        raise ValueError(
            f"The word {word!r} holds control characters, by which readers of the word2vec format "
            "know a damaged file. Rename it, or use save."
        )
    return raw


def _write(file: Source, words: list[bytes], matrix: NDArray[np.float32], binary: bool) -> None:
    file.write(b"%d %d\n" % matrix.shape)
    if binary:
        for word, row in zip(words, matrix, strict=True):
            file.write(word + b" " + row.tobytes() + b"\n")
    else:
        line = b"%b" + b" %.9g" * matrix.shape[1] + b"\n"  # nine digits give float32 back exactly
        for word, row in zip(words, matrix, strict=True):
            file.write(line % (word, *row.tolist()))


@contextmanager
def _opened(path: PathLike) -> Iterator[Source]:
    """Open a file to read forth and back, unpacked if it is packed by gzip."""
    with open(path, "rb") as file, tempfile.TemporaryFile() as copy:
        source: BinaryIO = file
        if not file.seekable():  # a pipe
            shutil.copyfileobj(file, copy)
            source = copy
            source.seek(0)
        start = source.read(8)
        source.seek(0)
        other = next((say for magic, say in _ELSE.items() if start.startswith(magic)), None)
        if other is not None:
            raise DamagedFileError(f"{path} {other}.")
        if not start.startswith(b"\x1f\x8b"):
            yield source
            return
        try:
            with gzip.GzipFile(fileobj=source) as unpacked:
                yield unpacked
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DamagedFileError(f"{path} is damaged or cut short ({error}): get it again") from (
                error
            )


def _header(line: bytes) -> tuple[int, int] | None:
    """Return the count of words and the dimension, or None where the line announces neither."""
    items = line.split()
    if len(items) != 2 or not all(item.isdigit() and len(item) < 16 for item in items):
        return None
    vocab_size, dim = map(int, items)
    return (vocab_size, dim) if vocab_size and dim else None


def _no_start(path: PathLike, line: bytes) -> str:
    return (
        f"{path} starts with {line[:40]!r}; the word2vec format starts with two positive numbers, "
        "the count of words and the dimension, or at once with a word and its numbers (GloVe)."
    )


def _check_size(path: PathLike, file: Source, count: int, dim: int) -> None:
    # A number needs two bytes at least (a space and a digit); gzip packs a thousand into one.
    size = os.fstat(file.fileno()).st_size
    most = size if not isinstance(file, gzip.GzipFile) else 1032 * size
    if 2 * count * dim > most:
        raise DamagedFileError(
            f"{path} announces {count:,} words of {dim:,} numbers, too many for its {size:,} "
            "bytes: the header is wrong or the file was cut short. Fetch or write it again."
        )


def _is_row(items: list[bytes]) -> bool:
    announces_nothing = len(items) == 2 and items[0].isdigit() and items[1].isdigit()
    return len(items) > 1 and all(map(_is_number, items[1:])) and not announces_nothing


def _is_text(sample: bytes, dim: int) -> bool:
    """Whether what follows the header is text, be it with a slip in its first row."""
    row = sample.lstrip().split(b"\n", 1)[0]
    items = row.split()
    # In a binary row even one number would be a rare accident.
    if 2 * sum(map(_is_number, items[1:])) >= dim:
        return True
    readable = sample.decode("utf-8", "replace").rstrip("\ufffd")  # a letter cut in two at the end
    if not all(letter.isprintable() or letter in _ASCII_SPACE for letter in readable):
        return False
    if len(items) == dim + 1:
        return True
    space = sample.find(b" ")
    end = space + 1 + 4 * dim
    ends = space > 0 and end <= len(sample) and sample[end : end + 1] in (b"", b"\n")
    return not ends


def _is_number(item: bytes) -> bool:
    try:
        float(item)
    except ValueError:
        return False
    return b"_" not in item  # Python's 1_0


def _read_text(
    path: PathLike,
    file: Source,
    rows: Rows,
    announced: int | None,
    limit: int | None,
    errors: str,
) -> None:
    count, number = 0, 0 if announced is None else 1
    while count != announced and len(rows.words) != limit:
        line = file.readline(_LONGEST_LINE)
        number += 1
        if not line:
            if announced is None:
                return
            raise DamagedFileError(
                f"{path} ends after {count:,} of the {announced:,} words that its header "
                "announces: it was cut short. Fetch or write it again."
            )
        raw, *items = line.split() or [b""]
        if not raw:
            continue
        count += 1
        where = f"{path}, line {number}"
        if len(items) != rows.dim:
            source = "of the first row" if announced is None else "that the header announces"
            rows.refuse(
                f"{where}, {line[:40]!r}: {len(items) + 1} items; a word and the {rows.dim} "
                f"numbers {source} are needed"
            )
            continue
        try:
            numbers = [float(item) for item in items]
            if b"_" in line and any(b"_" in item for item in items):
                raise ValueError("a number holds an underscore")
        except ValueError as error:
            rows.refuse(f"{where}, word {raw[:40]!r}: {error}")
            continue
        rows.add(f"{where}, word {count:,}", raw, numbers, errors)
    if count == announced and (rest := file.read(_SAMPLE).strip()):
        raise DamagedFileError(
            f"{path} goes on after the {announced:,} words that its header announces, with "
            f"{rest[:40]!r}. Mend the header, or pass limit={announced - 1 or 1}."
        )


def _read_binary(
    path: PathLike,
    file: Source,
    rows: Rows,
    announced: int | None,
    limit: int | None,
    errors: str,
) -> None:
    assert announced is not None
    width, data, start = 4 * rows.dim, b"", 0
    newline: bool | None = None  # word2vec ends each row with one; gensim does not
    for count in range(1, announced + 1):
        if len(rows.words) == limit:
            return
        space = data.find(b" ", start)
        while space < 0 or space + 1 + width + 1 > len(data):
            more = file.read(max(_CHUNK, width + 2))
            data, start = data[start:] + more, 0
            space = data.find(b" ")
            if not more or (space < 0 and len(data) > _LONGEST_WORD):
                break
        end = space + 1 + width
        if space < 0 or end > len(data):
            raise DamagedFileError(
                f"{path} ends within word {count:,} of the {announced:,} that its header "
                "announces: it was cut short, or it is text (pass binary=False)."
            )
        raw, numbers = data[start:space], np.frombuffer(data, "<f4", rows.dim, space + 1)
        where = f"{path}, word {count:,}"
        if not raw or raw.translate(None, CONTROLS) != raw:
            raise DamagedFileError(
                f"{where}: {raw[:40]!r} is empty or holds control characters: the file is damaged, "
                "or a word before it holds a space."
            )
        follows = data[end : end + 1] == b"\n"
        if newline is None:
            newline = follows
        elif newline and not follows and data[end : end + 1]:
            raise DamagedFileError(
                f"{where}, {raw[:40]!r}: no newline follows its numbers, as one does the first "
                "row's: the file is damaged, or this word holds a space."
            )
        rows.add(where, raw, numbers, errors)
        start = end + newline
    if rest := (data[start : start + 40] + file.read(40)).strip(b"\n"):
        raise DamagedFileError(
            f"{path} goes on after the {announced:,} words that its header announces, with "
            f"{rest[:40]!r}: the header is wrong, a word holds a space, or the file is text (pass "
            "binary=False)."
        )


def _warn(path: PathLike, rows: Rows) -> None:
    for count, what in (
        (len(rows.malformed), f"malformed, the first: {next(iter(rows.malformed), '')}"),
        (rows.duplicates, "of words that stand above"),
    ):
        if count:
            warnings.warn(f"{path}: passed over {count:,} rows {what}", stacklevel=4)
