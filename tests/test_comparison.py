"""The page that holds this book's numbers against the paper's says what the files say."""

import json
import re
import tomllib
from pathlib import Path

import pytest
import yaml

import qw2v
from qw2v import comparison, datasets

ROOT = Path(__file__).resolve().parent.parent
QUOTED = tomllib.loads((ROOT / "data" / "paper.toml").read_text(encoding="utf-8"))
RESULTS = json.loads((ROOT / "data" / "results.json").read_text(encoding="utf-8"))
FIGURES = ["Figure 1", "Figure 2", "Figure 3a", "Figure 3b", "Figure 4", "Figure 5", "Figure 6"]
FIGURES += ["Figure 7", "Figure 8", "Appendix A.2", "Appendix A.6"]


def test_every_figure_and_table_of_the_paper_has_its_group():
    places = " | ".join(group["place"] for group in QUOTED["groups"])
    assert [name for name in FIGURES if not re.search(rf"\b{name}\b", places)] == []


def test_every_group_leads_to_a_page_and_gives_a_reason():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    pages = {page["file"] for part in toc["parts"] for page in part["chapters"]}
    for group in comparison.groups():
        assert group.page in pages
        assert len(group.why) > 40, group.title
        assert f'href="{group.page}.html"' in group._repr_html_()


def test_a_missing_result_is_named_with_its_path():
    with pytest.raises(KeyError, match=r"no .text.pages. \(stuck at .pages.\).*results.py"):
        comparison.look_up({"text": {"tokens": 1}}, "text.pages")


@pytest.mark.parametrize(
    "paper, ours, form, difference",
    [
        (0.5, 0.48, ".1%", "−2.0"),
        (2.0e9, 5.0e7, ",.0f", "÷ 40.0"),
        (0.70, 0.75, ".3f", "+0.050"),
        (10.0, 30.0, ",.0f", "× 3.0"),
        (0.221, 0.527, ".3f", "+0.306"),
        ("one at a time", 0.3, ".2f", ""),
    ],
)
def test_differences(paper, ours, form, difference):
    assert comparison.Row("x", paper, ours, form).cells()[3] == difference


def test_recorded_results_are_what_the_package_computes():
    stats = qw2v.load_statistics()
    assert RESULTS["statistics"] == stats.fingerprint
    assert RESULTS["text"]["tokens"] == stats.n_tokens
    report = qw2v.evaluate(qw2v.closed_form(stats, dim=200))
    kept = RESULTS["closed_form"]["mstar"]
    assert report.accuracy == pytest.approx(kept["analogies"], abs=5e-4)  # a few near ties
    assert report.similarity["MEN"] == pytest.approx(kept["MEN"], abs=1e-4)


def test_results_are_listed_with_their_sums():
    assert {"paper.toml", "results.json"} <= set(datasets.checksums())


def test_scores_on_parts_of_the_text_end_at_those_of_all_of_it():
    share = comparison.text_share()
    for kind in ("mstar", "ppmi", "pmi"):
        for score, name in (("accuracy", "analogies"), ("MEN", "MEN"), ("kept", "kept")):
            tokens, found = share.points(kind, score)[-1]
            assert tokens == RESULTS["text"]["tokens"]
            assert found == pytest.approx(RESULTS["closed_form"][kind][name], abs=5e-4)
            low, high = share.curves[kind][score]["interval"]
            assert low <= share.curves[kind][score]["at_paper"] <= high
    assert share.paper["mstar"]["accuracy"] == 0.663 and share.paper["pmi"]["kept"] is None
    assert share._repr_html_().count('<th scope="row">') == 12
