"""Moodle XML: one category a chapter, with feedback to every answer."""

import html
import xml.etree.ElementTree as ET
from pathlib import Path

from course.questions import Quiz, SelfCheck, plain

KINDS = {"choice": "multichoice", "number": "numerical", "formula": "shortanswer"}


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    ET.SubElement(element, "text").text = text
    return element


def _set(text: str) -> str:
    return f"<p>{html.escape(plain(text), quote=False)}</p>"


def _answer(question: ET.Element, share: int, text: str, feedback: str) -> ET.Element:
    answer = _text(question, "answer", text, fraction=str(share))
    _text(answer, "feedback", _set(feedback), format="html")
    return answer


def _question(quiz: ET.Element, check: SelfCheck) -> None:
    question = ET.SubElement(quiz, "question", {"type": KINDS[check.kind]})
    _text(question, "name", check.name)
    _text(question, "questiontext", _set(check.text), format="html")
    ET.SubElement(question, "defaultgrade").text = "1"
    if check.kind == "choice":
        ET.SubElement(question, "single").text = "true"
        ET.SubElement(question, "shuffleanswers").text = "true"
        ET.SubElement(question, "answernumbering").text = "abc"
        for choice in check.choices:
            answer = _answer(question, 100 * choice.right, _set(choice.text), choice.feedback)
            answer.set("format", "html")
        return
    if check.kind == "number":
        answers = [(100, float(check.answer), check.right)]
        answers += [(0, float(near.answer), near.feedback) for near in check.near]
        for share, value, feedback in answers:
            answer = _answer(question, share, f"{value:.10g}", feedback)
            margin = check.tolerance * (abs(value) or 1)
            ET.SubElement(answer, "tolerance").text = f"{margin:.10g}"
    else:
        ET.SubElement(question, "usecase").text = "0"
        for spelling in check.spellings:
            _answer(question, 100, spelling.replace("*", r"\*"), check.right)
    _answer(question, 0, "*", check.wrong)


def document(quiz: Quiz) -> bytes:
    """Return a quiz as a Moodle XML document."""
    root = ET.Element("quiz")
    category = ET.SubElement(root, "question", {"type": "category"})
    _text(category, "category", f"$course$/word2vec in closed form/{quiz.title}")
    for check in quiz.questions:
        _question(root, check)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def write(quiz: Quiz, folder: Path) -> Path:
    """Write a quiz as a file that Moodle's question bank imports."""
    path = folder / f"{quiz.name}.xml"
    path.write_bytes(document(quiz))
    return path
