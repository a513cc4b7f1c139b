"""`translate` through ConceptMap resources, in the shapes of R4 and R5: relations, policies, codes that none holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import fhirmap
from fhirmap.compilation.mapset import MapSet
from fhirmap.records import Unmapped

MAP = """\
/// url = 'https://x.example/StructureMap/main'
uses "http://hl7.org/fhir/StructureDefinition/Observation" alias Observation as source
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group main(source src : Observation, target tgt : Basic) {
  src.code as c -> tgt.code = translate(c, 'https://x.example/ConceptMap/first|2.0', 'CodeableConcept') "code";
  src.id as v -> tgt.id = translate(v, 'https://x.example/ConceptMap/first', 'code') "id";
}
"""
ELEMENTS = {
    "R4": [
        {"code": "a", "target": [{"code": "A", "display": "Letter", "equivalence": "equal"}]},
        {"code": "n", "target": [{"equivalence": "unmatched"}]},
        {"code": "d", "target": [{"code": "D", "equivalence": "disjoint"}]},
    ],
    "R5": [
        {"code": "a", "target": [{"code": "A", "display": "Letter", "relationship": "equivalent"}]},
        {"code": "n", "noMap": True},
        {"code": "d", "target": [{"code": "D", "relationship": "not-related-to"}]},
    ],
}
SHAPES = ["R4", "R5"]
SECOND = {
    "resourceType": "ConceptMap",
    "url": "https://x.example/ConceptMap/second",
    "name": "Second",
    "status": "active",
    "group": [{"source": "urn:s", "target": "urn:t2", "element": [{"code": "z", "target": [{"code": "Z"}]}]}],
}


def runs(folder: Path, shape: str, unmapped: dict[str, str] | None) -> MapSet:
    suffix = "|1.0" if shape == "R5" else ""
    group: dict[str, Any] = {"source": f"urn:s{suffix}", "target": f"urn:t{suffix}", "element": ELEMENTS[shape]}
    if unmapped:
        group["unmapped"] = unmapped
    first = {**SECOND, "url": "https://x.example/ConceptMap/first", "name": "First", "version": "2.0", "group": [group]}
    (folder / "first.json").write_text(json.dumps(first), encoding="utf-8")
    (folder / "second.json").write_text(json.dumps(SECOND), encoding="utf-8")
    (folder / "main.map").write_text(MAP, encoding="utf-8")
    return MapSet([folder], fhir_version=shape)


def outcome(maps: MapSet, code: str, system: str = "urn:s") -> tuple[Any, tuple[str, ...]]:
    """The coding that a code becomes, and the codes that were in no map."""
    content = {"resourceType": "Observation", "code": {"coding": [{"system": system, "code": code}]}}
    result = maps.transform("https://x.example/StructureMap/main", content)
    assert result.resource is not None
    coding = result.resource.get("code", {}).get("coding", [None])[0]
    return coding, tuple(entry.code for entry in result.unmapped)


@pytest.mark.parametrize("shape", SHAPES)
def test_without_a_policy(tmp_path: Path, shape: str) -> None:
    maps = runs(tmp_path, shape, None)
    assert outcome(maps, "a") == ({"system": "urn:t", "code": "A", "display": "Letter"}, ())
    assert outcome(maps, "a", "urn:other") == (None, ("a",))
    assert outcome(maps, "q") == (None, ("q",))
    assert outcome(maps, "d") == (None, ())


@pytest.mark.parametrize("shape", SHAPES)
def test_a_fixed_code_has_the_groups_target_system(tmp_path: Path, shape: str) -> None:
    maps = runs(tmp_path, shape, {"mode": "fixed", "code": "X"})
    assert outcome(maps, "q") == ({"system": "urn:t", "code": "X"}, ("q",))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_source_code_passes(tmp_path: Path, shape: str) -> None:
    maps = runs(tmp_path, shape, {"mode": "provided" if shape == "R4" else "use-source-code"})
    assert outcome(maps, "q") == ({"system": "urn:s", "code": "q"}, ("q",))


@pytest.mark.parametrize("shape", SHAPES)
def test_another_map_is_asked(tmp_path: Path, shape: str) -> None:
    other = {"url" if shape == "R4" else "otherMap": "https://x.example/ConceptMap/second"}
    maps = runs(tmp_path, shape, {"mode": "other-map", **other})
    assert outcome(maps, "a")[0]["code"] == "A"
    assert outcome(maps, "z")[0] == {"system": "urn:t2", "code": "Z"}
    assert outcome(maps, "q") == (None, ("q",))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_code_that_has_no_target_is_left_alone_by_the_policy(tmp_path: Path, shape: str) -> None:
    maps = runs(tmp_path, shape, {"mode": "fixed", "code": "X"})
    assert outcome(maps, "n") == (None, ())


def test_maps_that_send_each_other_what_they_do_not_know(tmp_path: Path) -> None:
    back = {"mode": "other-map", "url": "https://x.example/ConceptMap/first"}
    maps = runs(tmp_path, "R4", {"mode": "other-map", "url": "https://x.example/ConceptMap/second"})
    second = {**SECOND, "group": [{**SECOND["group"][0], "unmapped": back}]}  # type: ignore[dict-item]
    (tmp_path / "second.json").write_text(json.dumps(second), encoding="utf-8")
    maps = MapSet([tmp_path])
    assert outcome(maps, "z")[0]["code"] == "Z"
    assert outcome(maps, "q") == (None, ("q",))


TABLES = """\
conceptmap "plain" { prefix s = "urn:s" prefix t = "urn:t" s:a - t:b }
conceptmap "strict" { prefix s = "urn:s" prefix t = "urn:t" unmapped error s:a - t:b }
model In { x : string y : string }
model Out { x : code y : code }
group main(source src : In, target tgt : Out) {
  src.x as v -> tgt.x = translate(v, '#plain', 'code') "x";
  src.y as v -> tgt.y = translate(v, '#strict', 'code') "y";
}
"""


def test_plain_tables_show_what_they_lack() -> None:
    transformer = fhirmap.compile_map(TABLES)
    assert transformer({"x": "a", "y": "a"}).unmapped == ()
    found = transformer({"x": "q", "y": "r"})
    assert found.unmapped == (Unmapped("plain", "q"), Unmapped("strict", "r"))
    assert [(fault.code, fault.args) for fault in found.faults] == [("FM405", {"table": "strict", "name": "r"})]
    assert transformer({"x": "1 51 02 46 102 043 72", "y": "a"}).unmapped == (Unmapped("plain", ""),)
