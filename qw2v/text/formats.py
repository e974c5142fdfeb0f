"""What a file is, by its first bytes, and its text as one stream of UTF-8: never by its name.

Compressed files are unpacked as they are read, in bounded memory, whatever they claim to hold.
What is known and is no text is named; what is unknown must be valid text to be counted.
"""

from __future__ import annotations

import codecs
import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from qw2v._environment import available_memory

HEAD = 1 << 12  # bytes by which a file is known
CHUNK = 1 << 17
ZSTD_CHUNK = 1 << 11  # at 128 kB for every four bytes, what these unpack to still fits 64 MiB

# Files that people pass by mistake, by their first bytes, and what to do with each.
_NO_TEXT = {
    b"%PDF": "a PDF: turn it into text first (pdftotext)",
    b"{\\rtf": "an RTF document: save it as plain text",
    b"\xd0\xcf\x11\xe0": "an old Office document: save it as plain text",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it first",
    b"Rar!": "a RAR archive: unpack it first",
    b"ARROW1": "an Arrow file: write it as Parquet, or pass its column to from_texts",
    b"\x93NUMPY": "a NumPy array",
    b"SQLite format 3": "a database: pass what you select from it to from_texts",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x7fELF": "a program",
    b"\x04\x22\x4d\x18": "an lz4 file: unpack it first (lz4 -d)",
    b"LZIP": "an lzip file: unpack it first",
    b"\x1f\x9d": "a .Z file: unpack it first (gunzip)",
}
_DOCUMENTS = {"[Content_Types].xml": "an Office document", "mimetype": "an e-book or OpenDocument"}
_MARKS = {  # UTF-32 before UTF-16, whose mark is the beginning of its own
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


class Stream(io.RawIOBase):
    """Bytes to be read once, whose beginning can be looked at before."""

    def __init__(self, source: Any, stop: int | None = None) -> None:
        self._source = source
        self._left = stop
        self._ahead = b""

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def peek(self, size: int = HEAD) -> bytes:
        """Return the next `size` bytes, or all there are, and leave them to be read."""
        while len(self._ahead) < size and (data := self._source.read(size - len(self._ahead))):
            self._ahead += data
        return self._ahead[:size]

    def readinto(self, view: Any) -> int:
        """Fill the view with what comes next; 0 at the end."""
        view = memoryview(view).cast("B")
        if self._left is not None:
            view = view[: self._left]
        if self._ahead:
            count = min(len(view), len(self._ahead))
            view[:count] = self._ahead[:count]
            self._ahead = self._ahead[count:]
        else:
            count = self._source.readinto(view) or 0
        if self._left is not None:
            self._left -= count
        return count

    def skip(self, size: int) -> None:
        """Pass over bytes that were looked at."""
        self._ahead = self._ahead[size:]


class Counted(io.FileIO):
    """A file that knows how much of it was read, for the progress bar."""

    n_read = 0

    def readinto(self, view: Any) -> int | None:
        """Fill the view with what comes next."""
        count = super().readinto(view)
        self.n_read += count or 0
        return count

    def read(self, size: int | None = -1) -> bytes:
        """Return what comes next."""
        data = super().read(size)
        self.n_read += len(data or b"")
        return data


def text_streams(
    name: str, stream: Stream, file: BinaryIO | None
) -> Iterator[tuple[str, Stream, BinaryIO | None]]:
    """Yield (name, UTF-8 text, None) of what a stream holds: itself, unpacked, or member by member.

    `file` is the file itself, since archives and tables must be searched; a Parquet file is handed
    on as (name, stream, file). Raises ValueError for what is damaged or no text.
    """
    head = stream.peek()
    if packed := _packed(head):
        ending, unpack = packed
        inner = Stream(_Bytes(_damage_named(name, ending, unpack(stream))))
        yield from text_streams(name, inner, None)
    elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        yield from _members(name, _searchable(name, "a zip archive", file))
    elif head.startswith(b"PAR1"):
        yield name, stream, _searchable(name, "a Parquet file", file)
    else:
        _refuse_what_is_no_text(name, head)
        yield name, _utf8(name, stream), None


def is_plain(path: str | os.PathLike) -> bool:
    """Return whether a file is UTF-8 text as it lies there, so that any line may be read first."""
    with open(path, "rb") as file:
        head = file.read(HEAD)
    marked = [mark for mark, encoding in _MARKS.items() if encoding != "utf-8"]
    return _packed(head) is None and not head.startswith((b"PK", b"PAR1", *_NO_TEXT, *marked))


def _searchable(name: str, kind: str, file: BinaryIO | None) -> BinaryIO:
    if file is None or not file.seekable():
        raise ValueError(
            f"{name} is {kind} inside a stream or another archive, where it cannot be searched: "
            "save it as a file of its own"
        )
    return file


def _members(name: str, file: BinaryIO) -> Iterator[tuple[str, Stream, BinaryIO | None]]:
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, EOFError, ValueError, RuntimeError) as error:
        raise _damaged(name, ".zip", error) from error
    with archive:
        for marker, kind in _DOCUMENTS.items():
            if marker in archive.namelist():
                raise ValueError(f"{name} is {kind}: save it as plain text")
        for member in archive.infolist():
            if member.is_dir() or member.filename.startswith("__MACOSX/"):
                continue
            inside = f"{name}:{member.filename}"
            if member.flag_bits & 1:
                raise ValueError(f"{inside} is encrypted: unpack the archive with its password")
            pieces = _damage_named(inside, ".zip", _unzip(archive, member))
            yield from text_streams(inside, Stream(_Bytes(pieces)), None)


def _unzip(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as unpacked:
        yield from iter(lambda: unpacked.read(CHUNK), b"")


def _refuse_what_is_no_text(name: str, head: bytes) -> None:
    for magic, kind in _NO_TEXT.items():
        if head.startswith(magic):
            raise ValueError(f"{name} is {kind}")
    if head[257:262] == b"ustar":
        raise ValueError(f"{name} is a tar archive: unpack it first (tar -xf), and pass its folder")
    zeros = head.count(b"\0")
    if zeros * 20 > len(head) and not head.startswith(tuple(_MARKS)):
        raise ValueError(
            f"{name} is not text: of its first {len(head):,} bytes {zeros:,} are zero "
            "(UTF-16 is read where it begins with a byte order mark)"
        )


def _utf8(name: str, stream: Stream) -> Stream:
    """Return the text as UTF-8 without a byte order mark."""
    head = stream.peek(4)
    for mark, encoding in _MARKS.items():
        if head.startswith(mark):
            if encoding != "utf-8":
                return Stream(_Recoded(name, stream, encoding))
            stream.skip(len(mark))
            break
    return stream


class _Bytes:
    """What comes in pieces of any size, read as a stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._pending = memoryview(b"")

    def readinto(self, view: memoryview) -> int:
        while not self._pending:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._pending = memoryview(piece)
        count = min(len(view), len(self._pending))
        view[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        return count

    def read(self, size: int) -> bytes:
        view = bytearray(size)
        return bytes(view[: self.readinto(memoryview(view))])


class _Recoded(_Bytes):
    """Text in another encoding as UTF-8."""

    def __init__(self, name: str, stream: Stream, encoding: str) -> None:
        super().__init__(self._recode(name, stream, encoding))

    @staticmethod
    def _recode(name: str, stream: Stream, encoding: str) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)("strict")
        at = 0
        try:
            while data := stream.read(CHUNK):
                yield decoder.decode(data).encode("utf-8", "replace")
                at += len(data)
            yield decoder.decode(b"", True).encode()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{name} begins as {encoding.upper()} text, but is damaged or cut short about byte "
                f"{at:,} ({error.reason})"
            ) from error


# --- Unpacking ------------------------------------------------------------------------------------


def _streams_in_a_row(stream: Stream, new: Callable[[], Any], padding: bytes) -> Iterator[bytes]:
    """Unpack one compressed stream after another, as bz2 and xz files may hold them.

    Python's own readers take whatever follows the first stream, and is damaged, for the end.
    """
    data = stream.read(CHUNK)
    while data:
        unpacker = new()
        while not unpacker.eof:
            if unpacker.needs_input:
                data = data or _more(stream, CHUNK)
            yield unpacker.decompress(data, CHUNK)
            data = b""
        data = _after(stream, unpacker.unused_data, padding)


def _gunzip(stream: Stream) -> Iterator[bytes]:
    data = stream.read(CHUNK)
    while data:
        unpacker = zlib.decompressobj(wbits=31)
        while not unpacker.eof:
            yield unpacker.decompress(data or _more(stream, CHUNK), CHUNK)
            data = unpacker.unconsumed_tail
        data = _after(stream, unpacker.unused_data, b"\0")


def _bunzip2(stream: Stream) -> Iterator[bytes]:
    import bz2

    return _streams_in_a_row(stream, bz2.BZ2Decompressor, b"")


def _unxz(stream: Stream) -> Iterator[bytes]:
    import lzma

    limit = available_memory()
    return _streams_in_a_row(stream, lambda: lzma.LZMADecompressor(memlimit=limit), b"\0")


def _unzstd(stream: Stream) -> Iterator[bytes]:
    import zstandard

    # Windows up to the largest that `zstd --long=31` writes: 2 GiB, taken as they fill.
    start = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj
    data = stream.read(ZSTD_CHUNK)
    while data:
        unpacker = start()
        while not unpacker.eof:
            yield unpacker.decompress(data or _more(stream, ZSTD_CHUNK))
            data = b""
        data = _after(stream, unpacker.unused_data, b"")


def _more(stream: Stream, size: int) -> bytes:
    """Return more of a compressed stream that has not ended."""
    data = stream.read(size)
    if not data:
        raise EOFError("it ends before its data do")
    return data


def _after(stream: Stream, rest: bytes, padding: bytes) -> bytes:
    """Return the beginning of what follows a compressed stream, without padding; empty at the end.

    `rest` is what was read already; a stream may follow, or what is none and will be refused.
    """
    while True:
        rest = rest.lstrip(padding) if padding else rest
        if rest or not (rest := stream.read(CHUNK)):
            return rest


_PACKED: dict[bytes, tuple[str, Callable[[Stream], Iterator[bytes]]]] = {
    b"\x1f\x8b": (".gz", _gunzip),
    b"BZh": (".bz2", _bunzip2),
    b"\xfd7zXZ\x00": (".xz", _unxz),
    b"\x28\xb5\x2f\xfd": (".zst", _unzstd),
}


def _packed(head: bytes) -> tuple[str, Callable[[Stream], Iterator[bytes]]] | None:
    """Return the ending that names the compression, and what unpacks it."""
    if head[1:4] == b"\x2a\x4d\x18" and head[0] >> 4 == 5:  # pzstd begins with a frame to skip
        return _PACKED[b"\x28\xb5\x2f\xfd"]
    return next((packed for magic, packed in _PACKED.items() if head.startswith(magic)), None)


def _damage_named(name: str, ending: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what a library unpacks, and name the file that is damaged: errors differ by library."""
    try:
        yield from pieces
    except (EOFError, zlib.error, zipfile.BadZipFile, RuntimeError) as error:
        raise _damaged(name, ending, error) from error
    except OSError as error:
        if error.errno is not None:  # the disk's, not bz2's
            raise
        raise _damaged(name, ending, error) from error
    except Exception as error:
        if type(error).__name__ not in ("LZMAError", "ZstdError"):  # loaded where they are used
            raise
        raise _damaged(name, ending, error) from error


def _damaged(name: str, ending: str, error: Exception) -> ValueError:
    if isinstance(error, RuntimeError):  # zipfile's, of a method or a version that it does not know
        return ValueError(f"{name} is packed in an unknown way: {error}; unpack it first")
    return ValueError(f"{name} is a damaged or cut {ending} file: {error}; get it again")
