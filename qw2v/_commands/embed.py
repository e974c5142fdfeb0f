"""`qw2v embed`: word vectors from statistics, in closed form."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

SUMMARY = "Compute word vectors from statistics, in closed form."
EXAMPLE = "stats.npz --dim 200 -o vectors.txt"
KINDS = ("mstar", "ppmi", "pmi")
_PACKED_OTHERWISE = (".bz2", ".xz", ".zst", ".zip", ".7z")


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("statistics", help="a file written by count")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        help=".npz (full precision), .bin (word2vec's binary format), else word2vec's text format; "
        "one more .gz packs the last two",
    )
    add_model(parser)
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.add_argument("--quiet", action="store_true", help="show no progress, print nothing")


def add_model(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    """Add the arguments of the closed form."""
    parser.add_argument(
        "--dim", type=int, default=200, help=prefix + "dimension of the vectors (%(default)s)"
    )
    parser.add_argument(
        "--kind",
        choices=KINDS,
        help=prefix + "which target is factorised; by default that of the recipe, mstar or pmi",
    )
    parser.add_argument(
        "--recipe",
        choices=["paper", "tuned"],
        default="paper",
        help=prefix + "Theorem 1 as it stands, or the matrix, weighting and eigenvalue exponent "
        "that answer most analogies, best on counts with --window 32 --weights harmonic "
        "(%(default)s)",
    )
    parser.add_argument(
        "--power",
        type=float,
        help=prefix + "exponent of the eigenvalues; by default that of the recipe, 0.5 or 0.375",
    )


def run(options: argparse.Namespace) -> int:
    """Compute the vectors and write them."""
    from qw2v._files import check_output
    from qw2v.embedding import closed_form
    from qw2v.statistics import CorpusStatistics

    check_output(options.output, inputs=[options.statistics])
    path = Path(options.output)
    if path.suffix.lower() in _PACKED_OTHERWISE:
        raise ValueError(
            f"-o {options.output}: {path.suffix} is not written; end the name in .npz, .bin or "
            ".txt, the last two with one more .gz if you like"
        )
    vectors = closed_form(
        CorpusStatistics.load(options.statistics),
        dim=options.dim,
        kind=options.kind,
        power=options.power,
        recipe=options.recipe,
        progress=not options.quiet,
    )
    endings = [ending.lower() for ending in path.suffixes]
    if endings[-1:] == [".npz"]:
        vectors.save(path)
    else:
        unpacked = endings[:-1] if endings[-1:] == [".gz"] else endings
        vectors.save_word2vec_format(path, binary=unpacked[-1:] == [".bin"])
    if options.json:
        written = {"output": options.output, "vocab_size": len(vectors), "dim": vectors.dim}
        print(json.dumps(written))
    elif not options.quiet:
        where = sys.stdout if path.is_file() else sys.stderr  # not down a pipe
        print(f"{options.output}: {vectors!r}", file=where)
    return 0
