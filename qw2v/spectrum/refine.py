"""From eigenpairs computed in float32 to those of the matrix in float64."""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from qw2v.spectrum import products
from qw2v.spectrum.operators import Array, SparsePlusRankOne

_STEPS = 3


def refined(
    matrix: SparsePlusRankOne, vectors: Array, opposite: NDArray[np.floating], ends: Array
) -> tuple[Array, Array]:
    """Return eigenvectors (V, k) with the noise of float32 products taken out, and M times them.

    The residual R = M v - lambda v is taken in float64, and (M - lambda) d = -R solved for d,
    roughly. Rounding lies in the bulk, whose eigenvalues are small beside lambda, so that there
    d = R / lambda; along `opposite` (V, n), the eigenvectors of the lowest eigenvalues `ends` (n,),
    the equation is solved. Each of three steps takes away most of what is left.
    """
    opposite = opposite.astype(np.float64)
    with products.workers() as run:
        table = products.SparseRows(matrix, np.float64, run)
        for _ in range(_STEPS):
            product = table.multiply(vectors)
            values = np.sum(vectors * product, axis=0) / np.sum(vectors**2, axis=0)
            gap = product - vectors * values
            gap -= vectors @ (vectors.T @ gap)
            along = opposite.T @ gap
            gap -= opposite @ along
            vectors += gap / values + opposite @ (along / (values - ends[:, None]))
        product = table.multiply(vectors)
    # What they span is right; within it, the pairs are those of M.
    _, turn = scipy.linalg.eigh(vectors.T @ product, vectors.T @ vectors)
    return vectors @ turn[:, ::-1], product @ turn[:, ::-1]
