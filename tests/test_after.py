"""The page on what came after: counts without pairs of words, WordNet's levels, the figures."""

import numpy as np
import pytest

from qw2v import CorpusStatistics, datasets, features, figures, target

TEXTS = ["king queen throne king crown", "man woman king queen", "queen crown throne"]


@pytest.fixture(scope="module")
def stats():
    return CorpusStatistics.from_texts(TEXTS, vocab_size=6, window=2, progress=False)


@pytest.mark.parametrize(("fill", "value"), [("never", -2.0), ("chance", 0.0)])
def test_deleted_pairs_take_their_value_in_the_target_and_no_other_changes(stats, fill, value):
    apart = features.without_pairs(stats, [("queen", "king"), ("king", "nobody")], fill=fill)
    i, j = stats.index["king"], stats.index["queen"]
    before, after = stats.pair_counts.toarray(), apart.pair_counts.toarray()
    expected = stats.unigram[i] * stats.unigram[j] * before.sum()
    assert after[i, j] == after[j, i] == (0 if fill == "never" else round(expected))
    after[i, j] = after[j, i] = before[i, j]
    np.testing.assert_array_equal(after, before)
    # The total changes with the pair, and one count in a small text is coarse.
    assert target(apart).toarray()[i, j] == pytest.approx(value, abs=0.25)
    assert stats.pair_counts[i, j] == before[i, j]


def test_a_pair_that_never_met_stays_so_and_an_unknown_fill_is_named(stats):
    same = features.without_pairs(stats, [("man", "throne")])
    assert (same.pair_counts != stats.pair_counts).nnz == 0
    with pytest.raises(ValueError, match="fill must be 'never' or 'chance', received 'zero'"):
        features.without_pairs(stats, [], fill="zero")


def test_the_record_of_hypernyms_is_whole():
    record = datasets.load_hypernyms()
    assert record["classes"] == sorted(record["classes"])
    for share in record["explained"].values():
        assert len(share) == len(record["levels"]) and np.all(np.diff(share) > 0)


def test_figures_draw():
    circle = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 6, 12)])
    by_lag = [[2.0 - lag / 6] * 12 for lag in range(7)]
    runs = {"a": (np.arange(5), np.ones((5, 3))), "b": (np.arange(5), np.ones((5, 3)))}
    for figure in (
        figures.after.months_in_a_circle(["january"] * 12, by_lag, circle),
        figures.after.two_optimisers(runs, [3, 2, 1]),
        figures.after.hypernyms({"1-5": [0.1, 1]}, [1, 2]),
    ):
        assert figures.to_svg(figure).startswith("<?xml")
