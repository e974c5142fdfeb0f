"""Word vectors as one page to explore: search, neighbours, analogies and features, offline.

The page is a single file that asks no server for anything: its script, its looks and its numbers
are inside. Vectors are turned into the basis of their features, which changes no cosine, brought to
length one, and rounded to eight bits a number, with a step of its own for every feature.
"""

from __future__ import annotations

import html
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from qw2v import _checks
from qw2v._files import PathLike, replacing
from qw2v._packing import base85, pack, quantised
from qw2v.vectors import WordVectors

FOLDER = Path(__file__).parent / "static"
LIMIT = 10_000  # words on a page, unless more are asked for
QUESTIONS = (("man", "king", "woman"), ("paris", "france", "rome"))  # the page may begin with

# Nothing may be loaded or sent, whatever a word or a title holds.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:"


def write_page(
    vectors: WordVectors, path: PathLike, *, title: str = "Word vectors", limit: int = LIMIT
) -> None:
    """Write one static page on which the vectors can be explored; `html_page` says what it holds.

    Parameters
    ----------
    vectors : WordVectors
        The vectors, most frequent words first.
    path : path
        The file to write; one that exists is replaced.
    title : str
        The heading.
    limit : int
        How many words to take, the first ones.

    Examples
    --------
    >>> import tempfile
    >>> vectors = WordVectors(["up", "down", "side"], np.eye(3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_page(vectors, f"{folder}/mine.html", title="Three ways")
    ...     Path(folder, "mine.html").read_text().count("<h1>Three ways</h1>")
    1
    """
    text = html_page(vectors, title=title, limit=limit)
    with replacing(path) as file:
        file.write(text.encode())


def html_page(vectors: WordVectors, *, title: str = "Word vectors", limit: int = LIMIT) -> str:
    """Return the page as text.

    It finds a word, its nearest words and the features it is strong in; answers a : b :: c : ?; and
    shows the words at both ends of every feature, a left singular vector of the matrix. It needs a
    browser of 2023 or later.

    Parameters
    ----------
    vectors : WordVectors
        The vectors; cosines on the page are theirs to within about 0.01.
    title : str
        The heading.
    limit : int
        How many words to take, the first ones.

    Returns
    -------
    str
        HTML: about 2.3 MB for 10,000 words of dimension 200.

    Raises
    ------
    ValueError
        For a limit below one.

    Examples
    --------
    >>> page = html_page(WordVectors(["<b>", "c"], np.eye(2)), title="a < b")
    >>> "<h1>a &lt; b</h1>" in page, "<b>" in page
    (True, False)
    """
    taken = min(_checks.whole("limit", limit, 1), len(vectors))
    words, matrix = vectors.words[:taken], vectors.matrix[:taken]
    arrays = coordinates(matrix)
    layout, blob = pack(arrays)
    state = {
        "_layout": layout,
        "_blob": base85(blob),
        "words": words,
        "start": _first_questions(words),
    }
    data = json.dumps(state, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    left = f" (the first of {len(vectors):,})" if taken < len(vectors) else ""
    note = f"{taken:,} words{left}, {vectors.dim} dimensions, eight bits a number."
    name = html.escape(title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        f"<title>{name}</title>\n<style>{_static('page.css')}</style>\n</head>\n<body>\n"
        f'<header><h1>{name}</h1><p class="note">{note}</p></header>\n'
        "<main><p>This page works by its script; without JavaScript it has nothing to show.</p>"
        f'</main>\n<script type="application/json" id="vectors">{data}</script>\n'
        f'<script type="module">{_static("page.js")}</script>\n</body>\n</html>\n'
    )


def coordinates(matrix: NDArray) -> dict[str, NDArray]:
    """Return the rows of a matrix (V, d) in the basis of its features, in eight bits.

    Returns
    -------
    dict
        `entries` (k, V) int8 with k = min(V, d), one feature a row; `step` (k,): entries * step are
        rows of length one, up to rounding; `lengths` (V,), those of the rows as they came. Words
        that are zero stay zero. The largest entry of each feature is positive.

    Examples
    --------
    >>> found = coordinates(np.array([[3.0, 0.0], [0.0, 1.0], [0.0, 0.0]]))
    >>> found["lengths"].tolist(), (found["entries"].T * found["step"]).round(2).tolist()
    ([3.0, 1.0, 0.0], [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    """
    rows = matrix.astype(np.float64)
    scale = float(np.abs(rows).max()) or 1.0  # so that no square over- or underflows
    rows /= scale
    features, values, turn = np.linalg.svd(rows, full_matrices=False)
    sign = np.sign(features[np.abs(features).argmax(axis=0), np.arange(len(values))])
    turned = rows @ (turn.T * sign)
    lengths = np.linalg.norm(rows, axis=1)
    unit = turned / np.where(lengths == 0, 1, lengths)[:, None]
    entries, step = quantised(unit, np.int8)
    return {
        "entries": np.ascontiguousarray(entries.T),
        "step": step,
        "lengths": (lengths * scale).astype(np.float64),
    }


def _first_questions(words: list[str]) -> list[str]:
    """Return the word that is searched for first, and the first analogy: a, b, c."""
    known = set(words)
    asked = next((list(q) for q in QUESTIONS if known.issuperset(q)), (words * 3)[:3])
    return [asked[1], *asked]


def _static(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8").strip()
