"""Train the recorded runs of data/ again, each to data/runs/NAME.safetensors.

    python experiments/record_runs.py --list
    python experiments/record_runs.py qwem-large sgns-large

Each has its settings in runs/NAME.toml. Those without a batch train on all pairs at once, on the
shipped counts, and follow the flow in growing steps ("chebyshev"): an hour of one core for the
longest. Those with a batch take minibatches, as the paper does, and want a GPU. A record holds the
course of the run, how good its vectors are along the way, and how its directions overlap with the
eigenvectors of M*. The final W ("vectors") and the cloud of words at three moments ("cloud") are
large, and only kept where `keep` in the settings names them; --keep has the last word.
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from common import DATA, SETTINGS

import qw2v
from qw2v import _checkpoints, datasets, taskvectors, training
from qw2v.training.options import times_of_steps
from qw2v.weighting import PlainMeans, Setting31, Word2Vec

COORDINATES = 4  # of the cloud: along the first right singular vectors of the final W
WEIGHTINGS = {"setting31": Setting31, "word2vec": Word2Vec, "authors": PlainMeans}
TRICKS = ("subsample", "negatives", "power")
KEPT = ("vectors", "cloud")
TRACED, LOOKS, FIRST = 400, 16, 0.04  # of the run's time, the first look at the quality


def names() -> list[str]:
    """Return the runs that have settings."""
    return sorted(file.stem for file in SETTINGS.glob("*.toml"))


def load(name: str) -> dict[str, Any]:
    """Return the settings of a run as runs/NAME.toml has them."""
    return tomllib.loads((SETTINGS / f"{name}.toml").read_text(encoding="utf-8"))


def times_of(settings: dict[str, Any]) -> np.ndarray:
    """Return the time at each step of a run with these settings, (steps + 1,)."""
    return times_of_steps(settings["steps"], settings["lr"], settings["schedule"])


def followed(times: np.ndarray, looks: int = LOOKS, first: float = FIRST) -> list[int]:
    """Return the steps to look at: 0, and from a share of the time on, evenly in its logarithm.

    The rise of a mode lasts about the same share of its time tau_k, early and late.
    """
    wanted = np.geomspace(first * times[-1], times[-1], looks)
    later = np.clip(np.searchsorted(times, wanted * (1 - 1e-12)), 0, len(times) - 1)
    return sorted({0, *later.tolist()})


def arguments(settings: dict[str, Any]) -> dict[str, Any]:
    """Return what `qw2v.train` takes for these settings."""
    left_out = (*TRICKS, "vocab_size", "keep", "looks", "first")
    options = {key: value for key, value in settings.items() if key not in left_out}
    tricks = {key: settings[key] for key in TRICKS if key in settings}
    options["weighting"] = WEIGHTINGS[settings["weighting"]](**tricks)
    if (batch := options.pop("batch", None)) is not None:
        options["pairs"] = training.StatisticsPairs(batch)
    return options


def record(name: str, settings: dict[str, Any], folder: Path, kept: Path | None = None) -> None:
    """Train with these settings and write the record; checkpoints go to the folder `kept`."""
    stats = qw2v.load_statistics().restrict(settings["vocab_size"])
    times = times_of(settings)
    looks = followed(times, settings.get("looks", LOOKS), settings.get("first", FIRST))
    run = qw2v.train(
        stats,
        record=training.Record(
            trace=followed(times, TRACED, times[1] / times[-1]), snapshots=looks
        ),
        checkpoints=None if kept is None else training.Checkpoints(kept / name, resume=True),
        **arguments(settings),
    )
    folder.mkdir(exist_ok=True)
    write(folder / name, stats, run, settings.get("keep", KEPT))


def write(path: Path, stats: qw2v.CorpusStatistics, run: training.Run, keep: Sequence[str]) -> None:
    """Write the record of a run, with those of "vectors" and "cloud" that are to be kept."""
    values, modes = qw2v.target(stats).eigenpairs(run.settings["dim"])
    at = dict(zip(run.trace.step.tolist(), run.trace.time.tolist(), strict=True))
    steps = list(run.snapshots)
    overlaps = [overlap(modes, W) for W in run.snapshots.values()]
    moments = [steps[k] for k in three_moments(run)]
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
    }
    if "cloud" in keep:
        arrays["cloud"] = np.array([run.snapshots[step] @ turn for step in moments], np.float16)
    if "vectors" in keep:
        arrays["embeddings"] = run.vectors.matrix.astype(np.float16)
    document = {
        "kind": "record",
        "name": path.name,
        "command": f"python experiments/record_runs.py {path.name}",
        "settings": run.settings,
        "words": stats.words if "vectors" in keep else None,
        "cloud_steps": moments,
        "checkpoints": [
            {"step": step, "time": at[step], **quality(stats.words, W)}
            for step, W in run.snapshots.items()
        ],
        "closed_form": quality(stats.words, modes * np.sqrt(values)),
    }
    _checkpoints.write(path, arrays, document)


def quality(words: list[str], W: np.ndarray) -> dict[str, Any]:
    """Return the analogies completed and the SNR of task vectors, and the rank correlations."""
    if not np.linalg.norm(W, axis=1).all():
        return {}
    vectors = qw2v.WordVectors(words, W)
    report = qw2v.evaluate(vectors)
    tasks = taskvectors.measure(vectors, datasets.load_google_analogies())
    return {
        "accuracy": report.accuracy,
        "asked": report.total.asked,
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


def three_moments(run: training.Run) -> list[int]:
    """Return the snapshots at which modes 1 and 5 have come half their way, and the last."""
    squares = [np.linalg.svd(W, compute_uv=False) ** 2 for W in run.snapshots.values()]
    half = [[square[k] > squares[-1][k] / 2 for square in squares].index(True) for k in (0, 4)]
    return [*half, len(squares) - 1]


def main() -> None:
    """Train and write what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="print the names and their settings")
    parser.add_argument(
        "--checkpoints", type=Path, metavar="FOLDER",
        help="keep checkpoints in FOLDER/NAME, and go on from those that are there",
    )  # fmt: skip
    parser.add_argument("--keep", nargs="*", choices=KEPT, help="what is large and to be kept")
    given = parser.parse_args()
    if given.list:
        for name in names():
            print(name, *(f"{key}={value}" for key, value in load(name).items()))
    if unknown := set(given.names) - set(names()):
        parser.error(f"no such run: {', '.join(sorted(unknown))}; --list prints those there are")
    for name in given.names:
        settings = load(name) | ({} if given.keep is None else {"keep": given.keep})
        record(name, settings, DATA / "runs", given.checkpoints)
        print(f"wrote {DATA / 'runs' / name}.safetensors")


if __name__ == "__main__":
    main()
