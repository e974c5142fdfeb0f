"""Figures of the chapter on what is learned: features and spectra."""

__all__: list[str] = []
