"""Whole contracts become validators: of operations, of bundles, with a project's rules and severities."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compiler.validator.build import lower_contract
from fhirmap.compiler.validator.contract import Contract, contract_of
from fhirmap.interchange.packages import load_definitions
from fhirmap.model.definition import Constraint
from tests.compiler.validator.contracts import (
    FUNCTIONS,
    coded,
    contract,
    declaration,
    definitions,
    parameter,
    reported,
    text_of,
    validator,
)


@pytest.mark.parametrize(("severity", "expected"), [("off", []), ("warning", ["warning"]), ("error", ["error"])])
def test_a_project_changes_the_severity_of_a_rule(severity: str, expected: list[str]) -> None:
    resource = declaration()
    parameter(resource, "finessGeographique")["valueString"] = "2A9990015"
    validate = validator(contract({"finess-regex": severity}))
    assert [fault.severity for fault in validate(resource)] == expected


def test_the_march_contract_takes_nested_identifiers() -> None:
    known = definitions("renacot-2025-03")
    march = contract_of(known, operation=known.operation("associer-implants-procedure"))
    section, diagnostics = lower_contract(march)
    assert {entry.code for entry in diagnostics} <= {"FM353"}
    validate = validator(march)
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
    assert section.parts
    assert validate(resource) == []
    resource["parameter"][1]["part"][0] = {"name": "dateIntervention", "valueDateTime": "2025-03-15"}
    del resource["parameter"][0]["part"][0]
    assert reported(validate(resource)) == [
        ("FM504", "required", "Parameters.parameter[0].part"),
        ("FM508", "type", "Parameters.parameter[1].part[0].value"),
    ]


def test_a_bundle_contract_looks_into_resources(shared_dir: Path) -> None:
    known = definitions("procedure-device")
    profile = known.structure("https://fhirmap.dev/StructureDefinition/procedure-device-bundle")
    validate = validator(contract_of(known, profile=profile))
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


def test_rules_of_a_target_are_added_to_the_contract() -> None:
    known = definitions("renacot")
    rules = {
        "Parameters.parameter:implants.part:lot.value[x]": (Constraint("lot-short", "warning", "$this.length() < 4"),),
        "Parameters": (Constraint("no-date-in-future", "error", "parameter.count() < 100"),),
        "Parameters.parameter:nowhere": (Constraint("lost", "error", "true"),),
    }
    found = contract_of(known, operation=known.operation("associer-implants-registre"), rules=rules)
    _, diagnostics = lower_contract(found, FUNCTIONS)
    assert [(entry.code, entry.args["rule"]) for entry in diagnostics] == [("FM355", "lost")]
    resource = declaration()
    parameter(resource, "implants")["part"][1]["valueString"] = "LONGER"
    assert "lot-short" in [fault.rule for fault in validator(found)(resource)]


def test_generated_text_is_stable_and_holds_no_text_of_the_contract_as_code() -> None:
    known = definitions("renacot")
    nasty = Constraint('evil\n"""', "error", "true", human='\'); import os  # """ \\')
    found = contract_of(known, operation=known.operation("associer-implants-registre"), rules={"Parameters": (nasty,)})
    text = text_of(found)
    assert text == text_of(found)
    compile(text, "<validator>", "exec")
    assert "\nimport os" not in text


def test_a_structure_without_definition() -> None:
    known, _ = load_definitions([])
    section, diagnostics = lower_contract(Contract(known, ("http://hl7.org/fhir/StructureDefinition/Patiant",)))
    assert section.parts
    assert [entry.code for entry in diagnostics] == ["FM356"]
