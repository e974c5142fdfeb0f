"""Figures of the chapter on other weights: rank-one G, untied embeddings."""

__all__: list[str] = []
