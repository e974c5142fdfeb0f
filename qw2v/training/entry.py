"""Training: word2vec and its quartic model by gradient descent, on a CPU or a GPU.

`lr` is the step of the flow dW/dt = (M* - W W^T) W / 2 of the theory, and of its counterpart for
any other loss and weighting, -(1/2g) grad L with g the mean of G. So time = lr x step, in the units
of the eigenvalues of M*. See `losses` for the losses, `pairs` and `running` for minibatches.

Products are in full precision of the type chosen: TF32 stays off, as torch has it by default.
"""

from __future__ import annotations

from typing import Any

from qw2v.statistics import CorpusStatistics
from qw2v.training import threads
from qw2v.training.loop import Trainer
from qw2v.training.machine import check_memory
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
from qw2v.weighting import Setting31, Weighting


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

    Examples
    --------
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
    check_memory(options, stats, kind, place)
    with threads.for_work(4.0 * stats.vocab_size**2 * options.dim, place):
        return Trainer(stats, options, start, kind, place).run(checkpoints, progress)
