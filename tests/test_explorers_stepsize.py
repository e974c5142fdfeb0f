# ruff: noqa: F811  fixtures are imported by name
"""The step-size explorer: its steps, times and fates against the package."""

import numpy as np
import pytest
import traitlets
from test_explorers import javascript, read  # noqa: F401

from qw2v import dynamics
from qw2v.dynamics import discrete
from qw2v.explorers import StepSize
from qw2v.explorers.stepsize import START


@pytest.fixture(scope="module")
def explorer():
    return StepSize([40.0, 30.0, 25.0, 20.0, 10.0])


def test_it_shows_the_first_four_modes_relative_to_the_first(explorer):
    np.testing.assert_allclose(read(explorer, "ratios"), [1, 0.75, 0.625, 0.5])


@pytest.mark.parametrize("step", [0.1, 0.9, 2.2, 3.5])
def test_the_page_takes_the_same_steps_beside_the_same_flow(javascript, step):
    explorer = StepSize([4.0, 3.0, 1.0], step=step)
    t, sizes, flow = explorer.curves()
    walked, curves = javascript(
        explorer,
        "[v.values.map((x) => m.walked(x, v.start, v.step, v.t.length - 1)),"
        " v.values.map((x) => v.t.map((t) => m.sigmoid(x, v.start, t)))]",
        values=explorer.ratios.tolist(),
        start=START,
        step=step,
        t=t.tolist(),
    )
    # Rounding grows by a factor a step in chaos.
    np.testing.assert_allclose(np.abs(walked).T, sizes, rtol=1e-9 if step < 3 else 1e-3, atol=1e-9)
    np.testing.assert_allclose(np.array(curves).T, flow, rtol=1e-9)
    np.testing.assert_allclose(flow, dynamics.sigmoid([1, 0.75, 0.25], START, t[:, None]))


def test_the_page_corrects_the_times_as_the_package_does(javascript, explorer):
    asked = [(value, a, y) for value in (1.0, 0.5) for a in (0.05, 0.6, 0.95) for y in (0.1, 0.9)]
    found = javascript(
        explorer, "v.asked.map(([x, a, y]) => m.stepTime(x, 0.01, a, y))", asked=asked
    )
    expected = [discrete.step_times(value, 0.01, a, y) for value, a, y in asked]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_the_page_knows_the_fate_of_a_mode(javascript, explorer):
    sizes = [0.5, 1.9, 2.2, 2.5, 3.9, 4.1]
    periods, pair = javascript(
        explorer, "[v.sizes.map(m.period), m.visited(2.2, 2).sort()]", sizes=sizes
    )
    assert [float(p) for p in periods] == [1, 1, 2, 4, np.inf, 0]
    np.testing.assert_allclose(pair, discrete.period_two(2.2), rtol=1e-9)


def test_a_page_and_stills_come_with_it(explorer):
    page = explorer.to_html()
    assert page == explorer.to_html() and page.count("<img") == 2
    assert StepSize([2.0, 1.0], step=3.0).still().axes  # where the correction has ended


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(ValueError, match="must be positive"):
        StepSize([1.0, -1.0])
    with pytest.raises(traitlets.TraitError):
        StepSize([1.0], step=5.0)
