"""Files and iterables as blocks of bytes: opened, unpacked, cut between words, valid UTF-8."""

from __future__ import annotations

import codecs
import gzip
import io
import lzma
import os
import string
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Paths = str | os.PathLike | Sequence[str | os.PathLike]

BLOCK = 1 << 19  # bytes of text worked on at once: they stay in a core's cache
PART = 1 << 25  # bytes of one file that one thread takes, where a file can be split
MARGIN = 32  # zeros after the text of a block, since the kernels read ahead
TEXT_END = 0xFF  # a byte that no UTF-8 text holds
LETTERS = string.ascii_letters.encode()


def existing_files(paths: Paths) -> list[Path]:
    """Return the paths as a list, each of a file that is there."""
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    paths = [Path(path) for path in paths]
    if not paths:
        raise ValueError("no files to read: paths is empty; does the pattern that made it match?")
    for path in paths:
        if path.is_dir():
            raise IsADirectoryError(f"{path} is a folder: pass the text files in it")
        if not path.exists():
            raise FileNotFoundError(f"{path} does not exist (seen from {Path.cwd()})")
    return paths


class Part:
    """A stretch of text that one thread reads: its name for messages, and how it is opened."""

    def __init__(self, name: str, open_reader: Callable, start: int = 0) -> None:
        self.name = name
        self.open = open_reader
        self.start = start


def parts_of(paths: list[Path], document: str) -> Iterator[Part]:
    """Yield the files, large plain ones cut at line ends where every line is a document."""
    for path in paths:
        cuts = [0, None]
        if document == "line" and path.suffix.lower() not in COMPRESSED:
            cuts = [0, *_line_starts(path), None]
        for start, stop in zip(cuts[:-1], cuts[1:], strict=True):
            yield Part(
                str(path),
                lambda path=path, start=start, stop=stop: opened(path, start, stop),
                start,
            )


def _line_starts(path: Path) -> list[int]:
    """Return about one start of a line for each PART of the file."""
    starts = []
    with path.open("rb") as file:
        for target in range(PART, path.stat().st_size, PART):
            if not starts or target > starts[-1]:
                file.seek(target)
                file.readline()
                starts.append(file.tell())
    return starts


def blocks(
    part: Part, boundary: int, errors: str, bar: Any
) -> Iterator[tuple[NDArray[np.uint8], int, int, bool]]:
    """Yield (buffer, size, boundary, last) of a part, cut between words; the buffer is reused."""
    buffer = np.empty(BLOCK + MARGIN, np.uint8)
    view = memoryview(buffer)
    carried, offset, seen = 0, part.start, part.start
    with part.open() as reader:
        last = False
        while not last:
            size = carried + _fill(reader, view[carried:BLOCK])
            last = size < BLOCK
            cut = size if last else _cut(bytes(view[:size]), part.name, offset)
            rest = bytes(view[cut:size])
            if errors == "strict" and boundary != TEXT_END:
                _check_utf8(bytes(view[:cut]), part.name, offset)
            yield buffer, cut, boundary, last
            view[: len(rest)] = rest
            carried = len(rest)
            offset += cut
            position = reader.position()
            bar.update(position - seen)
            seen = position


def _fill(reader: Any, view: memoryview) -> int:
    filled = 0
    while filled < len(view) and (count := reader.readinto(view[filled:])):
        filled += count
    return filled


def _cut(block: bytes, name: str, offset: int) -> int:
    """Return where to cut a block, so that no word and no UTF-8 character is."""
    size = len(block.rstrip(LETTERS))
    if size == 0:
        raise ValueError(
            f"{name} has a run of more than {BLOCK:,} letters at byte {offset:,}: this is not text "
            "in words; check the file, or pass tokenize= to split it in another way"
        )
    if size == len(block) and block[-1] >= 0x80:
        # The last character may go on in the next block: leave it to that.
        for back in range(1, 4):
            if block[-back] >= 0xC0:
                return size - back
    return size


def _check_utf8(data: bytes, name: str, offset: int) -> None:
    if not data.isascii():
        _decode(data, name, offset, "strict")


def _decode(data: bytes, name: str, offset: int, errors: str) -> str:
    try:
        return codecs.utf_8_decode(data, errors, True)[0]
    except UnicodeDecodeError as error:
        at = offset + error.start
        raise ValueError(
            f"{name} is not UTF-8 text: byte {at:,} is 0x{data[error.start]:02x} ({error.reason}); "
            "convert the file to UTF-8, or pass errors='replace' to read such bytes as separators"
        ) from error


def documents_of(paths: list[Path], document: str, errors: str, bar: Any) -> Iterator[str]:
    """Yield the documents of files as str."""
    for path in paths:
        with opened(path, 0, None) as reader:
            file = io.BufferedReader(reader, BLOCK)
            offset = seen = 0
            for data in file if document == "line" else [file.read()]:
                yield _decode(data, str(path), offset, errors)
                offset += len(data)
                position = reader.position()
                bar.update(position - seen)
                seen = position


def checked(texts: Iterable[str]) -> Iterator[str]:
    """Yield the documents, each checked to be a str."""
    for number, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(
                f"document {number} is a {type(text).__name__}, expected str: decode bytes, join "
                "tokens with spaces, or use from_files for paths"
            )
        yield text


class TextReader(io.RawIOBase):
    """An iterable of documents as one stream of bytes, TEXT_END after each."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self._pending = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def position(self) -> int:
        """Return how many bytes were read."""
        return self._position

    def readinto(self, view: memoryview) -> int:
        """Fill the view with what comes next."""
        if not self._pending:
            text = next(self._texts, None)
            if text is None:
                return 0
            self._pending = memoryview(text.encode("utf-8", "replace") + b"\xff")
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        self._position += count
        return count


class _FileReader(io.RawIOBase):
    """The text of a file, unpacked, and how far the file itself has been read."""

    def __init__(self, raw: io.FileIO, suffix: str, start: int, stop: int | None) -> None:
        self._raw = raw
        self._left = None if stop is None else stop - start
        raw.seek(start)
        self._text = COMPRESSED.get(suffix, lambda raw: raw)(raw)

    def readable(self) -> bool:
        return True

    def position(self) -> int:
        return self._raw.tell()

    def readinto(self, view: memoryview) -> int:
        if self._left is None:
            return self._text.readinto(view)
        count = self._text.readinto(view[: self._left])
        self._left -= count
        return count


class _ZstdReader:
    """Unpacks a .zst file, and unlike zstandard's own reader says where it is cut short."""

    def __init__(self, raw: io.FileIO) -> None:
        import zstandard

        self._raw = raw
        self._frame = None
        self._start_frame = zstandard.ZstdDecompressor().decompressobj
        self._input = b""
        self._pending = memoryview(b"")

    def readinto(self, view: memoryview) -> int:
        while not self._pending:
            if not self._input:
                self._input = self._raw.read(1 << 17)
            if not self._input:
                if self._frame is not None:
                    raise EOFError("the file ends inside a zstd frame")
                return 0
            self._frame = self._frame or self._start_frame()
            self._pending = memoryview(self._frame.decompress(self._input))
            self._input = b""
            if self._frame.eof:
                self._input = self._frame.unused_data
                self._frame = None
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count


COMPRESSED: dict[str, Callable] = {
    ".gz": lambda raw: gzip.GzipFile(fileobj=raw),
    ".xz": lzma.LZMAFile,
    ".zst": _ZstdReader,
}


@contextmanager
def opened(path: Path, start: int, stop: int | None) -> Iterator[_FileReader]:
    """Open a file for reading its text; a damaged one raises ValueError."""
    damage: tuple = (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile)
    if path.suffix.lower() == ".zst":
        import zstandard

        damage = (*damage, zstandard.ZstdError)
    with open(path, "rb", buffering=0) as raw:
        try:
            yield _FileReader(raw, path.suffix.lower(), start, stop)
        except damage as error:
            raise ValueError(
                f"{path} is damaged, cut short, or not a {path.suffix} file: {error}; get it again"
            ) from error
