"""Dates and check digits of labels."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from fhirmap.functions.udi.parts import GS1, LabelParts, calendar_year, gs1_date, is_gtin_valid, ordinal_date
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


def test_a_label_without_a_device_has_a_problem_and_no_form_to_show() -> None:
    reading = LabelParts(GS1)
    reading.take("lot", "A")
    assert reading.finished("(10)A") == {"issuer": GS1, "lot": "A", "problems": ["no-device-identifier"]}
    reading = LabelParts(GS1)
    reading.take("deviceIdentifier", "1")
    assert reading.finished("(01)1") == {"issuer": GS1, "deviceIdentifier": "1", "humanReadable": "(01)1"}


def test_of_two_values_that_differ_none_is_taken_nor_a_third() -> None:
    reading = LabelParts(GS1)
    for day in ("2029-01-01", "2029-01-02", "2029-01-01", "2029-01-01"):
        reading.take("expiry", day)
    assert reading.finished("") == {"issuer": GS1, "problems": ["two-values", "no-device-identifier"]}


@pytest.mark.parametrize(
    ("digits", "now", "year"),
    [
        *[(77, 2026, 1977), (76, 2026, 2076), (26, 2026, 2026), (99, 2026, 1999), (0, 2026, 2000), (0, 2051, 2100)],
        *[(49, 2099, 2149), (50, 2099, 2050), (49, 2100, 2149), (51, 2100, 2051), (50, 2100, 2150)],
    ],
)
def test_two_digits_mean_a_year_from_49_before_to_50_after(digits: int, now: int, year: int) -> None:
    assert calendar_year(digits, now) == year
    assert all(-49 <= calendar_year(two, now) - now <= 50 for two in range(100))
