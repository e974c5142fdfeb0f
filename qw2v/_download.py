"""Downloads that go on where they stopped, each checked before it is believed.

pooch was tried in its place: it starts again from the first byte after every interruption, and
brings three packages (`benchmarks/libraries.py` drops a connection and counts the bytes of both).
"""

from __future__ import annotations

import hashlib
import shutil
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qw2v import _files
from qw2v._environment import progress_bar

_CHUNK = 1 << 20
_ATTEMPTS = 5
_WAIT = 1.0  # seconds before the second attempt; one more before each further one


class ChecksumError(ValueError):
    """A file that is not what its checksum says."""


class DownloadError(OSError):
    """A download that failed, with what to do about it."""


@dataclass(frozen=True)
class Corpus:
    """A public corpus: one text file in a zip archive."""

    url: str
    size: int  # bytes of the archive
    sha256: str  # of the archive
    member: str  # the file in the archive
    member_size: int
    member_md5: str  # as its author published it
    description: str


def download(corpus: Corpus, directory: Path, progress: bool) -> Path:
    """Return the path of a corpus's text in a folder, downloaded unless it is there, whole.

    Two processes that ask for the same take turns: the second finds the text of the first.
    """
    directory.mkdir(parents=True, exist_ok=True)
    text = directory / corpus.member
    with _files.taking_turns(directory):
        if text.is_file() and text.stat().st_size == corpus.member_size:
            if digest(text, "md5") == corpus.member_md5:
                return text
        archive = directory / f"{corpus.member}.zip.part"
        _fill(corpus, archive, progress)
        found = digest(archive)
        if found != corpus.sha256:
            archive.unlink()
            raise ChecksumError(
                f"{corpus.url} sent an archive with SHA-256 {found}; {corpus.sha256} is expected. "
                "It was removed. Try again; if it happens twice, the file has changed at its "
                "source."
            )
        with zipfile.ZipFile(archive) as members, members.open(corpus.member) as source:
            with _files.replacing(text) as file:
                shutil.copyfileobj(source, file, _CHUNK)
        archive.unlink()
    return text


def digest(path: Path, kind: str = "sha256") -> str:
    """Return the checksum of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(
            file, lambda: hashlib.new(kind, usedforsecurity=False)
        ).hexdigest()


def _fill(corpus: Corpus, path: Path, progress: bool) -> None:
    """Fill `path` to the corpus's size, going on from what it holds, with a few attempts."""
    import http.client  # loaded here: nobody needs a network to import the package
    import urllib.error

    problem: Exception | str = "the connection closed early"
    with progress_bar(path.name, "B", corpus.size, progress=progress, unit_scale=True) as bar:
        for attempt in range(_ATTEMPTS):
            time.sleep(_WAIT * attempt)
            held = path.stat().st_size if path.exists() else 0
            if held >= corpus.size:
                break
            try:
                _receive(corpus, path, held, bar)
            except urllib.error.HTTPError as error:
                error.close()
                if error.code < 500:
                    raise DownloadError(
                        f"{corpus.url} answers {error.code} {error.reason}. If it has moved, "
                        f"place the archive at {path} yourself and run this again."
                    ) from error
                problem = error
            except (OSError, http.client.HTTPException) as error:
                problem = error
    held = path.stat().st_size if path.exists() else 0
    if held < corpus.size:
        raise DownloadError(
            f"{corpus.url}: {held:,} of {corpus.size:,} bytes came in {_ATTEMPTS} attempts "
            f"({problem}). They are kept: run this again to go on from there."
        )


def _receive(corpus: Corpus, path: Path, held: int, bar: Any) -> None:
    import urllib.request

    request = urllib.request.Request(corpus.url, headers={"User-Agent": "qw2v"})
    if held:
        request.add_header("Range", f"bytes={held}-")
    with urllib.request.urlopen(request, timeout=30) as response:
        # A server that does not know ranges answers 200 and starts from the first byte.
        resumed = response.status == 206
        bar.update((held if resumed else 0) - bar.n)
        with open(path, "ab" if resumed else "wb") as file:
            # One byte beyond the size is enough to know that this is another file.
            while (left := corpus.size + 1 - file.tell()) > 0:
                chunk = response.read(min(_CHUNK, left))
                if not chunk:
                    break
                file.write(chunk)
                bar.update(len(chunk))
