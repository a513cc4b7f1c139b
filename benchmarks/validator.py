"""The generated validator, measured: `python -m benchmarks.validator`.

A valid knee of 5 implants (11 parameters). Before anything is timed: the validator finds nothing in it and each
planted fault in its copies, as `expert_validator` does, and fhir.resources accepts it too. Printed: microseconds, and
the ratio to building the same declaration by hand.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import expert_validator
from benchmarks.figures import Figure, code_of
from benchmarks.timing import fastest
from fhirmap.compiler.render import render_section
from fhirmap.compiler.validator.build import lower_contract
from fhirmap.compiler.validator.contract import contract_of
from fhirmap.functions import identity, udi
from fhirmap.interchange.packages import load_definitions
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
WANTED_RATIO, BOUND_RATIO = 1.3, 2.0
"""What the validator may cost, in times of the one that an expert wrote."""
RULE_SETS = {"registry's rules": False, "with our rules": True}
"""What is validated: is our own profile among it?"""


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
    """The contract of the registry alone, with our own rules too, and the full check without the fast path."""
    definitions, diagnostics = load_definitions([DEFINITIONS])
    assert not diagnostics
    operation = definitions.operation("associer-implants-registre")
    functions = {entry.name: entry for module in (identity, udi) for entry in functions_of(module)}
    found = {}
    for label, profile in (("registry's rules", None), ("with our rules", definitions.structure(RULES))):
        contract = contract_of(definitions, operation=operation, profile=profile)
        module: dict[str, Any] = {}
        exec(compile(render_section(lower_contract(contract, functions)[0]), label, "exec"), module)
        found[label] = module["_validate"]
        found.setdefault("full check only", module["_PARAMETERS"].report)
    return found


PLANTED: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "": lambda node: node,
    "required": lambda node: node["parameter"].pop(0),
    "format": lambda node: node["parameter"][3].update(valueDateTime="2025-02-30"),
    "binding": lambda node: node["parameter"][5].update(valueCodeableConcept=coded("urn:x", "DROITE")),
    "nir-regex": lambda node: node["parameter"][0].update(valueString="1"),
    "pg-requires-implants-count": lambda node: node["parameter"].append(copy.deepcopy(node["parameter"][-1])),
}
"""What spoils a declaration, by the rule that finds it."""


def check(validate: Callable[[Any, list[Fault]], None]) -> None:
    """The validator is right before it is fast."""
    good = build()
    for rule, plant in PLANTED.items():
        faults: list[Fault] = []
        resource = copy.deepcopy(good)
        plant(resource)
        validate(resource, faults)
        assert {fault.rule for fault in faults} == ({rule} if rule else set()), (rule, faults)


def figures() -> list[Figure]:
    """Check, measure, print."""
    from fhir.resources.R4B.parameters import Parameters

    found = validators()
    for validate in found.values():
        check(validate)
    for plant in PLANTED.values():
        planted = build()
        plant(planted)
        wrong: list[str] = []
        expert_validator.check(planted, wrong, rules=True)
        assert bool(wrong) == (plant is not PLANTED[""]), "the yardstick overlooks a fault"
    resource = build()
    assert Parameters.model_validate(copy.deepcopy(resource))
    runs: dict[str, Callable[[], object]] = {"building by hand": build}
    for label, validate in found.items():
        runs[f"validator, {label}"] = lambda run=validate: run(resource, [])  # type: ignore[misc]
    for label, rules in RULE_SETS.items():
        runs[f"an expert, {label}"] = lambda rules=rules: expert_validator.check(resource, [], rules=rules)  # type: ignore[misc]
    times = fastest({label: run for label, run in runs.items() if "full check" not in label}, rounds=500, number=20)
    slow = {"validator, full check only": runs["validator, full check only"]}
    slow["fhir.resources, base types only"] = lambda: Parameters.model_validate(resource)
    times |= fastest(slow, rounds=30, number=1)
    building = times["building by hand"]
    for label, spent in times.items():
        print(f"{label:<32}{spent:9.1f} us{spent / building:9.1f} x")
    return [
        Figure(
            f"the validator, {label}",
            times[f"validator, {label}"],
            "us",
            WANTED_RATIO,
            BOUND_RATIO,
            times[f"an expert, {label}"],
            "an expert",
        )
        for label in RULE_SETS
    ]


if __name__ == "__main__":
    sys.exit(code_of(figures()))
