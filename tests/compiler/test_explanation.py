"""Why code is not the shortest: a map for each reason, and the place of the map that is named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from fhirmap.compilation.program import check_maps
from fhirmap.compiler.build import explained
from fhirmap.compiler.explanation import BY_ITEMS, CodeReason, Explanation
from fhirmap.compiler.one_pass import build
from tests.compiler.generated import PATIENT

FHIR = "http://hl7.org/fhir/StructureDefinition"
PEOPLE = f"""/// url = 'urn:people'
uses "{FHIR}/Patient" alias People as source
uses "{FHIR}/Patient" alias Patient as target
"""
ROW = """model Row from table 'T' key 'id' {
  id : string from 'id'  who : Person join 'P' on 'id'  parts : Part 0..* join 'Q' on 'id'
}
model Person { name : string from 'name' }
model Part { lot : string from 'lot'  rank : integer from position }
"""
MIDDLE = """/// url = 'urn:middle'
model Middle { id : string  name : string  one : Piece  parts : Piece 0..* }
model Piece { lot : string  of : string }
"""
TO_PATIENT = """group second(source src : Middle, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.name as v -> tgt.name as n, n.text = v;
  src.parts as p -> tgt.identifier as i, i.value = (%p.lot), i.system = (%p.of);
}
"""
NAME = "group name(source p : Person, target tgt : Patient) { p.name as v -> tgt.name as n, n.text = v; }"
ONE_STAGE = {
    CodeReason.CALLED_AGAIN: (
        f"""group g(source src : Row, target tgt : Patient) {{
  src.who as p then name(p, tgt); src.who as q then name(q, tgt);
}}
{NAME}
""",
        {(4, 7, "name", "")},
    ),
    CodeReason.CALLS_ITSELF: (
        """group g(source src : Row, target tgt : Patient) {
  src.who as p then name(p, tgt);
}
group name(source p : Person, target tgt : Patient) {
  p where (name = 'x') then other(p, tgt); p.name as v -> tgt.name as n, n.text = v;
}
group other(source p : Person, target tgt : Patient) { p where (name = 'y') then name(p, tgt); }
""",
        {(4, 7, "name", "")},
    ),
    CodeReason.GIVEN_TO_GROUP: (
        f"""group g(source src : Row, target tgt : Patient) {{
  src.who as p then name(p, tgt); src.who as q then name(q, tgt);
}}
{NAME}
""",
        {(2, 21, "Row.who", "name")},
    ),
    CodeReason.IN_EXPRESSION: (
        """group g(source src : Row, target tgt : Patient) {
  src.id as v -> tgt.id = v;
  src.parts as p where (%src.parts contains %p) -> tgt.identifier as i, i.value = (%p.lot);
}
""",
        {(3, 25, "Row.parts", "")},
    ),
    CodeReason.NOT_DECIDED: (
        """group g(source src : Row, target tgt : Patient) {
  src.parts as p where (lot.combine(rank.toString()).count() > 1) -> tgt.identifier as i, i.value = (%p.lot) "twice";
}
""",
        {(2, 25, "twice", "lot.combine(rank.toString())")},
    ),
    CodeReason.NO_RECORD_OF_ITS_OWN: (
        """group g(source src : Row, target tgt : Patient) {
  src then id(src, tgt); src where (id != 'x') then id(src, tgt);
}
group id(source src : Row, target tgt : Patient) { src.id as v -> tgt.id = v; }
""",
        {(1, 7, "", "")},
    ),
}
OVER_FHIR = {
    CodeReason.NO_MODEL: ("src.active as v -> tgt.active = v;", (0, 7, "", "")),
    CodeReason.NO_BARE_VALUE: ("src.name as n then { n.text as v -> tgt.id = v 't'; };", (1, 24, "t", "")),
    CodeReason.HAS_EXTENSIONS: ("src.contained as r then { r.id as i -> tgt.id = i 'y'; } 'x';", (1, 31, "y", "id")),
    CodeReason.SEVERAL_TYPES: ("src.deceased as v -> tgt.id = (%v.toString()) 'died';", (1, 7, "died", "deceased")),
    CodeReason.ANY_TYPE: ("src.contained as r -> tgt.text as n, n.id = (%r.id) 'in';", (1, 7, "in", "contained")),
    CodeReason.IS_ITEM: ("src.deceased as v -> tgt.id = (%v.toString()) 'died';", (1, 33, "died", "%v")),
    CodeReason.KEEPS_TYPE: ("src.name as n -> tgt.language = (%n.given) 'x';", (1, 35, "x", "")),
    CodeReason.NUMBER_AS_TEXT: ("src.photo as p where (size > 3) -> tgt.id = 'a' 'x';", (1, 25, "x", "size")),
    CodeReason.READ_FROM_ITEM: ("src.birthDate as d -> tgt.birthDate as b, b.id = (%d.id) 'x';", (1, 52, "x", "%d.id")),
    CodeReason.TYPE_UNKNOWN: (
        "src.contained as r then { r.name as i -> tgt.id = 'y' 'y'; } 'x';",
        (1, 31, "y", "name"),
    ),
}
TWO_STAGES = {
    CodeReason.WRITTEN_AGAIN: (
        """group first(source src : Row, target tgt : Middle) {
  src.id as v -> tgt.id = v;
  src.id as v where (%src.who.empty()) -> tgt.id = v;
}
""",
        {(2, 18, "Middle", "id")},
    ),
    CodeReason.NAMED_AGAIN: (
        """group first(source src : Row, target tgt : Middle) {
  src.who as i then { i.name as v -> tgt.name = v; };
  src.parts as p -> tgt.parts as i then { p.lot as v -> i.lot = v; };
}
""",
        {(3, 21, "Row.who", "i"), (3, 21, "Middle", "i")},
    ),
}


def explanation(folder: Path, *rules: str) -> Explanation:
    """How a map becomes code. ``rules``: of its one stage, or of the first of two."""
    (folder / "middle.map").write_text(MIDDLE)
    (folder / "first.map").write_text("".join(rules))
    (folder / "second.map").write_text(PATIENT + 'imports "urn:middle"\n' + TO_PATIENT)
    stages = [folder / "first.map", *([folder / "second.map"] if "Middle" in rules[-1] else [])]
    maps = check_maps(*stages, imports=[folder])
    assert not maps.has_errors, maps.diagnostics
    return explained(maps.checked)


def places(found: Explanation, reason: CodeReason, above: int) -> set[tuple[int, int, str, str]]:
    """Line, column and names of each place with a reason. ``above``: lines above the rules."""
    every = (*found.whole, *found.by_items)
    return {
        (place.span.line - above, place.span.column, place.of, place.cause.what)
        for place in every
        if place.cause.reason is reason
    }


@pytest.mark.parametrize("reason", ONE_STAGE)
def test_a_map_of_one_stage(reason: CodeReason, tmp_path: Path) -> None:
    rules, wanted = ONE_STAGE[reason]
    head = PATIENT + ROW
    assert places(explanation(tmp_path, head, rules), reason, head.count("\n")) == wanted


@pytest.mark.parametrize("reason", OVER_FHIR)
def test_a_map_over_fhir(reason: CodeReason, tmp_path: Path) -> None:
    rule, wanted = OVER_FHIR[reason]
    head = PEOPLE + "group g(source src : People, target tgt : Patient) {\n"
    assert wanted in places(explanation(tmp_path, head, f"  {rule}\n}}\n"), reason, head.count("\n"))


@pytest.mark.parametrize("reason", TWO_STAGES)
def test_a_record_between_stages(reason: CodeReason, tmp_path: Path) -> None:
    rules, wanted = TWO_STAGES[reason]
    head = 'imports "urn:middle"\n' + ROW
    found = explanation(tmp_path, head, rules)
    assert places(found, reason, head.count("\n")) == wanted
    assert found.stages == ("Row", "Middle", "Patient")
    assert found.groups == ("first", "second")


def test_a_map_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_LARGEST", 10)
    head = PATIENT + ROW
    found = explanation(tmp_path, head, *(rules for rules, _ in [ONE_STAGE[CodeReason.NOT_DECIDED]]))
    assert places(found, CodeReason.TOO_LARGE, head.count("\n")) == {(1, 7, "", "")}
    assert found.groups == ()


def test_what_is_inside_too_many_repetitions(tmp_path: Path) -> None:
    last = 20
    models = [f"model M{i} {{ id : string from 'id' kids : M{i + 1} 0..* join 'T' on 'id' }}\n" for i in range(1, last)]
    first = "model M0 from table 'S' key 'id' { id : string from 'id' kids : M1 0..* join 'T' on 'id' }\n"
    groups = [
        f"group g{i}(source src : M{i}, target tgt : Patient) {{ src.kids as k then g{i + 1}(k, tgt); }}\n"
        for i in range(last)
    ]
    end = "group g20(source src : M20, target tgt : Patient) { src.id as v -> tgt.identifier as i, i.value = v; }\n"
    head = PATIENT + first + "".join(models) + "model M20 { id : string from 'id' }\n"
    found = explanation(tmp_path, head, *groups, end)
    assert places(found, CodeReason.TOO_DEEP, head.count("\n")) >= {(17, 7, "g16", "")}
    assert found.groups == tuple(f"g{i}" for i in range(16))


def test_each_reason_by_items_has_its_comment() -> None:
    assert set(BY_ITEMS) == {*OVER_FHIR, CodeReason.NOT_DECIDED} - {CodeReason.NO_MODEL}


def test_places_are_in_the_order_of_texts(tmp_path: Path) -> None:
    rules, _ = TWO_STAGES[CodeReason.NAMED_AGAIN]
    found = explanation(tmp_path, 'imports "urn:middle"\n' + ROW, rules)
    lines: Sequence[int] = [place.span.line for place in found.whole]
    assert lines == sorted(lines)
