"""What `data/` holds, each file checked against its checksum, and larger corpora to download."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import shutil
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from qw2v._environment import cache_folder, progress_bar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from qw2v._checkpoints import Trace
    from qw2v.statistics import CorpusStatistics
    from qw2v.vectors import WordVectors

_DATA = Path(__file__).resolve().parent.parent / "data"
_SUMS = "SHA256SUMS"
_CHUNK = 1 << 20
_ATTEMPTS = 5
_WAIT = 1.0  # seconds before the second attempt; one more before each further one


class ChecksumError(ValueError):
    """A file that is not what its checksum says."""


class DownloadError(OSError):
    """A download that failed, with what to do about it."""


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
    if not _DATA.is_dir():
        raise FileNotFoundError(
            f"There is no folder {_DATA}: the data lie in a checkout of the repository, beside the "
            "package. Clone it and install with `pip install -e .`."
        )
    there = ", ".join(sorted(checksums())) if (_DATA / _SUMS).is_file() else "nothing"
    raise FileNotFoundError(
        f"There is no file {name!r} in {_DATA}, which should hold: {there}. "
        "If one of these is missing, `git checkout -- data` brings it back."
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
            f"{_SUMS} lists no checksum for {name}. If the file is yours, add it: "
            f"`cd {_DATA} && sha256sum {name} >> {_SUMS}`."
        )
    found = _digest(path)
    if found != listed[name]:
        raise ChecksumError(
            f"{path} is damaged or was edited: its SHA-256 is {found}, {_SUMS} says "
            f"{listed[name]}. `git checkout -- data/{name}` brings the file back; after a "
            f"rebuild that you meant, write the new sum into {_SUMS}."
        )
    return path


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_statistics(name: str = "enwiki") -> CorpusStatistics:
    """Return the corpus statistics shipped as `data/<name>.npz`, checked against their checksum.

    "enwiki": English Wikipedia, V = 10,000 words, window L = 16.
    """
    from qw2v.statistics import CorpusStatistics

    return CorpusStatistics.load(verify(f"{name}.npz"))


def task_spectra() -> dict:
    """Return the task vectors recorded against d: `data/task_spectra.py` computes them again.

    `dims` (D,), `effective_rank` (D,) of the eigenvalues of M*, (sum lambda)^2 / sum lambda^2, and
    `categories`, as `qw2v.taskvectors.emergence` returns them.

    >>> len(task_spectra()["categories"])
    14
    """
    return json.loads(verify("task-spectra.json").read_text(encoding="ascii"))


def task_time() -> dict:
    """Return analogies predicted in time: `data/task_time.py` computes them again.

    `small` is of a vanishing start, with the modes `learned` at each of the `times` (T,); `large`
    of random starts of scale `sigma`, where each number is a list by seed, then by time.

    >>> task_time()["large"]["seeds"]
    [0, 1, 2, 3, 4]
    """
    return json.loads(verify("task-time.json").read_text(encoding="ascii"))


def hypernyms() -> dict:
    """Return how much of the modes WordNet explains: `experiments/hypernyms.py` computes it again.

    `levels` (L,) of WordNet's tree of nouns, 1 the coarsest, the number of `classes` (L,) at each,
    and `explained`: by group of modes, the adjusted share of their variance (L,).

    >>> hypernyms()["levels"]
    [1, 2, 3, 4, 5, 6, 7]
    """
    return json.loads(verify("hypernyms.json").read_text(encoding="ascii"))


@dataclass(frozen=True, eq=False)
class RecordedRun:
    """A training run that was recorded beforehand; `data/record_runs.py` makes it again.

    `settings` (with machine, date and seed) and `command` say how it was made; `trace` is that of a
    `training.Run`, with T points, and `vectors` the trained WordVectors, to three digits.
    `checkpoints` are C dictionaries with step, time, accuracy (analogies), categories (accuracy by
    category), snr (of task vectors, by category), MEN and WordSim353 (rank correlations);
    `closed_form` has the same for the top d modes of M*, whose `eigenvalues` are (d,). Of the
    squared overlaps (v_k^T u_j)^2 of the eigenvectors of M* with the left singular vectors of W,
    `overlap` (C, d) is the diagonal at each checkpoint, `subspace` (C, d) the share of the first k
    directions inside the first k modes, and `final_overlap` (d, d) all of them at the end. `cloud`
    (3, V, 4) holds the words at the steps `cloud_steps`, along the first right singular vectors of
    the final W.
    """

    name: str
    command: str
    settings: dict
    trace: Trace
    vectors: WordVectors
    checkpoints: list[dict]
    closed_form: dict
    eigenvalues: NDArray
    overlap: NDArray
    subspace: NDArray
    final_overlap: NDArray
    cloud: NDArray
    cloud_steps: list[int]


def recorded_runs() -> list[str]:
    """Return the names of the training runs that come with the project.

    >>> "qwem-large" in recorded_runs()
    True
    """
    names = (name for name in checksums() if name.startswith("runs/"))
    return sorted(name.removeprefix("runs/").removesuffix(".safetensors") for name in names)


def recorded_run(name: str) -> RecordedRun:
    """Return the training run shipped as `data/runs/<name>.safetensors`, checked.

    Raises
    ------
    FileNotFoundError
        If it is not there; `recorded_runs` returns the names of those that are.
    """
    from qw2v import _checkpoints
    from qw2v.vectors import WordVectors

    arrays, document = _checkpoints.read(verify(f"runs/{name}.safetensors"))
    words, matrix = document["words"], arrays["embeddings"].astype("float32")
    kept = ("name", "command", "settings", "checkpoints", "closed_form", "cloud_steps")
    series = ("eigenvalues", "overlap", "subspace", "final_overlap", "cloud")
    return RecordedRun(
        trace=_checkpoints.Trace.of(arrays),
        vectors=WordVectors(words, matrix),
        **{name: document[name] for name in kept},
        **{name: arrays[name] for name in series},
    )


def google_analogies() -> dict[str, list[tuple[str, str]]]:
    """Return the word pairs of Google's analogy list: 14 categories, in the list's order.

    >>> google_analogies()["family"][:2]
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


def wordsim353() -> list[tuple[str, str, float]]:
    """Return WordSim353's (word, word, rating from 0 to 10), as published.

    Of its 353 rows two repeat a pair; they are kept, as in everybody's numbers.

    >>> wordsim353()[1]
    ('tiger', 'cat', 7.35)
    """
    return _ratings("wordsim353.tsv")


def men() -> list[tuple[str, str, float]]:
    """Return MEN's 3,000 (word, word, rating from 0 to 50), as published.

    >>> men()[0]
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


@dataclass(frozen=True)
class Corpus:
    """A public corpus: one text file in a zip archive."""

    url: str
    size: int  # bytes of the archive
    sha256: str  # of the archive
    member: str  # the file in the archive
    member_size: int
    description: str


CORPORA = {
    "text8": Corpus(
        url="http://mattmahoney.net/dc/text8.zip",
        size=31_344_016,
        sha256="a6640522afe85d1963ad56c05b0ede0a0c000dddc9671758a6cc09b7a38e5232",
        member="text8",
        member_size=100_000_000,
        description="17 million words of English Wikipedia, March 2006, on one line",
    ),
}


def fetch(name: str, directory: str | os.PathLike | None = None, progress: bool = True) -> Path:
    """Download a public corpus, if it is not there yet, and return the path of its text.

    An interrupted download goes on where it stopped; the archive is checked against its
    SHA-256 before anything is unpacked.

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
        raise ValueError(f"There is no corpus {name!r} to fetch; choose from {sorted(CORPORA)}.")
    corpus = CORPORA[name]
    directory = cache_folder() / "corpora" if directory is None else Path(directory)
    text = directory / corpus.member
    if text.is_file() and text.stat().st_size == corpus.member_size:
        return text
    directory.mkdir(parents=True, exist_ok=True)
    archive = directory / f"{name}.zip.part"
    _download(corpus, archive, progress)
    found = _digest(archive)
    if found != corpus.sha256:
        archive.unlink()
        raise ChecksumError(
            f"{corpus.url} sent an archive with SHA-256 {found}; {corpus.sha256} is expected. "
            "It was removed. Try again; if it happens twice, the file has changed at its source."
        )
    _unpack(corpus, archive, text)
    archive.unlink()
    return text


def _download(corpus: Corpus, path: Path, progress: bool) -> None:
    """Fill `path` to the corpus's size, going on from what it holds, with a few attempts."""
    problem: Exception | str = "the connection closed early"
    with progress_bar(path.name, "B", corpus.size, progress=progress, unit_scale=True) as bar:
        for attempt in range(_ATTEMPTS):
            time.sleep(_WAIT * attempt)
            held = path.stat().st_size if path.exists() else 0
            if held >= corpus.size:
                break
            try:
                _receive(corpus, path, held, bar)
            except urllib.error.HTTPError as error:
                error.close()
                if error.code < 500:
                    raise DownloadError(
                        f"{corpus.url} answers {error.code} {error.reason}. If it has moved, "
                        f"place the archive at {path} yourself and run this again."
                    ) from error
                problem = error
            except (OSError, http.client.HTTPException) as error:
                problem = error
    held = path.stat().st_size if path.exists() else 0
    if held < corpus.size:
        raise DownloadError(
            f"{corpus.url}: {held:,} of {corpus.size:,} bytes came in {_ATTEMPTS} attempts "
            f"({problem}). They are kept: run this again to go on from there."
        )


def _receive(corpus: Corpus, path: Path, held: int, bar) -> None:
    request = urllib.request.Request(corpus.url, headers={"User-Agent": "qw2v"})
    if held:
        request.add_header("Range", f"bytes={held}-")
    with urllib.request.urlopen(request, timeout=30) as response:
        # A server that does not know ranges answers 200 and starts from the first byte.
        resumed = response.status == 206
        bar.update((held if resumed else 0) - bar.n)
        with open(path, "ab" if resumed else "wb") as file:
            # One byte beyond the size is enough to know that this is another file.
            while (left := corpus.size + 1 - file.tell()) > 0:
                chunk = response.read(min(_CHUNK, left))
                if not chunk:
                    break
                file.write(chunk)
                bar.update(len(chunk))


def _unpack(corpus: Corpus, archive: Path, text: Path) -> None:
    temporary = text.with_name(f".{text.name}.{os.getpid()}.part")
    try:
        with zipfile.ZipFile(archive) as members, members.open(corpus.member) as source:
            with open(temporary, "wb") as file:
                shutil.copyfileobj(source, file, _CHUNK)
        os.replace(temporary, text)
    finally:
        temporary.unlink(missing_ok=True)
