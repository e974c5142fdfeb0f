"""Explorers: widgets that answer in a running notebook, and on a page that has no kernel."""

from qw2v.explorers.history import History

__all__ = ["History"]
