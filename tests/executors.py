"""Counting with executors that are not Python's own: `nox --session executors` runs this.

python tests/executors.py mpi4py    # or, with MPI's own workers:
mpiexec -n 3 python -m mpi4py.futures tests/executors.py mpi4py
python tests/executors.py parsl
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

import qw2v


def mpi4py():
    """Return mpi4py's pool of two workers."""
    from mpi4py.futures import MPIPoolExecutor

    return MPIPoolExecutor(2)


def parsl():
    """Return parsl's pool of two workers on this machine."""
    from parsl.concurrent import ParslPoolExecutor
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor

    workers = HighThroughputExecutor(max_workers_per_node=2, address="127.0.0.1")
    return ParslPoolExecutor(Config(executors=[workers], run_dir=tempfile.mkdtemp()))


def main(name):
    """Count eight files here and through the pool, and compare to the last bit."""
    random = np.random.default_rng(0)
    words = np.array([f"{a}{b}" for a in "bcdfghklmnprst" for b in "aeiou"])
    with tempfile.TemporaryDirectory() as folder:
        for number in range(8):
            text = "\n".join(" ".join(random.choice(words, 60)) for _ in range(200))
            Path(folder, f"{number}.txt").write_text(text)
        options = {"vocab_size": 60, "window": 5, "progress": False}
        here = qw2v.CorpusStatistics.from_files(folder, **options)
        with {"mpi4py": mpi4py, "parsl": parsl}[name]() as pool:
            there = qw2v.CorpusStatistics.from_files(folder, executor=pool, **options)
    print(f"{name}: {there!r}")
    return 0 if there.fingerprint == here.fingerprint else f"{name} counts other bits"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
