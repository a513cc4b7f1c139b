"""`zone_needed`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.zone_needed import zone_needed
from tests.analysis.checks.harness import copied, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (copied("dateTime 0..1 format 'yyyyMMddHHmm'"), ["FM771: 'yyyyMMddHHmm'"]),
        (copied("instant 0..1 format 'yyyyMMddHHmmss'"), ["FM771: 'yyyyMMddHHmmss'"]),
        (copied("date 0..1 format 'yyyy-MM-dd HH:mm Z'"), ["FM771 instant: 'yyyy-MM-dd HH:mm Z'"]),
        (copied("time 0..1 format 'HH:mm z'"), ["FM771 instant: 'HH:mm z'"]),
        (copied("date 0..1 format 'unix'"), ["FM771 instant: 'unix'"]),
        (copied("dateTime 0..1 format 'unix-ms'"), ["FM771 instant: 'unix-ms'"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(zone_needed, text) == found


@pytest.mark.parametrize(
    "text",
    [
        copied("dateTime 0..1 format 'yyyyMMddHHmm' zone 'Europe/Paris'"),
        copied("dateTime 0..1 format 'yyyyMMdd'"),
        copied("dateTime 0..1 format 'yyyy-MM-dd HH:mm Z'"),
        copied("date 0..1 format 'yyyyMMddHHmm'"),
        copied("time 0..1 format 'HHmm'"),
        copied("instant 0..1 format 'unix'"),
        copied("dateTime 0..1 format 'hl7'"),
        copied("date 0..1 format 'unix' zone 'Europe/Paris'"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(zone_needed, text) == []
