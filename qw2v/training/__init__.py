"""Training by gradient descent, to hold against the closed form: word2vec and its quartic model."""

from qw2v._checkpoints import CheckpointError, Trace
from qw2v.training.loop import DivergenceError, Run, train

__all__ = ["CheckpointError", "DivergenceError", "Run", "Trace", "train"]
