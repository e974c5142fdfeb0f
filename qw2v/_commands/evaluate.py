"""`qw2v eval`: scores of word vectors on analogies and similarity ratings."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from qw2v._commands.embed import add_model

if TYPE_CHECKING:
    from qw2v.vectors import WordVectors

SUMMARY = "Score word vectors on analogies and similarity ratings."
EXAMPLE = "vectors.txt --protocol google"

# The paper's table: Google analogies (its all-pairs protocol), MEN, WordSim353.
_PAPER = {
    "mstar": (0.663, 0.755, 0.683),
    "ppmi": (0.506, 0.740, 0.690),
    "pmi": (0.084, 0.448, 0.221),
}


def describe(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "vectors",
        nargs="?",
        help="a file in word2vec's format, text or binary, in GloVe's, or .npz, packed or not; "
        "without it, the closed form of the shipped Wikipedia statistics",
    )
    lists = parser.add_argument_group(
        "lists",
        "Without these options, Google's analogies, MEN and WordSim353; with them, no other.",
    )
    lists.add_argument(
        "--analogies",
        metavar="FILE",
        action="append",
        help="word pairs or whole questions, in the layout of Google's list or a table (.csv, "
        ".tsv); or the word google; may be given again",
    )
    lists.add_argument(
        "--ratings",
        metavar="FILE",
        action="append",
        help="a table of two words and a rating a line; or the word men or wordsim353; may be "
        "given again",
    )
    lists.add_argument(
        "--protocol",
        choices=["pairs", "google"],
        default="pairs",
        help="every pair with every other, as in the paper, or as in Google's list (%(default)s)",
    )
    lists.add_argument(
        "--keep-question-words",
        action="store_true",
        help="let a, b and c be answers to a : b :: c : ?, which most often they then are",
    )
    reading = parser.add_argument_group("reading the vectors")
    reading.add_argument("--limit", type=int, metavar="N", help="read the first N words alone")
    reading.add_argument(
        "--malformed",
        choices=["raise", "skip"],
        default="raise",
        help="what to do with rows that are not a word and its numbers (%(default)s)",
    )
    reading.add_argument(
        "--duplicates",
        choices=["raise", "first"],
        default="raise",
        help="what to do with words that stand twice (%(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    add_model(parser, "of the closed form: ")


def run(options: argparse.Namespace) -> int:
    """Score the vectors and print the report."""
    from qw2v.evaluation import evaluate

    analogies, ratings = _lists(options)
    report = evaluate(
        _vectors(options),
        protocol=options.protocol,
        analogies=analogies,
        similarities=ratings,
        exclude_question_words=not options.keep_question_words,
    )
    if options.json:
        print(json.dumps(report.to_dict(), indent=2))
        return 0
    print(report)
    shipped = options.vectors is None and analogies is None and ratings is None
    theirs = options.recipe == "paper" and options.protocol == "pairs"
    if shipped and theirs and not options.keep_question_words:
        kind = options.kind or "mstar"
        accuracy, men, wordsim = _PAPER[kind]
        print(
            f"\nThe paper, {kind} at d = 200 on 34 times more text: analogies "
            f"{accuracy:.1%}, MEN {men:.3f},\nWordSim353 {wordsim:.3f}."
        )
    return 0


def _lists(options: argparse.Namespace) -> tuple[Any, Any]:
    """Return the analogies and the ratings to score, None where all shipped ones are."""
    from qw2v import datasets, lists

    if options.analogies is None and options.ratings is None:
        return None, None
    analogies: dict[str, Any] = {}
    for source in options.analogies or ():
        google = source == "google"
        found = datasets.load_google_analogies() if google else lists.analogies(source)
        for category, rows in found.items():
            name = category if category not in analogies else f"{source}: {category}"
            analogies[name] = rows
    shipped = {"men": datasets.load_men, "wordsim353": datasets.load_wordsim353}
    ratings: dict[str, Any] = {}
    for source in options.ratings or ():
        load = shipped.get(source)
        rated = lists.named_ratings(source) if load is None else {source: load()}
        for name, pairs in rated.items():
            ratings[name if name not in ratings else source] = pairs
    return analogies, ratings


def _vectors(options: argparse.Namespace) -> WordVectors:
    from qw2v.vectors import WordVectors

    if options.vectors is None:
        from qw2v.datasets import load_statistics
        from qw2v.embedding import closed_form

        vectors = closed_form(
            load_statistics(),
            dim=options.dim,
            kind=options.kind,
            power=options.power,
            recipe=options.recipe,
            progress=not options.quiet,
        )
        return vectors if options.limit is None else vectors.restrict(options.limit)
    with open(options.vectors, "rb") as file:
        archive = file.seekable() and file.read(2) == b"PK"
    if archive:
        vectors = WordVectors.load(options.vectors)
        return vectors if options.limit is None else vectors.restrict(options.limit)
    return WordVectors.load_word2vec_format(
        options.vectors,
        limit=options.limit,
        malformed=options.malformed,
        duplicates=options.duplicates,
    )
