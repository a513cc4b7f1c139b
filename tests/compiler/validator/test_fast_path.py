"""The fast path: faults of everything that is not in its usual form, the same as the full check's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fhirmap.compiler.python import Name
from fhirmap.compiler.validator.contract import Contract
from fhirmap.compiler.validator.fast_path import PREDICATES, plain_string
from fhirmap.diagnostics import MapText
from fhirmap.fhir_types import MOST_CHARACTERS
from fhirmap.interchange.packages import add_resource, load_definitions
from fhirmap.runtime import validation
from tests.compiler.validator.contracts import (
    CODES,
    coded,
    declaration,
    profiled,
    registry_module,
    registry_validate,
    reported,
    runner,
    validator,
)

Edit = Callable[[dict[str, Any]], object]
EDITS: dict[str, tuple[Edit, list[tuple[str, str, str]]]] = {
    "no nir": (
        lambda r: r["parameter"].pop(0),
        [("FM504", "required", "Parameters.parameter")],
    ),
    "two nirs": (
        lambda r: r["parameter"].append({"name": "nir", "valueString": "254062A95300756"}),
        [("FM505", "cardinality", "Parameters.parameter")],
    ),
    "no lot": (
        lambda r: r["parameter"][6]["part"].pop(1),
        [("FM504", "required", "Parameters.parameter[6].part")],
    ),
    "name without value": (
        lambda r: r["parameter"][5].pop("valueCodeableConcept"),
        [("FM504", "required", "Parameters.parameter[5].value")],
    ),
    "unknown name without value": (
        lambda r: r["parameter"].append({"name": "autre"}),
        [("FM509", "inv-1", "Parameters.parameter[9]")],
    ),
    "wrong value type": (
        lambda r: r["parameter"].__setitem__(3, {"name": "dateIntervention", "valueDate": "2025-03-15"}),
        [("FM508", "type", "Parameters.parameter[3].value")],
    ),
    "number for text": (
        lambda r: r["parameter"][1].__setitem__("valueString", 10100473148),
        [("FM501", "type", "Parameters.parameter[1].value")],
    ),
    "empty text": (
        lambda r: r["parameter"][6]["part"][1].__setitem__("valueString", ""),
        [("FM503", "empty", "Parameters.parameter[6].part[1].value")],
    ),
    "no such day": (
        lambda r: r["parameter"][3].__setitem__("valueDateTime", "2025-02-30"),
        [("FM502", "format", "Parameters.parameter[3].value")],
    ),
    "time without zone": (
        lambda r: r["parameter"][3].__setitem__("valueDateTime", "2025-02-03T10:00:00"),
        [("FM502", "format", "Parameters.parameter[3].value")],
    ),
    "code outside": (
        lambda r: r["parameter"][5].__setitem__("valueCodeableConcept", coded(CODES + "lateralite", "L")),
        [("FM511", "binding", "Parameters.parameter[5].value")],
    ),
    "right code, wrong system": (
        lambda r: r["parameter"][5].__setitem__("valueCodeableConcept", coded("urn:x", "DROITE")),
        [("FM511", "binding", "Parameters.parameter[5].value")],
    ),
    "text only": (
        lambda r: r["parameter"][5].__setitem__("valueCodeableConcept", {"text": "droite"}),
        [("FM511", "binding", "Parameters.parameter[5].value")],
    ),
    "two values": (
        lambda r: r["parameter"][0].__setitem__("valueCode", "x"),
        [
            ("FM507", "choice", "Parameters.parameter[0].value"),
            ("FM508", "type", "Parameters.parameter[0].value"),
        ],
    ),
    "unknown element": (
        lambda r: r["parameter"][0].__setitem__("valeur", "x"),
        [("FM500", "unknown", "Parameters.parameter[0].valeur")],
    ),
    "unknown root element": (
        lambda r: r.__setitem__("parametre", []),
        [("FM500", "unknown", "Parameters.parametre")],
    ),
    "value and parts": (
        lambda r: r["parameter"][6].__setitem__("valueString", "x"),
        [
            ("FM505", "cardinality", "Parameters.parameter[6].value"),
            ("FM509", "inv-1", "Parameters.parameter[6]"),
        ],
    ),
    "unknown parameter": (
        lambda r: r["parameter"].append({"name": "autre", "valueString": "x"}),
        [],
    ),
    "unknown parameter, wrong": (
        lambda r: r["parameter"].append({"name": "autre", "valueDate": "hier"}),
        [("FM502", "format", "Parameters.parameter[9].value")],
    ),
    "display and user selection": (
        lambda r: r["parameter"][5]["valueCodeableConcept"]["coding"][0].update(display="Droite", userSelected=True),
        [],
    ),
    "extension beside a value": (
        lambda r: r["parameter"][0].__setitem__("_valueString", {"extension": [{"url": "urn:x", "valueCode": "y"}]}),
        [],
    ),
    "extension without anything": (
        lambda r: r["parameter"][0].__setitem__("_valueString", {"extension": [{"url": "urn:x"}]}),
        [("FM509", "ext-1", "Parameters.parameter[0].value.extension[0]")],
    ),
    "id and profile": (
        lambda r: r.update(id="x-1", meta={"profile": ["urn:p"]}),
        [],
    ),
    "bad id": (
        lambda r: r.update(id="x_1"),
        [("FM502", "format", "Parameters.id")],
    ),
    "list for one": (
        lambda r: r["parameter"][0].__setitem__("valueString", ["x"]),
        [("FM501", "type", "Parameters.parameter[0].value")],
    ),
    "one for list": (
        lambda r: r["parameter"][6].__setitem__("part", {"name": "udi"}),
        [("FM501", "type", "Parameters.parameter[6].part")],
    ),
    "text for object": (
        lambda r: r["parameter"].__setitem__(6, "x"),
        [("FM501", "type", "Parameters.parameter[6]")],
    ),
    "null": (
        lambda r: r["parameter"][0].__setitem__("valueString", None),
        [("FM503", "empty", "Parameters.parameter[0].value")],
    ),
    "empty object": (
        lambda r: r["parameter"].append({}),
        [("FM503", "empty", "Parameters.parameter[9]")],
    ),
    "other resource": (
        lambda r: r.__setitem__("resourceType", "Patient"),
        [("FM512", "type", "Parameters")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_what_is_wrong_is_found_once(name: str) -> None:
    edit, expected = EDITS[name]
    resource = declaration(("PG_FEMORAL", "PG_BASETIBIALE", "PG_PLATEAUTIBIAL"))
    edit(resource)
    assert reported(registry_validate(resource)) == expected


@pytest.mark.parametrize("name", EDITS)
def test_the_fast_path_and_the_full_check_agree(name: str) -> None:
    resource = declaration()
    EDITS[name][0](resource)
    fast = registry_validate(resource)
    full = runner(registry_module()["_PARAMETERS"].report)(resource)
    assert sorted(reported(fast)) == sorted(reported(full))


@pytest.mark.parametrize("resource", [None, [], "x", {}, {"resourceType": "Parameters"}, {"parameter": []}])
def test_anything_can_be_validated(resource: Any) -> None:
    assert registry_validate(resource)


def test_all_faults_come_at_once() -> None:
    resource = declaration(("PG_FEMORAL",))
    resource["parameter"][0]["valueString"] = "x"
    resource["parameter"][6]["part"].pop(1)
    assert [fault.rule for fault in registry_validate(resource)] == [
        "nir-regex",
        "required",
        "pg-requires-implants-count",
    ]


@pytest.mark.parametrize(
    ("beside", "expected"),
    [
        ({"meta": {"profile": ["urn:p"]}}, []),
        ({"meta": {"profile": []}}, [("FM503", "empty", "Parameters.meta.profile")]),
        ({"meta": {"profile": ["no uri"]}}, [("FM502", "format", "Parameters.meta.profile[0]")]),
        ({"meta": {"profile": ["urn:p"], "tag": 1}}, [("FM501", "type", "Parameters.meta.tag")]),
        ({"meta": {"profile": ["urn:p"]}, "text": {}}, [("FM500", "unknown", "Parameters.text")]),
    ],
)
def test_what_is_beside_the_parameters(beside: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    assert reported(registry_validate({**declaration(), **beside})) == expected


def test_an_element_required_beside_the_parameters_is_missed() -> None:
    known, _ = load_definitions([])
    profile = {
        "resourceType": "StructureDefinition",
        "url": "urn:named",
        "name": "Named",
        "kind": "resource",
        "type": "Parameters",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Parameters",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"id": "Parameters", "path": "Parameters"},
                {"id": "Parameters.id", "path": "Parameters.id", "min": 1},
                {
                    "id": "Parameters.parameter",
                    "path": "Parameters.parameter",
                    "slicing": {"discriminator": [{"type": "value", "path": "name"}], "rules": "open"},
                },
                {"id": "Parameters.parameter:a", "path": "Parameters.parameter", "sliceName": "a", "max": "1"},
                {"id": "Parameters.parameter:a.name", "path": "Parameters.parameter.name", "fixedString": "a"},
            ]
        },
    }
    assert add_resource(known, profile, MapText("named.json", "")) == []
    validate = validator(Contract(known, ("urn:named",)))
    resource = {"resourceType": "Parameters", "parameter": [{"name": "a", "valueString": "x"}]}
    assert reported(validate(resource)) == [("FM504", "required", "Parameters.id")]
    assert validate({**resource, "id": "1"}) == []


def test_predicates_are_those_of_the_full_check() -> None:
    assert PREDICATES.keys() == validation.PREDICATES.keys() - {"xhtml"}
    for kind, name in PREDICATES.items():
        assert getattr(validation, name) is validation.PREDICATES[kind]


def test_an_element_that_the_type_itself_requires_beside_the_list_is_missed() -> None:
    entry = {"id": "Bundle.entry", "path": "Bundle.entry"}
    found = profiled(
        "Bundle",
        {**entry, "slicing": {"discriminator": [{"type": "value", "path": "fullUrl"}], "rules": "open"}},
        {**entry, "id": "Bundle.entry:a", "sliceName": "a", "max": "1"},
        {"id": "Bundle.entry:a.fullUrl", "path": "Bundle.entry.fullUrl", "fixedUri": "urn:a"},
    )
    resource = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:a"}]}
    assert reported(validator(found)(resource)) == [("FM504", "required", "Bundle.type")]
    assert validator(found)({**resource, "type": "batch"}) == []


def test_a_slice_with_rules_of_its_own_takes_the_full_check() -> None:
    rule = {"key": "short", "severity": "error", "human": "short", "expression": "value.ofType(string).length() < 3"}
    parameter = {"id": "Parameters.parameter", "path": "Parameters.parameter"}
    found = profiled(
        "Parameters",
        {**parameter, "slicing": {"discriminator": [{"type": "value", "path": "name"}], "rules": "open"}},
        {**parameter, "id": "Parameters.parameter:a", "sliceName": "a", "constraint": [rule]},
        {"id": "Parameters.parameter:a.name", "path": "Parameters.parameter.name", "fixedString": "a"},
        {
            "id": "Parameters.parameter:a.value[x]",
            "path": "Parameters.parameter.value[x]",
            "min": 1,
            "type": [{"code": "string"}],
        },
    )
    validate = validator(found)
    resource: dict[str, Any] = {"resourceType": "Parameters", "parameter": [{"name": "a", "valueString": "xy"}]}
    assert validate(resource) == []
    resource["parameter"] = [{"name": "a", "valueString": "xyz"}, {"name": "b", "valueString": "xyz"}]
    assert reported(validate(resource)) == [("FM520", "short", "Parameters.parameter[0]")]


OTHERS: tuple[object, ...] = ("", " ", " x", "x\n", "x\x00", "\u2028", 1, None, [], {"x": "x"}, True)


@pytest.mark.parametrize(
    ("value", "is_plain"),
    [
        ("A213B456", True),
        ("Tige fémorale n° 2", True),
        ("x" * MOST_CHARACTERS, True),
        ("x" * (MOST_CHARACTERS + 1), False),
        *((value, False) for value in OTHERS),
    ],
)
def test_what_is_plainly_a_string_is_one(value: object, is_plain: bool) -> None:
    assert eval(f"{plain_string(Name('value'))}", {"value": value}) is is_plain
    assert validation.is_string(value) or not is_plain
