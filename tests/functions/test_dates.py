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
