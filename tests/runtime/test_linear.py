"""Ten times the items cost ten times the time, and no more: every way a rule can write to one long list."""

from __future__ import annotations

import gc
import time
from typing import Any

import pytest

from benchmarks import questionnaire
from fhirmap.embedding import compile_map

FEW = 2_000
MANY = 10 * FEW
BOUND = 30.0
"""In times of the few: far from the hundred of something quadratic, and from what a busy machine adds."""

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
    "copies": "src -> bundle.entry as e then { "
    "src -> e.resource = create('Copy') as t then { src.item -> t.item; }; };",
}


def seconds(transform: Any, items: int) -> float:
    held = [{"linkId": f"i{number}", "answer": [{"valueString": "a"}]} for number in range(items)]
    content = {"resourceType": "QuestionnaireResponse", "status": "completed", "item": held}
    # As `timeit` does: what the collector does depends on the whole process.
    gc.disable()
    try:
        times = []
        for _ in range(3):
            started = time.process_time()
            transform(content)
            times.append(time.process_time() - started)
    finally:
        gc.enable()
    return min(times)


@pytest.mark.parametrize("name", RULES)
def test_a_list_of_many_items(name: str) -> None:
    text = f"{HEAD}group main(source src : QR, target bundle : Bundle) {{ {RULES[name]} }}\n"
    transform = compile_map(text, validate=False)
    few, many = seconds(transform, FEW), seconds(transform, MANY)
    assert many / few < BOUND, (few, many)


def test_a_questionnaire_validated() -> None:
    transform = compile_map(questionnaire.MAP)
    few, many = (questionnaire.seconds(transform, items, 2) for items in (1_000, 10_000))
    assert many / few < BOUND, (few, many)
