"""What the test files share."""

from pathlib import Path

import pytest
from hypothesis import settings

# Numba compiles inside the first example, and this is no place for a clock.
settings.register_profile("qw2v", deadline=None)
settings.load_profile("qw2v")


@pytest.fixture(scope="session")
def corpora_dir() -> Path:
    """The folder of real text beside the checkout, which only developers have."""
    folder = Path(__file__).parents[2] / "shared" / "corpora"
    if not folder.is_dir():
        pytest.skip("no real text here: ../shared/corpora is absent")
    return folder
