"""Which files paths name, and how they are shared out among threads and machines."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qw2v.text import formats, records
from qw2v.text.formats import CHUNK, HEAD

Paths = str | os.PathLike | Sequence[str | os.PathLike]

DOCUMENTS = ("line", "file", "blank")
ERRORS = ("strict", "replace")
STDIN = "-"
PART = 1 << 25  # bytes of one file that one thread takes, where a file can be split


@dataclass(frozen=True)
class Layout:
    """How files are cut into documents, and what is done with bytes that are not UTF-8.

    `ascii_words` says that only ASCII letters make words, so that text may be cut beside any other
    character.
    """

    document: str = "line"
    field: str = "text"
    errors: str = "strict"
    ascii_words: bool = False


@dataclass(frozen=True)
class Part:
    """A stretch of a file that is read by one thread, or on one machine.

    `records` marks JSON lines and `plain` text that was recognised as such; otherwise the file is
    whole, and recognised when it is opened.
    """

    path: str
    start: int = 0
    stop: int | None = None
    plain: bool = False
    records: bool = False

    @property
    def size(self) -> int:
        """The bytes to read; 0 where they come through a pipe."""
        if self.stop is not None:
            return self.stop - self.start
        return 0 if self.path == STDIN else max(_regular_size(self.path) - self.start, 0)


def existing_files(paths: Paths) -> list[str]:
    """Return the files that paths name: each itself, those in a folder, or those of a pattern.

    Folders are walked in order of their names, without hidden files; "-" is standard input.
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    files: list[str] = []
    for path in [os.fspath(path) for path in paths]:
        if path == STDIN or os.path.isfile(path):
            files.append(path)
        elif os.path.isdir(path):
            files += _files_in(path)
        elif os.path.exists(path):  # a pipe
            files.append(path)
        elif glob.has_magic(path):
            matching = sorted(filter(os.path.isfile, glob.glob(path, recursive=True)))
            if not matching:
                raise FileNotFoundError(f"no file matches {path} (seen from {Path.cwd()})")
            files += matching
        else:
            raise FileNotFoundError(f"{path} does not exist (seen from {Path.cwd()})")
    if not files:
        raise ValueError("no files to read: paths is empty; does the pattern that made it match?")
    if files.count(STDIN) > 1:
        raise ValueError("standard input, -, can be read only once")
    return files


def _files_in(folder: str) -> list[str]:
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [os.path.join(parent, name) for name in names if not name.startswith(".")]
    files = sorted(path for path in found if os.path.isfile(path))
    if not files:
        raise FileNotFoundError(f"the folder {folder} holds no files")
    return files


def parts_of(files: Iterable[str], layout: Layout) -> Iterator[Part]:
    """Yield the files, large ones of a document a line cut at line ends."""
    for path in files:
        parts = [Part(path)]
        if path != STDIN and _regular_size(path) > PART and formats.is_plain(path):
            with open(path, "rb") as file:
                reader = records.reader_of(file.read(HEAD))
            is_records = reader is records.json_lines
            if is_records or (reader is None and layout.document == "line"):
                starts = [0, *_line_starts(path)]
                parts = [
                    Part(path, start, stop, plain=not is_records, records=is_records)
                    for start, stop in zip(starts, [*starts[1:], None], strict=True)
                ]
        yield from parts


def _regular_size(path: str) -> int:
    status = os.stat(path)
    return status.st_size if stat.S_ISREG(status.st_mode) else 0


def _line_starts(path: str) -> list[int]:
    """Return about one start of a line for each PART of the file."""
    starts: list[int] = []
    size = os.path.getsize(path)
    with open(path, "rb", buffering=0) as file:
        for target in range(PART, size, PART):
            if starts and target <= starts[-1]:
                continue
            file.seek(target)
            place = target
            while data := file.read(CHUNK):
                if (found := data.find(b"\n")) >= 0:
                    starts.append(place + found + 1)
                    break
                place += len(data)
            else:
                break  # one line to the end
    return [start for start in starts if start < size]
