"""One run under way: steps, looks, snapshots, checkpoints, and what is said where it blows up."""

from __future__ import annotations

import datetime
import hashlib
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from qw2v._checkpoints import Trace
from qw2v._environment import progress_bar
from qw2v.evaluation import evaluate
from qw2v.statistics import CorpusStatistics
from qw2v.training import integrators, losses
from qw2v.training.machine import machine_name
from qw2v.training.options import (
    Checkpoints,
    Options,
)  # fmt: skip
from qw2v.training.run import Run
from qw2v.training.store import Saved, Store, trace_of
from qw2v.vectors import WordVectors
from qw2v.weighting import describe, fingerprint, rank_one_factor

_LOOK = 20  # steps between looks at whether all is finite
_DIVERGED = 1.5  # times the loss at the start


class DivergenceError(ArithmeticError):
    """Training that blew up; says which learning rate would be stable."""


class Trainer:
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
            "machine": machine_name(device),
            "versions": {"torch": torch.__version__, "numpy": np.__version__},
            "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        }

    def run(self, checkpoints: Checkpoints | None, progress: bool) -> Run:
        """Return the run, from the last checkpoint on where one may be taken up."""
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
            self.ceiling = _DIVERGED * loss
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
            self.ceiling = _DIVERGED * float(trace.loss[0])

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
