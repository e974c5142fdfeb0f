"""What the package asks of where it runs: a folder for results, and whether to show progress."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from qw2v import _checks

SMALL = 1 << 20  # bytes of text that plain Python splits before numba would be loaded


def cache_folder() -> Path:
    """Return the folder for what is computed or downloaded: $QW2V_CACHE, or the user's cache."""
    if folder := os.environ.get("QW2V_CACHE"):
        return Path(folder)
    import platformdirs

    return Path(platformdirs.user_cache_dir("qw2v"))


def progress_bar(
    task: str, unit: str, total: int | None = None, *, progress: bool = True, **options: Any
) -> Any:
    """Return a tqdm bar; silent with progress=False, or where TQDM_DISABLE is set (book, tests)."""
    from tqdm.auto import tqdm

    return tqdm(
        total=total,
        desc=task,
        unit=unit,
        delay=2,
        mininterval=0.5,
        disable=not progress or bool(os.environ.get("TQDM_DISABLE")),
        **options,
    )


def available_memory() -> int | None:
    """Return the bytes of memory that this process could still take, None where unknown."""
    amounts = []
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                amounts.append(1024 * int(line.split()[1]))
        group = Path("/sys/fs/cgroup")
        limit = (group / "memory.max").read_text().strip()
        if limit != "max":
            amounts.append(int(limit) - int((group / "memory.current").read_text()))
    except (OSError, ValueError):
        pass
    if not amounts and "SC_AVPHYS_PAGES" in getattr(os, "sysconf_names", ()):
        amounts.append(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min(amounts, default=None)


def worker_count(workers: int | None) -> int:
    """Return the number of threads: as given, or as many as this process has cores."""
    if workers is not None:
        return _checks.whole("workers", workers)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def is_small(cost: float) -> bool:
    """Return whether plain Python is done before compiled loops are loaded, or there are none.

    `cost` is in bytes of text split into words. numba takes a second to load, five the first time;
    a browser's Python has none.
    """
    return cost <= SMALL or importlib.util.find_spec("numba") is None
