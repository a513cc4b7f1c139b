"""`list_mode_on_single`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.list_mode_on_single import list_mode_on_single
from tests.analysis.checks.harness import copied, reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored("x : string 0..1", "src.x first as v -> tgt.language = v;"), ["FM231: src.x first as v"]),
        (
            stored("x : string 0..1", "src.x as v -> tgt.maritalStatus as m collate, m.text = v;"),
            ["FM231: tgt.maritalStatus as m collate"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(list_mode_on_single, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(
            "x : Part 0..* join 't' on 'id'",
            "src.x first as v -> tgt.language = v.c;",
            more="model Part { c : string }",
        ),
        stored(
            "x : Part 0..* join 't' on 'id'",
            "src.x as v -> tgt.language = v.c last;",
            more="model Part { c : string }",
        ),
        copied("string 0..1"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(list_mode_on_single, text) == []
