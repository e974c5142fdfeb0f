"""Each trouble of the page `trouble.md` is caused here, and says what the page quotes."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import qw2v
from qw2v import _streams, datasets, spectrum
from qw2v.statistics import CorpusStatistics

PAGE = (Path(__file__).resolve().parent.parent / "trouble.md").read_text(encoding="utf-8")
QUOTES = [re.findall(r"`([^`]+)`", line) for line in PAGE.splitlines() if line.startswith("## ")]
TEXT = ["the cat sat on the mat and the dog sat on the log"] * 5


@pytest.fixture(scope="module")
def stats():
    return CorpusStatistics.from_texts(TEXT, vocab_size=8, window=3, progress=False)


def without_torch(stats, folder):
    code = """
import sys
class NoTorch:
    def find_spec(self, name, *rest):
        if name == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
sys.meta_path.insert(0, NoTorch())
import qw2v
qw2v.train
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    raise ImportError(done.stderr)


def damaged(stats, folder):
    path = folder / "stats.npz"
    stats.save(path)
    with np.load(path) as archive:
        members = dict(archive)
    members["gaps"] = members["values"]
    np.savez(path, **{**members, "sha256": _streams.checksum(members)})
    CorpusStatistics.load(path)


def edited(stats, folder):
    (folder / "men.tsv").write_text("sun\tlight\t49\n")
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  men.tsv\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "_DATA", folder)
        datasets.verify("men.tsv")


def latin(stats, folder):
    (folder / "latin.txt").write_bytes("caf\xe9 au lait\n".encode("latin-1"))
    CorpusStatistics.from_files(folder / "latin.txt", vocab_size=2, progress=False)


def short(stats, folder):
    CorpusStatistics.from_texts(TEXT, vocab_size=10_000, progress=False)


def too_many_modes(stats, folder):
    qw2v.closed_form(stats, dim=stats.vocab_size)


def too_little_memory(stats, folder):
    CorpusStatistics.from_texts(TEXT * 900, vocab_size=8, memory=100, progress=False)


def read_only_cache(stats, folder):
    (folder / "in the way").write_text("")
    with pytest.warns(UserWarning) as caught:
        spectrum.write_pairs(folder / "in the way" / "pairs.npz", np.ones(1), np.ones((1, 1)))
    raise caught[0].message


def unknown_word(stats, folder):
    qw2v.closed_form(stats, dim=1).most_similar("King")


def divergence(stats, folder):
    qw2v.train(stats, dim=2, steps=50, lr=1e4, init_scale=1.0, progress=False)


def no_vectors(stats, folder):
    (folder / "page.html").write_text("<html>not found</html>\n")
    qw2v.WordVectors.load_word2vec_format(folder / "page.html")


CAUSES = [
    [without_torch],
    [damaged, edited],
    [latin],
    [short],
    [too_many_modes],
    [too_little_memory],
    [read_only_cache],
    [unknown_word],
    [divergence],
    [no_vectors],
]


@pytest.mark.parametrize(
    "cause, quote",
    [
        pair
        for causes, quotes in zip(CAUSES, QUOTES, strict=True)
        for pair in zip(causes, quotes, strict=True)
    ],
)
def test_the_trouble_says_what_the_page_quotes(cause, quote, stats, tmp_path):
    with pytest.raises(Exception, match=re.escape(quote)):
        cause(stats, tmp_path)


def test_there_are_ten():
    assert len(QUOTES) == 10
