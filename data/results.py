"""Compute results.json of this folder again: this book's answers to the paper's numbers.

    python data/results.py

From the shipped counts and the other results files; under a minute where eigenpairs are cached.
"""

import json
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

import qw2v
from qw2v import datasets, dynamics, features, taskvectors

FILE = Path(__file__).parent / "results.json"
DIM = 200
WEIGHTS = ("word2vec", "setting31")


def text(stats: qw2v.CorpusStatistics) -> dict:
    """Return how much text was counted."""
    return {
        "tokens": stats.n_tokens,
        "documents": stats.n_documents,
        "vocab_size": stats.vocab_size,
        "coverage": int(stats.word_counts.sum()) / stats.n_tokens,
    }


def closed_form(stats: qw2v.CorpusStatistics) -> dict:
    """Return the benchmarks of the closed form of each matrix."""
    found = {}
    for kind in ("mstar", "ppmi", "pmi"):
        report = qw2v.evaluate(qw2v.closed_form(stats, dim=DIM, kind=kind))
        found[kind] = {
            "analogies": report.accuracy,
            "asked": report.total.asked,
            **report.similarity,
        }
    return found


def trained(name: str) -> dict:
    """Return how good a recorded run's vectors are, and the closed form's of the same size."""
    run = datasets.load_run(name)
    last = run.checkpoints[-1]
    return {
        **{name: last[name] for name in ("accuracy", "MEN", "WordSim353")},
        "closed_form": run.closed_form["accuracy"],
        "first_modes": float(run.subspace[-1][9]),
    }


def late_by(name: str, sigma: float, modes: int = 10) -> dict:
    """Return the median relative gap between half-times of the first modes and the theory's.

    Of Result 3, and of Result 3 with the mean start of each mode in place of sigma.
    """
    run = datasets.load_run(name)
    squares = run.trace.singular_values[:, :modes] ** 2
    times = [
        np.interp(value / 2, np.maximum.accumulate(rise), run.trace.time)
        for value, rise in zip(run.eigenvalues, squares.T, strict=False)
    ]
    stats = qw2v.load_statistics().restrict(len(run.vectors.words))
    gaps = {}
    for corrected in (False, True):
        path = dynamics.vanishing(
            qw2v.target(stats), sigma, run.vectors.matrix.shape[1], corrected=corrected
        )
        gap = np.abs(times / path.learning_times[:modes] - 1)
        gaps["each mode's own" if corrected else "sigma"] = float(np.median(gap))
    return gaps


def shared(first: np.ndarray, second: np.ndarray, modes: int = 10) -> float:
    """Return the share of one span of leading left singular vectors that lies in the other."""
    left, right = (np.linalg.svd(W, full_matrices=False)[0][:, :modes] for W in (first, second))
    return float(np.sum((left.T @ right) ** 2) / modes)


def overlaps() -> dict:
    """Return the shares of the first ten directions that word2vec has in common with others."""
    word2vec, quartic = (datasets.load_run(name).vectors for name in ("sgns-large", "qwem-large"))
    stats = qw2v.load_statistics().restrict(len(word2vec.words))
    ppmi = qw2v.closed_form(stats, dim=10, kind="ppmi")
    return {
        "qwem": shared(word2vec.matrix, quartic.matrix),
        "ppmi": shared(word2vec.matrix, ppmi.matrix),
    }


def spectra() -> dict:
    """Return the count of eigenvalues that can be learned, and how fast spectra decay."""
    found = features.load_spectra()
    decays = {name: features.fit_decay(values).exponent for name, values in found.items()}
    return {"nonnegative": int(np.sum(found["mstar"] >= 0)), "decay": decays}


def tasks(dim: int = 181, large: int = 1024) -> dict:
    """Return spike, bulk, cosines and localisation of the task vectors of the closed form."""
    recorded = json.loads(datasets.verify("task-spectra.json").read_text(encoding="utf-8"))
    at, end = recorded["dims"].index(dim), recorded["dims"].index(large)
    rows = recorded["categories"]
    past, nations = rows["gram7-past-tense"], rows["gram6-nationality-adjective"]
    fit = taskvectors.fit_bulk(past["spectra"][at])
    shares, alignments = (
        [row[name][at] for row in rows.values()] for name in ("mean_share", "mean_alignment")
    )
    ratios, accuracies = ([row[name][at] for row in rows.values()] for name in ("snr", "accuracy"))
    return {
        "d_eff": fit.bulk.dim,
        "spike": fit.strength / fit.threshold,
        "mean_share": {
            "least": min(shares),
            "above": sum(share > 0.9 for share in shares),
            "aligned": sum(square > 0.9 for square in alignments),
        },
        "rank_correlation": float(spearmanr(ratios, accuracies).statistic),
        "answer": nations["answer"][at],
        "rival": nations["rival"][at],
        "ipr": past["ipr"][end],
    }


def record() -> dict:
    """Return the content of the file."""
    stats = qw2v.load_statistics()
    runs = ("qwem-large", "sgns-large", "qwem-small", "sgns-small")
    corners = [f"{loss}-{weights}" for loss in ("sgns", "qwem") for weights in WEIGHTS]
    return {
        "command": "python data/results.py",
        "statistics": stats.fingerprint,
        "text": text(stats),
        "closed_form": closed_form(stats),
        "trained": {name: trained(name) for name in runs},
        "ablation": {name: trained(f"ablation-{name}") for name in corners},
        "late": {"small": late_by("qwem-small", 1e-12), "large": late_by("qwem-large", 0.1)},
        "overlap": overlaps(),
        "spectra": spectra(),
        "tasks": tasks(),
    }


def main() -> None:
    """Write the file."""
    FILE.write_text(json.dumps(record(), indent=1) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
