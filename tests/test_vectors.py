import gzip
import os
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from qw2v.vectors import UnknownWordError, WordVectors

WORDS = ["king", "queen", "man", "woman", "table"]


@pytest.fixture
def vectors():
    # Two axes with a meaning (royal, female) and one for furniture.
    rows = [[1, 0, 0], [1, 1, 0], [0.1, -1, 0], [0.1, 1, 0], [0, 0, 3]]
    return WordVectors(WORDS, np.array(rows))


# What the words can hold in word2vec's formats, and any float32 that is a number.
CONTROLS = "".join(map(chr, range(32))) + "\x7f"
words = st.text(
    st.characters(exclude_characters=" " + CONTROLS, codec="utf-8"), min_size=1, max_size=8
)
singles = st.floats(width=32, allow_nan=False, allow_infinity=False)


@st.composite
def word_vectors(draw, dtype=np.float32, elements=singles, words=words, dims=(1, 4)):
    names = draw(st.lists(words, min_size=1, max_size=5, unique=True))
    shape = (len(names), draw(st.integers(*dims)))
    return WordVectors(names, draw(hnp.arrays(dtype, shape, elements=elements)))


def same(one, other):
    return one.words == other.words and np.array_equal(one.matrix, other.matrix)


# The object


def test_it_is_a_container_of_words(vectors):
    assert len(vectors) == 5 and "queen" in vectors and "sofa" not in vectors
    assert list(vectors) == WORDS
    assert vectors.index["man"] == 2 and vectors.dim == 3
    np.testing.assert_array_equal(vectors["queen"], [1, 1, 0])
    assert repr(vectors) == "WordVectors(5 words x 3, float64: king, queen, man, ...)"


def test_it_cannot_be_changed_by_accident(vectors):
    with pytest.raises(ValueError, match="read-only"):
        vectors["king"][0] = 5
    with pytest.raises(AttributeError):
        vectors.words = []
    with pytest.raises(ValueError, match="read-only"):
        vectors.normalized[0] = 0


def test_f22g_the_callers_array_stays_writable_and_changes_nothing():
    matrix = np.ones((2, 2))
    locked = matrix.view()
    locked.flags.writeable = False
    vectors = [WordVectors(["a", "b"], array) for array in (matrix, locked, matrix[:, :1])]
    matrix[0] = 2
    assert all((v.matrix == 1).all() for v in vectors)


def test_normalized_rows_have_length_one_at_any_scale():
    rows = np.array([[3.0, 4.0], [3e200, 4e200], [3e-200, 4e-200], [0.0, 0.0]])
    unit = WordVectors(list("abcd"), rows).normalized
    np.testing.assert_allclose(unit, [[0.6, 0.8]] * 3 + [[0, 0]], rtol=1e-15)
    assert WordVectors(["a"], np.array([[300.0, 400.0]], dtype=np.float16)).normalized[0, 1] == (
        np.float32(0.8)
    )


def test_restrict_keeps_the_first_words(vectors):
    assert same(vectors.restrict(2), WordVectors(WORDS[:2], vectors.matrix[:2]))
    for wrong in (0, 6):
        with pytest.raises(ValueError, match=f"vocab_size is {wrong}; choose between 1 and 5"):
            vectors.restrict(wrong)


@pytest.mark.parametrize(
    ("names", "matrix", "message"),
    [
        (["a"], np.ones((2, 2)), r"1 words, matrix of shape \(2, 2\)"),
        (["a", "b"], np.ones(2), r"2 words, matrix of shape \(2,\)"),
        ([], np.ones((0, 3)), "at least one number for each word"),
        (["a"], np.ones((1, 0)), "at least one number for each word"),
        (["a"], np.array([["x"]]), "real numbers are needed"),
        (["a"], np.array([[1j]]), "real numbers are needed"),
        (["a", "b"], np.array([[1.0], [np.nan]]), r"'b' \(row 1\) holds NaN or infinity \(1 such"),
        (["a", "b", "a"], np.ones((3, 2)), r"'a' stands in rows \[0, 2\]"),
        (["a", float("nan")], np.ones((2, 2)), r"words\[1\] is nan; each must be a string"),  # F22d
        (["a", ""], np.ones((2, 2)), r"words\[1\] is ''; each must be a string, not empty"),
    ],
)
def test_f22d_bad_words_or_numbers_are_refused(names, matrix, message):
    with pytest.raises(ValueError, match=message):
        WordVectors(names, matrix)


def test_an_npz_with_an_empty_word_is_refused(tmp_path):
    """Found by fuzzing; no text holds such a word, and no other format takes it."""
    path = tmp_path / "empty.npz"
    np.savez(path, words=np.array(["a", ""]), matrix=np.ones((2, 2)))
    with pytest.raises(ValueError, match=r"empty.npz.* words\[1\] is ''"):
        WordVectors.load(path)


# Unknown words


def test_an_unknown_word_is_a_key_error_that_offers_near_spellings(vectors):
    with pytest.raises(KeyError) as caught:
        vectors["quene"]
    assert isinstance(caught.value, UnknownWordError)
    assert str(caught.value) == "'quene' is not among the 5 words. Near spellings: 'queen'."
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("word", ["zzzz", 7, ["king"]])
def test_an_unknown_word_without_near_spellings_says_so(vectors, word):
    with pytest.raises(UnknownWordError, match="No word of it is spelt like this one"):
        vectors[word]


def test_a_word_in_capitals_finds_its_lower_case(vectors):
    with pytest.raises(UnknownWordError, match="Near spellings: 'king'"):
        vectors.most_similar("King")


# Neighbours


def test_most_similar_ranks_by_cosine_and_leaves_the_word_out(vectors):
    found = vectors.most_similar("queen", topn=4)
    assert [word for word, _ in found] == ["woman", "king", "table", "man"]
    assert found[1][1] == pytest.approx(np.sqrt(0.5))


def test_most_similar_takes_a_vector_and_words_to_leave_out(vectors):
    assert vectors.most_similar(np.array([2, 2, 0]), topn=1) == [("queen", pytest.approx(1))]
    assert vectors.most_similar([2.0, 2.0, 0.0], 1, exclude=["queen"])[0][0] == "woman"
    assert vectors.most_similar("queen", 1, exclude="woman")[0][0] == "king"


def test_more_neighbours_than_words_gives_all(vectors):
    assert len(vectors.most_similar("queen", topn=100)) == 4


def test_ties_go_to_the_earlier_word():
    ones = WordVectors([f"w{row}" for row in range(40)], np.ones((40, 2)))
    assert [word for word, _ in ones.most_similar("w1", 3)] == ["w0", "w2", "w3"]


@pytest.mark.parametrize(
    ("query", "topn", "message"),
    [
        ("queen", 0, "topn is 0; ask for at least one word"),
        (np.ones(2), 1, r"shape \(2,\); a word, or 3 finite numbers"),
        (np.array([1, np.nan, 0]), 1, "3 finite numbers"),
        (np.zeros(3), 1, "zero vector, which has no direction"),
    ],
)
def test_a_bad_query_is_refused(vectors, query, topn, message):
    with pytest.raises(ValueError, match=message):
        vectors.most_similar(query, topn)


def test_analogy_man_is_to_king_as_woman_is_to_queen(vectors):
    (word, score), *_ = vectors.analogy("man", "king", "woman", topn=2)
    assert word == "queen"
    unit = {w: v / np.linalg.norm(v) for w, v in zip(WORDS, vectors.matrix, strict=True)}
    query = unit["king"] - unit["man"] + unit["woman"]
    assert score == pytest.approx(query @ unit["queen"] / np.linalg.norm(query))


def test_analogy_never_answers_with_a_word_of_the_question(vectors):
    assert {word for word, _ in vectors.analogy("man", "king", "woman", 9)} == {"queen", "table"}
    with pytest.raises(UnknownWordError, match="'kin'"):
        vectors.analogy("man", "kin", "woman")


# Files: there and back


@settings(max_examples=60)
@given(vectors=word_vectors(), binary=st.booleans())
def test_word2vec_format_gives_single_precision_back_exactly(tmp_path_factory, vectors, binary):
    path = tmp_path_factory.mktemp("w2v") / "v"
    vectors.save_word2vec_format(path, binary=binary)
    assert same(WordVectors.load_word2vec_format(path, binary=binary), vectors)


@settings(max_examples=60)
@given(vectors=word_vectors(dims=(8, 12)), binary=st.booleans())
def test_text_and_binary_are_told_apart(tmp_path_factory, vectors, binary):
    path = tmp_path_factory.mktemp("w2v") / "v"
    vectors.save_word2vec_format(path, binary=binary)
    assert same(WordVectors.load_word2vec_format(path), vectors)


def test_a_binary_row_of_printable_bytes_is_still_binary(tmp_path):
    # 0.747 is b"????" in single precision, 0.74 is b"\xa4p=?".
    printable = WordVectors(["0"], np.full((1, 8), np.frombuffer(b"????", "<f4")[0]))
    printable.save_word2vec_format(tmp_path / "v", binary=True)
    assert same(WordVectors.load_word2vec_format(tmp_path / "v"), printable)


@settings(max_examples=60)
@given(
    vectors=word_vectors(
        np.float64,
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(min_size=1, max_size=8),  # NUL and lone surrogates among them
    )
)
def test_npz_gives_everything_back(tmp_path_factory, vectors):
    path = tmp_path_factory.mktemp("npz") / "v.npz"
    vectors.save(path)
    back = WordVectors.load(path)
    assert same(back, vectors) and back.matrix.dtype == np.float64


@settings(max_examples=200)
@given(body=st.binary(max_size=60))
def test_any_bytes_after_a_header_are_vectors_or_a_value_error(tmp_path_factory, body):
    path = tmp_path_factory.mktemp("junk") / "v"
    path.write_bytes(b"2 3\n" + body)
    try:
        assert WordVectors.load_word2vec_format(path).matrix.shape == (2, 3)
    except ValueError as error:
        assert str(path) in str(error)


@pytest.mark.parametrize("binary", [False, True])
def test_limit_reads_the_first_words(vectors, tmp_path, binary):
    vectors.save_word2vec_format(tmp_path / "v", binary=binary)
    assert WordVectors.load_word2vec_format(tmp_path / "v", limit=2).words == WORDS[:2]
    assert len(WordVectors.load_word2vec_format(tmp_path / "v", limit=99)) == 5
    with pytest.raises(ValueError, match="limit is 0"):
        WordVectors.load_word2vec_format(tmp_path / "v", limit=0)


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_ours_and_we_read_gensims(vectors, tmp_path, binary):
    gensim = pytest.importorskip("gensim.models")
    vectors.save_word2vec_format(tmp_path / "ours", binary=binary)
    theirs = gensim.KeyedVectors.load_word2vec_format(tmp_path / "ours", binary=binary)
    assert theirs.index_to_key == vectors.words
    np.testing.assert_array_equal(theirs.vectors, vectors.matrix.astype(np.float32))
    theirs.save_word2vec_format(str(tmp_path / "theirs"), binary=binary)
    back = WordVectors.load_word2vec_format(tmp_path / "theirs")
    np.testing.assert_array_equal(back.matrix, theirs.vectors)
    assert sorted(back.words) == sorted(vectors.words)


def test_text_as_the_c_tool_writes_it_has_a_space_before_the_newline(tmp_path):
    (tmp_path / "v").write_bytes(b"2 2\n</s> 0.5 -1.000000 \nthe 1e-3 2 \n")
    back = WordVectors.load_word2vec_format(tmp_path / "v")
    assert back.words == ["</s>", "the"]
    np.testing.assert_array_equal(back.matrix, np.float32([[0.5, -1], [1e-3, 2]]))


# Files: what is refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with b''; the word2vec format starts with two positive"),
        (b"the cat sat\n", "or at once with a word and its numbers .GloVe"),
        (b"0 3\n", "two positive numbers"),
        (b"9000000000 300\nthe 1\n", "announces 9,000,000,000 words of 300 numbers, too many"),
        (b"3 2\na 1.25 2.25\nb 1.25 2.25\n", "ends after 2 of the 3 words"),
        (b"2 2\na 1 2\nb 1\n", "line 3, b'b 1.n': 2 items; a word and the 2 numbers"),
        (b"2 2\na 1 2\nb 1 2 3\n", "4 items; a word and the 2"),
        (b"1 3\na 1 2 x\n", "line 2, word b'a': could not convert string to float"),
        (b"2 2\na 1 2\nb 1 x\n", "line 3, word b'b': could not convert string to float"),
        (b"2 2\na 1 2\nb 1 nan\n", r"The vector of 'b' \(row 1\) holds NaN"),
        (b"2 2\na 1 2\nb 1 1e99\n", r"The vector of 'b' \(row 1\) holds NaN or infinity"),
        (b"2 2\na 1 2\na 3 4\n", r"The word 'a' stands in rows \[0, 1\]"),
        (b"1 2\na 1 2\nb 3 4\n", "goes on after the 1 words that its header announces"),
        (b"2 2\na 1 2\n\xff\xfe 3 4\n", r"word 2, .* is not UTF-8 .* errors=\"replace\""),
    ],
)
def test_a_bad_text_file_is_refused_with_its_place(tmp_path, content, message):
    (tmp_path / "v").write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        WordVectors.load_word2vec_format(tmp_path / "v")
    assert str(tmp_path / "v") in str(caught.value)


def test_words_that_are_not_utf8_can_be_let_through(tmp_path):
    (tmp_path / "v").write_bytes(b"2 2\na 1 2\nb\xff 3 4\n")
    back = WordVectors.load_word2vec_format(tmp_path / "v", errors="replace")
    assert back.words == ["a", "b\N{REPLACEMENT CHARACTER}"]


def test_a_truncated_binary_file_is_refused(vectors, tmp_path):
    vectors.save_word2vec_format(tmp_path / "v", binary=True)
    whole = (tmp_path / "v").read_bytes()
    for size in range(len(whole) - 1):
        (tmp_path / "v").write_bytes(whole[:size])
        with pytest.raises(ValueError, match="cut short|word2vec format starts"):
            WordVectors.load_word2vec_format(tmp_path / "v", binary=True)
    (tmp_path / "v").write_bytes(whole + b"more")
    with pytest.raises(ValueError, match="goes on after the 5 words"):
        WordVectors.load_word2vec_format(tmp_path / "v", binary=True)


@pytest.mark.parametrize("word", ["new york", "tab\t", "line\n", "\ud800", "bell\x07"])
@pytest.mark.parametrize("binary", [False, True])
def test_words_the_format_cannot_hold_are_refused_and_nothing_is_written(tmp_path, word, binary):
    odd = WordVectors(["fine", word], np.ones((2, 2)))
    (tmp_path / "v").write_text("before")
    with pytest.raises(ValueError, match="white space|cannot be written as UTF-8|control"):
        odd.save_word2vec_format(tmp_path / "v", binary=binary)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("v", "before")]


def test_f5_numbers_beyond_single_precision_are_refused(tmp_path):
    big = WordVectors(["a"], np.array([[1e200]]))
    with pytest.raises(ValueError, match=r"1e\+200, does not fit single precision"):
        big.save_word2vec_format(tmp_path / "v")
    small = WordVectors(["a", "b"], np.array([[1.0], [1e-200]]))
    with pytest.raises(ValueError, match=r"'b', 1e-200, does not fit single precision"):
        small.save_word2vec_format(tmp_path / "v")
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("damage", ["empty", "truncated", "text", "other", "pickle"])
def test_faults_15_a_damaged_npz_is_refused(vectors, tmp_path, damage):
    path = tmp_path / "v.npz"
    vectors.save(path)
    whole = path.read_bytes()
    if damage == "other":
        np.savez(path, counts=np.ones(3))
    elif damage == "pickle":
        np.savez(path, words=np.array(WORDS, dtype=object), matrix=vectors.matrix)
    else:
        content = {"empty": b"", "truncated": whole[:-30], "text": b"5 3\nking 1 2 3\n"}
        path.write_bytes(content[damage])
    with pytest.raises(ValueError, match="not a file written by WordVectors.save"):
        WordVectors.load(path)


def test_a_missing_file_is_named(tmp_path):
    for load in (WordVectors.load, WordVectors.load_word2vec_format):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            load(tmp_path / "nowhere")


# gensim's names, and gensim itself


def test_gensims_names_are_ours(vectors):
    assert vectors.index_to_key == WORDS and vectors.key_to_index["man"] == 2
    assert vectors.vectors is vectors.matrix and vectors.vector_size == vectors.dim == 3
    assert vectors.similarity("king", "queen") == pytest.approx(np.sqrt(0.5))
    assert vectors.doesnt_match(["queen", "woman", "king", "table"]) == "table"
    with pytest.raises(UnknownWordError, match="'kin'"):
        vectors.similarity("king", "kin")
    with pytest.raises(ValueError, match="two words or more; received .'king'."):
        vectors.doesnt_match(["king"])


def test_they_answer_as_gensim_does(vectors):
    keyed = pytest.importorskip("gensim.models").KeyedVectors
    theirs = vectors.to_keyed_vectors()
    assert isinstance(theirs, keyed) and theirs.index_to_key == WORDS
    single = WordVectors(WORDS, vectors.matrix.astype(np.float32))
    assert same(WordVectors.from_keyed_vectors(theirs), single)
    for query in (
        {"positive": ["king", "woman"], "negative": ["man"]},
        {"positive": "queen"},
        {"positive": ["king", np.array([0.6, 0.8, 0.0])]},
        {"negative": ["table"]},
    ):
        ours, gensims = (v.most_similar(**query, topn=2) for v in (vectors, theirs))
        assert [word for word, _ in ours] == [word for word, _ in gensims]
        np.testing.assert_allclose([s for _, s in ours], [s for _, s in gensims], atol=1e-6)
    assert theirs.doesnt_match(WORDS[1:]) == vectors.doesnt_match(WORDS[1:])
    assert theirs.similarity("king", "queen") == pytest.approx(vectors.similarity("king", "queen"))
    model = type("Model", (), {"wv": theirs})
    assert same(WordVectors.from_keyed_vectors(model), single)


def test_f22f_several_words_are_a_sum_at_any_dimension():
    flat = WordVectors(
        ["king", "queen", "crown", "table"], np.array([[1, 0], [0, 1], [1, 1], [-1, 0]])
    )
    assert flat.most_similar(["king", "queen"], topn=1) == [("crown", pytest.approx(1))]
    assert flat.most_similar([1.0, 1.0], topn=1)[0][0] == "crown"
    for query, message in (
        ([], "query is empty"),
        ([["king"], ["queen"]], "is not of numbers"),
        ({"king": "queen"}, None),
        (np.ones((2, 3)), "shape"),
    ):
        if message is None:
            assert flat.most_similar(query, topn=1)  # its keys
        else:
            with pytest.raises(ValueError, match=message):
                flat.most_similar(query)


@pytest.mark.parametrize(
    "query",
    [
        np.full(3, 300, np.float16),
        np.full(3, 1e20, np.float32),
        np.full(3, 1e200),
        np.full(3, 5e-324),
        np.full(3, 7, np.uint8),
    ],
)
def test_f5_a_query_of_any_scale_has_its_direction(vectors, query):
    found = vectors.most_similar(query)
    assert found == [(word, pytest.approx(s)) for word, s in vectors.most_similar(np.ones(3))]
    assert found[0][1] > 0.8


def test_words_without_a_vector_of_their_own_are_not_distinct():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((60, 5)).astype(np.float32)
    matrix[20:30] = matrix[20] * (1 + 1e-7 * rng.standard_normal((10, 5)))
    matrix[40] = 0
    matrix[50] = 2 * matrix[51]  # the same direction, but another vector
    distinct = WordVectors([str(n) for n in range(60)], matrix).distinct
    assert np.flatnonzero(~distinct).tolist() == [*range(20, 30), 40]


# Files as they are found


def test_f3_readable_rows_are_text_and_a_bad_one_is_named(tmp_path):
    path = tmp_path / "v"
    path.write_bytes(b"2 2\nthe 1,5 0,2\nof 0,1 1,0\n")
    with pytest.raises(ValueError, match=r"line 2, word b'the': could not convert .*'1,5'"):
        WordVectors.load_word2vec_format(path)
    path.write_bytes(b"2 3\n\nthe 0.1 0.2 0.3\n\n  \nof 0.2 0.1 0.4\n\n")
    assert WordVectors.load_word2vec_format(path).words == ["the", "of"]
    path.write_bytes(b"1 2\nthe cat 0.1\n")
    with pytest.raises(ValueError, match="line 2, word b'the': could not convert .*'cat'"):
        WordVectors.load_word2vec_format(path)


@pytest.mark.parametrize("newline", [b"", b"\n"])
def test_f4_binary_words_with_spaces_are_refused(tmp_path, newline):
    rows = np.random.default_rng(0).standard_normal((4, 3)).astype("<f4")
    words = [b"the", b"new york", b"of", b"and"]
    body = b"".join(w + b" " + r.tobytes() + newline for w, r in zip(words, rows, strict=True))
    (tmp_path / "v").write_bytes(b"4 3\n" + body)
    message = "holds control characters|no newline follows|holds a space|is not UTF-8"
    with pytest.raises(ValueError, match=message):
        WordVectors.load_word2vec_format(tmp_path / "v", binary=True)


@pytest.mark.parametrize("binary", [False, True])
def test_f19_gz_is_known_by_its_content(vectors, tmp_path, binary):
    vectors.save_word2vec_format(tmp_path / "v.gz", binary=binary)
    vectors.save_word2vec_format(tmp_path / "v", binary=binary)
    packed = (tmp_path / "v.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / "v").read_bytes()
    (tmp_path / "v").write_bytes(packed)
    assert WordVectors.load_word2vec_format(tmp_path / "v").words == WORDS
    for end in range(3, len(packed) - 1, 7):
        (tmp_path / "v").write_bytes(packed[:end])
        with pytest.raises(ValueError, match="cut short"):
            WordVectors.load_word2vec_format(tmp_path / "v")


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (b"BZh91AY", "packed by bzip2: unpack it first"),
        (b"\xfd7zXZ\0", "packed by xz"),
        (b"PK\x03\x04", "read it with WordVectors.load"),
        (b"\xba\x16\x4f\x2f", "whole fastText model: give its .vec file"),
        (b"\x80\x04\x95", "looks like a pickle, which is not read"),
    ],
)
def test_other_files_are_named(tmp_path, start, message):
    (tmp_path / "v").write_bytes(start + bytes(50))
    with pytest.raises(ValueError, match=message):
        WordVectors.load_word2vec_format(tmp_path / "v")


def test_f20_a_headerless_file_as_gloves_are(vectors, tmp_path):
    vectors.save_word2vec_format(tmp_path / "v")
    (tmp_path / "glove").write_bytes((tmp_path / "v").read_bytes().partition(b"\n")[2])
    back = WordVectors.load_word2vec_format(tmp_path / "glove")
    assert back.words == WORDS
    np.testing.assert_array_equal(back.matrix, vectors.matrix.astype(np.float32))
    assert WordVectors.load_word2vec_format(tmp_path / "glove", limit=2).words == WORDS[:2]
    with pytest.raises(ValueError, match="starts with b'king 1"):
        WordVectors.load_word2vec_format(tmp_path / "glove", binary=True)


ODD_ROWS = b"""a 1 2
b 1
c 1 2 3
d x 2
e 1_0 2
f nan 2
g 1e99 2
h 1e-99 1e-99
\xff 1 2
bell\x07 1 2
a 5 6
z 3 4
"""


@pytest.mark.parametrize("header", [b"", b"12 2\n"])
def test_f20_malformed_rows_and_duplicates_by_option(tmp_path, header):
    path = tmp_path / "v"
    path.write_bytes(header + ODD_ROWS)
    with pytest.raises(ValueError, match="b'b 1.n': 2 items; a word and the 2 numbers"):
        WordVectors.load_word2vec_format(path)
    with pytest.raises(ValueError, match=r"The word 'a' stands in rows \[0, 1\]"):
        WordVectors.load_word2vec_format(path, malformed="skip")
    with pytest.warns(UserWarning) as told:
        found = WordVectors.load_word2vec_format(path, malformed="skip", duplicates="first")
    assert found.words == ["a", "z"] and found.matrix.tolist() == [[1, 2], [3, 4]]
    first, second = (str(warning.message) for warning in told)
    assert f"{path}: passed over 9 rows malformed, the first: {path}, line" in first
    assert second == f"{path}: passed over 1 rows of words that stand above"
    limited = WordVectors.load_word2vec_format(path, limit=1)
    assert limited.words == ["a"]


@pytest.mark.parametrize("line", [*ODD_ROWS.splitlines()[1:10]])
def test_each_malformed_row_is_refused_with_its_place(tmp_path, line):
    (tmp_path / "v").write_bytes(b"first 1 2\n" + line + b"\n")
    with pytest.raises(ValueError, match=f"{tmp_path}/v, line 2"):
        WordVectors.load_word2vec_format(tmp_path / "v")


def test_vectors_are_read_from_a_pipe(vectors, tmp_path):
    vectors.save_word2vec_format(tmp_path / "v")
    reader, writer = os.pipe()
    os.write(writer, (tmp_path / "v").read_bytes())
    os.close(writer)
    assert WordVectors.load_word2vec_format(f"/dev/fd/{reader}").words == WORDS
    os.close(reader)


def test_f22c_one_long_word_costs_its_letters(tmp_path):
    words = ["x" * 3_000, *map(str, range(20_000))]
    WordVectors(words, np.ones((len(words), 1), np.float16)).save(tmp_path / "v.npz")
    assert (tmp_path / "v.npz").stat().st_size < 400_000
    assert WordVectors.load(tmp_path / "v.npz").words == words


def test_words_as_numpys_strings_are_read_too(tmp_path):
    np.savez(tmp_path / "v.npz", words=np.array(WORDS), matrix=np.eye(5))
    assert WordVectors.load(tmp_path / "v.npz").words == WORDS


@pytest.mark.parametrize("words", [b"{}", b"[1, 2]", b'"ab"', b"[" * 9_999, b"[1", b'["a", "a"]'])
def test_words_that_are_no_list_of_words_are_refused(tmp_path, words):
    np.savez(tmp_path / "v.npz", words=np.frombuffer(words, np.uint8), matrix=np.eye(2))
    with pytest.raises(ValueError, match=r"v\.npz"):
        WordVectors.load(tmp_path / "v.npz")
