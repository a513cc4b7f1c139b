"""Codes of required bindings as constants."""

from __future__ import annotations

from fhirmap.compiler.validator.build import lower_contract
from tests.compiler.validator.contracts import CODES, contract, profiled, registry_module, text_of


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
