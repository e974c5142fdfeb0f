"""Figures of the chapter on training: trained runs beside the theory."""

__all__: list[str] = []
