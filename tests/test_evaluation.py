import itertools
import json
import re

import numpy as np
import pytest

from qw2v import datasets
from qw2v.evaluation import evaluate, google_questions
from qw2v.vectors import WordVectors

SMALL = {
    "letters": [("a", "b"), ("c", "d"), ("e", "f"), ("g", "h")],
    "shared": [("a", "z"), ("c", "z"), ("e", "f")],
    "absent": [("x1", "x2"), ("a", "x3")],
}


def random_vectors(seed, words="abcdefghz", dim=3):
    rng = np.random.default_rng(seed)
    return WordVectors(list(words), rng.standard_normal((len(words), dim)))


def cosine(u, v):
    return float(np.dot(u, v) / np.sqrt(np.dot(u, u) * np.dot(v, v)))


def brute_force(vectors, pairs, questions):
    """Count asked, correct and unanswerable by the definition, one candidate at a time."""
    asked = correct = unanswerable = 0
    for a, b, c, d in questions(pairs):
        if not all(word in vectors.words for word in (a, b, c, d)):
            continue
        asked += 1
        unanswerable += d in (a, b, c)
        unit = [vectors[w] / np.linalg.norm(vectors[w]) for w in (a, b, c)]
        query = unit[1] - unit[0] + unit[2]
        candidates = [word for word in vectors.words if word not in (a, b, c)]
        best = max(candidates, key=lambda word: cosine(vectors[word], query))
        correct += best == d
    return asked, correct, unanswerable


def all_ordered_pairs(pairs):
    return [first + second for first, second in itertools.permutations(pairs, 2)]


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("protocol", "questions"), [("pairs", all_ordered_pairs), ("google", google_questions)]
)
def test_analogies_equal_brute_force(seed, protocol, questions):
    vectors = random_vectors(seed)
    report = evaluate(vectors, protocol=protocol, analogies=SMALL, similarities={})
    for row in report.analogies:
        expected = brute_force(vectors, SMALL[row.category], questions)
        assert (row.asked, row.correct, row.unanswerable) == expected


def test_analogies_in_many_blocks_equal_those_in_one(monkeypatch):
    vectors = random_vectors(0)
    whole = evaluate(vectors, analogies=SMALL, similarities={})
    monkeypatch.setattr("qw2v.evaluation.SCORES_AT_ONCE", 20)  # two questions at a time
    assert evaluate(vectors, analogies=SMALL, similarities={}) == whole


def test_pairs_with_an_absent_word_are_dropped_and_counted():
    report = evaluate(random_vectors(1), analogies=SMALL, similarities={})
    letters, shared, absent = report.analogies
    assert (letters.pairs, letters.found, letters.asked) == (4, 4, 12)
    assert (absent.pairs, absent.found, absent.asked, absent.accuracy) == (2, 0, 0, None)
    # a : z :: c : ? wants z, which is left out; likewise c : z :: a : ?.
    assert shared.unanswerable == 2


def test_an_unanswerable_question_is_never_right_even_if_no_other_word_is_left():
    vectors = random_vectors(2, words="acz")
    report = evaluate(vectors, analogies={"one": [("a", "z"), ("c", "z")]}, similarities={})
    assert (report.total.asked, report.total.correct, report.total.unanswerable) == (2, 0, 2)
    assert report.accuracy == 0 and report.total.accuracy_answerable is None


def test_a_perfect_grid_is_answered_completely():
    # Four words on the corners of a grid, far from two others.
    words = ["man", "king", "woman", "queen", "far", "away"]
    rows = [[1, 1, 1], [1, 1, -1], [1, -1, 1], [1, -1, -1], [-1, 0.1, 0], [-1, 0, 0.1]]
    pairs = {"royal": [("man", "king"), ("woman", "queen")]}
    report = evaluate(WordVectors(words, np.array(rows)), analogies=pairs, similarities={})
    assert report.accuracy == report.total.accuracy_answerable == 1


def test_a_repeated_pair_counts_once():
    once = evaluate(random_vectors(3), analogies=SMALL, similarities={})
    twice = {name: pairs * 2 for name, pairs in SMALL.items()}
    assert evaluate(random_vectors(3), analogies=twice, similarities={}) == once


def test_words_are_looked_up_as_spelt_then_in_lower_case():
    pairs = {"capitals": [("Athens", "Greece"), ("Oslo", "Norway")]}
    lower = random_vectors(4, words=["athens", "greece", "oslo", "norway", "x"])
    mixed = random_vectors(4, words=["Athens", "greece", "oslo", "Norway", "athens"])
    for vectors in (lower, mixed):
        assert evaluate(vectors, analogies=pairs, similarities={}).total.asked == 2
    upper = random_vectors(4, words=["ATHENS", "GREECE", "OSLO", "NORWAY", "X"])
    assert evaluate(upper, analogies=pairs, similarities={}).total.asked == 0


def test_the_google_rule_asks_the_next_39_pairs():
    pairs = [(f"a{n}", f"b{n}") for n in range(50)]
    questions = google_questions(pairs)
    assert len(questions) == 50 * 39
    assert [question[2] for question in questions[45 * 39 : 46 * 39]] == [
        f"a{n % 50}" for n in range(46, 85)
    ]


def test_an_unknown_protocol_is_refused():
    with pytest.raises(
        ValueError, match="protocol must be one of 'pairs', 'google'; received 'all'"
    ):
        evaluate(random_vectors(0), protocol="all")


# Similarity


def hand_spearman(x, y):
    """Pearson's correlation of average ranks, ranks counted one by one."""

    def ranks(values):
        return [
            sum(other < value for other in values)
            + (sum(other == value for other in values) + 1) / 2
            for value in values
        ]

    x, y = np.array(ranks(x)), np.array(ranks(y))
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def test_similarity_is_spearmans_correlation_with_ties():
    # Angles from "zero" fix the cosines: 10 and -10 degrees tie.
    angles = {"zero": 0, "ten": 10, "minus": -10, "forty": 40, "right": 90, "back": 170}
    radians = np.deg2rad(list(angles.values()))
    vectors = WordVectors(list(angles), np.column_stack([np.cos(radians), np.sin(radians)]))
    rated = {"ten": 9.0, "minus": 4.0, "forty": 9.0, "right": 5.0, "back": 1.0}
    rows = [("zero", word, rating) for word, rating in rated.items()]
    report = evaluate(vectors, analogies={}, similarities={"mine": rows})
    # Ranks of the cosines 4.5 4.5 3 2 1, of the ratings 4.5 2 4.5 3 1; less their mean, 3,
    # the product is 4.75 and each square 9.5.
    assert report.similarity["mine"] == pytest.approx(4.75 / 9.5)
    assert hand_spearman([4, 4, 3, 2, 1], list(rated.values())) == pytest.approx(4.75 / 9.5)


def test_similarity_counts_the_pairs_found():
    rows = [("a", "b", 1.0), ("c", "d", 2.0), ("e", "f", 3.0), ("a", "nowhere", 4.0)]
    vectors = random_vectors(5)
    (score,) = evaluate(vectors, analogies={}, similarities={"mine": rows}).similarities
    assert (score.pairs, score.found) == (4, 3)
    cosines = [cosine(vectors[a], vectors[b]) for a, b, _ in rows[:3]]
    assert score.spearman == pytest.approx(hand_spearman(cosines, [1.0, 2.0, 3.0]))


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ([], "no pair is in the vocabulary"),
        ([("x", "y", 1.0)], "no pair is in the vocabulary"),
        ([("a", "b", 1.0)], "no ranking to compare"),
        ([("a", "b", 1.0), ("c", "d", 1.0)], "no ranking to compare"),
        ([("a", "b", 1.0), ("a", "b", 2.0)], "no ranking to compare"),
    ],
)
def test_without_a_ranking_the_report_says_so(rows, why):
    report = evaluate(random_vectors(6), analogies={}, similarities={"mine": rows})
    assert report.similarity["mine"] is None
    assert f"mine: {why}." in str(report) and f"mine: {why}." in report._repr_html_()
    assert "nan" not in str(report)


# The report


@pytest.fixture
def report():
    rows = [("a", "b", 1.0), ("c", "d", 2.0), ("e", "f", 3.0)]
    return evaluate(
        random_vectors(7), analogies={"<odd> & co": SMALL["shared"]}, similarities={"mine": rows}
    )


def test_the_report_prints_an_aligned_table_within_80_columns(report):
    lines = str(report).splitlines()
    assert max(map(len, lines)) <= 80
    table = lines[2:8]
    assert table[0] == "Analogies (every pair with every other)"
    assert len({len(line) for line in table[1:]}) == 1
    assert table[4].startswith("<odd> & co") and table[5].startswith("all")
    assert "counted as wrong" in str(report)


def test_the_report_in_a_notebook_is_an_accessible_table(report):
    page = report._repr_html_()
    assert page.count("<table>") == page.count("<caption>") == 2
    assert '<th scope="col">' in page and '<th scope="row">&lt;odd&gt; &amp; co</th>' in page
    assert not re.search(r"<th(?! scope=| *ead)[^e]", page)


def test_the_report_is_ready_for_json(report):
    back = json.loads(json.dumps(report.to_dict()))
    assert back["analogies"][-1]["category"] == "all"
    assert back["analogies"][-1]["asked"] == report.total.asked == 6
    assert back["similarities"][0]["spearman"] == report.similarity["mine"]
    assert back["vocab_size"] == 9 and back["dim"] == 3 and back["protocol"] == "pairs"


def test_a_report_of_nothing_says_so():
    report = evaluate(random_vectors(8), analogies={"none": [("x", "y")]}, similarities={})
    assert report.accuracy is None
    assert "No analogy could be asked" in str(report)


# The shipped lists


def test_the_shipped_words_give_the_known_questions():
    words = datasets.load_statistics().words
    vectors = random_vectors(9, words=words, dim=2)
    pairs, google = evaluate(vectors), evaluate(vectors, protocol="google")
    assert (pairs.total.asked, pairs.total.unanswerable) == (7478, 54)
    assert (google.total.asked, google.total.unanswerable) == (5965, 0)
    assert [(row.found, row.pairs) for row in pairs.similarities] == [(1541, 3000), (263, 353)]
