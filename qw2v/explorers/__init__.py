"""Explorers: widgets that answer in a running notebook, and on a page that has no kernel."""

from qw2v.explorers.analogy import Analogy
from qw2v.explorers.features import Features
from qw2v.explorers.history import History, Modes
from qw2v.explorers.pair import Pairs, Taylor
from qw2v.explorers.spike import Spike
from qw2v.explorers.start import Start
from qw2v.explorers.stepsize import StepSize
from qw2v.explorers.toy import Toy
from qw2v.explorers.trainer import Trainer

__all__ = [
    "Analogy",
    "Features",
    "History",
    "Modes",
    "Pairs",
    "Spike",
    "Start",
    "StepSize",
    "Taylor",
    "Toy",
    "Trainer",
]
