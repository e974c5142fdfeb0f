"""Symmetric operators and their eigenpairs: checks, dense or not, the top ones or all, the cache.

`as_symmetric` is the door: an operator passes as it is, a plain array is checked and wrapped. After
it nobody asks what kind of matrix there is.
"""

from qw2v.spectrum.cache import cache_file, read_pairs, write_pairs
from qw2v.spectrum.operators import (
    Dense,
    MatrixLike,
    SparsePlusRankOne,
    Symmetric,
    as_symmetric,
)
from qw2v.spectrum.solver import FULL, eigenpairs, learnable, positive_eigenvalues

__all__ = [
    "FULL",
    "Dense",
    "MatrixLike",
    "SparsePlusRankOne",
    "Symmetric",
    "as_symmetric",
    "cache_file",
    "eigenpairs",
    "learnable",
    "positive_eigenvalues",
    "read_pairs",
    "write_pairs",
]
