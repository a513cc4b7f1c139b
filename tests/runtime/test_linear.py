"""Ten times the items cost ten times the time, and no more: every way a rule can write to one long list."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks import questionnaire
from fhirmap.compilation.maps import compile_map
from tests.work import calls

FEW = 500
MANY = 4 * FEW
BOUND = 4.4

HEAD = """\
uses "http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse" alias QR as source
uses "http://hl7.org/fhir/StructureDefinition/Bundle" alias Bundle as target
uses "http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse" alias Copy as target
conceptmap "units" { prefix s = "urn:x:s" prefix t = "urn:x:t" s:A - t:a }
conceptmap "strict" { prefix s = "urn:x:s" prefix t = "urn:x:t" unmapped error s:A - t:a }
"""
RULES = {
    "first": "src.item as i -> bundle.entry as e first, e.fullUrl = (%i.linkId); src.item as i -> bundle.entry as e, "
    "e.fullUrl = (%i.linkId);",
    "last": "src.item as i -> bundle.entry as e last, e.fullUrl = (%i.linkId); src.item as i -> bundle.entry as e, "
    "e.fullUrl = (%i.linkId);",
    "first-and-empty": "src.item as i -> bundle.entry as e first then { i.text as t -> e.fullUrl = t; };",
    "share": "src.item as i -> bundle.entry as e share x, e.fullUrl = (%i.linkId);",
    "empty": "src.item as i -> bundle.entry as e then { i.text as t -> e.fullUrl = t; };",
    "unmapped": "src.item as i -> bundle.entry as e then { "
    "i.linkId as l -> e.fullUrl = translate(l, '#units', 'code'); };",
    "faults": "src.item as i -> bundle.entry as e then { "
    "i.linkId as l -> e.fullUrl = translate(l, '#strict', 'code'); };",
    "notes": "src.item as i log (linkId) -> bundle.entry as e, e.fullUrl = (%i.linkId);",
    "references": "src.item as i -> bundle.entry as e, e.resource = create('Copy') as t, e.fullUrl = pointer(t) then { "
    "i.linkId as l -> t.status = 'completed'; };",
    "copies": "src -> bundle.entry as e then { "
    "src -> e.resource = create('Copy') as t then { src.item -> t.item; }; };",
}


def work(transform: Any, items: int) -> int:
    held = [{"linkId": f"i{number}", "answer": [{"valueString": "a"}]} for number in range(items)]
    content = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": held}
    return calls(lambda: transform(content))


@pytest.mark.parametrize("name", RULES)
def test_a_list_of_many_items(name: str) -> None:
    text = f"{HEAD}group main(source src : QR, target bundle : Bundle) {{ {RULES[name]} }}\n"
    transform = compile_map(text, validate=False)
    few, many = work(transform, FEW), work(transform, MANY)
    assert many / few < BOUND, (few, many)


def test_a_questionnaire_validated() -> None:
    transform = compile_map(questionnaire.MAP)
    few, many = work(transform, FEW), work(transform, MANY)
    assert many / few < BOUND, (few, many)
