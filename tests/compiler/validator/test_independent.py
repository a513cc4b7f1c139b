"""The validator against two programs of other people: fhirpathpy for invariants, fhir.resources for base types.

Where they are known to be wrong is listed here with the reason; everywhere else they and we must agree on mutated data.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import fhirpathpy
import pytest

from fhirmap.compiler.validator.contract import Contract
from fhirmap.records import Fault
from tests.compiler.validator.contracts import CODES, MAPS, SCT, Validate, definitions, validator

RENACOT = MAPS / "renacot" / "definitions"
PROFILE = "https://fhir.orthense.com/StructureDefinition/InterventionInputParametersBaseProfile"
PARAMETERS = "http://hl7.org/fhir/StructureDefinition/Parameters"
TYPES = ("FIXATION", "PG_FEMORAL", "PH_TIGE", "PH_CUPULE", "PE_GLENOIDE", "PE_TIGE_HUMERALE", "PG_PLPH_TIGEATEAUTIBIAL")
PROCEDURES = ("47458005", "19063003", "239468007", "609588000", "52734007", "397956004", "1")


@cache
def validate(url: str) -> Validate:
    return validator(Contract(definitions("renacot"), (url,)))


def faults_of(url: str, resource: Any) -> list[Fault]:
    return validate(url)(resource)


# --- invariants against fhirpathpy ------------------------------------------------------------------------------------


@cache
def oracle_rules() -> dict[str, Callable[..., Any]]:
    """Key → the guide's expression for fhirpathpy, which has no `$this` outside a function: `it` is written for it."""
    resource = json.loads(
        (RENACOT / "StructureDefinition-InterventionInputParametersBaseProfile.json").read_text("utf-8")
    )
    return {
        rule["key"]: fhirpathpy.compile(rule["expression"].replace("$this.", "it."))
        for element in resource["differential"]["element"]
        for rule in element.get("constraint", ())
    }


VALUE_RULES = {"nir-regex": "nir", "rpps-regex": "rpps", "finess-regex": "finessGeographique"}


def broken_by_oracle(resource: dict[str, Any]) -> set[str]:
    """Keys of the rules that do not hold, says the engine."""
    found = set(_broken_by_nodes(json.dumps(_seen_by_engine(resource))))
    for key, name in VALUE_RULES.items():
        texts = [entry["valueString"] for entry in resource["parameter"] if entry["name"] == name]
        if not all(_holds_of_text(key, text) for text in texts):
            found.add(key)
    return found


@cache
def _broken_by_nodes(resource: str) -> frozenset[str]:
    """Records that differ in nothing that the rules of the whole read are asked of once."""
    node = json.loads(resource)
    return frozenset(key for key, rule in oracle_rules().items() if key not in VALUE_RULES and rule(node) != [True])


@cache
def _holds_of_text(key: str, text: str) -> bool:
    # The engine searches where the pattern is anchored, and its `$` matches before a last line break too.
    return oracle_rules()[key]({"it": text}) == [True] and not text.endswith("\n")


def _seen_by_engine(node: Any) -> Any:
    """The engine knows no structure: it finds `value` only under that name. No rule of the whole reads a primitive."""
    if isinstance(node, list):
        return [_seen_by_engine(entry) for entry in node]
    if not isinstance(node, dict):
        return node
    return {
        ("value" if key.startswith("value") else key): (
            _seen_by_engine(entry) if not key.startswith("value") or isinstance(entry, dict) else "primitive"
        )
        for key, entry in node.items()
    }


def concept(system: str, *codes: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code} for code in codes]}


def declaration(
    codes: tuple[str, ...] = ("19063003",),
    kinds: tuple[str, ...] = ("PG_FEMORAL", "PG_BASETIBIALE", "PG_PLATEAUTIBIAL"),
    texts: tuple[str, str, str] = ("254062A95300756", "10100473148", "310780259"),
    *,
    has_shoulder_type: bool = False,
) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {"name": "nir", "valueString": texts[0]},
        {"name": "rpps", "valueString": texts[1]},
        {"name": "finessGeographique", "valueString": texts[2]},
        {"name": "dateIntervention", "valueDateTime": "2025-03-15"},
        {"name": "typeProcedure", "valueCodeableConcept": concept(SCT, *codes)},
    ]
    if has_shoulder_type:
        parameters.append({"name": "peType", "valueCodeableConcept": concept(CODES + "pe-type", "INVERSE")})
    for number, kind in enumerate(kinds):
        part = [
            {"name": "udi", "valueString": f"(10)L{number}"},
            {"name": "lot", "valueString": f"L{number}"},
            {"name": "type", "valueCodeableConcept": concept(CODES + "implant-types", kind)},
        ]
        parameters.append({"name": "implants", "part": part})
    return {"resourceType": "Parameters", "parameter": parameters}


IMPLANTS: dict[str, tuple[str, ...]] = {
    "none": (),
    "one": ("PH_TIGE",),
    "knee": ("PG_FEMORAL", "PG_BASETIBIALE", "PG_PLATEAUTIBIAL"),
    "shoulder": ("PE_TIGE_HUMERALE", "PE_TETE_HUMERALE", "PE_GLENOIDE", "PE_INSERT_GLENOIDIEN"),
    "six": ("PH_CUPULE", "PH_TIGE", "PH_COL", "PH_TETE", "FIXATION", "FIXATION"),
}
TEXTS = (
    ("254062A95300756\n", "10100473148\n", "310780259\n"),
    ("2540629530075", "101004731", "2A9990015"),
    ("354062A95300756", "101004731481", "31078025"),
    ("x", "x", "x"),
)
CASES: dict[str, dict[str, Any]] = {
    **{f"{code} {name}": declaration((code,), IMPLANTS[name]) for code in PROCEDURES for name in IMPLANTS},
    **{f"texts {number}": declaration(texts=texts) for number, texts in enumerate(TEXTS)},
    "two codes": declaration(("47458005", "52734007"), IMPLANTS["six"]),
    "two joints": declaration(("19063003", "239468007"), IMPLANTS["knee"]),
    "shoulder type": declaration(("239468007",), IMPLANTS["shoulder"], has_shoulder_type=True),
    "shoulder type of a knee": declaration(has_shoulder_type=True),
}
"""Each operation with too few implants, its own, those of another joint and too many; each text right and wrong."""


@cache
def broken(name: str) -> set[str]:
    return broken_by_oracle(CASES[name])


@pytest.mark.parametrize("name", CASES)
def test_invariants_agree_with_fhirpathpy(name: str) -> None:
    ours = {fault.rule for fault in faults_of(PROFILE, CASES[name]) if fault.code == "FM520"}
    assert ours == broken(name)


def test_every_rule_is_broken_by_one_case_and_kept_by_another() -> None:
    for key in oracle_rules():
        assert {key in broken(name) for name in CASES} == {True, False}, key


# --- base types against fhir.resources --------------------------------------------------------------------------------

LENIENT: dict[str, str] = {
    "codes": "fhir.resources accepts a code outside a required binding",
    "exclusive": "fhir.resources knows no invariant: neither inv-1 nor ext-1",
    "length": "fhir.resources takes an id of more than 64 characters",
    "blank": "fhir.resources takes a string of blanks alone",
    "kinds": "pydantic turns a number into a text or a text into a number where FHIR's JSON has one form only",
    "empty": "fhir.resources takes an empty list, and drops it",
}
"""Where the library says yes and FHIR no; mutations below keep away from these."""


def rejects(resource: Any) -> bool:
    from fhir.resources.R4B.parameters import Parameters
    from pydantic import ValidationError

    try:
        Parameters.model_validate(resource)
    except (ValidationError, KeyError):
        # KeyError: its answer to a resource type that it does not know.
        return True
    return False


MUTATIONS: tuple[Callable[[dict[str, Any]], object], ...] = (
    lambda node: node.pop("name", None),
    lambda node: node.update(unknown="x"),
    lambda node: node.update(valueDate="2025-02-30"),
    lambda node: node.update(valueDateTime="15/03/2025"),
    lambda node: node.update(valueBoolean="perhaps"),
    lambda node: node.update(valueInteger="twelve"),
    lambda node: node.update(valueUnsignedInt=-1),
    lambda node: node.update(valueIdentifier={"system": "urn:x", "valeur": "1"}),
    lambda node: node.update(valueIdentifier="1"),
    lambda node: node.update(valueId="with blank"),
    lambda node: node.update(valueCodeableConcept={"coding": {"code": "x"}}),
    lambda node: node.update(valueQuantity={"value": "much"}),
    lambda node: node.update(valuePeriod={"start": "2025-13"}),
    lambda node: node.update(name=[]),
    lambda node: node.update(part={"name": "x"}),
    lambda node: node.update(resource={"resourceType": "NoSuchThing"}),
    lambda node: node.update(valueReference={"reference": "Patient/1", "display": "P", "extra": 1}),
    lambda node: node.update(valueTime="25:00:00"),
    lambda node: node.update(valueInstant="2025-03-15"),
    lambda node: node.update(valueAnnotation={"time": "2025-03-15T10:00:00Z"}),
    lambda node: node.update(valueHumanName={"given": "Jean"}),
    lambda node: node.update(valueString="x", valueCode="y"),
)


def nodes(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for entry in resource["parameter"]:
        yield entry
        yield from entry.get("part", ())


def plain() -> dict[str, Any]:
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "a", "valueString": "x"},
            {"name": "b", "valueDateTime": "2025-03-15T08:00:00+01:00"},
            {"name": "c", "part": [{"name": "d", "valueCodeableConcept": concept(SCT, "1")}]},
        ],
    }


def test_both_accept_what_is_right() -> None:
    assert not rejects(plain())
    assert faults_of(PARAMETERS, plain()) == []


@pytest.mark.parametrize("number", range(len(MUTATIONS)))
@pytest.mark.parametrize("place", range(4))
def test_base_types_agree_with_fhir_resources(number: int, place: int) -> None:
    resource = plain()
    node = list(nodes(resource))[place]
    MUTATIONS[number](node)
    assert bool(faults_of(PARAMETERS, resource)) is rejects(copy.deepcopy(resource)) is True


VALUES: dict[str, tuple[str, tuple[object, ...]]] = {
    "valueString": ("string", ("x", "x y", "é", "line\nbreak")),
    "valueCode": ("code", ("a", "a b")),
    "valueUri": ("uri", ("urn:x", "http://a/b")),
    "valueDate": ("date", ("2025", "2025-03", "2024-02-29", "2025-02-29", "2025-3-1", "2025-03-15T10:00:00Z")),
    "valueInteger": ("integer", (0, -5, 2**31 - 1)),
    "valuePositiveInt": ("positiveInt", (1, 0, -1)),
    "valueBoolean": ("boolean", (True, False)),
    "valueDecimal": ("decimal", (1, 1.5, -2.25)),
    "valueTime": ("time", ("10:11:12", "10:11:12.5", "24:11:12", "10:61:00")),
    "valueId": ("id", ("a-1.b", "a_b", "x" * 64)),
    "valueOid": ("oid", ("urn:oid:1.2.3", "1.2.3", "urn:oid:3.1")),
    "valueBase64Binary": ("base64Binary", ("YWJj", "YWJjZA==")),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, (_, values) in VALUES.items() for value in values], ids=repr
)
def test_primitives_agree_with_fhir_resources(name: str, value: object) -> None:
    resource = {"resourceType": "Parameters", "parameter": [{"name": "a", name: value}]}
    assert bool(faults_of(PARAMETERS, resource)) is rejects(copy.deepcopy(resource))


@pytest.mark.parametrize(
    ("reason", "name", "value"),
    [
        ("length", "valueId", "x" * 65),
        ("blank", "valueString", "   "),
        ("kinds", "valueInteger", "12"),
        ("codes", "valueContactPoint", {"system": "pigeon", "value": "x"}),
    ],
)
def test_we_are_stricter_where_the_library_is_known_to_be_lenient(reason: str, name: str, value: object) -> None:
    resource = {"resourceType": "Parameters", "parameter": [{"name": "a", name: value}]}
    assert reason in LENIENT
    assert faults_of(PARAMETERS, resource)
    assert not rejects(copy.deepcopy(resource))
