"""The validator of the published contract: what it finds, how it says it, and that its two ways agree."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compiler.profile import Contract, contract_of, lower_contract, render_validator
from fhirmap.diagnostics import MapText
from fhirmap.functions import identity, udi
from fhirmap.interchange.packages import add_resource, load_definitions
from fhirmap.model.definition import Constraint, Definitions
from fhirmap.records import Fault
from fhirmap.runtime.functions import functions_of

MAPS = Path(__file__).resolve().parents[2] / "maps"
RULES = "https://fhirmap.dev/StructureDefinition/renacot-rules"
CODES = "https://fhir.orthense.com/CodeSystem/"
FUNCTIONS = {entry.name: entry for module in (identity, udi) for entry in functions_of(module)}
Validate = Callable[[Any], list[Fault]]


def compiled(contract: Contract) -> dict[str, Any]:
    plan, _ = lower_contract(contract, FUNCTIONS)
    module: dict[str, Any] = {}
    exec(compile(render_validator(plan), "<validator>", "exec"), module)
    return module


def runner(validate: Callable[[Any, list[Fault]], None]) -> Validate:
    def run(resource: Any) -> list[Fault]:
        faults: list[Fault] = []
        validate(resource, faults)
        return faults

    return run


@cache
def definitions(folder: str) -> Definitions:
    found, diagnostics = load_definitions([MAPS / folder / "definitions"])
    assert not diagnostics
    return found


def contract(severities: Mapping[str, str] | None = None) -> Contract:
    tank = definitions("renacot")
    return contract_of(
        tank,
        operation=tank.operation("associer-implants-registre"),
        profile=tank.structure(RULES),
        severities=severities,
    )


@pytest.fixture(scope="module")
def module() -> dict[str, Any]:
    return compiled(contract())


@pytest.fixture(scope="module")
def validate(module: dict[str, Any]) -> Validate:
    return runner(module["validate"])


def coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def implant(kind: str = "PG_FEMORAL", number: int = 0) -> dict[str, Any]:
    return {
        "name": "implants",
        "part": [
            {"name": "udi", "valueString": f"(01)04012345678901(17)290630(10)LOT{number}"},
            {"name": "lot", "valueString": f"LOT{number}"},
            {"name": "type", "valueCodeableConcept": coded(CODES + "implant-types", kind)},
        ],
    }


def declaration(kinds: tuple[str, ...] = ("PG_FEMORAL", "PG_BASETIBIALE", "PG_PLATEAUTIBIAL")) -> dict[str, Any]:
    """A knee in which nothing is wrong, check digits included."""
    return {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "nir", "valueString": "254062A95300756"},
            {"name": "rpps", "valueString": "10100473148"},
            {"name": "finessGeographique", "valueString": "310780259"},
            {"name": "dateIntervention", "valueDateTime": "2025-03-15"},
            {"name": "typeProcedure", "valueCodeableConcept": coded("http://snomed.info/sct", "19063003")},
            {"name": "lateralite", "valueCodeableConcept": coded(CODES + "lateralite", "DROITE")},
            *(implant(kind, number) for number, kind in enumerate(kinds)),
        ],
    }


def parameter(resource: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(entry for entry in resource["parameter"] if entry["name"] == name)
    return found


def told(faults: list[Fault]) -> list[tuple[str, str, str]]:
    return [(fault.code, fault.rule, fault.path) for fault in faults]


def test_a_right_declaration_has_no_fault(validate: Validate) -> None:
    assert validate(declaration()) == []


@pytest.mark.parametrize("kind", ["PG", "PH", "PE"])
def test_the_guide_s_examples_break_no_literal_rule(validate: Validate, shared_dir: Path, kind: str) -> None:
    name = f"Parameters-AssocierImplantsProcedure{kind}Example.json"
    faults = validate(json.loads((shared_dir / "renacot" / "examples" / name).read_text(encoding="utf-8")))
    assert {fault.severity for fault in faults} == {"warning"}
    assert {fault.rule for fault in faults} <= {"nir-key", "rpps-luhn", "finess-luhn", "udi-check-digit"}


def test_the_guide_s_wrong_example_breaks_exactly_one(validate: Validate, shared_dir: Path) -> None:
    path = shared_dir / "renacot" / "examples" / "Parameters-AssocierImplantsProcedurePEExampleErreur.json"
    faults = validate(json.loads(path.read_text(encoding="utf-8")))
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
def test_rules_name_their_cause(validate: Validate, name: str, value: str, rule: str, variant: str) -> None:
    resource = declaration()
    parameter(resource, name)["valueString"] = value
    faults = validate(resource)
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
def test_counts_and_types_of_implants(
    validate: Validate, kinds: tuple[str, ...], expected: list[tuple[str, str]]
) -> None:
    assert [(fault.rule, fault.variant) for fault in validate(declaration(kinds))] == expected


@pytest.mark.parametrize(("code", "kinds"), [
    ("47458005", ("PH_CUPULE", "PH_INSERT", "PH_TIGE", "PH_TETE", "PH_ANNEAU", "PH_COL")),
    ("239468007", ("PE_TIGE_HUMERALE", "PE_TETE_HUMERALE", "PE_GLENOIDE", "PE_INSERT_GLENOIDIEN")),
])  # fmt: skip
def test_support_ring_and_glenoid_are_taken(validate: Validate, code: str, kinds: tuple[str, ...]) -> None:
    resource = declaration(kinds)
    parameter(resource, "typeProcedure")["valueCodeableConcept"] = coded("http://snomed.info/sct", code)
    assert validate(resource) == []


def test_a_second_coding_is_warned_of_and_judged_literally(validate: Validate) -> None:
    resource = declaration(("PH_TIGE", "PH_TETE"))
    codings = [{"system": "http://snomed.info/sct", "code": code} for code in ("47458005", "52734007")]
    parameter(resource, "typeProcedure")["valueCodeableConcept"] = {"coding": codings}
    assert [(fault.rule, fault.severity) for fault in validate(resource)] == [
        ("ph-requires-implants-type", "error"),
        ("procedure-single-coding", "warning"),
    ]


def test_the_same_implant_twice_is_warned_of_unless_it_is_fixation(validate: Validate) -> None:
    resource = declaration()
    resource["parameter"].append(copy.deepcopy(resource["parameter"][-1]))
    assert [fault.rule for fault in validate(resource)] == ["implants-distinct"]
    screws = declaration(("PG_FEMORAL", "PG_BASETIBIALE", "PG_PLATEAUTIBIAL", "FIXATION"))
    screws["parameter"].append(copy.deepcopy(screws["parameter"][-1]))
    assert validate(screws) == []


def test_shoulder_type_off_the_shoulder(validate: Validate) -> None:
    resource = declaration()
    resource["parameter"].append({"name": "peType", "valueCodeableConcept": coded(CODES + "pe-type", "INVERSE")})
    assert [fault.rule for fault in validate(resource)] == ["pe-requires-type"]


# --- shapes -----------------------------------------------------------------------------------------------------------

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
def test_what_is_wrong_is_found_once(validate: Validate, name: str) -> None:
    edit, expected = EDITS[name]
    resource = declaration(("PG_FEMORAL", "PG_BASETIBIALE", "PG_PLATEAUTIBIAL"))
    edit(resource)
    assert told(validate(resource)) == expected


@pytest.mark.parametrize("name", EDITS)
def test_the_straight_way_and_the_close_look_agree(module: dict[str, Any], name: str) -> None:
    resource = declaration()
    EDITS[name][0](resource)
    straight = runner(module["validate"])(resource)
    close = runner(module["PARAMETERS"].report)(resource)
    assert sorted(told(straight)) == sorted(told(close))


@pytest.mark.parametrize("resource", [None, [], "x", {}, {"resourceType": "Parameters"}, {"parameter": []}])
def test_anything_can_be_judged(validate: Validate, resource: Any) -> None:
    assert validate(resource)


def test_all_faults_come_at_once(validate: Validate) -> None:
    resource = declaration(("PG_FEMORAL",))
    resource["parameter"][0]["valueString"] = "x"
    resource["parameter"][6]["part"].pop(1)
    assert [fault.rule for fault in validate(resource)] == ["nir-regex", "required", "pg-requires-implants-count"]


# --- severities, contracts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("severity", "expected"), [("off", []), ("warning", ["warning"]), ("error", ["error"])])
def test_a_project_changes_the_severity_of_a_rule(severity: str, expected: list[str]) -> None:
    resource = declaration()
    parameter(resource, "finessGeographique")["valueString"] = "2A9990015"
    validate = runner(compiled(contract({"finess-regex": severity}))["validate"])
    assert [fault.severity for fault in validate(resource)] == expected


def test_rule_keys_are_known() -> None:
    assert {"nir-key", "finess-regex", "pg-requires-implants-type-intended"} <= set(contract().rule_keys())


def test_the_march_contract_takes_nested_identifiers() -> None:
    tank = definitions("renacot-2025-03")
    march = contract_of(tank, operation=tank.operation("associer-implants-procedure"))
    plan, diagnostics = lower_contract(march)
    assert {entry.code for entry in diagnostics} <= {"FM353"}
    validate = runner(compiled(march)["validate"])
    resource: dict[str, Any] = {
        "resourceType": "Parameters",
        "parameter": [
            {
                "name": "identifiantsPartiesPrenantes",
                "part": [
                    {"name": name, "valueIdentifier": {"system": "urn:x", "value": "1"}}
                    for name in ("nir", "rpps", "finessGeo")
                ],
            },
            {
                "name": "procedureInfo",
                "part": [
                    {"name": "dateIntervention", "valueDate": "2025-03-15"},
                    {"name": "procedureType", "valueCodeableConcept": coded("http://snomed.info/sct", "398010007")},
                ],
            },
            {
                "name": "implants",
                "part": [
                    *({"name": name, "valueString": "x"} for name in ("fournisseur", "reference", "lot")),
                    {"name": "implantType", "valueCodeableConcept": {"text": "stem"}},
                ],
            },
        ],
    }
    assert plan.parts
    assert validate(resource) == []
    resource["parameter"][1]["part"][0] = {"name": "dateIntervention", "valueDateTime": "2025-03-15"}
    del resource["parameter"][0]["part"][0]
    assert told(validate(resource)) == [
        ("FM504", "required", "Parameters.parameter[0].part"),
        ("FM508", "type", "Parameters.parameter[1].part[0].value"),
    ]


def test_a_bundle_contract_looks_into_resources(shared_dir: Path) -> None:
    tank = definitions("procedure-device")
    profile = tank.structure("https://fhirmap.dev/StructureDefinition/procedure-device-bundle")
    validate = runner(compiled(contract_of(tank, profile=profile))["validate"])
    path = shared_dir / "renacot" / "examples" / "r4" / "Bundle-PG-procedure-device.json"
    bundle = json.loads(path.read_text(encoding="utf-8"))
    assert [fault for fault in validate(bundle) if fault.severity == "error"] == []
    procedure = next(entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Procedure")
    procedure["status"] = "finished"
    procedure["focalDevice"][0]["manipulated"]["reference"] = "urn:uuid:nowhere"
    del procedure["subject"]
    bundle["type"] = "batch"
    faults = [fault for fault in validate(bundle) if fault.severity == "error"]
    assert {(fault.code, fault.rule) for fault in faults} == {
        ("FM506", "binding"),
        ("FM504", "required"),
        ("FM510", "fixed"),
        ("FM520", "device-for-each"),
    }


def test_rules_of_a_target_stand_beside_the_contract() -> None:
    tank = definitions("renacot")
    rules = {
        "Parameters.parameter:implants.part:lot.value[x]": (Constraint("lot-short", "warning", "$this.length() < 4"),),
        "Parameters": (Constraint("no-date-in-future", "error", "parameter.count() < 100"),),
        "Parameters.parameter:nowhere": (Constraint("lost", "error", "true"),),
    }
    found = contract_of(tank, operation=tank.operation("associer-implants-registre"), rules=rules)
    _, diagnostics = lower_contract(found, FUNCTIONS)
    assert [(entry.code, entry.args["rule"]) for entry in diagnostics] == [("FM355", "lost")]
    resource = declaration()
    parameter(resource, "implants")["part"][1]["valueString"] = "LONGER"
    assert "lot-short" in [fault.rule for fault in runner(compiled(found)["validate"])(resource)]


def test_slicing_a_choice_and_patterns() -> None:
    tank, _ = load_definitions([])
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
    assert add_resource(tank, profile, MapText("obs.json", "")) == []
    validate = runner(compiled(Contract(tank, ("urn:obs",)))["validate"])
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
    assert sorted(told(validate(resource))) == [
        ("FM504", "required", "Observation.value.unit"),
        ("FM505", "cardinality", "Observation.subject"),
        ("FM510", "pattern", "Observation.code"),
    ]


def test_a_base_type_alone_is_a_contract() -> None:
    tank, _ = load_definitions([])
    validate = runner(compiled(Contract(tank, ("http://hl7.org/fhir/StructureDefinition/Patient",)))["validate"])
    assert validate({"resourceType": "Patient", "gender": "female", "birthDate": "1980-02"}) == []
    faults = validate({"resourceType": "Patient", "gendr": "female", "gender": "f", "name": {"family": "X"}})
    assert told(faults) == [
        ("FM500", "unknown", "Patient.gendr"),
        ("FM506", "binding", "Patient.gender"),
        ("FM501", "type", "Patient.name"),
    ]


def test_generated_text_is_stable_and_holds_no_text_of_the_contract_as_code() -> None:
    tank = definitions("renacot")
    nasty = Constraint('evil\n"""', "error", "true", human='\'); import os  # """ \\')
    found = contract_of(tank, operation=tank.operation("associer-implants-registre"), rules={"Parameters": (nasty,)})
    text = render_validator(lower_contract(found, FUNCTIONS)[0])
    assert text == render_validator(lower_contract(found, FUNCTIONS)[0])
    compile(text, "<validator>", "exec")
    assert "\nimport os" not in text


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
def test_what_stands_beside_the_parameters(
    validate: Validate, beside: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    assert told(validate({**declaration(), **beside})) == expected


def test_an_element_required_beside_the_parameters_is_missed() -> None:
    tank, _ = load_definitions([])
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
    assert add_resource(tank, profile, MapText("named.json", "")) == []
    validate = runner(compiled(Contract(tank, ("urn:named",)))["validate"])
    resource = {"resourceType": "Parameters", "parameter": [{"name": "a", "valueString": "x"}]}
    assert told(validate(resource)) == [("FM504", "required", "Parameters.id")]
    assert validate({**resource, "id": "1"}) == []
