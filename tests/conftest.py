"""What the test files share."""

from hypothesis import settings

# Numba compiles inside the first example, and this is no place for a clock.
settings.register_profile("qw2v", deadline=None)
settings.load_profile("qw2v")
