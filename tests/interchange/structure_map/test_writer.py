"""The resource around the rules: groups, constants, models, and what other engines lack."""

from __future__ import annotations

from pathlib import Path

from fhirmap.interchange.structure_map import (
    structure_map_to_text,
    write_structure_map,
)
from fhirmap.language.parser import parse
from tests.interchange.structure_map.written import (
    HEAD,
    codes,
    corpus,
    through,
    written,
)


def test_groups() -> None:
    text = HEAD + "group a(source s : X, target t) <<type+>> {}\ngroup b(source s, target t) extends a {}\n"
    for version, mode in (("R4", "none"), ("R5", None)):
        first, second = write_structure_map(parse(text)[0], version).resource["group"]  # type: ignore[arg-type]
        assert first["typeMode"] == "type-and-types"
        assert (second.get("typeMode"), second["extends"]) == (mode, "a")
        assert first["input"] == [{"name": "s", "type": "X", "mode": "source"}, {"name": "t", "mode": "target"}]


def test_constants() -> None:
    head = "let limit = 20;"
    assert written("src;", "R5", head).resource["const"] == [{"name": "limit", "value": "20"}]
    old = written("src;", "R4", head)
    assert "const" not in old.resource
    assert codes(old) == ["FM040newer"]
    assert "let limit = 20;" in structure_map_to_text(old.resource, "x")[0]


def test_functions_that_others_lack_are_reported() -> None:
    found = written("src.a as v where (luhn(v)) -> tgt.b = toDate(v), tgt.c = luhn(v);", functions=["luhn"])
    assert codes(found) == ["FM042date", "FM042function", "FM042expression"]


def test_models_come_back() -> None:
    model = "model Stay from table 'stay' key 'id' {\n  id : string 1..1 // the key\n}\n"
    text = f"{HEAD}{model}\ngroup main(source src : Stay, target tgt) {{\n  src.id as v -> tgt.id = v;\n}}\n"
    found = write_structure_map(parse(text)[0], "R4")
    (structure,) = found.resource["structure"]
    assert (structure["url"], structure["mode"], structure["alias"]) == (
        "http://example.org/StructureDefinition/Stay",
        "source",
        "Stay",
    )
    back = structure_map_to_text(found.resource, "x")[0]
    assert parse(back)[0].models == parse(text)[0].models
    assert "// the key" in back


def test_resources_are_valid(shared_dir: Path) -> None:
    from fhir.resources.R4B.structuremap import StructureMap as OldMap
    from fhir.resources.structuremap import StructureMap as NewMap

    for path in corpus(shared_dir):
        text = path.read_text(encoding="utf-8-sig")
        OldMap.model_validate_json(through(text, "R4")[1])
        NewMap.model_validate_json(through(text, "R5")[1])
