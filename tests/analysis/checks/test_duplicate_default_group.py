"""`duplicate_default_group`: what it reports, and what it does not."""

from __future__ import annotations

from fhirmap.analysis.checks.duplicate_default_group import duplicate_default_group
from tests.analysis.checks.harness import reported

USES = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias P as source
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias T as target
group main(source src : P, target tgt : T) { src.name -> tgt.name; }
"""


def group(name: str, source: str, target: str, mark: str = "types") -> str:
    return f"group {name}(source s : {source}, target t : {target}) <<{mark}>> {{ s.id -> t.id; }}\n"


def test_it_reports() -> None:
    twice = group("one", "HumanName", "HumanName") + group("two", "HumanName", "HumanName", "type+")
    assert reported(duplicate_default_group, USES + twice) == ["FM263: two"]
    by_alias = group("one", "P", "T") + group("two", "Patient", "Patient")
    assert reported(duplicate_default_group, USES + by_alias) == ["FM263: two"]


def test_it_does_not_report() -> None:
    others = group("one", "HumanName", "HumanName") + group("two", "HumanName", "ContactPoint")
    assert reported(duplicate_default_group, USES + others + "group three(source s, target t) { s.id -> t.id; }") == []
