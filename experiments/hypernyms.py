"""How much of each mode WordNet's classes explain, level by level: data/hypernyms.json.

    python experiments/hypernyms.py WORDNET      the folder that holds data.noun and index.noun

Every word of the vocabulary that WordNet lists as a noun takes its first sense, and of its several
hypernyms the first. Words at least `DEPTH` levels deep are compared. At each level they fall into
classes, and the classes explain a share of the variance of a mode's entries, adjusted for their
number (the adjusted R^2 of a one-way layout), so that chance gives zero.
"""

import argparse
import datetime
import json
from pathlib import Path

import numpy as np

import qw2v

DEPTH = 7  # levels below "entity"
OUT = Path(__file__).resolve().parent.parent / "data" / "hypernyms.json"
GROUPS = {"1-5": (0, 5), "6-10": (5, 10), "11-20": (10, 20), "21-50": (20, 50), "51-100": (50, 100)}


def first_senses(folder: Path) -> dict[str, str]:
    """Return the synset of each noun's first sense."""
    lines = (folder / "index.noun").read_text(encoding="ascii").splitlines()
    fields = [line.split() for line in lines if not line.startswith(" ")]
    return {row[0]: row[-int(row[2])] for row in fields}


def hypernyms(folder: Path) -> dict[str, str | None]:
    """Return the first hypernym of each synset, None for the root."""
    parent: dict[str, str | None] = {}
    for line in (folder / "data.noun").read_text(encoding="latin-1").splitlines():
        if line.startswith(" "):
            continue
        row = line.split(" | ")[0].split()
        start = 4 + 2 * int(row[3], 16)
        links = [row[at : at + 2] for at in range(start + 1, start + 1 + 4 * int(row[start]), 4)]
        above = [synset for kind, synset in links if kind in ("@", "@i")]
        parent[row[0]] = above[0] if above else None
    return parent


def path(synset: str | None, parent: dict[str, str | None]) -> list[str]:
    """Return the synsets from the root down to this one."""
    found: list[str] = []
    while synset is not None:
        found.append(synset)
        synset = parent[synset]
    return found[::-1]


def explained(entries: np.ndarray, classes: list[str]) -> np.ndarray:
    """Return the adjusted share of the variance of each column (n, k) that the classes explain."""
    label = np.unique(classes, return_inverse=True)[1]
    size = np.bincount(label)
    centred = entries - entries.mean(axis=0)
    sums = np.zeros((len(size), entries.shape[1]))
    np.add.at(sums, label, centred)
    between = (sums**2 / size[:, None]).sum(axis=0) / (centred**2).sum(axis=0)
    return 1 - (1 - between) * (len(label) - 1) / (len(label) - len(size))


def main() -> None:
    """Measure and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="WordNet's files, data.noun and index.noun")
    folder = parser.parse_args().folder
    senses, parent = first_senses(folder), hypernyms(folder)
    stats = qw2v.load_statistics()
    known = [(i, path(senses[w], parent)) for i, w in enumerate(stats.words) if w in senses]
    deep = [(i, steps) for i, steps in known if len(steps) > DEPTH]
    _, modes = qw2v.target(stats).eigenpairs(200)
    entries = modes[[i for i, _ in deep]][:, :100]
    levels = list(range(1, DEPTH + 1))
    by_level = [[steps[level] for _, steps in deep] for level in levels]
    shares = np.array([explained(entries, classes) for classes in by_level])
    record = {
        "command": "python experiments/hypernyms.py WORDNET",
        "recorded": datetime.date.today().isoformat(),
        "source": "WordNet 3.0 (Princeton University), noun hierarchy, first senses",
        "nouns": len(deep),
        "levels": levels,
        "classes": [len(set(classes)) for classes in by_level],
        "explained": {
            name: shares[:, low:high].mean(axis=1).round(4).tolist()
            for name, (low, high) in GROUPS.items()
        },
    }
    OUT.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {OUT}")


if __name__ == "__main__":
    main()
