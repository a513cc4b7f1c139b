"""Codes of required bindings as constants."""

from __future__ import annotations

import pytest

from fhirmap.compiler.validator.build import lower_contract
from fhirmap.diagnostics import MapText
from fhirmap.interchange.packages import add_resource
from tests.compiler.validator.contracts import (
    CODES,
    compiled,
    contract,
    profiled,
    registry_module,
    text_of,
    validator,
)


def test_a_value_set_that_cannot_be_listed_is_reported_once() -> None:
    binding = {"strength": "required", "valueSet": "urn:vs:unknown"}
    found = profiled(
        "Patient",
        {"id": "Patient.language", "path": "Patient.language", "binding": binding},
        {"id": "Patient.maritalStatus", "path": "Patient.maritalStatus", "binding": binding},
    )
    _, diagnostics = lower_contract(found)
    assert [(entry.code, entry.args["url"]) for entry in diagnostics] == [("FM353", "urn:vs:unknown")]


def test_a_set_is_one_constant_however_often_it_is_bound() -> None:
    assert (CODES + "lateralite", "DROITE") in registry_module()["_LITERALITE_VS_CODES"]
    assert text_of(contract()).count("_IMPLANT_TYPE_VS_CODES = ") == 1


def test_a_binding_that_is_not_required_limits_nothing() -> None:
    binding = {"strength": "preferred", "valueSet": "urn:vs:unknown"}
    found = profiled("Patient", {"id": "Patient.language", "path": "Patient.language", "min": 1, "binding": binding})
    assert lower_contract(found)[1] == ()
    assert "codes=" not in text_of(found)


@pytest.mark.parametrize(("count", "is_text"), [(30, False), (5_000, True)])
def test_many_codes_are_a_text_for_each_system(count: int, is_text: bool) -> None:
    codes = [[{"code": f"{system}{rank}"} for rank in range(count)] for system in "ab"]
    include = [{"system": f"urn:{system}", "concept": held} for system, held in zip("ab", codes, strict=True)]
    resource = {"resourceType": "ValueSet", "url": "http://x.example/many", "compose": {"include": include}}
    binding = {"strength": "required", "valueSet": "http://x.example/many"}
    found = profiled("Patient", {"id": "Patient.language", "path": "Patient.language", "binding": binding})
    add_resource(found.definitions, resource, MapText("many.json", ""))
    held = compiled(found)["_MANY_CODES"]
    assert set(held) == {(f"urn:{system}", f"{system}{rank}") for system in "ab" for rank in range(count)}
    assert ("listed_pairs(" in text_of(found)) is is_text
    validate = validator(found)
    assert [fault.code for fault in validate({"resourceType": "Patient", "language": "a9"})] == []
    assert len(validate({"resourceType": "Patient", "language": "c9"})) == 1
