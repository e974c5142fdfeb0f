"""What `data/` holds, each file checked against its checksum, and larger corpora to download."""

from __future__ import annotations

import importlib.resources
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qw2v import _download, _files
from qw2v._download import ChecksumError, Corpus, DownloadError
from qw2v._environment import cache_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qw2v._checkpoints import Trace
    from qw2v.statistics import CorpusStatistics
    from qw2v.vectors import WordVectors

__all__ = [
    "CORPORA",
    "ChecksumError",
    "Corpus",
    "DownloadError",
    "RecordedRun",
    "checksums",
    "data_path",
    "fetch",
    "load_google_analogies",
    "load_men",
    "load_run",
    "load_statistics",
    "load_task_spectra",
    "load_task_time",
    "load_wordsim353",
    "recorded_runs",
    "verify",
]

_SUMS = "SHA256SUMS"


def _folder() -> Path:
    """Return data/: inside an installed package, in a checkout beside it."""
    package = Path(str(importlib.resources.files("qw2v")))
    inside = package / "data"
    return inside if inside.is_dir() else package.parent / "data"


_DATA = _folder()


# What data/ holds


def data_path(name: str) -> Path:
    """Return the path of a file in `data/`.

    >>> data_path("men.tsv").name
    'men.tsv'

    Raises
    ------
    FileNotFoundError
        If it is not there.
    """
    path = _DATA / name
    if path.is_file():
        return path
    if not (_DATA / _SUMS).is_file():
        raise FileNotFoundError(
            f"there are no data in {_DATA}: they come with the package and lie in a checkout of "
            f"the repository; {_remedy('')}"
        )
    raise FileNotFoundError(
        f"there is no file {name!r} in {_DATA}, which should hold: "
        f"{', '.join(sorted(checksums()))}. If one of these is missing: {_remedy(name)}"
    )


def checksums() -> dict[str, str]:
    """Return the SHA-256 of every file listed in `data/SHA256SUMS`, by name."""
    lines = data_path(_SUMS).read_text(encoding="ascii").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


def verify(name: str) -> Path:
    """Return the path of a file in `data/` whose bytes agree with its checksum.

    Raises
    ------
    ChecksumError
        If they do not, or if no checksum is listed.
    """
    path, listed = data_path(name), checksums()
    if name not in listed:
        raise ChecksumError(
            f"{_SUMS} lists no checksum for {name}; if the file is yours, add it: "
            f"`cd {_DATA} && sha256sum {name} >> {_SUMS}`"
        )
    found = _download.digest(path)
    if found != listed[name]:
        raise ChecksumError(
            f"{path} is damaged or was edited: its SHA-256 is {found}, {_SUMS} says "
            f"{listed[name]}. {_remedy(name)}; after a rebuild that you meant, write the new sum "
            f"into {_SUMS}"
        )
    return path


def _remedy(name: str) -> str:
    if _DATA.parent.name == "qw2v" and (_DATA.parent / "__init__.py").is_file():
        return "`pip install --force-reinstall --no-deps qw2v` brings it back"
    return f"`git checkout -- {f'data/{name}' if name else 'data'}` brings it back"


def load_statistics(name: str = "enwiki") -> CorpusStatistics:
    """Return the corpus statistics shipped as `data/<name>.npz`, checked against their checksum.

    "enwiki": English Wikipedia, V = 10,000 words, window L = 16.
    """
    from qw2v.statistics import CorpusStatistics

    return CorpusStatistics.load(verify(f"{name}.npz"))


def load_task_spectra() -> dict:
    """Return the task vectors recorded against d: `experiments/task_spectra.py` makes it again.

    `dims` (D,), `participation_ratio` (D,) of the eigenvalues of M*, (sum lambda)^2 over
    sum lambda^2, and `categories`, as `qw2v.taskvectors.emergence` returns them.

    >>> len(load_task_spectra()["categories"])
    14
    """
    return _files.parse_json(verify("task-spectra.json").read_bytes())


def load_task_time() -> dict:
    """Return analogies predicted in time: `experiments/task_time.py` computes them again.

    `small` is of a vanishing start, with the modes `learned` at each of the `times` (T,); `large`
    of random starts of scale `sigma`, where each number is a list by seed, then by time.

    >>> load_task_time()["large"]["seeds"]
    [0, 1, 2, 3, 4]
    """
    return _files.parse_json(verify("task-time.json").read_bytes())


def load_hypernyms() -> dict:
    """Return how much of the modes WordNet explains: `experiments/hypernyms.py` computes it again.

    `levels` (L,) of WordNet's tree of nouns, 1 the coarsest, the number of `classes` (L,) at each,
    and `explained`: by group of modes, the adjusted share of their variance (L,).

    >>> load_hypernyms()["levels"]
    [1, 2, 3, 4, 5, 6, 7]
    """
    return _files.parse_json(verify("hypernyms.json").read_bytes())


def load_dropped_words() -> dict:
    """Return how dropping pairs compares with dropping words: `experiments/dropped_words.py`.

    `pairs` counts them before and after, `moved` is the share of pairs that lies elsewhere, and
    `shared_modes` that of the first modes of M* in common; beside it what two seeds differ by.

    >>> sorted(load_dropped_words()["shared_modes"])
    ['10', '50']
    """
    return _files.parse_json(verify("dropped-words.json").read_bytes())


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """A training run that was recorded beforehand; `experiments/record_runs.py` makes it again.

    `settings` (with machine, date and seed) and `command` say how it was made; `trace` is that of a
    `training.Run`, with T points. `checkpoints` are C dictionaries with step, time, accuracy (of
    the analogies `asked`), categories (accuracy by category), snr (of task vectors, by category),
    MEN and WordSim353 (rank correlations); `closed_form` has the same for the top d modes of M*,
    whose `eigenvalues` are (d,). Of the squared overlaps (v_k^T u_j)^2 of the eigenvectors of M*
    with the left singular vectors of W, `overlap` (C, d) is the diagonal at each checkpoint,
    `subspace` (C, d) the share of the first k directions inside the first k modes, and
    `final_overlap` (d, d) all of them at the end.

    Two things are large, and None where no page needs them: `vectors`, the trained WordVectors, to
    three digits; and `cloud` (3, V, 4), the words at the steps `cloud_steps`, along the first right
    singular vectors of the final W. `command` makes the run again, vectors and all.
    """

    name: str
    command: str
    settings: dict
    trace: Trace
    vectors: WordVectors | None
    checkpoints: list[dict]
    closed_form: dict
    eigenvalues: NDArray
    overlap: NDArray
    subspace: NDArray
    final_overlap: NDArray
    cloud: NDArray | None
    cloud_steps: list[int]


def recorded_runs() -> list[str]:
    """Return the names of the training runs that come with the project.

    >>> "qwem-large" in recorded_runs()
    True
    """
    names = (name for name in checksums() if name.startswith("runs/"))
    return sorted(name.removeprefix("runs/").removesuffix(".safetensors") for name in names)


def load_run(name: str) -> RecordedRun:
    """Return the training run shipped as `data/runs/<name>.safetensors`, checked.

    Raises
    ------
    FileNotFoundError
        If it is not there; `recorded_runs` returns the names of those that are.
    """
    from qw2v import _checkpoints
    from qw2v.vectors import WordVectors

    arrays, document = _checkpoints.read(verify(f"runs/{name}.safetensors"))
    matrix = arrays.get("embeddings")
    kept = ("name", "command", "settings", "checkpoints", "closed_form", "cloud_steps")
    series = ("eigenvalues", "overlap", "subspace", "final_overlap")
    fields: dict[str, Any] = {name: document[name] for name in kept}
    fields |= {name: arrays[name] for name in series}
    return RecordedRun(
        trace=_checkpoints.Trace.of(arrays),
        vectors=None
        if matrix is None
        else WordVectors(document["words"], matrix.astype("float32")),
        cloud=arrays.get("cloud"),
        **fields,
    )


def load_google_analogies() -> dict[str, list[tuple[str, str]]]:
    """Return the word pairs of Google's analogy list: 14 categories, in the list's order.

    >>> load_google_analogies()["family"][:2]
    [('boy', 'girl'), ('brother', 'sister')]
    """
    categories: dict[str, list[tuple[str, str]]] = {}
    for line in _lines("google-analogies.txt"):
        if line.startswith(":"):
            pairs = categories.setdefault(line[1:].strip(), [])
        else:
            first, second = line.split()
            pairs.append((first, second))
    return categories


def load_wordsim353() -> list[tuple[str, str, float]]:
    """Return WordSim353's (word, word, rating from 0 to 10), as published.

    Of its 353 rows two repeat a pair; they are kept, as in everybody's numbers.

    >>> load_wordsim353()[1]
    ('tiger', 'cat', 7.35)
    """
    return _ratings("wordsim353.tsv")


def load_men() -> list[tuple[str, str, float]]:
    """Return MEN's 3,000 (word, word, rating from 0 to 50), as published.

    >>> load_men()[0]
    ('sun', 'sunlight', 50.0)
    """
    return _ratings("men.tsv")


def _lines(name: str) -> list[str]:
    lines = verify(name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _ratings(name: str) -> list[tuple[str, str, float]]:
    rows = (line.split("\t") for line in _lines(name))
    return [(first, second, float(rating)) for first, second, rating in rows]


# Larger corpora, downloaded


CORPORA = {
    "text8": Corpus(
        url="http://mattmahoney.net/dc/text8.zip",
        size=31_344_016,
        sha256="a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232",
        member="text8",
        member_size=100_000_000,
        member_md5="3bea1919949baf155f99411df5fada7e",
        description="17 million words of English Wikipedia, March 2006, on one line",
    ),
}


def fetch(name: str, directory: str | os.PathLike | None = None, progress: bool = True) -> Path:
    """Download a public corpus, if it is not there yet, and return the path of its text.

    An interrupted download goes on where it stopped; the archive is checked against its SHA-256
    before anything is unpacked, and a text that is there already against its own checksum.

    Parameters
    ----------
    name : str
        A name in `CORPORA`: "text8".
    directory : path, optional
        Where to keep it; `corpora` in $QW2V_CACHE, or in the user's cache, by default.
    progress : bool
        Show a progress bar.

    Raises
    ------
    DownloadError
        If the server cannot be reached or refuses.
    ChecksumError
        If the archive is not the one expected.
    """
    if name not in CORPORA:
        raise ValueError(f"there is no corpus {name!r} to fetch; choose from {sorted(CORPORA)}")
    folder = cache_folder() / "corpora" if directory is None else Path(directory)
    return _download.download(CORPORA[name], folder, progress)
