"""`unused_column`: what it reports, and what it does not."""

# ruff: noqa: E501  maps of one line

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unused_column import unused_column
from tests.analysis.checks.harness import PATIENT, copied, reported, stored

OWN = "model Part from csv source 'parts' { c : string  d : string }"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored("x : string 0..1"), ["FM241: x"]),
        (stored("p : Part 0..* join 't' on 'id'", more="model Part { c : string }"), ["FM241 element: p"]),
        (stored("p : Part 0..* join on 'id'", more=OWN), ["FM241 element: p"]),
        (stored("p : Part 0..* join on 'id'", "src.p as p -> tgt.contact as c, c.id = p.c;", more=OWN), ["FM241: d"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unused_column, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        copied("string 0..1"),
        "model Row from fixed key '1-2' { a : string 0..* from 9 count 5..6 width 2  b : string 0..* from after 'a' count 7..8 width 3 }\n"
        + PATIENT
        + "group row(source src : Row, target tgt : Patient) { src.b as v -> tgt.language = v; }",
        stored("x : string 0..1", "src where (x = 'a') -> tgt.language = 'fr';"),
        PATIENT
        + "model Row { id : string  x : string }\ngroup row(source src : Row, target tgt : Patient) { src.id as v -> tgt.id = v; }",
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unused_column, text) == []
