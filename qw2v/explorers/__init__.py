"""Explorers: widgets that answer in a running notebook, and on a page that has no kernel."""

from qw2v.explorers.history import History, Modes
from qw2v.explorers.pair import Pairs, Taylor

__all__ = ["History", "Modes", "Pairs", "Taylor"]
