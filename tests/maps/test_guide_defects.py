"""What the guide says and what it meant: literal rules are errors, intended ones warnings that a project may change."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from fhirmap.records import Result
from fhirmap.runner.engine import Engine

SNOMED = "http://snomed.info/sct"
TYPES = "https://fhir.orthense.com/CodeSystem/implant-types"

Message = dict[str, Any]
MakeRow = Callable[..., dict[str, Any]]
MakeEngine = Callable[..., Engine]
Validate = Callable[[Message], Result]


@pytest.fixture
def message(row: MakeRow, engine: MakeEngine) -> Callable[[str], Message]:
    """A valid message of the guide, to be spoilt."""

    def make(name: str) -> Message:
        made = engine().transformer(row(name)).resource
        assert made is not None
        return deepcopy(made)

    return make


@pytest.fixture
def validate(engine: MakeEngine) -> Validate:
    return engine().transformer.validate


def found(result: Result, severity: str) -> set[str]:
    return {fault.rule for fault in result.faults if fault.severity == severity}


def parameter(message: Message, name: str) -> dict[str, Any]:
    entry: dict[str, Any] = next(entry for entry in message["parameter"] if entry["name"] == name)
    return entry


def implants(message: Message) -> list[dict[str, Any]]:
    return [entry for entry in message["parameter"] if entry["name"] == "implants"]


def part(implant: dict[str, Any], name: str) -> dict[str, Any]:
    entry: dict[str, Any] = next(entry for entry in implant["part"] if entry["name"] == name)
    return entry


def set_type(implant: dict[str, Any], code: str) -> None:
    part(implant, "type")["valueCodeableConcept"] = {"coding": [{"system": TYPES, "code": code}]}


def add_implant(message: Message, code: str, lot: str) -> None:
    made = deepcopy(implants(message)[-1])
    set_type(made, code)
    part(made, "lot")["valueString"] = lot
    message["parameter"].append(made)


def add_coding(message: Message, code: str) -> None:
    parameter(message, "typeProcedure")["valueCodeableConcept"]["coding"].append({"system": SNOMED, "code": code})


# D1: the rules on types are keyed to codes that no message carries
def test_a_stem_in_a_knee_passes_literally_and_is_reported(
    message: Callable[[str], Message], validate: Validate
) -> None:
    knee = message("PGExample")
    set_type(implants(knee)[0], "PH_TIGE")
    assert found(validate(knee), "error") == set()
    assert "pg-requires-implants-type-intended" in found(validate(knee), "warning")


# D2, D3, D4: a second SNOMED coding wakes them, with their slips
@pytest.mark.parametrize(
    ("name", "code", "rule"),
    [
        ("PHExample", "397956004", "pe-requires-implants-type"),
        ("PHExample", "52734007", "ph-requires-implants-type"),
        ("PEExample", "397956004", "pe-requires-implants-type"),
    ],
)
def test_a_second_coding_is_checked_by_the_literal_rule(
    name: str, code: str, rule: str, message: Callable[[str], Message], validate: Validate
) -> None:
    made = message(name)
    add_coding(made, code)
    assert found(validate(made), "error") == {rule}
    assert "procedure-single-coding" in found(validate(made), "warning")


# D5: the support ring exists in the code system and in no list
def test_a_support_ring_belongs_to_a_hip(message: Callable[[str], Message], validate: Validate) -> None:
    hip = message("PHExample")
    add_implant(hip, "PH_ANNEAU", "R1")
    assert found(validate(hip), "error") == set()
    assert "ph-requires-implants-type-intended" not in found(validate(hip), "warning")


# D6: the value set of sides keeps its misspelt address
def test_a_side_outside_its_value_set(message: Callable[[str], Message], validate: Validate) -> None:
    knee = message("PGExample")
    parameter(knee, "lateralite")["valueCodeableConcept"]["coding"][0]["code"] = "DROIT"
    assert found(validate(knee), "error") == {"binding"}


# D7: the shoulder's type is in the profile and not in the operation
def test_shoulder_type(message: Callable[[str], Message], validate: Validate) -> None:
    assert found(validate(message("PEExample")), "error") == set()
    knee = message("PGExample")
    knee["parameter"].append(deepcopy(parameter(message("PEExample"), "peType")))
    assert found(validate(knee), "error") == {"pe-requires-type"}
    shoulder = message("PEExample")
    shoulder["parameter"].remove(parameter(shoulder, "peType"))
    assert found(validate(shoulder), "error") == set()


# D11, D12: what the patterns refuse, said by its cause
@pytest.mark.parametrize(
    ("name", "value", "rule", "words"),
    [
        ("finessGeographique", "2A9990015", "finess-regex", "Corsica"),
        ("nir", "784051012345678", "nir-regex", "temporary"),
        ("nir", "284311012345678", "nir-regex", "month"),
        ("nir", "1000175101001", "nir-regex", "key"),
        ("rpps", "109990099", "rpps-regex", "ADELI"),
        ("rpps", "1,0999E+10", "rpps-regex", "spreadsheet"),
        ("rpps", "12345678901\n", "rpps-regex", ""),
        ("nir", "284051012345678\n", "nir-regex", ""),
        ("finessGeographique", "123456789\n", "finess-regex", ""),
    ],
)
def test_numbers_refused(
    name: str, value: str, rule: str, words: str, message: Callable[[str], Message], validate: Validate
) -> None:
    made = message("PGExample")
    parameter(made, name)["valueString"] = value
    result = validate(made)
    assert found(result, "error") == {rule}
    (fault,) = (fault for fault in result.faults if fault.severity == "error")
    assert words in str(fault.args.get("human", ""))


# D13: the guide's own examples break every check digit
def test_check_digits_are_warnings(message: Callable[[str], Message], engine: MakeEngine) -> None:
    made = message("PGExample")
    reported = found(engine().transformer.validate(made), "warning")
    assert {"nir-key", "finess-luhn", "udi-check-digit"} <= reported
    strict = {"nir-key": "error", "rpps-luhn": "off", "finess-luhn": "off", "udi-check-digit": "off"}
    changed = engine("renacot", strict).transformer.validate(made)
    assert found(changed, "error") == {"nir-key"}
    assert found(changed, "warning") == set()


def test_a_literal_rule_can_be_downgraded(message: Callable[[str], Message], engine: MakeEngine) -> None:
    made = message("PGExample")
    parameter(made, "finessGeographique")["valueString"] = "2A9990015"
    result = engine("renacot", {"finess-regex": "warning"}).transformer.validate(made)
    assert found(result, "error") == set()
    assert "finess-regex" in found(result, "warning")


# D18, D19: screws count, and no place is left for half a knee
def test_screws_push_a_hip_over(message: Callable[[str], Message], validate: Validate) -> None:
    hip = message("PHExample")
    for number in range(3):
        add_implant(hip, "FIXATION", f"V{number}")
    result = validate(hip)
    assert found(result, "error") == {"ph-requires-implants-count"}
    assert any("screws" in str(fault.args.get("human")) for fault in result.faults)


def test_half_a_knee(message: Callable[[str], Message], validate: Validate) -> None:
    knee = message("PGExample")
    knee["parameter"].remove(implants(knee)[0])
    assert found(validate(knee), "error") == {"pg-requires-implants-count"}


# D21: one implant three times
def test_the_same_implant_again_is_reported(message: Callable[[str], Message], validate: Validate) -> None:
    assert "implants-distinct" in found(validate(message("PEExampleErreur")), "warning")
    assert "implants-distinct" not in found(validate(message("PEExample")), "warning")


# D23: text alone is no type, whatever the rules look at
def test_a_type_of_text_alone(message: Callable[[str], Message], validate: Validate) -> None:
    knee = message("PGExample")
    part(implants(knee)[0], "type")["valueCodeableConcept"] = {"text": "Composant"}
    assert found(validate(knee), "error") == {"binding"}
    other = message("PGExample")
    part(implants(other)[0], "type")["valueCodeableConcept"]["coding"][0]["system"] = SNOMED
    assert found(validate(other), "error") == {"binding"}


# A parameter without a value passes the guide's profile, not FHIR (inv-1), nor the operation that types it (required).
def test_a_parameter_without_value(message: Callable[[str], Message], validate: Validate) -> None:
    knee = message("PGExample")
    del parameter(knee, "lateralite")["valueCodeableConcept"]
    assert found(validate(knee), "error") in ({"inv-1"}, {"required"}, {"inv-1", "required"})


def test_every_fault_at_once(message: Callable[[str], Message], validate: Validate) -> None:
    knee = message("PGExample")
    knee["parameter"] = [entry for entry in knee["parameter"] if entry["name"] != "nir"]
    parameter(knee, "rpps")["valueString"] = "1"
    parameter(knee, "lateralite")["valueCodeableConcept"]["coding"][0]["code"] = "X"
    del part(implants(knee)[1], "lot")["valueString"]
    assert found(validate(knee), "error") >= {"required", "rpps-regex", "binding"}
