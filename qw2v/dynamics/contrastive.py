r"""SimCLR and next-token prediction: softmax losses whose quartic model has the weights P_i P_j.

Views i, j of the same item form a positive pair with probability P_ij, and have the marginal P_i.
With x_ij = w_i . w_j the loss of SimCLR, for batches large enough to stand for all negatives, is

    L = -sum_ij P_ij x_ij + sum_i P_i log sum_k P_k e^(x_ik) .

(A temperature is a scale of W. SimCLR's own projection to the sphere is left out.) To second order
in x the logarithm is the mean plus half of the variance of x_ik over k. For centred embeddings,
sum_k P_k w_k = 0, the mean vanishes, and L = sum_ij P_i P_j ((W W^T)_ij - M_ij)^2 / 2 + const with

    M_ij = P_ij / (P_i P_j) - 1,

the factorisation of word2vec's quartic model with rank-one weights. The same loss, with i the word
that is seen and j the one that follows, is next-token prediction with a unigram bias.

Time is that of `qw2v.dynamics` for equal P_i = 1 / n: dW/dt = -(n^2 / 4) dL/dW, so that the model
is dW/dt = (M - W W^T) W / 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from qw2v._environment import progress_bar
from qw2v.dynamics._flow import integrate
from qw2v.statistics import CorpusStatistics
from qw2v.targets import Target

__all__ = [
    "Views",
    "flow",
    "infonce",
    "next_token",
    "nt_xent",
    "quartic",
    "sgd",
    "target",
    "toy",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Views:
    """A finite set of views: `points` (n, 2), their `circle` (n,), and `pair` (n, n), P_ij."""

    points: Array
    circle: NDArray[np.int64]
    pair: Array


def toy(per_circle: int = 24, spreads: ArrayLike = (0.5, 1.0), leak: float = 0.2) -> Views:
    """Return points on circles, whose augmentations are random turns and, rarely, another circle.

    An item is one of the `per_circle` points of one of the circles, all alike. A view of it turns
    it by a normal angle of standard deviation `spreads` (radians, one a circle), and moves it to
    one of the other circles with probability `leak`. A positive pair is two views of one item.
    Raises ValueError unless every spread is positive and 0 <= leak < 1.

    >>> views = toy(per_circle=10)
    >>> views.pair.shape, round(float(views.pair.sum()), 9)
    ((20, 20), 1.0)
    """
    spreads = np.asarray(spreads, dtype=float)
    if spreads.ndim != 1 or not (spreads > 0).all() or not 0 <= leak < 1:
        raise ValueError(
            "spreads must be positive, one a circle, and leak in [0, 1); received "
            f"{spreads} and {leak}"
        )
    circles = len(spreads)
    angle = 2 * np.pi * np.arange(per_circle) / per_circle
    wraps = 2 * np.pi * np.arange(-5, 6)
    turns = (angle[:, None] - angle)[:, :, None] + wraps
    stay = np.full((circles, circles), leak / max(circles - 1, 1))
    np.fill_diagonal(stay, 1 - leak if circles > 1 else 1)
    rows = []
    for spread, row in zip(spreads, stay, strict=True):
        turned = np.exp(-((turns / spread) ** 2) / 2).sum(axis=2)
        rows.append(np.kron(row, turned / turned.sum(axis=1, keepdims=True)))
    view = np.vstack(rows)  # the distribution of the views of each item
    radius = np.repeat(1 + np.arange(circles), per_circle)
    around = np.tile(angle, circles)
    points = radius[:, None] * np.column_stack([np.cos(around), np.sin(around)])
    return Views(points, radius - 1, view.T @ view / len(view))


def target(pair: ArrayLike) -> Array:
    """Return M_ij = P_ij / (P_i P_j) - 1 (n, n) of a symmetric table of positive pairs.

    Raises ValueError where `pair` is not a symmetric probability table with positive marginals.

    >>> target([[0.4, 0.1], [0.1, 0.4]]).round(2).tolist()
    [[0.6, -0.6], [-0.6, 0.6]]
    """
    pair, marginal = _table(pair)
    return pair / np.outer(marginal, marginal) - 1


def infonce(W: Array, pair: ArrayLike) -> tuple[float, Array]:
    """Return the loss of all positive pairs against all negatives, and its gradient (n, d).

    >>> loss, gradient = infonce(np.zeros((2, 1)), [[0.4, 0.1], [0.1, 0.4]])
    >>> loss, gradient.tolist()
    (0.0, [[0.0], [0.0]])
    """
    pair, marginal = _table(pair)
    x = W @ W.T
    top = x.max(axis=1, keepdims=True)
    grown = marginal * np.exp(x - top)
    total = grown.sum(axis=1, keepdims=True)
    loss = -np.sum(pair * x) + marginal @ (np.log(total) + top).ravel()
    slope = marginal[:, None] * grown / total - pair
    return float(loss), (slope + slope.T) @ W


def quartic(W: Array, pair: ArrayLike) -> tuple[float, Array]:
    """Return the second-order model of `infonce` around x = 0, and its gradient (n, d).

    Not assumed centred: sum_i P_i Var_k(x_ik) / 2 stands for the logarithm.

    >>> pair = np.array([[0.4, 0.1], [0.1, 0.4]])
    >>> W = 0.1 * np.ones((2, 1))
    >>> abs(quartic(W, pair)[0] - infonce(W, pair)[0]) < 1e-9
    True
    """
    pair, marginal = _table(pair)
    x = W @ W.T
    centred = x - (x @ marginal)[:, None]
    weight = np.outer(marginal, marginal)
    loss = np.sum((weight - pair) * x) + np.sum(weight * centred**2) / 2
    slope = weight * (1 + centred) - pair
    return float(loss), (slope + slope.T) @ W


def flow(
    W0: Array,
    times: ArrayLike,
    pair: ArrayLike,
    loss: Callable[[Array, Array], tuple[float, Array]] = infonce,
    *,
    rtol: float = 1e-8,
) -> Array:
    """Embeddings (T, n, d) of gradient flow on `loss` from W0, at `times` that ascend from t >= 0.

    >>> views = toy(per_circle=5)
    >>> W = flow(0.01 * np.eye(10)[:, :2], [0.0, 1.0], views.pair)
    >>> W.shape
    (2, 10, 2)
    """
    pair, _ = _table(pair)
    speed = len(pair) ** 2 / 4
    return integrate(lambda W: -speed * loss(W, pair)[1], W0, times, rtol=rtol)


def nt_xent(W: Array, first: ArrayLike, second: ArrayLike) -> tuple[float, Array]:
    """Return the loss of a batch of B positive pairs as SimCLR has it, and its gradient (n, d).

    first, second: (B,) views. Each of the 2 B views is told from the 2 B - 1 others by a softmax;
    the others are its negatives, and its partner is among them.

    >>> round(nt_xent(np.zeros((4, 1)), [0, 1], [2, 3])[0], 6)
    1.098612
    """
    chosen = np.concatenate([first, second])
    half = len(chosen) // 2
    partner = np.roll(np.arange(2 * half), half)
    U = W[chosen]
    x = U @ U.T
    np.fill_diagonal(x, -np.inf)
    top = x.max(axis=1, keepdims=True)
    share = np.exp(x - top)
    total = share.sum(axis=1, keepdims=True)
    rows = np.arange(2 * half)
    loss = np.mean((np.log(total) + top).ravel() - x[rows, partner])
    share /= total
    share[rows, partner] -= 1
    gradient = np.zeros_like(W)
    np.add.at(gradient, chosen, (share + share.T) @ U / (2 * half))
    return float(loss), gradient


def sgd(
    W0: Array,
    pair: ArrayLike,
    *,
    batch: int = 64,
    steps: int = 1_000,
    lr: float,
    seed: int = 0,
    every: int = 20,
    progress: bool = True,
) -> tuple[Array, Array]:
    """Return times (T,) and singular values (T, d) of SimCLR's own training: sampled batches.

    Each step draws `batch` positive pairs from P_ij and descends `nt_xent`; lr is the step of time.
    Raises ValueError for a batch of fewer than two pairs, which has no negatives.
    """
    pair, _ = _table(pair)
    if batch < 2:
        raise ValueError(f"batch must be at least 2 pairs; received {batch}")
    rng = np.random.default_rng(seed)
    ladder = np.cumsum(pair)
    W, trace = np.array(W0, dtype=float), []
    # A batch holds the partner among the negatives: all slopes shrink by (2 B - 2) / (2 B - 1).
    speed = len(pair) ** 2 / 4 * (2 * batch - 1) / (2 * batch - 2)
    with progress_bar("training", "step", steps, progress=progress, leave=False) as bar:
        for step in range(steps + 1):
            if step % every == 0:
                trace.append(np.linalg.svd(W, compute_uv=False))
            cell = np.searchsorted(ladder, rng.random(batch) * ladder[-1])
            W -= lr * speed * nt_xent(W, *np.divmod(cell, len(pair)))[1]
            bar.update()
    return lr * every * np.arange(float(len(trace))), np.array(trace)


def next_token(stats: CorpusStatistics) -> Target:
    """Return N_ij = P_ij / (P_i P_j)^(1/2) - (P_i P_j)^(1/2) as a Target (V, V).

    The matrix that a softmax over the words near a word, with a unigram bias, factorises,
    diag(P)^(1/2) M diag(P)^(1/2), M_ij = P(j | i) / P_j - 1. Its eigenvalues are in [-1, 1], and
    the embeddings are diag(P)^(-1/2) times its eigenvectors, scaled by the roots of its
    eigenvalues. Window and symmetry are those of the counts; P_i is the marginal of the pairs.

    >>> stats = CorpusStatistics.from_texts(["a b a c", "b a"], vocab_size=3, window=2)
    >>> bool(np.abs(next_token(stats) @ next_token(stats).scale).max() < 1e-12)
    True
    """
    counts = stats.pair_counts
    joint = counts / counts.sum()
    root = np.sqrt(np.asarray(joint.sum(axis=1)).ravel())
    if not (root > 0).all():
        silent = int(np.argmin(root))
        raise ValueError(
            f"every word must have a neighbour; {stats.words[silent]!r} has none. Count with a "
            "larger window, or restrict() to fewer words."
        )
    inverse = scipy.sparse.diags_array(1 / root)
    return Target(
        kind="ratio",
        words=stats.words,
        sparse=scipy.sparse.csr_array(inverse @ joint @ inverse),
        constant=-1.0,
        scale=root,
        fingerprint=f"ratio-{stats.fingerprint}",
    )


def _table(pair: ArrayLike) -> tuple[Array, Array]:
    pair = np.asarray(pair, dtype=float)
    if pair.ndim != 2 or pair.shape[0] != pair.shape[1] or not np.allclose(pair, pair.T):
        raise ValueError(f"pair must be a symmetric (n, n) table; received shape {pair.shape}")
    marginal = pair.sum(axis=1)
    if (pair < 0).any() or not (marginal > 0).all() or not np.isclose(marginal.sum(), 1):
        raise ValueError(
            "pair must hold probabilities that sum to 1, with positive marginals; received a sum "
            f"of {marginal.sum():.6g}, smallest entry {pair.min():.3g}, smallest marginal "
            f"{marginal.min():.3g}"
        )
    return pair, marginal
