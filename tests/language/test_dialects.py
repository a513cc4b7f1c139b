"""Dialects of the reference engine: read as meant, with a warning, and written right by the formatter."""

from __future__ import annotations

import pytest

from fhirmap.language.format import format_map
from fhirmap.language.parser import parse


@pytest.mark.parametrize(
    ("written", "right"),
    [
        ("uses \"http://x\" alias 'Pat' as source\n", 'uses "http://x" alias Pat as source\n'),
        ('uses "http://x" alias "My type" as source\n', 'uses "http://x" alias `My type` as source\n'),
        ("group 'g'(source s, target t) {}\n", "group g(source s, target t) {}\n"),
        ('group g(source s, target t) extends "h" {}\n', "group g(source s, target t) extends h {}\n"),
        ("group g(source s : A target t : B) {}\n", "group g(source s : A, target t : B) {}\n"),
        ("group g(source s target t) {}\n", "group g(source s, target t) {}\n"),
        ("group g(source s, target t,) {}\n", "group g(source s, target t) {}\n"),
        ("s.a as v -> t.b = cc('u' v);", "s.a as v -> t.b = cc('u', v);"),
        ("s.a as v -> t.b = append(v, 'x' %v 'y', );", "s.a as v -> t.b = append(v, 'x', %v, 'y');"),
        ("s.a as v -> t.b as w then h(v w,);", "s.a as v -> t.b as w then h(v, w);"),
        ("s.a as v -> t.b = translate(v, '#c', 'coding');", "s.a as v -> t.b = translate(v, '#c', 'Coding');"),
        (
            "s.a as v -> t.b = translate(v '#c' 'codeableconcept');",
            "s.a as v -> t.b = translate(v, '#c', 'CodeableConcept');",
        ),
    ],
)
def test_read_as_meant(written: str, right: str) -> None:
    head, tail = ("", "") if written.endswith("\n") else ("group g(source s, target t) {\n  ", "\n}\n")
    tree, found = parse(head + written + tail)
    assert {entry.code for entry in found} == {"FM163"}
    assert not any(entry.is_error for entry in found)
    assert format_map(tree, head + written + tail) in (head + right + tail, right.replace("{}", "{\n}"))
    assert not parse(head + right + tail)[1]


@pytest.mark.parametrize(
    "rule",
    [
        "s.a as v -> t.b = (iif(%v 1, 2));",
        "s.a as v where v.matches('a',) -> t.b = v;",
        "s.a as v -> t.b = append(, v);",
        "s.a as v -> t.b = append(v,, 'x');",
        "s.a as v, -> t.b = v;",
        "s.a as v -> t.b = v t.c = v;",
    ],
)
def test_commas_elsewhere_stay_errors(rule: str) -> None:
    _, found = parse(f"group g(source s, target t) {{\n  {rule}\n}}\n")
    assert any(entry.is_error for entry in found)
    assert "FM163" not in {entry.code for entry in found}
