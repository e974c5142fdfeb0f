"""Figures of the chapter on relatives: SimCLR, kernels, next-token prediction."""

__all__: list[str] = []
