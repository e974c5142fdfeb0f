"""Eigenpairs kept for the next time: best effort when written, believed only after a check."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from qw2v import _files
from qw2v._environment import cache_folder
from qw2v.spectrum.operators import Array, MatrixLike, Symmetric, as_symmetric

_SMALL = 1_000  # up to this V they are computed sooner than read


def cache_file(matrix: Symmetric) -> Path | None:
    """Return where the pairs of a matrix are kept; None for one that is small or has no name."""
    if matrix.fingerprint is None or matrix.shape[0] <= _SMALL:
        return None
    return cache_folder() / f"eigenpairs-{matrix.fingerprint}.npz"


def read_pairs(file: Path, matrix: MatrixLike, k: int) -> tuple[Array, Array] | None:
    """Return the first k pairs of `matrix` (V, V) that `write_pairs` kept, or None.

    None where fewer are there, or where the file is damaged or holds anything but eigenpairs of
    this very matrix: a random mixture of them is put through it.
    """
    try:
        stored = _files.read_arrays(file, ["values", "vectors"])
    except (OSError, _files.DamagedFileError):
        return None
    values, vectors = stored["values"], stored["vectors"]
    matrix = as_symmetric(matrix)
    size = matrix.shape[0]
    if values.ndim != 1 or not 1 <= k <= len(values) or vectors.shape != (size, len(values)):
        return None
    if values.dtype.kind != "f" or vectors.dtype.kind != "f":
        return None
    values = values[:k].astype(np.float64)
    vectors = vectors[:, :k].astype(np.float64)
    if not (np.isfinite(values).all() and np.isfinite(vectors).all()):
        return None
    mixtures = np.random.default_rng().standard_normal((k, 8)) / 8**0.5
    tolerance = 1e-4 * k**0.5  # what float32 explains, and a margin
    with np.errstate(over="ignore", invalid="ignore"):
        mixed = vectors @ mixtures
        residual = np.linalg.norm(matrix @ mixed - vectors @ (values[:, None] * mixtures))
        # Orthonormal columns keep every inner product of the mixtures.
        turned = np.abs(mixed.T @ mixed - mixtures.T @ mixtures).max()
    right = residual <= tolerance * abs(values[0]) and turned <= tolerance
    return (values, vectors) if right and (np.diff(values) <= 0).all() else None


def write_pairs(file: Path, values: Array, vectors: Array) -> None:
    """Keep the pairs in a file, in float32 where that holds all their digits.

    They are computed: where they cannot be kept, a warning says so and the work goes on.
    """
    compact = vectors.astype(np.float32)
    kept = compact if np.array_equal(compact, vectors) else vectors
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with _files.replacing(file) as stream:
            _files.write_arrays(stream, {"values": values, "vectors": kept})
    except OSError as error:
        warnings.warn(
            f"the eigenpairs were not kept for the next time ({error}): set QW2V_CACHE to a folder "
            f"that can be written to, or pass cache=False; now it is {file.parent}",
            stacklevel=3,
        )
