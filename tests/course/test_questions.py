"""Self-checks: the source is sound, the page judges answers, the exports are read by others."""

import io
import json
import re
import shutil
import subprocess
import sys
import tomllib
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

import numpy as np
import pytest
from course import moodle, qti, questions

ROOT = Path(__file__).resolve().parents[2]
QUIZZES = questions.read_all()
CHECKS = [check for quiz in QUIZZES for check in quiz.questions]
CHAPTERS = sorted(path.stem for path in (ROOT / "chapters").glob("*.ipynb"))
NUMPY = {name: getattr(np, name) for name in ("exp", "log", "sqrt", "tanh", "sinh", "cosh", "abs")}


def _value(expression, point):
    return eval(expression.replace("^", "**"), {"ln": np.log, **NUMPY}, point)


def test_every_chapter_has_two_to_four_questions_in_the_page():
    assert [quiz.name for quiz in QUIZZES] == CHAPTERS
    for quiz in QUIZZES:
        assert 2 <= len(quiz.questions) <= 4, quiz.name
        text = (ROOT / "chapters" / f"{quiz.name}.ipynb").read_text(encoding="utf-8")
        assert f"{{self-checks}} {quiz.name}\\n" in text, quiz.name


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_answers_are_told_apart(check):
    """A right answer is none of the foreseen wrong ones, by value."""
    if check.kind == "number":
        for near in check.near:
            assert abs(near.answer - check.answer) > check.tolerance * (abs(check.answer) or 1)
    if check.kind == "formula":
        rng = np.random.default_rng(0)
        point = {name: rng.uniform(low, high) for name, (low, high) in check.variables.items()}
        right = _value(check.answer, point)
        for near in check.near:
            assert not np.isclose(_value(near.answer, point), right), near
        for spelling in check.spellings:
            if "2t" not in spelling and "2 t" not in spelling:
                assert np.isclose(_value(spelling, point), right), spelling
    assert all(choice.feedback for choice in check.choices)


def test_numbers_of_the_first_chapter_are_what_the_package_counts():
    import qw2v

    stats = qw2v.CorpusStatistics.from_texts(["a b a"], vocab_size=2, window=2)
    a = stats.index["a"]
    first = next(check for check in CHECKS if check.name == "words-1")
    assert stats.pair_counts.toarray()[a, a] == first.answer


@pytest.mark.parametrize("text", ['kind = "essay"', 'kind = "number"\nanswer = 1.0'])
def test_a_broken_question_is_refused(tmp_path, text):
    (tmp_path / "x.toml").write_text(f'title = "T"\n[[question]]\ntext = "Q"\n{text}\n', "utf-8")
    with pytest.raises(ValueError, match="x-1"):
        questions.read_quiz("x", tmp_path)


@pytest.mark.parametrize("quiz", QUIZZES, ids=lambda quiz: quiz.name)
def test_moodle_file_has_what_moodle_asks_for(quiz):
    root = ET.fromstring(moodle.document(quiz))
    assert root.tag == "quiz" and root[0].get("type") == "category"
    for check, question in zip(quiz.questions, list(root)[1:], strict=True):
        assert question.get("type") == moodle.KINDS[check.kind]
        assert question.findtext("name/text") == check.name
        shares = [int(answer.get("fraction")) for answer in question.findall("answer")]
        assert max(shares) == 100 and all(answer.findtext("feedback/text")
                                          for answer in question.findall("answer"))  # fmt: skip
        assert "$" not in question.findtext("questiontext/text")


def _elements(element):
    yield element
    for child in element.get_children():
        if not isinstance(child, str):
            yield from _elements(child)


@pytest.mark.parametrize("quiz", QUIZZES, ids=lambda quiz: quiz.name)
def test_a_reader_of_qti_knows_every_element(quiz):
    """Pyslet reads QTI 1.2 by its specification: what it does not know gets no class of its own."""
    reader = pytest.importorskip("pyslet.qtiv1.xml", reason="pip install 'qw2v[course]'")
    document = reader.QTIDocument()
    document.read(src=io.BytesIO(qti.assessment(quiz)))
    section = next(iter(document.root.get_children())).SectionMixin[0]
    items = section.SectionItemMixin
    assert [item.ident for item in items] == [check.name for check in quiz.questions]
    for item in items:
        for element in _elements(item):
            assert type(element).__module__.startswith("pyslet.qtiv1"), element
        assert item.Presentation and item.ResProcessing and item.ItemFeedback


@pytest.mark.parametrize("quiz", QUIZZES, ids=lambda quiz: quiz.name)
def test_a_reader_of_moodle_finds_the_choices(quiz):
    reader = pytest.importorskip("moodle_xml_parser.parser", reason="pip install 'qw2v[course]'")
    found = reader.parse_bytes(moodle.document(quiz))["multichoice"]
    choices = [check for check in quiz.questions if check.kind == "choice"]
    assert len(found) == len(choices) >= 1
    for theirs, ours in zip(found, choices, strict=True):
        right = [option for option in theirs.options if float(option.score_fraction) == 100]
        assert len(theirs.options) == len(ours.choices) and len(right) == 1


def test_archives_hold_what_their_manifest_names(tmp_path):
    written = questions.export(QUIZZES, tmp_path)
    archives = [path for path in written if path.suffix == ".zip"]
    assert len(archives) == len(QUIZZES)
    for path in archives:
        with zipfile.ZipFile(path) as bundle:
            manifest = ET.fromstring(bundle.read("imsmanifest.xml"))
            files = [file.get("href") for file in manifest.iter(f"{{{qti.CONTENT}}}file")]
            assert files and set(files) <= set(bundle.namelist())


def _text2qti(name):
    """The same questions in the notation of text2qti, a writer of Canvas's QTI that is not ours."""
    quiz = questions.read_quiz(name)
    lines = [f"Quiz title: {quiz.title}", ""]
    for number, check in enumerate(quiz.questions, 1):
        lines.append(f"{number}. {questions.plain(check.text)}")
        if check.kind == "choice":
            for letter, choice in zip("abcd", check.choices, strict=False):
                mark = "*" if choice.right else ""
                lines.append(f"{mark}{letter}) {questions.plain(choice.text)}")
        elif check.kind == "number":
            lines.append(f"= {check.answer:g} +- {check.tolerance * (abs(check.answer) or 1):g}")
        else:
            lines += [f"* {spelling}" for spelling in check.spellings]
        lines.append("")
    return "\n".join(lines)


def _shape(document):
    """What a reader of QTI makes of it: kind, right answers, by item."""
    found = []
    for item in ET.fromstring(document).iter(f"{{{qti.QTI}}}item"):
        fields = {
            pair.findtext(f"{{{qti.QTI}}}fieldlabel"): pair.findtext(f"{{{qti.QTI}}}fieldentry")
            for pair in item.iter(f"{{{qti.QTI}}}qtimetadatafield")
        }
        full = [
            condition
            for condition in item.iter(f"{{{qti.QTI}}}respcondition")
            if (condition.findtext(f"{{{qti.QTI}}}setvar") or "") == "100"
        ]
        labels = [label.get("ident") for label in item.iter(f"{{{qti.QTI}}}response_label")]
        values = [v.text for c in full for v in c.iter(f"{{{qti.QTI}}}varequal")]
        kind = fields["question_type"]
        if kind == "multiple_choice_question":
            values = [labels.index(value) for value in values]
        elif kind == "numerical_question":
            values = [float(value) for value in values]
        found.append((kind, sorted(values)))
    return found


@pytest.mark.parametrize("name", ["derivation", "closed-form", "analogies"])
def test_qti_says_what_another_writer_says(name, tmp_path):
    """text2qti writes the same quiz: items, kinds and right answers must be the same."""
    if shutil.which("text2qti") is None and not (Path(sys.executable).parent / "text2qti").exists():
        pytest.skip("text2qti is not installed: pip install 'qw2v[course]'")
    (tmp_path / "quiz.txt").write_text(_text2qti(name), encoding="utf-8")
    command = Path(sys.executable).parent / "text2qti"
    subprocess.run([command, "quiz.txt"], cwd=tmp_path, check=True, capture_output=True)
    with zipfile.ZipFile(tmp_path / "quiz.zip") as bundle:
        documents = [n for n in bundle.namelist() if n.endswith(".xml") and "meta" not in n]
        theirs = [bundle.read(n) for n in documents if n != "imsmanifest.xml"]
    assert _shape(theirs[0]) == _shape(qti.assessment(questions.read_quiz(name)))


def test_the_source_holds_no_stray_markup():
    for path in (ROOT / "questions").glob("*.toml"):
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        assert json.dumps(table).count("$") % 2 == 0, path.name
        assert not re.search(r"<[a-z]", json.dumps(table)), path.name
