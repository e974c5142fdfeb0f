"""Recorded runs: what the script writes, and what the package reads of it."""

import inspect
import json
from pathlib import Path

import dropped_words
import numpy as np
import pytest
import record_runs

import qw2v
from qw2v import _checkpoints, datasets, taskvectors, training

SETTLED = 3e-3  # of its loss a run of the ablation may have lost since half the time
SHIPPED = sorted(
    name.removeprefix("runs/").removesuffix(".safetensors")
    for name in datasets.checksums()
    if name.startswith("runs/") and name.endswith(".safetensors")
)


def test_a_record_holds_the_run_and_its_quality(tmp_path, monkeypatch):
    settings = dict(
        vocab_size=600, dim=20, steps=90, lr=5e-4, init_scale=0.1, loss="qwem", seed=0,
        weighting="setting31", integrator="chebyshev", schedule=0.08,
    )  # fmt: skip
    record_runs.record("tiny", settings, tmp_path / "runs", tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(datasets, "verify", lambda name: tmp_path / name)
        recorded = datasets.load_run("tiny")

    stats = qw2v.load_statistics().restrict(600)
    looks = training.Record(
        recorded.trace.step.tolist(), [mark["step"] for mark in recorded.checkpoints]
    )
    run = qw2v.train(stats, **record_runs.arguments(settings), record=looks, progress=False)
    np.testing.assert_allclose(recorded.vectors.matrix, run.vectors.matrix, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(recorded.trace.loss, run.trace.loss, rtol=1e-6)
    np.testing.assert_allclose(recorded.trace.singular_values, run.trace.singular_values, rtol=1e-4)
    assert recorded.settings["statistics"] == stats.fingerprint
    assert recorded.command == "python experiments/record_runs.py tiny"

    report = qw2v.evaluate(run.vectors)
    last = recorded.checkpoints[-1]
    assert last["step"] == 90 and last["time"] == pytest.approx(run.trace.time[-1])
    assert (tmp_path / "tiny" / "step-00000090.safetensors").is_file()
    assert last["accuracy"] == pytest.approx(report.accuracy, abs=0.02)
    tasks = taskvectors.measure(run.vectors, datasets.load_google_analogies())
    assert len(last["snr"]) == len(tasks) >= 1
    for category, row in tasks.items():
        assert last["snr"][category] == pytest.approx(row["snr"], rel=1e-3)
    assert last["MEN"] == pytest.approx(report.similarity["MEN"], abs=1e-3)
    closed = qw2v.evaluate(qw2v.closed_form(stats, dim=20))
    assert recorded.closed_form["accuracy"] == closed.accuracy

    values, modes = qw2v.target(stats).eigenpairs(20)
    left, s, right = np.linalg.svd(run.vectors.matrix, full_matrices=False)
    square = (modes.T @ left) ** 2
    np.testing.assert_allclose(recorded.eigenvalues, values)
    np.testing.assert_allclose(recorded.final_overlap, square, atol=1e-3)
    np.testing.assert_allclose(recorded.overlap[-1], np.diag(square), atol=1e-3)
    shares = [square[:k, :k].sum() / k for k in range(1, 21)]
    np.testing.assert_allclose(recorded.subspace[-1], shares, atol=1e-3)
    assert recorded.cloud.shape == (3, 600, 4) and recorded.cloud_steps[-1] == 90
    np.testing.assert_allclose(np.abs(recorded.cloud[-1]), np.abs(left * s)[:, :4], atol=1e-2)


def test_every_file_of_settings_is_a_run_that_train_takes():
    accepted = inspect.signature(qw2v.train).parameters
    assert set(SHIPPED) <= set(record_runs.names())
    for name in record_runs.names():
        settings = record_runs.load(name)
        assert 0 < settings["vocab_size"] <= 10_000
        assert record_runs.arguments(settings).keys() <= accepted.keys(), name
        assert len(record_runs.followed(record_runs.times_of(settings))) > 10


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_runs_are_what_their_settings_say(name):
    recorded = datasets.load_run(name)
    wanted = record_runs.load(name)
    stats = qw2v.load_statistics().restrict(wanted["vocab_size"])
    assert recorded.settings["statistics"] == stats.fingerprint
    for option in ("loss", "dim", "lr", "steps", "init_scale"):
        assert recorded.settings[option] == wanted[option]
    keep = wanted.get("keep", record_runs.KEPT)
    assert [recorded.vectors is not None, recorded.cloud is not None] == [
        name in keep for name in ("vectors", "cloud")
    ]
    if recorded.vectors is None:
        return
    assert recorded.vectors.words == stats.words
    # The vectors are the end of the trace, to the three digits they are kept with.
    s = np.linalg.svd(recorded.vectors.matrix, compute_uv=False)
    np.testing.assert_allclose(s, recorded.trace.singular_values[-1], rtol=2e-3, atol=1e-2)
    report = qw2v.evaluate(recorded.vectors)
    last = recorded.checkpoints[-1]
    assert report.accuracy == pytest.approx(last["accuracy"], abs=0.01)
    assert report.total.asked == last["asked"]


def test_the_corners_of_the_ablation_have_settled():
    falls = [datasets.load_run(n).trace.fall() for n in SHIPPED if n.startswith("ablation")]
    assert len(falls) == 4 and max(falls) < SETTLED


def test_what_is_large_is_kept_only_where_it_is_asked_for(tmp_path):
    stats = qw2v.load_statistics().restrict(600)
    looks = training.Record(6, 6)
    run = qw2v.train(stats, dim=6, steps=60, lr=1e-3, record=looks, progress=False)
    for keep in ([], ["vectors"], ["cloud"]):
        record_runs.write(tmp_path / "r", stats, run, keep)
        arrays, document = _checkpoints.read(tmp_path / "r")
        assert {"embeddings", "cloud"} & arrays.keys() == {
            {"vectors": "embeddings"}.get(name, name) for name in keep
        }
        assert (document["words"] is None) == ("vectors" not in keep)


def test_an_absent_run_says_which_there_are():
    with pytest.raises(FileNotFoundError, match="no file 'runs/none.safetensors'"):
        datasets.load_run("none")


def test_a_trace_survives_its_file(tmp_path):
    trace = _checkpoints.Trace(np.arange(3), np.arange(3) / 7, np.ones(3), np.ones((3, 2)))
    _checkpoints.write(tmp_path / "a", trace.arrays(), {})
    same = _checkpoints.Trace.of(_checkpoints.read(tmp_path / "a")[0])
    assert all(np.array_equal(getattr(same, name), array) for name, array in vars(trace).items())


def test_dropping_words_is_compared_with_dropping_pairs():
    rng = np.random.default_rng(0)
    letters, share = np.array(list("abcdefghijkl")), 1 / np.arange(1, 13)
    lines = [" ".join(rng.choice(letters, 60, p=share / share.sum())) for _ in range(300)]
    found = dropped_words.record(lines, words=12, seeds=(0, 1), modes=(1, 2), subsample=0.05)
    assert found["pairs"]["before"] > found["pairs"]["by_word"] > found["pairs"]["by_pair"]
    assert 0 < found["moved"]["by_pair_or_word"] < 0.6
    shipped = datasets.load_dropped_words()
    assert shipped.keys() > found.keys() - {"command"}


def test_the_readmes_table_is_of_the_records():
    readme = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")
    results = json.loads(datasets.verify("results.json").read_text(encoding="utf-8"))
    gensim = json.loads(datasets.verify("gensim.json").read_text(encoding="utf-8"))["runs"]
    closed, sgns = results["closed_form"]["mstar"], results["trained"]["sgns-large"]
    qwem = [datasets.load_run(f"qwem-large{seed}") for seed in ("", "-seed1", "-seed2")]
    seeds = ", ".join(f"{100 * run.checkpoints[-1]['accuracy']:.1f}" for run in qwem)
    assert (
        f"every pair with every other | {closed['analogies']:.1%} of {closed['asked']:,} |"
        in readme
    )
    assert f"word2vec trained | {sgns['accuracy']:.1%} |" in readme
    assert f"QWEM trained, three seeds | {seeds}% |" in readme
    tuned = json.loads(datasets.verify("recipe.json").read_text(encoding="ascii"))["chosen"]
    assert f"the tuned recipe, not trained, harmonic windows of 32 | {tuned['all']:.1%} |" in readme
    noisy = (results["trained"][f"paper-{loss}-large"]["accuracy"] for loss in ("sgns", "qwem"))
    assert f"as the paper trains | {' / '.join(f'{x:.1%}' for x in noisy)} |" in readme
    assert (
        f"k = 1 / 5 | {gensim['k=1']['accuracy']:.1%} / {gensim['k=5']['accuracy']:.1%} |" in readme
    )
    for name in ("MEN", "WordSim353"):
        row = " / ".join(f"{x[name]:.3f}" for x in (closed, sgns, results["trained"]["qwem-large"]))
        assert f"| {name}, M* / word2vec / QWEM (Spearman) | {row} |" in readme
