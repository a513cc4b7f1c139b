from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.language.format import format_map
from fhirmap.language.parser import parse
from tests.language.corpus import CONSTRUCTS

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = sorted([*(ROOT / "maps").rglob("*.map"), *(ROOT / "examples").rglob("*.map")])


def formatted(text: str) -> str:
    tree, diagnostics = parse(text)
    assert [entry for entry in diagnostics if entry.is_error] == []
    return format_map(tree, text)


@pytest.mark.parametrize("text", CONSTRUCTS)
def test_every_construct_survives(text: str) -> None:
    once = formatted(text)
    assert parse(once)[0] == parse(text)[0]
    assert formatted(once) == once


def test_layout() -> None:
    text = """/// url='http://x'
uses "u"  alias  A as source // source
imports "i"
// the group
group   g( source src:A,target tgt ) extends  b << type+ >>
{ // opens
src.a->tgt.b;   src.c as v where v.d='x'->tgt.e=v , tgt.f = ( 1+2 ) "n" ; // both


  src.g as g -> tgt.g as h then { // inner
    g.i -> h.i; /* last */ } "block"; // end

  // nothing more
}
model  M from table 't' key 'k' { a:string 1..1 from 'A' // first
long : dateTime from 'B' format 'yyyy' }
"""
    assert (
        formatted(text)
        == """/// url = 'http://x'

uses "u" alias A as source // source

imports "i"

// the group
group g(source src : A, target tgt) extends b <<type+>> {
  // opens
  src.a -> tgt.b;
  src.c as v where (v.d = 'x') -> tgt.e = v, tgt.f = (1 + 2) "n"; // both

  src.g as g -> tgt.g as h then {
    // inner
    g.i -> h.i; /* last */
  } "block"; // end

  // nothing more
}

model M from table 't' key 'k' {
  a    : string   1..1 from 'A'   // first
  long : dateTime 0..1 from 'B' format 'yyyy'
}
"""
    )


def test_long_rules_are_filled_up() -> None:
    targets = ", ".join(f"tgt.element{i} = something{i}" for i in range(5))
    lines = formatted(
        f"group g(source src, target tgt) {{ src.a as v -> {targets} then {{ v.a -> tgt.b; }}; }}"
    ).splitlines()
    assert lines[1:4] == [
        "  src.a as v -> tgt.element0 = something0, tgt.element1 = something1, tgt.element2 = something2,",
        "      tgt.element3 = something3, tgt.element4 = something4 then {",
        "    v.a -> tgt.b;",
    ]


def test_a_long_rule_stays_broken_where_its_author_broke_it() -> None:
    long = "x" * 80
    text = f"""group g(source src, target tgt) {{
  src.a as v -> tgt.parameter as p,
      p.name = 'n', p.value = '{long}' "rule";
}}
"""
    assert formatted(text) == text
    assert formatted(text.replace(long, "x")).count("\n") == 3, "a short one is one line"


def test_long_conditions_are_broken_at_their_joints() -> None:
    rest = " and ".join(f"(field{i} = 'a and b' or field{i}.empty())" for i in range(4))
    text = f"""group g(source src, target tgt) {{
  src.element as v where ({rest}) log ('x' & %v) -> tgt.b = v;
}}
"""
    assert formatted(text).splitlines()[1:-1] == [
        "  src.element as v",
        "      where ((field0 = 'a and b' or field0.empty()) and (field1 = 'a and b' or field1.empty())",
        "        and (field2 = 'a and b' or field2.empty()) and (field3 = 'a and b' or field3.empty()))",
        "      log ('x' & %v) -> tgt.b = v;",
    ]


def test_a_model_of_every_kind_of_file() -> None:
    heads = [
        "sheet 2 source 'workbook' key 'a' header none names 'a', 'b' fill 'a', 'b' until 'TOTAL'",
        "sheet 'Poses' names line 4",
        "fixed encoding 'cp1252'",
        "xml path 'h:a' key '@id' where \"x = 1\" prefix h = 'urn:x' prefix c = 'urn:y'",
        "hl7 path 'OBR'",
        "json",
        "parquet",
    ]
    clauses = [
        "from 12..31 decimals 3",
        "from 28",
        "from 178 count 119..120 width 8",
        "from after 'd' count 121 width 20",
        "join on 'a', 'b' = 'c'",
    ]
    elements = "".join(f"  x : string 0..1 {clause}\n" for clause in clauses)
    text = "\n".join(f"model M from {head} {{\n{elements}}}\n" for head in heads)
    assert format_map(parse(text)[0], text) == text


def test_a_model_is_a_table_its_comments_too() -> None:
    text = """model Stay from table 'stay' key 'id' {
  id    : string 1..1 from 'id'   // the key
  lines : Line   0..* join 'stay_line' on 'id_stay' = 'id' where "state = 'OPEN' AND deleted = 0 AND kind IN ('A')"
                      order by 'rank', 'id_line' repeat 'quantity'
  day   : date   0..1 from 'd'    // local
}
"""
    assert formatted(text) == text


def test_a_list_of_values_keeps_its_parentheses() -> None:
    text = """group g(source src, target tgt) {
  src.a as v where ($this in ('x' | 'y')) -> tgt.b = v;
}
"""
    assert formatted(text) == text


def test_what_the_author_said_stays_said() -> None:
    text = """conceptmap "c" from "c.csv" columns 'a', 'b' encoding 'utf-8' delimiter ';' {
  prefix s = "urn:s"
  prefix t = "urn:t"
}
"""
    assert formatted(text) == text


@pytest.mark.parametrize("path", SHIPPED, ids=[path.name for path in SHIPPED])
def test_maps_that_ship_are_formatted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == text, f"fhirmap fmt {path}"


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    text = "group g(source s, target t) {\n  s.a -> t.b; // c\n  /* d\n     e */\n}\n"
    assert formatted("\ufeff" + text.replace("\n", "\r\n")) == text


def test_sql_keeps_its_lines() -> None:
    text = "model M from table 't' key 'k' where \"a = 1\n  and b = \\\"x\\\"\" {\n  a : string 0..1\n}\n"
    assert formatted(text) == text


def test_a_query_in_the_map_stays_there() -> None:
    text = """model M from query 'select id from T' key 'id' {
  a : A 0..* join query 'with x as (select 1) select * from x' on 'id'
}
"""
    assert formatted(text) == text


def test_an_empty_text() -> None:
    assert formatted("") == ""
    assert formatted("// only this") == "// only this\n"
