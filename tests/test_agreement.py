"""Every row of `agreement.md`, computed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import qw2v
from qw2v import dynamics, spectrum
from qw2v.statistics import CorpusStatistics

ROOT = Path(__file__).resolve().parent.parent
ROWS = re.findall(
    r"^\| ([^|]+) \| ([^|]+) \| ([0-9][0-9e.-]*) \|$", (ROOT / "agreement.md").read_text(), re.M
)
MEASURE = """
import json, sys
import numpy as np, qw2v
stats = qw2v.load_statistics().restrict(1_000)
values, _ = qw2v.target(stats).eigenpairs(50, cache=False, progress=False)
vectors = qw2v.closed_form(stats, dim=50, progress=False)
cosines = (vectors.normalized @ vectors.normalized.T)[::10, ::10]
report = qw2v.evaluate(vectors)
print(json.dumps([values.tolist(), cosines.tolist(), report.accuracy, stats.fingerprint]))
"""


@pytest.fixture(scope="module")
def measured():
    """The same numbers from one thread and from two, in other processes."""
    found = []
    for threads in ("1", "2"):
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
        variables = {**os.environ, **dict.fromkeys(names, threads)}
        done = subprocess.run(
            [sys.executable, "-c", MEASURE], env=variables, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    return found


@pytest.fixture(scope="module")
def stats():
    return qw2v.load_statistics().restrict(1_000)


def texts():
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(60)])
    return [" ".join(words[rng.zipf(1.5, 40) % 60]) for _ in range(200)]


def counts(measured, stats):
    options = dict(
        vocabulary=[f"w{i}" for i in range(40)], window=4, tokenize=str.split, progress=False
    )
    whole = CorpusStatistics.from_texts(texts(), workers=1, **options)
    halves = [CorpusStatistics.from_texts(texts()[i::2], workers=3, **options) for i in (0, 1)]
    parts = CorpusStatistics.merge(halves)
    return (
        abs(whole.pair_counts - parts.pair_counts).max()
        + np.abs(whole.word_counts - parts.word_counts).max()
    )


def fingerprints(measured, stats):
    return len({measured[0][3], measured[1][3], stats.fingerprint}) - 1


def eigenvalues(measured, stats):
    one, two = (np.array(found[0]) for found in measured)
    return np.abs(one - two).max() / one[0]


def single(stats):
    """Return eigenpairs of M* in float32."""
    table = qw2v.target(stats).toarray().astype(np.float32)
    values, vectors = np.linalg.eigh(table)
    return values[::-1][:50], vectors[:, ::-1][:, :50]


def eigenvalues_single(measured, stats):
    values, _ = spectrum.eigenpairs(qw2v.target(stats), 50)
    return np.abs(single(stats)[0] - values).max() / values[0]


def cosines(measured, stats):
    one, two = (np.array(found[1]) for found in measured)
    return np.abs(one - two).max()


def cosines_single(measured, stats):
    values, modes = single(stats)
    W = qw2v.WordVectors(stats.words, modes * np.sqrt(values)).normalized
    ours = qw2v.closed_form(stats, dim=50).normalized
    return np.abs(W @ W.T - ours @ ours.T).max()


def accuracy(measured, stats):
    return abs(measured[0][2] - measured[1][2])


def exact(measured, stats):
    rng = np.random.default_rng(0)
    table = rng.standard_normal((20, 20))
    table, W0 = table + table.T, 0.3 * rng.standard_normal((20, 4))
    ours = dynamics.exact(table, W0).singular_values(3.0)
    theirs = dynamics.gradient_flow(table, W0, [3.0])[0]
    return np.abs(ours / np.linalg.svd(theirs, compute_uv=False) - 1).max()


def training(measured, stats):
    options = dict(dim=4, steps=60, lr=0.02, init_scale=0.1, seed=0, progress=False)
    small = stats.restrict(200)
    runs = [qw2v.train(small, dtype=dtype, **options) for dtype in ("float32", "float64")]
    ends = [run.trace.singular_values[-1] for run in runs]
    return np.abs(ends[0] / ends[1] - 1).max()


MEASURES = [counts, fingerprints, eigenvalues, eigenvalues_single, cosines, cosines_single]
MEASURES += [accuracy, exact, training]


@pytest.mark.parametrize("measure, row", list(zip(MEASURES, ROWS, strict=True)))
def test_the_page_is_right(measure, row, measured, stats):
    assert measure(measured, stats) <= float(row[2]), row
