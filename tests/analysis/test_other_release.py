"""Elements and types that another release of FHIR has: the hint names the release."""

from __future__ import annotations

import pytest

from fhirmap.compilation.program import check_maps
from fhirmap.diagnostics import Diagnostic

MAP = """uses "http://hl7.org/fhir/StructureDefinition/Patient" alias P as source
uses "http://hl7.org/fhir/StructureDefinition/{target}" alias T as target
group g(source s : P, target t : T) {{
  {rule}
}}
"""


def errors(rule: str, target: str = "MedicationRequest", release: str | None = None) -> list[Diagnostic]:
    found = check_maps(MAP.format(rule=rule, target=target), fhir_version=release).diagnostics
    return [entry for entry in found if entry.is_error or entry.code == "FM117"]


@pytest.mark.parametrize(
    ("rule", "target", "release"),
    [
        ("s.animal as a -> t.id = 'x';", "MedicationRequest", "STU3"),
        ("s.id as v -> t.context as c, c.reference = v;", "MedicationRequest", "STU3"),
        ("s where (animal.exists()) -> t.id = 'a';", "MedicationRequest", "STU3"),
        ("s.id as v -> t.id = (%s.animal.species.text);", "MedicationRequest", "STU3"),
        ("s -> t.actualPeriod as p, p.start = '2025';", "Encounter", "R5"),
        ("s -> t.participant as p, p.actor as a;", "Encounter", "R5"),
        ("s.id as v -> t.id = v;", "BodySite", "STU3"),
        ("s -> t.contained = create('BodySite') as c;", "Patient", "STU3"),
    ],
)
def test_the_hint_names_the_release(rule: str, target: str, release: str) -> None:
    found = errors(rule, target)
    assert found
    assert all(f"--fhir-version {release}" in entry.hint_text for entry in found), [e.hint_text for e in found]
    assert not errors(rule, target, release)


@pytest.mark.parametrize("rule", ["s.birthdate as v -> t.id = v;", "s.foo as v -> t.id = v;", "s -> t.texte as x;"])
def test_a_name_of_no_release_is_only_misspelt(rule: str) -> None:
    (found,) = errors(rule)
    assert "--fhir-version" not in found.hint_text


def test_a_versioned_structure_means_its_release() -> None:
    text = MAP.format(rule="s.animal as a -> t.id = 'x';", target="Patient")
    text = text.replace("fhir/StructureDefinition", "fhir/4.0/StructureDefinition")
    (found,) = [entry for entry in check_maps(text).diagnostics if entry.is_error]
    assert "--fhir-version" not in found.hint_text


def test_a_model_of_the_map_has_no_release() -> None:
    text = "model Patient { id : string }\ngroup g(source s : Patient, target t) { s.animal as v -> t.a = v; }\n"
    (found,) = [entry for entry in check_maps(text).diagnostics if entry.is_error]
    assert "--fhir-version" not in found.hint_text
