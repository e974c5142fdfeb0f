# ruff: noqa: F811  fixtures are imported by name
"""The explorer of features: its words, overlaps and matches against the package."""

import numpy as np
import pytest
import traitlets
from test_explorers import javascript, read  # noqa: F401

from qw2v import features
from qw2v.explorers import Features
from qw2v.targets import mode_words

WORDS = [a + b for a in "abcdefgh" for b in "ijklm"]
NAMES = ("one", "two", "three")
COUNT = 6


@pytest.fixture(scope="module")
def models():
    rng = np.random.default_rng(0)
    base = np.linalg.qr(rng.standard_normal((40, 8)))[0]
    noise = rng.standard_normal((2, 40, 8))
    near = np.linalg.qr(-base + 0.05 * noise[0])[0]
    return {"one": base, "two": near, "three": np.linalg.qr(noise[1])[0][:, :7]}


@pytest.fixture(scope="module")
def explorer(models):
    return Features(models, WORDS, count=COUNT)


def test_the_page_has_the_overlaps_of_every_pair_both_ways(javascript, explorer, models):
    wanted = [(a, b, k) for a in range(3) for b in range(3) if a != b for k in (1, 4, COUNT)]
    found = javascript(
        explorer,
        "v.wanted.map(([a, b, k]) => m.overlapsOf(v.data, v.count, a, b, k))",
        wanted=wanted,
        count=COUNT,
        data={name: read(explorer, name).ravel().tolist() for name in ("codes", "pairs")},
    )
    for (a, b, k), row in zip(wanted, found, strict=True):
        first, second = (models[NAMES[i]][:, :COUNT] for i in (a, b))
        expected = features.squared_overlaps(first, second)[k - 1]
        np.testing.assert_allclose(row, expected, atol=0.5 / 255 + 1e-9)
        best = javascript(explorer, "m.bestOf(v.row)", row=row)
        assert best["most"] == pytest.approx(expected.max(), abs=0.5 / 255)
        assert expected[best["j"] - 1] == pytest.approx(expected.max(), abs=1 / 255)
        at = a, b, k - 1
        assert read(explorer, "shares")[at] == pytest.approx(expected.sum(), rel=1e-6)
        turned = first[:, k - 1] @ second[:, expected.argmax()]
        assert read(explorer, "signs")[at] == np.sign(turned)


def test_the_page_names_the_same_words(javascript, explorer, models):
    ends = read(explorer, "ends")
    assert ends.shape == (3, COUNT, 2, 8)
    for a, name in enumerate(NAMES):
        for k in (1, COUNT):
            up, down = mode_words(models[name], WORDS, k, n=8)
            assert [explorer.words[i] for i in ends[a, k - 1, 0]] == up
            assert [explorer.words[i] for i in ends[a, k - 1, 1]] == down
    code = (
        "[1, -1].map((sign) => m.endsOf({ ends: Object.assign(Uint16Array.from(v.ends),"
        " { shape: v.shape }) }, v.words, 2, 4, sign))"
    )
    straight, turned = javascript(
        explorer, code, ends=ends.ravel().tolist(), shape=ends.shape, words=explorer.words
    )
    up, down = mode_words(models["three"], WORDS, 4, n=8)
    assert straight == [up, down]
    assert turned == [down, up]


def test_a_still_picture_shows_the_chosen_feature(explorer, models):
    explorer.model, explorer.k = "two", 3
    axes = explorer.still().axes
    assert len(axes) == 2
    heights = [bar.get_height() for bar in axes[0].patches]
    expected = features.squared_overlaps(models["two"][:, :COUNT], models["one"][:, :COUNT])[2]
    np.testing.assert_allclose(heights, expected)


def test_what_is_not_there_is_refused(explorer, models):
    with pytest.raises(traitlets.TraitError, match="model is 'four'; choose one of .*'three'"):
        explorer.model = "four"
    with pytest.raises(traitlets.TraitError, match="k is 7; features are counted from 1 to 6"):
        explorer.k = 7
    with pytest.raises(ValueError, match="count must lie between 1 and 7"):
        Features(models, WORDS, count=8)
    with pytest.raises(ValueError, match=r"two models or more, received \['one'\]"):
        Features({"one": models["one"]}, WORDS, count=2)
