"""Rebuild the benchmark files of data/ from the published ones.

    python experiments/rebuild.py questions-words.txt wordsim353.tsv MEN_dataset_natural_form_full

See data/README.md for where these lie. The files are written to data/.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent / "data"

ANALOGIES_HEADER = """\
# The Google analogy test set (Mikolov, Chen, Corrado, Dean 2013), Apache License 2.0.
# The word pairs of each category. The list's 19,544 questions follow from them: see README.md.
"""
WORDSIM353_HEADER = """\
# WordSimilarity-353 (Finkelstein et al. 2002), CC BY 4.0: mean rating, 0 to 10.
"""
MEN_HEADER = """\
# The MEN test collection (Bruni, Tran, Baroni 2014), CC BY 2.0: rating, 0 to 50.
"""


def analogy_pairs(text: str) -> str:
    """Return the word pairs of each category, in the order in which questions start with them."""
    categories = {}
    for line in text.splitlines():
        if line.startswith(":"):
            pairs = categories.setdefault(line, {})
        else:
            # A dictionary keeps the order and drops the repeats.
            pairs[" ".join(line.split()[:2])] = None
    lines = [line for name, pairs in categories.items() for line in (name, *pairs)]
    return ANALOGIES_HEADER + "\n".join(lines) + "\n"


def ratings(text: str, header: str) -> str:
    """Return the ratings, one `word<tab>word<tab>number` a line, without the source's comments."""
    rows = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return header + "".join(f"{a}\t{b}\t{float(rating):g}\n" for a, b, rating in rows)


def main(questions: str, wordsim353: str, men: str, directory: Path = HERE) -> None:
    """Write the three files."""
    read = {path: Path(path).read_text(encoding="utf-8") for path in (questions, wordsim353, men)}
    files = {
        "google-analogies.txt": analogy_pairs(read[questions]),
        "wordsim353.tsv": ratings(read[wordsim353], WORDSIM353_HEADER),
        "men.tsv": ratings(read[men], MEN_HEADER),
    }
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
