"""Concept maps in versions, of hundreds of thousands of rows, and those that ask others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fhirmap.compilation.maps import compile_map
from fhirmap.compilation.mapset import MapSet
from fhirmap.compilation.program import check_maps
from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import MapError
from fhirmap.interchange.packages import load_definitions
from fhirmap.records import Result

MAP = """/// url = 'https://a.example/StructureMap/m'
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
group m(source src : Patient, target tgt : Patient) {
  src.id as v -> tgt.maritalStatus = translate(v, 'CANONICAL', 'CodeableConcept') "code";
}
"""


def concept_map(url: str, codes: dict[str, str], version: str = "", **group: Any) -> dict[str, Any]:
    elements = [
        {"code": code, "target": [{"code": to, "relationship": "equivalent"}] if to else []}
        for code, to in codes.items()
    ]
    held = {"resourceType": "ConceptMap", "url": url, "status": "active", "id": f"{url[4:]}-{version}"}
    held["group"] = [{"source": "urn:s", "target": "urn:t", "element": elements, **group}]  # type: ignore[assignment]
    return {**held, "version": version} if version else held


def write(folder: Path, *resources: dict[str, Any]) -> Path:
    for number, resource in enumerate(resources):
        (folder / f"{number}.json").write_text(json.dumps(resource), encoding="utf-8")
    return folder


def reported(folder: Path, canonical: str) -> tuple[Diagnostic, ...]:
    (folder / "m.map").write_text(MAP.replace("CANONICAL", canonical), encoding="utf-8")
    return check_maps(folder / "m.map", definitions=[folder]).diagnostics


def run(folder: Path, canonical: str, code: str) -> Result:
    assert not [entry for entry in reported(folder, canonical) if entry.is_error]
    return MapSet([folder]).transform(folder / "m.map", {"resourceType": "Patient", "id": code})


def written(folder: Path, canonical: str, code: str) -> str | None:
    resource = run(folder, canonical, code).resource
    assert resource is not None
    return resource["maritalStatus"]["coding"][0]["code"] if "maritalStatus" in resource else None


TWO = (concept_map("urn:m", {"A": "old"}, "1.9"), concept_map("urn:m", {"A": "new"}, "1.10"))


def test_a_version_is_that_version(tmp_path: Path) -> None:
    write(tmp_path, *TWO)
    assert written(tmp_path, "urn:m|1.9", "A") == "old"
    assert written(tmp_path, "urn:m|1.10", "A") == "new"


def test_a_version_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path: Path) -> None:
    write(tmp_path, *TWO)
    (found,) = reported(tmp_path, "urn:m|2.0")
    assert (found.code, found.is_error, found.known) == ("FM108", True, ("urn:m|1.9", "urn:m|1.10"))
    (one,) = reported(write(tmp_path, concept_map("urn:m", {"A": "x"}, "1"), concept_map("urn:o", {})), "urn:m|2")
    assert (one.code, one.is_error) == ("FM108", True)


def test_without_a_version_the_newest_is_used_and_said(tmp_path: Path) -> None:
    write(tmp_path, *TWO)
    assert [(entry.code, entry.is_error) for entry in reported(tmp_path, "urn:m")] == [("FM108", False)]
    assert written(tmp_path, "urn:m", "A") == "new"


@pytest.mark.parametrize("kind", ["ConceptMap", "ValueSet", "CodeSystem", "StructureMap"])
def test_two_resources_of_one_url_and_version_that_differ_are_an_error(tmp_path: Path, kind: str) -> None:
    one, other = ({"resourceType": kind, "url": "urn:m", "version": "1", "name": name} for name in ("One", "Other"))
    _, found = load_definitions([write(tmp_path, one, other)])
    assert [entry.code for entry in found] == ["FM352"]
    assert str(tmp_path / "0.json") in found[0].message
    assert str(tmp_path / "1.json") in found[0].message


def test_the_same_resource_twice_is_none(tmp_path: Path) -> None:
    again = {**TWO[0], "id": "elsewhere", "meta": {"source": "x"}}
    _, found = load_definitions([write(tmp_path, *TWO, again), tmp_path])
    assert found == ()


def test_an_import_of_a_version_takes_that_map(tmp_path: Path) -> None:
    for version in ("1", "2"):
        text = f"/// url = 'https://a.example/StructureMap/part'\n/// version = '{version}'\n"
        text += f"group part(source s, target t) {{ s -> t.id = 'v{version}' \"id\"; }}\n"
        (tmp_path / f"part{version}.map").write_text(text, encoding="utf-8")
    main = MAP.replace("group m", 'imports "https://a.example/StructureMap/part|WANTED"\ngroup m')
    main = main.replace(
        "src.id as v -> tgt.maritalStatus = translate(v, 'CANONICAL', 'CodeableConcept')",
        "src -> tgt as t then part(src, t)",
    )
    for version in ("1", "2"):
        (tmp_path / "main.map").write_text(main.replace("WANTED", version), encoding="utf-8")
        result = MapSet([tmp_path]).transform(tmp_path / "main.map", {"resourceType": "Patient"})
        assert result.resource == {"resourceType": "Patient", "id": f"v{version}"}
    (tmp_path / "main.map").write_text(main.replace("WANTED", "3"), encoding="utf-8")
    with pytest.raises(MapError) as caught:
        MapSet([tmp_path]).runnable(tmp_path / "main.map")
    assert next(entry.code for entry in caught.value.diagnostics if entry.is_error) == "FM100"


def test_a_map_of_the_set_is_found_by_its_version(tmp_path: Path) -> None:
    text = MAP.replace("CANONICAL", "urn:m").replace("'\nuses", "'\n/// version = '2'\nuses", 1)
    write(tmp_path, TWO[0])
    (tmp_path / "m.map").write_text(text, encoding="utf-8")
    known = MapSet([tmp_path])
    assert known.runnable("https://a.example/StructureMap/m|2").sources == ("src",)


# --- maps that ask others ---------------------------------------------------------------------------------------------


def asking(*others: dict[str, Any], url: str = "urn:other", **more: Any) -> tuple[dict[str, Any], ...]:
    unmapped = {"mode": "other-map", "otherMap": url, **more}
    return concept_map("urn:m", {"A": "a", "N": ""}, unmapped=unmapped), *others


def test_a_code_that_another_map_holds_is_not_missing(tmp_path: Path) -> None:
    write(tmp_path, *asking(concept_map("urn:other", {"B": "b", "N2": ""})))
    result = run(tmp_path, "urn:m", "B")
    assert result.resource is not None
    assert result.resource["maritalStatus"]["coding"][0]["code"] == "b"
    assert result.unmapped == run(tmp_path, "urn:m", "N").unmapped == run(tmp_path, "urn:m", "N2").unmapped == ()
    assert [(entry.concept_map, entry.code) for entry in run(tmp_path, "urn:m", "C").unmapped] == [("m-", "C")]


def test_a_code_that_the_last_of_three_holds_is_not_missing(tmp_path: Path) -> None:
    second = concept_map("urn:other", {}, unmapped={"mode": "other-map", "url": "urn:third"})
    write(tmp_path, *asking(second, concept_map("urn:third", {"C": "c"})))
    assert run(tmp_path, "urn:m", "C").unmapped == ()
    assert written(tmp_path, "urn:m", "C") == "c"


def test_several_targets_in_another_map_are_a_fault_as_in_the_map_itself(tmp_path: Path) -> None:
    two = concept_map("urn:other", {"B": "b"})
    two["group"][0]["element"][0]["target"].append({"code": "b2", "relationship": "equivalent"})
    write(tmp_path, *asking(two))
    assert [fault.code for fault in run(tmp_path, "urn:m", "B").faults] == ["FM406"]


def test_another_map_is_asked_in_its_version_and_one_that_is_absent_is_said(tmp_path: Path) -> None:
    others = (concept_map("urn:other", {"B": "one"}, "1"), concept_map("urn:other", {"B": "two"}, "2"))
    write(tmp_path, *asking(*others, url="urn:other|1"))
    assert written(tmp_path, "urn:m", "B") == "one"
    write(tmp_path, *asking(*others, url="urn:other|3"))
    assert [(entry.code, entry.is_error) for entry in reported(tmp_path, "urn:m")] == [("FM108", False)]
    result = run(tmp_path, "urn:m", "B")
    assert [entry.code for entry in result.unmapped] == ["B"]


# --- large maps -------------------------------------------------------------------------------------------------------


def lines_of(rows: int, tmp_path: Path) -> int:
    codes = {f"C{number}": f"T{number}" if number % 7 else "" for number in range(rows)}
    write(tmp_path, concept_map("urn:m", codes))
    assert written(tmp_path, "urn:m", f"C{rows - 1}") == (f"T{rows - 1}" if (rows - 1) % 7 else None)
    assert written(tmp_path, "urn:m", "C7") is None
    assert run(tmp_path, "urn:m", "C7").unmapped == ()
    assert [entry.code for entry in run(tmp_path, "urn:m", "X1").unmapped] == ["X1"]
    return len(compile_map(tmp_path / "m.map", definitions=[tmp_path]).source.splitlines())


def test_a_large_map_is_a_text_of_the_module_and_no_code(tmp_path: Path) -> None:
    assert lines_of(20_000, tmp_path) < lines_of(900, tmp_path) < 1500


def test_codes_that_hold_separators_stay_what_they_are(tmp_path: Path) -> None:
    codes = {**{f"C{number}": f"T{number}" for number in range(2000)}, "a\tb": "tab"}
    write(tmp_path, concept_map("urn:m", codes))
    assert written(tmp_path, "urn:m", "a\tb") == "tab"
    assert written(tmp_path, "urn:m", "C12") == "T12"
