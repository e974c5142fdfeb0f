"""How much is the text: nested parts, their scores, and the curve through them."""

import json
import lzma

import numpy as np
import pytest
import text_share

import qw2v


@pytest.fixture(scope="module")
def shipped():
    return qw2v.load_statistics().restrict(700)


@pytest.fixture(scope="module")
def files(shipped, tmp_path_factory):
    """Two files of articles in which each word is followed by one of its company."""
    folder = tmp_path_factory.mktemp("text")
    rng, words = np.random.default_rng(0), np.array(shipped.words)
    chain = shipped.skipgram.toarray().cumsum(axis=1)
    state, steps = rng.integers(700, size=160), []
    for _ in range(200):
        spot = rng.random(160) * chain[state, -1]
        state = (chain[state] < spot[:, None]).sum(axis=1)
        steps.append(state)
    lines = [" ".join(words[article]) for article in np.array(steps).T]
    paths = [folder / "a.xz", folder / "b.xz"]
    for path, half in zip(paths, (lines[:80], lines[80:]), strict=True):
        path.write_bytes(lzma.compress("\n".join(half).encode()))
    return paths


def test_parts_are_dealt_kept_and_scored_nested(shipped, files, tmp_path, monkeypatch):
    parts = text_share.deal(files, shipped.words, 5, tmp_path, 4)
    whole = qw2v.CorpusStatistics.merge(parts)
    assert whole.n_tokens == 160 * 200
    monkeypatch.setattr(text_share, "lzma", None)  # what was counted is not read again
    again = text_share.deal(files, shipped.words, 5, tmp_path, 4)
    assert [part.fingerprint for part in again] == [part.fingerprint for part in parts]

    found = {}
    for draw, n, counts in text_share.texts(parts, whole, draws=1):
        stats = qw2v.CorpusStatistics.merge(counts)
        assert stats.n_tokens == n * 40 * 200
        for kind in text_share.KINDS:
            row = text_share.scores(stats, kind, dim=8)
            assert row.keys() == set(text_share.SCORES)
            found[f"{kind} {n}/4 draw {draw}"] = {"tokens": stats.n_tokens, **row}
    assert len(found) == 3 * 3
    made = text_share.curves(found, 4, far=1e6, rounds=5)
    assert made.keys() == set(text_share.KINDS)
    for curve in (curve for rows in made.values() for curve in rows.values()):
        low, high = curve["interval"]
        assert low <= high and len(curve["curve"]) == 3
    del found["pmi 2/4 draw 0"]
    assert text_share.curves(found, 4, rounds=1).keys() == {"mstar", "ppmi"}


def test_a_curve_of_the_right_kind_is_foretold():
    tokens = 2.0 ** np.arange(20, 26)
    truth = text_share.rising(tokens / tokens[-1], 0.7, 0.05, 0.4)
    clean = text_share.foretold([[y, y] for y in truth], tokens, far=30 * tokens[-1], rounds=2)
    expected = text_share.rising(30.0, 0.7, 0.05, 0.4)
    np.testing.assert_allclose(clean["curve"], [0.7, 0.05, 0.4], rtol=1e-3)
    assert clean["at_paper"] == pytest.approx(expected, abs=1e-4)
    assert clean["all_foretold_from_a_quarter"] == pytest.approx(truth[-1], abs=1e-4)
    rng = np.random.default_rng(1)
    noisy = [(y + 0.002 * rng.standard_normal(3)).tolist() for y in truth[:-1]] + [[truth[-1]]]
    low, high = text_share.foretold(noisy, tokens, far=30 * tokens[-1], rounds=40)["interval"]
    assert low < expected < high and high - low > 0.002


def test_the_file_is_written_as_it_goes(shipped, tmp_path, monkeypatch):
    monkeypatch.setattr("common.DATA", tmp_path)
    text_share.write({"mstar 1/32 draw 0": {"tokens": 5, "accuracy": 0.5}}, shipped)
    kept = json.loads((tmp_path / "text-share.json").read_text())
    assert kept["statistics"] == shipped.fingerprint and kept["curves"] == {}
