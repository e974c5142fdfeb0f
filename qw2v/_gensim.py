"""Word vectors under gensim's names, and as its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from qw2v import _word2vec


class GensimNames:
    """What gensim calls by another name."""

    words: list[str]
    matrix: NDArray[np.floating[Any]]
    if TYPE_CHECKING:  # what the vectors say of themselves

        def __init__(self, words: list[str], matrix: NDArray[Any]) -> None: ...
        @property
        def index(self) -> dict[str, int]: ...
        @property
        def dim(self) -> int: ...

    @property
    def index_to_key(self) -> list[str]:
        """The words, under gensim's name."""
        return self.words

    @property
    def key_to_index(self) -> dict[str, int]:
        """The row of each word, under gensim's name."""
        return self.index

    @property
    def vectors(self) -> NDArray[np.floating[Any]]:
        """The matrix (V, d), under gensim's name."""
        return self.matrix

    @property
    def vector_size(self) -> int:
        """The dimension d, under gensim's name."""
        return self.dim

    def to_keyed_vectors(self) -> Any:
        """Return the vectors as gensim's KeyedVectors, in single precision; it takes gensim."""
        from gensim.models import KeyedVectors

        # gensim's `similarity` writes over vectors in double precision.
        keyed = KeyedVectors(self.dim, dtype=np.float32)
        keyed.add_vectors(self.words, _word2vec.single(self.words, self.matrix))
        return keyed

    @classmethod
    def from_keyed_vectors(cls, keyed: Any) -> Self:
        """Return the vectors of gensim's KeyedVectors, or of a gensim model that holds some."""
        keyed = getattr(keyed, "wv", keyed)
        return cls(list(keyed.index_to_key), keyed.vectors)
