"""Profiles: slices, constraints, profiles of profiles."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fhirmap.interchange.packages import load_definitions
from fhirmap.model.definition import Definitions
from fhirmap.model.terminology import expand
from tests.model.profiles import GUIDE, PROFILE, RENACOT, RULES, children, load


def test_slices_by_name() -> None:
    parameter = children(load(RENACOT), PROFILE)["parameter"]
    assert parameter.minimum == 6
    assert parameter.slicing is not None
    assert [(entry.name, entry.element.minimum, entry.element.maximum) for entry in parameter.slices] == [
        ("nir", 1, 1),
        ("rpps", 1, 1),
        ("finessGeographique", 1, 1),
        ("lateralite", 0, 1),
        ("dateIntervention", 1, 1),
        ("typeProcedure", 1, 1),
        ("peType", 0, 1),
        ("implants", 1, None),
    ]
    found = parameter.slice_with("name", "dateIntervention")
    assert found is not None
    assert found.element.path == "Parameters.parameter:dateIntervention"


def test_a_slice_constrains_what_is_below_it() -> None:
    definitions = load(RENACOT)
    day = children(definitions, PROFILE, "parameter:dateIntervention")["value"]
    assert [ref.name for ref in day.types] == ["dateTime"]
    assert (day.minimum, day.path) == (1, "Parameters.parameter:dateIntervention.value[x]")
    kind = children(definitions, PROFILE, "parameter:implants", "part:type")["value"]
    assert kind.binding is not None
    codes = expand(definitions, kind.binding.value_set)
    assert codes is not None
    assert len(codes) == 15


def test_a_profile_of_a_profile_adds_to_it() -> None:
    definitions = load(RENACOT)
    nir = children(definitions, RULES, "parameter:nir")["value"]
    assert [(entry.key, entry.severity) for entry in nir.constraints] == [
        ("nir-regex", "error"),
        ("nir-key", "warning"),
    ]
    structure = definitions.structure(RULES)
    assert structure is not None
    keys = [entry.key for entry in definitions.constraints(structure.root)]
    assert keys[0] == "pg-requires-implants-count"
    assert "implants-distinct" in keys


def test_causes_of_a_rule_are_kept() -> None:
    finess = children(load(RENACOT), PROFILE, "parameter:finessGeographique")["value"]
    assert [name for name, _, _ in finess.constraints[0].variants] == ["corsica"]


def test_our_definitions_state_the_guide_s_facts(shared_dir: Path) -> None:
    """Ours are written from the facts: merged with the base they say the same as the compiled guide."""
    folder = shared_dir / "renacot" / "definitions"
    ours, theirs = load(RENACOT), load(*sorted(folder.glob("*.json")))
    assert _flat(ours) == _flat(theirs)
    assert ours.operation("associer-implants-registre") == theirs.operation("associer-implants-registre")
    for name in ("ImplantTypeVS", "LiteraliteVS", "ProcedureVS", "pe-type"):
        assert expand(ours, GUIDE + "ValueSet/" + name) == expand(theirs, GUIDE + "ValueSet/" + name)


def _flat(definitions: Definitions) -> dict[str, Any]:
    structure = definitions.structure(PROFILE)
    assert structure is not None
    found: dict[str, Any] = {
        "": sorted((entry.key, entry.expression) for entry in definitions.constraints(structure.root))
    }
    waiting = [structure.root]
    while waiting:
        for element in definitions.children(waiting.pop()).values():
            for view in (element, *(entry.element for entry in element.slices)):
                types = tuple(ref.name for ref in view.types)
                rules = [(entry.key, entry.severity, entry.expression) for entry in view.constraints]
                found[view.path] = (view.minimum, view.maximum, types, view.fixed, view.binding, view.slicing, rules)
                waiting += [ref for ref in view.types if ref.profile]
    return found


def test_a_short_choice_name_is_its_slice() -> None:
    from fhirmap.diagnostics import MapText
    from fhirmap.interchange.packages import add_resource

    definitions, _ = load_definitions([])
    profile = {
        "resourceType": "StructureDefinition",
        "url": "urn:weight",
        "name": "Weight",
        "kind": "resource",
        "type": "Observation",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Observation",
        "derivation": "constraint",
        "differential": {
            "element": [
                {"path": "Observation"},
                {"path": "Observation.valueQuantity.code", "min": 1, "patternCode": "kg"},
            ]
        },
    }
    assert add_resource(definitions, profile, MapText("weight.json", "")) == []
    value = children(definitions, "urn:weight")["value"]
    quantity = value.slice("valueQuantity")
    assert quantity is not None
    code = definitions.children(quantity.element.types[0])["code"] if quantity else None
    assert code is not None
