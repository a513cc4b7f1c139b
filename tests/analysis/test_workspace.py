"""Maps and what they import become one program; files come through the injected reader alone."""

from __future__ import annotations

from fhirmap.analysis.typed import Program
from fhirmap.analysis.workspace import ParsedMap, load
from fhirmap.diagnostics import MapText
from fhirmap.language.parser import parse


def tree(text: str, name: str = "main.map") -> ParsedMap:
    found, diagnostics = parse(text, name)
    assert not diagnostics
    return found, diagnostics


def faults(program: Program) -> list[str]:
    """Codes of what is wrong with imports and files."""
    return [entry.code for unit in program.units for entry in unit.faults]


def library(*urls: str) -> list[MapText]:
    return [
        MapText(f"{number}.map", f"/// url = '{url}'\ngroup g{number}(source s, target t) {{ s.a as v -> t.a = v; }}\n")
        for number, url in enumerate(urls)
    ]


GROUP = "group main(source s, target t) { s.a as v -> t.a = v; }\n"


def test_an_import_is_found_by_its_url() -> None:
    program = load(
        [tree('imports "https://a.example/one"\n' + GROUP)],
        library=library("https://a.example/one", "https://a.example/two"),
    )
    assert not faults(program)
    assert [unit.tree.url for unit in program.stages[0].imports] == ["https://a.example/one"]


def test_a_wildcard_takes_every_match_and_not_itself() -> None:
    main = tree("/// url = 'https://a.example/x4to5'\nimports \"https://a.example/*4to5\"\n" + GROUP)
    program = load(
        [main],
        library=library("https://a.example/Patient4to5", "https://a.example/deep/er4to5", "https://a.example/4to5"),
    )
    assert not faults(program)
    assert [unit.tree.url for unit in program.stages[0].imports] == [
        "https://a.example/Patient4to5", "https://a.example/deep/er4to5",
    ]  # fmt: skip


def test_maps_that_import_one_another_end() -> None:
    one = MapText("one.map", "/// url = 'https://a.example/one'\nimports \"https://a.example/two\"\n" + GROUP)
    two = MapText("two.map", "/// url = 'https://a.example/two'\nimports \"https://a.example/one\"\n" + GROUP)
    program = load([tree('imports "https://a.example/one"\n' + GROUP)], library=[one, two])
    assert [unit.name for unit in program.units] == ["main.map", "one.map", "two.map"]


def test_an_unknown_import_is_reported_with_the_nearest() -> None:
    program = load(
        [tree('imports "https://fhirmap.dev/StructureMap/interventon"\n' + GROUP)],
        library=library("https://fhirmap.dev/StructureMap/intervention"),
    )
    assert faults(program) == ["FM100"]
    assert "`https://fhirmap.dev/StructureMap/intervention`" in program.units[0].faults[0].hint_text


def test_a_code_table_is_read_with_its_encoding_and_columns() -> None:
    text = (
        "conceptmap \"f\" from \"f.csv\" columns 'Famille', 'type' encoding 'cp1252' delimiter ';' {\n"
        '  prefix s = "urn:s" prefix t = "urn:t"\n}\n' + GROUP
    )
    content = "code; Famille ;type\n1;TÊTE;HEAD\n2;;NONE\n".encode("cp1252")
    program = load([tree(text)], read=lambda _map, _file: content)
    assert not faults(program)
    assert [(entry.source_code, entry.target_code) for entry in program.stages[0].tables["f"]] == [("TÊTE", "HEAD")]


def test_a_file_that_cannot_be_read_is_a_diagnostic() -> None:
    text = 'conceptmap "f" from "f.csv" columns \'a\', \'b\' { prefix s = "urn:s" prefix t = "urn:t" }\n' + GROUP
    missing = load([tree(text)])
    garbled = load([tree(text)], read=lambda _map, _file: b"\xff\xfe\x00")
    other = load([tree(text)], read=lambda _map, _file: b"a;c\n1;2\n")
    assert [*faults(missing), *faults(garbled), *faults(other)] == ["FM102", "FM102", "FM101"]
