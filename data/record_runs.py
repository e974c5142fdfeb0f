"""Train the recorded runs of this folder again, each to runs/NAME.safetensors.

    python data/record_runs.py --list
    python data/record_runs.py qwem-large sgns-large

The settings that stand below train on the shipped counts; those of the paper's size want a GPU. A
record holds the course of the run, how good its vectors are along the way, how its directions
overlap with the eigenvectors of M*, the cloud of words at three moments, and the final W.
"""

import argparse
from pathlib import Path

import numpy as np

import qw2v
from qw2v import _checkpoints, datasets, taskvectors
from qw2v.weighting import Word2Vec

FOLDER = Path(__file__).parent / "runs"
COORDINATES = 4  # of the cloud: along the first right singular vectors of the final W

# What word2vec does here: subsampling at 1e-4, one negative word, P^(3/4).
WORD2VEC = Word2Vec(subsample=1e-4, negatives=1, power=0.75)
CPU = dict(dim=200, init_scale=0.1, vocab_size=5_000)
SMALLER = dict(CPU, dim=100, vocab_size=2_000)
TWO_NEGATIVES = Word2Vec(subsample=1e-4, negatives=2, power=0.75)
# The paper's sizes: minutes on a GPU. lr falls to a tenth at three quarters of the steps.
PAPER = dict(CPU, vocab_size=10_000, mode="sampled", batch=50_000, schedule="step", device="cuda")

# lr and steps: t = lr x steps reaches 1.3 tau_200 in Setting 3.1. Under word2vec's weights the rare
# words, whose pairs weigh far less than the mean, are the last to settle, and the pairs of frequent
# words, which weigh more, bound lr.
SETTINGS = {
    "qwem-large": dict(CPU, loss="qwem", lr=5e-5, steps=2_600),
    "qwem-large-seed1": dict(CPU, loss="qwem", lr=5e-5, steps=2_600, seed=1),
    "qwem-large-seed2": dict(CPU, loss="qwem", lr=5e-5, steps=2_600, seed=2),
    "sgns-large": dict(CPU, loss="sgns", weighting=WORD2VEC, lr=6e-5, steps=1_800),
    "qwem-small": dict(
        SMALLER, loss="qwem", init_scale=1e-12, integrator="rk4", lr=1.2e-3, steps=1_900
    ),
    "sgns-small": dict(
        SMALLER, loss="sgns", weighting=WORD2VEC, init_scale=1e-12, lr=2e-4, steps=5_000
    ),
    "ablation-sgns-word2vec": dict(
        SMALLER, loss="sgns", weighting=TWO_NEGATIVES, lr=1.5e-4, steps=6_000
    ),
    "ablation-qwem-word2vec": dict(
        SMALLER, loss="qwem", weighting=TWO_NEGATIVES, lr=1.5e-4, steps=6_000
    ),
    "ablation-sgns-setting31": dict(SMALLER, loss="sgns", lr=3e-4, steps=1_500),
    "ablation-qwem-setting31": dict(SMALLER, loss="qwem", lr=3e-4, steps=1_500),
    "paper-qwem-large": dict(PAPER, loss="qwem", lr=5e-6, steps=20_000),
    "paper-qwem-small": dict(PAPER, loss="qwem", init_scale=1e-12, lr=1e-5, steps=55_000),
    "paper-sgns-large": dict(PAPER, loss="sgns", weighting=WORD2VEC, lr=1e-5, steps=15_000),
    "paper-sgns-small": dict(
        PAPER, loss="sgns", weighting=WORD2VEC, init_scale=1e-12, lr=1e-5, steps=35_000
    ),
}


def record(name: str, settings: dict, folder: Path = FOLDER) -> None:
    """Train with these settings and write the record."""
    options = dict(settings)
    stats = qw2v.load_statistics()
    stats = stats.restrict(options.pop("vocab_size"))
    steps = options["steps"]
    looks = dict(trace_points=followed(steps, 400, 0.002), checkpoints=followed(steps, 16, 0.04))
    run = qw2v.train(stats, **looks, **options)
    target = qw2v.target(stats)
    values, modes = target.eigenpairs(options["dim"])
    times = dict(zip(run.trace.step.tolist(), run.trace.time.tolist(), strict=True))
    steps = list(run.snapshots)
    overlaps = [overlap(modes, W) for W in run.snapshots.values()]
    moments = [steps[at] for at in three_moments(run)]
    turn = np.linalg.svd(run.vectors.matrix, full_matrices=False)[2][:COORDINATES].T
    arrays = {
        "trace.step": run.trace.step.astype(np.int32),
        "trace.time": run.trace.time,
        "trace.loss": run.trace.loss,
        "trace.singular_values": run.trace.singular_values.astype(np.float32),
        "eigenvalues": values,
        "overlap": np.array([np.diagonal(square) for square in overlaps], np.float32),
        "subspace": np.array([subspace(square) for square in overlaps], np.float32),
        "final_overlap": overlaps[-1].astype(np.float16),
        "cloud": np.array([run.snapshots[step] @ turn for step in moments], np.float16),
        "embeddings": run.vectors.matrix.astype(np.float16),
    }
    document = {
        "kind": "record",
        "name": name,
        "command": f"python data/record_runs.py {name}",
        "settings": run.settings,
        "words": stats.words,
        "cloud_steps": moments,
        "checkpoints": [
            {"step": step, "time": times[step], **quality(stats.words, W)}
            for step, W in run.snapshots.items()
        ],
        "closed_form": quality(stats.words, modes * np.sqrt(values)),
    }
    folder.mkdir(exist_ok=True)
    _checkpoints.write(folder / name, arrays, document)


def followed(steps: int, points: int, first: float) -> list[int]:
    """Return the steps to look at, from a share `first` of all on, evenly in the logarithm.

    The rise of a mode lasts about the same share of its time tau_k, early and late.
    """
    return sorted({0, *np.geomspace(first * steps, steps, points).astype(int).tolist(), steps})


def quality(words: list[str], W: np.ndarray) -> dict:
    """Return the analogies completed and the SNR of task vectors, and the rank correlations."""
    if not np.linalg.norm(W, axis=1).all():
        return {}
    vectors = qw2v.WordVectors(words, W)
    report = qw2v.evaluate(vectors)
    tasks = taskvectors.measure(vectors, datasets.load_google_analogies())
    return {
        "accuracy": report.accuracy,
        "categories": {score.category: score.accuracy for score in report.analogies},
        "snr": {name: row["snr"] for name, row in tasks.items()},
        **report.similarity,
    }


def overlap(modes: np.ndarray, W: np.ndarray) -> np.ndarray:
    """Return (v_k^T u_j)^2, (d, d), of the eigenvectors of M* with W's left singular vectors."""
    return np.square(modes.T @ np.linalg.svd(W.astype(float), full_matrices=False)[0])


def subspace(square: np.ndarray) -> np.ndarray:
    """Return, for k = 1..d, the share of W's first k directions inside the first k modes."""
    return np.diagonal(square.cumsum(axis=0).cumsum(axis=1)) / np.arange(1, len(square) + 1)


def three_moments(run: qw2v.training.Run) -> list[int]:
    """Return the snapshots at which modes 1 and 5 have come half their way, and the last."""
    squares = [np.linalg.svd(W, compute_uv=False) ** 2 for W in run.snapshots.values()]
    half = [[square[k] > squares[-1][k] / 2 for square in squares].index(True) for k in (0, 4)]
    return [*half, len(squares) - 1]


def main() -> None:
    """Train and write what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the names and their settings")
    arguments = parser.parse_args()
    if arguments.list:
        for name, settings in SETTINGS.items():
            print(name, *(f"{key}={value}" for key, value in settings.items()))
    if unknown := set(arguments.names) - set(SETTINGS):
        parser.error(f"no such run: {', '.join(sorted(unknown))}; --list prints those there are")
    for name in arguments.names:
        record(name, SETTINGS[name])
        print(f"wrote {FOLDER / name}.safetensors")


if __name__ == "__main__":
    main()
