"""`unknown_zone`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unknown_zone import unknown_zone
from tests.analysis.checks.harness import copied, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (copied("dateTime 0..1 format 'yyyyMMddHHmm' zone 'Europe/Pari'"), ["FM236: 'Europe/Pari'"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unknown_zone, text) == found


@pytest.mark.parametrize(
    "text",
    [
        copied("dateTime 0..1 format 'yyyyMMddHHmm' zone 'Europe/Paris'"),
        copied("dateTime 0..1 format 'yyyyMMdd'"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unknown_zone, text) == []
