"""Targets against dense formulas, eigenpairs against LAPACK, each step of the derivation."""

import warnings

import numpy as np
import pytest
import scipy.linalg
from mpmath import mp, mpf

import qw2v
from qw2v import targets
from qw2v.spectrum import as_symmetric, eigenpairs, products, solver
from qw2v.statistics import CorpusStatistics
from qw2v.targets import mode_words, target
from qw2v.text.corpus import Corpus
from qw2v.weighting import RankOne, Setting31, Word2Vec


@pytest.fixture(scope="module")
def stats() -> CorpusStatistics:
    """300 words in 12 topics, so that many pairs never meet."""
    rng = np.random.default_rng(0)
    docs = []
    for _ in range(400):
        topic = rng.integers(12)
        ids = np.where(
            rng.random(50) < 0.7, 25 * topic + rng.integers(25, size=50), rng.integers(300, size=50)
        )
        docs.append(
            " ".join(
                "w" + "abcdefghij"[i // 100] + "abcdefghij"[i // 10 % 10] + "abcdefghij"[i % 10]
                for i in ids
            )
        )
    return CorpusStatistics.from_texts(docs, vocab_size=300, window=4, progress=False)


def tables(stats, weighting):
    P, PP = stats.skipgram.toarray(), np.outer(stats.unigram, stats.unigram)
    index = np.arange(stats.vocab_size)
    plus, minus = weighting.psi(stats, index[:, None], index, P)
    return P, PP, plus, minus


@pytest.mark.parametrize("weighting", [Setting31(), Word2Vec(), Word2Vec(1e-4, 15, 1)])
def test_every_kind_equals_its_dense_formula(stats, weighting):
    P, PP, plus, minus = tables(stats, weighting)
    assert (P == 0).any()
    joint, apart = plus * P, minus * PP
    with np.errstate(divide="ignore"):
        pmi = np.log(joint / apart)
    dense = {
        "mstar": (joint - apart) / ((joint + apart) / 2),
        "pmi": np.log(joint / apart + 1e-25),
        "ppmi": np.maximum(pmi, 0),
    }
    for kind, expected in dense.items():
        found = target(stats, kind, weighting)
        np.testing.assert_allclose(found.toarray(), expected, rtol=1e-11, atol=1e-12)
        x = np.random.default_rng(1).standard_normal((300, 3))
        np.testing.assert_allclose(found @ x, expected @ x, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(found @ x[:, 0], expected @ x[:, 0], rtol=1e-9, atol=1e-9)
        assert found.frobenius_squared == pytest.approx(np.sum(expected**2), rel=1e-11)
        assert found.trace == pytest.approx(np.trace(expected), rel=1e-9)


def test_mstar_is_bounded_and_minus_two_where_words_never_meet(stats):
    M = target(stats).toarray()
    silent = stats.pair_counts.toarray() == 0
    assert np.all(M[silent] == -2)
    assert M.min() == -2
    assert M.max() < 2


def test_shift_subtracts_log_k(stats):
    shifted = target(stats, "pmi", shift=5).toarray()
    np.testing.assert_allclose(shifted, target(stats, "pmi").toarray() - np.log(5), atol=1e-12)
    negatives = target(stats, "ppmi", Word2Vec(subsample=None, negatives=5, power=1))
    plain = Word2Vec(subsample=None, negatives=1, power=1)
    np.testing.assert_allclose(
        target(stats, "ppmi", plain, shift=5).toarray(), negatives.toarray(), atol=1e-12
    )


@pytest.mark.parametrize("weighting", [Setting31(), Word2Vec()])
def test_mstar_is_two_tanh_of_half_pmi(stats, weighting):
    P, PP, plus, minus = tables(stats, weighting)
    met = P > 0
    argument = np.log(plus * P / (minus * PP), where=met, out=np.zeros_like(P))
    M = target(stats, weighting=weighting).toarray()
    np.testing.assert_allclose(M[met], 2 * np.tanh(argument[met] / 2), atol=1e-13)


def test_taylor_error_is_the_fourth_order_term():
    with mp.workdps(40):
        for x in (mpf("1e-3"), mpf("-1e-2"), mpf("1e-1")):
            gap = (mp.log(2) - x / 2 + x**2 / 8) - mp.log(1 + mp.e**-x)
            assert abs(gap / (x**4 / 192) - 1) < x**2 / 10


@pytest.mark.parametrize("weighting", [Setting31(), Word2Vec()])
def test_quartic_loss_is_the_completed_square(stats, weighting):
    P, PP, plus, minus = tables(stats, weighting)
    G, M = plus * P + minus * PP, target(stats, weighting=weighting).toarray()
    rng = np.random.default_rng(2)
    constants = []
    for _ in range(3):
        W = rng.standard_normal((300, 5))
        x = W @ W.T
        quartic = np.sum(plus * P * (x**2 / 4 - x) + minus * PP * (x**2 / 4 + x))
        constants.append(quartic - np.sum(G * (x - M) ** 2) / 4)
    np.testing.assert_allclose(constants, constants[0], rtol=1e-9)


@pytest.mark.parametrize("weighting", [Setting31(), Word2Vec()])
def test_sgns_departs_from_its_quartic_model_at_fourth_order(stats, weighting):
    P, PP, plus, minus = tables(stats, weighting)
    trained = qw2v.closed_form(stats, dim=10).matrix
    gaps = []
    for scale in (0.05, 0.1):
        x = scale**2 * trained @ trained.T
        sgns = np.sum(plus * P * np.logaddexp(0, -x) + minus * PP * np.logaddexp(0, x))
        sgns -= np.log(2) * np.sum(plus * P + minus * PP)
        quartic = np.sum(plus * P * (x**2 / 4 - x) + minus * PP * (x**2 / 4 + x))
        slope = 2 * (minus * PP / (1 + np.exp(-x)) - plus * P / (1 + np.exp(x))) @ trained
        model = (plus * P * (x / 2 - 1) + minus * PP * (x / 2 + 1)) @ trained
        loss_gap, gradient_gap = abs(2 * sgns - quartic), np.linalg.norm(slope - model)
        gaps.append((loss_gap / abs(quartic), gradient_gap / np.linalg.norm(model)))
    # x grows as scale^2, the gap as x^4 and what it is measured by as x: scale^6 in all.
    np.testing.assert_allclose(np.log2(np.divide(gaps[1], gaps[0])), 6, atol=0.1)


def test_gradient_of_the_square_is_the_flow(stats):
    M = target(stats).toarray()
    rng = np.random.default_rng(3)
    W, direction = rng.standard_normal((2, 300, 4))
    loss = lambda W: np.sum((W @ W.T - M) ** 2) / 4  # noqa: E731
    h = 1e-5
    numeric = (loss(W + h * direction) - loss(W - h * direction)) / (2 * h)
    # dW/dt = -grad / 2 = (M* - W W^T) W / 2
    assert numeric == pytest.approx(-np.sum(direction * ((M - W @ W.T) @ W)), rel=1e-7)


def test_sgns_minimiser_is_pmi_plus_log_of_the_weights(stats):
    P, PP, plus, minus = tables(stats, Word2Vec())
    met = np.argwhere(P > 0)[::997]
    for i, j in met:
        a, b = plus[i, j] * P[i, j], minus[i, j] * PP[i, j]
        x = np.log(a / b)
        slope = b / (1 + np.exp(-x)) - a / (1 + np.exp(x))
        assert abs(slope) < 1e-12 * (a + b)


@pytest.mark.parametrize("kind", ["mstar", "pmi", "ppmi"])
def test_rank_one_factor_minimises_the_weighted_loss(stats, kind):
    g = np.random.default_rng(4).uniform(0.2, 2, 300)
    M = target(stats, kind, floor=0.05).toarray()
    scaled = target(stats, kind, weighting=RankOne(g), floor=0.05)
    np.testing.assert_allclose(scaled.toarray(), np.sqrt(np.outer(g, g)) * M, atol=1e-12)
    values, modes = scaled.eigenpairs(6)
    W = modes * np.sqrt(values) / np.sqrt(g)[:, None]
    np.testing.assert_allclose((np.outer(g, g) * (W @ W.T - M)) @ W, 0, atol=1e-9)


def test_closed_form_is_the_global_minimum_that_eckart_young_promises(stats):
    M = target(stats)
    values = scipy.linalg.eigvalsh(M.toarray())
    W = qw2v.closed_form(stats, dim=7).matrix
    loss = np.sum((W @ W.T - M.toarray()) ** 2) / 4
    assert loss == pytest.approx(
        (np.sum(values**2) - np.sum(np.sort(values)[-7:] ** 2)) / 4, rel=1e-12
    )


def hard_spectrum(size, seed=5):
    """A flat positive tail below a negative end larger than lambda_1, like that of M*."""
    rng = np.random.default_rng(seed)
    values = np.concatenate(
        [
            100 * np.arange(1, size // 2 + 1) ** -0.6,
            -300 * np.arange(1, size - size // 2 + 1) ** -0.8,
        ]
    )
    basis = scipy.linalg.qr(rng.standard_normal((size, size)))[0]
    return (basis * values) @ basis.T, values, basis


def test_block_lanczos_agrees_with_lapack_and_truth():
    matrix, values, basis = hard_spectrum(1200)
    matrix = (matrix + matrix.T) / 2
    found, vectors = solver.block_lanczos(as_symmetric(matrix), 60, progress=False)
    np.testing.assert_allclose(found, values[:60], rtol=1e-10)
    overlap = np.abs(np.sum(vectors * basis[:, :60], axis=0))
    np.testing.assert_allclose(overlap, 1, atol=1e-9)


def test_sparse_operator_and_dense_table_give_the_same_pairs(stats, monkeypatch):
    monkeypatch.setattr(products, "_DENSE_SHARE", 0)
    dense = solver.block_lanczos(target(stats), 5, progress=False, block=8)
    monkeypatch.setattr(products, "_DENSE_SHARE", 2)
    sparse = solver.block_lanczos(target(stats), 5, progress=False, block=8)
    np.testing.assert_allclose(dense[0], sparse[0], rtol=1e-10)


def test_unconverged_pairs_are_an_error(monkeypatch):
    matrix, _, _ = hard_spectrum(200)
    monkeypatch.setattr(solver, "_RESTARTS", 0)
    with pytest.raises(ArithmeticError, match=r"did not converge: residual \d.* fewer than k = 5"):
        solver.block_lanczos(as_symmetric((matrix + matrix.T) / 2), 5, progress=False, columns=64)


@pytest.mark.parametrize("device", ["cpu", "torch"])
def test_a_small_basis_is_restarted(device):
    matrix, values, basis = hard_spectrum(1200)
    found, vectors = solver.block_lanczos(
        as_symmetric((matrix + matrix.T) / 2), 40, progress=False, columns=256, device=device
    )
    np.testing.assert_allclose(found, values[:40], rtol=1e-10)
    np.testing.assert_allclose(np.abs(np.sum(vectors * basis[:, :40], axis=0)), 1, atol=1e-9)


def test_signs_are_fixed(stats):
    _, vectors = target(stats).eigenpairs(6)
    peak = np.abs(vectors).argmax(axis=0)
    assert np.all(vectors[peak, np.arange(6)] > 0)


def test_past_the_positive_spectrum_says_how_many_there_are(stats):
    values = scipy.linalg.eigvalsh(target(stats).toarray())
    positive = int(np.sum(values > 0))
    with pytest.raises(ValueError, match=f"this matrix has {positive} positive eigenvalues"):
        target(stats).eigenpairs(positive + 1)
    assert len(target(stats).eigenpairs(positive)[0]) == positive


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((2, 3)), r"must be a square table; received shape \(2, 3\)"),
        (np.array([[1, 2], [3, 4.0]]), "must be symmetric"),
        (np.array([[1, np.inf], [np.inf, 1]]), "must be finite"),
    ],
)
def test_plain_arrays_are_checked(matrix, message):
    with pytest.raises(ValueError, match=message):
        eigenpairs(matrix, 1)


@pytest.mark.parametrize("k", [0, -1, 301])
def test_k_out_of_range(stats, k):
    with pytest.raises(ValueError, match=f"between 1 and 300, V; received {k}"):
        target(stats).eigenpairs(k)


def test_unknown_kind_and_bad_options(stats):
    with pytest.raises(
        ValueError, match="kind must be one of 'mstar', 'pmi', 'ppmi'; received 'svd'"
    ):
        target(stats, "svd")
    with pytest.raises(ValueError, match="floor must be a positive finite number; received 0"):
        target(stats, "pmi", floor=0)
    with pytest.raises(ValueError, match="shift must be a positive finite number; received -1"):
        target(stats, "pmi", shift=-1)


def test_cache_returns_the_same_pairs_and_survives_damage(tmp_path, monkeypatch):
    monkeypatch.setenv("QW2V_CACHE", str(tmp_path))
    matrix, values, _ = hard_spectrum(1100)
    M = targets.Target(
        "mstar", [""] * 1100, scipy.sparse.csr_array(matrix), 0.0, np.ones(1100), "test"
    )
    first = M.eigenpairs(8, progress=False)
    (file,) = tmp_path.glob("*.npz")
    monkeypatch.setattr(solver, "eigenpairs", lambda *a, **k: pytest.fail("the cache was not used"))
    again = M.eigenpairs(5)
    np.testing.assert_allclose(again[0], first[0][:5])
    np.testing.assert_allclose(again[1], first[1][:, :5], atol=1e-7)
    monkeypatch.undo()
    monkeypatch.setenv("QW2V_CACHE", str(tmp_path))
    file.write_bytes(file.read_bytes()[:1000])
    mended = M.eigenpairs(8, progress=False)
    np.testing.assert_allclose(mended[0], values[:8], rtol=1e-9)


def test_fingerprints_tell_targets_apart(stats):
    made = [
        target(stats),
        target(stats, "pmi"),
        target(stats, "pmi", floor=1e-9),
        target(stats, "ppmi", shift=2),
        target(stats, weighting=Word2Vec()),
        target(stats, weighting=RankOne(np.ones(300))),
        target(stats.restrict(299)),
    ]
    assert len({m.fingerprint for m in made}) == len(made)
    assert target(stats).fingerprint == made[0].fingerprint


def test_mode_words_names_both_ends():
    vectors = np.array([[0.5], [-0.7], [0.1], [0.4]])
    assert mode_words(vectors, ["a", "b", "c", "d"], 1, n=2) == (["a", "d"], ["b", "c"])
    with pytest.raises(ValueError, match="from 1 to 1, received 2"):
        mode_words(vectors, ["a", "b", "c", "d"], 2)


def test_f6_words_that_never_occur_have_no_vector():
    texts = ["a b a b c c b"] * 30
    stats = CorpusStatistics.from_texts(texts, vocabulary=["a", "b", "unicorn", "c"], window=2)
    with pytest.raises(ValueError, match="1 of the 4 words never occur in the text.*'unicorn'"):
        qw2v.target(stats)
    assert qw2v.target(stats.restrict(["a", "b", "c"])).shape == (3, 3)


def test_a_text_too_short_for_its_words_is_warned_of():
    words = [a + b + c for a in "abcdefghijk" for b in "abcdefghijk" for c in "abcdefghijk"]
    corpus = Corpus.from_texts([" ".join(words)], progress=False)
    with pytest.warns(UserWarning, match="short for 1,331 words: 0.3% of their pairs ever met"):
        target(corpus.count(vocab_size=len(words), window=2, progress=False))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        target(corpus.count(vocab_size=900, window=2, progress=False))
