"""A finished run: what `train` returns, and its file."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from qw2v import _checkpoints
from qw2v._checkpoints import CheckpointError, Trace
from qw2v.vectors import WordVectors


@dataclass(frozen=True, eq=False, repr=False)
class Run:
    """A trained model and its course, as `train` returns it.

    `initial` is W(0) (V, d), `vectors` the trained WordVectors, `context` those of the context
    words where they are untied (else None), `trace` the course, `snapshots` W (V, d) by step, and
    `settings` all that is needed to do it again, fit for JSON.
    """

    initial: np.ndarray
    vectors: WordVectors
    trace: Trace
    settings: dict[str, Any]
    context: WordVectors | None = None
    snapshots: dict[int, np.ndarray] = field(default_factory=dict)

    def save(self, path: str | Path) -> None:
        """Write one file, `path`.safetensors; one that is there is replaced whole.

        Raises FileNotFoundError where the folder does not exist, OSError for a full disk.
        """
        arrays = {
            "initial": self.initial,
            "embeddings": self.vectors.matrix,
            **self.trace.arrays(),
            **{f"snapshot.{step}": W for step, W in self.snapshots.items()},
        }
        if self.context is not None:
            arrays["context"] = self.context.matrix
        document = {"kind": "run", "settings": self.settings, "words": self.vectors.words}
        _checkpoints.write(Path(path), arrays, document)

    @classmethod
    def load(cls, path: str | Path) -> Run:
        """Read what `save` wrote, without pickle; its checksum is verified.

        Raises FileNotFoundError for no such file, CheckpointError (a ValueError) for damaged ones,
        for those of another version and for a checkpoint.
        """
        arrays, document = _checkpoints.read(Path(path))
        if document.get("kind") != "run":
            raise CheckpointError(
                f"{path} holds a {document.get('kind')}, not a finished run: go on from it with "
                "train(..., checkpoints=Checkpoints(folder, resume=True))"
            )
        words = document["words"]
        named = {name.removeprefix("snapshot."): name for name in arrays if "snapshot." in name}
        return cls(
            initial=arrays["initial"],
            vectors=WordVectors(words, arrays["embeddings"]),
            trace=Trace.of(arrays),
            settings=document["settings"],
            context=WordVectors(words, arrays["context"]) if "context" in arrays else None,
            snapshots={int(step): arrays[named[step]] for step in sorted(named, key=int)},
        )

    def __repr__(self) -> str:
        s = self.settings
        size, dim = self.initial.shape
        weighting = textwrap.shorten(s["weighting"], 60)
        kind = "all pairs" if s["pairs"] is None else f"pairs of the {s['pairs']['kind']}"
        return (
            f"Run({s['loss']}, {weighting}, V = {size:,}, d = {dim}, {kind}, "
            f"{s['steps']:,} steps to t = {self.trace.time[-1]:.4g}, "
            f"loss {self.trace.loss[0]:.5g} -> {self.trace.loss[-1]:.5g})"
        )
