"""The command line: `python -m qw2v count | embed | eval | fetch | data`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from qw2v.datasets import CORPORA

# The paper's table: Google analogies (its all-pairs protocol), MEN, WordSim353.
_PAPER = {
    "mstar": (0.663, 0.755, 0.683),
    "ppmi": (0.506, 0.740, 0.690),
    "pmi": (0.084, 0.448, 0.221),
}


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, or 2 where the input is at fault."""
    options = _parser().parse_args(argv)
    try:
        return options.run(options)
    except (OSError, ValueError, KeyError, MemoryError) as error:
        message = str(error) or type(error).__name__
        print(f"qw2v {options.command}: {' '.join(message.split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"qw2v {options.command}: interrupted", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m qw2v",
        description="From text to word vectors in closed form. Each command has its own --help.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")

    def command(run, name: str, summary: str, example: str) -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=summary,
            description=summary,
            epilog=f"example:\n  python -m qw2v {name} {example}",
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

    embed = command(
        _embed,
        "embed",
        "Compute word vectors from statistics, in closed form.",
        "stats.npz --dim 200 -o vectors.txt",
    )
    embed.add_argument("statistics", help="a file written by count")
    embed.add_argument(
        "-o",
        "--output",
        required=True,
        help=".npz (full precision), .bin (word2vec's binary format), else word2vec's text format",
    )
    _model(embed)

    evaluate = command(
        _evaluate,
        "eval",
        "Score word vectors on analogies and similarity ratings.",
        "vectors.txt --protocol google",
    )
    evaluate.add_argument(
        "vectors",
        nargs="?",
        help="a file in word2vec's format or .npz; without it, the closed form of the shipped "
        "Wikipedia statistics",
    )
    evaluate.add_argument(
        "--protocol",
        choices=["pairs", "google"],
        default="pairs",
        help="every pair with every other, as in the paper, or Google's list (%(default)s)",
    )
    evaluate.add_argument("--json", action="store_true", help="print JSON")
    _model(evaluate, "of the closed form: ")

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


def _model(parser: argparse.ArgumentParser, prefix: str = "") -> None:
    parser.add_argument(
        "--dim", type=int, default=200, help=prefix + "dimension of the vectors (%(default)s)"
    )
    parser.add_argument(
        "--kind",
        choices=list(_PAPER),
        default="mstar",
        help=prefix + "which target is factorised (%(default)s)",
    )


def _count(options: argparse.Namespace) -> int:
    from qw2v.statistics import CorpusStatistics

    _check_directory(options.output)
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
    print(f"{options.output}: {stats!r}")
    return 0


def _embed(options: argparse.Namespace) -> int:
    from qw2v.embedding import closed_form
    from qw2v.statistics import CorpusStatistics

    _check_directory(options.output)
    stats = CorpusStatistics.load(options.statistics)
    vectors = closed_form(stats, dim=options.dim, kind=options.kind)
    suffix = Path(options.output).suffix.lower()
    if suffix == ".npz":
        vectors.save(options.output)
    else:
        vectors.save_word2vec_format(options.output, binary=suffix == ".bin")
    print(f"{options.output}: {vectors!r}")
    return 0


def _evaluate(options: argparse.Namespace) -> int:
    from qw2v.evaluation import evaluate
    from qw2v.vectors import WordVectors

    if options.vectors is None:
        from qw2v.datasets import load_statistics
        from qw2v.embedding import closed_form

        vectors = closed_form(load_statistics(), dim=options.dim, kind=options.kind)
    elif Path(options.vectors).suffix.lower() == ".npz":
        vectors = WordVectors.load(options.vectors)
    else:
        vectors = WordVectors.load_word2vec_format(options.vectors)
    report = evaluate(vectors, protocol=options.protocol)
    if options.json:
        print(json.dumps(report.to_dict(), indent=2))
        return 0
    print(report)
    if options.vectors is None and options.protocol == "pairs":
        analogies, men, wordsim = _PAPER[options.kind]
        print(
            f"\nThe paper, {options.kind} at d = 200 on 34 times more text: analogies "
            f"{analogies:.1%}, MEN {men:.3f},\nWordSim353 {wordsim:.3f}."
        )
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


def _check_directory(path: str) -> None:
    """Fail before the work, not after it."""
    folder = Path(path).resolve().parent
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder} to write {path!r} in; make it first.")


if __name__ == "__main__":
    sys.exit(main())
