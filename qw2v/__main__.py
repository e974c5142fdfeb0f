"""The command line: `qw2v count | embed | eval | fetch | data`, also as `python -m qw2v`."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Callable


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, or 2 where the input is at fault."""
    for stream in (sys.stdout, sys.stderr):  # a console may lack letters that a corpus has
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    command = ""
    try:
        options = _parser().parse_args(argv)
        command = options.command
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = lambda message, *_: _say(command, f"warning: {message}")  # type: ignore[assignment, misc]
            status: int = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ValueError, KeyError, ArithmeticError, MemoryError) as error:
        _say(command, _message(error))
        return 2
    except KeyboardInterrupt:
        _say(command, "interrupted")
        return 130


def _say(command: str, message: str) -> None:
    """Print one line to standard error."""
    print(f"{f'qw2v {command}'.strip()}: {' '.join(message.split())}", file=sys.stderr)


def _message(error: Exception) -> str:
    """Return what an error says, without the number that a system gives it."""
    message = str(error) or type(error).__name__
    if isinstance(error, OSError) and error.strerror and error.filename is not None:
        message = f"{error.strerror}: {error.filename}"
    return " ".join([message, *getattr(error, "__notes__", [])])


def _parser() -> argparse.ArgumentParser:
    from qw2v._commands import embed, evaluate  # here, where an interrupt is one line
    from qw2v.datasets import CORPORA

    parser = argparse.ArgumentParser(
        prog="qw2v",
        description="From text to word vectors in closed form. Each command has its own --help.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    def command(
        run: Callable[[argparse.Namespace], int], name: str, summary: str, example: str
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example:\n  qw2v {name} {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(run=run)
        return added

    count = command(
        _count,
        "count",
        "Count the word pairs of text files.",
        "part1.txt part2.txt.xz --vocab-size 10000 -o stats.npz",
    )
    count.add_argument("texts", nargs="+", help="UTF-8 text: plain, .gz, .xz or .zst")
    count.add_argument("-o", "--output", required=True, help="the statistics to write, .npz")
    count.add_argument(
        "--vocab-size", type=int, default=10_000, help="most frequent words kept (%(default)s)"
    )
    count.add_argument("--window", type=int, default=16, help="words on each side (%(default)s)")
    count.add_argument(
        "--weights",
        choices=["linear", "uniform", "harmonic"],
        default="linear",
        help="how a pair's weight falls with its distance (%(default)s)",
    )
    count.add_argument(
        "--document",
        choices=["line", "file"],
        default="line",
        help="what is one document (%(default)s)",
    )
    count.add_argument(
        "--mask",
        action="store_true",
        help="let words outside the vocabulary keep their place in the window",
    )
    count.add_argument(
        "--errors",
        choices=["strict", "replace"],
        default="strict",
        help="what to do with bytes that are not UTF-8 (%(default)s)",
    )
    count.add_argument("--source", default="", help="where the text comes from, kept in the output")
    count.add_argument("--workers", type=int, help="threads; by default one a core")
    _quiet(count)

    for name, room in (("embed", embed), ("eval", evaluate)):
        room.describe(command(room.run, name, room.SUMMARY, room.EXAMPLE))

    fetch = command(
        _fetch, "fetch", "Download a public corpus and print the path of its text.", "text8"
    )
    corpora = (f"{name}: {corpus.description}" for name, corpus in CORPORA.items())
    fetch.add_argument("name", help="; ".join(corpora))
    fetch.add_argument("--directory", help="where to keep it; the user's cache by default")
    _quiet(fetch)

    data = command(_data, "data", "List the data that come with the project.", "--check")
    data.add_argument("--check", action="store_true", help="compare each file with its checksum")
    return parser


def _quiet(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quiet", action="store_true", help="show no progress")


def _count(options: argparse.Namespace) -> int:
    from qw2v._files import check_output
    from qw2v.statistics import CorpusStatistics

    check_output(options.output, options.texts)
    stats = CorpusStatistics.from_files(
        options.texts,
        vocab_size=options.vocab_size,
        window=options.window,
        window_weights=options.weights,
        out_of_vocabulary="mask" if options.mask else "remove",
        document=options.document,
        errors=options.errors,
        source=options.source,
        workers=options.workers,
        progress=not options.quiet,
    )
    stats.save(options.output)
    where = sys.stdout if os.path.isfile(options.output) else sys.stderr  # not down a pipe
    print(f"{options.output}: {stats!r}", file=where)
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from qw2v.datasets import fetch

    print(fetch(options.name, options.directory, progress=not options.quiet))
    return 0


def _data(options: argparse.Namespace) -> int:
    from qw2v.datasets import ChecksumError, checksums, data_path, verify

    wrong = []
    for name in sorted(checksums()):
        path = data_path(name)
        state = ""
        if options.check:
            try:
                verify(name)
                state = "  ok"
            except ChecksumError:
                wrong.append(name)
                state = "  WRONG"
        print(f"{path.stat().st_size:>12,}  {name}{state}")
    if wrong:
        verify(wrong[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
