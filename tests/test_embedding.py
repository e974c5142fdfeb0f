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
    values, modes = np.linalg.eigh(np.sqrt(np.outer(g, g)) * M)
    top = np.argsort(-values)[:5]
    expected = modes[:, top] * values[top] ** 0.25 / np.sqrt(g)[:, None]
    for options in (
        {"recipe": "tuned"},
        {"weighting": ByFrequency(0.5), "power": 0.25},
        {"weighting": RankOne(g), "power": 0.25},
        {"recipe": "tuned", "weighting": RankOne(g)},
    ):
        found = closed_form(stats, dim=5, **options).matrix
        signs = np.sign(np.sum(found * expected, axis=0))
        np.testing.assert_allclose(found * signs, expected, rtol=1e-8, atol=1e-10)


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
    assert (chosen["alpha"], chosen["shift"]) == (1, 1)
    assert RECIPES["tuned"] == Recipe(ByFrequency(chosen["beta"]), chosen["power"])
    experiment = runpy.run_path(str(ROOT / "experiments" / "recipe.py"), run_name="recipe")
    assert experiment["choose"](record["rows"]) == chosen
    assert len(record["rows"]) == 60
    open_choices = experiment["Open"](0.5, 1.0, 1.0)
    small = datasets.load_statistics().restrict(50)
    P = small.skipgram.toarray()
    grid = np.arange(50)[:, None], np.arange(50)
    for ours, theirs in zip(
        ByFrequency(0.5).psi(small, *grid, P), open_choices.psi(small, *grid, P), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
