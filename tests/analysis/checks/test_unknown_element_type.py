"""`unknown_element_type`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unknown_element_type import unknown_element_type
from tests.analysis.checks.harness import copied, reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (copied("varchar 0..1"), ["FM157: varchar"]),
        (copied("Part 0..1"), ["FM157: Part"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unknown_element_type, text) == found


@pytest.mark.parametrize(
    "text",
    [
        copied("string 0..1"),
        stored("x : Part 0..* join 't' on 'id'", more="model Part { c : string }"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unknown_element_type, text) == []
