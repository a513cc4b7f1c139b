"""What a map's target demands of its results: any type of FHIR, a primitive too, in the release that the map names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.compilation.mapset import MapSet, run
from fhirmap.compilation.program import check_maps
from fhirmap.compilation.transformers import transformer_of
from fhirmap.compiler.validator.contract import Contract
from fhirmap.errors import MapError
from fhirmap.fhir_types import PRIMITIVES

MAP = """/// url = 'https://a.example/StructureMap/m'
uses "TARGET" alias To as target
group m(source src, target tgt : To) {
  RULES
}
"""
VALUE = 'src.v as v -> tgt.value = v "value";'
GOOD = {
    "base64Binary": "YWJj", "boolean": True, "canonical": "http://a.example/x", "code": "a b", "date": "2025-07",
    "dateTime": "2025-07-14T10:00:00Z", "decimal": 1, "id": "a.1", "instant": "2025-07-14T10:00:00Z", "integer": -3,
    "integer64": "9007199254740993", "markdown": "*a*", "oid": "urn:oid:1.2", "positiveInt": 1, "string": "a",
    "time": "10:00:00", "unsignedInt": 0, "uri": "urn:a", "url": "http://a.example",
    "uuid": "urn:uuid:00000000-0000-0000-0000-000000000000", "xhtml": "<div>a</div>",
}  # fmt: skip


def target(name: str, number: str) -> str:
    return f"http://hl7.org/fhir/{number}/StructureDefinition/{name}"


def outcome(folder: Path, url: str, rules: str, record: dict[str, Any]) -> tuple[Any, list[tuple[str, str]]]:
    path = folder / "m.map"
    path.write_text(MAP.replace("TARGET", url).replace("RULES", rules), encoding="utf-8")
    result = compile_map(path)(record)
    return result.resource, [(fault.code, fault.path) for fault in result.faults]


@pytest.mark.parametrize(("number", "name"), [("4.0", name) for name in GOOD if name != "integer64"])
def test_one_value_is_a_result(tmp_path: Path, number: str, name: str) -> None:
    assert outcome(tmp_path, target(name, number), VALUE, {"v": GOOD[name]}) == ({"value": GOOD[name]}, [])


def test_every_primitive_of_r5_is_a_result(tmp_path: Path) -> None:
    assert set(GOOD) == PRIMITIVES
    for name in ("integer64", "base64Binary"):
        assert outcome(tmp_path, target(name, "5.0"), VALUE, {"v": GOOD[name]}) == ({"value": GOOD[name]}, [])


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("string", " ", "FM502"),
        ("string", {"a": 1}, "FM501"),
        ("code", "a  b", "FM502"),
        ("id", "a b", "FM502"),
        ("base64Binary", "abc", "FM502"),
        ("xhtml", "a", "FM502"),
        ("xhtml", "<div><p>a</div>", "FM502"),
        ("xhtml", "<div>&foo;</div>", "FM502"),
        ("uri", "a b", "FM502"),
    ],
)
def test_a_bad_value_is_a_fault(tmp_path: Path, name: str, value: object, code: str) -> None:
    assert outcome(tmp_path, target(name, "4.0"), VALUE, {"v": value})[1] == [(code, f"{name}.value")]


def test_what_is_beside_the_value_is_checked_too(tmp_path: Path) -> None:
    rules = f"{VALUE} src.v as v -> tgt.id = v, tgt.extension as e, e.value = create('string') as s, s.value = v;"
    made, faults = outcome(tmp_path, target("string", "4.0"), rules, {"v": "a"})
    assert made == {"value": "a", "id": "a", "extension": [{"valueString": "a"}]}
    assert faults == [("FM504", "string.extension[0].url")]


def test_nothing_is_beside_the_value_under_a_second_name(tmp_path: Path) -> None:
    rule = "src.v as v -> tgt.value = 'a' as x, x.id = v;"
    assert outcome(tmp_path, target("string", "4.0"), rule, {"v": "a"})[1] == [("FM500", "string._value")]


def test_markup_has_no_extensions(tmp_path: Path) -> None:
    _, faults = outcome(tmp_path, target("xhtml", "4.0"), "src -> tgt.extension as e, e.url = 'u';", {"v": "a"})
    assert faults == [("FM500", "xhtml.extension")]


@pytest.mark.parametrize("name", ["Resource", "DomainResource"])
def test_there_are_no_results_of_an_abstract_resource(tmp_path: Path, name: str) -> None:
    rules = "src.v as v -> tgt.id = v;"
    assert outcome(tmp_path, target(name, "4.0"), rules, {"v": "a"})[1] == [("FM512", name)]


@pytest.mark.parametrize(
    ("name", "rule", "fault"),
    [
        ("HumanName", "src.v as v -> tgt.family = v;", []),
        ("Element", "src.v as v -> tgt.id = v;", []),
        ("BackboneElement", "src.v as v -> tgt.id = v;", []),
        ("Age", "src.v as v -> tgt.unit = v;", []),
        ("Extension", "src.v as v -> tgt.url = v;", [("FM509", "Extension")]),
    ],
)
def test_results_that_are_data_types(tmp_path: Path, name: str, rule: str, fault: list[tuple[str, str]]) -> None:
    for number in ("4.0", "5.0"):
        assert outcome(tmp_path, target(name, number), rule, {"v": "a"})[1] == fault


def test_results_hold_to_the_release_of_the_target(tmp_path: Path) -> None:
    text = MAP.replace("TARGET", target("Encounter", "5.0"))
    rules = "src.start as v -> tgt.actualPeriod as p, p.start = v; src -> tgt.status = 'discharged';"
    (tmp_path / "m.map").write_text(text.replace("RULES", rules), encoding="utf-8")
    known = MapSet([tmp_path])
    assert known.definitions.fhir_version == "R4"
    result = run(known.runnable("https://a.example/StructureMap/m"), {"start": "2025-07-14"})
    assert result.resource == {
        "resourceType": "Encounter",
        "actualPeriod": {"start": "2025-07-14"},
        "status": "discharged",
    }
    assert result.faults == ()


def test_a_type_that_the_release_does_not_have_is_not_checked(tmp_path: Path) -> None:
    found = definition(tmp_path)
    text = MAP.replace("TARGET", found["url"]).replace("RULES", "src.v as v -> tgt.size = v;")
    maps = check_maps(text, definitions=[tmp_path])
    assert transformer_of(maps)({"v": 1}).resource == {"size": 1}
    assert compile_map(text, definitions=[tmp_path])({"v": 1}).resource == {"size": 1}
    with pytest.raises(MapError, match=r"FM356.*Parcel.*R4"):
        transformer_of(maps, contract=Contract(maps.checked.definitions, (found["url"],)))


def definition(folder: Path) -> dict[str, Any]:
    """A data type that no release of FHIR has, written into ``folder``."""
    base = "http://hl7.org/fhir/StructureDefinition/Element"
    elements = [
        {"id": "Parcel", "path": "Parcel", "min": 0, "max": "*"},
        {"id": "Parcel.size", "path": "Parcel.size", "min": 0, "max": "1", "type": [{"code": "integer"}]},
    ]
    found = {
        "resourceType": "StructureDefinition",
        "url": "http://a.example/StructureDefinition/Parcel",
        "name": "Parcel",
        "status": "draft",
        "kind": "complex-type",
        "abstract": False,
        "type": "Parcel",
        "baseDefinition": base,
        "derivation": "specialization",
        "snapshot": {"element": elements},
        "differential": {"element": elements},
    }
    (folder / "Parcel.json").write_text(json.dumps(found), encoding="utf-8")
    return found
