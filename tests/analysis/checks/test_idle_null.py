"""`idle_null`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.idle_null import idle_null
from tests.analysis.checks.harness import copied, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (copied("string 0..1 null 'X', 'X'"), ["FM173 twice: 'X'"]),
        (copied("string 0..1 null ' X'"), ["FM173 blank: ' X'"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(idle_null, text) == found


@pytest.mark.parametrize(
    "text",
    [
        copied("string 0..1 null 'X', 'Y'"),
        copied("string 0..1"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(idle_null, text) == []
