"""The checkpoints of one run: a folder of step-N.safetensors."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qw2v import _checkpoints
from qw2v._checkpoints import CheckpointError, Trace
from qw2v.training.options import Checkpoints

# What may differ between a run and the one that goes on with it.
CIRCUMSTANCES = (
    "machine", "device", "date", "seconds", "versions", "source", "lambda_1", "lambda_min",
)  # fmt: skip


@dataclass(frozen=True)
class Saved:
    """A run as it was at a step: its arrays, its trace so far, and its snapshots by step."""

    step: int
    arrays: list[NDArray[Any]]
    along: list[NDArray[Any]]
    rho: float | None
    trace: Trace
    snapshots: dict[int, NDArray[Any]]


class Store:
    """Writes and reads the checkpoints of the run with these settings.

    Raises FileExistsError for a folder that is in use, unless it is to be resumed.
    """

    def __init__(self, checkpoints: Checkpoints, settings: dict[str, Any]) -> None:
        self.folder, self.settings = Path(checkpoints.folder), settings
        self.folder.mkdir(parents=True, exist_ok=True)
        self._found = sorted(
            int(match[1]) for file in self.folder.iterdir()
            if (match := re.fullmatch(r"step-(\d+)\.safetensors", file.name))
        )  # fmt: skip
        if self._found and not checkpoints.resume:
            raise FileExistsError(
                f"{self.folder} holds checkpoints up to step {self._found[-1]:,}: pass resume=True "
                "to go on from there, or choose another folder"
            )

    def save(self, saved: Saved) -> None:
        """Write the state of one step; OSError where the disk is full, older ones stay."""
        names = ("embeddings", "context")
        arrays = {
            **dict(zip(names, saved.arrays, strict=False)),
            **{f"along.{k}": part for k, part in enumerate(saved.along)},
            **saved.trace.arrays(),
        }
        document = {
            "kind": "checkpoint", "step": saved.step, "rho": saved.rho, "settings": self.settings,
        }  # fmt: skip
        try:
            _checkpoints.write(self._stem(saved.step), arrays, document)
        except OSError as error:
            error.add_note(f"Checkpoints before step {saved.step:,} are whole: resume=True goes on")
            raise

    def load(self, snapshots: list[int]) -> Saved | None:
        """Return the last state with the snapshots at these steps; None where there is none yet.

        Raises CheckpointError for files that are damaged or of another run.
        """
        kept: dict[int, NDArray[Any]] = {}
        for step in self._found:
            arrays, document = _checkpoints.read(self._stem(step))
            self._check(step, document)
            if step in snapshots:
                kept[step] = arrays["embeddings"]
        if not self._found:
            return None
        return Saved(
            step=step,
            arrays=[arrays[name] for name in ("embeddings", "context") if name in arrays],
            along=[arrays[name] for name in ("along.0", "along.1") if name in arrays],
            rho=document["rho"],
            trace=Trace.of(arrays),
            snapshots=kept,
        )

    def _check(self, step: int, document: dict[str, Any]) -> None:
        theirs = document.get("settings", {})
        for name, ours in self.settings.items():
            if name not in CIRCUMSTANCES and ours != theirs.get(name):
                raise CheckpointError(
                    f"the checkpoint of step {step:,} in {self.folder} is of another run: its "
                    f"{name} is {theirs.get(name)!r}, here it is {ours!r}. Give the options it was "
                    "made with, or choose another folder"
                )

    def _stem(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"


def trace_of(
    rows: dict[int, tuple[float, NDArray[np.float64]]], times: NDArray[np.float64], rank: int
) -> Trace:
    """Return what was measured, by step, as a Trace."""
    steps = sorted(rows)
    return Trace(
        np.array(steps, np.int64),
        np.array([times[step] for step in steps]),
        np.array([rows[step][0] for step in steps]),
        np.array([rows[step][1] for step in steps]).reshape(len(steps), rank),
    )
