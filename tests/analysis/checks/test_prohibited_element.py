"""`prohibited_element`: what it reports, and what it does not."""

from __future__ import annotations

import json

import pytest

from fhirmap.analysis.checks.prohibited_element import prohibited_element
from fhirmap.interchange.packages import add_text, load_definitions
from fhirmap.model.definition import Definitions
from tests.analysis.checks.harness import reported, stored

PROFILE = {
    "resourceType": "StructureDefinition",
    "url": "https://example.org/StructureDefinition/without-language",
    "name": "WithoutLanguage",
    "status": "active",
    "kind": "resource",
    "abstract": False,
    "type": "Patient",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
    "derivation": "constraint",
    "differential": {
        "element": [
            {"id": "Patient", "path": "Patient"},
            {"id": "Patient.language", "path": "Patient.language", "max": "0"},
        ]
    },
}


def known() -> Definitions:
    found, _ = load_definitions([])
    assert not add_text(found, json.dumps(PROFILE), "profile.json")
    return found


def profiled(rule: str) -> str:
    return stored(rules=rule).replace("http://hl7.org/fhir/StructureDefinition/Patient", str(PROFILE["url"]))


def test_it_reports() -> None:
    assert reported(prohibited_element, profiled("src -> tgt.language = 'fr';"), known=known()) == ["FM248: language"]


@pytest.mark.parametrize(
    "text", [profiled(""), profiled("src -> tgt.active = true;"), stored(rules="src -> tgt.language = 'fr';")]
)
def test_it_does_not_report(text: str) -> None:
    assert reported(prohibited_element, text, known=known()) == []
