"""Definitions that lead back to themselves, or on and on, are said with their files and taken out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhirmap import check, compile_map
from fhirmap.interchange.circular_definitions import MOST_LEVELS
from fhirmap.interchange.packages import load_definitions
from fhirmap.model.terminology import Membership, expand, membership

_FHIR = "http://hl7.org/fhir/StructureDefinition/"


def _structure(name: str, base: str, **more: Any) -> dict[str, Any]:
    profile = {"type": "Patient", "kind": "resource", "derivation": "constraint"}
    named = {"resourceType": "StructureDefinition", "url": f"urn:{name}", "name": name, "baseDefinition": base}
    return {**named, **profile, "differential": {"element": [{"id": "Patient", "path": "Patient"}]}, **more}


def _model(name: str, base: str) -> dict[str, Any]:
    element = [{"id": name, "path": name}]
    return _structure(
        name, base, type=name, kind="logical", derivation="specialization", differential={"element": element}
    )


def _value_set(name: str, *others: str, excluded: str = "") -> dict[str, Any]:
    exclude = [{"valueSet": [f"urn:{excluded}"]}] if excluded else []
    compose: dict[str, list[dict[str, Any]]] = {
        "include": [{"valueSet": [f"urn:{other}"]} for other in others],
        "exclude": exclude,
    }
    if not others:
        compose["include"] = [{"system": "urn:s", "concept": [{"code": "a"}]}]
    return {"resourceType": "ValueSet", "url": f"urn:{name}", "compose": compose}


def _concept_map(name: str, *others: str) -> dict[str, Any]:
    unmapped = [{"unmapped": {"mode": "other-map", "url": f"urn:{other}"}} for other in others]
    element = [{"code": "a", "target": [{"code": "b"}]}]
    return {
        "resourceType": "ConceptMap",
        "url": f"urn:{name}",
        "group": [{"element": element, **it} for it in unmapped],
    }


def _files(folder: Path, *resources: dict[str, Any]) -> Path:
    for resource in resources:
        (folder / f"{resource['url'].removeprefix('urn:')}.json").write_text(json.dumps(resource))
    return folder


@pytest.mark.parametrize(
    ("resources", "way"),
    [
        ([_structure("A", "urn:A")], ["A"]),
        ([_structure("A", "urn:B"), _structure("B", "urn:A")], ["A", "B"]),
        ([_structure("A", "urn:B"), _structure("B", "urn:C"), _structure("C", "urn:A")], ["A", "B", "C"]),
        ([_model("A", "urn:B"), _model("B", "urn:A")], ["A", "B"]),
        ([_value_set("A", "A")], ["A"]),
        ([_value_set("A", "B"), _value_set("B", "C"), _value_set("C", "A")], ["A", "B", "C"]),
        ([_value_set("A", excluded="A")], ["A"]),
    ],
)
def test_a_circle_is_said_with_the_files_of_it(tmp_path: Path, resources: list[dict[str, Any]], way: list[str]) -> None:
    definitions, found = load_definitions([_files(tmp_path, *resources)])
    assert [(entry.code, entry.variant) for entry in found] == [("FM352", "circular")]
    assert found[0].span is not None
    assert found[0].span.name == str(tmp_path / "A.json")
    for name in way:
        assert f"`urn:{name}` ({tmp_path / name}.json)" in found[0].message
    assert [definitions.structure("urn:A"), definitions.structure("A"), definitions.value_set("urn:A")] == [None] * 3


def test_a_map_that_uses_what_is_circular_is_refused_and_nothing_else_is(tmp_path: Path) -> None:
    text = """uses "urn:A" alias A as target
uses "urn:P" alias P as source
group main(source src : P, target tgt : A) { src.id as v -> tgt.id = v "id"; }
"""
    folder = _files(tmp_path, _model("A", "urn:B"), _model("B", "urn:A"), _structure("P", f"{_FHIR}Patient"))
    found = check(text, definitions=[folder])
    assert "FM352" in {entry.code for entry in found if entry.is_error}
    assert not [entry for entry in found if entry.args.get("url") == "urn:P"]


def test_maps_that_leave_codes_to_one_another_are_no_fault(tmp_path: Path) -> None:
    definitions, found = load_definitions([_files(tmp_path, _concept_map("A", "B"), _concept_map("B", "A"))])
    assert not found
    assert definitions.concept_map("urn:A") is not None


@pytest.mark.parametrize("made", [lambda name, *to: _structure(name, f"urn:{to[0]}"), _value_set, _concept_map])
def test_what_leads_on_and_on_is_said_once(tmp_path: Path, made: Any) -> None:
    chain = [made(f"N{rank}", f"N{rank + 1}") for rank in range(MOST_LEVELS + 900)]
    definitions, found = load_definitions([_files(tmp_path, *chain)])
    assert [(entry.code, entry.variant) for entry in found] == [("FM352", "deep")]
    held = (definitions.structure, definitions.value_set, definitions.concept_map)
    assert not any(ask("urn:N0") for ask in held)
    assert any(ask(f"urn:N{len(chain) - 2}") for ask in held)


def test_a_value_set_that_is_included_again_and_again_is_looked_at_once(tmp_path: Path) -> None:
    chain = [_value_set(f"N{rank}", f"N{rank + 1}", f"N{rank + 1}") for rank in range(40)]
    definitions, found = load_definitions([_files(tmp_path, *chain, _value_set("N40"))])
    assert not found
    assert membership(definitions, "urn:N0", "urn:s", "a") is Membership.YES
    assert membership(definitions, "urn:N0", "urn:s", "b") is Membership.NO
    assert expand(definitions, "urn:N0") == frozenset({("urn:s", "a")})


def test_a_concept_map_that_many_leave_codes_to_is_asked_once(tmp_path: Path) -> None:
    levels = [_concept_map(f"{side}{rank}", f"a{rank + 1}", f"b{rank + 1}") for rank in range(40) for side in "ab"]
    folder = _files(tmp_path, *levels)
    text = f"""uses "{_FHIR}Patient" alias P as source
uses "{_FHIR}Basic" alias B as target
group main(source src : P, target tgt : B) {{ src.id as v -> tgt.language = translate(v, 'urn:a0', 'code') "l"; }}
"""
    result = compile_map(text, definitions=[folder], validate=False)({"resourceType": "Patient", "id": "zz"})
    assert not result.faults
    assert [entry.concept_map for entry in result.unmapped]
