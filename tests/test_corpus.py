import bz2
import gzip
import lzma
import re
from collections import Counter

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import letters_of, vocabulary_of, words_of

import qw2v._environment as environment
from qw2v.text import finding, reading, splitting
from qw2v.text.corpus import Corpus
from qw2v.text.words import RULES, top_words

LONG = "internationalisation"  # longer than the 16 letters that are compared at once
TEXT = f"The cat's hat -- a naïve caf\u00e9, THE END.\n\nOne\ttwo\r\n {LONG} {LONG}x {LONG}y {LONG}"
WRITERS = {
    ".txt": bytes,
    ".bz2": bz2.compress,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def written(folder, text, suffix=".txt", name="text"):
    path = folder / f"{name}{suffix}"
    path.write_bytes(WRITERS[suffix](text if isinstance(text, bytes) else text.encode()))
    return path


def read_files(paths, **options):
    return Corpus.from_files(paths, **{"tokens": "a-z", "progress": False, **options})


def read_texts(texts, **options):
    return Corpus.from_texts(texts, **{"tokens": "a-z", "progress": False, **options})


def documents_of(corpus):
    """The documents as lists of words, read back from the ids."""
    words = list(corpus.word_counts())
    documents, document = [], []
    if not words:
        return documents
    for number in corpus.ids(words).tolist():
        if number == -1:
            documents.append(document)
            document = []
        else:
            document.append(words[number])
    assert document == []
    return documents


@pytest.fixture(params=["plain", "compiled"])
def either_way(request, monkeypatch):
    """Split by plain Python, as small texts are, and by compiled loops, as large ones are."""
    monkeypatch.setattr(environment, "SMALL", {"plain": 1 << 40, "compiled": 0}[request.param])


@pytest.fixture(autouse=True, scope="module")
def unjudged():
    """Texts of letters that are lost, or that no spaces part, are split all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(splitting.Letters, "judge", lambda self: None)
        yield


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks and parts so small that words, characters and lines meet their ends."""
    monkeypatch.setattr(reading, "BLOCK", 64)
    monkeypatch.setattr(finding, "PART", 50)
    monkeypatch.setattr(environment, "SMALL", 100)  # begun in plain Python, gone on with compiled


rules = st.sampled_from(RULES)
# Letters that change size, end words, join or do not compose, beside those of any kind.
odd = st.text(
    st.sampled_from(
        "aBzJ09 .\n\u00c9\u0130\u03a3\u03c3\u0391\u0301\u0308\u030c\u200d\u00df\u023a"
        "\u0669\u093f\u0939\u00aa\U00010400\ufe0f\u212a"
    )
)


def reference_words(text, rule):
    return words_of(text) if rule == "a-z" else letters_of(text, rule == "letters+digits")


@settings(max_examples=200)
@given(texts=st.lists(st.text() | odd, max_size=8), rule=rules, small=st.sampled_from([0, 1 << 30]))
def test_texts_split_by_every_rule(texts, rule, small):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "SMALL", small)
        tokens = read_texts(texts, tokens=rule)
        expected = [words for text in texts if (words := reference_words(text, rule))]
        assert documents_of(tokens) == expected
        assert tokens.n_documents == len(expected)
        assert tokens.n_tokens == sum(map(len, expected))


# Letters of every length, around the 8 and 16 bytes that are handled at once.
near_words = st.text(st.sampled_from("abABzZ \n@[`{\u00e9\u00ff\u4e2d\U0001f600"), max_size=400)


@settings(max_examples=80)
@given(
    text=near_words | odd,
    suffix=st.sampled_from(sorted(WRITERS)),
    document=st.sampled_from(["line", "file", "blank"]),
    rule=rules,
    small=st.sampled_from([0, 300, 1 << 30]),
)
def test_files_split_the_same_in_blocks_of_any_size(
    tmp_path_factory, text, suffix, document, rule, small
):
    text = text.replace("\0", " ").lstrip("\ufeff")
    path = written(tmp_path_factory.mktemp("text"), text, suffix)
    lines = {
        "line": text.split("\n"),
        "file": [text],
        "blank": re.split(r"\n[ \t\r\f\v]*\n", text),
    }[document]
    expected = [words for line in lines if (words := reference_words(line, rule))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "SMALL", small)
        for block in (1 << 19, 2001):
            patch.setattr(reading, "BLOCK", block)
            assert documents_of(read_files(path, document=document, tokens=rule)) == expected


@pytest.mark.parametrize("workers", [1, 3])
def test_a_large_file_is_split_between_threads_at_line_ends(tmp_path, small_blocks, workers):
    lines = [
        f"word{'abc'[i % 3] * (i % 5)} of line {'x' * (i % 7)} \u00e9\u00e9" for i in range(200)
    ]
    path = written(tmp_path, "\n".join(lines))
    tokens = read_files([path, path], workers=workers)
    assert documents_of(tokens) == 2 * [words_of(line) for line in lines]
    assert len(list(finding.parts_of([str(path)], finding.Layout()))) > 50


def test_many_long_words_fill_and_grow_the_table(tmp_path):
    words = [a + b + "q" * 20 for a in map(letters, range(300)) for b in map(letters, range(300))]
    path = written(tmp_path, " ".join(words + words))
    corpus = read_files(path)
    assert list(corpus.word_counts().items()) == [(word, 2) for word in words]


def letters(number):
    return chr(97 + number % 26) + chr(97 + number // 26)


def test_ids_wait_in_a_file_beyond_the_budget(tmp_path, small_blocks):
    lines = [f"{letters(i)} {letters(i + 1)}" for i in range(100)]
    path = written(tmp_path, "\n".join(lines))
    tokens = read_files(path, memory=2000, workers=2)
    assert 0 < tokens._text._spool.in_memory <= 500
    assert documents_of(tokens) == [line.split() for line in lines]


def test_a_generator_is_read_once_and_may_be_larger_than_a_block(small_blocks):
    texts = [f"{LONG} {i} b" * 30 for i in range(3)]
    assert documents_of(read_texts(iter(texts))) == [words_of(text) for text in texts]


def test_count_words_adds_up_over_shards(tmp_path):
    a, b = written(tmp_path, TEXT, ".xz", "a"), written(tmp_path, "the end", ".gz", "b")
    whole = read_files([a, b]).word_counts()
    assert whole == read_files(a).word_counts() + read_files(b).word_counts()
    assert whole == Counter(words_of(TEXT) + ["the", "end"])
    assert top_words(whole, 4) == [w for w, _ in vocabulary_of([list(whole.elements())], 4)]


def test_any_tokenizer_can_be_used(tmp_path):
    from nltk.tokenize import RegexpTokenizer, wordpunct_tokenize

    path = written(tmp_path, "Don't stop\nna\u00efve Caf\u00e9!", ".zst")
    tokens = read_files(path, tokenize=wordpunct_tokenize)
    assert documents_of(tokens) == [["Don", "'", "t", "stop"], ["na\u00efve", "Caf\u00e9", "!"]]
    tokens = read_files(path, tokenize=RegexpTokenizer(r"\w+").tokenize, document="file")
    assert documents_of(tokens) == [["Don", "t", "stop", "na\u00efve", "Caf\u00e9"]]
    tokens = read_texts(["a  b", " "], tokenize=str.split)
    assert documents_of(tokens) == [["a", "b"]]


@pytest.mark.parametrize("suffix", [".bz2", ".gz", ".xz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "flip", "rest"])
def test_a_damaged_file_is_named(tmp_path, suffix, damage):
    path = written(tmp_path, "some words " * 5000, suffix)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "flip":
        data[len(data) // 2] ^= 0xFF
    else:
        data += b"something else"  # as a damaged header of a second stream (faults.md 11)
    path.write_bytes(data)
    with pytest.raises(
        ValueError, match=f"{path.name} is a damaged or cut {suffix} file: .* again"
    ):
        read_files(path)


@pytest.mark.parametrize("tokenize", [None, str.split])
def test_undecodable_bytes_are_found_where_they_are(tmp_path, small_blocks, tokenize):
    path = written(tmp_path, b"line of text\n" * 20 + b"caf\xe9 au lait\n" + b"more\n" * 20)
    message = re.escape("text.txt is not UTF-8 text: byte 263 is 0xe9")
    with pytest.raises(ValueError, match=message):
        read_files(path, tokenize=tokenize)


def test_undecodable_bytes_separate_words_on_request(tmp_path):
    path = written(tmp_path, b"caf\xe9au \xff\xfflait")
    tokens = read_files(path, errors="replace", document="file")
    assert documents_of(tokens) == [["caf", "au", "lait"]]
    tokens = read_files(path, errors="replace", tokenize=str.split)
    assert documents_of(tokens) == [["caf\ufffdau", "\ufffd\ufffdlait"]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: read_files(f / "none.txt"), FileNotFoundError, "none.txt does not exist"),
        (lambda f: read_files(f), FileNotFoundError, "holds no files"),
        (lambda f: read_files(f / "*.txt"), FileNotFoundError, "no file matches"),
        (lambda f: read_files([]), ValueError, "no files to read"),
        (lambda f: read_texts("one text"), TypeError, "received one str"),
        (lambda f: read_texts(["a", b"b"]), TypeError, "document 1 is a bytes"),
        (lambda f: read_texts(["a"], tokenize=str.lower), TypeError, "returned one str"),
        (lambda f: read_texts(["a"], tokenize=lambda t: [1]), TypeError, "must be a str"),
        (lambda f: read_texts(["a"], tokenize=lambda t: ["a b"]), ValueError, "'a b'"),
        (lambda f: read_texts(["a"], tokenize=lambda t: [""]), ValueError, "received ''"),
        (lambda f: top_words(Counter(), 3), ValueError, "has no words"),
        (lambda f: top_words(Counter("ab"), 3), ValueError, "only 2 different words"),
        (lambda f: top_words(Counter("ab"), 0), ValueError, "at least 1; received 0"),
        (lambda f: environment.worker_count(0), ValueError, "at least 1; received 0"),
    ],
)
def test_bad_input_is_explained(tmp_path, call, error, message):
    with pytest.raises(error, match=message):
        call(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"document": "page"}, "'line', 'file', 'blank'; received 'page'"),
        ({"errors": "x"}, "received 'x'"),
    ],
)
def test_unknown_choices_are_explained(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        read_files(written(tmp_path, "a"), **options)


def test_a_file_without_words_is_refused_while_it_is_read(tmp_path, small_blocks):
    path = written(tmp_path, "gattaca" * 50)
    with pytest.raises(ValueError, match="more than 64 bytes without a space at byte 0"):
        read_files(path)


def test_the_corpus_on_hand_has_the_words_it_says(corpora_dir):
    tokens = read_files(corpora_dir / "enwiki" / "enwiki-0.txt.xz")
    assert (tokens.n_documents, tokens.n_tokens) == (20_298, 7_341_422)
