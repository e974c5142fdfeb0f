"""The frozen reference counter: slow and obvious. Every faster one must equal it bit for bit."""

from collections import Counter
from math import lcm


def words_of(text):
    """Lowercase ASCII letters; every other character separates words."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return "".join(c if c in letters + letters.upper() else " " for c in text).lower().split()


def weight_of(distance, window, window_weights):
    """Return the weight of a pair of words that far apart."""
    if window_weights == "linear":
        return window + 1 - distance
    if window_weights == "uniform":
        return 1
    return lcm(*range(1, window + 1)) // distance


def vocabulary_of(documents, vocab_size):
    """Return the most frequent words with their counts; ties in alphabetical order."""
    counts = Counter(word for document in documents for word in document)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:vocab_size]


def pair_counts_of(documents, words, window, window_weights, out_of_vocabulary):
    """Return the V x V table as lists of Python integers, which cannot overflow."""
    index = {word: i for i, word in enumerate(words)}
    table = [[0] * len(words) for _ in words]
    for document in documents:
        if out_of_vocabulary == "remove":
            document = [word for word in document if word in index]
        for i, centre in enumerate(document):
            for j, context in enumerate(document):
                distance = abs(i - j)
                if 1 <= distance <= window and centre in index and context in index:
                    weight = weight_of(distance, window, window_weights)
                    table[index[centre]][index[context]] += weight
    return table
