"""`format_misfit`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.format_misfit import format_misfit
from tests.analysis.checks.harness import copied, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (copied("string 0..1 format 'yyyyMMdd'"), ["FM234 type: 'yyyyMMdd'"]),
        (copied("date 0..1 format 'MMdd'"), ["FM234 year: 'MMdd'"]),
        (copied("instant 0..1 format 'yyyyMMdd'"), ["FM234 missing: 'yyyyMMdd'"]),
        (copied("date 0..1 format 'yyyy-mm-dd'"), ["FM234 months: 'yyyy-mm-dd'"]),
        (copied("string 0..1 format 'hl7'"), ["FM234 type: 'hl7'"]),
        (copied("dateTime 0..1 format 'yyyyMMddhhmm'"), ["FM234 afternoon: 'yyyyMMddhhmm'"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(format_misfit, text) == found


@pytest.mark.parametrize(
    "text",
    [
        copied("date 0..1 format 'yyyyMMdd'"),
        copied("date 0..1 format 'd/M/yyyy'"),
        copied("date 0..1 format 'yyyy'"),
        copied("time 0..1 format 'HH:mm'"),
        copied("instant 0..1 format 'yyyyMMddHHmmss'"),
        copied("date 0..1 format 'YYYY'"),
        copied("date 0..1 format 'hl7'"),
        copied("time 0..1 format 'hl7'"),
        copied("instant 0..1 format 'hl7'"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(format_misfit, text) == []
