"""Figures of the chapter on exact dynamics from any start."""

__all__: list[str] = []
