"""Training: word2vec and its quartic model by gradient descent, on a CPU or a GPU.

`lr` is the step of the flow dW/dt = (M* - W W^T) W / 2 of the theory, and of its counterpart for
any other loss and weighting, -(1/2g) grad L with g the mean of G. So time = lr x step, in the units
of the eigenvalues of M*. See `qw2v.losses` for the losses and `qw2v.sampling` for minibatches.

Products are in full precision of the type chosen: TF32 stays off, as torch has it by default.
"""

from __future__ import annotations

import datetime
import platform
import re
import textwrap
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from qw2v import _checkpoints, _checks
from qw2v._checkpoints import CheckpointError, Trace
from qw2v._environment import available_memory, progress_bar
from qw2v.evaluation import evaluate
from qw2v.statistics import CorpusStatistics
from qw2v.vectors import WordVectors
from qw2v.weighting import Setting31, Weighting

try:
    import safetensors  # noqa: F401
    import torch
except ImportError as error:
    raise ImportError(
        f"training needs torch and safetensors ({error}): `pip install torch safetensors`"
    ) from error

from qw2v.training import losses, pairs

__all__ = ["CheckpointError", "DivergenceError", "Run", "Trace", "train"]

MODES = ("full", "sampled")
INTEGRATORS = ("euler", "rk4")
DEVICES = ("auto", "cuda", "mps", "cpu")
DTYPES = {"float32": torch.float32, "float64": torch.float64}
# Rounding of the learned modes in float32, about 1e-7 of them, would seed the later ones.
_SMALL_START = 1e-5
_LOOK = 20  # steps between looks at whether all is finite
_BLOWN_UP = 1.5  # times the loss at the start
_RUNGE_KUTTA_LIMIT = 2.785  # h |lambda| of classical RK4 on the negative real axis
# What may differ between a run and the one that goes on with it.
_CIRCUMSTANCES = (
    "machine", "device", "date", "seconds", "versions", "source", "lambda_1", "lambda_min",
)  # fmt: skip


class DivergenceError(ArithmeticError):
    """Training that blew up; says which learning rate would be stable."""


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
                "train(..., folder=..., resume=True)"
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
        return (
            f"Run({s['loss']}, {weighting}, V = {size:,}, d = {dim}, {s['mode']}, "
            f"{s['steps']:,} steps to t = {self.trace.time[-1]:.4g}, "
            f"loss {self.trace.loss[0]:.5g} -> {self.trace.loss[-1]:.5g})"
        )


def train(
    stats: CorpusStatistics,
    *,
    loss: str = "qwem",
    weighting: Weighting | None = None,
    dim: int = 200,
    mode: str = "full",
    integrator: str = "euler",
    batch: int = 50_000,
    draw: str = "weighted",
    corpus: NDArray | None = None,
    init_scale: float = 1e-3,
    W0: Any = None,
    tied: bool = True,
    steps: int,
    lr: float,
    schedule: str = "constant",
    seed: int = 0,
    device: str = "auto",
    dtype: str = "auto",
    trace_points: int | Sequence[int] = 120,
    checkpoints: int | Sequence[int] = 16,
    folder: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
) -> Run:
    """Train word embeddings by gradient descent and follow them in the theory's time.

    Parameters
    ----------
    stats : the counts to train on.
    loss : "qwem", quartic (Equation 3), or "sgns", word2vec's own (Equation 2).
    weighting : Psi+ and Psi-; Setting 3.1 by default, `weighting.Word2Vec(...)` for word2vec's.
    dim : d.
    mode : "full", the exact gradient over all V x V pairs, or "sampled", that of minibatches.
    integrator : "euler" is gradient descent; "rk4" (full) follows the flow to fourth order, for
        four gradients a step.
    batch, draw : sampled, the number of positive pairs a step, and of negative ones; "weighted"
        draws them by their weights, "plain" draws from P_ij and P_i P_j and weighs them. On average
        both move as the full gradient does (see `qw2v.sampling`).
    corpus : sampled, running text to take pairs from instead, as word2vec does: (N,) ranks in
        `stats.words`, -1 between documents (`pairs.word_ids` makes them).
    init_scale : sigma. The entries of W(0) are normal with standard deviation sigma / sqrt(d), so
        that every mode starts at about sigma, whatever d, as Result 3 assumes; 1e-12 is possible.
    W0 : (V, d) array to start from instead; untied, a pair of them.
    tied : one vector a word (the paper); False learns context vectors W' of their own. From equal
        starts the two move alike.
    steps, lr : number of steps, and the length of each in time: t = lr x step. Stable while
        lr lambda_1 < 2 and lr (lambda_1 - lambda_min) < 4, where lambda_1 is the largest and
        lambda_min the least eigenvalue of M* (see `steps.relaxation_rates`; of G o M* over the mean
        of G, roughly, where G is not 1).
    schedule : "constant", or "step": a tenth of lr in the last quarter of the steps, as in the
        paper.
    seed : of the start and of all pairs. Same seed, machine and number of threads: same bits.
    device : "auto" takes a CUDA GPU, else Apple's (mps), else the CPU.
    dtype : "float32" or "float64"; "auto" takes float64 for starts below 1e-5.
    trace_points, checkpoints : how many of the steps, evenly in the logarithm, enter the trace and
        the snapshots; or the steps themselves. The trace holds those of the snapshots too.
    folder : where checkpoints are kept, to go on from after an interruption.
    resume : go on from the last checkpoint in `folder`, bit for bit as if never stopped.
    progress : show loss, t / tau_1, the time left, and the analogies that the last snapshot
        completed, where the vocabulary has any.

    Returns
    -------
    Run

    Raises ValueError for options out of range, MemoryError before it would take too much,
    DivergenceError (an ArithmeticError) where training blows up, CheckpointError for a checkpoint
    that is damaged or of another run, FileExistsError for a folder in use, RuntimeError where there
    is no such device. A KeyboardInterrupt leaves a checkpoint in `folder`.

    >>> stats = CorpusStatistics.from_texts(["a b c a b d", "c d a"], vocab_size=4, window=2)
    >>> run = train(stats, dim=1, steps=400, lr=0.2, init_scale=0.1)
    >>> run.vectors.matrix.shape, round(float(run.trace.time[-1]), 6)
    ((4, 1), 80.0)
    """
    traced = _steps_of("trace_points", trace_points, steps)
    kept = _steps_of("checkpoints", checkpoints, steps)
    options = _Options(
        loss=loss,
        weighting=Setting31() if weighting is None else weighting,
        dim=dim,
        mode=mode,
        integrator=integrator,
        batch=batch,
        draw=draw,
        corpus=None if corpus is None else pairs.fingerprint(corpus),
        init_scale=init_scale,
        tied=tied,
        steps=steps,
        lr=lr,
        schedule=schedule,
        seed=seed,
        trace=sorted(set(traced) | set(kept)),
        checkpoints=kept,
    )
    start = _start(options, stats.vocab_size, W0)
    kind = _dtype(dtype, start)
    device = _device(device, kind)
    _check_memory(options, stats, kind, device)
    trainer = _Trainer(stats, options, start, kind, device, corpus)
    return trainer.run(None if folder is None else Path(folder), resume, progress)


@dataclass(frozen=True)
class _Options:
    """What defines a run, checked."""

    loss: str
    weighting: Weighting
    dim: int
    mode: str
    integrator: str
    batch: int
    draw: str
    corpus: str | None  # its fingerprint
    init_scale: float
    tied: bool
    steps: int
    lr: float
    schedule: str
    seed: int
    trace: list[int]
    checkpoints: list[int]

    def __post_init__(self) -> None:
        _checks.choice("loss", self.loss, losses.LOSSES)
        _checks.choice("mode", self.mode, MODES)
        _checks.choice("integrator", self.integrator, INTEGRATORS)
        _checks.choice("draw", self.draw, pairs.DRAWS)
        _checks.choice("schedule", self.schedule, ("constant", "step"))
        for name, least in (("dim", 1), ("steps", 1), ("batch", 1), ("seed", 0)):
            value = getattr(self, name)
            if int(value) != value or value < least:
                raise ValueError(f"{name} must be a whole number of at least {least}, got {value}")
            object.__setattr__(self, name, int(value))  # numpy's numbers are nothing to JSON
        for name in ("lr", "init_scale"):
            value = getattr(self, name)
            if not (np.isfinite(value) and value > 0):
                raise ValueError(f"{name} must be positive and finite, received {value}")
            object.__setattr__(self, name, float(value))
        if self.mode == "full" and self.corpus is not None:
            raise ValueError("corpus= is sampled: pass mode='sampled', or leave it out")
        if self.mode == "sampled" and self.integrator != "euler":
            raise ValueError(
                f"integrator={self.integrator!r} needs the exact gradient: pass mode='full', or "
                "integrator='euler'"
            )

    @property
    def drop(self) -> int:
        """The step from which on lr is a tenth."""
        return self.steps if self.schedule == "constant" else -(-3 * self.steps // 4)

    def rate(self, step: int) -> float:
        """Return the length in time of this step."""
        return self.lr if step < self.drop else self.lr / 10

    def time(self, step: int) -> float:
        """Return the theory's time after so many steps."""
        return self.lr * min(step, self.drop) + self.lr / 10 * max(step - self.drop, 0)


def _analogies(words: list[str], W: np.ndarray) -> float | None:
    """Return the share of Google's analogies completed; None where none can be asked."""
    lengths = np.linalg.norm(W, axis=1)
    if not np.all(np.isfinite(lengths) & (lengths > 0)):
        return None
    return evaluate(WordVectors(words, W), similarities={}).accuracy


class _Trainer:
    """A run under way: `state` is (step, [W] or [W, W']), replaced whole at each step."""

    def __init__(self, stats, options, start, dtype, device, corpus):
        self.stats, self.options, self.start = stats, options, start
        self.pairs = _pairs(stats, options, dtype, device, corpus)
        self.population = losses.make(options.loss, stats, options.weighting, dtype, device)
        self.largest, self.least = _spectrum(self.population, stats.vocab_size, dtype, device)
        self.dtype, self.device = dtype, device
        self.state = 0, self._on_device(start)
        self.rows: dict[int, tuple[float, np.ndarray]] = {}
        self.snapshots: dict[int, np.ndarray] = {}
        self.accuracy: float | None = None  # of the last snapshot, for the progress bar
        self.ceiling = np.inf
        size = f"{torch.get_num_threads()} threads" if device.type == "cpu" else _gpu_name(device)
        self.settings = {
            **asdict(options),
            "weighting": repr(options.weighting),
            "dtype": str(dtype).removeprefix("torch."),
            "statistics": stats.fingerprint,
            "vocab_size": stats.vocab_size,
            "start": _digest(start),
            "lambda_1": self.largest,
            "lambda_min": self.least,
            "source": stats.source,
            "device": device.type,
            "machine": f"{platform.machine()} {platform.system()}, {_processor()}, {size}",
            "versions": {"torch": torch.__version__, "numpy": np.__version__},
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }

    def run(self, folder: Path | None, resume: bool, progress: bool) -> Run:
        began = time.perf_counter()
        store = None if folder is None else _Store(folder, self, resume)
        if resume and store is None:
            raise ValueError("resume=True needs folder=, where the checkpoints are")
        options = self.options
        bar = progress_bar(
            f"Training {options.loss}", "step", options.steps, progress=progress, leave=False
        )
        try:
            with bar, torch.inference_mode():
                bar.update(self.state[0])
                self._loop(store, bar)
        except KeyboardInterrupt as interrupt:
            if store is not None:
                store.save()
                interrupt.add_note(
                    f"Step {self.state[0]:,} is kept in {folder}: resume=True goes on from there."
                )
            raise
        settings = {**self.settings, "seconds": round(time.perf_counter() - began, 2)}
        return self._result(settings)

    def _loop(self, store: _Store | None, bar: Any) -> None:
        options = self.options
        traced, kept = set(options.trace), set(options.checkpoints)
        move = self._runge_kutta if options.integrator == "rk4" else self._euler
        buffers = [torch.empty_like(W) for W in self.state[1]]
        spare = [torch.empty_like(W) for W in self.state[1]]
        while True:
            step, now = self.state
            if step in traced and step not in self.rows:
                self.rows[step] = self._look()
                bar.set_postfix_str(self._postfix(step), refresh=False)
            elif step % _LOOK == 0 and not all(bool(torch.isfinite(W).all()) for W in now):
                raise self._diverged(step, "is not finite")
            if step in kept and step not in self.snapshots:
                self.snapshots[step] = now[0].cpu().numpy().copy()
                if store is not None:
                    store.save()
                if not bar.disable:
                    self.accuracy = _analogies(self.stats.words, self.snapshots[step])
                    bar.set_postfix_str(self._postfix(step), refresh=False)
            if step == options.steps:
                return
            move(step, now, buffers, spare)
            # One assignment: an interrupt finds either the old state or the new one.
            self.state = step + 1, spare
            spare = now
            bar.update()

    def _velocity(self, step, now, out) -> list[torch.Tensor]:
        if self.pairs is not None:
            self.pairs.draw(step).velocity(self.options.loss, now, out)
            return out
        self.population.velocity(now[0], now[-1], out[0])
        if len(now) == 2:
            self.population.velocity(now[1], now[0], out[1])
        return out

    def _euler(self, step, now, buffers, out) -> None:
        for W, slope, new in zip(now, self._velocity(step, now, buffers), out, strict=True):
            torch.add(W, slope, alpha=self.options.rate(step), out=new)

    def _runge_kutta(self, step, now, buffers, out) -> None:
        rate = self.options.rate(step)
        for new, W in zip(out, now, strict=True):
            new.copy_(W)
        slopes = self._velocity(step, now, buffers)
        for ahead, share in ((rate / 2, rate / 6), (rate / 2, rate / 3), (rate, rate / 3)):
            for new, slope in zip(out, slopes, strict=True):
                new.add_(slope, alpha=share)
            at = [torch.add(W, slope, alpha=ahead) for W, slope in zip(now, slopes, strict=True)]
            slopes = self._velocity(step, at, buffers)
        for new, slope in zip(out, slopes, strict=True):
            new.add_(slope, alpha=rate / 6)

    def _look(self) -> tuple[float, np.ndarray]:
        """Return loss and singular values; DivergenceError where they have blown up."""
        step, now = self.state
        loss = self.population.loss(now[0], now[-1])
        if not np.isfinite(loss) or loss > self.ceiling:
            raise self._diverged(step, f"has a loss of {loss:.4g}")
        if not self.rows:
            self.ceiling = _BLOWN_UP * loss
        W = now[0].cpu().double()
        return loss, torch.linalg.svdvals(torch.linalg.qr(W, mode="r")[1]).numpy()

    def _diverged(self, step: int, what: str) -> DivergenceError:
        limit = self.stable_lr()
        return DivergenceError(
            f"training diverged: W {what} at step {step:,}, t = {self.options.time(step):.4g}. "
            f"lr = {self.options.lr:.4g}, and G o M* / mean(G) has lambda_1 = {self.largest:.4g} "
            f"and lambda_min = {self.least:.4g}: the largest stable lr is about {limit:.3g}. "
            f"Try lr = {limit / 2:.2g}, with more steps for the same time"
        )

    def stable_lr(self) -> float:
        """Return the largest lr that is stable from the start to the end, as far as one can see.

        Where G is not 1, the pairs of frequent words curve the loss more than lambda_1 tells, once
        these words have grown: then the last snapshot has its say.
        """
        limit = 2.0 if self.options.integrator == "euler" else _RUNGE_KUTTA_LIMIT
        curvature = max(self.largest, (self.largest - self.least) / 2)
        if self.snapshots and not isinstance(self.options.weighting, Setting31):
            latest = torch.tensor(self.snapshots[max(self.snapshots)], device=self.device)
            curvature = max(curvature, _curvature(self.population, latest))
        return limit / curvature

    def _postfix(self, step: int) -> str:
        text, square = f"loss {self.rows[step][0]:.5g}", float(np.mean(np.square(self.start[0])))
        if self.accuracy is not None:
            text += f", analogies {self.accuracy:.1%}"
        if not 0 < square < self.largest:  # nothing to be learned from so small a start
            return text
        tau_1 = np.log(self.largest / square) / self.largest
        return f"{text}, t/tau_1 {self.options.time(step) / tau_1:.3g}"

    def _on_device(self, arrays: Sequence[np.ndarray]) -> list[torch.Tensor]:
        return [torch.tensor(W, dtype=self.dtype, device=self.device) for W in arrays]

    def trace(self) -> Trace:
        """Return what has been traced so far."""
        steps = sorted(self.rows)
        rank = min(self.start[0].shape)
        return Trace(
            np.array(steps, np.int64),
            np.array([self.options.time(step) for step in steps]),
            np.array([self.rows[step][0] for step in steps]),
            np.array([self.rows[step][1] for step in steps]).reshape(len(steps), rank),
        )

    def _result(self, settings: dict[str, Any]) -> Run:
        words, final = self.stats.words, [W.cpu().numpy().copy() for W in self.state[1]]
        return Run(
            initial=self.start[0].astype(final[0].dtype),
            vectors=WordVectors(words, final[0]),
            trace=self.trace(),
            settings=settings,
            context=None if self.options.tied else WordVectors(words, final[1]),
            snapshots=dict(sorted(self.snapshots.items())),
        )


class _Store:
    """The checkpoints of one run: a folder of step-N.safetensors."""

    def __init__(self, folder: Path, trainer: _Trainer, resume: bool):
        self.folder, self.trainer = folder, trainer
        folder.mkdir(parents=True, exist_ok=True)
        steps = sorted(
            int(match[1]) for file in folder.iterdir()
            if (match := re.fullmatch(r"step-(\d+)\.safetensors", file.name))
        )  # fmt: skip
        if steps and not resume:
            raise FileExistsError(
                f"{folder} holds checkpoints up to step {steps[-1]:,}: pass resume=True to go on "
                "from there, or choose another folder"
            )
        if steps:
            self._restore(steps)

    def save(self) -> None:
        """Write the state as it is; OSError where the disk is full, older checkpoints stay."""
        step, now = self.trainer.state
        arrays = {"embeddings": now[0].cpu().numpy(), **self.trainer.trace().arrays()}
        if len(now) == 2:
            arrays["context"] = now[1].cpu().numpy()
        document = {"kind": "checkpoint", "step": step, "settings": self.trainer.settings}
        try:
            _checkpoints.write(self._stem(step), arrays, document)
        except OSError as error:
            error.add_note(f"Checkpoints before step {step:,} are whole: resume=True goes on")
            raise

    def _restore(self, steps: list[int]) -> None:
        trainer = self.trainer
        kept = set(trainer.options.checkpoints)
        for step in steps:
            arrays, document = _checkpoints.read(self._stem(step))
            self._check(step, document)
            if step in kept:
                trainer.snapshots[step] = arrays["embeddings"]
        final = [arrays["embeddings"], *([arrays["context"]] if "context" in arrays else [])]
        trainer.state = steps[-1], trainer._on_device(final)
        trace = Trace.of(arrays)
        rows = zip(trace.loss.tolist(), trace.singular_values, strict=True)
        trainer.rows = dict(zip(trace.step.tolist(), rows, strict=True))
        if len(trace.loss):
            trainer.ceiling = _BLOWN_UP * float(trace.loss[0])

    def _check(self, step: int, document: dict[str, Any]) -> None:
        """CheckpointError unless the checkpoint belongs to the run that is asked for."""
        ours, theirs = self.trainer.settings, document.get("settings", {})
        for name in ours:
            if name not in _CIRCUMSTANCES and ours[name] != theirs.get(name):
                raise CheckpointError(
                    f"the checkpoint of step {step:,} in {self.folder} is of another run: its "
                    f"{name} is {theirs.get(name)!r}, here it is {ours[name]!r}. Give the options "
                    "it was made with, or choose another folder"
                )

    def _stem(self, step: int) -> Path:
        return self.folder / f"step-{step:08d}"


# --- Checks and small things ----------------------------------------------------------------------


def _steps_of(name: str, wanted: int | Sequence[int], steps: int) -> list[int]:
    """Return the steps themselves: 0, the last, and others evenly in the logarithm."""
    if np.ndim(wanted):
        chosen = sorted({int(step) for step in wanted})
        if chosen and not 0 <= chosen[0] <= chosen[-1] <= steps:
            raise ValueError(
                f"{name} must lie between 0 and steps = {steps:,}; received {chosen[0]:,} to "
                f"{chosen[-1]:,}"
            )
        return chosen
    if int(wanted) != wanted or wanted < 2:
        raise ValueError(f"{name} must be a number of at least 2, or steps; received {wanted}")
    # Before a thousandth of the run nothing has moved yet.
    spaced = np.geomspace(max(1, steps / 1000), max(1, steps), int(wanted) - 1)
    return sorted({0, int(steps), *np.rint(spaced).astype(int).tolist()})


def _start(options: _Options, size: int, W0: Any) -> list[np.ndarray]:
    """Return W(0), and W'(0) where untied, as float64 (V, d)."""
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
    if not all(np.isfinite(W).all() for W in given):
        raise ValueError("W0 must be finite; received NaN or infinity in it")
    return given


def _dtype(name: str, start: Sequence[np.ndarray]) -> torch.dtype:
    _checks.choice("dtype", name, ("auto", *DTYPES))
    if name == "auto":
        smallest = min(float(np.sqrt(np.mean(np.square(W)))) for W in start)
        name = "float64" if smallest < _SMALL_START else "float32"
    return DTYPES[name]


def _device(name: str, dtype: torch.dtype) -> torch.device:
    _checks.choice("device", name, DEVICES)
    there: dict[str, Callable[[], bool]] = {
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


def _pairs(stats, options, dtype, device, corpus):
    """Return what draws the minibatches, or None for the exact gradient."""
    if options.mode == "full":
        return None
    common = dict(seed=options.seed, dtype=dtype, device=device)
    if corpus is not None:
        return pairs.CorpusPairs(stats, options.weighting, options.batch, corpus, **common)
    return pairs.StatisticsPairs(stats, options.weighting, options.batch, options.draw, **common)


def _check_memory(options, stats, dtype, device) -> None:
    """MemoryError before tables would be made for which there is no room."""
    size, width = stats.vocab_size, torch.finfo(dtype).bits // 8
    tables = 1 if losses.factorises(options.loss, options.weighting) else 2
    copies = 8 + len(options.checkpoints)
    needed = tables * width * size**2 + copies * width * size * options.dim
    if options.mode == "sampled":
        needed += 28 * stats.pair_counts.nnz + 4 * width * options.batch * options.dim
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
    else:
        free = available_memory()
    if free is not None and needed > free:
        raise MemoryError(
            f"{tables} V x V tables at V = {size:,} in {dtype} and {copies} copies of W need "
            f"{needed / 2**30:.3g} GiB, and {free / 2**30:.3g} GiB are free: train on fewer words, "
            "stats.restrict(...)" + (", or in float32" if width == 8 else "")
        )


def _spectrum(population, size, dtype, device) -> tuple[float, float]:
    """Return the largest and the least eigenvalue of G o M* / mean(G), to a thousandth."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    def product(x: np.ndarray) -> np.ndarray:
        v = torch.as_tensor(x.reshape(size), dtype=dtype, device=device)
        return 2 * population.initial_pull(v).cpu().double().numpy()

    if size < 50:
        values = np.linalg.eigvalsh(np.array([product(row) for row in np.eye(size)]))
    else:
        operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
        start = np.random.default_rng(0).standard_normal(size)
        values = eigsh(operator, 2, which="BE", tol=1e-3, v0=start, return_eigenvectors=False)
    return float(np.max(values)), float(np.min(values))


def _curvature(population: losses.Population, W: torch.Tensor, rounds: int = 30) -> float:
    """Return the largest curvature of the loss at tied W, by powers of its Hessian."""
    slope = population.velocity(W, W, torch.empty_like(W))
    small, length = 1e-3 * float(torch.linalg.norm(W)), 0.0
    towards = slope / torch.linalg.norm(slope)
    for _ in range(rounds):
        moved = W + small * towards
        change = slope - population.velocity(moved, moved, torch.empty_like(W))
        length = float(torch.linalg.norm(change)) / small
        towards = change / (length * small)
    return length


def _digest(arrays: Sequence[np.ndarray]) -> str:
    import hashlib

    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array))
    return digest.hexdigest()[:32]


def _processor() -> str:
    """Return the processor's name as the system gives it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        return re.search(r"model name\s*:\s*(.+)", text)[1]
    except (OSError, TypeError):
        return platform.processor() or "unknown processor"


def _gpu_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
