"""Dates that a source writes in several ways."""

from __future__ import annotations

import doctest

import pytest

from fhirmap.functions import dates
from fhirmap.functions.dates import date_in


def test_examples_of_the_documentation() -> None:
    assert doctest.testmod(dates).failed == 0


@pytest.mark.parametrize(
    ("text", "formats", "day"),
    [
        ("16/08/2025", "dd/MM/yyyy, dd/MM/yy", "2025-08-16"),
        (" 16/08/25\xa0", "dd/MM/yyyy, dd/MM/yy", "2025-08-16"),
        ("29/02/2024", "dd/MM/yyyy", "2024-02-29"),
        ("04/2028", "dd/MM/yyyy,MM/yyyy", "2028-04"),
        ("29/02/2025", "dd/MM/yyyy, dd/MM/yy", None),
        ("13/2025", "MM/yyyy", None),
        ("lundi", "dd/MM/yyyy", None),
        ("", "dd/MM/yyyy", None),
    ],
)
def test_the_first_format_that_fits(text: str, formats: str, day: str | None) -> None:
    assert date_in(text, formats) == day


@pytest.mark.parametrize(
    ("text", "formats", "found"),
    [
        ("15-MAR-25", "dd-MMM-yy", "2025-03-15"),
        ("3 févr. 2025", "d MMM yyyy", "2025-02-03"),
        ("3 fevr 2025", "d MMM yyyy", "2025-02-03"),
        ("1 août 2025", "d MMMM yyyy", "2025-08-01"),
        ("1 aou\u0302t 2025", "d MMMM yyyy", "2025-08-01"),
        ("1 AOUT 2025", "d MMMM yyyy", "2025-08-01"),
        ("02 juil. 2025", "dd MMM yyyy", "2025-07-02"),
        ("02 juin 2025", "dd MMM yyyy", "2025-06-02"),
        ("31 Dec 2025", "dd MMM yyyy", "2025-12-31"),
        ("31 décembre 2025", "dd MMMM yyyy", "2025-12-31"),
        ("sept. 2025", "MMM yyyy", "2025-09"),
        ("02 jui 2025", "dd MMM yyyy", None),
        ("02 xyz 2025", "dd MMM yyyy", None),
        ("31 févr. 2025", "dd MMM yyyy", None),
    ],
)
def test_names_of_months(text: str, formats: str, found: str | None) -> None:
    assert date_in(text, formats) == found
