"""Symmetric operators of every kind, the machines of the solver, and its checks of memory."""

import os
import tracemalloc

import numpy as np
import pytest
import scipy.sparse
from scipy.sparse.linalg import LinearOperator, eigsh

from qw2v import spectrum
from qw2v.datasets import load_statistics
from qw2v.spectrum import machines, solver
from qw2v.statistics import CorpusStatistics
from qw2v.targets import Target, target


def sparse_target(size=400, seed=0) -> Target:
    """A target of 6% entries, a constant of -2 elsewhere and scales of its own."""
    rng = np.random.default_rng(seed)
    upper = scipy.sparse.random_array((size, size), density=0.03, rng=rng, data_sampler=rng.random)
    table = scipy.sparse.csr_array(upper + upper.T) * 3
    return Target("test", [""] * size, table, -2.0, rng.uniform(0.5, 1.5, size), "none")


@pytest.fixture(scope="module", params=["dense", "sparse", "target"])
def operator(request):
    M = sparse_target()
    return {
        "dense": lambda: spectrum.as_symmetric(M.toarray()),
        "sparse": lambda: spectrum.as_symmetric(M.sparse),
        "target": lambda: M,
    }[request.param]()


def test_every_operator_is_one_of_scipys(operator):
    table = operator.toarray()
    x = np.random.default_rng(1).standard_normal((400, 3))
    assert isinstance(operator, LinearOperator) and operator.shape == (400, 400)
    for found, expected in (
        (operator @ x, table @ x),
        (operator @ x[:, 0], table @ x[:, 0]),
        (operator.T @ x, table @ x),
        (operator.H @ x, table @ x),
        (x.T @ operator, x.T @ table),
        ((-operator) @ x, -table @ x),
        ((2 * operator) @ x, 2 * table @ x),
        (operator.prepared() @ x, table @ x),
        (operator.rows(7, 30), table[7:30]),
        ((-operator).toarray(), -table),
    ):
        np.testing.assert_allclose(found, expected, atol=1e-11)
    assert operator.trace == pytest.approx(np.trace(table))
    assert operator.frobenius_squared == pytest.approx(np.sum(table**2))
    values = eigsh(operator, 4, which="LA", return_eigenvectors=False)
    np.testing.assert_allclose(operator.eigenpairs(4)[0], np.sort(values)[::-1], rtol=1e-9)
    np.testing.assert_allclose(operator.all_eigenpairs()[0], np.linalg.eigvalsh(table)[::-1])


def test_an_operator_passes_the_door_as_it_is(operator):
    assert spectrum.as_symmetric(operator) is operator


@pytest.mark.parametrize("device", ["cpu", "torch"])
@pytest.mark.parametrize("kind", ["table", "entries"])
def test_float32_agrees_on_either_machine(device, kind, monkeypatch):
    monkeypatch.setattr(solver, "_EXACT", 100)
    M = sparse_target(1100)
    given = M if kind == "entries" else spectrum.as_symmetric(M.toarray())
    values, vectors = solver.block_lanczos(given, 12, progress=False, device=device)
    expected = np.linalg.eigvalsh(M.toarray())[::-1]
    np.testing.assert_allclose(values, expected[:12], atol=1e-6 * np.abs(expected).max())
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(12), atol=1e-6)
    if kind == "entries":  # refined in float64
        gap = np.linalg.norm(M @ vectors - vectors * values, axis=0) / values
        assert gap.max() < 3e-6


def test_the_number_of_cores_changes_no_bit(monkeypatch):
    M, found = sparse_target(1100), []
    for cores in (1, 3):
        monkeypatch.setattr(
            os, "sched_getaffinity", lambda _, n=cores: set(range(n)), raising=False
        )
        found.append(solver.block_lanczos(M, 5, progress=False))
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_memory_is_looked_at_before_it_is_taken(monkeypatch):
    monkeypatch.setattr(machines, "available_memory", lambda: 10_000)
    with pytest.raises(MemoryError, match=r"V = 1,100 need about .* GiB.*restrict\(\)"):
        sparse_target(1100).eigenpairs(5, cache=False)
    with pytest.raises(MemoryError, match="V = 400 need about"):
        sparse_target().eigenpairs(300)


def test_no_gpu_is_an_error_where_one_is_asked_for():
    with pytest.raises(ValueError, match="device must be one of 'auto', 'cpu', 'cuda', 'torch'"):
        sparse_target(1100).eigenpairs(5, cache=False, device="tpu")


def test_a_text_too_short_for_its_words_is_named():
    size = 5_001
    table = scipy.sparse.diags_array([1, 1], offsets=[1, -1], shape=(size, size), dtype=np.int64)
    stats = CorpusStatistics(
        [f"w{i}" for i in range(size)],
        np.where(np.arange(size) < 70, 100, 1),
        table.tocsr(),
        window=1,
        window_weights="uniform",
        out_of_vocabulary="remove",
        n_documents=1,
        n_tokens=20_000,
    )
    with pytest.warns(
        UserWarning, match=r"short for 5,001 words: 0.0% .* 70 words .* restrict\(70"
    ):
        target(stats)


@pytest.mark.slow
def test_faults_9_eigenpairs_take_at_most_1_3_times_the_table():
    """The table is made in the type wanted, and what is worked with beside it is small."""
    M = target(load_statistics())
    tracemalloc.start()
    try:
        M.eigenpairs(10, progress=False)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= 1.3 * 4 * M.shape[0] ** 2
