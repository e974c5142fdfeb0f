"""Compute exact-accuracy.json of this folder again: some minutes, most of them for eigenvectors.

    python data/exact_accuracy.py

The share of analogies completed over training time as the exact dynamics foretell it, from the
random numbers that the recorded runs qwem-large, -seed1 and -seed2 start from, at the moments where
those are looked at and some others. Beside it what Result 3 foretells, which knows no seed. Nothing
is trained, and no run is read.
"""

import json
import platform
import runpy
from datetime import date
from pathlib import Path

import numpy as np

import qw2v

FILE = Path(__file__).parent / "exact-accuracy.json"
RECORDER = runpy.run_path(str(Path(__file__).with_name("record_runs.py")))
RUN, SEEDS = RECORDER["SETTINGS"]["qwem-large"], (0, 1, 2)
LOOKS = RUN["lr"] * np.array(RECORDER["followed"](RUN["steps"], 16, 0.04)[1:])
TIMES = np.union1d(LOOKS, np.append([0.001, 0.002, 0.003, 0.004], np.linspace(0.01, 0.13, 13)))


def accuracy(words: list[str], W: np.ndarray) -> float:
    """Return the share of analogies completed."""
    return qw2v.evaluate(qw2v.WordVectors(words, W), similarities={}).accuracy


def record(size: int, dim: int, sigma: float, seeds=SEEDS, times=TIMES) -> dict:
    """Return the content of the file."""
    stats = qw2v.load_statistics().restrict(size)
    target = qw2v.target(stats)
    values, _ = target.eigenpairs(2 * dim)
    document = {
        "command": "python data/exact_accuracy.py",
        "recorded": f"{date.today()}, {platform.machine()} CPU, numpy {np.__version__}",
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


def rounded(value):
    """Return the numbers inside with four significant digits, as they are written."""
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [rounded(inner) for inner in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def main() -> None:
    """Write the file."""
    content = record(RUN["vocab_size"], RUN["dim"], RUN["init_scale"])
    text = json.dumps(rounded(content), separators=(",", ":"))
    for name in ('"exact"', '"1"', '"2"', '"result_3"', '"times"'):
        text = text.replace(name, "\n" + name)
    FILE.write_text(text + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
