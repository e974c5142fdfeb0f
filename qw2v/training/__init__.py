"""Training by gradient descent, to hold against the closed form: word2vec and its quartic model."""

try:
    import safetensors  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"training needs torch and safetensors ({error}): `pip install torch safetensors`"
    ) from error

from qw2v._checkpoints import CheckpointError, Trace
from qw2v.training.entry import train
from qw2v.training.loop import DivergenceError
from qw2v.training.options import Checkpoints, Record
from qw2v.training.pairs import StatisticsPairs
from qw2v.training.run import Run
from qw2v.training.running import CorpusPairs, word_ids

__all__ = [
    "CheckpointError",
    "Checkpoints",
    "CorpusPairs",
    "DivergenceError",
    "Record",
    "Run",
    "StatisticsPairs",
    "Trace",
    "train",
    "word_ids",
]
