"""The tank: names and URLs, children, type hierarchy, versioned canonicals."""

from __future__ import annotations

import pytest

from fhirmap.fhir_types import system_type
from fhirmap.model.definition import FHIR_URL, Definitions, TypeRef
from fhirmap.model.fhir import base_types, type_names


@pytest.fixture(scope="module")
def r4() -> Definitions:
    return Definitions(base_types("R4"))


@pytest.mark.parametrize("name", ["Patient", "FHIR.Patient", FHIR_URL + "Patient", FHIR_URL + "Patient|4.0.1"])
def test_a_structure_is_found_by_any_of_its_names(r4: Definitions, name: str) -> None:
    found = r4.structure(name)
    assert found is not None
    assert (found.url, found.kind, found.fhir_version) == (FHIR_URL + "Patient", "resource", "R4")


def test_a_versioned_url_finds_its_release(r4: Definitions) -> None:
    old = r4.structure("http://hl7.org/fhir/4.0/StructureDefinition/MedicationRequest")
    new = r4.structure("http://hl7.org/fhir/5.0/StructureDefinition/MedicationRequest")
    assert old is not None
    assert new is not None
    assert "reported" in r4.children(old.root)
    assert "reported" in r4.children(new.root)
    assert r4.children(old.root)["reported"].is_choice
    assert not r4.children(new.root)["reported"].is_choice
    assert r4.children(new.root)["subject"].types[0].structure.startswith("http://hl7.org/fhir/5.0/")


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


def test_primitives_have_value_id_and_extension(r4: Definitions) -> None:
    children = r4.children(TypeRef("date", FHIR_URL + "date"))
    assert list(children) == ["id", "extension", "value"]
    assert children["value"].types[0].name == "System.Date"
    assert system_type("code") == "String"
    assert r4.is_primitive("code")
    assert not r4.is_primitive("Coding")


def test_nearest_names(r4: Definitions) -> None:
    procedure = r4.type_ref("Procedure")
    assert r4.nearest("element", "perfomed", inside=procedure) == "performed"
    assert r4.structure("Procedur") is None


@pytest.mark.parametrize(
    ("version", "path", "element", "expected"),
    [
        ("R4", "Procedure", "performed", True),
        ("R5", "Procedure", "performed", False),
        ("R5", "Procedure", "occurrence", True),
        ("R4", "Device.udiCarrier", "carrierHRF", True),
        ("R5", "Attachment", "height", True),
        ("R4", "Attachment", "height", False),
    ],
)
def test_releases_differ(version: str, path: str, element: str, expected: bool) -> None:
    tank = Definitions(base_types(version), fhir_version=version)
    ref = TypeRef(path, FHIR_URL + path.partition(".")[0])
    assert (element in tank.children(ref)) is expected


def test_r4_has_nothing_of_r4b() -> None:
    assert "SubscriptionTopic" in type_names("R4B")
    assert "SubscriptionTopic" not in type_names("R4")
    tank = Definitions(base_types("R4"))
    assert [ref.name for ref in tank.children(TypeRef("ActivityDefinition"))["subject"].types] == [
        "CodeableConcept",
        "Reference",
    ]


@pytest.mark.parametrize(
    ("path", "element", "code"),
    [
        ("Procedure", "status", "entered-in-error"),
        ("Device.udiCarrier", "entryType", "self-reported"),
        ("Observation", "status", "cancelled"),
        ("Questionnaire.item", "type", "open-choice"),
        ("Quantity", "comparator", ">="),
        ("OperationOutcome.issue", "code", "throttled"),
        ("Bundle", "type", "transaction"),
    ],
)
def test_required_codes_are_whole(r4: Definitions, path: str, element: str, code: str) -> None:
    binding = r4.children(TypeRef(path, FHIR_URL + path.partition(".")[0]))[element].binding
    assert binding is not None
    assert binding.codes is not None
    assert code in binding.codes
    assert "+" not in binding.codes
