"""`unknown_format_code`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unknown_format_code import unknown_format_code
from tests.analysis.checks.harness import copied, reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (copied("date 0..1 format 'YYYY-MM-dd'"), ["FM235: 'YYYY-MM-dd'"]),
        (copied("date 0..1 format '%d/%m/%Y'"), ["FM235 strftime: '%d/%m/%Y'"]),
        (stored(rules="src.id as w -> tgt.birthDate = toDate(w, 'jj/MM/yyyy');"), ["FM235: 'jj/MM/yyyy'"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unknown_format_code, text) == found


@pytest.mark.parametrize(
    "text",
    [
        copied("date 0..1 format 'yyyyMMdd'"),
        copied("date 0..1 format 'hl7'"),
        copied("dateTime 0..1 format 'yyyy-MM-ddTHH:mm'"),
        stored(rules="src.id as w -> tgt.birthDate = toDate(w, 'dd/MM/yyyy');"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unknown_format_code, text) == []
