"""Checking: all faults of all maps at once, in text order, and never an exception for a bad map."""

from __future__ import annotations

from fhirmap.analysis.check import check, has_errors
from fhirmap.analysis.workspace import load
from fhirmap.language.parser import parse
from tests.analysis.harness import codes, definitions, diagnose

TEXT = """\
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
model Person from table 'patients' key 'ipp' {
  ipp  : string 1..1
  name : string 0..1
}
group person(source src : Person, target tgt : Patient) {
  src.ipp as v -> tgt.identifer = v;
  src.nme as v -> tgt.id = v;
  src.name as v then family(v, tgt);
}
"""


def test_all_faults_are_reported_at_once_in_text_order() -> None:
    found = diagnose(TEXT)
    assert codes([entry for entry in found if entry.is_error]) == ["FM204", "FM204", "FM103"]
    lines = [entry.span.line for entry in found if entry.span is not None]
    assert lines == sorted(lines)
    assert has_errors(found)


def test_the_faults_of_both_stages() -> None:
    second = TEXT.replace("model Person", "model Other").replace("src : Person", "src : Other")
    found = diagnose(TEXT, second)
    assert {entry.span.name for entry in found if entry.span is not None and entry.is_error} == {
        "example.map",
        "target.map",
    }


def test_a_wildcard_that_matches_nothing_stops_nothing() -> None:
    text = 'imports "https://nowhere.example/*4to5"\n' + TEXT
    found = [entry for entry in diagnose(text) if entry.code == "FM100"]
    assert [entry.is_error for entry in found] == [False]


def test_a_map_that_is_hardly_one_is_checked_all_the_same() -> None:
    for text in ("", "group", "group a(", "group a(source s, target t) { s.a -> ", "model X {", 'uses "x" alias'):
        tree, _ = parse(text, "bad.map")
        program = load([(tree, ())])
        check(program, definitions(), {})
