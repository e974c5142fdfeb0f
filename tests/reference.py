"""Frozen references, slow and obvious.

The counter: every faster one must equal it bit for bit. The losses of training and their gradients,
pair by pair: to rounding.
"""

import unicodedata
from collections import Counter
from math import lcm

import numpy as np


def words_of(text):
    """Lowercase ASCII letters; every other character separates words."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return "".join(c if c in letters + letters.upper() else " " for c in text).lower().split()


def letters_of(text, digits):
    """Runs of letters, their marks and joiners, lowercased one by one, by unicodedata alone."""
    words, word = [], ""
    for character in unicodedata.normalize("NFC", text) + " ":
        kind = unicodedata.category(character)
        if ord(character) >= 0x32400:  # no letter is there; the marks are emoji's
            kind = "Cn"
        starts = kind[0] == "L" or digits and kind == "Nd"
        if starts or word and (kind[0] == "M" or character in "\u200c\u200d"):
            word += character
            continue
        word = word.rstrip("\u200c\u200d")
        if word:
            lower = unicodedata.normalize("NFC", "".join(x.lower()[0] for x in word))
            words.append(lower[:-1] + "\u03c2" if word[1:].endswith("\u03a3") else lower)
        word = ""
    return words


def weight_of(distance, window, window_weights):
    """Return the weight of a pair of words that far apart."""
    if window_weights == "linear":
        return window + 1 - distance
    if window_weights == "uniform":
        return 1
    unit = lcm(*range(1, min(window, 16) + 1))
    return (2 * unit + distance) // (2 * distance)  # the nearest whole number


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


# --- Training: the losses as the paper writes them, word2vec's tricks written out ----------------


def pair_weights_of(stats, weighting):
    """Return A = Psi+ P_ij and B = Psi- P_i P_j, (V, V), from the definition of each weighting."""
    joint = stats.pair_counts.toarray() / stats.pair_counts.sum()
    unigram = stats.word_counts / stats.word_counts.sum()
    chance = np.outer(unigram, unigram)
    if type(weighting).__name__ == "Word2Vec":
        rarity = weighting.subsample / unigram
        keep = np.minimum(1, np.sqrt(rarity) + rarity)
        noise = stats.word_counts**weighting.power
        noise = noise / noise.sum()
        kept_pairs = (np.outer(keep, keep) * joint).sum(axis=1)  # by their centre
        negative = weighting.negatives * np.outer(kept_pairs, noise)
        return np.outer(keep, keep) * joint, (negative + negative.T) / 2
    if type(weighting).__name__ == "PlainMeans":
        rarity = weighting.subsample / unigram
        keep = np.minimum(1, np.sqrt(rarity) + rarity)
        keep, noise = keep / keep.mean(), unigram ** (weighting.power - 1)
        negative = weighting.negatives * np.outer(keep, noise / noise.mean()) * chance
        return np.outer(keep, keep) * joint, (negative + negative.T) / 2
    if hasattr(weighting, "written_out"):
        return weighting.written_out(joint, chance)
    g = getattr(weighting, "g", np.ones(len(unigram)))
    psi = np.outer(g, g) / (joint + chance)
    return psi * joint, psi * chance


def training_loss(loss, A, B, left, right):
    """Return the loss over all pairs divided by the mean of G, constants and all."""
    x = left @ right.T
    if loss == "sgns":
        pairs = 2 * A * np.log1p(np.exp(-x)) + 2 * B * np.log1p(np.exp(x))
    else:
        pairs = A * (x**2 / 4 - x) + B * (x**2 / 4 + x)
    return pairs.sum() / (A + B).mean()


def training_velocity(loss, A, B, left, right):
    """Return the direction of `left` in gradient flow: minus its gradient over the mean of G."""
    velocity = np.zeros_like(left)
    for i in range(len(left)):
        for j in range(len(right)):
            x = left[i] @ right[j]
            if loss == "sgns":
                slope = -2 * A[i, j] / (1 + np.exp(x)) + 2 * B[i, j] / (1 + np.exp(-x))
            else:
                slope = A[i, j] * (x / 2 - 1) + B[i, j] * (x / 2 + 1)
            velocity[i] -= slope * right[j]
    return velocity / (A + B).mean()
