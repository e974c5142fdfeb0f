# ruff: noqa: F811  fixtures are imported by name
"""The start explorer: its two-dimensional formulas against the package's exact dynamics."""

import numpy as np
import pytest
import traitlets
from test_explorers import javascript  # noqa: F401

from qw2v import dynamics
from qw2v.explorers import Start, start


@pytest.mark.parametrize("sigma", [1e-12, 1e-6, 0.1, 10.0])
@pytest.mark.parametrize(("angle", "ratio"), [(0.0, 0.5), (50.0, 0.7), (90.0, 0.99)])
def test_the_page_solves_the_flow_as_the_package_does(javascript, sigma, angle, ratio):
    explorer = Start(angle=angle, ratio=ratio)
    times, curves = explorer.curves(sigma, 30)
    found = javascript(
        explorer,
        """(() => {
          const { exact, lemma, result, own } = m.theories(v.ratio, v.angle, v.sigma, v.texts);
          return {
            frame: m.tilted(v.angle, v.texts.away), end: m.horizon(v.ratio, v.sigma),
            exact: v.times.map(exact), lemma: v.times.map(lemma), result: v.times.map(result),
            own: v.times.map(own),
          };
        })()""",
        times=times.tolist(),
        texts=explorer._texts,
        sigma=sigma,
        angle=angle,
        ratio=ratio,
    )
    np.testing.assert_allclose(found["frame"], start.tilted(angle), atol=1e-15)
    assert found["end"] == pytest.approx(times[-1])
    for name, key in zip(curves, ("exact", "lemma", "result", "own"), strict=True):
        np.testing.assert_allclose(found[key], curves[name], rtol=1e-7)


def test_errors_vanish_for_an_aligned_start_and_not_for_a_turned_one(javascript):
    texts = Start()._texts
    aligned, turned = javascript(
        Start, "[m.worst(0.7, 0, 0.1, v), m.worst(0.7, 70, 1e-9, v)]", **texts
    )
    assert max(aligned) < 1e-8
    assert min(turned[:2]) > 1 > 1000 * turned[2]  # own starts alone get better as sigma shrinks


def test_the_frame_is_orthonormal_and_the_horizon_is_late():
    for angle in (0, 30, 90):
        frame = start.tilted(angle)
        np.testing.assert_allclose(frame.T @ frame, np.eye(2), atol=1e-14)
    times, curves = Start().curves(1e-6)
    np.testing.assert_allclose(curves["exact"][0], 1e-6)
    np.testing.assert_allclose(curves["exact"][-1], np.sqrt([1, 0.7]), rtol=1e-2)
    assert dynamics.learning_times(0.7, 1e-6) < times[-1]


def test_still_picture_and_what_is_refused():
    assert len(Start(log_scale=1.0).still().axes) == 2
    for trait, value in (("log_scale", 2.0), ("angle", -1.0), ("ratio", 1.0)):
        with pytest.raises(traitlets.TraitError):
            Start(**{trait: value})
