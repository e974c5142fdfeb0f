"""All numbers of an analogy at once, as the dimension grows and as time goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qw2v._environment import progress_bar
from qw2v.dynamics import Trajectory
from qw2v.taskvectors._completions import completions
from qw2v.taskvectors._spectra import (
    gram_spectrum,
    inverse_participation,
    mean_alignment,
    mean_share,
    snr,
    task_vectors,
)
from qw2v.vectors import WordVectors

Categories = Mapping[str, Sequence[tuple[str, str]]]


def measure(vectors: WordVectors, categories: Categories) -> dict[str, dict]:
    """Return the numbers of Figures 4, 6, 8 and A.6 for one set of vectors, by category.

    `pairs` N. From the rows as they are: `spectra`, the min(N, d) eigenvalues of R R^T / d; `snr`;
    `mean_share`, `mean_alignment`; `ipr`, the inverse participation ratio of the task vectors on
    average, and `mean_ipr`, that of their mean. From rows of length one: `accuracy` by the paper's
    protocol and `google_accuracy` (None where that asks nothing); `answer` and `rival`, cosines on
    average over answerable questions. A category without two pairs in the vocabulary is left out.

    >>> import numpy as np
    >>> vectors = WordVectors(["a", "b", "c", "d"], np.eye(4))
    >>> measure(vectors, {"letters": [("a", "b"), ("c", "d")]})["letters"]["snr"]
    1.0
    """
    found = {}
    for name, pairs in categories.items():
        R = task_vectors(vectors, pairs)
        if len(R) < 2:
            continue
        spectrum, questions = gram_spectrum(R), completions(vectors, pairs)
        fair = questions.answerable
        found[name] = {
            "pairs": len(R),
            "spectra": spectrum.tolist(),
            "snr": snr(spectrum),
            "mean_share": mean_share(R),
            "mean_alignment": mean_alignment(R),
            "ipr": float(inverse_participation(R).mean()),
            "mean_ipr": float(inverse_participation(R.mean(axis=0))),
            "accuracy": questions.accuracy(),
            "google_accuracy": questions.accuracy("google"),
            "answer": float(questions.answer[fair].mean()),
            "rival": float(questions.rival[fair].mean()),
        }
    return found


def emergence(
    vectors: WordVectors,
    categories: Categories,
    dims: Sequence[int],
    *,
    progress: bool = True,
) -> dict[str, dict]:
    """Return what `measure` finds for each d of `dims`, in lists: numbers ready for JSON.

    Uses the first d columns of `vectors`. In addition, for other normalisations than the paper's:
    `raw_accuracy` and `raw_google_accuracy`, where the rows are added as they are; `unit_spectra`
    and `unit_mean_share`, of task vectors from rows of length one.

    >>> import numpy as np
    >>> vectors = WordVectors(["a", "b", "c", "d"], np.eye(4))
    >>> found = emergence(vectors, {"letters": [("a", "b"), ("c", "d")]}, [4])
    >>> np.round(found["letters"]["spectra"], 6)
    array([[0.5, 0.5]])
    """
    found: dict[str, dict] = {}
    with progress_bar("task vectors", "d", len(dims), progress=progress, leave=False) as bar:
        for dim in dims:
            first = WordVectors(vectors.words, vectors.matrix[:, :dim])
            unit = WordVectors(vectors.words, first.normalized)
            for name, row in measure(first, categories).items():
                raw = completions(first, categories[name], unit=False)
                row["raw_accuracy"] = raw.accuracy()
                row["raw_google_accuracy"] = raw.accuracy("google")
                R = task_vectors(unit, categories[name])
                row["unit_spectra"] = gram_spectrum(R).tolist()
                row["unit_mean_share"] = mean_share(R)
                _append(found.setdefault(name, {}), row)
            bar.update()
    return found


def emergence_in_time(
    path: Trajectory,
    words: Sequence[str],
    categories: Categories,
    times: Sequence[float],
    *,
    progress: bool = True,
) -> dict[str, dict]:
    """Return what `measure` finds at each time along a path of `qw2v.dynamics`, in lists.

    `path` gives the embeddings W(t) from the closed form alone, `words` (V,) names their rows, and
    `times` are in the path's units: accuracy and SNR of a training that never was run.

    >>> import numpy as np
    >>> from qw2v import dynamics
    >>> path = dynamics.aligned(np.diag([4.0, 3.0, 2.0, 1.0]), 1e-3)
    >>> categories = {"letters": [("a", "b"), ("c", "d")]}
    >>> found = emergence_in_time(path, list("abcd"), categories, [0, 99])
    >>> np.round(found["letters"]["snr"], 2)
    array([1. , 1.4])
    """
    found: dict[str, dict] = {}
    with progress_bar("training", "time", len(times), progress=progress, leave=False) as bar:
        for t in times:
            vectors = WordVectors(list(words), path.embeddings(float(t)))
            for name, row in measure(vectors, categories).items():
                _append(found.setdefault(name, {}), row)
            bar.update()
    return found


def _append(lists: dict, row: Mapping) -> None:
    """Put each number at the end of its list; that of the pairs does not change."""
    for key, value in row.items():
        if key == "pairs":
            lists[key] = value
        else:
            lists.setdefault(key, []).append(value)
