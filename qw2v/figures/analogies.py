"""Figures of the chapter on analogies: task vectors, their bulk and their spike."""

__all__: list[str] = []
