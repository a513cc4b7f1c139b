"""Dates in digits, in Roman numbers and in words, each where it is."""

from __future__ import annotations

import pytest

from fhirmap.sinks.written_dates import is_part_of_date, is_year, written_dates
from fhirmap.texts.folded_text import fold


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("le 12 mars", ["12mars"]),
        ("02.II.1941", ["02ii1941"]),
        ("12 xiii 1941", []),
        ("le deux février mille neuf cent quarante et un", ["deuxfevriermilleneufcentquaranteetun"]),
        ("le 12 mars et un implant", ["12mars"]),
        ("one may retry", []),
        ("May 12", ["may12"]),
        ("12:10:09", []),
        ("13feb1951", ["13feb1951"]),
    ],
)
def test_dates(words: str, found: list[str]) -> None:
    folded = fold(words)
    assert [folded.letters[start:end] for start, end in written_dates(folded)] == found


def test_years_and_parts() -> None:
    assert [is_year(digits) for digits in ("1941", "41", "3041", "941")] == [True, True, False, False]
    assert [is_part_of_date(word) for word in ("2", "1er", "mars", "deux", "ici", "")] == [True] * 4 + [False] * 2
