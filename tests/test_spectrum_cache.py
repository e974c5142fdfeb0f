"""The cache of eigenpairs: best effort when it is written, believed only after a check."""

import numpy as np
import pytest

from qw2v import spectrum


@pytest.fixture(scope="module")
def matrix():
    W = np.random.default_rng(0).standard_normal((40, 6))
    return W @ W.T


@pytest.fixture
def kept(matrix, tmp_path):
    """A file with six pairs, and the pairs."""
    values, vectors = spectrum.eigenpairs(matrix, 6)
    spectrum.write_pairs(tmp_path / "pairs.npz", values, vectors)
    return tmp_path / "pairs.npz", values, vectors


def test_what_was_kept_comes_back(matrix, kept):
    file, values, vectors = kept
    for k in (1, 4, 6):
        read = spectrum.read_pairs(file, matrix, k)
        np.testing.assert_array_equal(read[0], values[:k])
        np.testing.assert_array_equal(read[1], vectors[:, :k])
    assert spectrum.read_pairs(file, matrix, 7) is None


def test_faults_3_a_forged_cache_is_computed_again(matrix, kept):
    file, values, vectors = kept
    turned = vectors.copy()
    turned[:, :2] = turned[:, :2] @ [[0.6, 0.8], [-0.8, 0.6]]
    forgeries = {
        "another matrix": (values, np.roll(vectors, 1, axis=0)),
        "another value": (values * [1, 1, 1.01, 1, 1, 1], vectors),
        "NaN": (values, np.where(vectors == vectors[3, 3], np.nan, vectors)),
        "NaN value": (values * np.nan, vectors),
        "turned": (values, turned),
        "twice the first": (values[[0] * 6], vectors[:, [0] * 6]),
        "no length one": (values, 1.1 * vectors),
        "another order": (values[::-1], vectors[:, ::-1]),
        "shape": (values, vectors[:-1]),
        "scalar": (np.float64(3), vectors),
        "text": (values.astype(str), vectors),
    }
    for name, (values, vectors) in forgeries.items():
        np.savez(file, values=values, vectors=vectors)
        assert spectrum.read_pairs(file, matrix, 6) is None, name


def test_a_damaged_cache_is_computed_again(matrix, kept):
    file = kept[0]
    whole = file.read_bytes()
    for cut in range(0, len(whole), 97):
        file.write_bytes(whole[:cut])
        assert spectrum.read_pairs(file, matrix, 6) is None
    file.unlink()
    assert spectrum.read_pairs(file, matrix, 6) is None
    file.mkdir()
    assert spectrum.read_pairs(file, matrix, 6) is None


def test_f10_faults_2_a_cache_that_cannot_be_written_only_warns(kept, tmp_path):
    (tmp_path / "in the way").write_text("a file, no folder")
    with pytest.warns(UserWarning, match="were not kept .* set QW2V_CACHE .* or pass cache=False"):
        spectrum.write_pairs(tmp_path / "in the way" / "pairs.npz", *kept[1:])
