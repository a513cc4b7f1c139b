"""What a contract is made of."""

from __future__ import annotations

from fhirmap.compiler.validator.contract import Contract, contract_of
from fhirmap.interchange.packages import load_definitions
from tests.compiler.validator.contracts import RULES, contract, definitions


def test_rule_keys_are_known() -> None:
    assert {"nir-key", "finess-regex", "pg-requires-implants-type-intended"} <= set(contract().rule_keys())


def test_an_operation_brings_its_own_input_profile() -> None:
    known = definitions("renacot")
    operation = known.operation("associer-implants-registre")
    assert operation is not None
    found = contract_of(known, operation=operation, profile=known.structure(RULES))
    assert found.structures == (RULES, operation.input_profile, operation.url)
    assert found.type == "Parameters"


def test_nothing_known_is_any_resource() -> None:
    known, _ = load_definitions([])
    assert contract_of(known).structures == ()
    assert Contract(known, ("urn:unknown",)).type == "Resource"
