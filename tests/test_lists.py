"""Own analogies and ratings, in the layouts that are about."""

import math

import numpy as np
import pytest

from qw2v import datasets, lists
from qw2v.evaluation import evaluate
from qw2v.vectors import WordVectors

QUESTION = ("man", "king", "woman", "queen")


def write(folder, name, text):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


# Analogies


@pytest.mark.parametrize(
    "text",
    [
        "man king woman queen\n",
        "# a comment\n\nman\tking\twoman\tqueen\n",
        "man,king,woman,queen\n",
        "a;b;c;d\nman;king;woman;queen\n",
        "word1,word2,word3,word4\r\nman,king,woman,queen\r\n",
        '\ufeff"man","king","woman","queen"',
    ],
)
def test_questions_in_every_layout(tmp_path, text):
    assert lists.analogies(write(tmp_path, "mine.txt", text)) == {"mine": [QUESTION]}


def test_categories_of_a_file(tmp_path):
    google = ": royal\nman king woman queen\n: capitals\nParis France Rome Italy\n:empty\n"
    expected = {"royal": [QUESTION], "capitals": [("Paris", "France", "Rome", "Italy")]}
    assert lists.analogies(write(tmp_path, "google.txt", google)) == expected
    table = "category,a,b\nroyal,man,king\ncapitals,Paris,France\nroyal,woman,queen\n"
    assert lists.analogies(str(write(tmp_path, "table.csv", table))) == {
        "royal": [("man", "king"), ("woman", "queen")],
        "capitals": [("Paris", "France")],
    }
    before = "man king\n: capitals\nParis France\n"
    assert list(lists.analogies(write(tmp_path, "mixed.txt", before))) == ["mixed", "capitals"]


def test_the_shipped_list_in_googles_own_layout_gives_the_same_scores(tmp_path):
    from qw2v.evaluation import google_questions

    rng = np.random.default_rng(0)
    pairs = datasets.load_google_analogies()["family"]
    words = [word for pair in pairs for word in pair]
    vectors = WordVectors(list(dict.fromkeys(words)), rng.standard_normal((len(set(words)), 9)))
    text = ": family\n" + "".join(" ".join(q) + "\n" for q in google_questions(pairs))
    path = write(tmp_path, "questions-words.txt", text)
    ours = evaluate(vectors, protocol="google", analogies={"family": pairs}, similarities={})
    theirs = evaluate(vectors, analogies=path, similarities={})
    assert (ours.total.asked, ours.total.correct) == (theirs.total.asked, theirs.total.correct)
    assert ours.total.pairs == theirs.total.pairs


def test_frames_and_rows():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"relation": ["royal"], "x": ["man"], "y": ["king"]})
    assert lists.analogies(frame) == {"royal": [("man", "king")]}
    four = pandas.DataFrame([QUESTION])
    assert lists.analogies(four) == {"analogies": [QUESTION]}
    assert lists.analogies({"royal": four, "rows": [np.array(["a", "b"])]}) == {
        "royal": [QUESTION],
        "rows": [("a", "b")],
    }
    assert lists.analogies(iter([QUESTION])) == {"analogies": [QUESTION]}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            {"x": [("a", "b", "c")]},
            r"category 'x', row 1: 3 words, .*a pair \(a, b\) or a question",
        ),
        ({"x": [("a", "b"), QUESTION]}, "row 2: 4 words after rows of 2"),
        ({"x": [("a", 1)]}, r"row 1: \('a', 1\) are not all words"),
        ({"x": [("a", " ")]}, "are not all words"),
        ({"x": ["ab"]}, r"row 1 must be words, as in \('man', 'king'\); received 'ab'"),
        ({"x": 3}, "a list must be rows of words; received 3"),
        (7, "received 7"),
    ],
)
def test_what_is_no_analogy_is_refused_with_its_place(source, message):
    with pytest.raises(ValueError, match=message):
        lists.analogies(source)


def test_a_file_that_is_no_list_is_refused(tmp_path):
    with pytest.raises(ValueError, match="mine.txt, row 2: 3 words"):
        lists.analogies(write(tmp_path, "mine.txt", "man king\na b c\n"))
    with pytest.raises(ValueError, match="is not UTF-8"):
        lists.analogies(write(tmp_path, "mine.txt", b"man k\xf6nig\n"))
    with pytest.raises(FileNotFoundError):
        lists.analogies(tmp_path / "nowhere")


def test_questions_are_asked_as_they_stand():
    rows = np.array([[1.0, 1], [1, 2], [-1, 1], [-1, 2]])
    vectors = WordVectors(["man", "king", "woman", "queen"], rows)
    report = evaluate(vectors, analogies=[QUESTION, QUESTION], similarities={})
    assert (report.total.pairs, report.total.asked, report.total.correct) == (2, 1, 1)


# Ratings

SUN = [("sun", "light", 4.5), ("sun", "ice", 0.5)]


@pytest.mark.parametrize(
    "text",
    [
        "sun light 4.5\nsun ice 0.5\n",
        "sun\tlight\t4.5\nsun\tice\t0.5\n",
        "Word 1,Word 2,Human (mean)\nsun,light,4.50\nsun,ice,.5\n",
        "sun;light;4.5\nsun;ice;0.5\n",
        "word1\tword2\tPOS\tSimLex999\tconc(w1)\nsun\tlight\tN\t4.5\t9\nsun\tice\tN\t0.5\t9\n",
        "id,word1,POS1,word2,POS2,mean\n1,sun,n,light,n,4.5\n2,sun,n,ice,n,0.5\n",
        "sun-n light-n 4.5\nsun-n ice-n 0.5\n",
        "sun\tlight\t4.5\tSYNONYM\nsun\tice\t0.5\tNONE\n",
    ],
)
def test_ratings_in_every_layout(tmp_path, text):
    assert lists.ratings(write(tmp_path, "mine.txt", text)) == SUN


def test_missing_ratings_are_nan_and_frames_are_taken():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"one": ["sun", "sun", "sun"], "tag": ["N"] * 3, "other": ["light", "ice", "day"],
         "rating": [4.5, 0.5, math.nan]}
    )  # fmt: skip
    found = lists.ratings(frame)
    assert found[:2] == SUN and math.isnan(found[2][2])
    vectors = WordVectors(
        ["sun", "light", "ice", "day"], np.array([[1.0, 0], [1, 1], [-1, 1], [1, 2]])
    )
    report = evaluate(vectors, analogies={}, similarities={"mine": frame})
    (score,) = report.similarities
    assert (score.pairs, score.found, score.unrated) == (
        2,
        2,
        1,
    ) and score.spearman == pytest.approx(1)
    assert "mine: 1 pairs have no rating." in str(report)


def test_several_files_are_named_after_themselves(tmp_path):
    paths = [
        write(tmp_path, name, "sun light 4.5\nsun ice 0.5\n") for name in ("one.tsv", "two.txt")
    ]
    assert lists.named_ratings(paths) == {"one": SUN, "two": SUN}
    assert lists.named_ratings(paths[0]) == {"one": SUN}
    assert lists.named_ratings(SUN) == {"ratings": SUN}
    assert lists.ratings([]) == []


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([("a", "b")], "2 columns of words and 0 of numbers"),
        ([("a", 1.0, 2.0)], "1 columns of words and 2 of numbers"),
        ([("a", "b", 1.0), ("a", "b")], "row 1: 3 columns, .* the last row has 2"),
        ([("a", "b", 1.0), (None, "b", 2.0)], "row 2: .* are not two words"),
    ],
)
def test_what_is_no_rating_is_refused(rows, message):
    with pytest.raises(ValueError, match=message):
        lists.ratings(rows)


# What evaluate makes of them


def test_m7_with_the_question_words_the_answer_often_is_one_of_them():
    rows = np.array([[1.0, 0], [1, 0.05], [0, 1], [-0.3, 1]])
    vectors = WordVectors(["man", "king", "woman", "queen"], rows)
    kept = evaluate(vectors, analogies=[QUESTION], similarities={}, exclude_question_words=False)
    left = evaluate(vectors, analogies=[QUESTION], similarities={})
    assert (left.accuracy, kept.accuracy) == (1, 0)
    assert kept.to_dict()["exclude_question_words"] is False
    assert "the words of the question not left out" in str(kept)
    shared = [("man", "king"), ("woman", "king")]  # its answers are among the words left out
    totals = [
        evaluate(vectors, analogies={"x": shared}, similarities={}, exclude_question_words=keep)
        for keep in (True, False)
    ]
    assert [report.total.unanswerable for report in totals] == [2, 0]


def test_f6_words_that_never_occur_count_as_absent():
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((6, 4))
    matrix[3:5] = matrix[3]
    matrix[5] = 0
    vectors = WordVectors(list("abcdef"), matrix)
    pairs = {"x": [("a", "b"), ("c", "a"), ("d", "e"), ("a", "f")]}
    report = evaluate(
        vectors, analogies=pairs, similarities={"y": [("d", "e", 1.0), ("a", "b", 2.0)]}
    )
    assert (report.total.found, report.similarities[0].found, report.indistinct) == (2, 1, 3)
    assert "3 words count as absent" in str(report)
