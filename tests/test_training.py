"""Training against finite differences, a slow numpy version, the closed form and interruptions."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import reference
import safetensors.numpy
import torch
from scipy.optimize import minimize_scalar
from tqdm import tqdm

import qw2v
from qw2v import _checkpoints, dynamics, training
from qw2v.training import (
    CheckpointError,
    Checkpoints,
    CorpusPairs,
    DivergenceError,
    Record,
    Run,
    StatisticsPairs,
    integrators,
    loop,
    losses,
    machine,
    pairs,
    word_ids,
)  # fmt: skip
from qw2v.training import (
    options as run_options,
)
from qw2v.weighting import RankOne, Setting31, Word2Vec

WEIGHTINGS = {
    "setting31": lambda size: Setting31(),
    "rank-one": lambda size: RankOne(np.linspace(0.5, 2, size)),
    "word2vec": lambda size: Word2Vec(subsample=0.02, negatives=2),
}
CORNERS = [(loss, name) for loss in run_options.LOSSES for name in WEIGHTINGS]


def text(words, documents, seed=0):
    """Documents of words that come in runs of a topic, so that M* has a few strong modes."""
    rng = np.random.default_rng(seed)
    names = np.array([f"{a}{b}" for a in "abcdefgh" for b in "klmnopqrst"])[:words]
    share = 1 / np.arange(1, words + 1)
    topics = [share * np.exp(1.5 * rng.standard_normal(words)) for _ in range(8)]
    return [
        " ".join(rng.choice(names, 60, p=(p := topics[rng.integers(8)]) / p.sum()))
        for _ in range(documents)
    ]


@pytest.fixture(scope="module")
def tiny():
    return qw2v.CorpusStatistics.from_texts(text(14, 60), vocab_size=14, window=3, progress=False)


@pytest.fixture(scope="module")
def stats():
    return qw2v.CorpusStatistics.from_texts(text(80, 400), vocab_size=80, window=8, progress=False)


def starts(size, dim, scale, count=2, seed=0):
    rng = np.random.default_rng(seed)
    return [scale * rng.standard_normal((size, dim)) for _ in range(count)]


def population(loss, stats, weighting):
    return losses.make(loss, stats, weighting, torch.float64, torch.device("cpu"))


# --- Losses and gradients


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
@pytest.mark.parametrize("loss, name", CORNERS)
def test_gradients_match_finite_differences_and_the_slow_version(tiny, loss, name, tied):
    weighting = WEIGHTINGS[name](tiny.vocab_size)
    A, B = reference.pair_weights_of(tiny, weighting)
    left, right = starts(tiny.vocab_size, 3, 0.7)
    right = left if tied else right
    ours = population(loss, tiny, weighting)
    here = [torch.tensor(left)] * 2 if tied else [torch.tensor(left), torch.tensor(right)]
    velocity = ours.velocity(*here, torch.empty_like(here[0])).numpy()

    slow = reference.training_velocity(loss, A, B, left, right)
    np.testing.assert_allclose(velocity, slow, rtol=0, atol=1e-12 * np.abs(slow).max())

    step = 1e-5
    gradient = np.empty_like(left)
    for place in np.ndindex(*left.shape):
        values = []
        for sign in (1, -1):
            moved = left.copy()
            moved[place] += sign * step
            other = moved if tied else right
            values.append(reference.training_loss(loss, A, B, moved, other))
        gradient[place] = (values[0] - values[1]) / (2 * step)
    # Tied, dL = 2 C W: the flow is -grad L / 2g. Untied, each side has half of it.
    expected = -gradient / 2 if tied else -gradient
    np.testing.assert_allclose(velocity, expected, rtol=0, atol=1e-7 * np.abs(slow).max())


@pytest.mark.parametrize("loss, name", CORNERS)
def test_loss_is_the_slow_one_above_its_floor(tiny, loss, name):
    weighting = WEIGHTINGS[name](tiny.vocab_size)
    A, B = reference.pair_weights_of(tiny, weighting)
    ours = population(loss, tiny, weighting)
    left, right = starts(tiny.vocab_size, 3, 0.7)
    floor = 0.0
    for a, b in zip(A.ravel(), B.ravel(), strict=True):
        pair = np.array([[a]]), np.array([[b]])
        alone = lambda x: reference.training_loss(loss, *pair, x * np.ones((1, 1)), np.ones((1, 1)))  # noqa
        found = minimize_scalar(alone, bounds=(-60, 60), method="bounded", options={"xatol": 1e-10})
        floor += found.fun * (a + b) / (A + B).mean()
    assert ours.floor == pytest.approx(floor, rel=1e-9)
    for L, R in ((left, left), (left, right), (0 * left, 0 * left)):
        expected = reference.training_loss(loss, A, B, L, R)
        value = ours.loss(torch.tensor(L), torch.tensor(R))
        assert value == pytest.approx(expected - ours.floor, rel=1e-12)


def test_losses_and_gradients_agree_at_the_origin(tiny):
    weighting = Word2Vec(subsample=0.02, negatives=2)
    W = torch.tensor(starts(tiny.vocab_size, 3, 1e-6, 1)[0])
    quartic, word2vec = (
        population(loss, tiny, weighting).velocity(W, W, torch.empty_like(W)).numpy()
        for loss in run_options.LOSSES
    )
    np.testing.assert_allclose(quartic, word2vec, rtol=0, atol=1e-10 * np.abs(quartic).max())


# --- Against the closed form


def crossing(time, square, level):
    """The time at which a rising curve first passes a level, linearly between its points."""
    after = int(np.argmax(square > level))
    before = after - 1
    share = (level - square[before]) / (square[after] - square[before])
    return time[before] + share * (time[after] - time[before])


def follow(stats, path, share, **options):
    """Train to 1.4 times the last learning time, in steps of share / lambda_1, and trace it all."""
    span = 1.4 * path.learning_times[-1]
    steps = int(span * path.eigenvalues[0] / share)
    points = np.linspace(0, steps, 500).astype(int)
    return qw2v.train(
        stats, steps=steps, lr=span / steps, record=Record(trace=points), progress=False, **options
    )


def assert_follows(run, theory, eigenvalues, tolerance):
    """s_k^2(t) within a share of lambda_k for each mode, the half-times within the same share."""
    time, square = run.trace.time, run.trace.singular_values**2
    for k, value in enumerate(eigenvalues):
        assert np.abs(square[:, k] - theory[:, k] ** 2).max() < tolerance * value
        half = [crossing(time, curve[:, k], value / 2) for curve in (square, theory**2)]
        assert half[0] == pytest.approx(half[1], rel=tolerance)


@pytest.mark.parametrize(
    "integrator, share, tolerance", [("euler", 5e-3, 1e-2), ("rk4", 0.2, 1e-4)]
)
def test_aligned_start_follows_lemma_3_1(stats, integrator, share, tolerance):
    path = dynamics.aligned(qw2v.target(stats), 1e-2, dim=4)
    W0 = path.embeddings(0.0)
    run = follow(stats, path, share, dim=4, W0=W0, integrator=integrator, dtype="float64")
    assert_follows(run, path.singular_values(run.trace.time), path.eigenvalues, tolerance)
    np.testing.assert_allclose(run.trace.loss, path.loss(run.trace.time), rtol=tolerance)


@pytest.mark.parametrize("sigma", [1e-1, 1e-3])
def test_random_start_follows_an_independent_integrator(stats, sigma):
    target = qw2v.target(stats)
    path = dynamics.vanishing(target, sigma, 4)
    run = follow(stats, path, 5e-3, dim=4, init_scale=sigma)
    flow = dynamics.gradient_flow(target, run.initial.astype(float), run.trace.time[::10])
    theory = np.linalg.svd(flow, compute_uv=False)
    thinned = training.Trace(*(array[::10] for array in vars(run.trace).values()))
    for k, value in enumerate(path.eigenvalues):
        gap = thinned.singular_values[:, k] ** 2 - theory[:, k] ** 2
        assert np.abs(gap).max() < 1e-2 * value
    exact = dynamics.exact(target, run.initial)
    assert_follows(run, exact.singular_values(run.trace.time), path.eigenvalues, 1e-2)


def test_distance_to_result_3_shrinks_with_the_start(stats):
    target = qw2v.target(stats)
    late, apart = [], []
    for sigma in (1e-1, 1e-2, 1e-4, 1e-8):
        path = dynamics.vanishing(target, sigma, 3)
        shifts, gaps = [], []
        for seed in range(4):
            options = dict(dim=3, init_scale=sigma, integrator="rk4", dtype="float64", seed=seed)
            run = follow(stats, path, 0.1, **options)
            square = run.trace.singular_values**2
            half = [
                crossing(run.trace.time, square[:, k], value / 2)
                for k, value in enumerate(path.eigenvalues)
            ]
            shifts.append(np.abs(half / path.learning_times - 1).max())
            # Aligned from the overlaps that this very start grows into.
            s0 = dynamics.silent_start(path.eigenvectors, run.initial)
            silent = dynamics.aligned(target, s0, dim=3).singular_values(run.trace.time) ** 2
            gaps.append((np.abs(square - silent) / path.eigenvalues).max())
        late.append(np.mean(shifts))
        apart.append(np.max(gaps))
    # The half-times tend to tau_k as 1 / ln(1 / sigma), the curves to those of the aligned start as
    # a power of sigma, small where two eigenvalues are close: here 19.5 and 17.8.
    assert late == sorted(late, reverse=True) and late[-1] < late[0] / 3
    assert apart == sorted(apart, reverse=True) and apart[-1] < apart[0] / 3


def test_a_start_of_1e_12_takes_float64_and_follows_the_theory(stats):
    target = qw2v.target(stats)
    path = dynamics.vanishing(target, 1e-12, 4)
    run = follow(stats, path, 0.1, dim=4, init_scale=1e-12, integrator="rk4")
    assert run.settings["dtype"] == "float64" and run.initial.dtype == np.float64
    theory = dynamics.exact(target, run.initial).singular_values(run.trace.time)
    assert_follows(run, theory, path.eigenvalues, 1e-3)


@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_chebyshev_follows_the_flow_in_far_fewer_gradients(stats, tied):
    """Of stiff weights, growing steps end where many small ones do."""
    weighting = Word2Vec(subsample=None, negatives=2)
    options = dict(loss="sgns", weighting=weighting, dim=4, init_scale=0.1, tied=tied)
    options |= dict(dtype="float64", progress=False)
    run = qw2v.train(stats, integrator="chebyshev", steps=90, lr=2e-3, schedule=0.06, **options)
    time, calls = run.trace.time, len(run.trace.time)
    steps = 4_000
    slow = qw2v.train(stats, steps=steps, lr=float(time[-1]) / steps, **options)
    assert calls < 100 and time[-1] > 0.3
    np.testing.assert_allclose(run.trace.loss[-1], slow.trace.loss[-1], rtol=2e-3)
    got, wanted = (r.trace.singular_values[-1] for r in (run, slow))
    np.testing.assert_allclose(got, wanted, rtol=1e-2)


def test_chebyshev_is_of_second_order(stats):
    target = qw2v.target(stats)
    W0 = dynamics.aligned(target, 0.1, dim=3).embeddings(0.0)
    span, errors = 8 / target.eigenpairs(1)[0][0], []
    for steps in (20, 40, 80):
        run = qw2v.train(
            stats, dim=3, W0=W0, steps=steps, lr=span / steps, integrator="chebyshev",
            dtype="float64", progress=False,
        )  # fmt: skip
        theory = dynamics.exact(target, W0).singular_values(np.array([span]))[0]
        errors.append(np.abs(run.trace.singular_values[-1] - theory).max())
    assert errors[0] > 3 * errors[1] > 9 * errors[2]


def test_a_growing_schedule_is_traced_evenly_in_the_logarithm_of_time(stats):
    run = qw2v.train(
        stats, dim=2, steps=60, lr=1e-3, schedule=0.1, record=Record(12, [0]), progress=False
    )
    step = np.diff(run.trace.time)[0]
    assert step == pytest.approx(1e-3)
    gaps = np.diff(np.log(run.trace.time[-6:]))
    assert gaps.max() / gaps.min() < 1.8
    times = run.trace.time
    assert times[-1] == pytest.approx(1e-2 * 1.1**50, rel=1e-9)


@pytest.mark.parametrize(
    "options", [dict(init_scale=100.0, lr=0.1), dict(lr=0.1, pairs=StatisticsPairs(5))]
)
def test_f18_faults_13_divergence_never_advises_what_failed(stats, options):
    options = dict(dim=4, init_scale=1.0, steps=3_000, progress=False) | options
    with pytest.raises(DivergenceError) as error:
        qw2v.train(stats, **options)
    advised = float(re.search(r"Try lr = ([\d.e-]+)", str(error.value))[1])
    assert advised < options["lr"] / 2


def test_f18_without_a_pair_there_is_nothing_to_train_on():
    stats = qw2v.CorpusStatistics.from_texts(["a", "b", "a"], vocab_size=2, window=2)
    for pairs_of in (None, StatisticsPairs(10)):
        with pytest.raises(ValueError, match="no two of the 2 words ever met"):
            qw2v.train(stats, dim=1, steps=10, lr=0.1, pairs=pairs_of, progress=False)


class Half:
    """A weighting with nothing but psi: half of Setting 3.1's for words of odd rank."""

    def __init__(self, size):
        self.share = np.where(np.arange(size) % 2, 0.5, 1.0)

    def psi(self, stats, rows, cols, skipgram):
        positive, _ = Setting31().psi(stats, rows, cols, skipgram)
        return positive, positive * self.share[rows] * self.share[cols]


def test_a_weighting_of_one_method_trains_samples_and_resumes(stats, tmp_path):
    weighting = Half(stats.vocab_size)
    options = dict(weighting=weighting, dim=3, init_scale=0.1, steps=500, lr=3e-3, progress=False)
    full = qw2v.train(stats, **options)
    sampled = qw2v.train(stats, pairs=StatisticsPairs(5_000), **options)
    np.testing.assert_allclose(
        sampled.trace.singular_values[-1], full.trace.singular_values[-1], rtol=0.03
    )
    assert full.settings["weighting"] == "Half"
    qw2v.train(stats, checkpoints=Checkpoints(tmp_path), **options)
    again = dict(options, weighting=Half(stats.vocab_size))
    rest = qw2v.train(stats, checkpoints=Checkpoints(tmp_path, resume=True), **again)
    assert np.array_equal(rest.vectors.matrix, full.vectors.matrix)
    other = Half(stats.vocab_size)
    other.share[40] = 0.7
    with pytest.raises(CheckpointError, match="its weighting_fingerprint is"):
        qw2v.train(
            stats,
            checkpoints=Checkpoints(tmp_path, resume=True),
            **dict(options, weighting=other),
        )


def test_rank_one_weights_and_untied_words_reach_their_closed_forms(stats):
    weighting = RankOne(np.linspace(0.5, 2, stats.vocab_size))
    run = qw2v.train(stats, weighting=weighting, dim=3, steps=3_000, lr=0.02, progress=False)
    closed = qw2v.closed_form(stats, dim=3, weighting=weighting).matrix
    gram = run.vectors.matrix @ run.vectors.matrix.T
    np.testing.assert_allclose(gram, closed @ closed.T, atol=1e-4)
    run = qw2v.train(stats, tied=False, dim=3, steps=3_000, lr=0.02, progress=False)
    # Untied, W W'^T is the best approximation of rank 3, negative eigenvalues too.
    values, modes = np.linalg.eigh(qw2v.target(stats).toarray())
    top = np.argsort(-np.abs(values))[:3]
    best = (modes[:, top] * values[top]) @ modes[:, top].T
    np.testing.assert_allclose(run.vectors.matrix @ run.context.matrix.T, best, atol=1e-3)


def test_untied_words_from_equal_starts_move_as_tied_ones(stats):
    W0 = starts(stats.vocab_size, 3, 0.1, 1)[0]
    options = dict(loss="sgns", dim=3, steps=200, lr=0.01, dtype="float64", progress=False)
    one = qw2v.train(stats, W0=W0, **options)
    two = qw2v.train(stats, W0=(W0, W0), tied=False, **options)
    np.testing.assert_allclose(two.vectors.matrix, one.vectors.matrix, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(two.context.matrix, one.vectors.matrix, rtol=1e-9, atol=1e-12)


def test_word2vec_of_full_rank_reaches_pmi():
    documents = ["a b c a b", "c d c a b", "d a c b d"]
    stats = qw2v.CorpusStatistics.from_texts(documents, vocab_size=4, window=4, progress=False)
    weighting = Word2Vec(subsample=None, negatives=1, power=1)
    run = qw2v.train(
        stats, loss="sgns", weighting=weighting, dim=4, tied=False, steps=20_000, lr=0.5,
        init_scale=0.1, progress=False,
    )  # fmt: skip
    pmi = qw2v.target(stats, "pmi", weighting).toarray()
    np.testing.assert_allclose(run.vectors.matrix @ run.context.matrix.T, pmi, atol=1e-3)
    assert run.trace.loss[-1] < 1e-5


# --- Minibatches


def test_minibatches_settle_near_the_closed_form(stats):
    """At a small step the noise averages out: the flow is that of all pairs."""
    options = dict(dim=3, init_scale=0.1, steps=800, lr=2e-3, progress=False)
    full = qw2v.train(stats, **options)
    run = qw2v.train(stats, pairs=StatisticsPairs(10_000), **options)
    values = qw2v.target(stats).eigenpairs(3)[0]
    np.testing.assert_allclose(run.trace.singular_values[-1] ** 2, values, rtol=0.03)
    gap = np.abs(run.trace.singular_values**2 - full.trace.singular_values**2) / values
    assert gap.max() < 0.05
    # Fewer pairs, more noise: the loss stays higher.
    noisy = qw2v.train(stats, pairs=StatisticsPairs(300), **options)
    assert noisy.trace.loss[-1] > run.trace.loss[-1] > full.trace.loss[-1]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pairs": StatisticsPairs(200, "plain"), "tied": False},
        {"loss": "sgns", "weighting": Word2Vec(subsample=0.02, negatives=2)},
        {"loss": "sgns", "weighting": Word2Vec(0.02, 2), "pairs": "text"},
    ],
    ids=["weighted", "plain-untied", "word2vec", "text"],
)
def test_an_interrupted_sampled_run_goes_on_bit_for_bit(stats, tmp_path, monkeypatch, options):
    options = dict(dim=3, steps=40, lr=0.001, pairs=StatisticsPairs(200), progress=False) | options
    if options["pairs"] == "text":
        options["pairs"] = CorpusPairs(word_ids(stats, text(80, 400)), 200)
    whole = qw2v.train(stats, **options)
    push = pairs.Batch.velocity

    def stopping(batch, *arguments, calls=[0]):  # noqa: B006
        calls[0] += 1
        if calls[0] == 30:
            raise KeyboardInterrupt
        push(batch, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(pairs.Batch, "velocity", stopping)
        with pytest.raises(KeyboardInterrupt):
            qw2v.train(stats, checkpoints=Checkpoints(tmp_path), **options)
    assert (tmp_path / "step-00000029.safetensors").is_file()
    rest = qw2v.train(stats, checkpoints=Checkpoints(tmp_path, resume=True), **options)
    assert np.array_equal(rest.vectors.matrix, whole.vectors.matrix)
    assert np.array_equal(rest.trace.loss, whole.trace.loss)
    other = qw2v.train(stats, **{**options, "seed": 1, "W0": None})
    assert not np.array_equal(other.vectors.matrix, whole.vectors.matrix)


def test_training_on_text_lowers_the_loss_of_its_counts(stats):
    options = dict(loss="sgns", weighting=Word2Vec(0.02, 2), dim=4, init_scale=0.1, steps=600)
    ids = word_ids(stats, text(80, 400))
    run = qw2v.train(stats, pairs=CorpusPairs(ids, 2_000), lr=3e-3, progress=False, **options)
    full = qw2v.train(stats, lr=3e-3, progress=False, **options)
    fall = run.trace.loss[0] - run.trace.loss[-1]
    assert fall > 0.8 * (full.trace.loss[0] - full.trace.loss[-1]) > 0


# --- What a run is


def test_schedule_cuts_the_rate_at_three_quarters(stats):
    run = qw2v.train(
        stats, dim=2, steps=10, lr=0.01, schedule="step", record=Record(range(11)), progress=False
    )
    steps = [0.01] * 8 + [0.001] * 2
    np.testing.assert_allclose(np.diff(run.trace.time), steps, rtol=1e-12)
    before = qw2v.train(stats, dim=2, steps=8, lr=0.01, progress=False).vectors.matrix
    rest = qw2v.train(stats, dim=2, steps=2, lr=0.001, W0=before, progress=False)
    np.testing.assert_allclose(run.vectors.matrix, rest.vectors.matrix, rtol=1e-6)


def test_one_seed_is_one_run_and_another_is_another(stats):
    options = dict(loss="sgns", dim=3, steps=30, lr=0.01, progress=False)
    runs = [qw2v.train(stats, seed=seed, **options) for seed in (1, 1, 2)]
    assert np.array_equal(runs[0].vectors.matrix, runs[1].vectors.matrix)
    assert not np.array_equal(runs[0].vectors.matrix, runs[2].vectors.matrix)


def test_trace_and_snapshots_lie_at_the_steps_asked_for(stats):
    run = qw2v.train(stats, dim=2, steps=50, lr=0.01, record=Record(8, [0, 7, 50]), progress=False)
    steps = run.trace.step
    assert steps[0] == 0 and steps[-1] == 50 and np.all(np.diff(steps) > 0) and len(steps) <= 9
    assert set(run.snapshots) <= set(steps)
    np.testing.assert_allclose(run.trace.time, 0.01 * steps)
    assert run.trace.singular_values.shape == (len(steps), 2)
    assert np.all(np.diff(run.trace.singular_values, axis=1) <= 0)
    assert list(run.snapshots) == [0, 7, 50]
    assert np.array_equal(run.snapshots[0], run.initial)
    assert np.array_equal(run.snapshots[50], run.vectors.matrix)
    part = qw2v.train(stats, dim=2, steps=7, lr=0.01, progress=False)
    assert np.array_equal(run.snapshots[7], part.vectors.matrix)


@pytest.mark.parametrize("tied", [True, False])
def test_a_run_is_saved_and_loaded(stats, tmp_path, tied):
    run = qw2v.train(stats, dim=2, steps=20, lr=0.01, tied=tied, progress=False)
    run.save(tmp_path / "run")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["run.safetensors"]
    same = Run.load(tmp_path / "run.safetensors")
    assert np.array_equal(same.vectors.matrix, run.vectors.matrix)
    assert same.vectors.words == stats.words and np.array_equal(same.initial, run.initial)
    for name, array in vars(run.trace).items():
        assert np.array_equal(getattr(same.trace, name), array)
    assert list(same.snapshots) == list(run.snapshots)
    assert (same.context is None) == tied and same.settings == run.settings
    if not tied:
        assert np.array_equal(same.context.matrix, run.context.matrix)
    assert same.settings["statistics"] == stats.fingerprint and same.settings["seed"] == 0
    assert repr(run).startswith("Run(qwem, Setting31(), V = 80, d = 2, all pairs, 20 steps")


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_faults_12_a_run_cut_off_while_it_is_saved_leaves_the_older_one(
    stats, tmp_path, monkeypatch, step
):
    older, newer = (
        qw2v.train(stats, dim=2, steps=5, lr=0.01, seed=seed, progress=False) for seed in (0, 1)
    )
    path = tmp_path / "run.safetensors"
    older.save(path)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(os, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            newer.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["run.safetensors"]
    assert np.array_equal(Run.load(path).vectors.matrix, older.vectors.matrix)


# --- Interruptions, and what may go wrong


def interrupted(*_):
    raise KeyboardInterrupt


class Stop:
    """Raises an exception after so many velocities."""

    def __init__(self, monkeypatch, after, error=KeyboardInterrupt):
        self.calls, velocity = 0, losses._Weighted.velocity

        def stopping(population, *arguments):
            self.calls += 1
            if self.calls > after:
                raise error
            return velocity(population, *arguments)

        monkeypatch.setattr(losses._Weighted, "velocity", stopping)


@pytest.mark.parametrize("integrator", ["euler", "rk4"])
@pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
def test_an_interrupted_run_goes_on_bit_for_bit(stats, tmp_path, monkeypatch, integrator, tied):
    options = dict(
        loss="sgns", dim=3, steps=60, lr=0.01, integrator=integrator, tied=tied, progress=False
    )
    whole = qw2v.train(stats, **options)
    with monkeypatch.context() as patch:
        Stop(patch, after=37)
        with pytest.raises(KeyboardInterrupt) as stopped:
            qw2v.train(stats, checkpoints=Checkpoints(tmp_path), **options)
    step = 37 // ((1 if tied else 2) * (4 if integrator == "rk4" else 1))
    assert f"Step {step} is kept" in stopped.value.__notes__[0]
    assert (tmp_path / f"step-{step:08d}.safetensors").is_file()
    rest = qw2v.train(stats, checkpoints=Checkpoints(tmp_path, resume=True), **options)
    assert np.array_equal(rest.vectors.matrix, whole.vectors.matrix)
    assert np.array_equal(rest.trace.loss, whole.trace.loss)
    assert np.array_equal(rest.trace.singular_values, whole.trace.singular_values)
    assert {step: W.tobytes() for step, W in rest.snapshots.items()} == {
        step: W.tobytes() for step, W in whole.snapshots.items()
    }


def test_an_interrupt_before_the_first_step_is_kept_too(stats, tmp_path, monkeypatch):
    options = dict(dim=np.int64(2), steps=np.int64(20), lr=np.float64(0.01), progress=False)
    with monkeypatch.context() as patch:
        patch.setattr(losses._Factorised, "loss", interrupted)
        with pytest.raises(KeyboardInterrupt):
            qw2v.train(stats, checkpoints=Checkpoints(tmp_path), **options)
    rest = qw2v.train(stats, checkpoints=Checkpoints(tmp_path, resume=True), **options)
    assert np.array_equal(rest.trace.loss, qw2v.train(stats, **options).trace.loss)


def test_a_killed_run_goes_on_bit_for_bit(tmp_path):
    texts = ["a b c a b d", "c d a e f"]
    program = f"""
import os
import qw2v
from qw2v.training import losses

def dying(*arguments, calls=[0], velocity=losses._Weighted.velocity):
    calls[0] += 1
    if calls[0] > 123:
        os.kill(os.getpid(), 9)
    return velocity(*arguments)

losses._Weighted.velocity = dying
stats = qw2v.CorpusStatistics.from_texts({texts}, vocab_size=6, window=2)
checkpoints = qw2v.training.Checkpoints({str(tmp_path)!r})
qw2v.train(stats, loss="sgns", dim=2, steps=300, lr=0.1, checkpoints=checkpoints)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    stats = qw2v.CorpusStatistics.from_texts(texts, vocab_size=6, window=2)
    options = dict(loss="sgns", dim=2, steps=300, lr=0.1)
    rest = qw2v.train(stats, checkpoints=Checkpoints(tmp_path, resume=True), **options)
    whole = qw2v.train(stats, **options)
    assert np.array_equal(rest.vectors.matrix, whole.vectors.matrix)
    assert np.array_equal(rest.trace.loss, whole.trace.loss)


def test_chebyshev_goes_on_bit_for_bit(stats, tmp_path, monkeypatch):
    options = dict(loss="sgns", dim=3, steps=40, lr=0.02, schedule=0.1, init_scale=0.1)
    options |= dict(integrator="chebyshev", weighting=Word2Vec(0.02, 2), progress=False)
    whole = qw2v.train(stats, **options)
    with monkeypatch.context() as patch:
        Stop(patch, after=120)
        with pytest.raises(KeyboardInterrupt):
            qw2v.train(stats, checkpoints=Checkpoints(tmp_path), **options)
    rest = qw2v.train(stats, checkpoints=Checkpoints(tmp_path, resume=True), **options)
    assert np.array_equal(rest.vectors.matrix, whole.vectors.matrix)
    assert np.array_equal(rest.trace.loss, whole.trace.loss)


def test_a_full_disk_leaves_the_last_good_checkpoint(stats, tmp_path, monkeypatch):
    options = dict(
        dim=3, steps=60, lr=0.01, record=Record(snapshots=[0, 20, 40, 60]), progress=False
    )
    whole = qw2v.train(stats, **options)
    write, fsync = _checkpoints.write, os.fsync

    def full(_):
        raise OSError(28, "No space left on device")

    def filling(path, *rest):
        patch.setattr(os, "fsync", full if path.name == "step-00000040" else fsync)
        write(path, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(_checkpoints, "write", filling)
        with pytest.raises(OSError, match="step-00000040.*No space left.*make room") as error:
            qw2v.train(stats, checkpoints=Checkpoints(tmp_path), **options)
    assert "before step 40 are whole" in error.value.__notes__[0]
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "step-00000000.safetensors", "step-00000020.safetensors",
    ]  # fmt: skip
    rest = qw2v.train(stats, checkpoints=Checkpoints(tmp_path, resume=True), **options)
    assert np.array_equal(rest.vectors.matrix, whole.vectors.matrix)


def test_what_is_half_written_is_never_seen(tmp_path, monkeypatch):
    def full(_):
        raise OSError(28, "No space left on device")

    _checkpoints.write(tmp_path / "a", {"x": np.arange(3)}, {"kind": "run"})
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="a.safetensors, .* was not written"):
        _checkpoints.write(tmp_path / "a", {"x": np.zeros(3)}, {"kind": "run"})
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


@pytest.fixture
def checkpoints(stats, tmp_path):
    """Options of a run whose checkpoints lie in a folder."""
    options = dict(dim=2, steps=10, lr=0.01, record=Record(snapshots=[0, 5]), progress=False)
    qw2v.train(stats, checkpoints=Checkpoints(tmp_path), **options)
    return {**options, "checkpoints": Checkpoints(tmp_path, resume=True)}


@pytest.mark.parametrize(
    "change, name",
    [
        ({"lr": 0.02}, "lr"),
        ({"steps": 9}, "steps"),
        ({"loss": "sgns"}, "loss"),
        ({"weighting": Word2Vec()}, "weighting"),
        ({"seed": 1}, "seed"),
        ({"dtype": "float64"}, "dtype"),
        ({"init_scale": 0.1}, "init_scale"),
        ({"W0": np.ones((80, 2))}, "start"),
    ],
)
def test_a_checkpoint_of_other_settings_is_refused(stats, checkpoints, change, name):
    with pytest.raises(CheckpointError, match=f"is of another run: its {name} is"):
        qw2v.train(stats, **{**checkpoints, **change})


def test_a_checkpoint_of_other_counts_is_refused(stats, checkpoints):
    with pytest.raises(CheckpointError, match="is of another run: its statistics is"):
        qw2v.train(stats + stats, **checkpoints)


def test_a_folder_in_use_and_a_new_one(stats, checkpoints):
    used = Checkpoints(checkpoints["checkpoints"].folder)
    with pytest.raises(FileExistsError, match="up to step 5: pass resume=True"):
        qw2v.train(stats, **{**checkpoints, "checkpoints": used})
    fresh = Checkpoints(used.folder / "new", resume=True)
    qw2v.train(stats, **{**checkpoints, "checkpoints": fresh})
    assert (fresh.folder / "step-00000005.safetensors").is_file()


@pytest.mark.parametrize(
    "damage, message",
    [
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "is damaged, its SHA-256"),
        (lambda data: data[:50], "is damaged, cut short, or no run"),
        (lambda data: data.replace(b'lr\\": 0.01', b'lr\\": 0.02'), "is damaged, its SHA-256"),
    ],
)
def test_a_damaged_checkpoint_is_named(stats, checkpoints, damage, message):
    file = checkpoints["checkpoints"].folder / "step-00000005.safetensors"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(CheckpointError, match=f"{file.name} {message}"):
        qw2v.train(stats, **checkpoints)


@pytest.mark.parametrize(
    "edit, message",
    [
        (lambda d: {**d, "version": "99"}, "is 'qw2v run' of version 99; this qw2v reads"),
        (lambda d: {**d, "format": "other"}, "is 'other' of version 2"),
        (lambda d: {"format": "qw2v run", "version": "2"}, "is damaged, cut short, or no run"),
        (lambda d: {**d, "document": d["document"] + " "}, "is damaged, its SHA-256"),
        (lambda d: {**d, "document": "[" * 100_000}, "the JSON is nested too deep"),
    ],
)
def test_metadata_of_another_kind_are_refused(stats, checkpoints, edit, message):
    file = checkpoints["checkpoints"].folder / "step-00000005.safetensors"
    arrays, about = safetensors.numpy.load_file(file), _checkpoints._metadata(file.read_bytes())
    safetensors.numpy.save_file(arrays, file, edit(about))
    with pytest.raises(CheckpointError, match=message):
        qw2v.train(stats, **checkpoints)


def test_loading_what_is_no_finished_run(stats, checkpoints, tmp_path):
    with pytest.raises(CheckpointError, match="holds a checkpoint, not a finished run"):
        Run.load(tmp_path / "step-00000005")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        Run.load(tmp_path / "absent")
    run = qw2v.train(stats, dim=2, steps=2, lr=0.01, progress=False)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        run.save(tmp_path / "absent" / "run")


@pytest.mark.parametrize(
    "loss, integrator", [("qwem", "euler"), ("sgns", "euler"), ("qwem", "rk4")]
)
def test_divergence_says_what_lr_would_be_stable(stats, loss, integrator):
    values = np.linalg.eigvalsh(qw2v.target(stats).toarray())
    limit = (2 if integrator == "euler" else 2.785) / max(values[-1], (values[-1] - values[0]) / 2)
    options = dict(dim=4, init_scale=0.1, integrator=integrator, loss=loss, progress=False)
    message = rf"lambda_1 = {values[-1]:.4g} .*the largest stable lr is about {limit:.3g}"
    with pytest.raises(DivergenceError, match=message) as error:
        qw2v.train(stats, steps=4_000, lr=8 * limit, **options)
    assert "lr = " in str(error.value) and "step" in str(error.value)
    run = qw2v.train(stats, steps=400, lr=0.9 * limit, **options)
    assert np.isfinite(run.trace.loss).all() and run.trace.loss[-1] < run.trace.loss[0]


def test_curvature_is_the_largest_eigenvalue_of_the_hessian(tiny):
    weighting = Word2Vec(subsample=0.02, negatives=2)
    A, B = reference.pair_weights_of(tiny, weighting)
    W = starts(tiny.vocab_size, 2, 1.0, 1)[0]
    hessian = np.empty((W.size, W.size))
    for at in range(W.size):
        ends = []
        for sign in (1, -1):
            moved = W.copy()
            moved.flat[at] += sign * 1e-5
            ends.append(reference.training_velocity("sgns", A, B, moved, moved).ravel())
        hessian[at] = (ends[1] - ends[0]) / 2e-5
    values = np.linalg.eigvalsh((hessian + hessian.T) / 2)
    ours = population("sgns", tiny, weighting)
    velocity = lambda now, out: [ours.velocity(now[0], now[0], out[0])]  # noqa: E731
    found = integrators.curvature(velocity, [torch.tensor(W)], rounds=200)
    assert found == pytest.approx(np.abs(values).max(), rel=1e-2)


def test_uneven_weights_lower_the_learning_rate_that_is_advised(stats):
    options = dict(loss="sgns", dim=4, init_scale=0.1, steps=3_000, progress=False)
    options["weighting"] = Word2Vec(subsample=None, negatives=2)
    lr, attempts = 0.5, 0
    while attempts < 5:
        try:
            run = qw2v.train(stats, lr=lr, **options)
            break
        except DivergenceError as error:
            lr, attempts = float(re.search(r"Try lr = ([\d.e-]+)", str(error))[1]), attempts + 1
    assert 1 <= attempts <= 3 and run.trace.loss[-1] < run.trace.loss[0]
    largest, least = run.settings["lambda_1"], run.settings["lambda_min"]
    evenly = 2 / max(largest, (largest - least) / 2)
    with pytest.raises(DivergenceError):  # what the two ends of the spectrum alone would allow
        qw2v.train(stats, lr=0.95 * evenly, **options)


def test_the_stability_limit_is_where_it_is_said_to_be(stats):
    """A mode that is learned stays learned below lr lambda_1 = 2, and not above."""
    values, modes = qw2v.target(stats).eigenpairs(1)
    W0 = 1.001 * modes * np.sqrt(values)
    for share, settles in ((1.9, True), (2.1, False)):
        run = qw2v.train(
            stats, dim=1, W0=W0, steps=200, lr=share / values[0], dtype="float64", progress=False
        )
        final = run.trace.singular_values[-1, 0] ** 2
        assert (abs(final / values[0] - 1) < 1e-6) == settles


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"loss": "hinge"}, ValueError, "loss must be one of 'qwem', 'sgns'; received 'hinge'"),
        ({"pairs": "sampled"}, ValueError, "pairs must be None .* or StatisticsPairs"),
        ({"pairs": StatisticsPairs(), "integrator": "rk4"}, ValueError, "needs the exact gradient"),
        ({"schedule": -1.0}, ValueError, "schedule must be a positive finite number"),
        ({"integrator": "adam"}, ValueError, "integrator must be one of"),
        ({"schedule": "cosine"}, ValueError, "schedule must be one of"),
        ({"dim": 0}, ValueError, "dim must be a whole number of at least 1"),
        ({"steps": 0}, ValueError, "steps must be a whole number of at least 1"),
        ({"seed": -1}, ValueError, "seed must be a whole number of at least 0"),
        ({"lr": -0.1}, ValueError, "lr must be a positive finite number; received -0.1"),
        ({"init_scale": np.nan}, ValueError, "init_scale must be a positive finite number"),
        ({"record": Record(1)}, ValueError, "trace must be a number of at least 2"),
        ({"record": Record(2, [3, 11])}, ValueError, "snapshots must lie between 0 and steps = 10"),
        ({"W0": np.zeros((2, 2))}, ValueError, r"one array of shape \(80, 2\) .*received \(2, 2\)"),
        ({"W0": np.full((80, 2), np.inf)}, ValueError, "W0 must be finite"),
        ({"W0": [np.zeros((2, 2))] * 2, "tied": False}, ValueError, "two arrays of shape"),
        ({"device": "tpu"}, ValueError, "device must be one of"),
        ({"dtype": "float16"}, ValueError, "dtype must be one of 'auto', 'float32', 'float64'"),
    ],
)  # fmt: skip
def test_options_out_of_range_are_named(stats, options, error, message):
    with pytest.raises(error, match=message):
        qw2v.train(stats, **{"dim": 2, "steps": 10, "lr": 0.01, "progress": False, **options})


def test_a_missing_gpu_is_named(stats, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RuntimeError, match="device='cuda' was asked for, but torch .* finds none"):
        qw2v.train(stats, dim=2, steps=10, lr=0.01, device="cuda", progress=False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert run_options.device_of("auto", torch.float32).type == "cpu"


def test_apples_gpu_has_no_float64(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    small = run_options.dtype_of("auto", [np.full((3, 2), 1e-12)])
    assert small == torch.float64
    with pytest.raises(RuntimeError, match="mps has no float64"):
        run_options.device_of("mps", small)
    assert run_options.device_of("auto", small).type == "cpu"
    assert run_options.device_of("auto", torch.float32).type == "mps"


def test_too_little_memory_is_said_before_it_is_taken(stats, monkeypatch):
    monkeypatch.setattr(machine, "available_memory", lambda: 10_000)
    with pytest.raises(MemoryError, match="2 V x V tables at V = 80 .*train on fewer words"):
        qw2v.train(stats, loss="sgns", dim=2, steps=10, lr=0.01, progress=False)


def test_words_that_never_occur_are_named():
    stats = qw2v.CorpusStatistics.from_texts(
        ["a b a b"], vocabulary=["a", "b", "zebra"], window=2, progress=False
    )
    with np.errstate(all="ignore"), pytest.raises(ValueError, match="the rarest word, 'zebra'"):
        qw2v.train(stats, dim=1, steps=10, lr=0.01, progress=False)


def test_torch_is_loaded_when_training_is_first_asked_for():
    program = """
import sys
import qw2v
assert "torch" not in sys.modules

class NoTorch:
    def find_spec(self, name, *_):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'")

sys.meta_path.insert(0, NoTorch())
try:
    qw2v.train
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "No module named 'torch'): `pip install torch safetensors`" in done.stdout
    assert qw2v.train is qw2v.training.train
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        qw2v.trian  # noqa: B018


def test_progress_shows_loss_time_and_analogies(monkeypatch, capsys):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    monkeypatch.setattr(loop, "progress_bar", impatient)
    documents = ["paris france rome italy man king woman queen"] * 9
    stats = qw2v.CorpusStatistics.from_texts(documents, vocab_size=8, window=3, progress=False)
    qw2v.train(stats, dim=2, steps=40, lr=0.01, init_scale=0.1)
    shown = capsys.readouterr().err
    assert re.search(r"40/40 .*loss [\d.]+, analogies \d+\.\d%, t/tau_1 [\d.]+", shown)


def impatient(*names, progress, **options):
    return tqdm(total=options.get("total", names[2]), disable=not progress, mininterval=0)
