"""`qw2v page`: word vectors as one static page to explore."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SUMMARY = "Write one static page to explore word vectors: neighbours, analogies, features."
EXAMPLE = "vectors.npz -o mine.html"


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "vectors", help="a file in word2vec's format, text or binary, in GloVe's, or .npz"
    )
    parser.add_argument("-o", "--output", required=True, help="the page to write, .html")
    parser.add_argument("--title", help="the heading (the name of the file)")
    parser.add_argument(
        "--limit",
        type=int,
        default=10_000,
        metavar="N",
        help="how many words to take, the first ones (%(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="print nothing")


def run(options: argparse.Namespace) -> int:
    """Read the vectors and write the page."""
    from qw2v._files import check_output
    from qw2v.page import write_page
    from qw2v.vectors import WordVectors

    if options.limit < 1:
        raise ValueError(f"--limit is {options.limit}; take one word or more")
    output = check_output(options.output, inputs=[options.vectors])
    with open(options.vectors, "rb") as file:
        archive = file.seekable() and file.read(2) == b"PK"
    if archive:
        vectors = WordVectors.load(options.vectors)
    else:
        vectors = WordVectors.load_word2vec_format(options.vectors, limit=options.limit)
    title = Path(options.vectors).name if options.title is None else options.title
    write_page(vectors, output, title=title, limit=options.limit)
    if not options.quiet:
        taken = min(options.limit, len(vectors))
        where = sys.stdout if output.is_file() else sys.stderr  # not down a pipe
        size = f", {output.stat().st_size / 1e6:.1f} MB" if output.is_file() else ""
        print(f"{options.output}: {taken:,} words{size}", file=where)
    return 0
