import bz2
import gzip
import lzma
import re
from collections import Counter

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import vocabulary_of, words_of

from qw2v.text import corpus, reading

LONG = "internationalisation"  # longer than the 16 letters that are compared at once
TEXT = f"The cat's hat -- a naïve caf\u00e9, THE END.\n\nOne\ttwo\r\n {LONG} {LONG}x {LONG}y {LONG}"
WRITERS = {
    ".txt": bytes,
    ".gz": gzip.compress,
    ".xz": lzma.compress,
    ".zst": zstandard.ZstdCompressor(write_checksum=True).compress,
}


def written(folder, text, suffix=".txt", name="text"):
    path = folder / f"{name}{suffix}"
    path.write_bytes(WRITERS[suffix](text if isinstance(text, bytes) else text.encode()))
    return path


def documents_of(tokens):
    """The documents as lists of words, read back from the ids."""
    words = tokens.table.words()
    documents, document = [], []
    for ids, ranks in tokens.drain(np.arange(len(words))):
        for number in ids.tolist():
            if number == corpus.END_OF_DOCUMENT:
                documents.append(document)
                document = []
            else:
                document.append(words[ranks[number]])
    assert document == []
    return documents


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks and parts so small that words, characters and lines meet their ends."""
    monkeypatch.setattr(reading, "BLOCK", 64)
    monkeypatch.setattr(reading, "PART", 50)


@given(st.lists(st.text(), max_size=8))
def test_texts_split_by_the_papers_rule(texts):
    tokens = corpus.read_texts(texts)
    expected = [words for text in texts if (words := words_of(text))]
    assert documents_of(tokens) == expected
    assert tokens.n_documents == len(expected)
    assert tokens.n_tokens == sum(map(len, expected))


# Letters of every length, around the 8 and 16 bytes that are handled at once.
near_words = st.text(st.sampled_from("abABzZ \n@[`{\u00e9\u00ff\u4e2d\U0001f600"), max_size=400)


@settings(max_examples=50)
@given(
    text=near_words,
    suffix=st.sampled_from(sorted(WRITERS)),
    document=st.sampled_from(["line", "file"]),
)
def test_files_split_the_same_in_blocks_of_any_size(tmp_path_factory, text, suffix, document):
    path = written(tmp_path_factory.mktemp("text"), text, suffix)
    lines = text.split("\n") if document == "line" else [text]
    expected = [words for line in lines if (words := words_of(line))]
    with pytest.MonkeyPatch.context() as patch:
        for block in (1 << 19, 401):
            patch.setattr(reading, "BLOCK", block)
            assert documents_of(corpus.read_files(path, document=document)) == expected


@pytest.mark.parametrize("workers", [1, 3])
def test_a_large_file_is_split_between_threads_at_line_ends(tmp_path, small_blocks, workers):
    lines = [
        f"word{'abc'[i % 3] * (i % 5)} of line {'x' * (i % 7)} \u00e9\u00e9" for i in range(200)
    ]
    path = written(tmp_path, "\n".join(lines))
    tokens = corpus.read_files([path, path], workers=workers)
    assert documents_of(tokens) == 2 * [words_of(line) for line in lines]
    assert len(list(reading.parts_of([path], "line"))) > 50


def test_many_long_words_fill_and_grow_the_table(tmp_path):
    words = [a + b + "q" * 20 for a in map(letters, range(300)) for b in map(letters, range(300))]
    path = written(tmp_path, " ".join(words + words))
    table = corpus.read_files(path).table
    assert table.words() == words
    assert table.counts().tolist() == [2] * len(words)


def letters(number):
    return chr(97 + number % 26) + chr(97 + number // 26)


def test_ids_wait_in_a_file_beyond_the_budget(tmp_path, small_blocks):
    lines = [f"{letters(i)} {letters(i + 1)}" for i in range(100)]
    path = written(tmp_path, "\n".join(lines))
    tokens = corpus.read_files(path, budget=500, workers=2)
    assert tokens.bytes_in_memory <= 500
    assert documents_of(tokens) == [line.split() for line in lines]


def test_a_generator_is_read_once_and_may_be_larger_than_a_block(small_blocks):
    texts = [f"{LONG} {i} b" * 30 for i in range(3)]
    assert documents_of(corpus.read_texts(iter(texts))) == [words_of(text) for text in texts]


def test_count_words_adds_up_over_shards(tmp_path):
    a, b = written(tmp_path, TEXT, ".xz", "a"), written(tmp_path, "the end", ".gz", "b")
    whole = corpus.count_words([a, b])
    assert whole == corpus.count_words(a) + corpus.count_words(b)
    assert whole == Counter(words_of(TEXT) + ["the", "end"])
    assert corpus.top_words(whole, 4) == [w for w, _ in vocabulary_of([list(whole.elements())], 4)]


def test_any_tokenizer_can_be_used(tmp_path):
    from nltk.tokenize import RegexpTokenizer, wordpunct_tokenize

    path = written(tmp_path, "Don't stop\nna\u00efve Caf\u00e9!", ".zst")
    tokens = corpus.read_files(path, tokenize=wordpunct_tokenize)
    assert documents_of(tokens) == [["Don", "'", "t", "stop"], ["na\u00efve", "Caf\u00e9", "!"]]
    tokens = corpus.read_files(path, tokenize=RegexpTokenizer(r"\w+").tokenize, document="file")
    assert documents_of(tokens) == [["Don", "t", "stop", "na\u00efve", "Caf\u00e9"]]
    tokens = corpus.read_texts(["a  b", " "], tokenize=str.split)
    assert documents_of(tokens) == [["a", "b"]]


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
@pytest.mark.parametrize("damage", ["cut", "flip", "other"])
def test_a_damaged_file_is_named(tmp_path, suffix, damage):
    path = written(tmp_path, "some words " * 5000, suffix)
    data = bytearray(path.read_bytes())
    if damage == "cut":
        data = data[: len(data) // 2]
    elif damage == "flip":
        data[len(data) // 2] ^= 0xFF
    else:
        data = bz2.compress(b"some words")
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"{path.name} is damaged, cut short, or not a {suffix}"):
        corpus.read_files(path)


@pytest.mark.parametrize("tokenize", [None, str.split])
def test_undecodable_bytes_are_found_where_they_are(tmp_path, small_blocks, tokenize):
    path = written(tmp_path, b"line of text\n" * 20 + b"caf\xe9 au lait\n" + b"more\n" * 20)
    message = re.escape("text.txt is not UTF-8 text: byte 263 is 0xe9")
    with pytest.raises(ValueError, match=message):
        corpus.read_files(path, tokenize=tokenize)


def test_undecodable_bytes_separate_words_on_request(tmp_path):
    path = written(tmp_path, b"caf\xe9au \xff\xfflait")
    tokens = corpus.read_files(path, errors="replace", document="file")
    assert documents_of(tokens) == [["caf", "au", "lait"]]
    tokens = corpus.read_files(path, errors="replace", tokenize=str.split)
    assert documents_of(tokens) == [["caf\ufffdau", "\ufffd\ufffdlait"]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: corpus.read_files(f / "none.txt"), FileNotFoundError, "none.txt does not exist"),
        (lambda f: corpus.read_files(f), IsADirectoryError, "is a folder"),
        (lambda f: corpus.read_files([]), ValueError, "no files to read"),
        (lambda f: corpus.read_texts("one text"), TypeError, "received one str"),
        (lambda f: corpus.read_texts(["a", b"b"]), TypeError, "document 1 is a bytes"),
        (lambda f: corpus.read_texts(["a"], tokenize=str.lower), TypeError, "returned one str"),
        (lambda f: corpus.read_texts(["a"], tokenize=lambda t: [1]), TypeError, "must be a str"),
        (lambda f: corpus.read_texts(["a"], tokenize=lambda t: ["a b"]), ValueError, "'a b'"),
        (lambda f: corpus.read_texts(["a"], tokenize=lambda t: [""]), ValueError, "received ''"),
        (lambda f: corpus.top_words(Counter(), 3), ValueError, "has no words"),
        (lambda f: corpus.top_words(Counter("ab"), 3), ValueError, "only 2 different words"),
        (lambda f: corpus.top_words(Counter("ab"), 0), ValueError, "at least 1, received 0"),
        (lambda f: corpus.worker_count(0), ValueError, "at least 1, received 0"),
    ],
)
def test_bad_input_is_explained(tmp_path, call, error, message):
    with pytest.raises(error, match=message):
        call(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"document": "page"}, "'line', 'file', received 'page'"), ({"errors": "x"}, "received 'x'")],
)
def test_unknown_choices_are_explained(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        corpus.read_files(written(tmp_path, "a"), **options)


def test_a_file_without_words_is_refused_while_it_is_read(tmp_path, small_blocks):
    path = written(tmp_path, "gattaca" * 50)
    with pytest.raises(ValueError, match="a run of more than 64 letters at byte 0"):
        corpus.read_files(path)


def test_the_corpus_on_hand_has_the_words_it_says(corpora_dir):
    tokens = corpus.read_files(corpora_dir / "enwiki" / "enwiki-0.txt.xz")
    assert (tokens.n_documents, tokens.n_tokens) == (20_298, 7_341_422)
