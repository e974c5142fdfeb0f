"""Embeddings followed in time: what every closed form of the dynamics can be asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qw2v._environment import progress_bar
from qw2v.dynamics._lemma import Array, checked_times
from qw2v.spectrum import Symmetric


class Trajectory(ABC):
    """Embeddings followed in time, in closed form.

    Made by `aligned`, `vanishing`, `exact` and `untied.exact`. `eigenvalues` (n,) and
    `eigenvectors` (V, n) are the modes the path lives in, descending, and `learning_times` (d,) are
    the tau_k. Every method takes a time t >= 0 or an array of T times (t may be infinite), and an
    array of times puts an axis of length T in front of the result.
    """

    eigenvalues: Array
    eigenvectors: Array
    learning_times: Array

    @abstractmethod
    def _moments(self, t: float) -> tuple[Array, Array]:
        """Singular values (d,), descending, and the diagonal v_i^T W W^T v_i (n,)."""

    @abstractmethod
    def _directions(self, t: float) -> tuple[Array, Array]:
        """Singular values (d,), descending, and left singular vectors (n, d) in the modes."""

    @abstractmethod
    def _embed(self, t: float) -> Array:
        """Embeddings (V, d)."""

    def singular_values(self, t: ArrayLike) -> Array:
        """Singular values of W(t), descending: (d,), or (T, d) for T times."""
        return self._each(t, lambda u: self._moments(u)[0])

    def loss(self, t: ArrayLike) -> Array:
        """Loss ||W W^T - M*||_F^2 / 4 at t (Theorem 1, less its constant), over all of M*.

        Exact to rounding of the largest of the squares, about 1e-16 ||M*||_F^2.
        """
        return self._each(t, self._loss)

    def participation_ratio(self, t: ArrayLike) -> Array:
        """Participation ratio (sum s_k^2)^2 / sum s_k^4 of the eigenvalues of W W^T, in [1, d].

        It equals r where r modes are equal and the others zero; it is zero where W is zero.
        """
        return self._each(t, self._participation)

    def learned_modes(self, t: ArrayLike) -> Array:
        """How many modes have passed half of their final value, s_k^2 > lambda_k / 2."""
        return self._each(t, self._learned)

    def embeddings(self, t: ArrayLike) -> Array:
        """Embeddings W(t): (V, d), or (T, V, d). See the path's maker for the right rotation."""
        return self._each(t, self._embed)

    def overlaps(self, t: ArrayLike) -> Array:
        """Squared overlaps (v_k^T u_j)^2, (d, d), of the modes k with W's left vectors j.

        Rows are the top d modes; a column sums to less than one where u_j leaves their span.
        """
        return self._each(t, self._overlap)

    def _each(self, t: ArrayLike, function: Callable[[float], Any]) -> Array:
        times = checked_times(t)
        if times.ndim > 1:
            raise ValueError(
                "t must be a time or a one-dimensional array of times; received shape "
                f"{times.shape}"
            )
        if times.ndim == 0:
            return np.asarray(function(float(times)))[()]
        if len(times) < 16:
            return np.array([function(float(u)) for u in times])
        values = []
        with progress_bar("times", "time", len(times), progress=self.progress, leave=False) as bar:
            for u in times:
                values.append(function(float(u)))
                bar.update()
        return np.array(values)

    progress: bool = True
    _target: Symmetric

    @cached_property
    def _outside(self) -> float:
        """Part of ||M*||_F^2 outside the modes: a pass over M*, made where a loss is asked for."""
        if len(self.eigenvalues) == self._target.shape[0]:
            return 0.0
        inside = float(np.sum(self.eigenvalues**2))
        return max(self._target.frobenius_squared - inside, 0.0)

    def _loss(self, t: float) -> float:
        s, diagonal = self._moments(t)
        off_diagonal = max(float(np.sum(s**4) - np.sum(diagonal**2)), 0.0)
        return (self._outside + np.sum((self.eigenvalues - diagonal) ** 2) + off_diagonal) / 4

    def _participation(self, t: float) -> float:
        s = self._moments(t)[0]
        if s[0] == 0:
            return 0.0
        share = (s / s[0]) ** 2
        return share.sum() ** 2 / np.sum(share**2)

    def _learned(self, t: float) -> int:
        s = self._moments(t)[0][: len(self.eigenvalues)]
        values = self.eigenvalues[: len(s)]
        return int(np.sum((s**2 > values / 2) & (values > 0)))

    def _overlap(self, t: float) -> Array:
        directions = self._directions(t)[1]
        return directions[: directions.shape[1]] ** 2
