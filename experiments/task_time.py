"""Compute task-time.json of data/ again: some five minutes.

    python experiments/task_time.py

How well each analogy category is completed as training proceeds, from the closed form alone:

- "small": the start vanishes (Result 3), sigma = 1e-12, V = 10,000, d = 200;
- "large": the paper's large start, sigma = 0.1, V = 10,000, d = 200, the exact solution from the
  random starts of seeds 0 to 4, which are those of `qw2v.train`.
"""

import numpy as np
from common import made_by, write_json

import qw2v
from qw2v import datasets, dynamics, taskvectors

KEPT = ("accuracy", "google_accuracy", "snr", "mean_share", "answer", "rival")
SEEDS = range(5)
DIM = 200


def small_start(sigma: float = 1e-12, points: int = 30) -> dict:
    """Return accuracies from a vanishing start, and how many modes are learned at each time."""
    stats = qw2v.load_statistics()
    path = dynamics.vanishing(qw2v.target(stats), sigma, DIM)
    tau = path.learning_times[0]
    times = np.geomspace(1, 20, points) * tau
    found = taskvectors.emergence_in_time(
        path, stats.words, datasets.load_google_analogies(), times
    )
    return {
        "vocab_size": stats.vocab_size,
        "dim": DIM,
        "sigma": sigma,
        "times": times.tolist(),
        "tau_1": float(tau),
        "learned": path.learned_modes(times).tolist(),
        "categories": {
            name: {"pairs": row["pairs"], "accuracy": row["accuracy"]}
            for name, row in found.items()
        },
    }


def large_start(sigma: float = 0.1, vocab_size: int = 10_000, points: int = 22) -> dict:
    """Return accuracies and SNR from one random start after another, each number by seed."""
    stats = qw2v.load_statistics().restrict(vocab_size)
    target = qw2v.target(stats)
    tau = dynamics.learning_times(target.eigenpairs(2 * DIM)[0][:1], sigma)[0]
    times = np.concatenate([[0.0], np.geomspace(0.4, 32, points)]) * tau
    found: dict[str, dict] = {}
    for seed in SEEDS:
        W0 = sigma / DIM**0.5 * np.random.default_rng(seed).standard_normal((vocab_size, DIM))
        path = dynamics.exact(target, W0)
        pairs = datasets.load_google_analogies()
        for name, row in taskvectors.emergence_in_time(path, stats.words, pairs, times).items():
            kept = found.setdefault(name, {"pairs": row["pairs"]})
            for key in KEPT:
                kept.setdefault(key, []).append(row[key])
    return {
        "vocab_size": vocab_size,
        "dim": DIM,
        "sigma": sigma,
        "seeds": list(SEEDS),
        "times": times.tolist(),
        "tau_1": float(tau),
        "categories": found,
    }


def main() -> None:
    """Write the file."""
    record = {
        **made_by("task_time.py"),
        "statistics": qw2v.load_statistics().fingerprint,
        "small": small_start(),
        "large": large_start(),
    }
    write_json("task-time.json", record, ('"gram', '"small"', '"large"', '"categories"'))


if __name__ == "__main__":
    main()
