"""Arrays and what must be known of them, on disk: one .safetensors file, no pickle.

The document, JSON, lies in the file's own metadata, so that the two are replaced in one step. A
SHA-256 beside it covers the document, the names, types and shapes of the arrays, and their bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qw2v import _files

FORMAT = "qw2v run"
VERSION = "2"
SUFFIX = ".safetensors"


class CheckpointError(ValueError):
    """A file of a run that is damaged, or does not belong here."""


@dataclass(frozen=True)
class Trace:
    """The course of a run at T of its steps.

    `step` (T,) counts from 0, `time` (T,) is that of the theory, `loss` (T,) is that of all pairs
    over the mean of G, above its floor (for qwem in Setting 3.1: ||W W^T - M*||^2 / 4), and
    `singular_values` (T, d) are those of W, descending.
    """

    step: np.ndarray
    time: np.ndarray
    loss: np.ndarray
    singular_values: np.ndarray

    def fall(self, share: float = 0.5) -> float:
        """Return by what share of itself the loss fell after this `share` of the time.

        How far a run is from settled: of two runs with the same, neither was stopped earlier than
        the other, whatever their units of time.

        >>> loss = np.array([9.0, 4.0, 3.0])
        >>> Trace(np.arange(3), np.arange(3.0), loss, np.ones((3, 1))).fall()
        0.25
        """
        before = np.interp(share * self.time[-1], self.time, self.loss)
        return float(1 - self.loss[-1] / before)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by the names they are stored under."""
        return {f"trace.{name}": array for name, array in vars(self).items()}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Trace:
        """Return the trace stored among these arrays."""
        return cls(**{name: arrays[f"trace.{name}"] for name in cls.__dataclass_fields__})


def write(path: Path, arrays: dict[str, NDArray[Any]], document: dict[str, Any]) -> None:
    """Write arrays and document to `path`.safetensors, whole or not at all.

    Raises FileNotFoundError for no such folder; OSError where the disk is full, and what lay there
    before is left as it was.
    """
    from safetensors.numpy import save

    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps(document, ensure_ascii=False, allow_nan=False)
    about = {"format": FORMAT, "version": VERSION, "document": text}
    data = save(arrays, {**about, "sha256": _checksum(text, arrays)})
    file = file_of(path)
    try:
        with _files.replacing(file) as out:
            out.write(data)
    except OSError as error:
        size = f"{len(data) / 2**20:.1f} MiB"
        raise type(error)(
            error.errno, f"{file.name}, {size}, was not written: {error.strerror}", error.filename
        ) from error


def read(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """Return the arrays and the document that `write` wrote, checked.

    Raises FileNotFoundError for no such file, CheckpointError for a damaged one, and for one of
    another format or version.
    """
    from safetensors.numpy import load

    file = file_of(path)
    if not file.is_file():
        raise FileNotFoundError(f"there is no file {file}")
    try:
        data = file.read_bytes()
        about = _metadata(data)
        found = about.get("format"), about.get("version")
        if found == (FORMAT, VERSION):
            arrays = load(data)
            intact = about["sha256"] == _checksum(about["document"], arrays)
            document = _files.parse_json(about["document"].encode())
    except OSError:
        raise
    except Exception as error:  # safetensors has errors of its own, and a forger all others
        raise CheckpointError(
            f"{file} is damaged, cut short, or no run ({error}): delete it, or copy it again"
        ) from error
    if found != (FORMAT, VERSION):
        raise CheckpointError(
            f"{file} is {found[0]!r} of version {found[1]}; this qw2v reads {FORMAT!r} of version "
            f"{VERSION}: use the qw2v that wrote it, or train anew"
        )
    if not intact or not isinstance(document, dict):
        raise CheckpointError(
            f"{file} is damaged, its SHA-256 is not the one it was written with: delete it, or "
            "copy it again"
        )
    return arrays, document


def file_of(path: str | os.PathLike[str]) -> Path:
    """Return the path with the suffix .safetensors, added where it is not there."""
    path = Path(path)
    return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)


def _metadata(data: bytes) -> dict[str, str]:
    length = int.from_bytes(data[:8], "little")
    if length > len(data) - 8:
        raise ValueError("the header is longer than the file")
    about = _files.parse_json(data[8 : 8 + length])["__metadata__"]
    if not all(isinstance(value, str) for value in about.values()):
        raise ValueError("its metadata are no text")
    return about


def _checksum(document: str, arrays: dict[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(document.encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.view(np.uint8).data if array.size else b"")
    return digest.hexdigest()
