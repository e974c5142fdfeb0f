"""Files people have: known by their content, read in bounded memory, or refused by name."""

import bz2
import errno
import gzip
import io
import json
import lzma
import os
import random
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

import numpy as np
import pytest
import zstandard

from qw2v.__main__ import main
from qw2v.statistics import CorpusStatistics
from qw2v.text import reading
from qw2v.text.corpus import Corpus

LINES = ["The caf\u00e9 of Zo\u00eb", "\u041d\u0435 \u0431\u044b\u043b\u043e", "two words"]
PLAIN = "\n".join(LINES)
WORDS = ["the", "caf\u00e9", "of", "zo\u00eb", "\u043d\u0435", "\u0431\u044b\u043b\u043e"]
WORDS += ["two", "words"]


def read(paths, **options):
    return Corpus.from_files(paths, progress=False, **options)


def written(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def zipped(**members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def long_window():
    parameters = zstandard.ZstdCompressionParameters.from_level(1, window_log=28, enable_ldm=True)
    return zstandard.ZstdCompressor(compression_params=parameters)


TWO = [PLAIN[:20].encode(), PLAIN[20:].encode()]
FILES = {
    "plain": PLAIN.encode(),
    "bom": PLAIN.encode("utf-8-sig"),
    "utf-16": PLAIN.encode("utf-16"),
    "utf-16-be": b"\xfe\xff" + PLAIN.encode("utf-16-be"),
    "utf-32": PLAIN.encode("utf-32"),
    "gz": gzip.compress(PLAIN.encode()),
    "gz twice": gzip.compress(TWO[0]) + gzip.compress(TWO[1]) + bytes(512),
    "bz2 twice (a multistream dump)": bz2.compress(TWO[0]) + bz2.compress(TWO[1]),
    "xz twice, padded": lzma.compress(TWO[0]) + bytes(8) + lzma.compress(TWO[1]),
    "zst": zstandard.compress(PLAIN.encode()),
    "zst after a frame to skip": b"\x50\x2a\x4d\x18\x02\0\0\0ab"
    + zstandard.compress(PLAIN.encode()),
    "zst --long=28": long_window().compress(PLAIN.encode()),
    "gz of utf-16": gzip.compress(PLAIN.encode("utf-16")),
    "zip": zipped(**{"a.txt": LINES[0], "in/b.gz": gzip.compress("\n".join(LINES[1:]).encode())}),
    "JSON lines": "\n".join(json.dumps({"id": i, "text": x}) for i, x in enumerate(LINES)).encode(),
    "WikiExtractor --json": "".join(
        json.dumps({"id": f"{i}", "revid": "7", "url": f"https://x.org?curid={i}", "title": "t"})[
            :-1
        ]
        + f', "text": {json.dumps(x)}}}\n'
        for i, x in enumerate(LINES)
    ).encode(),
    "WikiExtractor": "".join(
        f'<doc id="{i}" url="https://x.org?curid={i}" title="t">\n{x}\n\n</doc>\n'
        for i, x in enumerate(LINES)
    ).encode(),
}


@pytest.mark.parametrize("kind", FILES)
def test_f7_f15_f17_f22a_a_file_is_known_by_its_content(tmp_path, kind):
    corpus = read(written(tmp_path / "misnamed.doc", FILES[kind]))
    assert list(corpus.word_counts()) == WORDS
    assert corpus.n_documents == 3
    assert list(read(tmp_path, tokenize=str.split).word_counts())[0] == "The"


def test_parquet_by_column(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    table = pyarrow.table({"body": [*LINES, None], "id": [1, 2, 3, 4]})
    parquet.write_table(table, tmp_path / "rows")
    corpus = read(tmp_path, field="body")
    assert list(corpus.word_counts()) == WORDS and corpus.n_documents == 3
    with pytest.raises(ValueError, match="no column 'text'.*there are 'body', 'id'"):
        read(tmp_path)
    with pytest.raises(ValueError, match="column 'id' holds int64, not text"):
        read(tmp_path, field="id")
    data = (tmp_path / "rows").read_bytes()
    with pytest.raises(ValueError, match="damaged Parquet file"):
        read(written(tmp_path / "cut", data[: len(data) // 2]), field="body")


DUMP = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" version="0.10" xml:lang="en">
<siteinfo><sitename>W</sitename><dbname>w</dbname><namespaces><namespace key="0"/>
<namespace key="1">Talk</namespace></namespaces></siteinfo>
<page><title>Cat</title><ns>0</ns><id>1</id><revision><id>2</id>
<timestamp>2020-01-01T00:00:00Z</timestamp><text>The '''cat''' is an
[[animal|old animal]].{{stub}}</text></revision></page>
<page><title>Talk:Cat</title><ns>1</ns><id>3</id><revision><id>4</id>
<timestamp>2020-01-01T00:00:00Z</timestamp><text>chatter</text></revision></page>
<page><title>Kitty</title><ns>0</ns><id>5</id><redirect title="Cat"/><revision><id>6</id>
<timestamp>2020-01-01T00:00:00Z</timestamp><text>#REDIRECT [[Cat]]</text></revision></page>
</mediawiki>"""


def test_a_mediawiki_dump_is_its_articles_without_markup(tmp_path):
    pytest.importorskip("mwxml")
    pytest.importorskip("mwparserfromhell")
    corpus = read(written(tmp_path / "dump", bz2.compress(DUMP.encode())))
    assert list(corpus.word_counts()) == ["the", "cat", "is", "an", "old", "animal"]
    assert corpus.n_documents == 1
    with pytest.raises(ValueError, match="cut MediaWiki dump"):
        read(written(tmp_path / "dump", DUMP[:700]))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"%PDF-1.7 text", "is a PDF: turn it into text first"),
        (zipped(**{"[Content_Types].xml": "<x/>"}), "is an Office document: save it as plain"),
        (zipped(mimetype="application/epub+zip"), "is an e-book"),
        (zipped(**{"a.pdf": b"%PDF-1.7"}), "x:a.pdf is a PDF"),
        (gzip.compress(b"%PDF-1.7"), "is a PDF"),
        (b"\x89PNG\r\n", "is a picture"),
        (PLAIN.encode("utf-16")[2:] * 20, "is not text: of its first .* are zero"),
        (b"two\0words" + b"x" * 90, "is not text: byte 3 is zero"),
        (b'[{"text": "a"}]', "is one JSON array: write its records one a line"),
        (b'{"text": "a"}\n{"tex', "line 2 is not a JSON object"),
        (b'{"text": "a"}\n[1]', "line 2 holds list, not a record"),
        (b'{"body": "a"}', "line 1 of .*x has no field 'text': .*there are 'body'"),
        (b'{"text": 7}', "field 'text' holds int, not text"),
        (b'{"text": ' + b"[" * 200_000, "line 1 is nested too deep"),
        (b'<doc id="1" url="" title="">\nwords', "is cut short: its last <doc> has no end"),
        (gzip.compress(zipped(a="b")), "is a zip archive inside a stream or another archive"),
        (b"PK\x03\x04 damaged", "damaged or cut .zip file"),
        (b"\xff\xfea\xd8\xd8\xd8\xd8", "begins as UTF-16 text, but is damaged"),
    ],
    ids=lambda value: "data" if isinstance(value, bytes) else value,  # archives hold the time
)
def test_what_is_no_text_is_named_never_counted(tmp_path, data, message):
    path = written(tmp_path / "x", data)
    for errors in ("strict", "replace") if b"\0words" not in data else ("strict",):
        with pytest.raises(ValueError, match=message):
            read(path, errors=errors)


def test_a_tar_archive_is_named(tmp_path):
    with tarfile.open(tmp_path / "x", "w") as archive:
        archive.add(written(tmp_path / "a.txt", PLAIN))
    with pytest.raises(ValueError, match=r"is a tar archive: unpack it first \(tar -xf\)"):
        read(tmp_path / "x")


def test_faults_11_a_damaged_second_stream_is_not_the_end(tmp_path):
    for pack in (bz2.compress, lzma.compress, gzip.compress):
        second = bytearray(pack(b"more words"))
        second[2] ^= 0x55
        with pytest.raises(ValueError, match="is a damaged or cut"):
            read(written(tmp_path / "x", pack(b"some words\n") + second))


def test_documents_between_blank_lines(tmp_path):
    path = written(tmp_path / "x", "a b\nc\n \t\n\n\r\nd\n\ne \x01 f\n")
    for options in ({}, {"tokenize": str.split}):
        corpus = read(path, document="blank", **options)
        assert corpus.n_documents == 3
    counted = read(path, document="blank").count(vocab_size=6, window=1, progress=False)
    assert counted.pair_counts.sum() == 2 * 3  # a-b, b-c; e-f


def test_folders_and_patterns_in_order(tmp_path):
    for name in ("b/2.txt", "b/1.txt", "a.txt", ".hidden", ".git/config", "b/.DS_Store"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        written(tmp_path / name, name.replace("/", " ").translate(str.maketrans("12", "xy")))
    assert list(read(tmp_path, document="file", workers=1).word_counts()) == [
        "a",
        "txt",
        "b",
        "x",
        "y",
    ]
    assert read(f"{tmp_path}/**/*.txt").n_documents == 3


def test_ten_thousand_small_files(tmp_path):
    for number in range(10_000):
        (tmp_path / f"{number:05}.txt").write_bytes(b"one small file\n")
    written(tmp_path / "empty.txt", "")
    corpus = read(tmp_path, document="file")
    assert (corpus.n_documents, corpus.n_tokens) == (10_000, 30_000)


def test_an_empty_file_is_said_to_be_empty(tmp_path):
    for data in (b"", gzip.compress(b""), b"\xef\xbb\xbf", b"\n\n"):
        with pytest.raises(ValueError, match="the corpus has no words: it is empty"):
            read(written(tmp_path / "x", data)).count(vocab_size=1, window=1)


@pytest.mark.parametrize("kind", ["gz", "bz2 twice (a multistream dump)", "zst", "zip"])
def test_a_cut_archive_is_named_and_nothing_is_written(tmp_path, kind):
    path = written(tmp_path / "cut", FILES[kind][:-12])
    line = ["count", str(path), "-o", str(tmp_path / "s.npz"), "--quiet"]
    assert main(line) == 2
    assert [entry.name for entry in tmp_path.iterdir()] == ["cut"]


def test_f14_pipes_and_standard_input(tmp_path):
    program = [sys.executable, "-m", "qw2v", "count", "-o", "s.npz", "--vocab-size", "4", "--json"]
    data = gzip.compress(PLAIN.encode())
    for name in ("-", "/dev/stdin"):
        done = subprocess.run(
            [*program, name, "--quiet"], input=data, capture_output=True, cwd=tmp_path, check=True
        )
        assert json.loads(done.stdout)["n_tokens"] == 8
    line = f"{' '.join(program)} <(echo one two; echo three four five) --quiet"
    done = subprocess.run(["bash", "-c", line], capture_output=True, cwd=tmp_path, check=True)
    assert json.loads(done.stdout)["n_tokens"] == 5
    done = subprocess.run([*program, "-"], input=FILES["zip"], capture_output=True, cwd=tmp_path)
    assert done.returncode == 2 and b"zip archive inside a stream" in done.stderr


def peak_of(code, *arguments):
    """Return the peak memory, in MiB, that code adds to a Python with all imported."""
    program = (
        "import resource, sys, numba, zstandard\n"
        "from qw2v.text.corpus import Corpus\n"
        "Corpus.from_texts(['a b'] * 400_000, progress=False, memory=1 << 20)\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        f"{code}\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


BOUND = 64  # MiB
READ = f"Corpus.from_files(sys.argv[1], progress=False, memory={BOUND} << 20, workers=2, {{}})"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "size"), [("", 2e9), ("document='file'", 2e8), ("document='blank'", 2e8)]
)
def test_f13_one_long_line_takes_bounded_memory(tmp_path, options, size):
    path = tmp_path / "long.txt"
    piece = b"one line of many words " * 45_590
    with path.open("wb") as file:
        while file.tell() < size:
            file.write(piece)
    peak = peak_of(READ.format(options), path)
    path.unlink()
    assert peak <= 1.5 * BOUND


def test_f13_a_long_line_comes_to_a_tokenizer_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "LONGEST", 1000)
    monkeypatch.setattr(reading, "BLOCK", 64)
    longest = []
    tokenize = lambda text: longest.append(len(text)) or text.split()  # noqa: E731
    corpus = read(written(tmp_path / "x", "some more words " * 900), tokenize=tokenize)
    assert (corpus.n_documents, corpus.n_tokens) == (1, 2700)
    assert max(longest) <= 1064


@pytest.mark.parametrize("pack", ["zst", "gz", "xz", "bz2"])
def test_faults_6_a_bomb_is_read_in_bounded_memory(tmp_path, pack):
    text = b"many words " * 3_000_000  # 33 MB, which only unpacked is large
    data = {
        "zst": zstandard.ZstdCompressor(level=1).compress,
        "gz": lambda text: gzip.compress(text, 1),
        "xz": lambda text: lzma.compress(text, preset=0),
        "bz2": lambda text: bz2.compress(text, 1),
    }[pack]
    path = written(tmp_path / "bomb", data(text) * 4)
    assert path.stat().st_size < 800_000
    assert peak_of(READ.format(""), path) <= 1.5 * BOUND


@pytest.mark.parametrize(("place", "value"), [(8, 9), (4, 99)], ids=["method", "version"])
def test_a_zip_of_a_kind_that_is_not_known_is_no_damaged_one(tmp_path, place, value):
    """Deflate64, as Windows packs large files, and a version of the format still to come."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.txt", PLAIN)
    data = bytearray(packed.getvalue())
    data[place] = data[data.index(b"PK\1\2") + place + 2] = value
    with pytest.raises(ValueError, match="packed in an unknown way: .*; unpack it first"):
        read(written(tmp_path / "x.zip", bytes(data)))


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    class FullDisk(io.BytesIO):
        def write(self, data):
            raise full

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: FullDisk())
    with pytest.raises(OSError, match="no room for word ids .* set TMPDIR .* or raise memory="):
        read(written(tmp_path / "x", PLAIN), memory=4)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("seconds", [0.05, 0.6, 1.5])
def test_ctrl_c_at_any_point_is_one_line_and_leaves_nothing(tmp_path, seconds):
    path = tmp_path / "text.txt"
    draw = random.Random(0)
    path.write_text("".join(f"{draw.getrandbits(40):x} words\n" for _ in range(10**6)))
    program = [sys.executable, "-m", "qw2v", "count", str(path), "-o", "s.npz", "--window", "64"]
    run = subprocess.Popen(program, cwd=tmp_path, stderr=subprocess.PIPE)
    time.sleep(seconds)
    run.send_signal(signal.SIGINT)
    error = run.communicate()[1].decode()
    if run.returncode == 130:
        assert error.splitlines()[-1].endswith("interrupted") and "Traceback" not in error
    else:  # done already, or Python itself was still starting or ending
        assert run.returncode in (0, -signal.SIGINT, 1)
    left = sorted(path.name for path in tmp_path.iterdir())
    if left != ["text.txt"]:  # a signal after the rename finds the whole file
        assert left == ["s.npz", "text.txt"]
        assert CorpusStatistics.load(tmp_path / "s.npz").n_documents == 10**6


# --- Words people write ---------------------------------------------------------------------------


def test_f16_other_letters_are_kept_or_their_loss_is_told(tmp_path):
    path = written(tmp_path / "x", "Stra\u00dfe und M\u00e4dchen")
    assert list(read(path).word_counts()) == ["stra\u00dfe", "und", "m\u00e4dchen"]
    with pytest.warns(UserWarning, match="12.50% of the letters .* tokens='letters' keeps"):
        corpus = read(path, tokens="a-z")
    assert list(corpus.word_counts()) == ["stra", "e", "und", "m", "dchen"]


JAPANESE = (
    "\u543e\u8f29\u306f\u732b\u3067\u3042\u308b\u3002\u540d\u524d\u306f\u307e\u3060\u7121\u3044"
)


@pytest.mark.parametrize("text", [JAPANESE, "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\u4e2d\u6587"])
def test_f16_text_without_spaces_needs_a_tokenizer(tmp_path, text):
    message = "100% of the letters are of scripts that put no spaces .* tokenize=jieba.lcut"
    for tokens in ("letters", "a-z"):
        with pytest.raises(ValueError, match=message):
            read(written(tmp_path / "x", text), tokens=tokens)
    assert read(tmp_path / "x", tokenize=list).n_tokens == len(text)


def test_japanese_split_by_a_tokenizer():
    tokenizer = pytest.importorskip("janome.tokenizer")
    split = tokenizer.Tokenizer(wakati=True).tokenize
    counts = Corpus.from_texts([JAPANESE], tokenize=split, progress=False).word_counts()
    assert counts["\u732b"] == 1 and counts["\u306f"] == 2


def test_digits_on_request():
    corpus = Corpus.from_texts(["B2B in 1984"], tokens="letters+digits", progress=False)
    assert list(corpus.word_counts()) == ["b2b", "in", "1984"]


def test_f22b_tables_and_dictionaries_are_not_walked_by_their_names():
    import pandas

    for wrong in ({"a": "text"}, pandas.DataFrame({"text": ["a b"]}), "a b", b"a b"):
        with pytest.raises(TypeError, match="texts must be an iterable of documents, received"):
            Corpus.from_texts(wrong)
    series = pandas.DataFrame({"text": ["a b", "b"]})["text"]
    assert Corpus.from_texts(series, progress=False).n_tokens == 3


def test_records_as_a_dataset_yields_them():
    rows = ({"title": "t", "text": text} for text in ["a b", None, "b"])
    corpus = Corpus.from_texts(rows, progress=False)
    assert (corpus.n_documents, corpus.n_tokens) == (2, 3)
    with pytest.raises(ValueError, match="document 0 has no field 'body'.* there are 'text'"):
        Corpus.from_texts([{"text": "a"}], field="body")


def test_a_dataset_of_hugging_face():
    datasets = pytest.importorskip("datasets")
    rows = datasets.Dataset.from_dict({"title": ["t", "t"], "text": ["a b", "b"]})
    for dataset in (rows, rows.to_iterable_dataset()):
        corpus = Corpus.from_texts(dataset, progress=False)
        assert (corpus.n_documents, list(corpus.word_counts())) == (2, ["b", "a"])


def test_an_nltk_corpus(monkeypatch, tmp_path):
    pytest.importorskip("nltk")
    from nltk.corpus.reader import PlaintextCorpusReader

    class Reader:
        def fileids(self):
            return ["x", "y"]

        def words(self, file):
            return ["The", file, "!"]

        def sents(self, file):
            return [["The", file], ["!"], ["End"]]

    (tmp_path / "a.txt").write_text("The cat sat. It slept!\n\nThe dog ran.")
    (tmp_path / "b.txt").write_text("A bird sang.")
    monkeypatch.setattr("nltk.data.path", [str(tmp_path)])  # all that NLTK may read
    own = PlaintextCorpusReader(str(tmp_path), r".*\.txt")
    corpus = Corpus.from_nltk(own, progress=False)
    assert corpus.n_documents == 2 and corpus.word_counts()["the"] == 2
    assert Corpus.from_nltk(Reader(), progress=False).n_documents == 2
    assert Corpus.from_nltk(Reader(), document="sentence", progress=False).n_documents == 4
    monkeypatch.setattr("nltk.data.path", [])
    with pytest.raises(LookupError, match=r"'brown' is not on this machine: python -m nltk.down"):
        Corpus.from_nltk("brown")
    with pytest.raises(TypeError, match="no corpus of NLTK"):
        Corpus.from_nltk("nothing_of_the_kind")


# --- Counting -------------------------------------------------------------------------------------


@pytest.mark.parametrize("small", [0, 1 << 40])
def test_f11_a_window_reaches_no_further_than_a_document(monkeypatch, small):
    monkeypatch.setattr("qw2v._environment.SMALL", small)
    corpus = Corpus.from_texts(["a b c a", "b a"] * 50, progress=False)
    counts = corpus.count(vocab_size=3, window=10**8, window_weights="uniform", progress=False)
    assert (counts.pair_counts != corpus.count(3, 3, window_weights="uniform").pair_counts).nnz == 0
    alone = Corpus.from_texts(["a", "b"], progress=False).count(vocab_size=2, window=5)
    assert alone.pair_counts.nnz == 0


def test_f9_f12_numbers_of_numpy_and_windows_without_end():
    corpus = Corpus.from_texts(["b a b"], progress=False)
    stats = corpus.count(np.int64(2), np.arange(5)[3], progress=False)
    assert type(stats.window) is int and stats.vocab_size == 2
    with pytest.raises(ValueError, match="window must be a whole number between 1 and"):
        corpus.count(2, 10**22)
    for window in (1_001, 10**6):
        with pytest.raises(OverflowError, match="harmonic weights .* received window"):
            corpus.count(2, window, window_weights="harmonic")
    long = Corpus.from_texts(["a b " * 30_000], progress=False)
    with pytest.raises(OverflowError, match=r"could add up to about 10\^19, .* lower the window"):
        long.count(2, 2**31 - 1)


@pytest.mark.parametrize("kind", ["array", "Index", "generator", "Series", "tuple"])
def test_f9_a_vocabulary_in_any_form(kind):
    import pandas

    words = {
        "array": np.array, "Index": pandas.Index, "generator": iter, "Series": pandas.Series,
        "tuple": tuple,
    }[kind](["b", "a"])  # fmt: skip
    stats = Corpus.from_texts(["a b b"], progress=False).count(vocabulary=words, window=1)
    assert stats.words == ["b", "a"] and {type(word) for word in stats.words} == {str}
    with pytest.raises(TypeError, match="received a set; pass sorted"):
        Corpus.from_texts(["a"], progress=False).count(vocabulary={"a"})


def test_faults_17_crafted_words_do_not_slow_the_table(monkeypatch):
    """Words that differ in their high bits alone met in few places of the old table."""
    monkeypatch.setattr("qw2v._environment.SMALL", 0)
    letters = "abcdefghijklmnopqrstuvwxyz"
    words = [a + b + c + d for a in letters for b in letters for c in letters for d in letters[:5]]
    texts = [" ".join(f"aaaa{word}" for word in words), " ".join(f"{w}bbbb" for w in words)]
    start = time.process_time()
    corpora = [Corpus.from_texts(texts, progress=False) for _ in range(2)]
    assert time.process_time() - start < 5  # 13.9 s for fewer before the hash was seeded
    assert corpora[0].word_counts() == corpora[1].word_counts()
    ours, theirs = (corpus.count(vocab_size=100, window=1, progress=False) for corpus in corpora)
    assert ours.fingerprint == theirs.fingerprint


def test_small_texts_need_no_compiler_nor_unpackers():
    code = (
        "import sys\n"
        "for name in ('numba', 'lzma', '_lzma', 'zstandard', 'bz2'): sys.modules[name] = None\n"
        "from qw2v.statistics import CorpusStatistics\n"
        "stats = CorpusStatistics.from_texts(['a b c'], vocab_size=3, progress=False)\n"
        "print(stats.pair_counts.nnz)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "6\n", done.stderr


def test_restriction_to_words_and_subtraction():
    vocabulary = ["a", "b", "c"]
    whole, part = (
        Corpus.from_texts(texts, progress=False).count(vocabulary=vocabulary, window=2)
        for texts in (["a b c a", "c a"], ["c a"])
    )
    rest = Corpus.from_texts(["a b c a"], progress=False).count(vocabulary=vocabulary, window=2)
    assert (whole - part).fingerprint == rest.fingerprint
    assert (rest + part).fingerprint == whole.fingerprint
    with pytest.raises(ValueError, match="the second is no part of the first: counts must not"):
        part - whole
    few = whole.restrict(["c", "a"])
    expected = whole.pair_counts.toarray()[np.ix_([2, 0], [2, 0])]
    assert few.words == ["c", "a"] and few.pair_counts.toarray().tolist() == expected.tolist()
    for wrong, message in [(["d"], "first of them 'd'"), (["a", "a"], "'a' more than once")]:
        with pytest.raises(ValueError, match=message):
            whole.restrict(wrong)
