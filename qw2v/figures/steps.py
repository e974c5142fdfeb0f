"""Figures of the chapter on finite steps and noise."""

__all__: list[str] = []
