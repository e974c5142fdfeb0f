"""`qw2v fetch`: a public corpus, downloaded and checked."""

from __future__ import annotations

import argparse

SUMMARY = "Download a public corpus and print the path of its text."
EXAMPLE = "text8"


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    from qw2v.datasets import CORPORA

    corpora = (f"{name}: {corpus.description}" for name, corpus in CORPORA.items())
    parser.add_argument("name", help="; ".join(corpora))
    parser.add_argument("--directory", help="where to keep it; the user's cache by default")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(options: argparse.Namespace) -> int:
    """Fetch the corpus."""
    from qw2v.datasets import fetch

    print(fetch(options.name, options.directory, progress=not options.quiet))
    return 0
