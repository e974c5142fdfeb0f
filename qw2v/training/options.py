"""What defines a run: the arguments of `train`, checked, and what follows from them alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from qw2v import _checks
from qw2v.training.integrators import INTEGRATORS
from qw2v.training.pairs import Pairs
from qw2v.weighting import Weighting

LOSSES = ("qwem", "sgns")
SCHEDULES = ("constant", "step")
DEVICES = ("auto", "cuda", "mps", "cpu")
DTYPES = {"float32": torch.float32, "float64": torch.float64}
# Rounding of the learned modes in float32, about 1e-7 of them, would seed the later ones.
_SMALL_START = 1e-5


@dataclass(frozen=True)
class Record:
    """What to keep of a run on its way.

    Parameters
    ----------
    trace : int or sequence of int
        The steps at which loss and singular values are measured: so many of them, evenly in the
        logarithm of time, or the steps themselves. Those of the snapshots are always among them.
    snapshots : int or sequence of int
        The steps at which W is kept, likewise.
    """

    trace: int | Sequence[int] = 120
    snapshots: int | Sequence[int] = 16


@dataclass(frozen=True)
class Checkpoints:
    """Where a run keeps what it needs to go on after an interruption.

    Parameters
    ----------
    folder : path
        Holds one file for each snapshot; it is made where it is not there.
    resume : bool
        Go on from the last checkpoint in the folder, bit for bit as if never stopped.
    """

    folder: str | os.PathLike[str]
    resume: bool = False


@dataclass(frozen=True)
class Options:
    """What defines a run, checked; `trace` and `snapshots` are steps."""

    loss: str
    weighting: Weighting
    dim: int
    init_scale: float
    tied: bool
    steps: int
    lr: float
    schedule: str | float
    integrator: str
    pairs: Pairs | None
    seed: int
    record: Record

    def __post_init__(self) -> None:
        _checks.choice("loss", self.loss, LOSSES)
        _checks.choice("integrator", self.integrator, INTEGRATORS)
        if isinstance(self.schedule, str):
            _checks.choice("schedule", self.schedule, SCHEDULES)
        else:
            self._set("schedule", _checks.positive("schedule", self.schedule))
        for name, least in (("dim", 1), ("steps", 1), ("seed", 0)):
            self._set(name, _checks.whole(name, getattr(self, name), least))
        for name in ("lr", "init_scale"):
            self._set(name, _checks.positive(name, getattr(self, name)))
        if not (self.pairs is None or callable(getattr(self.pairs, "sampler", None))):
            raise ValueError(
                "pairs must be None for all pairs at once, or StatisticsPairs(...) or "
                f"CorpusPairs(...); received {_checks.shown(self.pairs)}"
            )
        if self.pairs is not None and self.integrator != "euler":
            raise ValueError(
                f"integrator={self.integrator!r} needs the exact gradient: pass pairs=None, or "
                "integrator='euler'"
            )
        _ = self.trace  # its errors belong here

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """The theory's time before each step and at the end, (steps + 1,)."""
        return times_of_steps(self.steps, self.lr, self.schedule)

    def rate(self, step: int) -> float:
        """Return the length in time of this step."""
        if self.schedule == "constant":
            return self.lr
        if self.schedule == "step":
            return self.lr if step < -(-3 * self.steps // 4) else self.lr / 10
        return max(self.lr, float(self.schedule) * float(self.times[step]))

    @cached_property
    def snapshots(self) -> list[int]:
        """The steps at which W is kept."""
        return self._steps_of("snapshots", self.record.snapshots)

    @cached_property
    def trace(self) -> list[int]:
        """The steps at which loss and singular values are measured."""
        traced = self._steps_of("trace", self.record.trace)
        return sorted({*traced, *self.snapshots})

    def _steps_of(self, name: str, wanted: int | Sequence[int]) -> list[int]:
        if not isinstance(wanted, int | np.integer):
            chosen = sorted({int(step) for step in wanted})
            if chosen and not 0 <= chosen[0] <= chosen[-1] <= self.steps:
                raise ValueError(
                    f"{name} must lie between 0 and steps = {self.steps:,}; received "
                    f"{chosen[0]:,} to {chosen[-1]:,}"
                )
            return chosen
        if wanted < 2:
            raise ValueError(f"{name} must be a number of at least 2, or steps; received {wanted}")
        # Before a thousandth of the run nothing has moved yet.
        end = self.times[-1]
        spaced = np.geomspace(max(end / 1000, self.times[1]), end, int(wanted) - 1)
        later = np.clip(np.searchsorted(self.times, spaced), 1, self.steps)
        nearer = spaced - self.times[later - 1] < self.times[later] - spaced
        return sorted({0, self.steps, *np.where(nearer, later - 1, later).tolist()})

    def settings(self) -> dict[str, Any]:
        """Return what a file says of the run, fit for JSON; the weighting has its own place."""
        kept = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in ("weighting", "record"):
            del kept[name]
        pairs = None if self.pairs is None else self.pairs.settings()
        return {**kept, "pairs": pairs, "trace": self.trace, "snapshots": self.snapshots}


def times_of_steps(steps: int, lr: float, schedule: str | float = "constant") -> NDArray:
    """Return the theory's time before each step and at the end, (steps + 1,).

    >>> times_of_steps(4, 0.5, schedule=0.5)
    array([0.  , 0.5 , 1.  , 1.5 , 2.25])
    """
    if isinstance(schedule, float):
        times = [0.0]
        for _ in range(steps):
            times.append(times[-1] + max(lr, schedule * times[-1]))
        return np.array(times)
    step = np.arange(steps + 1)
    if schedule == "constant":
        return lr * step
    drop = -(-3 * steps // 4)
    return lr * np.minimum(step, drop) + lr / 10 * np.maximum(step - drop, 0)


def start_of(options: Options, size: int, W0: Any) -> list[NDArray[np.float64]]:
    """Return W(0), and W'(0) where untied, as float64 (V, d).

    An entry is N(0, sigma^2 / d), so that every mode starts at about sigma, whatever d.
    """
    shape, count = (size, options.dim), 1 if options.tied else 2
    if W0 is None:
        rng = np.random.default_rng(options.seed)
        entry = options.init_scale / np.sqrt(options.dim)
        return [entry * rng.standard_normal(shape) for _ in range(count)]
    given = [np.array(W0, float)] if options.tied else [np.array(W, float) for W in W0]
    if [W.shape for W in given] != [shape] * count:
        wanted = f"one array of shape {shape}" if options.tied else f"two arrays of shape {shape}"
        raise ValueError(
            f"W0 must be {wanted} (V, d); received {', '.join(str(W.shape) for W in given)}"
        )
    for W in given:
        _checks.finite("W0", W)
    return given


def dtype_of(name: str, start: Sequence[NDArray[np.float64]]) -> torch.dtype:
    """Return the type to compute in: "auto" takes float64 for small starts."""
    _checks.choice("dtype", name, ("auto", *DTYPES))
    if name == "auto":
        smallest = min(float(np.sqrt(np.mean(np.square(W)))) for W in start)
        name = "float64" if smallest < _SMALL_START else "float32"
    return DTYPES[name]


def device_of(name: str, dtype: torch.dtype) -> torch.device:
    """Return the device of that name; RuntimeError where there is none, or not for this type."""
    _checks.choice("device", name, DEVICES)
    there = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
        "cpu": lambda: True,
    }
    found = [kind for kind, available in there.items() if available()]
    if name != "auto" and name not in found:
        raise RuntimeError(
            f"device={name!r} was asked for, but torch {torch.__version__} finds none here, only "
            f"{', '.join(found)}: pass device='auto', or install a driver and a torch built for it"
        )
    if name == "mps" and dtype == torch.float64:
        raise RuntimeError(
            "mps has no float64, which starts below 1e-5 need: pass device='cpu', or "
            "dtype='float32' with a larger start"
        )
    if name == "auto" and dtype == torch.float64:
        found = [kind for kind in found if kind != "mps"]
    return torch.device(found[0] if name == "auto" else name)
