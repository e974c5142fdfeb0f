"""Closed-form training dynamics of word2vec-like models, from counts of words.

>>> texts = ["a cat and a cat", "the dog the dog"]
>>> stats = CorpusStatistics.from_texts(texts, vocab_size=4, window=3)
>>> closed_form(stats, dim=1).most_similar("cat", topn=1)[0][0]
'a'
"""

from importlib import import_module
from typing import Any

from qw2v import dynamics, weighting
from qw2v.datasets import load_statistics
from qw2v.embedding import closed_form
from qw2v.evaluation import evaluate
from qw2v.statistics import CorpusStatistics
from qw2v.targets import target
from qw2v.vectors import WordVectors

__all__ = [
    "CorpusStatistics",
    "WordVectors",
    "closed_form",
    "dynamics",
    "evaluate",
    "load_statistics",
    "target",
    "train",
    "training",
    "weighting",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import what needs torch when it is first asked for: `qw2v.train` and `qw2v.training`."""
    if name not in ("train", "training"):
        raise AttributeError(f"module 'qw2v' has no attribute {name!r}")
    training = import_module("qw2v.training")
    return training.train if name == "train" else training
