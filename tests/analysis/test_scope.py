"""Names: a map's own first, then its imports'; a model never hides a FHIR type of the same name elsewhere."""

from __future__ import annotations

from fhirmap.analysis.scope import Scope, concept_map_of
from fhirmap.analysis.typed import Unit
from fhirmap.analysis.workspace import load
from fhirmap.language.parser import parse
from tests.analysis.harness import definitions

TEXT = """\
/// url = 'https://example.org/StructureMap/a'
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias FhirPatient as target
conceptmap "side" {
  prefix s = "urn:s" prefix t = "urn:t"
  unmapped code t:X
  s:D == t:R
}
model Patient { name : string 0..1 other : Thing 0..* }
model Thing { size : integer 0..1 }
group main(source s : Patient, target t : FhirPatient) { s.name as n -> t.id = n; }
"""


def scope(*others: str) -> tuple[Scope, tuple[Unit, ...]]:
    """The names of the map, and of ``others`` beside it."""
    program = load([parse(TEXT, "a.map"), *(parse(text, "b.map") for text in others)])
    names = Scope(definitions())
    names.declare(program.units)
    return names, program.stages


def test_a_model_and_a_fhir_type_of_one_name() -> None:
    names, (unit,) = scope()
    model, fhir = names.type_ref(unit, "Patient"), names.type_ref(unit, "FhirPatient")
    assert model is not None
    assert fhir is not None
    assert list(names.definitions.children(model)) == ["name", "other"]
    assert "birthDate" in names.definitions.children(fhir)
    assert definitions().structure(model.structure) is None, "the caller's definitions stay as they were"


def test_types_of_a_models_elements() -> None:
    names, (unit,) = scope()
    model = names.type_ref(unit, "Patient")
    assert model is not None
    children = names.definitions.children(model)
    assert children["other"].types[0].name == "Thing"
    assert children["other"].is_repeating
    assert children["name"].types[0].structure == "http://hl7.org/fhir/StructureDefinition/string"


def test_a_path_names_a_backbone() -> None:
    names, (unit,) = scope()
    ref = names.type_ref(unit, "Bundle.entry")
    assert ref is not None
    assert "fullUrl" in names.definitions.children(ref)


def test_a_concept_map_of_the_map_looks_like_a_resource() -> None:
    names, (unit,) = scope()
    found = concept_map_of(unit, unit.tree.concept_maps[0])
    (group,) = found.groups
    assert (group.source, group.target, group.unmapped) == ("urn:s", "urn:t", ("fixed", "urn:t|X"))
    assert [(entry.code, entry.relation) for entry in group.elements["D"]] == [("R", "equivalent")]
    assert names.concept_map(unit, "#side") is not None
    assert names.concept_map(unit, "https://example.org/StructureMap/a#side") is not None
    assert names.concept_map(unit, "#other") is None


def test_a_model_of_a_map_that_is_not_imported() -> None:
    other = "group main(source s : Thing, target t) { s.size as n -> t.id = n; }\n"
    names, (first, second) = scope(other)
    assert names.url_to_import(second, "Thing") == "https://example.org/StructureMap/a"
    assert names.url_to_import(second, "Things") is None
    assert names.url_to_import(first, "Thing") is None
