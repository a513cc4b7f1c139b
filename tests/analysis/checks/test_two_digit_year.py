"""`two_digit_year`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.two_digit_year import two_digit_year
from tests.analysis.checks.harness import copied, reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (copied("date 0..1 format 'dd/MM/yy'"), ["FM461: 'dd/MM/yy'"]),
        (copied("date 0..1 format 'dd-MMM-yy'"), ["FM461: 'dd-MMM-yy'"]),
        (stored(rules="src.id as w -> tgt.birthDate = toDate(w, 'ddMMyy');"), ["FM461: 'ddMMyy'"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(two_digit_year, text) == found


@pytest.mark.parametrize("text", [copied("date 0..1 format 'dd/MM/yyyy'"), copied("date 0..1")])
def test_it_does_not_report(text: str) -> None:
    assert reported(two_digit_year, text) == []
