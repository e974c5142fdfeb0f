"""Half-times of curves whose answer is known."""

import numpy as np
import pytest

from qw2v import dynamics


def test_half_times_of_a_path_are_those_of_result_3():
    values, s0 = np.array([3.0, 2.0, 1.0]), 1e-4
    path = dynamics.aligned(np.diag(values), s0)
    # s^2 = lambda / (1 + (lambda / s0^2 - 1) e^(-lambda t)) is lambda / 2 there.
    expected = np.log(values / s0**2 - 1) / values
    found = dynamics.half_times(path, values, [0, 200])
    np.testing.assert_allclose(found, expected, rtol=1e-11)
    fine = np.linspace(0, 60, 40_001)
    sampled = dynamics.half_times(path.singular_values(fine), values, fine)
    np.testing.assert_allclose(sampled, expected, rtol=1e-6)


def test_a_half_that_is_not_reached_is_nan_and_the_first_crossing_counts():
    curves = [[0.0, 1.0], [2.0, 1.0], [0.0, 1.0], [2.0, 1.0]]
    found = dynamics.half_times(curves, [4.0, 9.0], [0, 1, 2, 3])
    assert found[0] == pytest.approx(0.5) and np.isnan(found[1])
