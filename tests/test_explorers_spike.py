# ruff: noqa: F811  fixtures are imported by name
"""The spike explorer: its law, its ratios and its data against the package."""

import numpy as np
import pytest
import traitlets
from test_explorers import javascript, read  # noqa: F401

from qw2v import taskvectors
from qw2v.explorers import spike
from qw2v.explorers.spike import Spike
from qw2v.figures.analogies import stacked
from qw2v.vectors import WordVectors


@pytest.fixture(scope="module")
def shipped():
    return Spike()


@pytest.fixture(scope="module")
def own():
    """A record of one's own: two categories, one of them with two pairs only."""
    rng = np.random.default_rng(0)
    words = [a + b for a in "abcdefgh" for b in "xyz"]
    categories = {
        "letters": [(f"{a}x", f"{a}y") for a in "abcdefgh"],
        "few": [("az", "bz"), ("cz", "dz")],
    }
    vectors = WordVectors(words, rng.standard_normal((24, 40)))
    dims = (5, 20, 40)
    return Spike(taskvectors.emergence(vectors, categories, dims), dims)


# ---- the same mathematics ------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "dim", "scale"), [(28, 60, 0.02), (6, 5.5, 3), (37, 300, 1)])
def test_the_page_computes_the_law_as_the_package_does(javascript, shipped, size, dim, scale):
    law = taskvectors.MarchenkoPastur(size, dim, scale)
    x = np.linspace(0.5 * law.support()[0], 1.2 * law.support()[1], 101)
    densities, edges = javascript(
        shipped,
        "[v.x.map((x) => m.density(x, ...v.law)), m.edges(...v.law)]",
        x=x.tolist(),
        law=[size, dim, scale],
    )
    np.testing.assert_allclose(densities, law.pdf(x), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(edges, law.support(), rtol=1e-12)


def test_the_ratios_of_the_page_are_those_of_the_package(javascript, shipped):
    spectra = [row["spectra"][at] for row in shipped.record.values() for at in (0, 6, 10, 20)]
    found = javascript(shipped, "v.spectra.map(m.snr)", spectra=[*spectra, [3.0, 1.0, 0.0]])
    expected = [taskvectors.snr(values) for values in spectra]
    np.testing.assert_allclose(found, [*expected, 1.5], rtol=1e-9)


def test_dots_are_stacked_as_in_the_still_picture(javascript, shipped):
    values = np.array([9.0, 0.5, 0.49, 0.48, 0.021, 0.0205, 1e-9])
    found = javascript(
        shipped,
        "m.stacked(v.values, v.range, v.bins)",
        values=values.tolist(),
        range=spike.RANGE,
        bins=spike.BINS_PER_DECADE,
    )
    x, y = stacked(values)
    np.testing.assert_allclose(found, np.stack([x, y], axis=1), rtol=1e-9)
    # Each column is counted from below; what is out of range stands at the edge.
    assert y.tolist() == [0.5, 2.5, 1.5, 0.5, 1.5, 0.5, 0.5]
    assert (x[0], x[-1]) == (spike.RANGE[1], spike.RANGE[0])


# ---- what the page is given ----------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "prefix"), [(0, ""), (1, "unit_")])
def test_the_page_is_given_the_record_and_its_fits(shipped, kind, prefix):
    spectra, starts = read(shipped, "spectra"), read(shipped, "starts")
    numbers, many = read(shipped, "numbers"), len(shipped.dims)
    assert numbers.shape == (2, 14, many, len(spike.NUMBERS))
    fitted = 0
    for c, row in enumerate(shipped.record.values()):
        for at, values in enumerate(row[f"{prefix}spectra"]):
            place = (kind * 14 + c) * many + at
            low, high = starts[place : place + 2]
            np.testing.assert_allclose(spectra[low:high], values, rtol=1e-6)
            found = dict(zip(spike.NUMBERS, numbers[kind, c, at], strict=True))
            assert found["mean_share"] == pytest.approx(row[f"{prefix}mean_share"][at])
            if shipped.dims[at] < row["pairs"]:
                assert np.isnan(found["d_eff"])
                continue
            fit = taskvectors.fit_bulk(values)
            fitted += 1
            assert found["d_eff"] == pytest.approx(fit.bulk.dim)
            assert found["error"] == pytest.approx(fit.dim_error)
            assert found["scale"] == pytest.approx(fit.bulk.scale)
            assert found["edge"] == pytest.approx(fit.bulk.support()[1])
    assert fitted > 170


def test_the_page_is_given_each_protocol_and_normalisation(shipped):
    found = read(shipped, "accuracies")
    assert found.shape == (4, 14, len(shipped.dims))
    for of, key in zip(found, spike.ACCURACIES, strict=True):
        expected = [row[key] for row in shipped.record.values()]
        np.testing.assert_allclose(of, np.array(expected, float), rtol=1e-6)


def test_the_still_picture_shows_what_was_chosen(shipped):
    pictures = []
    for normalisation in spike.NORMALISATIONS:
        for protocol in ("pairs", "google"):
            explorer = Spike(
                category="city-in-state", normalisation=normalisation, protocol=protocol
            )
            top, snr, score = explorer.still().axes
            row = explorer.record[explorer.category]
            unit_vectors, unit_queries = {
                "paper": (False, True), "none": (False, False), "unit": (True, True)
            }[normalisation]  # fmt: skip
            key = f"{'' if unit_queries else 'raw_'}{'google_' if protocol == 'google' else ''}"
            np.testing.assert_allclose(
                score.lines[0].get_ydata(), 100 * np.array(row[f"{key}accuracy"])
            )
            spectra = row["unit_spectra" if unit_vectors else "spectra"]
            ratios = [taskvectors.snr(values) for values in spectra]
            np.testing.assert_allclose(snr.lines[0].get_ydata(), ratios)
            pictures.append(tuple(score.lines[0].get_ydata()) + tuple(ratios))
    assert len(set(pictures)) == 6


def test_a_record_of_ones_own_is_shown(own):
    assert (own.category, own.dim) == ("letters", 20)
    assert own._texts["categories"] == [["letters", "letters", 8], ["few", "few", 2]]
    assert [fit is None for fit in own.fits[0]["letters"]] == [True, False, False]
    assert own.fits[1]["few"] == [None, None, None]
    assert "Marchenko-Pastur" in own.alt and "d = 20" in own.alt
    assert len(own.still().axes) == 3
    own.category, own.dim = "few", 5
    assert len(own.still().axes) == 3


def test_what_was_not_recorded_is_refused(own, shipped):
    with pytest.raises(traitlets.TraitError, match="dim is 100; choose one of .*64, 91, 128"):
        shipped.dim = 100
    with pytest.raises(traitlets.TraitError, match="category is 'verbs'; choose one of .*'few'"):
        own.category = "verbs"
    with pytest.raises(ValueError, match="dims are the dimensions of the record"):
        Spike(own.record)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("gram1-adjective-to-adverb", "adjective to adverb"), ("city-in-state", "city in state"),
     ("grammar", "grammar"), ("gram", "gram")],
)  # fmt: skip
def test_titles_can_be_read(name, expected):
    assert spike.title(name) == expected
