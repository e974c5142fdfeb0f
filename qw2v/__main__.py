"""The command line: `qw2v count | embed | eval | page | fetch | data`, also as `python -m qw2v`."""

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
            warnings.showwarning = lambda message, *_: _say(command, f"warning: {message}")
            status: int = options.run(options)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever reads the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (OSError, ValueError, KeyError, ImportError, ArithmeticError, MemoryError) as error:
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
    # Here, where an interrupt is one line.
    from qw2v._commands import count, embed, evaluate, fetch, page

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

    rooms = {"count": count, "embed": embed, "eval": evaluate, "page": page, "fetch": fetch}
    for name, room in rooms.items():
        room.describe(command(room.run, name, room.SUMMARY, room.EXAMPLE))

    data = command(_data, "data", "List the data that come with the project.", "--check")
    data.add_argument("--check", action="store_true", help="compare each file with its checksum")
    data.add_argument("--quiet", action="store_true", help="print what is wrong alone")
    return parser


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
        if not options.quiet:
            print(f"{path.stat().st_size:>12,}  {name}{state}")
    if wrong:
        verify(wrong[0])
    return 0


if __name__ == "__main__":
    sys.exit(main())
