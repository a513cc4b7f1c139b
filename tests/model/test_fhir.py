"""The base types of each release."""

from __future__ import annotations

import pytest

from fhirmap.fhir_types import system_type
from fhirmap.model.definition import FHIR_URL, Definitions, TypeRef
from fhirmap.model.fhir import base_types, type_names


@pytest.fixture(scope="module")
def r4() -> Definitions:
    return Definitions(base_types("R4"))


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


def test_primitives_have_value_id_and_extension(r4: Definitions) -> None:
    children = r4.children(TypeRef("date", FHIR_URL + "date"))
    assert list(children) == ["id", "extension", "value"]
    assert children["value"].types[0].name == "System.Date"
    assert system_type("code") == "String"
    assert r4.is_primitive("code")
    assert not r4.is_primitive("Coding")


@pytest.mark.parametrize(
    ("version", "path", "element", "expected"),
    [
        ("R4", "Procedure", "performed", True),
        ("R5", "Procedure", "performed", False),
        ("R5", "Procedure", "occurrence", True),
        ("R4", "Device.udiCarrier", "carrierHRF", True),
        ("R5", "Attachment", "height", True),
        ("R4", "Attachment", "height", False),
        ("STU3", "Patient", "animal", True),
        ("R4", "Patient", "animal", False),
        ("STU3", "ProcedureRequest", "intent", True),
    ],
)
def test_releases_differ(version: str, path: str, element: str, expected: bool) -> None:
    definitions = Definitions(base_types(version), fhir_version=version)
    ref = TypeRef(path, FHIR_URL + path.partition(".")[0])
    assert (element in definitions.children(ref)) is expected


def test_r4_has_nothing_of_r4b() -> None:
    assert "SubscriptionTopic" in type_names("R4B")
    assert "SubscriptionTopic" not in type_names("R4")
    definitions = Definitions(base_types("R4"))
    assert [ref.name for ref in definitions.children(TypeRef("ActivityDefinition"))["subject"].types] == [
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


R4_ALONE = (
    *("EffectEvidenceSynthesis", "MedicinalProduct", "MedicinalProductAuthorization"),
    *("MedicinalProductContraindication", "MedicinalProductIndication", "MedicinalProductIngredient"),
    *("MedicinalProductInteraction", "MedicinalProductManufactured", "MedicinalProductPackaged"),
    *("MedicinalProductPharmaceutical", "MedicinalProductUndesirableEffect", "RiskEvidenceSynthesis"),
    *("SubstanceAmount", "SubstanceNucleicAcid", "SubstancePolymer", "SubstanceProtein"),
    *("SubstanceReferenceInformation", "SubstanceSourceMaterial", "SubstanceSpecification"),
)


def test_r4_has_what_r4b_dropped() -> None:
    assert set(R4_ALONE) <= set(type_names("R4"))
    assert not set(R4_ALONE) & set(type_names("R4B"))


def test_evidence_is_that_of_its_release(r4: Definitions) -> None:
    ours, later = r4.children(TypeRef("Evidence")), Definitions(base_types("R4B")).children(TypeRef("Evidence"))
    assert {"exposureBackground", "outcome"} <= set(ours)
    assert "exposureBackground" not in later
    assert "variableDefinition" in later
    assert "variableDefinition" not in ours
    variable = r4.children(TypeRef("EvidenceVariable.characteristic", FHIR_URL + "EvidenceVariable"))
    assert [ref.name for ref in variable["definition"].types] == [
        "Reference", "canonical", "CodeableConcept", "Expression", "DataRequirement", "TriggerDefinition",
    ]  # fmt: skip
    assert variable["definition"].minimum == 1


@pytest.mark.parametrize("version", ["R4", "R4B", "R5"])
def test_a_capability_statement_may_name_any_media_type(version: str) -> None:
    binding = Definitions(base_types(version)).children(TypeRef("CapabilityStatement"))["format"].binding
    assert binding is None or binding.codes is None


def test_what_the_package_adds_is_left_out(r4: Definitions) -> None:
    assert "url" not in r4.children(TypeRef("Binary"))
    assert not {"account", "author", "project"} & set(r4.children(TypeRef("Meta")))
    assert r4.children(TypeRef("Patient"))["id"].types[0].name == "id"


@pytest.mark.parametrize(
    ("version", "path", "element", "code", "holds"),
    [
        ("STU3", "Task", "priority", "routine", True),
        ("STU3", "Task", "priority", "normal", False),
        ("STU3", "RequestGroup", "intent", "directive", False),
        ("STU3", "DeviceRequest", "status", "unknown", True),
        ("R4", "Endpoint", "status", "test", True),
        ("R4B", "SubscriptionStatus", "status", "entered-in-error", False),
        ("R5", "Endpoint", "status", "test", False),
        ("R5", "Contract", "status", "zork", False),
        ("R5", "DeviceUsage", "status", "not-done", True),
        ("R5", "Bundle.entry.search", "mode", "outcome", True),
        ("R5", "ElementDefinition.slicing.discriminator", "type", "pattern", True),
    ],
)
def test_required_bindings_are_those_of_the_release(
    version: str, path: str, element: str, code: str, holds: bool
) -> None:
    definitions = Definitions(base_types(version), fhir_version=version)
    binding = definitions.children(TypeRef(path, FHIR_URL + path.partition(".")[0]))[element].binding
    assert binding is not None
    assert binding.codes is not None
    assert (code in binding.codes) is holds
