"""Shapes: choices, patterns, base types, bindings and slices that cannot be checked."""

from __future__ import annotations

from typing import Any

from fhirmap.compiler.validator.build import lower_contract
from fhirmap.compiler.validator.contract import Contract
from fhirmap.diagnostics import MapText
from fhirmap.interchange.packages import add_resource, load_definitions
from tests.compiler.validator.contracts import profiled, reported, text_of, validator


def test_slicing_a_choice_and_patterns() -> None:
    known, _ = load_definitions([])
    profile = {
        "resourceType": "StructureDefinition",
        "url": "urn:obs",
        "name": "Obs",
        "kind": "resource",
        "type": "Observation",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": "Observation", "path": "Observation"},
                {
                    "id": "Observation.code",
                    "path": "Observation.code",
                    "patternCodeableConcept": {"coding": [{"system": "urn:s", "code": "w"}]},
                },
                {"id": "Observation.valueQuantity", "path": "Observation.valueQuantity"},
                {"id": "Observation.valueQuantity.unit", "path": "Observation.valueQuantity.unit", "min": 1},
                {"id": "Observation.subject", "path": "Observation.subject", "max": "0"},
            ]
        },
    }
    assert add_resource(known, profile, MapText("obs.json", "")) == []
    validate = validator(Contract(known, ("urn:obs",)))
    resource: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:s", "code": "w", "display": "W"}, {"system": "urn:t", "code": "v"}]},
        "valueQuantity": {"value": 1, "unit": "kg"},
    }
    assert validate(resource) == []
    resource["valueQuantity"].pop("unit")
    resource["code"]["coding"].pop(0)
    resource["subject"] = {"reference": "Patient/1"}
    assert sorted(reported(validate(resource))) == [
        ("FM504", "required", "Observation.value.unit"),
        ("FM505", "cardinality", "Observation.subject"),
        ("FM510", "pattern", "Observation.code"),
    ]


def test_a_base_type_alone_is_a_contract() -> None:
    known, _ = load_definitions([])
    validate = validator(Contract(known, ("http://hl7.org/fhir/StructureDefinition/Patient",)))
    assert validate({"resourceType": "Patient", "gender": "female", "birthDate": "1980-02"}) == []
    faults = validate({"resourceType": "Patient", "gendr": "female", "gender": "f", "name": {"family": "X"}})
    assert reported(faults) == [
        ("FM500", "unknown", "Patient.gendr"),
        ("FM506", "binding", "Patient.gender"),
        ("FM501", "type", "Patient.name"),
    ]


def test_a_slice_without_discriminator_is_reported_as_unchecked() -> None:
    found = profiled(
        "Patient",
        {"id": "Patient.name", "path": "Patient.name", "slicing": {"rules": "open"}},
        {"id": "Patient.name:official", "path": "Patient.name", "sliceName": "official", "min": 1},
    )
    _, diagnostics = lower_contract(found)
    assert [(entry.code, entry.args) for entry in diagnostics] == [
        ("FM354", {"name": "official", "element": "Patient.name"})
    ]


def test_what_no_profile_constrains_has_no_shape_of_its_own() -> None:
    found = profiled("Patient", {"id": "Patient.active", "path": "Patient.active", "min": 1})
    text = text_of(found)
    assert text.count(".constrained(") == 1
    assert reported(validator(found)({"resourceType": "Patient", "name": [{"family": "X"}]})) == [
        ("FM504", "required", "Patient.active")
    ]
