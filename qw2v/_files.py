"""How files are written, whole or not at all, and how arrays are read back without being believed.

Every writer of the package goes through `replacing`, every NumPy archive through `write_arrays` and
`read_arrays`, every reader of JSON through `parse_json`.
"""

from __future__ import annotations

import errno
import io
import json
import math
import os
import secrets
import stat
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

PathLike = str | os.PathLike[str]

# No room: the disk is full, the user's share of it is, or a file may be no longer.
_FULL = {getattr(errno, name) for name in ("ENOSPC", "EDQUOT", "EFBIG") if hasattr(errno, name)}
_LONGEST_HEADER = 1_000  # bytes of an array's header; those of the package need a tenth
_CHUNK = 1 << 20
_ABANDONED = 600.0  # seconds without a byte, after which a file that nobody holds is nobody's


class DamagedFileError(ValueError):
    """Says that a file does not hold what it should: damaged, cut short or of another kind."""


# Writing


def check_output(path: PathLike, inputs: Iterable[PathLike] = ()) -> Path:
    """Return the path to write to, checked before the work that it is for.

    Links are followed, so that a link stays a link and its target is replaced.

    Parameters
    ----------
    path : path
        The file to write; one that exists is replaced.
    inputs : iterable of path
        Files that are still to be read, which the output must not replace.

    Returns
    -------
    Path
        The file itself, behind every link.

    Raises
    ------
    FileNotFoundError
        If its folder does not exist.
    IsADirectoryError
        If it is a folder.
    PermissionError
        If the folder, or a file that is there, may not be written to.
    ValueError
        If it names no file, or one of the inputs.

    Examples
    --------
    >>> check_output("")
    Traceback (most recent call last):
    ValueError: the output must name a file, received ''
    """
    text = os.fspath(path)
    if not text or "\0" in text:
        raise ValueError(f"the output must name a file, received {text!r}")
    if os.path.isdir(text) or text.endswith(("/", os.sep)):
        raise IsADirectoryError(
            errno.EISDIR, "the output is a folder: name a file in it, as in", f"{text}/out"
        )
    for source in inputs:
        if os.path.exists(text) and os.path.exists(source) and os.path.samefile(text, source):
            raise ValueError(
                f"the output {text!r} is also an input, which would be lost: name another output"
            )
    if _written_into(text):
        if not os.access(text, os.W_OK):
            raise PermissionError(errno.EACCES, "the output may not be written to", text)
        return Path(text)
    target = Path(os.path.realpath(text))
    folder = target.parent
    if not folder.is_dir():
        raise FileNotFoundError(
            errno.ENOENT,
            f"there is no folder to write {target.name} to; make it first",
            str(folder),
        )
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(
            errno.EACCES, f"{target.name} cannot be made in a folder that is read-only", str(folder)
        )
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "the output exists and is read-only", str(target))
    return target


@contextmanager
def replacing(path: PathLike, inputs: Iterable[PathLike] = ()) -> Iterator[BinaryIO]:
    """Open a file to write that takes the place of `path` when the block ends without an error.

    The bytes go to a file of a unique name in the same folder, reach the disk, and take the name in
    one step: at any moment `path` is what it was or what it is to be. After an error, a full disk
    among them, nothing is left behind; what a killed process left goes when the next file is
    written to that folder. A pipe or a device is written into instead.

    Parameters
    ----------
    path, inputs
        As `check_output` takes them.

    Raises
    ------
    OSError, ValueError
        As `check_output`, and where the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/words.txt") as file:
    ...         _ = file.write(b"the cat")
    ...     Path(folder, "words.txt").read_bytes(), len(os.listdir(folder))
    (b'the cat', 1)
    """
    target = check_output(path, inputs)
    if _written_into(target):
        with open(target, "wb") as file:
            yield file
        return
    _remove_abandoned(target.parent)
    temporary = target.with_name(f".qw2v-{secrets.token_hex(8)}.part")
    file = open(temporary, "xb")  # noqa: SIM115 (closed below, before it is renamed)
    try:
        with suppress(OSError):  # no locks here: then nobody takes it for abandoned either
            _lock(file.fileno())
        if target.exists():
            with suppress(OSError):  # another owner's file: its permissions are theirs to give
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
        yield file
        file.flush()
        os.fsync(file.fileno())
        file.close()
        os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):  # what cannot be flushed to a full disk fails here again
            file.close()
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno in _FULL:
            raise OSError(
                error.errno,
                f"{error.strerror}: nothing was written, and what was there is as it "
                "was; make room, or name another folder",
                str(target),
            ) from error
        raise
    _to_disk(target.parent)


def _remove_abandoned(folder: Path) -> None:
    """Remove the temporary files of writers that were killed: old ones that no process holds."""
    for path in folder.glob(".qw2v-*.part"):
        with suppress(OSError):  # another's file, or one that has just gone
            about = path.lstat()
            if not stat.S_ISREG(about.st_mode) or time.time() - about.st_mtime < _ABANDONED:
                continue
            with open(path, "rb") as file:
                _lock(file.fileno())
                path.unlink()


def _lock(descriptor: int) -> None:
    """Take the lock of a file, which goes with the process; OSError where it cannot be had."""
    try:
        import fcntl
    except ImportError:
        raise OSError(errno.ENOTSUP, "this system has no such locks") from None
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def taking_turns(folder: Path) -> Iterator[None]:
    """Hold a folder while others that ask for it, threads or processes, wait.

    The lock goes with the process, however it ends. Where a system has no such locks (Windows, some
    network drives) nobody waits.
    """
    try:
        import fcntl
    except ImportError:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _written_into(path: PathLike) -> bool:
    """Return whether this is a pipe, a device or a descriptor, which has no place to be taken."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    if stat.S_ISDIR(mode):
        return False
    return not stat.S_ISREG(mode) or os.path.abspath(path).startswith(("/dev/", "/proc/"))


def _to_disk(folder: Path) -> None:
    """Make the renaming itself last; a system that has no such call does so on its own."""
    if os.name != "posix":
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# Reading


def parse_json(data: bytes) -> Any:
    """Return what JSON text holds.

    Raises
    ------
    ValueError
        If it is not JSON, not UTF-8, or nested deeper than Python can follow.

    Examples
    --------
    >>> parse_json(b"[" * 100_000)
    Traceback (most recent call last):
    ValueError: the JSON is nested too deep
    """
    try:
        return json.loads(data)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None


def write_arrays(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write an .npz archive as `numpy.savez` does, and close it where the disk is full.

    numpy 2.0's leaves the archive to be collected, which then says so on the console.

    >>> file = io.BytesIO()
    >>> write_arrays(file, {"a": np.arange(3)})
    >>> np.load(io.BytesIO(file.getvalue()))["a"].tolist()
    [0, 1, 2]
    """
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.asanyarray(array), allow_pickle=False)


def read_arrays(path: PathLike, names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return the arrays of these names from an .npz archive, at the cost of no more than its size.

    Arrays of an archive that the package wrote lie there uncompressed, so that their size is known
    before memory is taken: one that is compressed, or announces more than is there, is refused.
    Nothing is unpickled.

    Parameters
    ----------
    path : path
        The archive.
    names : sequence of str
        The arrays to read; others are passed over.

    Raises
    ------
    FileNotFoundError, IsADirectoryError, PermissionError
        If the file cannot be opened.
    DamagedFileError
        If it is anything but such an archive.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                size = os.fstat(file.fileno()).st_size
                return {name: _read_array(archive, f"{name}.npy", size) for name in names}
        except Exception as error:
            # Broken archives make zipfile and numpy raise nearly anything.
            reason = str(error) or type(error).__name__
            raise DamagedFileError(f"{os.fspath(path)}: {reason}") from error


def _read_array(archive: zipfile.ZipFile, name: str, size: int) -> NDArray[Any]:
    info = archive.getinfo(name)
    if archive.namelist().count(name) > 1:
        raise ValueError(f"{name} is there twice")
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name} is compressed")
    if not info.file_size == info.compress_size <= size:
        raise ValueError(f"{name} announces more bytes than the file has")
    with cast(io.BufferedIOBase, archive.open(info)) as member:
        version = np.lib.format.read_magic(member)
        if version == (1, 0):
            header = np.lib.format.read_array_header_1_0(member, max_header_size=_LONGEST_HEADER)
        elif version == (2, 0):
            header = np.lib.format.read_array_header_2_0(member, max_header_size=_LONGEST_HEADER)
        else:
            raise ValueError(f"{name} is of version {version} of NumPy's format")
        shape, fortran_order, dtype = header
        if dtype.hasobject:
            raise ValueError(f"{name} holds Python objects")
        if any(length < 0 for length in shape):
            raise ValueError(f"{name} has shape {shape}")
        # A member is one array: its numbers are all that follows the header.
        wanted, there = math.prod(shape) * dtype.itemsize, info.file_size - member.tell()
        if wanted != there:
            raise ValueError(f"{name} announces {wanted:,} bytes, {there:,} are there")
        array = np.empty(shape, dtype, order="F" if fortran_order else "C")
        flat = array.reshape(-1, order="A").view(np.uint8).data
        filled = 0
        while count := member.readinto(flat[filled : filled + _CHUNK]):
            filled += count
        if filled != wanted:
            raise ValueError(f"{name} is cut short")
    return array
