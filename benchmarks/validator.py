"""The generated validator, measured: `python -m benchmarks.validator`.

A valid knee of 5 implants (11 parameters). Before anything is timed: the validator finds nothing in it and each
planted fault in its copies, and fhir.resources accepts it too. Printed: microseconds, and the ratio to building the
same declaration by hand.
"""

from __future__ import annotations

import copy
import sys
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fhirmap.compiler.profile import contract_of, lower_contract, render_validator
from fhirmap.functions import identity, udi
from fhirmap.model.packages import load_definitions
from fhirmap.records import Fault
from fhirmap.runtime.functions import functions_of

DEFINITIONS = Path(__file__).resolve().parent.parent / "maps" / "renacot" / "definitions"
RULES = "https://fhirmap.dev/StructureDefinition/renacot-rules"
CODES = "https://fhir.orthense.com/CodeSystem/"
TYPES = ("PG_FEMORAL", "PG_BASETIBIALE", "PG_PLATEAUTIBIAL", "PG_PATELLAIRE", "FIXATION")
IMPLANTS = [
    {
        "udi": f"(01)04012345678901(17)290630(10)A21{number}",
        "lot": f"A21{number}",
        "supplier": "Orthofictif",
        "reference": f"REF-{number}",
        "type": kind,
        "label": f"Composant {number}",
    }
    for number, kind in enumerate(TYPES)
]
BOUND_RATIO = 5.0
"""What the validator may cost, in times of building by hand, with the rules that the registry itself states."""


def coded(system: str, code: str) -> dict[str, Any]:
    """A CodeableConcept with one coding."""
    return {"coding": [{"system": system, "code": code}]}


def build() -> dict[str, Any]:
    """A declaration built by hand."""
    parameters: list[dict[str, Any]] = [
        {"name": "nir", "valueString": "254062A95300756"},
        {"name": "rpps", "valueString": "10100473148"},
        {"name": "finessGeographique", "valueString": "310780259"},
        {"name": "dateIntervention", "valueDateTime": "2025-03-15"},
        {"name": "typeProcedure", "valueCodeableConcept": coded("http://snomed.info/sct", "19063003")},
        {"name": "lateralite", "valueCodeableConcept": coded(CODES + "lateralite", "DROITE")},
    ]
    for implant in IMPLANTS:
        part = [
            {"name": "fournisseur", "valueString": implant["supplier"]},
            {"name": "udi", "valueString": implant["udi"]},
            {"name": "lot", "valueString": implant["lot"]},
            {"name": "reference", "valueString": implant["reference"]},
            {"name": "type", "valueCodeableConcept": coded(CODES + "implant-types", implant["type"])},
            {"name": "description", "valueString": implant["label"]},
        ]
        parameters.append({"name": "implants", "part": part})
    return {"resourceType": "Parameters", "parameter": parameters}


def validators() -> dict[str, Callable[[Any, list[Fault]], None]]:
    """The contract of the registry alone, with our own rules too, and the close look without the straight way."""
    definitions, diagnostics = load_definitions([DEFINITIONS])
    assert not diagnostics
    operation = definitions.operation("associer-implants-registre")
    functions = {entry.name: entry for module in (identity, udi) for entry in functions_of(module)}
    found = {}
    for label, profile in (("registry's rules", None), ("with our rules", definitions.structure(RULES))):
        contract = contract_of(definitions, operation=operation, profile=profile)
        module: dict[str, Any] = {}
        exec(compile(render_validator(lower_contract(contract, functions)[0]), label, "exec"), module)
        found[label] = module["validate"]
        found.setdefault("close look only", module["PARAMETERS"].check)
    return found


def check(validate: Callable[[Any, list[Fault]], None]) -> None:
    """The validator is right before it is fast."""
    good = build()
    planted: dict[str, Callable[[dict[str, Any]], object]] = {
        "required": lambda node: node["parameter"].pop(0),
        "format": lambda node: node["parameter"][3].update(valueDateTime="2025-02-30"),
        "binding": lambda node: node["parameter"][5].update(valueCodeableConcept=coded("urn:x", "DROITE")),
        "nir-regex": lambda node: node["parameter"][0].update(valueString="1"),
        "pg-requires-implants-count": lambda node: node["parameter"].append(copy.deepcopy(node["parameter"][-1])),
    }
    for rule, plant in ((None, lambda _: None), *planted.items()):
        faults: list[Fault] = []
        resource = copy.deepcopy(good)
        plant(resource)
        validate(resource, faults)
        assert {fault.rule for fault in faults} == ({rule} if rule else set()), (rule, faults)


def microseconds(action: Callable[[], object], number: int) -> float:
    """The best of several rounds."""
    return min(timeit.repeat(action, number=number, repeat=7)) / number * 1e6


def main() -> int:
    """Check, measure, print; 1 where the bound is broken."""
    found = validators()
    for validate in found.values():
        check(validate)
    resource = build()
    building = microseconds(build, 5000)
    print(f"{'building by hand':<32}{building:9.1f} us{1:9.1f} x")
    times = {}
    for label, validate in found.items():
        times[label] = microseconds(lambda run=validate: run(resource, []), 2000)  # type: ignore[misc]
        print(f"{'validator, ' + label:<32}{times[label]:9.1f} us{times[label] / building:9.1f} x")
    from fhir.resources.R4B.parameters import Parameters

    assert Parameters.model_validate(copy.deepcopy(resource))
    peer = microseconds(lambda: Parameters.model_validate(resource), 20)
    print(f"{'fhir.resources, base types only':<32}{peer:9.1f} us{peer / building:9.1f} x")
    ratio = times["registry's rules"] / building
    print(f"bound: {BOUND_RATIO:.0f} x; measured {ratio:.1f} x")
    return int(ratio > BOUND_RATIO)


if __name__ == "__main__":
    sys.exit(main())
