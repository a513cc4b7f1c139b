"""Structures and their elements, found by any of their names."""

from __future__ import annotations

import pytest

from fhirmap.model.definition import FHIR_URL, Definitions, TypeRef
from fhirmap.model.fhir import base_types


@pytest.fixture(scope="module")
def r4() -> Definitions:
    return Definitions(base_types("R4"))


@pytest.mark.parametrize("name", ["Patient", "FHIR.Patient", FHIR_URL + "Patient", FHIR_URL + "Patient|4.0.1"])
def test_a_structure_is_found_by_any_of_its_names(r4: Definitions, name: str) -> None:
    found = r4.structure(name)
    assert found is not None
    assert (found.url, found.kind, found.fhir_version) == (FHIR_URL + "Patient", "resource", "R4")


def test_backbones_are_reached_from_their_element(r4: Definitions) -> None:
    patient = r4.structure("Patient")
    assert patient is not None
    contact = r4.children(patient.root)["contact"]
    assert contact.types[0] == TypeRef("Patient.contact", FHIR_URL + "Patient")
    assert contact.maximum is None
    assert r4.children(contact.types[0])["name"].types[0].name == "HumanName"


def test_a_content_reference_leads_back(r4: Definitions) -> None:
    part = r4.children(TypeRef("Parameters.parameter", FHIR_URL + "Parameters"))["part"]
    assert part.types[0].name == "Parameters.parameter"


def test_choices_have_a_stem_and_json_names(r4: Definitions) -> None:
    value = r4.children(TypeRef("Parameters.parameter", FHIR_URL + "Parameters"))["value"]
    assert value.is_choice
    assert value.path == "Parameters.parameter.value[x]"
    assert {"valueString", "valueDateTime", "valueCodeableConcept", "valueUuid"} <= set(value.json_names())
    found = r4.element(TypeRef("Parameters.parameter", FHIR_URL + "Parameters"), "valueString")
    assert found is not None
    assert found[1] is not None
    assert (found[0].name, found[1].name) == ("value", "string")


@pytest.mark.parametrize(
    ("name", "of", "expected"),
    [
        ("code", "string", True),
        ("positiveInt", "integer", True),
        ("Age", "Quantity", True),
        ("Patient", "DomainResource", True),
        ("Parameters", "DomainResource", False),
        ("Parameters", "Resource", True),
        ("Patient.contact", "BackboneElement", True),
        ("string", "code", False),
        ("NoSuchType", "Element", False),
    ],
)
def test_subtypes(r4: Definitions, name: str, of: str, expected: bool) -> None:
    assert r4.is_subtype(name, of) is expected


def test_nearest_names(r4: Definitions) -> None:
    procedure = r4.type_ref("Procedure")
    assert r4.nearest("element", "perfomed", inside=procedure) == "performed"
    assert r4.structure("Procedur") is None
