"""How many threads a processor gives to training: one where the others would mostly wait.

torch's threads meet after every operation, and spin until the last has come. Where other programs
keep the cores busy the last may not even be running: a step of 2 ms on one thread then takes 100 ms
on two (measured at V = 80 to 500 on two cores with fifteen programs). So operations that are short
on one thread stay on one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

WORTH_SHARING = 1e10  # multiplications and additions of a gradient: a tenth of a second


@contextmanager
def for_work(operations: float, device: torch.device) -> Iterator[None]:
    """Use one thread inside unless each round has work enough; on a GPU nothing changes.

    More than torch.set_num_threads allows are never used.
    """
    threads = torch.get_num_threads()
    try:
        if device.type == "cpu" and operations < WORTH_SHARING:
            torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)
