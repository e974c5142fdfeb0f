"""GloVe's objective on the shipped counts: the steps of AdaGrad, and that they fit."""

import glove
import numpy as np
import pytest

import qw2v


def test_a_visit_is_a_step_of_adagrad_on_the_objective():
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((1, 4)).astype(np.float32) for _ in range(2))
    cell = np.zeros(1, np.int32), np.zeros(1, np.int32)
    f, log = np.array([0.3], np.float32), np.array([1.2], np.float32)
    W, V = left[0].astype(float), right[0].astype(float)
    gap = W[:3] @ V[:3] + W[3] + V[3] - 1.2
    slopes = [0.3 * gap * np.append(other[:3], 1) for other in (V, W)]
    sums = [np.ones((1, 4), np.float32) for _ in range(2)]
    loss = glove.epoch(*cell, f, log, left, right, *sums, np.float32(0.05))
    assert loss == pytest.approx(0.3 * gap**2, rel=1e-5)
    for found, total, before, slope in zip((left, right), sums, (W, V), slopes, strict=True):
        np.testing.assert_allclose(found[0], before - 0.05 * slope, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(total[0], 1 + slope**2, rtol=1e-5)


def test_it_fits_the_logarithms_of_the_counts_that_are_not_zero():
    stats = qw2v.load_statistics().restrict(60)
    found = glove.cells(stats)
    assert len(found.rows) == stats.pair_counts.nnz
    X = stats.pair_counts.toarray()[found.rows, found.columns] / 16
    np.testing.assert_allclose(found.logs, np.log(X), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.weights, np.minimum(1, (X / 100) ** 0.75), rtol=1e-5)
    record = glove.record(stats, dim=8, epochs=60, look=60, progress=False)
    falling = record["mean_square_by_epoch"]
    assert falling[-1] < 0.05 * falling[0]
    assert set(record["runs"]) == {"epochs=60"}
