"""FHIR XML written and read back, logical models with name spaces, attributes, xsi:type and text."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from fhirmap.interchange.packages import load_definitions
from fhirmap.interchange.xml_reader import read_xml
from fhirmap.interchange.xml_writer import write_xml
from fhirmap.model.definition import Definitions
from fhirmap.model.fhir import base_types

R4 = Definitions(base_types("R4"))
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p1",
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">A <b>b</b></div>'},
    "contained": [{"resourceType": "Organization", "id": "o", "name": 'A & B <C> "d"'}],
    "extension": [{"url": "urn:x", "valueDecimal": Decimal("1.50")}],
    "active": True,
    "name": [
        {
            "id": "n1",
            "family": "Durand",
            "given": ["Anne", None],
            "_given": [None, {"extension": [{"url": "urn:y", "valueCode": "z"}]}],
        }
    ],
    "birthDate": "1954-06",
    "_birthDate": {"id": "b"},
    "multipleBirthInteger": 2,
    "contact": [{"relationship": [{"text": "x"}]}],
}


def test_fhir_goes_to_xml_and_back() -> None:
    text = write_xml(PATIENT, R4)
    assert read_xml(text, R4) == PATIENT
    root = ElementTree.fromstring(text)
    tags = [entry.tag.rpartition("}")[2] for entry in root]
    assert tags[:4] == ["id", "text", "contained", "extension"]
    assert 'value="1.50"' in text


def test_elements_are_in_the_structure_s_order() -> None:
    shuffled = {"birthDate": "1954", "resourceType": "Patient", "active": False, "id": "x"}
    root = ElementTree.fromstring(write_xml(shuffled, R4))
    assert [entry.tag.rpartition("}")[2] for entry in root] == ["id", "active", "birthDate"]


@pytest.fixture(scope="module")
def cda(shared_dir: Path) -> Definitions:
    definitions, diagnostics = load_definitions([shared_dir / "fml" / "suite" / "official" / "cda"])
    assert diagnostics == ()
    return definitions


def same(left: ElementTree.Element, right: ElementTree.Element) -> bool:
    return (
        left.tag == right.tag
        and left.attrib == right.attrib
        and (left.text or "").strip() == (right.text or "").strip()
        and len(left) == len(right)
        and all(same(one, other) for one, other in zip(left, right, strict=True))
    )


@pytest.mark.parametrize(
    ("file", "node"),
    [
        ("qr2cda-res.xml", {"title": {"dataString": "Hello CDA"}}),
        ("qr2cdaxsi-res.xml", {"code": {"code": "1", "translation": [{"code": "1"}]}}),
    ],
)
def test_the_official_cda_outputs(cda: Definitions, shared_dir: Path, file: str, node: dict[str, Any]) -> None:
    expected = (shared_dir / "fml" / "suite" / "official" / "r5" / file).read_text(encoding="utf-8")
    text = write_xml(node, cda, cda.structure("ClinicalDocument"))
    assert same(ElementTree.fromstring(text), ElementTree.fromstring(expected.encode()))
    assert read_xml(expected.encode(), cda) == node


def test_an_attribute_of_another_name_space(cda: Definitions) -> None:
    node = {"code": {"code": "1", "sdtcDisplayName": "One"}}
    text = write_xml(node, cda, cda.structure("ClinicalDocument"))
    assert 'xmlns:sdtc="urn:hl7-org:sdtc"' in text
    assert 'sdtc:displayName="One"' in text
    assert read_xml(text.encode(), cda) == node


def test_the_guide_s_bundle_survives_xml(shared_dir: Path) -> None:
    path = shared_dir / "renacot" / "examples" / "r4" / "Bundle-PG-procedure-device.json"
    bundle = json.loads(path.read_text(encoding="utf-8"))
    assert read_xml(write_xml(bundle, R4).encode(), R4) == bundle


def test_text_is_escaped() -> None:
    node = {"resourceType": "Basic", "id": "x", "code": {"text": "<&\"'>\n"}}
    assert read_xml(write_xml(node, R4), R4)["code"]["text"] == "<&\"'>\n"


def test_nothing_of_a_resource_is_left_out() -> None:
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": {"resourceType": "Unheard", "value": "a\x00b"}},
            {"resource": {"resourceType": "Basic"}},
        ],
    }
    root = ElementTree.fromstring(write_xml(bundle, R4))
    space = "{http://hl7.org/fhir}"
    found = [child.tag.removeprefix(space) for child in root.findall(f"{space}entry/{space}resource/*")]
    assert found == ["Unheard", "Basic"]
    value = root.find(f"{space}entry/{space}resource/{space}Unheard/{space}value")
    assert value is not None
    assert value.attrib == {"value": "a\N{REPLACEMENT CHARACTER}b"}


def test_narrative_that_is_no_markup_does_not_break_the_document() -> None:
    node = {"resourceType": "Basic", "text": {"status": "generated", "div": "<div>5 < 6</div>"}}
    root = ElementTree.fromstring(write_xml(node, R4))
    found = root.find("{http://hl7.org/fhir}text/{http://www.w3.org/1999/xhtml}div")
    assert found is not None
    assert found.text == "5 < 6"


@pytest.mark.parametrize("odd", [None, 1, [], {}, [None], "x", [[]], {"value": 1}])
def test_values_of_another_shape_are_written_all_the_same(odd: Any) -> None:
    for name in ("name", "_birthDate", "birthDate", "extension", "contained", "text"):
        ElementTree.fromstring(write_xml({"resourceType": "Patient", name: odd}, R4))
