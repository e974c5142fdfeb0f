"""QTI 1.2, as Canvas imports it: an archive with a manifest and one assessment.

Choices and numbers are marked by the system. A formula is compared with its spellings.
"""

import html
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path

from course.questions import Quiz, SelfCheck, plain

QTI = "http://www.imsglobal.org/xsd/ims_qtiasiv1p2"
CONTENT = "http://www.imsglobal.org/xsd/imsccv1p1/imscp_v1p1"
KINDS = {
    "choice": "multiple_choice_question",
    "number": "numerical_question",
    "formula": "short_answer_question",
}


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, f"{{{QTI}}}{tag}", attributes)
    element.text = text or None
    return element


def _material(parent: ET.Element, text: str) -> None:
    body = f"<p>{html.escape(plain(text), quote=False)}</p>"
    _add(_add(parent, "material"), "mattext", body, texttype="text/html")


def _fields(parent: ET.Element, fields: dict[str, str]) -> None:
    metadata = _add(parent, "qtimetadata")
    for label, entry in fields.items():
        pair = _add(metadata, "qtimetadatafield")
        _add(pair, "fieldlabel", label)
        _add(pair, "fieldentry", entry)


def _condition(process: ET.Element, feedback: str, right: bool) -> ET.Element:
    condition = _add(process, "respcondition", **{"continue": "No"})
    variable = _add(condition, "conditionvar")
    _add(condition, "setvar", "100" if right else "0", action="Set", varname="SCORE")
    _add(condition, "displayfeedback", feedbacktype="Response", linkrefid=feedback)
    return variable


def _item(section: ET.Element, check: SelfCheck) -> None:
    item = _add(section, "item", ident=check.name, title=check.name)
    _fields(
        _add(item, "itemmetadata"),
        {"question_type": KINDS[check.kind], "points_possible": "1.0"},
    )
    presentation = _add(item, "presentation")
    _material(presentation, check.text)
    said: dict[str, str] = {}
    if check.kind == "choice":
        response = _add(presentation, "response_lid", ident="response1", rcardinality="Single")
        labels = _add(response, "render_choice")
        for n, choice in enumerate(check.choices, 1):
            _material(_add(labels, "response_label", ident=f"a{n}"), choice.text)
    else:
        response = _add(presentation, "response_str", ident="response1", rcardinality="Single")
        _add(_add(response, "render_fib"), "response_label", ident="answer1")
    process = _add(item, "resprocessing")
    outcomes = _add(process, "outcomes")
    _add(outcomes, "decvar", maxvalue="100", minvalue="0", varname="SCORE", vartype="Decimal")
    if check.kind == "choice":
        for n, choice in enumerate(check.choices, 1):
            variable = _condition(process, f"f{n}", choice.right)
            _add(variable, "varequal", f"a{n}", respident="response1")
            said[f"f{n}"] = choice.feedback
    else:
        _numbers_or_spellings(process, check, said)
    for ident, text in said.items():
        flow = _add(_add(item, "itemfeedback", ident=ident), "flow_mat")
        _material(flow, text)


def _numbers_or_spellings(process: ET.Element, check: SelfCheck, said: dict[str, str]) -> None:
    if check.kind == "number":
        answers = [(float(check.answer), check.right, True)]
        answers += [(float(near.answer), near.feedback, False) for near in check.near]
        for n, (answer, feedback, right) in enumerate(answers):
            margin = check.tolerance * (abs(answer) or 1)
            variable = _condition(process, f"f{n}", right)
            either = _add(variable, "or")
            _add(either, "varequal", f"{answer:.10g}", respident="response1")
            within = _add(either, "and")
            _add(within, "vargte", f"{answer - margin:.10g}", respident="response1")
            _add(within, "varlte", f"{answer + margin:.10g}", respident="response1")
            said[f"f{n}"] = feedback
    else:
        variable = _condition(process, "f0", True)
        for spelling in check.spellings:
            _add(variable, "varequal", spelling, respident="response1")
        said["f0"] = check.right
    _add(_condition(process, "wrong", False), "other")
    said["wrong"] = check.wrong


def assessment(quiz: Quiz) -> bytes:
    """Return a quiz as a QTI 1.2 document."""
    ET.register_namespace("", QTI)
    root = ET.Element(f"{{{QTI}}}questestinterop")
    test = _add(root, "assessment", ident=f"qw2v-{quiz.name}", title=quiz.title)
    _fields(test, {"cc_maxattempts": "unlimited"})
    section = _add(test, "section", ident="root_section")
    for check in quiz.questions:
        _item(section, check)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def write(quiz: Quiz, folder: Path) -> Path:
    """Write the archive of a quiz: its document and the manifest that names it."""
    ident = f"qw2v-{quiz.name}"
    document = assessment(quiz)
    ET.register_namespace("", CONTENT)
    manifest = ET.Element(f"{{{CONTENT}}}manifest", {"identifier": f"{ident}-manifest"})
    metadata = ET.SubElement(manifest, f"{{{CONTENT}}}metadata")
    ET.SubElement(metadata, f"{{{CONTENT}}}schema").text = "IMS Content"
    ET.SubElement(metadata, f"{{{CONTENT}}}schemaversion").text = "1.1.3"
    ET.SubElement(manifest, f"{{{CONTENT}}}organizations")
    resources = ET.SubElement(manifest, f"{{{CONTENT}}}resources")
    kind = {"identifier": ident, "type": "imsqti_xmlv1p2"}
    resource = ET.SubElement(resources, f"{{{CONTENT}}}resource", kind)
    ET.SubElement(resource, f"{{{CONTENT}}}file", {"href": f"{ident}/{ident}.xml"})
    path = folder / f"{quiz.name}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        text = ET.tostring(manifest, encoding="utf-8", xml_declaration=True)
        bundle.writestr("imsmanifest.xml", text)
        bundle.writestr(f"{ident}/{ident}.xml", document)
    return path
