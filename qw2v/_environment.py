"""What the package asks of where it runs: a folder for results, and whether to show progress."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


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
