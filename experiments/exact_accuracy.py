"""Compute exact-accuracy.json of data/ again: some minutes, most of them for eigenvectors.

    python experiments/exact_accuracy.py

The share of analogies completed over training time as the exact dynamics foretell it, from the
random numbers that the recorded runs qwem-large, -seed1 and -seed2 start from, at the moments where
those are looked at and some others. Beside it what Result 3 foretells, which knows no seed. Nothing
is trained, and no run is read.
"""

import numpy as np
from common import made_by, write_json
from record_runs import load, times_of

import qw2v

RUN, SEEDS = load("qwem-large"), (0, 1, 2)
MOMENTS = times_of(RUN)
LOOKS = MOMENTS[np.searchsorted(MOMENTS, 0.04 * MOMENTS[-1]) :: 2]  # dense enough to lie between
TIMES = np.union1d(LOOKS, np.geomspace(0.01, 1, 17) * MOMENTS[-1])


def accuracy(words: list[str], W: np.ndarray) -> float:
    """Return the share of analogies completed."""
    return qw2v.evaluate(qw2v.WordVectors(words, W), similarities={}).accuracy


def record(size: int, dim: int, sigma: float, seeds=SEEDS, times=TIMES) -> dict:
    """Return the content of the file."""
    stats = qw2v.load_statistics().restrict(size)
    target = qw2v.target(stats)
    values, _ = target.eigenpairs(2 * dim)
    document = {
        **made_by("exact_accuracy.py"),
        "statistics": stats.fingerprint,
        "vocab_size": size,
        "dim": dim,
        "sigma": sigma,
        "tau_1": float(np.log(values[0] / sigma**2) / values[0]),
        "times": times.tolist(),
        "exact": {},
    }
    for seed in seeds:
        W0 = sigma / dim**0.5 * np.random.default_rng(seed).standard_normal((size, dim))
        path = qw2v.dynamics.exact(target, W0, modes=2 * dim, progress=False)
        scores = [accuracy(stats.words, path.embeddings(t)) for t in times]
        bounds = path.truncation_error(times).max(axis=1) / path.singular_values(times)[:, 0]
        document["exact"][str(seed)] = {"accuracy": scores, "bound": bounds.tolist()}
    limit = qw2v.dynamics.vanishing(target, sigma, dim)
    document["result_3"] = [accuracy(stats.words, limit.embeddings(t)) for t in times]
    return document


def main() -> None:
    """Write the file."""
    content = record(RUN["vocab_size"], RUN["dim"], RUN["init_scale"])
    write_json("exact-accuracy.json", content, ('"exact"', '"1"', '"2"', '"result_3"', '"times"'))


if __name__ == "__main__":
    main()
