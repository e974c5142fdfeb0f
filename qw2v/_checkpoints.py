"""Arrays and what must be known of them, on disk: NAME.safetensors beside NAME.json, no pickle.

Each file is written under another name and then renamed, the JSON last: where it lies, the arrays
are whole. It holds their SHA-256.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = "qw2v run"
VERSION = 1


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

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by the names they are stored under."""
        return {f"trace.{name}": array for name, array in vars(self).items()}

    @classmethod
    def of(cls, arrays: dict[str, np.ndarray]) -> Trace:
        """Return the trace stored among these arrays."""
        return cls(**{name: arrays[f"trace.{name}"] for name in cls.__dataclass_fields__})


def write(stem: Path, arrays: dict[str, np.ndarray], document: dict[str, Any]) -> None:
    """Write arrays and document as `stem`.safetensors and `stem`.json, whole or not at all.

    Raises FileNotFoundError for no such folder; OSError where the disk is full, and what lay there
    before is left as it was.
    """
    from safetensors.numpy import save

    if not stem.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {stem.parent} to write {stem.name} to")
    data = save({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    head = {"format": FORMAT, "version": VERSION, "sha256": hashlib.sha256(data).hexdigest()}
    text = json.dumps({**head, **document}, indent=1, ensure_ascii=False, allow_nan=False)
    try:
        _replace(_arrays_of(stem), data)
        _replace(_document_of(stem), text.encode())
    except OSError as error:
        raise OSError(
            f"{stem.name} could not be written to {stem.parent}: {error}. "
            f"It needs {len(data) / 2**20:.1f} MiB; make room there, or choose another folder"
        ) from error


def read(stem: Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return the arrays and the document that `write` wrote, checked.

    Raises FileNotFoundError for no such files, CheckpointError for damaged ones, and for those of
    another format or version.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    document_file, arrays_file = _document_of(stem), _arrays_of(stem)
    for file in (document_file, arrays_file):
        if not file.is_file():
            raise FileNotFoundError(
                f"there is no file {file}: a run is two files, NAME.safetensors and NAME.json"
            )
    try:
        document = json.loads(document_file.read_text(encoding="utf-8"))
        found = document["format"], document["version"]
        digest = document.pop("sha256")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{document_file} does not describe a run, or is damaged ({type(error).__name__}: "
            f"{error}): delete it with {arrays_file.name}, or copy both again"
        ) from error
    if found != (FORMAT, VERSION):
        raise CheckpointError(
            f"{document_file} is {found[0]!r} of version {found[1]}; this qw2v reads {FORMAT!r} of "
            f"version {VERSION}: use the qw2v that wrote it, or train anew"
        )
    data = arrays_file.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise CheckpointError(
            f"{arrays_file} is damaged, its SHA-256 is not the one in {document_file.name}: delete "
            "both, or copy them again"
        )
    try:
        return load(data), document
    except SafetensorError as error:
        raise CheckpointError(f"{arrays_file} cannot be decoded: {error}") from error


def _arrays_of(stem: Path) -> Path:
    return stem.with_name(stem.name + ".safetensors")


def _document_of(stem: Path) -> Path:
    return stem.with_name(stem.name + ".json")


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
