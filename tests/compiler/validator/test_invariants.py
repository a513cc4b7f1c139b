"""Rules of the registry and our own: what they find, how they word it, and that none ever ends a run."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compiler.validator.build import lower_contract
from fhirmap.compiler.validator.contract import Contract
from fhirmap.interchange.packages import load_definitions
from fhirmap.model.definition import Constraint
from fhirmap.runtime.steps import StepCount
from tests.compiler.validator.contracts import (
    CODES,
    coded,
    declaration,
    parameter,
    registry_validate,
    validator,
)


def test_a_right_declaration_has_no_fault() -> None:
    assert registry_validate(declaration()) == []


@pytest.mark.parametrize("kind", ["PG", "PH", "PE"])
def test_the_guide_s_examples_break_no_literal_rule(shared_dir: Path, kind: str) -> None:
    name = f"Parameters-AssocierImplantsProcedure{kind}Example.json"
    faults = registry_validate(json.loads((shared_dir / "renacot" / "examples" / name).read_text(encoding="utf-8")))
    assert {fault.severity for fault in faults} == {"warning"}
    assert {fault.rule for fault in faults} <= {"nir-key", "rpps-luhn", "finess-luhn", "udi-check-digit"}


def test_the_guide_s_wrong_example_breaks_exactly_one(shared_dir: Path) -> None:
    path = shared_dir / "renacot" / "examples" / "Parameters-AssocierImplantsProcedurePEExampleErreur.json"
    faults = registry_validate(json.loads(path.read_text(encoding="utf-8")))
    assert [fault.rule for fault in faults if fault.severity == "error"] == ["pe-requires-implants-count"]
    assert "implants-distinct" in [fault.rule for fault in faults]


@pytest.mark.parametrize(
    ("name", "value", "rule", "variant"),
    [
        ("nir", "2540629530075", "nir-regex", "without-key"),
        ("nir", "854062995300756", "nir-regex", "temporary"),
        ("nir", "254312A95300756", "nir-regex", "fictitious-month"),
        ("nir", "2 54 06 2A 953 007 56", "nir-regex", "blanks"),
        ("nir", "254062A953007X6", "nir-regex", ""),
        ("nir", "254062A95300756\n", "nir-regex", ""),
        ("nir", "254062A95300757", "nir-key", ""),
        ("rpps", "109990000", "rpps-regex", "adeli"),
        ("rpps", "12345678901", "rpps-luhn", ""),
        ("finessGeographique", "2A9990015", "finess-regex", "corsica"),
        ("finessGeographique", "31078025", "finess-regex", ""),
        ("finessGeographique", "123456789", "finess-luhn", ""),
    ],
)
def test_rules_name_their_cause(name: str, value: str, rule: str, variant: str) -> None:
    resource = declaration()
    parameter(resource, name)["valueString"] = value
    faults = registry_validate(resource)
    # A number made up for its shape may have a wrong key as well.
    assert [(fault.rule, fault.variant) for fault in faults if fault.rule in (rule, "required")] == [(rule, variant)]
    assert faults[0].element == f"Parameters.parameter:{name}.value[x]"
    assert value not in repr(faults)


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("PG_FEMORAL",), [("pg-requires-implants-count", "too-few")]),
        (("PG_FEMORAL",) * 6, [("pg-requires-implants-count", "too-many")]),
        (("PG_FEMORAL",) * 4 + ("FIXATION",) * 2, [("pg-requires-implants-count", "fixation")]),
        (("PG_FEMORAL", "PG_BASETIBIALE", "PH_TIGE"), [("pg-requires-implants-type-intended", "")]),
        (("PG_FEMORAL", "PG_BASETIBIALE", "FIXATION"), []),
    ],
)
def test_counts_and_types_of_implants(kinds: tuple[str, ...], expected: list[tuple[str, str]]) -> None:
    assert [(fault.rule, fault.variant) for fault in registry_validate(declaration(kinds))] == expected


@pytest.mark.parametrize(("code", "kinds"), [
    ("47458005", ("PH_CUPULE", "PH_INSERT", "PH_TIGE", "PH_TETE", "PH_ANNEAU", "PH_COL")),
    ("239468007", ("PE_TIGE_HUMERALE", "PE_TETE_HUMERALE", "PE_GLENOIDE", "PE_INSERT_GLENOIDIEN")),
])  # fmt: skip
def test_support_ring_and_glenoid_are_taken(code: str, kinds: tuple[str, ...]) -> None:
    resource = declaration(kinds)
    parameter(resource, "typeProcedure")["valueCodeableConcept"] = coded("http://snomed.info/sct", code)
    assert registry_validate(resource) == []


def test_a_second_coding_is_warned_of_and_checked_literally() -> None:
    resource = declaration(("PH_TIGE", "PH_TETE"))
    codings = [{"system": "http://snomed.info/sct", "code": code} for code in ("47458005", "52734007")]
    parameter(resource, "typeProcedure")["valueCodeableConcept"] = {"coding": codings}
    assert [(fault.rule, fault.severity) for fault in registry_validate(resource)] == [
        ("ph-requires-implants-type", "error"),
        ("procedure-single-coding", "warning"),
    ]


def test_the_same_implant_twice_is_warned_of_unless_it_is_fixation() -> None:
    resource = declaration()
    resource["parameter"].append(copy.deepcopy(resource["parameter"][-1]))
    assert [fault.rule for fault in registry_validate(resource)] == ["implants-distinct"]
    screws = declaration(("PG_FEMORAL", "PG_BASETIBIALE", "PG_PLATEAUTIBIAL", "FIXATION"))
    screws["parameter"].append(copy.deepcopy(screws["parameter"][-1]))
    assert registry_validate(screws) == []


def test_shoulder_type_off_the_shoulder() -> None:
    resource = declaration()
    resource["parameter"].append({"name": "peType", "valueCodeableConcept": coded(CODES + "pe-type", "INVERSE")})
    assert [fault.rule for fault in registry_validate(resource)] == ["pe-requires-type"]


def checked(*rules: Constraint) -> Any:
    known, _ = load_definitions([])
    base = "http://hl7.org/fhir/StructureDefinition/Patient"
    return validator(Contract(known, (base,), rules={"Patient": rules}))


PATIENT = {"resourceType": "Patient", "name": [{"family": "A"}, {"family": "B"}], "multipleBirthInteger": 2}


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("name.single().family = 'A'", "FM430"),
        ("multipleBirth.ofType(integer) * 9999999999.0 * 9999999999.0 > 1.0", ""),
    ],
)
def test_a_rule_that_fails_is_reported_and_the_others_are_checked(expression: str, kind: str) -> None:
    rules = (Constraint("fails", "error", expression), Constraint("after", "warning", "name.count() = 1"))
    faults = checked(*rules)(PATIENT)
    expected = [("FM521", "fails")] if kind else []
    assert [(fault.code, fault.rule) for fault in faults] == [*expected, ("FM520", "after")]
    assert kind in str(faults[0].args)


def test_an_overflow_is_a_fault_of_its_rule_alone() -> None:
    known, _ = load_definitions([])
    base = "http://hl7.org/fhir/StructureDefinition/Observation"
    rules = (
        Constraint("huge", "error", "value.ofType(Quantity).value * value.ofType(Quantity).value > 1.0"),
        Constraint("after", "error", "status = 'amended'"),
    )
    validate = validator(Contract(known, (base,), rules={"Observation": rules}))
    faults = validate(
        {
            "resourceType": "Observation",
            "status": "final",
            "code": {"text": "x"},
            "valueQuantity": {"value": Decimal("9E999999")},
        }
    )
    assert [(fault.code, fault.rule) for fault in faults] == [("FM521", "huge"), ("FM520", "after")]


def test_what_rules_share_and_may_fail_ends_none_of_the_others() -> None:
    shared = "name.where(family.toInteger().single() = 1)"
    rules = (
        Constraint("first", "error", f"{shared}.given.exists()"),
        Constraint("second", "error", f"{shared}.given.count() = 1"),
        Constraint("third", "error", "name.count() = 1"),
    )
    faults = checked(*rules)(PATIENT)
    assert faults[-1].rule == "third"
    assert {fault.rule for fault in faults} == {"first", "second", "third"}


def test_a_cause_that_fails_is_none() -> None:
    variants = (("bad", "name.single().exists()", "never"), ("good", "name.count() = 2", "two names"))
    faults = checked(Constraint("one", "error", "name.count() = 1", "one name", variants=variants))(PATIENT)
    assert [(fault.code, fault.variant, fault.args["human"]) for fault in faults] == [("FM520", "good", "two names")]


def test_a_rule_that_does_not_parse_is_reported_when_the_contract_is_compiled() -> None:
    known, _ = load_definitions([])
    base = "http://hl7.org/fhir/StructureDefinition/Patient"
    rules = {"Patient": (Constraint("half", "error", "name.where("),)}
    _, diagnostics = lower_contract(Contract(known, (base,), rules=rules))
    assert any(entry.is_error for entry in diagnostics)


_TEN = "(1|2|3|4|5|6|7|8|9|10)"
_PRODUCT = _TEN + f".select({_TEN})" * 9 + ".exists()"
_BELOW = "descendants().all(%resource.descendants().all(%resource.descendants().exists()))"


@pytest.mark.parametrize("expression", [_PRODUCT, _BELOW, f"name.where({_PRODUCT}).empty() and {_PRODUCT}"])
def test_a_rule_whose_work_multiplies_is_reported(monkeypatch: pytest.MonkeyPatch, expression: str) -> None:
    monkeypatch.setattr(StepCount, "steps_left", 400)
    patient = {"resourceType": "Patient", "name": [{"family": str(rank), "given": ["a"]} for rank in range(20)]}
    rules = (
        Constraint("many", "error", expression),
        Constraint("again", "warning", expression),
        Constraint("after", "warning", "name.count() = 1"),
    )
    faults = checked(*rules)(patient)
    assert [(fault.code, fault.rule) for fault in faults] == [("FM521", "many"), ("FM521", "again"), ("FM520", "after")]
    assert faults[0].args == {"code": "FM414"}


def test_a_cause_whose_work_multiplies_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StepCount, "steps_left", 400)
    variants = (("bad", _PRODUCT, "never"), ("good", "name.count() = 2", "two names"))
    faults = checked(Constraint("one", "error", "name.count() = 1", "one name", variants=variants))(PATIENT)
    assert [(fault.code, fault.variant) for fault in faults] == [("FM520", "good")]
