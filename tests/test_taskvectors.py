"""Task vectors: definitions against brute force, the fit against matrices whose answer is known."""

import json
import runpy

import numpy as np
import pytest
from scipy import integrate

import qw2v
from qw2v import datasets, taskvectors
from qw2v.taskvectors import MarchenkoPastur, fit_bulk, gram_spectrum, mean_share, snr, task_vectors
from qw2v.vectors import WordVectors


def spiked(rng, pairs, dim, strength, scale=1.0):
    """Task vectors with a spike of this strength above noise of this scale in `dim` dimensions."""
    noise = rng.standard_normal((pairs, dim)) * np.sqrt(scale)
    direction = rng.standard_normal(dim)
    return noise + np.sqrt(strength / pairs * dim) * direction / np.linalg.norm(direction)


# ---- definitions ---------------------------------------------------------------------------------


def test_task_vectors_are_differences_of_the_pairs_in_the_vocabulary():
    rng = np.random.default_rng(0)
    vectors = WordVectors(["oslo", "norway", "Rome", "italy"], rng.standard_normal((4, 3)))
    pairs = [("Oslo", "Norway"), ("Rome", "Italy"), ("Oslo", "Norway"), ("Oslo", "Atlantis")]
    expected = [vectors["norway"] - vectors["oslo"], vectors["italy"] - vectors["Rome"]]
    np.testing.assert_array_equal(task_vectors(vectors, pairs), expected)
    assert task_vectors(vectors, [("x", "y")]).shape == (0, 3)


@pytest.mark.parametrize("shape", [(5, 20), (20, 5), (7, 7), (1, 4), (4, 1)])
def test_spectrum_snr_and_share_equal_brute_force(shape):
    rng = np.random.default_rng(sum(shape))
    R = rng.standard_normal(shape) + 1
    G = R @ R.T / shape[1]
    values, vectors = np.linalg.eigh(G)
    spectrum = gram_spectrum(R)
    assert len(spectrum) == min(shape)
    np.testing.assert_allclose(spectrum, values[::-1][: min(shape)], rtol=1e-9, atol=1e-12)
    expected = values[-1] * np.linalg.matrix_rank(G) / np.trace(G)
    assert snr(spectrum) == pytest.approx(expected)
    assert snr(np.clip(values, 0, None)) == pytest.approx(expected)  # zeros do not count as rank
    mean = R.mean(axis=0)
    assert mean_share(R) == pytest.approx(shape[0] * (mean @ mean) / shape[1] / values[-1])


def test_the_share_is_one_for_equal_task_vectors_and_zero_for_opposite_ones():
    r = np.array([1.0, 2.0, 3.0])
    assert mean_share([r, r, r]) == pytest.approx(1)
    assert mean_share([r, -r]) == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("R", [np.zeros((0, 3)), np.zeros((3, 0)), np.zeros(3)])
def test_task_vectors_of_the_wrong_shape_are_refused(R):
    with pytest.raises(ValueError, match=r"rows, \(N, d\); received shape"):
        gram_spectrum(R)


def test_an_empty_spectrum_has_no_ratio():
    for values in ([], [0.0, 0.0]):
        with pytest.raises(ValueError, match="needs a positive eigenvalue"):
            snr(values)


# ---- the law -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "dim", "scale"), [(10, 400, 1), (90, 100, 0.3), (50, 50.5, 7), (30, 20, 2)]
)
def test_the_law_has_its_mass_its_mean_and_its_distribution_function(size, dim, scale):
    law = MarchenkoPastur(size, dim, scale)
    low, high = law.edges
    middle, positive = (low + high) / 2, min(1, dim / size)

    def integral(power, to):
        found, _ = integrate.quad(
            lambda x: x**power * law.density(x), low, to, epsabs=1e-9, limit=500
        )
        return found

    assert integral(0, high) == pytest.approx(positive, rel=1e-6)
    assert integral(1, high) == pytest.approx(scale, rel=1e-6)
    assert law.cdf(middle) == pytest.approx(integral(0, middle) / positive, abs=1e-5)
    assert law.cdf([low, high]).tolist() == [0, 1]
    assert law.density([low * 0.99, high * 1.01]).tolist() == [0, 0]


def test_the_law_is_that_of_random_matrices():
    X = np.random.default_rng(1).standard_normal((600, 1500))
    values = np.sort(gram_spectrum(X))
    law = MarchenkoPastur(600, 1500)
    assert np.abs(law.cdf(values) - (np.arange(600) + 0.5) / 600).max() < 0.005


# ---- the fit -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1.0, 0.02])
@pytest.mark.parametrize(
    ("pairs", "dim", "strength"),
    [(30, 60, 3), (30, 36, 10), (16, 100, 2), (37, 300, 20), (8, 40, 5)],
)
def test_the_fit_recovers_d_eff_and_the_spike_within_its_stated_errors(pairs, dim, strength, scale):
    rng = np.random.default_rng(pairs * dim)
    assert strength > 2 * np.sqrt(pairs / dim)
    deviations = []
    for _ in range(300):
        fit = fit_bulk(gram_spectrum(spiked(rng, pairs, dim, strength * scale, scale)))
        assert fit.stands_out
        d_eff = (fit.bulk.dim - dim) / fit.dim_error
        spike = (fit.strength - strength * scale) / fit.strength_error
        deviations.append((d_eff, spike, fit.bulk.scale / scale - 1))
    d_eff, spike, relative = np.transpose(deviations)
    for z in (d_eff, spike):
        assert abs(z.mean()) < 0.25
        assert 0.85 < z.std() < 1.15
        assert 0.6 < np.mean(np.abs(z) < 1) < 0.76  # two thirds, if the errors are right
        assert np.mean(np.abs(z) < 2) > 0.92
    assert abs(relative.mean()) < 0.02


def test_the_fit_agrees_with_the_likelihood_maximised_by_hand():
    rng = np.random.default_rng(3)
    values = gram_spectrum(spiked(rng, 12, 40, 4))
    rest, n = values[1:], 11

    def minus_log_likelihood(m):
        """The Wishart density of n eigenvalues, at the best scale; terms free of m left out."""
        from scipy.special import multigammaln

        beta = m / (2 * rest.mean())
        terms = m * n / 2 * np.log(beta) + m / 2 * np.log(rest).sum() - beta * rest.sum()
        return multigammaln(m / 2, n) - terms

    fit = fit_bulk(values)
    grid = fit.bulk.dim - 1 + np.linspace(-5, 5, 2001)
    found = [minus_log_likelihood(m) for m in grid]
    assert grid[np.argmin(found)] == pytest.approx(fit.bulk.dim - 1, abs=0.01)
    curvature = np.polyfit(grid - grid[1000], found, 4)[2] * 2
    assert fit.dim_error == pytest.approx(curvature**-0.5, rel=0.01)


def test_noise_alone_shows_no_spike_to_speak_of():
    rng = np.random.default_rng(4)
    fits = [fit_bulk(gram_spectrum(rng.standard_normal((30, 100)))) for _ in range(50)]
    assert all(fit.strength < 2.5 * fit.threshold for fit in fits)
    hidden = [fit for fit in fits if not fit.stands_out]
    assert hidden and all(fit.strength == 0 and fit.strength_error == np.inf for fit in hidden)


def test_the_distance_is_kolmogorovs_and_tells_a_bulk_from_another_shape():
    rng = np.random.default_rng(5)
    values = gram_spectrum(spiked(rng, 40, 120, 10))
    fit = fit_bulk(values)
    law = MarchenkoPastur(39, fit.bulk.dim - 1, values[1:].mean())
    seen = np.sort(values[1:])
    steps = [np.mean(seen <= x) for x in seen], [np.mean(seen < x) for x in seen]
    assert fit.distance == pytest.approx(max(np.abs(s - law.cdf(seen)).max() for s in steps))
    two_heaps = np.r_[50.0, np.linspace(9, 11, 20), np.linspace(0.9, 1.1, 20)]
    assert fit.distance < 0.1 < 0.2 < fit_bulk(two_heaps).distance


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(ValueError, match="three eigenvalues or more, received 2"):
        fit_bulk([2.0, 1.0])
    singular = gram_spectrum(
        np.random.default_rng(0).standard_normal((5, 5)) @ np.diag([1, 1, 1, 1, 0])
    )
    with pytest.raises(ValueError, match="smallest of the 5 eigenvalues is .* take no fewer"):
        fit_bulk(singular)


def test_equal_eigenvalues_are_noise_in_endless_dimensions():
    assert fit_bulk([2.0, 1.0, 1.0, 1.0]).bulk.dim > 1e8


# ---- the recorded sweep --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def record():
    return json.loads(datasets.verify("task-spectra.json").read_text())


@pytest.fixture(scope="module")
def recomputed(record):
    """The recorded sweep again, where 200 eigenpairs are enough and the bulk can be fitted."""
    vectors = qw2v.closed_form(qw2v.load_statistics(), dim=200)
    dims = [8, 64, 181]
    return dims, taskvectors.emergence(vectors, datasets.google_analogies(), dims)


def test_the_record_is_that_of_the_shipped_statistics(record, recomputed):
    assert record["statistics"] == qw2v.load_statistics().fingerprint
    dims, found = recomputed
    assert list(found) == list(record["categories"])
    for name, row in found.items():
        kept = record["categories"][name]
        assert kept["pairs"] == row["pairs"]
        for i, dim in enumerate(dims):
            at = record["dims"].index(dim)
            np.testing.assert_allclose(kept["spectra"][at], row["spectra"][i], rtol=2e-2)
            assert kept["accuracy"][at] == pytest.approx(row["accuracy"][i], abs=0.02)
            assert kept["mean_share"][at] == pytest.approx(row["mean_share"][i], abs=0.01)


def test_the_record_has_five_digits_and_says_how_it_was_made(record):
    script = runpy.run_path(str(datasets.data_path("task_spectra.py")))
    assert record["command"] == "python data/task_spectra.py"
    assert record["dims"] == list(script["DIMS"])
    assert script["rounded"](record) == record


def test_every_spectrum_of_the_record_with_dimensions_enough_can_be_fitted(record):
    for row in record["categories"].values():
        for dim, spectrum in zip(record["dims"], row["spectra"], strict=True):
            assert len(spectrum) == min(dim, row["pairs"])
            if dim > row["pairs"]:
                fit = fit_bulk(spectrum)
                few = row["pairs"] < 10  # of which one category may well exceed d by chance
                assert row["pairs"] - 1 < fit.bulk.dim < (2 * dim if few else dim)
