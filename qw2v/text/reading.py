"""Files to text: opened, cut into blocks between words, checked to be UTF-8.

What a file is shows in its content (`formats`, `records`). Plain text is handed on as blocks of
bytes, of which large files yield several at once; documents out of records come the same way.
"""

from __future__ import annotations

import codecs
import io
import re
import string
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qw2v.text import formats, records
from qw2v.text.finding import STDIN, Layout, Part
from qw2v.text.formats import HEAD, Counted, Stream

BLOCK = 1 << 19  # bytes of text worked on at once: they stay in a core's cache
MARGIN = 32  # zeros after the text of a block, since the kernels read ahead
LONGEST = 1 << 24  # bytes of a document that a tokenizer receives at once
SUSPECT = 1 << 21  # bytes after which the checksums of a compressed file have been compared
LINE_END = 0x0A
NO_BOUNDARY = 0x100
TEXT_END = 0x01  # ends a document where it is no line: what text holds of it becomes a space

_LETTERS = string.ascii_letters.encode()
_WORDY = _LETTERS + string.digits.encode() + bytes(range(0x80, 0x100))
_BLANK = re.compile(rb"\n[ \t\r\f\v]*\n[ \t\r\f\v\n]*")
_SPACE = b" \t\r\f\v\n"

Block = tuple[NDArray[np.uint8], int, int, bool]


def blocks(part: Part, layout: Layout, bar: Any) -> Iterator[Block]:
    """Yield (buffer, size, boundary, last) of a part, cut between words; the buffer is reused."""
    buffer = np.empty(BLOCK + MARGIN, np.uint8)
    for name, reader, offset, tick in _opened(part, layout, bar):
        boundary = TEXT_END
        if not isinstance(reader, TextReader) and layout.document != "blank":
            boundary = LINE_END if layout.document == "line" else NO_BOUNDARY
        for size, last in _cut_blocks(name, reader, buffer, offset, layout):
            yield buffer, size, boundary, last
            tick()


def text_blocks(texts: Iterator[str], ascii_words: bool, bar: Any) -> Iterator[Block]:
    """Yield an iterable of documents as `blocks` yields files."""
    buffer = np.empty(BLOCK + MARGIN, np.uint8)
    layout = Layout(ascii_words=ascii_words)
    for size, last in _cut_blocks("the text", TextReader(texts), buffer, 0, layout):
        yield buffer, size, TEXT_END, last
        bar.update(size)


def documents(part: Part, layout: Layout, bar: Any) -> Iterator[tuple[str, bool]]:
    """Yield (text, last) of a part: documents as str, very long ones in pieces, the last marked."""
    for name, reader, offset, tick in _opened(part, layout, bar):
        if isinstance(reader, TextReader):
            pieces = in_pieces(reader.texts)
        else:
            pieces = _plain_documents(name, reader, offset, layout)
        for text, last in pieces:
            yield text, last
            tick()


def in_pieces(texts: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Yield (text, True) of each document; one that is very long in pieces, cut at white space."""
    for text in texts:
        while len(text) > LONGEST:
            cut = max(text.rfind(" ", 0, LONGEST), text.rfind("\n", 0, LONGEST)) + 1 or LONGEST
            yield text[:cut], False
            text = text[cut:]
        yield text, True


@contextmanager
def _file(part: Part) -> Iterator[Counted]:
    if part.path == STDIN:
        file = Counted(0, "rb", closefd=False)
    else:
        file = Counted(part.path, "rb")
    with file:
        if part.start:
            file.seek(part.start)
        yield file


def _opened(
    part: Part, layout: Layout, bar: Any
) -> Iterator[tuple[str, Stream | TextReader, int, Callable]]:
    """Yield (name, text, offset, tick) of all that a part holds; `tick` moves the progress bar."""
    with _file(part) as file:
        seen = 0

        def tick() -> None:
            nonlocal seen
            bar.update(file.n_read - seen)
            seen = file.n_read

        stream = Stream(file, None if part.stop is None else part.stop - part.start)
        if part.start:
            name, text = part.path, stream
            if part.records:
                name = f"{part.path} (from byte {part.start:,})"
                yield name, TextReader(records.json_lines(name, text, layout.field)), 0, tick
            else:
                yield name, text, part.start, tick
            return
        for name, text, table in formats.text_streams(part.path, stream, file):
            if table is not None:
                yield name, TextReader(records.column(name, table, layout.field)), 0, tick
            elif read := records.reader_of(text.peek(HEAD)):
                yield name, TextReader(read(name, text, layout.field)), 0, tick
            else:
                yield name, text, 0, tick


def _cut_blocks(
    name: str, reader: Stream | TextReader, buffer: NDArray, offset: int, layout: Layout
) -> Iterator[tuple[int, bool]]:
    """Fill the buffer again and again; yield (size, last) with every word whole."""
    view = memoryview(buffer.data)
    is_file = not isinstance(reader, TextReader)
    carried, last = 0, False
    while not last:
        size = carried + _fill(reader, view[carried:BLOCK])
        last = size < BLOCK
        block = bytes(view[:size])
        try:
            cut = size if last else _cut(block, name, offset, layout)
            if is_file and layout.errors == "strict":
                _check_utf8(block[:cut], name, offset)
        except ValueError:
            # What a damaged file unpacks to is no text: if so, say so.
            for _ in range(SUSPECT // BLOCK):
                _fill(reader, view[:BLOCK])
            raise
        text, rest = block[:cut], block[cut:]
        if is_file and layout.document == "blank":
            text, rest = _marked(text, rest, last)
            view[: len(text)] = text
        yield len(text), last
        view[: len(rest)] = rest
        carried = len(rest)
        offset += cut


def _fill(reader: Any, view: memoryview) -> int:
    filled = 0
    while filled < len(view) and (count := reader.readinto(view[filled:])):
        filled += count
    return filled


def _cut(block: bytes, name: str, offset: int, layout: Layout) -> int:
    """Return where to cut a block, so that no word and no UTF-8 character is."""
    size = len(block.rstrip(_LETTERS if layout.ascii_words else _WORDY))
    if size == 0:
        raise ValueError(
            f"{name} has more than {BLOCK:,} bytes without a space at byte {offset:,}: this is not "
            "text in words; check the file, or split it by a tokenizer (tokenize=)"
        )
    if size == len(block) and block[-1] >= 0x80:
        # The last character may go on in the next block: leave it to that.
        for back in range(1, 4):
            if block[-back] >= 0xC0:
                return size - back
    return size


def _marked(text: bytes, rest: bytes, last: bool) -> tuple[bytes, bytes]:
    """Return a block with every blank line marked, and what is left for the next one.

    White space at the end is left too, for a blank line may go on there.
    """
    body = text.rstrip(_SPACE)
    if not last:
        space = text[len(body) :]
        lines = space.count(b"\n")
        rest = (b" " if lines == 0 else b"\n" * min(lines, 2)) * bool(space) + rest
        text = body
    return _BLANK.sub(b"\n\x01", text.replace(b"\x01", b" ")), rest


def _check_utf8(data: bytes, name: str, offset: int) -> None:
    if not data.isascii() or b"\0" in data:
        _decode(data, name, offset, "strict")


def _decode(data: bytes, name: str, offset: int, errors: str) -> str:
    if errors == "strict" and b"\0" in data:
        raise ValueError(
            f"{name} is not text: byte {offset + data.index(0):,} is zero; check the file, or pass "
            "errors='replace' to read such bytes as separators"
        )
    try:
        return codecs.utf_8_decode(data, errors, True)[0]
    except UnicodeDecodeError as error:
        at = offset + error.start
        raise ValueError(
            f"{name} is not UTF-8 text: byte {at:,} is 0x{data[error.start]:02x} ({error.reason}); "
            "convert the file to UTF-8, or pass errors='replace' to read such bytes as separators"
        ) from error


def _plain_documents(
    name: str, stream: Stream, offset: int, layout: Layout
) -> Iterator[tuple[str, bool]]:
    separators: dict[str, bytes | re.Pattern[bytes] | None]
    separators = {"line": b"\n", "blank": _BLANK, "file": None}
    separator = separators[layout.document]
    pending = b""
    while data := stream.read(BLOCK):
        pending += data
        whole: list[bytes] = []
        if isinstance(separator, bytes):
            *whole, pending = pending.split(separator)
        elif separator is not None:
            *whole, pending = separator.split(pending)
        for document in whole:
            yield _decode(document, name, offset, layout.errors), True
            offset += len(document) + 1
        if len(pending) > LONGEST:
            cut = max(pending.rfind(b" "), pending.rfind(b"\n")) + 1
            cut = cut or _cut(pending, name, offset, Layout(ascii_words=True))
            yield _decode(pending[:cut], name, offset, layout.errors), False
            pending = pending[cut:]
            offset += cut
    yield _decode(pending, name, offset, layout.errors), True


class TextReader(io.RawIOBase):
    """An iterable of documents as one stream of bytes, TEXT_END after each."""

    def __init__(self, texts: Iterator[str]) -> None:
        self.texts = texts
        self._pending = memoryview(b"")

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, view: Any) -> int:
        """Fill the view with what comes next."""
        if not self._pending:
            text = next(self.texts, None)
            if text is None:
                return 0
            data = text.encode("utf-8", "replace").replace(b"\x01", b" ")
            self._pending = memoryview(data + b"\x01")
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count
