"""M* off the computed eigenvectors: a few Krylov blocks of it, and a bound on the rest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from qw2v.dynamics._lemma import Array
from qw2v.dynamics._riccati import State, log_phi
from qw2v.spectrum import Symmetric


@dataclass(frozen=True, eq=False)
class Tail:
    """What bounds the error of a truncated path: M* off the K eigenvectors, met by block Lanczos.

    With P the projector off the eigenvectors, P W0 = Q_1 root, T = Q^T M* Q = Y diag(ritz) Y^T over
    the blocks Q = [Q_1 .. Q_m], and M* Q - Q T = R in the last block alone. Then (Duhamel, twice)
    |W0^T P f(M*) P W0 - root^T f(T)_11 root| <= share(t) f(upper) W0^T P W0 for f = e^(. t), with
    share = (integral over [0, t] of |R [e^((T - upper) s)]_m1|)^2, and at most one in any case. It
    grows with t, so that it holds for the integral of f over time, (e^(. t) - 1) / ., too.
    """

    root: Array  # (d, d)
    upper: float  # no eigenvalue off the computed eigenvectors is larger
    ritz: Array  # (n,)
    first: Array  # (d, n) first block of rows of Y
    last: Array  # (d, n) R times the last block of rows of Y

    def error(self, t: float, state: State, inverse: Array) -> Array:
        """Return a bound (d,) on the error of the singular values; `inverse` is that of U."""
        s, part = state.singular_values, self.share(t)
        outer = self.root @ inverse
        inner = linalg.solve_triangular(state.triangle, np.eye(len(state.triangle)))

        def weighted(log_weight: float) -> float:
            """Largest eigenvalue of the tail, weighted, against C^T C."""
            scale = np.exp(np.minimum(0.5 * log_weight - state.log_scale, 300.0))
            product = (outer * scale) @ inner
            return part * float(np.linalg.norm(product, 2) if product.size else 0.0) ** 2

        above = weighted(self.upper * t)
        below = weighted(float(log_phi(np.float64(self.upper), t)))
        if not below < 1:
            return np.full_like(s, np.inf)
        square = (above + s**2 * below) / (1 - below)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(square > 0, np.minimum(np.sqrt(square), square / s), 0.0)

    def share(self, t: float) -> float:
        """Return share(t), at most one."""
        times, integral = self._integral
        return float(min(1.0, np.interp(t, times, integral) ** 2)) if t <= times[-1] else 1.0

    @cached_property
    def _integral(self) -> tuple[Array, Array]:
        """Upper sums of the integral over geometric steps, up to where it passes one."""
        time = 1e-3 / max(np.abs(self.ritz - self.upper).max(initial=0.0), 1e-200)
        times, integral, before = [0.0], [0.0], 0.0
        while len(times) < 400 and integral[-1] < 1:
            decay = np.exp(np.minimum((self.ritz - self.upper) * time, 0))
            bent = (self.last * decay) @ self.first.T
            now = float(np.linalg.norm(bent, 2)) if decay.size else 0.0
            integral.append(integral[-1] + max(before, now) * (time - times[-1]))
            times.append(time)
            before, time = now, time * 1.1
        return np.array(times), np.array(integral)


def extended(
    target: Symmetric, W0: Array, values: Array, vectors: Array, blocks: int
) -> tuple[Array, Array, Tail]:
    """Return eigenvalues, eigenvectors and Tail of M* in the span of `vectors` (V, K) and Krylov.

    Block Lanczos from what W0 has off the K eigenvectors; each block is one product M* @ (V, d).
    """
    table, modes, basis = target.prepared(), len(values), vectors
    images: list[Array] = []
    start = residual = _orthogonalise(W0, vectors)
    for _ in range(blocks):
        before = images[-1] if images else W0
        block = _column_space(residual, float(np.linalg.norm(before, 2)))
        basis = np.hstack([basis, block])
        images.append(np.asarray(table @ block.astype(table.dtype, copy=False), float))
        residual = _orthogonalise(images[-1], basis)
        if not residual.size:
            break
    inner, first, last = basis[:, modes:], images[0].shape[1], images[-1].shape[1]
    product = inner.T @ np.hstack(images)
    ritz, turn = np.linalg.eigh((product + product.T) / 2)
    coupling = np.linalg.qr(residual, mode="r")
    root = inner[:, :first].T @ start
    tail = Tail(root, float(values[-1]), ritz, turn[:first], coupling @ turn[len(turn) - last :])
    values = np.concatenate([values, ritz[::-1]])
    return values, np.hstack([vectors, inner @ turn[:, ::-1]]), tail


def _orthogonalise(block: Array, basis: Array) -> Array:
    for _ in range(2):  # twice is enough
        block = block - basis @ (basis.T @ block)
    return block


def _column_space(block: Array, scale: float) -> Array:
    """Orthonormal basis of the columns of `block`, without directions that are only rounding."""
    basis, triangle, _ = linalg.qr(block, mode="economic", pivoting=True)
    size = np.abs(np.diagonal(triangle))
    return basis[:, size > 4 * np.finfo(float).eps * np.sqrt(len(block)) * scale]
