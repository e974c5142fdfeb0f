"""Training: word2vec and its quartic model by gradient descent, on a CPU or a GPU.

`lr` is the step of the flow dW/dt = (M* - W W^T) W / 2 of the theory, and of its counterpart for
any other loss and weighting, -(1/2g) grad L with g the mean of G. So time = lr x step, in the units
of the eigenvalues of M*. See `losses` for the losses, `pairs` and `running` for minibatches.

Products are in full precision of the type chosen: TF32 stays off, as torch has it by default.
"""

from __future__ import annotations

import datetime
import hashlib
import platform
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from qw2v._checkpoints import Trace
from qw2v._environment import available_memory, progress_bar
from qw2v.evaluation import evaluate
from qw2v.statistics import CorpusStatistics
from qw2v.training import integrators, losses, threads
from qw2v.training.options import (
    Checkpoints,
    Options,
    Record,
    device_of,
    dtype_of,
    start_of,
)  # fmt: skip
from qw2v.training.pairs import Pairs
from qw2v.training.run import Run
from qw2v.training.store import Saved, Store, trace_of
from qw2v.vectors import WordVectors
from qw2v.weighting import Setting31, Weighting, describe, fingerprint, rank_one_factor

_LOOK = 20  # steps between looks at whether all is finite
_BLOWN_UP = 1.5  # times the loss at the start


class DivergenceError(ArithmeticError):
    """Training that blew up; says which learning rate would be stable."""


def train(
    stats: CorpusStatistics,
    *,
    loss: str = "qwem",
    weighting: Weighting | None = None,
    dim: int = 200,
    init_scale: float = 1e-3,
    W0: Any = None,
    tied: bool = True,
    steps: int,
    lr: float,
    schedule: str | float = "constant",
    integrator: str = "euler",
    pairs: Pairs | None = None,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "auto",
    record: Record = Record(),  # noqa: B008 (frozen)
    checkpoints: Checkpoints | None = None,
    progress: bool = True,
) -> Run:
    """Train word embeddings by gradient descent and follow them in the theory's time.

    Parameters
    ----------
    stats : CorpusStatistics
        The counts to train on.
    loss : str
        "qwem", quartic (Equation 3), or "sgns", word2vec's own (Equation 2).
    weighting : Weighting
        Psi+ and Psi-; Setting 3.1 by default, `weighting.Word2Vec(...)` for word2vec's.
    dim : int
        d.
    init_scale : float
        sigma. The entries of W(0) are normal with standard deviation sigma / sqrt(d), so that every
        mode starts at about sigma, whatever d, as Result 3 assumes; 1e-12 is possible.
    W0 : array_like, (V, d)
        Where to start instead; untied, a pair of them.
    tied : bool
        One vector a word (the paper); False learns context vectors W' of their own. From equal
        starts the two move alike.
    steps, lr : int, float
        The number of steps, and the length of each in time: t = lr x step. Gradient descent is
        stable while lr lambda_1 < 2 and lr (lambda_1 - lambda_min) < 4, where lambda_1 is the
        largest and lambda_min the least eigenvalue of M* (see `steps.relaxation_rates`; of G o M*
        over the mean of G, roughly, where G is not 1).
    schedule : str or float
        "constant", or "step": a tenth of lr in the last quarter of the steps, as in the paper. A
        number makes steps grow: each is this share of the time gone by, and at least lr.
    integrator : str
        "euler" is gradient descent. Two others follow the flow itself, with all pairs: "rk4" to
        fourth order, "chebyshev" to second, in long steps (see `integrators`).
    pairs : StatisticsPairs or CorpusPairs
        Where minibatches come from: drawn from the statistics, or met in running text. None takes
        the exact gradient, over all V x V pairs.
    seed : int
        Of the start and of all pairs. Same seed, machine and number of threads: same bits.
    device : str
        "auto" takes a CUDA GPU, else Apple's (mps), else the CPU.
    dtype : str
        "float32" or "float64"; "auto" takes float64 for starts below 1e-5.
    record : Record
        Which steps enter the trace and which the snapshots.
    checkpoints : Checkpoints
        Where to keep what it needs to go on after an interruption; None keeps nothing.
    progress : bool
        Show loss, t / tau_1, the time left, and the analogies that the last snapshot completed,
        where the vocabulary has any.

    Returns
    -------
    Run

    Raises
    ------
    ValueError
        For options out of range, and where no two words ever met.
    MemoryError
        Before it would take too much.
    DivergenceError
        Where training blows up (an ArithmeticError).
    CheckpointError
        For a checkpoint that is damaged or of another run (a ValueError).
    FileExistsError
        For a folder of checkpoints that is in use.
    RuntimeError
        Where there is no such device.
    KeyboardInterrupt
        Leaves a checkpoint where a folder for them was given.

    >>> stats = CorpusStatistics.from_texts(["a b c a b d", "c d a"], vocab_size=4, window=2)
    >>> run = train(stats, dim=1, steps=400, lr=0.2, init_scale=0.1)
    >>> run.vectors.matrix.shape, round(float(run.trace.time[-1]), 6)
    ((4, 1), 80.0)
    """
    options = Options(
        loss=loss,
        weighting=Setting31() if weighting is None else weighting,
        dim=dim,
        init_scale=init_scale,
        tied=tied,
        steps=steps,
        lr=lr,
        schedule=schedule,
        integrator=integrator,
        pairs=pairs,
        seed=seed,
        record=record,
    )
    if not stats.pair_counts.nnz:
        raise ValueError(
            f"no two of the {stats.vocab_size:,} words ever met in a window of {stats.window}, so "
            "there is nothing to train on: count more text, or longer documents"
        )
    start = start_of(options, stats.vocab_size, W0)
    kind = dtype_of(dtype, start)
    place = device_of(device, kind)
    _check_memory(options, stats, kind, place)
    with threads.for_work(4.0 * stats.vocab_size**2 * options.dim, place):
        return _Trainer(stats, options, start, kind, place).run(checkpoints, progress)


class _Trainer:
    """A run under way: `state` is (step, [W] or [W, W'], memory), replaced whole at each step."""

    def __init__(
        self,
        stats: CorpusStatistics,
        options: Options,
        start: list[NDArray[np.float64]],
        dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        self.stats, self.options, self.start = stats, options, start
        self.dtype, self.device = dtype, device
        self.sampler = None
        if options.pairs is not None:
            self.sampler = options.pairs.sampler(
                stats, options.weighting, seed=options.seed, dtype=dtype, device=device
            )
        self.population = losses.make(options.loss, stats, options.weighting, dtype, device)
        self.largest, self.least = _spectrum(self.population, stats.vocab_size, dtype, device)
        self.state: tuple[int, integrators.Arrays, integrators.Memory | None]
        self.state = 0, self._on_device(start), None
        self.rows: dict[int, tuple[float, NDArray[np.float64]]] = {}
        self.snapshots: dict[int, NDArray[Any]] = {}
        self.accuracy: float | None = None  # of the last snapshot, for the progress bar
        self.ceiling = np.inf
        self.settings = {
            **options.settings(),
            "weighting": describe(options.weighting),
            "weighting_fingerprint": fingerprint(options.weighting, stats),
            "dtype": str(dtype).removeprefix("torch."),
            "statistics": stats.fingerprint,
            "vocab_size": stats.vocab_size,
            "start": _digest(start),
            "lambda_1": self.largest,
            "lambda_min": self.least,
            "source": stats.source,
            "device": device.type,
            "machine": _machine(device),
            "versions": {"torch": torch.__version__, "numpy": np.__version__},
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }

    def run(self, checkpoints: Checkpoints | None, progress: bool) -> Run:
        began = time.perf_counter()
        store = None if checkpoints is None else Store(checkpoints, self.settings)
        if store is not None and (saved := store.load(self.options.snapshots)) is not None:
            self._restore(saved)
        bar = progress_bar(
            f"Training {self.options.loss}",
            "step",
            self.options.steps,
            progress=progress,
            leave=False,
        )
        try:
            with bar, torch.inference_mode():
                bar.update(self.state[0])
                self._loop(store, bar)
        except KeyboardInterrupt as interrupt:
            if store is not None:
                store.save(self._saved())
                interrupt.add_note(
                    f"Step {self.state[0]:,} is kept in {store.folder}: "
                    "Checkpoints(folder, resume=True) goes on from there."
                )
            raise
        settings = {**self.settings, "seconds": round(time.perf_counter() - began, 2)}
        return self._result(settings)

    def _loop(self, store: Store | None, bar: Any) -> None:
        options = self.options
        traced, kept = set(options.trace), set(options.snapshots)
        move = integrators.INTEGRATORS[options.integrator]
        buffers = [torch.empty_like(W) for W in self.state[1]]
        spare = [torch.empty_like(W) for W in self.state[1]]
        while True:
            step, now, memory = self.state
            if step in traced and step not in self.rows:
                self.rows[step] = self._measure()
                bar.set_postfix_str(self._postfix(step), refresh=False)
            elif step % _LOOK == 0 and not all(bool(torch.isfinite(W).all()) for W in now):
                raise self._diverged(step, "is not finite")
            if step in kept and step not in self.snapshots:
                self.snapshots[step] = now[0].cpu().numpy().copy()
                if store is not None:
                    store.save(self._saved())
                if not bar.disable:
                    self.accuracy = _analogies(self.stats.words, self.snapshots[step])
                    bar.set_postfix_str(self._postfix(step), refresh=False)
            if step == options.steps:
                return
            memory = move(self._velocity, now, options.rate(step), buffers, spare, memory)
            # One assignment: an interrupt finds either the old state or the new one.
            self.state = step + 1, spare, memory
            spare = now
            bar.update()

    def _velocity(self, now: integrators.Arrays, out: integrators.Arrays) -> integrators.Arrays:
        if self.sampler is not None:
            self.sampler.draw(self.state[0]).velocity(self.options.loss, now, out)
            return out
        return _all_pairs(self.population, now, out)

    def _measure(self) -> tuple[float, NDArray[np.float64]]:
        """Return loss and singular values; DivergenceError where they have blown up."""
        step, now, _ = self.state
        loss = self.population.loss(now[0], now[-1])
        if not np.isfinite(loss) or loss > self.ceiling:
            raise self._diverged(step, f"has a loss of {loss:.4g}")
        if not self.rows:
            self.ceiling = _BLOWN_UP * loss
        W = now[0].cpu().double()
        return loss, torch.linalg.svdvals(torch.linalg.qr(W, mode="r")[1]).numpy()

    def _diverged(self, step: int, what: str) -> DivergenceError:
        lr, limit = self.options.lr, self.stable_lr()
        message = (
            f"training diverged: W {what} at step {step:,}, t = {self.options.times[step]:.4g}. "
            f"lr = {lr:.4g}, and G o M* / mean(G) has lambda_1 = {self.largest:.4g} "
            f"and lambda_min = {self.least:.4g}: "
        )
        if limit < lr:
            message += f"the largest stable lr is about {limit:.3g}. "
        else:
            noise = "" if self.sampler is None else ", and the noise of minibatches needs less; "
            message += f"lr up to {limit:.3g} would be stable on all pairs near the start" + (
                noise or ", and this run needs less. "
            )
            message += "" if not noise else "more pairs a step make less noise. "
        advised = min(limit / 2, lr / 4)
        return DivergenceError(
            message + f"Try lr = {advised:.2g}, with more steps for the same time"
        )

    def stable_lr(self) -> float:
        """Return the largest lr that is stable from the start to the end, as far as one can see.

        The pairs of frequent words curve the loss more than lambda_1 tells once these words have
        grown, where G is not 1, and so does a large start: the start and the last snapshot have
        their say.
        """
        euler = self.options.integrator == "euler"
        limit = integrators.EULER_LIMIT if euler else integrators.RUNGE_KUTTA_LIMIT
        curvature = max(self.largest, (self.largest - self.least) / 2)
        g = rank_one_factor(self.options.weighting, self.stats)
        seen = [self._on_device(self.start)]
        if self.snapshots and (g is None or np.ptp(g) > 0):
            latest = self._on_device([self.snapshots[max(self.snapshots)]])
            seen.append(latest * len(self.start))
        for W in seen:
            found = integrators.curvature(lambda now, out: _all_pairs(self.population, now, out), W)
            curvature = max(curvature, found if np.isfinite(found) else 0)
        return limit / curvature

    def _postfix(self, step: int) -> str:
        text, square = f"loss {self.rows[step][0]:.5g}", float(np.mean(np.square(self.start[0])))
        if self.accuracy is not None:
            text += f", analogies {self.accuracy:.1%}"
        square *= self.options.dim  # that of a mode
        if not 0 < square < self.largest:  # nothing to be learned from so small a start
            return text
        tau_1 = np.log(self.largest / square) / self.largest
        return f"{text}, t/tau_1 {self.options.times[step] / tau_1:.3g}"

    def _on_device(self, arrays: Sequence[NDArray[Any]]) -> integrators.Arrays:
        return [torch.tensor(W, dtype=self.dtype, device=self.device) for W in arrays]

    def _saved(self) -> Saved:
        step, now, memory = self.state
        along, rho = ([], None) if memory is None else memory
        arrays, directions = ([W.cpu().numpy() for W in part] for part in (now, along))
        return Saved(step, arrays, directions, rho, self._trace(), self.snapshots)

    def _restore(self, saved: Saved) -> None:
        memory = None
        if saved.rho is not None:
            memory = integrators.Memory(self._on_device(saved.along), saved.rho)
        self.state = saved.step, self._on_device(saved.arrays), memory
        self.snapshots = dict(saved.snapshots)
        trace = saved.trace
        rows = zip(trace.loss.tolist(), trace.singular_values, strict=True)
        self.rows = dict(zip(trace.step.tolist(), rows, strict=True))
        if len(trace.loss):
            self.ceiling = _BLOWN_UP * float(trace.loss[0])

    def _trace(self) -> Trace:
        return trace_of(self.rows, self.options.times, min(self.start[0].shape))

    def _result(self, settings: dict[str, Any]) -> Run:
        words, final = self.stats.words, [W.cpu().numpy().copy() for W in self.state[1]]
        return Run(
            initial=self.start[0].astype(final[0].dtype),
            vectors=WordVectors(words, final[0]),
            trace=self._trace(),
            settings=settings,
            context=None if self.options.tied else WordVectors(words, final[1]),
            snapshots=dict(sorted(self.snapshots.items())),
        )


def _all_pairs(
    population: losses.Population, now: integrators.Arrays, out: integrators.Arrays
) -> integrators.Arrays:
    """Write the exact direction of [W] or [W, W'] into `out`."""
    population.velocity(now[0], now[-1], out[0])
    if len(now) == 2:
        population.velocity(now[1], now[0], out[1])
    return out


def _analogies(words: list[str], W: NDArray[Any]) -> float | None:
    """Return the share of Google's analogies completed; None where none can be asked."""
    lengths = np.linalg.norm(W, axis=1)
    if not np.all(np.isfinite(lengths) & (lengths > 0)):
        return None
    return evaluate(WordVectors(words, W), similarities={}).accuracy


def _check_memory(
    options: Options, stats: CorpusStatistics, dtype: torch.dtype, device: torch.device
) -> None:
    """MemoryError before tables would be made for which there is no room."""
    size, width = stats.vocab_size, torch.finfo(dtype).bits // 8
    tables = 1 if losses.factorises(options.loss, stats, options.weighting) else 2
    copies = 8 + len(options.snapshots)
    needed = tables * width * size**2 + copies * width * size * options.dim
    if options.pairs is not None:
        batch = options.pairs.settings()["batch"]
        needed += 28 * stats.pair_counts.nnz + 4 * width * batch * options.dim
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


def _spectrum(
    population: losses.Population, size: int, dtype: torch.dtype, device: torch.device
) -> tuple[float, float]:
    """Return the largest and the least eigenvalue of G o M* / mean(G), to a thousandth."""
    from scipy.sparse.linalg import LinearOperator, eigsh

    def product(x: NDArray[Any]) -> NDArray[np.float64]:
        v = torch.as_tensor(x.reshape(size), dtype=dtype, device=device)
        return 2 * population.initial_pull(v).cpu().double().numpy()

    if size < 50:
        values = np.linalg.eigvalsh(np.array([product(row) for row in np.eye(size)]))
    else:
        operator = LinearOperator((size, size), matvec=product, dtype=np.float64)
        start = np.random.default_rng(0).standard_normal(size)
        values = eigsh(operator, 2, which="BE", tol=1e-3, v0=start, return_eigenvectors=False)
    return float(np.max(values)), float(np.min(values))


def _digest(arrays: Sequence[NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()[:32]


def _machine(device: torch.device) -> str:
    """Return what a record says of the machine."""
    if device.type == "cuda":
        work = torch.cuda.get_device_name(device)
    else:
        work = f"{torch.get_num_threads()} threads" if device.type == "cpu" else device.type
    return f"{platform.machine()} {platform.system()}, {_processor()}, {work}"


def _processor() -> str:
    """Return the processor's name as the system gives it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"model name\s*:\s*(.+)", text)
    return found[1] if found else platform.processor() or "unknown processor"
