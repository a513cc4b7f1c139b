"""`unreachable_rule`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unreachable_rule import unreachable_rule
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored("x : string 0..1 null 'N'", "src.x as v where (false) -> tgt.language = v;"), ["FM238: false"]),
        (
            stored("x : string 0..1 null 'N'", "src.x as v where (v.exists() and false) -> tgt.language = v;"),
            ["FM238: false"],
        ),
        (stored("x : string 0..1 null 'N'", "src.x as v where (1 = 2) -> tgt.language = v;"), ["FM238: 1 = 2"]),
        (
            stored("x : string 0..1 null 'N'", "src.x as v where (v = 'N') -> tgt.language = v;"),
            ["FM238 null: v = 'N'"],
        ),
        (stored("x : string 0..1 null 'N'", "src.x as v where (v = '') -> tgt.language = v;"), ["FM238 blank: v = ''"]),
        (
            stored("x : string 0..1 null 'N'", "src.x as v where (v = 'a' and v = 'b') -> tgt.language = v;"),
            ["FM238 contrary: v = 'a' and v = 'b'"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unreachable_rule, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored("x : string 0..1 null 'N'", "src.x as v where (true) -> tgt.language = v;"),
        stored("x : string 0..1 null 'N'", "src.x as v where (v = 'a' or v = 'b') -> tgt.language = v;"),
        stored("x : string 0..1 null 'N'", "src.x as v where (v = 'a' or false) -> tgt.language = v;"),
        stored("x : string 0..1 null 'N'", "src.x as v where (v = 'a') -> tgt.language = v;"),
        stored("x : string 0..1 null 'N'", "src.x as v where (v = 'a' and v = 'a') -> tgt.language = v;"),
        stored("x : string 0..1 null 'N'", "src.x as v where (1 = 1) -> tgt.language = v;"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unreachable_rule, text) == []
