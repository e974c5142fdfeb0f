"""Quality per CPU second: word vectors of the same text, by us and by our peers.

    pip install -r benchmarks/peers.txt
    python benchmarks/quality.py TEXT...               # all methods, into data/quality.json
    python benchmarks/quality.py TEXT... --only tuned sgns-3

Every method runs in a process of its own, from the text, one document a line, to 10,000 vectors of
200 numbers: V = 10,000, window 16 a side; for the tuned recipe 32, harmonic. CPU seconds and peak
memory are those of the process and its children; on a busy machine the wall time says little.
Scores are by `qw2v.evaluate`: analogies as in the paper, MEN, WordSim353, over the words of our
counts. Without TEXT, one eighth of the shipped counts' text is looked for beside the checkout.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np

import qw2v

ROOT = Path(__file__).resolve().parent.parent
BESIDE = ROOT.parent / "shared" / "corpora" / "enwiki" / "enwiki-0.txt.xz"
V, DIM, WINDOW, WORKERS = 10_000, 200, 16, 2
Lines = Iterator[list[str]]


def lines(path: str) -> Lines:
    """Yield the words of each document."""
    with open(path, encoding="utf-8") as file:
        for line in file:
            yield line.split()


def count(path: str, window: int = WINDOW, weights: str = "linear") -> qw2v.CorpusStatistics:
    """Return our counts of the text."""
    return qw2v.CorpusStatistics.from_files(
        [path], vocab_size=V, window=window, window_weights=weights, progress=False
    )


def closed_form(path: str, recipe: str) -> qw2v.WordVectors:
    """Return ours."""
    os.environ["QW2V_CACHE"] = tempfile.mkdtemp()  # nothing computed before
    stats = count(path, 2 * WINDOW, "harmonic") if recipe == "tuned" else count(path)
    return qw2v.closed_form(stats, dim=DIM, recipe=recipe, progress=False)


def scipy_solver(path: str, solver: str) -> qw2v.WordVectors:
    """Return the paper's closed form with eigenpairs by scipy, in float32."""
    import scipy.linalg
    import scipy.sparse.linalg

    target = qw2v.target(count(path))
    table = target.toarray(np.float32)
    if solver == "eigsh":
        values, modes = scipy.sparse.linalg.eigsh(table, DIM, which="LA")
    else:
        values, modes = scipy.linalg.eigh(table, overwrite_a=True)
    modes, values = modes[:, -DIM:], values[-DIM:]
    return qw2v.WordVectors(target.words, modes * np.sqrt(values))


def word2vec(path: str, sg: int, epochs: int) -> qw2v.WordVectors:
    """Return gensim's skip-gram with negative sampling, or its CBOW."""
    from gensim.models import Word2Vec
    from gensim.models.word2vec import LineSentence

    model = Word2Vec(
        LineSentence(path, max_sentence_length=10**9),
        sg=sg,
        vector_size=DIM,
        window=WINDOW,
        negative=5,
        sample=1e-4,
        min_count=1,
        max_final_vocab=V,
        epochs=epochs,
        workers=WORKERS,
        seed=0,
    )
    return qw2v.WordVectors.from_keyed_vectors(model)


def fasttext(path: str, epochs: int) -> qw2v.WordVectors:
    """Return fastText's skip-gram, words with their n-grams of 3 to 6 letters."""
    import fasttext

    counts: dict[str, int] = {}
    for words in lines(path):
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    least = sorted(counts.values(), reverse=True)[V - 1]
    model = fasttext.train_unsupervised(
        path,
        model="skipgram",
        dim=DIM,
        ws=WINDOW,
        epoch=epochs,
        neg=5,
        t=1e-4,
        minCount=least,
        bucket=200_000,
        thread=WORKERS,
        verbose=0,
    )
    words = [word for word in model.get_words() if word != "</s>"]
    return qw2v.WordVectors(words, np.array([model.get_word_vector(word) for word in words]))


def split(texts: list[str]) -> list[list[str]]:
    """Return the words of texts that are split already."""
    return [text.split() for text in texts]


def hyperhyper(path: str) -> qw2v.WordVectors:
    """Return hyperhyper's PPMI, decomposed by scipy's truncated SVD, with its own settings."""
    import hyperhyper as hy

    corpus = hy.Corpus.from_file(path, preproc_func=split, keep_n=V)
    with tempfile.TemporaryDirectory() as folder:
        bunch = hy.Bunch(Path(folder) / "bunch", corpus)
        found = bunch.svd(dim=DIM, keyed_vectors=True, evaluate=False, pair_args={"window": WINDOW})
        return qw2v.WordVectors.from_keyed_vectors(found)


METHODS: dict[str, tuple[str, str, Callable[[str], qw2v.WordVectors]]] = {
    "tuned": ("closed form, tuned", "qw2v", lambda path: closed_form(path, "tuned")),
    "paper": ("closed form, the paper's", "qw2v", lambda path: closed_form(path, "paper")),
    "eigsh": ("M*, scipy's eigsh", "scipy", lambda path: scipy_solver(path, "eigsh")),
    "eigh": ("M*, scipy's full eigh", "scipy", lambda path: scipy_solver(path, "eigh")),
    "hyperhyper": ("PPMI-SVD, hyperhyper", "hyperhyper", hyperhyper),
    "sgns-1": ("SGNS, gensim, 1 epoch", "gensim", lambda path: word2vec(path, 1, 1)),
    "sgns-3": ("SGNS, gensim, 3 epochs", "gensim", lambda path: word2vec(path, 1, 3)),
    "cbow-3": ("CBOW, gensim, 3 epochs", "gensim", lambda path: word2vec(path, 0, 3)),
    "cbow-10": ("CBOW, gensim, 10 epochs", "gensim", lambda path: word2vec(path, 0, 10)),
    "fasttext-3": ("fastText, 3 epochs", "fasttext-wheel", lambda path: fasttext(path, 3)),
}


def measure(name: str, text: Path, vocabulary: list[str]) -> dict[str, object]:
    """Run one method in a process of its own and return its costs and scores."""
    title, package, _ = METHODS[name]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "vectors.npz"
        start = time.perf_counter()
        command = [sys.executable, __file__, str(text), "--run", name, "-o", str(output)]
        child = subprocess.Popen(command)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        if status:
            raise RuntimeError(f"{name} ended with status {status}")
        vectors = qw2v.WordVectors.load(output)
    words = [word for word in vocabulary if word in vectors]
    rows = np.array([vectors[word] for word in words])
    report = qw2v.evaluate(qw2v.WordVectors(words, rows))
    return {
        "name": name,
        "title": title,
        "version": f"{package} {importlib.metadata.version(package)}",
        "date": date.today().isoformat(),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "wall_seconds": round(wall, 1),
        "peak_mb": round(usage.ru_maxrss / 1024),
        "words": len(words),
        "asked": report.total.asked,
        "analogies": report.accuracy,
        **report.similarity,
    }


def machine() -> str:
    """Return the processor's name and how many cores there are."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        models = [row for row in info.read_text().splitlines() if row.startswith("model name")]
        name = models[0].partition(":")[2].strip() if models else name
    return f"{name}, {os.cpu_count()} cores"


def plain(texts: list[str], folder: str) -> Path:
    """Return one unpacked file of all texts, which every method can read."""
    import lzma

    path = Path(folder) / "text.txt"
    with open(path, "wb") as file:
        for text in texts:
            with (lzma.open if text.endswith(".xz") else open)(text, "rb") as source:
                while block := source.read(1 << 20):
                    file.write(block)
    return path


def main() -> int:
    """Measure the methods and keep what was found; with --run, be the process of one method."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("texts", nargs="*")
    parser.add_argument("--only", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "data" / "quality.json")
    parser.add_argument("--run", choices=list(METHODS), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run:
        METHODS[options.run][2](options.texts[0]).save(options.output)
        return 0
    if not options.texts and not BESIDE.is_file():
        print("quality.py: name a text; none is beside this checkout")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        text = plain(options.texts or [str(BESIDE)], folder)
        stats = count(str(text))
        about = {
            "machine": machine(),
            "text": {"words": stats.n_tokens, "statistics": stats.fingerprint},
            "vocab_size": V,
            "dim": DIM,
            "window": WINDOW,
        }
        kept = json.loads(options.output.read_text()) if options.output.is_file() else {}
        rows = {row["name"]: row for row in kept.get("rows", [])}
        if {key: kept.get(key) for key in about} != about:
            rows = {}  # another machine, or another text
        for name in options.only:
            row = measure(name, text, stats.words)
            print(json.dumps(row), flush=True)
            rows[name] = row
            report = about | {"rows": [rows[name] for name in METHODS if name in rows]}
            options.output.write_text(json.dumps(report, indent=1) + "\n", encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
