"""The machine that a run is on: whether there is room, and what a record says of it."""

from __future__ import annotations

import platform
import re
from pathlib import Path

import torch

from qw2v._environment import available_memory
from qw2v.statistics import CorpusStatistics
from qw2v.training import losses
from qw2v.training.options import Options


def check_memory(
    options: Options, stats: CorpusStatistics, dtype: torch.dtype, device: torch.device
) -> None:
    """MemoryError before tables would be made for which there is no room."""
    size, width = stats.vocab_size, torch.finfo(dtype).bits // 8
    tables = 1 if losses.factorises(options.loss, stats, options.weighting) else 2
    copies = 8 + len(options.snapshots)
    needed = tables * width * size**2 + copies * width * size * options.dim
    if options.pairs is not None:
        batch = options.pairs.settings()["batch"]
        needed += 28 * stats.pair_counts.nnz + 4 * width * batch * options.dim
        if device.type != "cpu":  # a key of each cell, rows of the pairs, sums in strands
            needed += 8 * (stats.pair_counts.nnz + width * (batch + size) * options.dim)
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
    else:
        free = available_memory()
    if free is not None and needed > free:
        raise MemoryError(
            f"{tables} V x V tables at V = {size:,} in {dtype} and {copies} copies of W need "
            f"{needed / 2**30:.3g} GiB, and {free / 2**30:.3g} GiB are free: train on fewer words, "
            "stats.restrict(...)" + (", or in float32" if width == 8 else "")
        )


def machine_name(device: torch.device) -> str:
    """Return what a record says of the machine."""
    if device.type == "cuda":
        work = torch.cuda.get_device_name(device)
    else:
        work = f"{torch.get_num_threads()} threads" if device.type == "cpu" else device.type
    return f"{platform.machine()} {platform.system()}, {processor()}, {work}"


def processor() -> str:
    """Return the processor's name as the system gives it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"model name\s*:\s*(.+)", text)
    return found[1] if found else platform.processor() or "unknown processor"
