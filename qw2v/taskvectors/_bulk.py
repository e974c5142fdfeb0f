"""The law of the bulk, Marchenko and Pastur's, and its fit with a spike beside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import digamma, polygamma

Array = NDArray[np.float64]

_LARGEST_DIM = 1e9  # stands for no noise at all in the sizes of the bulk's eigenvalues


@dataclass(frozen=True)
class MarchenkoPastur:
    """The spectrum of X X^T for X (size, dim) of independent entries with variance scale / dim.

    `scale` is the mean eigenvalue. The law is that of large sizes; dim may be any real number.
    """

    size: float
    dim: float
    scale: float = 1.0

    @property
    def ratio(self) -> float:
        """Number of pairs over that of dimensions: the smaller, the narrower the bulk."""
        return self.size / self.dim

    def support(self) -> tuple[float, float]:
        """Return the ends of the bulk, scale (1 - sqrt(ratio))^2 and scale (1 + sqrt(ratio))^2.

        >>> MarchenkoPastur(size=100, dim=400).support()
        (0.25, 2.25)
        """
        root = np.sqrt(self.ratio)
        return float(self.scale * (1 - root) ** 2), float(self.scale * (1 + root) ** 2)

    def pdf(self, x: ArrayLike) -> Array:
        """Density sqrt((x - low)(high - x)) / (2 pi ratio scale x), of the positive eigenvalues.

        Its integral is one, or 1 / ratio where size > dim: the rest of the eigenvalues are zero.

        >>> MarchenkoPastur(size=100, dim=400).pdf([0.2, 1.0]).round(3)
        array([0.   , 0.616])
        """
        x = np.asarray(x, dtype=np.float64)
        low, high = self.support()
        inside = (x > low) & (x < high)
        at = np.where(inside, x, 1.0)
        root = np.sqrt(np.where(inside, (at - low) * (high - at), 0.0))
        return root / (2 * np.pi * self.ratio * self.scale * at)

    def cdf(self, x: ArrayLike) -> Array:
        """Share of the positive eigenvalues below x.

        By the trapezoidal rule in an angle, in which the density has no singular edge: to 1e-5.

        >>> MarchenkoPastur(size=100, dim=400).cdf([0.0, 1.0, 3.0]).round(3)
        array([0.   , 0.553, 1.   ])
        """
        low, high = self.support()
        angle = np.linspace(0, np.pi, 4097)
        slope = self.pdf(low + (high - low) * np.sin(angle / 2) ** 2) * np.sin(angle)
        total = np.concatenate([[0.0], np.cumsum(slope[1:] + slope[:-1])])
        place = np.clip((np.asarray(x, dtype=np.float64) - low) / (high - low), 0, 1)
        return np.interp(2 * np.arcsin(np.sqrt(place)), angle, total / total[-1])


@dataclass(frozen=True)
class BulkFit:
    """A Marchenko-Pastur bulk and a spike, found by `fit_bulk`.

    The spike is R = (d strength)^(1/2) u v^T + noise, with unit vectors u and v: its strength is
    the eigenvalue it would show without noise. Below `threshold` it cannot be told from the bulk.
    """

    bulk: MarchenkoPastur
    """Of all N pairs in d_eff = bulk.dim dimensions."""
    dim_error: float
    """Standard error of d_eff."""
    spike: float
    """The largest eigenvalue."""
    strength: float
    """Of the spike, noise taken off; zero where it does not stand out."""
    strength_error: float
    """Standard error of the strength; infinite where the spike does not stand out."""
    distance: float
    """Kolmogorov-Smirnov distance of the bulk's eigenvalues from the law."""

    @property
    def threshold(self) -> float:
        """The least strength that makes a spike, scale sqrt(ratio) (Baik, Ben Arous, Peche)."""
        return self.bulk.scale * float(np.sqrt(self.bulk.ratio))

    @property
    def expected_share(self) -> float:
        """Of the mean task vector in the spike, theta / (theta + ratio), were noise all there is.

        That is, were R = 1 mu^T + noise: |mean r|^2 holds strength and one noise eigenvalue's mean,
        the spike (1 + theta)(ratio + theta) / theta. Zero where the spike does not stand out.
        """
        return self.strength / (self.strength + self.bulk.scale * self.bulk.ratio)

    @property
    def stands_out(self) -> bool:
        """Whether the largest eigenvalue lies above the edge of the bulk."""
        return self.spike > self.bulk.support()[1]


def fit_bulk(eigenvalues: ArrayLike) -> BulkFit:
    """Fit a Marchenko-Pastur bulk to all eigenvalues of G but the largest, and read off the spike.

    `eigenvalues` (N,), all positive: it takes d >= N. The n = N - 1 eigenvalues l of the bulk are
    those of a Wishart matrix with m degrees of freedom, whose likelihood depends on them through
    mean(l) and mean(ln l) alone. Its maximum is at

        mean(ln l) - ln mean(l) = (1/n) sum_i psi((m - i + 1) / 2) - ln(m / 2),

    for any n, however small; the error is that of the Fisher information. The spike has taken one
    dimension with it, so that d_eff = m + 1. The spike's strength theta, in units of the bulk's
    scale, solves lambda_max = (1 + theta)(ratio + theta) / theta; its error, d_eff^(-1/2) times
    ((4 theta + 2 + 2 ratio) / (1 - ratio / theta^2))^(1/2), is good from twice the threshold on.

    Raises ValueError for fewer than three eigenvalues, and where one is not positive.

    >>> from qw2v.taskvectors import gram_spectrum
    >>> rng = np.random.default_rng(0)
    >>> fit = fit_bulk(gram_spectrum(rng.standard_normal((30, 90)) + 1))
    >>> round(fit.bulk.dim), round(fit.dim_error), round(fit.strength)
    (91, 5, 28)
    """
    values = np.sort(np.asarray(eigenvalues, dtype=np.float64))[::-1]
    if len(values) < 3:
        raise ValueError(f"a bulk needs three eigenvalues or more, received {len(values)}")
    if not values[-1] > values[0] * len(values) * np.finfo(float).eps:
        raise ValueError(
            f"the smallest of the {len(values)} eigenvalues is {values[-1]:.3g}, but all must be "
            "positive: take no fewer dimensions than there are pairs, and no pair twice"
        )
    size, rest = len(values), values[1:]
    index = np.arange(size - 1)
    spread = np.mean(np.log(rest)) - np.log(rest.mean())

    def excess(m: float) -> float:
        return float(np.mean(digamma((m - index) / 2)) - np.log(m / 2) - spread)

    m = _LARGEST_DIM if excess(_LARGEST_DIM) < 0 else brentq(excess, size - 2 + 1e-9, _LARGEST_DIM)
    information = np.sum(polygamma(1, (m - index) / 2)) / 4 - (size - 1) / (2 * m)
    bulk = MarchenkoPastur(size, m + 1, float(rest.mean()) * (m + 1) / m)
    seen = MarchenkoPastur(size - 1, m, float(rest.mean())).cdf(rest[::-1])
    distance = np.abs(seen - (index + 0.5) / (size - 1)).max() + 0.5 / (size - 1)
    strength, strength_error = _strength(float(values[0]), bulk)
    return BulkFit(
        bulk=bulk,
        dim_error=float(information**-0.5),
        spike=float(values[0]),
        strength=strength,
        strength_error=strength_error,
        distance=float(distance),
    )


def _strength(spike: float, bulk: MarchenkoPastur) -> tuple[float, float]:
    """Strength of a spike seen at `spike` above a bulk, and its standard error."""
    ratio, scale = bulk.ratio, bulk.scale
    if spike <= bulk.support()[1]:
        return 0.0, np.inf
    b = spike / scale - 1 - ratio
    theta = (b + np.sqrt(b**2 - 4 * ratio)) / 2
    variance = (4 * theta + 2 + 2 * ratio) / (1 - ratio / theta**2) / bulk.dim
    return float(scale * theta), float(scale * np.sqrt(variance))
