"""Checking: all faults of all maps at once, in text order, and never an exception for a bad map."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from fhirmap.analysis.check import check, has_errors
from fhirmap.analysis.workspace import load
from fhirmap.language.parser import parse
from tests.analysis.harness import codes, definitions, diagnose
from tests.work import calls

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


FLAT: dict[str, Callable[[int], str]] = {
    "rules": lambda n: main("".join(f"s.id as a{i} -> t.id = a{i} 'r{i}';\n" for i in range(n))),
    "sources": lambda n: main(", ".join(f"s.name as n{i}" for i in range(n)) + " -> t.id = 'a' 'r';"),
    "targets": lambda n: main("s -> " + ", ".join(f"t.name as n{i}" for i in range(n)) + " 'r';"),
    "calls": lambda n: main("s -> t then " + ", ".join("main(s, t)" for _ in range(n)) + " 'r';"),
    "groups": lambda n: "".join(main("s.id as a -> t.id = a 'r';").replace("main", f"g{i}") for i in range(n)),
    "columns": lambda n: MODEL.format("".join(f"a{i} : string 0..1 from 'a{i}'\n" for i in range(n))),
    "columns declared twice": lambda n: MODEL.format("a : string 0..1 from 'a'\n" * n),
    "imports": lambda n: "".join(f'imports "http://x/StructureMap/{i}"\n' for i in range(n)) + main("s -> t.id = 'a';"),
}
MODEL = "model M from table 't' key 'k' {{ {} }}\ngroup main(source s : M, target t) {{ s.a0 as a -> t.id = a 'r'; }}\n"


def main(rules: str) -> str:
    return f"group main(source s : P, target t : Q) {{ {rules} }}\n"


def work(text: str) -> int:
    uses = "".join(
        f'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias {alias} as {mode}\n'
        for alias, mode in (("P", "source"), ("Q", "target"))
    )
    program = load([parse(uses * (": P" in text) + text, "flat.map")])
    return calls(lambda: check(program, definitions()))


@pytest.mark.parametrize("kind", FLAT)
def test_the_work_grows_with_the_size_of_a_map_and_no_faster(kind: str) -> None:
    work(FLAT[kind](10))
    assert work(FLAT[kind](600)) < 2.5 * work(FLAT[kind](300))
