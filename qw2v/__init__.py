"""Closed-form training dynamics of word2vec-like models, from counts of words.

>>> texts = ["a cat and a cat", "the dog the dog"]
>>> stats = CorpusStatistics.from_texts(texts, vocab_size=4, window=3)
>>> closed_form(stats, dim=1).most_similar("cat", topn=1)[0][0]
'a'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qw2v import dynamics as dynamics
    from qw2v import training as training
    from qw2v import weighting as weighting
    from qw2v.datasets import load_statistics as load_statistics
    from qw2v.embedding import closed_form as closed_form
    from qw2v.evaluation import evaluate as evaluate
    from qw2v.statistics import CorpusStatistics as CorpusStatistics
    from qw2v.targets import target as target
    from qw2v.text.corpus import Corpus as Corpus
    from qw2v.training import train as train
    from qw2v.vectors import WordVectors as WordVectors

# Where each name lives; a room is loaded when it is first asked for, torch only for training.
_ROOMS = {
    "Corpus": "text.corpus",
    "CorpusStatistics": "statistics",
    "WordVectors": "vectors",
    "closed_form": "embedding",
    "dynamics": "",
    "evaluate": "evaluation",
    "load_statistics": "datasets",
    "target": "targets",
    "train": "training",
    "training": "",
    "weighting": "",
}
__all__ = list(_ROOMS)
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Load a room when it, or a name that lives in it, is first asked for."""
    if name not in _ROOMS:
        raise AttributeError(f"module 'qw2v' has no attribute {name!r}")
    room = _ROOMS[name]
    value = getattr(import_module(f"qw2v.{room}"), name) if room else import_module(f"qw2v.{name}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_ROOMS})
