"""Train gensim's word2vec on the text of enwiki.npz and score it: data/gensim.json.

    python experiments/gensim_sgns.py --negatives 1 5 -- enwiki-*.txt.xz

The baseline that people know: skip-gram with negative sampling, untied, with its own learning rate
from 0.025 down, a window of 16, d = 200, three epochs, on the shipped 10,000 words. Subsampling
is t = 1e-4, as wherever the book has word2vec's own weights. Scores as in the paper: every pair
with every other, question words left out, on the input vectors. The time is that of training alone,
on one thread; a run that is there is kept, and those that are asked for are written one by one.
"""

from __future__ import annotations

import argparse
import json
import lzma
import time
from collections.abc import Iterator

import gensim
import numpy as np
from common import DATA, made_by, write_json
from gensim.models import Word2Vec

import qw2v

FILE = "gensim.json"
OPTIONS = dict(
    vector_size=200, window=16, sg=1, hs=0, sample=1e-4, ns_exponent=0.75, epochs=3, seed=0,
    workers=1, min_count=1,
)  # fmt: skip
LONGEST = 10_000  # words in a piece that gensim takes at once


class Articles:
    """The articles of the files, one after another, as lists of words of the vocabulary."""

    def __init__(self, paths: list[str], words: list[str]) -> None:
        self.paths, self.words = paths, frozenset(words)

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the words of one article after another, in pieces that gensim does not cut."""
        for path in self.paths:
            with lzma.open(path, "rt", encoding="utf-8") as file:
                for line in file:
                    known = [word for word in line.split() if word in self.words]
                    yield from (known[k : k + LONGEST] for k in range(0, len(known), LONGEST))


def record(paths: list[str], negatives: int) -> dict:
    """Train and return settings, seconds and scores."""
    stats = qw2v.load_statistics()
    model = Word2Vec(negative=negatives, **OPTIONS)
    counts = dict(zip(stats.words, stats.word_counts.tolist(), strict=True))
    model.build_vocab_from_freq(counts, corpus_count=stats.n_documents)
    began, spent = time.perf_counter(), time.process_time()
    model.train(
        Articles(paths, stats.words),
        total_words=int(stats.word_counts.sum()),
        epochs=OPTIONS["epochs"],
    )
    wall, spent = time.perf_counter() - began, time.process_time() - spent
    order = [model.wv.key_to_index[word] for word in stats.words]
    report = qw2v.evaluate(qw2v.WordVectors(stats.words, model.wv.vectors[order]))
    kept = qw2v.evaluate(
        qw2v.WordVectors(stats.words, model.wv.vectors[order]),
        similarities={},
        exclude_question_words=False,
    )
    return {
        "negatives": negatives,
        "seconds": spent,
        "wall_seconds": wall,
        "accuracy": report.accuracy,
        "accuracy_question_words_kept": kept.accuracy,
        **report.similarity,
        "length": float(np.linalg.norm(model.wv.vectors, axis=1).mean()),
    }


def main() -> None:
    """Write the file, one number of negatives after another."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="+", metavar="FILE", help="articles, one a line, .xz")
    parser.add_argument("--negatives", nargs="+", type=int, default=[1, 5])
    given = parser.parse_args()
    file = DATA / FILE
    for negatives in given.negatives:
        made = {**made_by(f"gensim_sgns.py --negatives {negatives}"), "workers": OPTIONS["workers"]}
        run = record(given.files, negatives)
        runs = json.loads(file.read_text())["runs"] if file.exists() else {}
        runs[f"k={negatives}"] = {**made, **run}
        about = {"gensim": gensim.__version__, **{k: OPTIONS[k] for k in OPTIONS if k != "workers"}}
        write_json(FILE, {**about, "runs": runs}, ('"runs"', '"k='))


if __name__ == "__main__":
    main()
