"""Compute spectra.npz of data/ again: all eigenvalues, some five minutes a matrix.

    python experiments/spectra.py [mstar pmi ppmi G]

Those that are not named stay as they are. All V = 10,000 eigenvalues, descending, of M*, PMI and
PPMI of the shipped statistics, and of word2vec's weights G_ij (k = 1 negative, t = 1e-4), in units
of their mean. LAPACK in float64, so that the sign of an eigenvalue near zero can be trusted; kept
as float32.
"""

import argparse
import json
import platform
from collections.abc import Sequence
from datetime import date

import numpy as np
import scipy.linalg
from common import DATA

import qw2v
from qw2v import features
from qw2v._environment import progress_bar

FILE = DATA / "spectra.npz"
MATRICES = ("mstar", "pmi", "ppmi", "G")


def pair_weights(stats: qw2v.CorpusStatistics, weighting: qw2v.weighting.Weighting) -> np.ndarray:
    """Return G_ij = Psi+ P_ij + Psi- P_i P_j (V, V), in units of its mean."""
    G = stats.skipgram.toarray()
    columns, block = np.arange(stats.vocab_size), 256
    for low in range(0, stats.vocab_size, block):
        part = slice(low, low + block)
        positive, negative = weighting.psi(stats, columns[part, None], columns, G[part])
        G[part] *= positive
        G[part] += negative * np.multiply.outer(stats.unigram[part], stats.unigram)
    return G / G.mean()


def dense(stats: qw2v.CorpusStatistics, name: str) -> np.ndarray:
    """Return the whole (V, V) matrix, float64."""
    if name == "G":
        return pair_weights(stats, qw2v.weighting.Word2Vec(subsample=1e-4, negatives=1))
    return qw2v.target(stats, kind=name).toarray()


def record(stats: qw2v.CorpusStatistics, names: Sequence[str] = MATRICES) -> dict[str, np.ndarray]:
    """Return the content of the file: the matrices named computed, the others as they were."""
    spectra, day = {}, date.today().isoformat()
    if set(names) != set(MATRICES):
        spectra = features.load_spectra()
        day = f"{spectra.about['date']}; {', '.join(names)}: {day}"
    with progress_bar("spectra", "matrix", len(names)) as bar:
        for name in names:
            table = dense(stats, name).T  # the same, in the order of Fortran: LAPACK copies nothing
            values = scipy.linalg.eigvalsh(table, overwrite_a=True, check_finite=False)
            spectra[name] = values[::-1].astype(np.float32)
            bar.update()
    about = {
        "command": "python experiments/spectra.py",
        "statistics": stats.fingerprint,
        "date": day,
        "machine": f"{platform.machine()}, numpy {np.__version__}, scipy {scipy.__version__}",
    }
    return {name: spectra[name] for name in MATRICES} | {"about": np.array(json.dumps(about))}


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="MATRIX", help=f"of {', '.join(MATRICES)}")
    names = parser.parse_args().names or MATRICES
    if unknown := set(names) - set(MATRICES):
        parser.error(f"no such matrix: {', '.join(sorted(unknown))}; there are {MATRICES}")
    np.savez_compressed(FILE, **record(qw2v.load_statistics(), names))


if __name__ == "__main__":
    main()
