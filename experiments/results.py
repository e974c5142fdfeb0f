"""Compute results.json of data/ again: this book's answers to the paper's numbers.

    python experiments/results.py

From the shipped counts and the other results files; under a minute where eigenpairs are cached.
"""

import json

import numpy as np
from common import DATA
from scipy.stats import spearmanr

import qw2v
from qw2v import datasets, dynamics, features, taskvectors

FILE = DATA / "results.json"
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
        found[kind] = scored(qw2v.closed_form(stats, dim=DIM, kind=kind))
    found["sppmi"] = scored(shifted(stats))
    return found


def shifted(stats: qw2v.CorpusStatistics, negatives: int = 5) -> qw2v.WordVectors:
    """Return vectors of Levy and Goldberg's shifted PPMI, max(PMI - ln k, 0)."""
    matrix = qw2v.target(stats, "ppmi", shift=negatives)
    values, modes = matrix.eigenpairs(DIM)
    return qw2v.WordVectors(stats.words, modes * np.sqrt(values))


def scored(vectors: qw2v.WordVectors) -> dict:
    """Return the scores of vectors, with the question words left out, and kept (analogies)."""
    report = qw2v.evaluate(vectors)
    kept = qw2v.evaluate(vectors, similarities={}, exclude_question_words=False)
    return {
        "analogies": report.accuracy,
        "kept": kept.accuracy,
        "asked": report.total.asked,
        **report.similarity,
    }


def others() -> dict:
    """Return what the files of the other models say: gensim's and GloVe's objective."""
    found = {}
    for name in ("gensim", "glove"):
        file = DATA / f"{name}.json"
        if file.exists():
            runs = json.loads(file.read_text(encoding="utf-8"))["runs"]
            found[name] = {
                key: {**run, "minutes": run["seconds"] / 60} for key, run in runs.items()
            }
    return found


def trained(name: str) -> dict:
    """Return how good a recorded run's vectors are, and the closed form's of the same size."""
    run = datasets.load_run(name)
    last = run.checkpoints[-1]
    return {
        **{name: last[name] for name in ("accuracy", "MEN", "WordSim353")},
        "vocab_size": run.settings["vocab_size"],
        "minutes": run.settings["seconds"] / 60,
        "closed_form": run.closed_form["accuracy"],
        "first_modes": float(run.subspace[-1][9]),
    }


def late_by(name: str, sigma: float, modes: int = 10) -> dict:
    """Return the median relative gap between half-times of the first modes and the theory's.

    Of Result 3, and of Result 3 with the mean start of each mode in place of sigma.
    """
    run = datasets.load_run(name)
    values = run.eigenvalues[:modes]
    found = dynamics.half_times(run.trace.singular_values, values, run.trace.time)
    stats = qw2v.load_statistics().restrict(run.settings["vocab_size"])
    gaps = {}
    for corrected in (False, True):
        path = dynamics.vanishing(
            qw2v.target(stats), sigma, run.settings["dim"], corrected=corrected
        )
        gap = np.abs(found / path.learning_times[:modes] - 1)
        gaps["each mode's own" if corrected else "sigma"] = float(np.median(gap))
    return gaps


def from_random_starts(
    sigma: float = 1e-6, vocab_size: int = 1_000, dim: int = 16, modes: int = 6, seeds: int = 5
) -> dict:
    """Return how far the half-times of the exact dynamics lie from Result 3, mean over seeds.

    Once for starts whose modes begin at about sigma, as in the paper, entries N(0, sigma^2 / d);
    and once for entries N(0, sigma^2), whose modes begin sqrt(d) higher.
    """
    target = qw2v.target(qw2v.load_statistics().restrict(vocab_size))
    values, _ = target.eigenpairs(dim)
    expected = dynamics.learning_times(values[:modes], sigma)
    gaps = {}
    for name, entry in (("paper", sigma / dim**0.5), ("entries", sigma)):
        found = []
        for seed in range(seeds):
            W0 = entry * np.random.default_rng(seed).standard_normal((vocab_size, dim))
            path = dynamics.exact(target, W0, progress=False)
            span = [0.0, 1.5 * float(expected[-1])]
            found.append(dynamics.half_times(path, values[:modes], span))
        gaps[name] = (np.mean(found, axis=0) / expected - 1).tolist()
    return {
        "sigma": sigma, "vocab_size": vocab_size, "dim": dim, "seeds": seeds, **gaps,
        "largest": float(np.abs(gaps["paper"]).max()),
        "largest_of_entries": float(np.abs(gaps["entries"]).max()),
    }  # fmt: skip


def ablated(corner: str) -> dict:
    """Return what a corner of the ablation ends at, with errors, and how far it has settled.

    The error of the accuracy is that of a share of independent questions; they are not quite, so
    it is a lower bound. `fall` is the share of its loss that it lost in the second half of the
    time. `best` is the highest accuracy of its checkpoints.
    """
    name = f"ablation-{corner}"
    run, found = datasets.load_run(name), trained(name)
    asked = run.checkpoints[-1]["asked"]
    error = float(np.sqrt(found["accuracy"] * (1 - found["accuracy"]) / asked))
    best = max(mark["accuracy"] for mark in run.checkpoints[1:])
    return {**found, "error": error, "asked": asked, "fall": run.trace.fall(), "best": best}


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


def seeds() -> dict:
    """Return the spread of the accuracy over the three seeds of QWEM."""
    found = [trained(f"qwem-large{end}")["accuracy"] for end in ("", "-seed1", "-seed2")]
    return {"least": min(found), "most": max(found)}


def record() -> dict:
    """Return the content of the file."""
    stats = qw2v.load_statistics()
    runs = [f"{loss}-{start}" for start in ("large", "small") for loss in ("qwem", "sgns")]
    corners = [f"{loss}-{weights}" for loss in ("sgns", "qwem") for weights in WEIGHTS]
    return {
        "command": "python experiments/results.py",
        "statistics": stats.fingerprint,
        "text": text(stats),
        "closed_form": closed_form(stats),
        "trained": {name: trained(name) for run in runs for name in (run, f"paper-{run}")},
        "seeds": seeds(),
        "others": others(),
        "ablation": {corner: ablated(corner) for corner in corners},
        "start": from_random_starts(),
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
