from __future__ import annotations

import pytest

from fhirmap.language.format import format_map
from fhirmap.language.parser import parse
from tests.language.corpus import CONSTRUCTS


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
  a    : string   1..1 from 'A' // first
  long : dateTime 0..1 from 'B' format 'yyyy'
}
"""
    )


def test_long_rules_are_broken_at_their_targets() -> None:
    targets = ", ".join(f"tgt.element{i} = something{i}" for i in range(5))
    lines = formatted(
        f"group g(source src, target tgt) {{ src.a as v -> {targets} then {{ v.a -> tgt.b; }}; }}"
    ).splitlines()
    assert lines[1:4] == [
        "  src.a as v",
        "      -> tgt.element0 = something0,",
        "      tgt.element1 = something1,",
    ]
    assert lines[6:9] == ["      tgt.element4 = something4", "      then {", "    v.a -> tgt.b;"]


def test_windows_line_ends_and_a_byte_order_mark() -> None:
    text = "group g(source s, target t) {\n  s.a -> t.b; // c\n  /* d\n     e */\n}\n"
    assert formatted("\ufeff" + text.replace("\n", "\r\n")) == text


def test_sql_keeps_its_lines() -> None:
    text = "model M from table 't' key 'k' where \"a = 1\n  and b = \\\"x\\\"\" {\n  a : string 0..1\n}\n"
    assert formatted(text) == text


def test_an_empty_text() -> None:
    assert formatted("") == ""
    assert formatted("// only this") == "// only this\n"
