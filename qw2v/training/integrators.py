r"""Steps along the flow dW/dt = F(W): gradient descent, and two that follow the flow itself.

- "euler", W + h F(W), is gradient descent: one gradient a step.
- "rk4", classical Runge-Kutta of fourth order: four gradients, and steps hardly longer.
- "chebyshev", Runge-Kutta-Chebyshev of second order (Sommeijer, Shampine and Verwer 1997): with s
  gradients a step it stays stable up to h = 0.65 s^2 / rho, where rho is the largest curvature. It
  is for flows in which frequent words curve the loss a thousand times more than the last modes:
  where Euler needs 6,000 gradients it needs 1,000. s is chosen at each step, from rho followed by
  one more gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

Arrays = list[torch.Tensor]
Velocity = Callable[[Arrays, Arrays], Arrays]
"""Writes F of the arrays given first into those given second, and returns these."""

# h |lambda| on the negative real axis, where a step is still stable.
EULER_LIMIT, RUNGE_KUTTA_LIMIT = 2.0, 2.785
_CHEBYSHEV_LIMIT = 0.65  # times s^2 - 1
_MARGIN = 1.15  # of rho, which lags behind by a step
_SLOWLY = 0.98  # how much of rho stays from one step to the next, at least
_ROUNDS = 12  # of the power method at the start
_NUDGE = 1e-3  # of |W|: how far to look for the change of F


class Memory(NamedTuple):
    """What "chebyshev" knows from the steps before: the largest curvature, and along which way."""

    along: Arrays
    rho: float


def euler(
    velocity: Velocity,
    now: Arrays,
    rate: float,
    buffers: Arrays,
    out: Arrays,
    memory: Memory | None,
) -> None:
    """Write W + h F(W) into `out`."""
    for W, slope, new in zip(now, velocity(now, buffers), out, strict=True):
        torch.add(W, slope, alpha=rate, out=new)


def rk4(
    velocity: Velocity,
    now: Arrays,
    rate: float,
    buffers: Arrays,
    out: Arrays,
    memory: Memory | None,
) -> None:
    """Write where the flow is after a time h into `out`, to fourth order."""
    for new, W in zip(out, now, strict=True):
        new.copy_(W)
    slopes = velocity(now, buffers)
    for ahead, share in ((rate / 2, rate / 6), (rate / 2, rate / 3), (rate, rate / 3)):
        for new, slope in zip(out, slopes, strict=True):
            new.add_(slope, alpha=share)
        at = [torch.add(W, slope, alpha=ahead) for W, slope in zip(now, slopes, strict=True)]
        slopes = velocity(at, buffers)
    for new, slope in zip(out, slopes, strict=True):
        new.add_(slope, alpha=rate / 6)


def chebyshev(
    velocity: Velocity,
    now: Arrays,
    rate: float,
    buffers: Arrays,
    out: Arrays,
    memory: Memory | None,
) -> Memory:
    """Write where the flow is after a time h into `out`, to second order; return what was learned.

    The first call makes its own memory, from a random direction that is always the same.
    """
    first = [slope.clone() for slope in velocity(now, buffers)]
    memory = _followed(velocity, now, first, buffers, memory)
    start, *later = chebyshev_weights(stages(rate, memory.rho))
    older = [W.clone() for W in now]
    at = [torch.add(W, F, alpha=start * rate) for W, F in zip(now, first, strict=True)]
    for mu, nu, fresh, initial in later:
        slopes = velocity(at, buffers)
        for W, F, old, W0, F0 in zip(at, slopes, older, now, first, strict=True):
            old.mul_(nu).add_(W, alpha=mu).add_(W0, alpha=1 - mu - nu)
            old.add_(F, alpha=fresh * rate).add_(F0, alpha=initial * rate)
        older, at = at, older
    for new, W in zip(out, at, strict=True):
        new.copy_(W)
    return memory


def stages(rate: float, rho: float) -> int:
    """Return s, the number of gradients that keep a "chebyshev" step of this length stable.

    >>> stages(rate=0.01, rho=100), stages(rate=1.0, rho=100)
    (2, 14)
    """
    return max(2, int(np.ceil(np.sqrt(1 + _MARGIN * rate * rho / _CHEBYSHEV_LIMIT))))


def _followed(
    velocity: Velocity, now: Arrays, first: Arrays, buffers: Arrays, memory: Memory | None
) -> Memory:
    """Return the largest curvature and its direction at W: a few rounds at first, then one."""
    if memory is None:
        random = torch.Generator().manual_seed(0)
        memory = Memory([torch.randn(W.shape, generator=random).to(W) for W in now], 0.0)
    along, rho = memory
    for _ in range(1 if rho else _ROUNDS):
        change = curved(velocity, now, first, along, buffers)
        length = norm(change)
        along = [part / length for part in change]
        # The direction may lie a little behind; the curvature does not fall fast.
        rho = max(length, _SLOWLY * rho)
    return Memory(along, rho)


@lru_cache(maxsize=256)
def chebyshev_weights(stages: int) -> tuple:
    """Return the weight of the first stage, and (mu, nu, of F, of F at the start) of the others.

    >>> float(chebyshev_weights(2)[0]) > 0
    True
    """
    w0 = 1 + 2 / 13 / stages**2
    T, D, S = [1.0, w0], [0.0, 1.0], [0.0, 0.0]  # Chebyshev's polynomials and two derivatives
    for _ in range(2, stages + 1):
        T.append(2 * w0 * T[-1] - T[-2])
        S.append(2 * w0 * S[-1] - S[-2] + 4 * D[-1])
        D.append(2 * w0 * D[-1] - D[-2] + 2 * T[-2])
    w1 = D[stages] / S[stages]
    b = [0.0, 0.0] + [S[j] / D[j] ** 2 for j in range(2, stages + 1)]
    b[0] = b[1] = b[2]
    later = []
    for j in range(2, stages + 1):
        fresh = 2 * b[j] * w1 / b[j - 1]
        mu, nu = 2 * b[j] * w0 / b[j - 1], -b[j] / b[j - 2]
        later.append((mu, nu, fresh, -(1 - b[j - 1] * T[j - 1]) * fresh))
    return b[1] * w1, *later


def curved(
    velocity: Velocity, now: Arrays, slope: Arrays, along: Arrays, buffers: Arrays
) -> Arrays:
    """Return how F changes along a direction of length one, per length: the Hessian times it."""
    small = _NUDGE * norm(now) / norm(along)
    moved = [torch.add(W, part, alpha=small) for W, part in zip(now, along, strict=True)]
    length = small * norm(along)
    changed = velocity(moved, buffers)
    return [(old - new) / length for old, new in zip(slope, changed, strict=True)]


INTEGRATORS = {"euler": euler, "rk4": rk4, "chebyshev": chebyshev}


def curvature(velocity: Velocity, now: Arrays, rounds: int = 30) -> float:
    """Return the largest curvature of the loss at W, by powers of its Hessian."""
    buffers = [torch.empty_like(W) for W in now]
    slope = [part.clone() for part in velocity(now, buffers)]
    along, length = [part / norm(slope) for part in slope], 0.0
    for _ in range(rounds):
        change = curved(velocity, now, slope, along, buffers)
        length = norm(change)
        along = [part / length for part in change]
    return length


def norm(arrays: Arrays) -> float:
    """Return the root of the sum of all squares."""
    return float(np.sqrt(sum(float(torch.linalg.norm(part)) ** 2 for part in arrays)))
