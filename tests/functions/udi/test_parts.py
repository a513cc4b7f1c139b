"""Dates and check digits of labels."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from fhirmap.functions.udi.parts import finished, gs1_date, is_gtin_valid, ordinal_date
from tests.functions.udi.labels import INVALID_GTINS, VALID_GTINS


def test_every_day_is_read() -> None:
    day = date(2024, 1, 1)
    while day.year < 2026:
        assert gs1_date(day.strftime("%y%m%d")) == day.isoformat()
        assert ordinal_date(day.strftime("%y%j")) == day.isoformat()
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "found"), [("240200", "2024-02-29"), ("250200", "2025-02-28"), ("250400", "2025-04-30")]
)
def test_day_zero_is_the_last_of_the_month(text: str, found: str) -> None:
    assert gs1_date(text) == found


@pytest.mark.parametrize("text", ["250229", "251301", "250431", "25010", "2501011", "", "25a101"])
def test_no_day(text: str) -> None:
    assert gs1_date(text) == ""


def test_no_day_of_the_year() -> None:
    assert ordinal_date("25366") == "" != ordinal_date("24366")
    assert ordinal_date("25000") == ""


def test_check_digits() -> None:
    assert all(is_gtin_valid(gtin) for gtin in VALID_GTINS)
    assert not any(is_gtin_valid(gtin) for gtin in INVALID_GTINS)


def test_a_label_without_a_device_has_a_problem() -> None:
    assert finished({"lot": "A"}, []) == {"lot": "A", "problems": ["no-device-identifier"]}
    assert finished({"deviceIdentifier": "1"}, []) == {"deviceIdentifier": "1"}
