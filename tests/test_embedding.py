"""The closed form's recipes: what they compute, and that the tuned one is the one chosen."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

import qw2v
from qw2v import datasets
from qw2v.embedding import RECIPES, Recipe, closed_form
from qw2v.weighting import ByFrequency, RankOne

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def stats():
    return datasets.load_statistics().restrict(200)


def test_power_and_weighting_by_the_definition(stats):
    g = stats.unigram**0.5
    M = qw2v.target(stats).toarray()
    expected = factorised(M, g, 0.25)
    for options in (
        {"weighting": ByFrequency(0.5), "power": 0.25},
        {"weighting": RankOne(g), "power": 0.25},
        {"recipe": "tuned", "kind": "mstar", "power": 0.25},
        {"recipe": "tuned", "kind": "mstar", "weighting": RankOne(g), "power": 0.25},
    ):
        assert_alike(closed_form(stats, dim=5, **options).matrix, expected)


def test_the_tuned_recipe_by_its_formula(stats):
    ratio = stats.skipgram.toarray() / np.outer(stats.unigram, stats.unigram)
    g = stats.unigram**0.5
    expected = factorised(np.log(ratio + 0.05) - np.log(0.5), g, 0.375)
    assert_alike(closed_form(stats, dim=5, recipe="tuned").matrix, expected)
    bare = np.log(ratio + 1e-25)
    assert_alike(closed_form(stats, dim=5, kind="pmi").matrix, factorised(bare, 1 + 0 * g, 0.5))


def factorised(M, g, power):
    values, modes = np.linalg.eigh(np.sqrt(np.outer(g, g)) * M)
    top = np.argsort(-values)[:5]
    return modes[:, top] * values[top] ** power / np.sqrt(g)[:, None]


def assert_alike(found, expected):
    signs = np.sign(np.sum(found * expected, axis=0))
    np.testing.assert_allclose(found * signs, expected, rtol=1e-7, atol=1e-9)


def test_the_papers_recipe_is_the_default(stats):
    plain = closed_form(stats, dim=5)
    same = closed_form(stats, dim=5, recipe="paper", power=0.5)
    np.testing.assert_array_equal(plain.matrix, same.matrix)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"recipe": "best"}, "recipe must be one of 'paper', 'tuned'; received 'best'"),
        ({"power": float("nan")}, "power must be a finite number; received nan"),
        ({"dim": 0}, "dim must be a whole number between 1 and 200, the number of words"),
        ({"dim": 199}, "positive eigenvalues"),
    ],
)
def test_what_is_no_recipe_is_refused(stats, options, message):
    with pytest.raises(ValueError, match=message):
        closed_form(stats, **{"dim": 5} | options)
    with pytest.raises(ValueError, match="exponent must be a finite number"):
        ByFrequency(float("inf"))


def test_the_tuned_recipe_is_the_one_that_was_chosen():
    record = json.loads(datasets.verify("recipe.json").read_text(encoding="ascii"))
    chosen = record["chosen"]
    experiment = runpy.run_path(str(ROOT / "experiments" / "recipe.py"), run_name="recipe")
    matrix = experiment["MATRICES"][chosen["matrix"]]
    assert RECIPES["tuned"] == Recipe(
        weighting=ByFrequency(chosen["beta"]), power=chosen["power"], **matrix
    )
    assert (chosen["windows"], len(record["rows"])) == ("harmonic, 32", 135)
    assert experiment["choose"](record["rows"]) == chosen
    assert experiment["choose"](record["rows"], "even") == record["other_half"]
    assert experiment["papers"](record["rows"]) == record["paper"]


def test_the_choice_takes_the_most_analogies_of_those_no_worse_on_wordsim():
    experiment = runpy.run_path(str(ROOT / "experiments" / "recipe.py"), run_name="recipe")
    paper = experiment["PAPER"] | {"odd": 0.5, "even": 0.5, "WordSim353": 0.6}
    better = paper | {"power": 0.25, "odd": 0.7, "even": 0.6}
    rows = [paper, better, better | {"odd": 0.9, "even": 0.9, "WordSim353": 0.59}]
    assert experiment["choose"](rows) == experiment["choose"](rows, "even") == better
