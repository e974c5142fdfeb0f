"""What the scripts of this folder have in common: where results go, and how they are written."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
SETTINGS = Path(__file__).resolve().parent / "runs"


def made_by(script: str) -> dict[str, str]:
    """Return what a file of results says of its origin."""
    return {
        "command": f"python experiments/{script}",
        "recorded": f"{date.today()}, {platform.machine()} CPU, numpy {np.__version__}",
    }


def rounded(value: Any, digits: int = 4) -> Any:
    """Return the numbers inside with so many significant digits, as they are written.

    >>> rounded({"a": [1.23456, 7]})
    {'a': [1.235, 7]}
    """
    if isinstance(value, dict):
        return {key: rounded(inner, digits) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner, digits) for inner in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def write_json(
    name: str, content: dict[str, Any], lines: Iterable[str] = (), digits: int = 4
) -> None:
    """Write data/NAME compactly, a new line before each of these keys."""
    text = json.dumps(rounded(content, digits), separators=(",", ":"))
    for start in lines:
        text = text.replace(start, "\n" + start)
    (DATA / name).write_text(text + "\n", encoding="ascii")
