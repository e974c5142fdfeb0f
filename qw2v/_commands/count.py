"""`qw2v count`: word and pair counts of text files."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager

SUMMARY = "Count the words and word pairs of text."
EXAMPLE = """articles/ more.txt.bz2 --vocab-size 10000 -o stats.npz
  qw2v count dump.jsonl.zst --field body --tokens letters+digits -o stats.npz
  zcat huge.txt.gz | qw2v count - -o stats.npz"""
# What the arguments of the API are called here, for messages.
_OPTIONS = {
    r"errors='(\w+)'": r"--errors \1",
    r"tokens='([\w+-]+)'": r"--tokens \1",
    r"tokenize=": "from_files(tokenize=) in Python",
    r"field=": "--field",
    r"memory=|\bmemory\b(?= must)": "--memory",
    r"\bvocab_size\b": "--vocab-size",
    r"\bvocabulary\b(?= must)": "--vocabulary",
    r"\bwindow\b(?= must)": "--window",
    r"\bworkers\b(?= must)": "--workers",
}


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "texts",
        nargs="+",
        metavar="text",
        help="files, folders, patterns, or - for standard input. Known by their content: plain "
        "text, JSON lines, Parquet, WikiExtractor's output, a MediaWiki dump; also packed as .gz, "
        ".bz2, .xz, .zst or .zip",
    )
    parser.add_argument("-o", "--output", required=True, help="the statistics to write, .npz")
    parser.add_argument(
        "--vocab-size", type=int, help="how many of the most frequent words to keep (10000)"
    )
    parser.add_argument(
        "--vocabulary", metavar="FILE", help="keep the words in this file instead, one a line"
    )
    parser.add_argument("--window", type=int, default=16, help="words on each side (%(default)s)")
    parser.add_argument(
        "--weights",
        choices=["linear", "uniform", "harmonic"],
        default="linear",
        help="how a pair's weight falls with its distance (%(default)s)",
    )
    parser.add_argument(
        "--document",
        choices=["line", "file", "blank"],
        default="line",
        help="what is one document of plain text: a line, a file, or what stands between blank "
        "lines (%(default)s)",
    )
    parser.add_argument(
        "--tokens",
        choices=["letters", "letters+digits", "a-z"],
        default="letters",
        help="what is a word: letters of any script, lowercased; digits too; or ASCII letters "
        "alone, the paper's rule (%(default)s)",
    )
    parser.add_argument(
        "--field", default="text", help="field or column of records that holds text (%(default)s)"
    )
    parser.add_argument(
        "--mask",
        action="store_true",
        help="let words outside the vocabulary keep their place in the window",
    )
    parser.add_argument(
        "--errors",
        choices=["strict", "replace"],
        default="strict",
        help="refuse bytes that are not UTF-8, or read them as spaces (%(default)s)",
    )
    parser.add_argument("--source", default="", help="where the text is from, kept in the output")
    parser.add_argument("--compact", action="store_true", help="write a smaller file, for sharing")
    parser.add_argument("--workers", type=int, help="threads; by default one a core")
    parser.add_argument("--memory", type=_bytes, help="how much to take, as in 4G; else all free")
    parser.add_argument("--processes", type=int, help="count in this many processes instead")
    parser.add_argument(
        "--cluster", metavar="ADDRESS", help="count on this Dask scheduler's workers"
    )
    parser.add_argument(
        "--scratch", metavar="FOLDER", help="that all workers see, for their counts"
    )
    parser.add_argument("--json", action="store_true", help="print what was written as JSON")
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def run(options: argparse.Namespace) -> int:
    """Count, and write the statistics."""
    from qw2v._files import check_output
    from qw2v.text.corpus import Corpus

    check_output(options.output, [text for text in options.texts if text != "-"])
    if options.vocab_size is not None and options.vocabulary is not None:
        raise ValueError("pass either --vocab-size or --vocabulary, not both")
    with in_options(), _executor(options) as executor:
        vocabulary = None if options.vocabulary is None else _words(options.vocabulary)
        corpus = Corpus.from_files(
            options.texts,
            document=options.document,
            tokens=options.tokens,
            field=options.field,
            errors=options.errors,
            workers=options.workers,
            memory=options.memory,
            executor=executor,
            scratch=options.scratch,
            progress=not options.quiet,
        )
        stats = corpus.count(
            None if vocabulary else options.vocab_size or 10_000,
            options.window,
            vocabulary=vocabulary,
            window_weights=options.weights,
            out_of_vocabulary="mask" if options.mask else "remove",
            source=options.source,
            workers=options.workers,
            memory=options.memory,
            progress=not options.quiet,
        )
    stats.save(options.output, compact=options.compact)
    if options.json:
        kept = ("vocab_size", "n_tokens", "n_documents", "window")
        print(
            json.dumps({"output": options.output, **{name: getattr(stats, name) for name in kept}})
        )
    else:
        where = sys.stdout if os.path.isfile(options.output) else sys.stderr  # not down a pipe
        print(f"{options.output}: {stats!r}", file=where)
    return 0


@contextmanager
def in_options() -> Iterator[None]:
    """Let errors name the options of the command line for the arguments of the API."""
    try:
        yield
    except (ValueError, ArithmeticError, MemoryError) as error:
        message = str(error)
        for pattern, option in _OPTIONS.items():
            message = re.sub(pattern, option, message)
        raise type(error)(message) from error


@contextmanager
def _executor(options: argparse.Namespace) -> Iterator[Executor | Callable[[], Executor] | None]:
    """Yield what counts: this process (None), others here, or those of a cluster."""
    if options.processes is not None and options.cluster is not None:
        raise ValueError("pass either --processes or --cluster, not both")
    if options.processes is not None:
        from concurrent.futures import ProcessPoolExecutor
        from functools import partial

        from qw2v._checks import whole

        yield partial(ProcessPoolExecutor, whole("--processes", options.processes))
    elif options.cluster is not None:
        try:
            from distributed import Client
        except ImportError as error:
            raise ValueError(
                '--cluster needs Dask: pip install "qw2v[cluster]", here and on its workers'
            ) from error
        with Client(options.cluster, timeout="30s") as client:
            yield client.get_executor()
    else:
        yield None


def _words(path: str) -> list[str]:
    with open(path, encoding="utf-8-sig") as file:
        return file.read().split()


def _bytes(text: str) -> int:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)i?B?", text.strip(), re.IGNORECASE)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of memory, such as 500M or 4G")
    return int(float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " "))
