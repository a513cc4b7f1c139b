"""Which writes of single elements may meet, and which replace others on purpose."""

from __future__ import annotations

import pytest

from fhirmap.analysis.check import check
from fhirmap.analysis.workspace import load
from fhirmap.language.parser import parse
from tests.analysis.harness import definitions

ROW = "model Row { a : string 0..1 b : string 0..1 many : string 0..* part : Part 0..* }\nmodel Part { x : string }\n"
PATIENT = 'uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target\n'


def guarded(rules: str, more: str = "") -> dict[str, list[str]]:
    """Each write that needs a look when it runs, and those it replaces."""
    text = f"{PATIENT}{ROW}group g(source src : Row, target tgt : Patient) {{ {rules} }}\n{more}"
    program = load([parse(text, "g.map")])
    checked, _ = check(program, definitions())
    found = checked.meetings.guards(checked.groups)
    return {entry.span.snippet: [other.span.snippet for other in guard.replaces] for entry, guard in found.items()}


@pytest.mark.parametrize(
    "rules",
    [
        "src.a as v -> tgt.id = v; src.b as v -> tgt.language = v;",
        "src.part as p -> tgt.name as n, n.family = p.x;",
        "src.part first as p -> tgt.language = p.x;",
        "src.a as v -> tgt.maritalStatus as m, m.text = v; src.b as v -> tgt.maritalStatus as m, m.id = v;",
        "src.a as v -> tgt.maritalStatus = cc(v) as m, m.id = v;",
    ],
)
def test_most_writes_meet_none(rules: str) -> None:
    assert guarded(rules) == {}


def test_writes_meet_through_paths_variables_and_calls() -> None:
    assert guarded(
        "src.a as v -> tgt.maritalStatus.text = v; src.b as w -> tgt.maritalStatus as m then h(w, m);",
        "group h(source v, target t) { v -> t as u, u.text = v; }",
    ) == {"tgt.maritalStatus.text = v": [], "u.text = v": []}
    assert guarded("src.many as v then h(v, tgt);", "group h(source v, target t) { v -> t.id = v; }") == {
        "t.id = v": []
    }


@pytest.mark.parametrize("depth", [1, 5, 9])
def test_writes_meet_however_deep(depth: int) -> None:
    levels = [f"model T{level} {{ n{level} : T{level + 1} 0..1 }}" for level in range(9)]
    outer = ".".join(f"n{level}" for level in range(depth))
    inner = ".".join([f"n{level}" for level in range(depth, 9)] + ["v"])
    calls = " ".join(f"src.{name} as v -> tgt.{outer} as x then h(v, x);" for name in "ab")
    text = "\n".join((
        ROW, *levels, "model T9 { v : string 0..1 }", f"group g(source src : Row, target tgt : T0) {{ {calls} }}",
        f"group h(source v, target t : T{depth}) {{ v -> t.{inner} = v; }}",
    ))  # fmt: skip
    checked, _ = check(load([parse(text, "g.map")]), definitions())
    assert f"t.{inner} = v" in [entry.span.snippet for entry in checked.meetings.guards(checked.groups)]


def test_a_group_that_calls_itself_is_walked_to_its_end() -> None:
    more = "group h(source v : Row, target t) { v.a as a -> t.text = a; v.part as p -> t as u then h(v, u); }"
    assert guarded("src -> tgt.maritalStatus as m then h(src, m);", more) == {"t.text = a": []}


def test_what_is_replaced_on_purpose() -> None:
    rules = "src -> tgt.language = 'x'; src.a as v -> tgt.language = v, tgt.language = (%v & '-');"
    assert guarded(rules) == {
        "tgt.language = 'x'": [],
        "tgt.language = v": ["tgt.language = 'x'"],
        "tgt.language = (%v & '-')": ["tgt.language = 'x'", "tgt.language = v"],
    }
