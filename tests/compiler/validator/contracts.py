"""The published contract and declarations that satisfy it, compiled once for all tests of the validator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fhirmap.compiler.render import render_section
from fhirmap.compiler.validator.build import lower_contract
from fhirmap.compiler.validator.contract import Contract, contract_of
from fhirmap.diagnostics import MapText
from fhirmap.functions import identity, udi
from fhirmap.interchange.packages import add_resource, load_definitions
from fhirmap.model.definition import Definitions
from fhirmap.records import Fault
from fhirmap.runtime.functions import functions_of

MAPS = Path(__file__).resolve().parents[3] / "maps"
RULES = "https://fhirmap.dev/StructureDefinition/renacot-rules"
CODES = "https://fhir.orthense.com/CodeSystem/"
SCT = "http://snomed.info/sct"
FUNCTIONS = {entry.name: entry for module in (identity, udi) for entry in functions_of(module)}
Validate = Callable[[Any], list[Fault]]


def text_of(contract: Contract) -> str:
    """The generated Python."""
    return render_section(lower_contract(contract, FUNCTIONS)[0])


def compiled(contract: Contract) -> dict[str, Any]:
    """The generated module."""
    module: dict[str, Any] = {}
    exec(compile(text_of(contract), "<validator>", "exec"), module)
    return module


def runner(validate: Callable[[Any, list[Fault]], None]) -> Validate:
    """The faults that a generated function reports."""

    def run(resource: Any) -> list[Fault]:
        faults: list[Fault] = []
        validate(resource, faults)
        return faults

    return run


def validator(contract: Contract) -> Validate:
    """The validator of a contract."""
    return runner(compiled(contract)["_validate"])


@cache
def definitions(folder: str) -> Definitions:
    found, diagnostics = load_definitions([MAPS / folder / "definitions"])
    assert not diagnostics
    return found


def contract(severities: Mapping[str, str] | None = None) -> Contract:
    known = definitions("renacot")
    return contract_of(
        known,
        operation=known.operation("associer-implants-registre"),
        profile=known.structure(RULES),
        severities=severities,
    )


@cache
def registry_module() -> dict[str, Any]:
    """The generated module of the registry's contract with our rules."""
    return compiled(contract())


def registry_validate(resource: Any) -> list[Fault]:
    """The faults of a declaration."""
    return runner(registry_module()["_validate"])(resource)


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


def reported(faults: list[Fault]) -> list[tuple[str, str, str]]:
    """What the tests compare."""
    return [(fault.code, fault.rule, fault.path) for fault in faults]


def profiled(type_name: str, *elements: dict[str, Any]) -> Contract:
    """A contract of one profile with these elements."""
    known, _ = load_definitions([])
    profile = {
        "resourceType": "StructureDefinition",
        "url": "urn:p",
        "name": "P",
        "kind": "resource",
        "type": type_name,
        "baseDefinition": f"http://hl7.org/fhir/StructureDefinition/{type_name}",
        "derivation": "constraint",
        "differential": {"element": [{"id": type_name, "path": type_name}, *elements]},
    }
    assert add_resource(known, profile, MapText("p.json", "")) == []
    return Contract(known, ("urn:p",))
