"""How good "drop pairs" is for word2vec's "drop words before windows are laid".

    python experiments/dropped_words.py enwiki-0.txt.xz

word2vec drops words of the text first; what is left closes ranks, and windows reach further. The
book's Psi+ = p_i p_j drops pairs of windows that stay. Both are done here to one file of the text,
t = 1e-4, over its 2,000 most frequent words: the words are dropped with the random numbers of three
seeds and the text is counted anew; the pairs are weighted by formula. Written to
data/dropped-words.json: how many pairs are left, how much of them lies elsewhere (half the sum of
the differences), beside what two seeds differ by, and how well the first modes of M* agree.
"""

from __future__ import annotations

import argparse
import lzma

import numpy as np
from common import made_by, write_json

import qw2v
from qw2v.statistics import CorpusStatistics
from qw2v.weighting import Word2Vec

WORDS, WINDOW, SEEDS, MODES, SUBSAMPLE = 2_000, 16, (0, 1, 2), (10, 50), 1e-4


def dropped(texts: list[list[str]], accept: dict[str, float], seed: int) -> list[str]:
    """Return the texts with each word of the vocabulary kept with its probability."""
    rng = np.random.default_rng(seed)
    left = []
    for words in texts:
        coins = rng.random(len(words))
        left.append(
            " ".join(w for w, coin in zip(words, coins, strict=True) if coin < accept.get(w, 0))
        )
    return left


def moved(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of the pairs that lies elsewhere."""
    return float(np.abs(first / first.sum() - second / second.sum()).sum() / 2)


def span(first: np.ndarray, second: np.ndarray, k: int) -> float:
    """Return the share of the first k modes of one that lies in the first k of the other."""
    return float(np.sum((first[:, :k].T @ second[:, :k]) ** 2) / k)


def record(
    lines: list[str], words: int = WORDS, seeds=SEEDS, modes=MODES, subsample: float = SUBSAMPLE
) -> dict:
    """Return the content of the file."""
    stats = CorpusStatistics.from_texts(lines, vocab_size=words, window=WINDOW, progress=False)
    accept = Word2Vec(subsample).acceptance(stats)
    keep = dict(zip(stats.words, accept.tolist(), strict=True))
    by_pair = stats.pair_counts.toarray() * np.outer(accept, accept)
    texts = [[word for word in line.split() if word in keep] for line in lines]
    by_word, tables = [], []
    for seed in seeds:
        found = CorpusStatistics.from_texts(
            dropped(texts, keep, seed), vocabulary=stats.words, window=WINDOW, progress=False
        )
        by_word.append(found.pair_counts.toarray().astype(float))
        tables.append(qw2v.target(found).eigenpairs(modes[-1], cache=False, progress=False)[1])
    pairs_left = by_pair / by_pair.sum()
    unigram = pairs_left.sum(axis=1)
    chance = np.outer(unigram, unigram)
    matrix = 2 * (pairs_left - chance) / (pairs_left + chance)
    values, vectors = np.linalg.eigh(matrix)
    vectors = vectors[:, np.argsort(-values)[: modes[-1]]]
    return {
        "words": words, "subsample": subsample, "seeds": list(seeds), "tokens": stats.n_tokens,
        "kept_tokens": float(accept @ stats.unigram),
        "pairs": {
            "before": float(stats.pair_counts.sum()),
            "by_pair": float(by_pair.sum()),
            "by_word": float(np.mean([table.sum() for table in by_word])),
        },
        "moved": {
            "by_pair_or_word": float(np.mean([moved(by_pair, table) for table in by_word])),
            "two_seeds": moved(by_word[0], by_word[1]),
        },
        "shared_modes": {
            str(k): {
                "by_pair_or_word": float(np.mean([span(vectors, V, k) for V in tables])),
                "two_seeds": span(tables[0], tables[1], k),
            }
            for k in modes
        },
    }  # fmt: skip


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", metavar="FILE", help="articles, one a line, .xz")
    with lzma.open(parser.parse_args().file, "rt", encoding="utf-8") as articles:
        content = record(articles.readlines())
    write_json("dropped-words.json", {**made_by("dropped_words.py enwiki-0.txt.xz"), **content})


if __name__ == "__main__":
    main()
