"""Features: components, overlaps, power laws, by brute force; the records against the counts."""

import importlib
import json

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

import qw2v
from qw2v import datasets, features


def orthonormal(seed, size, number):
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((size, number)))[0]


# ---- components and overlaps ---------------------------------------------------------------------


def test_components_of_the_closed_form_are_the_eigenvectors_whatever_the_rotation():
    V, turn = orthonormal(0, 50, 6), orthonormal(1, 6, 6)
    values = np.array([9.0, 7, 4, 3, 2, 1])
    found, vectors = features.components(V * np.sqrt(values) @ turn)
    np.testing.assert_allclose(found, np.sqrt(values))
    np.testing.assert_allclose(features.squared_overlaps(vectors, V), np.eye(6), atol=1e-12)
    assert np.all(vectors[np.abs(vectors).argmax(axis=0), range(6)] > 0)


def test_components_are_those_of_w_as_it_is_not_centred():
    W = np.random.default_rng(2).standard_normal((40, 3)) + 5
    _, vectors = features.components(W)
    gram_values, gram_vectors = np.linalg.eigh(W @ W.T)
    top = gram_vectors[:, :-4:-1]
    np.testing.assert_allclose(features.squared_overlaps(vectors, top), np.eye(3), atol=1e-9)


def test_overlaps_by_brute_force():
    A, B = orthonormal(3, 30, 4), orthonormal(4, 30, 5)
    brute = [[sum(A[i, k] * B[i, j] for i in range(30)) ** 2 for j in range(5)] for k in range(4)]
    np.testing.assert_allclose(features.squared_overlaps(A, B), brute)


def test_cut_spans_what_the_cut_vectors_spanned_in_order():
    vectors = orthonormal(5, 60, 5)
    shorter = features.restrict_features(vectors, 20)
    for k in range(1, 6):
        angles = scipy.linalg.subspace_angles(shorter[:, :k], vectors[:20, :k])
        assert angles.max() < 1e-12
    assert np.all(np.sum(shorter * vectors[:20], axis=0) > 0)  # no feature changes its sign
    np.testing.assert_allclose(features.restrict_features(shorter, 20), shorter, atol=1e-14)


def test_oriented_features_agree_with_their_matches():
    A, signs = orthonormal(13, 30, 5), np.array([1, -1, -1, 1, -1])
    near = np.linalg.qr(A + 0.02 * orthonormal(14, 30, 5))[0]
    near *= np.sign(np.sum(near * A, axis=0))
    np.testing.assert_allclose(features.align_signs(near[:, ::-1] * signs, A), near[:, ::-1])


def test_survival_by_projections():
    A, B = orthonormal(6, 40, 6), orthonormal(7, 40, 8)
    A[:, 2] = B[:, 4]
    A = np.linalg.qr(A)[0]
    found = features.match_features(features.squared_overlaps(A, B))
    for k in range(1, 7):
        inside = np.linalg.norm(B[:, :k].T @ A[:, :k], axis=0) ** 2
        assert found.within[k - 1] == pytest.approx(inside[-1])
        assert found.space[k - 1] == pytest.approx(inside.mean())
        assert found.share[k - 1] == pytest.approx(np.linalg.norm(B @ B.T @ A[:, k - 1]) ** 2)
        cosines = (B.T @ A[:, k - 1]) ** 2
        assert found.best[k - 1] == pytest.approx(cosines.max())
        assert found.match[k - 1] == 1 + cosines.argmax()


def test_space_is_the_mean_squared_cosine_of_the_principal_angles():
    A, B = orthonormal(8, 25, 4), orthonormal(9, 25, 4)
    angles = scipy.linalg.subspace_angles(A, B)
    found = features.match_features(features.squared_overlaps(A, B))
    assert found.space[-1] == pytest.approx(np.mean(np.cos(angles) ** 2))


def test_chance_is_the_share_of_the_dimensions():
    found = [
        features.match_features(
            features.squared_overlaps(orthonormal(s, 100, 5), orthonormal(s + 500, 100, 20))
        )
        for s in range(200)
    ]
    share = np.array([one.share for one in found])
    error = share.std() / np.sqrt(share.size)
    assert abs(share.mean() - 20 / 100) < 4 * error


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: features.components(np.ones((2, 3))), r"V >= d, received shape \(2, 3\)"),
        (lambda: features.components([[np.nan], [1.0]]), "must be finite"),
        (lambda: features.squared_overlaps(np.eye(3), np.eye(4)), "over the same words"),
        (lambda: features.squared_overlaps(np.eye(3), 2 * np.eye(3)), "second set .*off by 3"),
        (
            lambda: features.restrict_features(np.eye(3)[:, :2], 1),
            "between 2 features and V = 3, received 1",
        ),
        (lambda: features.match_features(np.ones((3, 2))), "received 3 against 2"),
        (lambda: features.fit_decay(np.ones(5), 1, 6), r"in 1..5, received 1 and 6"),
        (lambda: features.fit_decay([3.0, 2, 1, -1], 1, 4), "choose high <= 3"),
        (lambda: features.fit_decay(np.ones(9), 1, 6), "1 to 6 is too short a range"),
    ],
)
def test_errors_say_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ---- errors and power laws -----------------------------------------------------------------------


def test_jackknife_error_of_a_ratio_is_its_spread_over_samples():
    rng = np.random.default_rng(11)

    def ratio(xy):
        return xy[..., 0].mean(axis=-1) / xy[..., 1].mean(axis=-1)

    samples = rng.gamma(5, size=(2000, 12, 2))
    spread = ratio(samples).std()
    errors = [
        features.jackknife_error([ratio(np.delete(sample, i, axis=0)) for i in range(12)])
        for sample in samples[:300]
    ]
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(spread, rel=0.1)


def test_decay_recovers_a_law_under_noise_within_its_error():
    k, rng = np.arange(1, 2001), np.random.default_rng(12)
    misses = []
    for _ in range(50):
        noisy = 7 * k**-0.6 * np.exp(0.1 * rng.standard_normal(len(k)))
        law = features.fit_decay(noisy, low=10, high=1000)
        misses.append((law.exponent - 0.6) / law.error)
    assert np.mean(np.abs(misses) < 1) > 0.68  # a wide error bar: that of one stretch, not of five
    assert law(1.0) == pytest.approx(law.amplitude)


def test_the_error_of_decay_tells_a_bent_line_from_a_straight_one():
    k = np.arange(1, 1001)
    bent = np.exp(-0.1 * np.log(k) ** 2)  # its local exponent is 0.2 ln k
    law = features.fit_decay(bent, low=10, high=1000)
    assert law.exponent == pytest.approx(0.2 * np.log(100), rel=0.05)
    middles = np.log(10) + np.log(100) / 5 * (np.arange(5) + 0.5)
    assert law.error == pytest.approx(np.std(0.2 * middles, ddof=1), rel=0.05)


# ---- noise -------------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", ["linear", "uniform"])
def test_unrelated_counts_are_as_noisy_as_those_of_shuffled_text(weights):
    rng = np.random.default_rng(15)
    words = [a + b for a in "abcdefghijklmnop" for b in "qrstuvwxyz"]
    odds = 1 / np.arange(5, 165)
    texts = [" ".join(rng.choice(words, 5_000, p=odds / odds.sum())) for _ in range(20)]
    settings = dict(vocabulary=sorted(words), window=4, window_weights=weights, progress=False)
    shuffled = qw2v.CorpusStatistics.from_texts(texts, **settings)
    chance = features.independent_counts(shuffled, seed=0)
    spread, tops = [], []
    for stats in (shuffled, chance):
        assert np.array_equal(stats.pair_counts.toarray(), stats.pair_counts.T.toarray())
        M = qw2v.target(stats).toarray()
        spread.append(M[np.triu_indices(len(words), 1)].std())
        tops.append(np.linalg.eigvalsh(M)[-10:].mean())
    assert spread[1] == pytest.approx(spread[0], rel=0.06)
    assert tops[1] == pytest.approx(tops[0], rel=0.06)
    assert chance.fingerprint == features.independent_counts(shuffled, seed=0).fingerprint
    assert chance.fingerprint != features.independent_counts(shuffled, seed=1).fingerprint


# ---- the records ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stats():
    return qw2v.load_statistics()


@pytest.fixture(scope="module")
def script():
    def load(name):
        return vars(importlib.import_module(name.removesuffix(".py")))

    return load


@pytest.fixture(scope="module")
def spectra():
    return features.load_spectra()


def test_recorded_spectra_are_those_of_the_shipped_statistics(stats, spectra):
    assert spectra.about["statistics"] == stats.fingerprint
    for kind in ("mstar", "pmi", "ppmi"):
        matrix, values = qw2v.target(stats, kind=kind), spectra[kind]
        assert values.shape == (stats.vocab_size,)
        assert np.all(np.diff(values) <= 0)
        np.testing.assert_allclose(values[:200], matrix.eigenpairs(200)[0], rtol=2e-5)
        # Sums over all eigenvalues: the trace, and the squares of all entries.
        scale = np.abs(values).sum()
        assert abs(values.sum(dtype=float) - matrix.trace) < 1e-6 * scale
        assert np.sum(values.astype(float) ** 2) == pytest.approx(
            matrix.frobenius_squared, rel=1e-5
        )


def test_spectra_script_on_few_words(stats, script):
    small, module = stats.restrict(150), script("spectra.py")
    record = module["record"](small)
    for kind in ("mstar", "pmi", "ppmi"):
        values = np.linalg.eigvalsh(qw2v.target(small, kind=kind).toarray())[::-1]
        np.testing.assert_allclose(record[kind], values, rtol=1e-4, atol=1e-4 * np.ptp(values))
    assert json.loads(str(record["about"]))["statistics"] == small.fingerprint


def test_weights_of_pairs_by_brute_force(stats, script):
    small, weighting = stats.restrict(40), qw2v.weighting.Word2Vec(negatives=1)
    G = script("spectra.py")["pair_weights"](small, weighting)
    P, p = small.skipgram.toarray(), small.unigram
    for i, j in [(0, 0), (3, 17), (17, 3), (39, 1)]:
        positive, negative = weighting.psi(small, i, j, P[i, j])
        brute = positive * P[i, j] + negative * p[i] * p[j]
        assert G[i, j] / G[0, 1] == pytest.approx(
            brute / sum(weighting.psi(small, 0, 1, P[0, 1]) * np.array([P[0, 1], p[0] * p[1]]))
        )
    assert G.mean() == pytest.approx(1)


def test_recorded_scores_are_those_of_the_closed_form(stats, script):
    record = json.loads(datasets.verify("benchmark-dims.json").read_text())
    module = script("benchmark_dims.py")
    assert record["statistics"] == stats.fingerprint
    assert record["dims"] == list(module["DIMS"])
    at = record["dims"].index(64)
    for kind in module["LARGEST"]:
        again = module["scores"](qw2v.closed_form(stats, dim=64, kind=kind))
        for name, value in again.items():
            assert record["scores"][kind][name][at] == pytest.approx(value, abs=0.003)


def test_recorded_robustness_keeps_its_sums(script):
    record = json.loads(datasets.verify("robustness.json").read_text())
    module = script("robustness.py")
    assert (record["words"], record["modes"]) == (module["WORDS"], module["MODES"])
    assert list(record["comparisons"]) == ["halves", *(f"window {w}" for w in module["WINDOWS"])]
    for row in record["comparisons"].values():
        best, share, within = (np.array(row[name]) for name in ("best", "share", "within"))
        assert len(best) == record["modes"]
        assert np.all(best <= share + 1e-4) and np.all(share <= 1)
        assert within[-1] == pytest.approx(share[-1], abs=1e-4)  # the whole space, both


def test_robustness_script_on_a_small_text(script, tmp_path):
    rng = np.random.default_rng(0)
    topics = [[f"{a}{b}" for b in "klmnopqrst"] for a in "abcdef"]
    paths = []
    for i in range(4):
        lines = [
            " ".join(rng.choice(topics[t], 12)) + " " + " ".join(rng.choice(sum(topics, []), 6))
            for t in rng.integers(0, 6, 150)
        ]
        paths.append(tmp_path / f"part-{i}.txt")
        paths[-1].write_text("\n".join(lines))
    count = qw2v.CorpusStatistics.from_files
    words = count(paths, vocab_size=40, window=1).words

    def counted(groups, window):
        return [count(files, vocabulary=words, window=window).restrict(30) for files in groups]

    module = script("robustness.py")
    module["record"].__globals__.update(MODES=4, HALVES=2, WINDOW=3, WINDOWS=(2,), counted=counted)
    found = module["record"](paths)["comparisons"]
    values = []
    for files in (paths, *(paths[:i] + paths[i + 1 :] for i in range(4))):
        first, second = (
            qw2v.target(counted([files], window)[0]).eigenpairs(4)[1] for window in (3, 2)
        )
        values.append(features.match_features(features.squared_overlaps(first, second)).share)
    np.testing.assert_allclose(found["window 2"]["share"], values[0], atol=1e-4)
    spread = np.std(values[1:], axis=0) * np.sqrt(3)
    np.testing.assert_allclose(found["window 2"]["share_error"], spread, atol=1e-4)
    assert np.all(np.array(found["halves"]["best"]) > 0.5)
