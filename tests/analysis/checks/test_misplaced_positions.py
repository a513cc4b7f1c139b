"""`misplaced_positions`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.misplaced_positions import misplaced_positions
from tests.analysis.checks.harness import PATIENT, reported


def fixed(elements: str, *, store: str = "fixed key '1-9'", more: str = "") -> str:
    """A map whose model reads lines of fixed width, unless ``store`` says otherwise."""
    return (
        f"{PATIENT}model Row from {store} {{ id : string 1..1 from 1..9\n{elements} }}\n{more}\n"
        "group row(source src : Row, target tgt : Patient) { src.id as v -> tgt.id = v; }\n"
    )


JOINED = "x : Other 0..* join on '11-19' = '1-9'"
OTHER = "model Other from fixed source 'o' { code : string from 1..8 }"
LATEST = ["FM162 written_positions: ' 10-12'"]
PART = "model Part { code : string from 1..8 }"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (fixed("x : string from 31..12"), ["FM162 positions: 31..12"]),
        (fixed("x : string from 0..3"), ["FM162 positions: 0..3"]),
        (fixed("x : string from 0"), ["FM162 positions: 0"]),
        (fixed("x : string 0..* from 20 count 12..11 width 8"), ["FM162 positions: 20 count 12..11 width 8"]),
        (fixed("x : string 0..* from 20 count 12 width 0"), ["FM162 positions: 20 count 12 width 0"]),
        (fixed("x : string from 'sexe'"), ["FM162 text_column: 'sexe'"]),
        (fixed("x : string from '28-28'"), ["FM162 quoted: '28-28'"]),
        (fixed("x : string"), ["FM162 text_column: x"]),
        (fixed("", store="fixed key 'ipp'"), ["FM162 named_positions: 'ipp'"]),
        (fixed("", store="fixed key '1-9' order by '10..12'"), ["FM162 written_positions: '10..12'"]),
        (fixed("", store="fixed key '9'"), ["FM162 written_positions: '9'"]),
        (fixed("", store="fixed key '01-9' latest by ' 10-12'"), ["FM162 written_positions: '01-9'", *LATEST]),
        (fixed("", store="fixed key '9-1'"), ["FM162 named_positions: '9-1'"]),
        (fixed("", store="fixed key '0-1'"), ["FM162 named_positions: '0-1'"]),
        (fixed(JOINED.replace("1-9", "1..9"), more=OTHER), ["FM162 written_positions: '1..9'"]),
        (fixed(JOINED.replace("11-19", "n"), more=OTHER), ["FM162 named_positions: 'n'"]),
        (fixed("x : Other 0..* join on 'id'", more=OTHER), ["FM162 named_positions: 'id'"]),
        (fixed("x : Other 0..* join on '1-9' order by '20'", more=OTHER), ["FM162 written_positions: '20'"]),
        (fixed("", store="csv key 'id'"), ["FM162 no_positions: 1..9"]),
        (
            fixed("parts : Part 0..* from 20 count 12 width 7", more=PART),
            ["FM162 width: 1..8"],
        ),
        (
            fixed("parts : Part 0..* from 20 count 12 width 8", more="model Part { code : string from 'code' }"),
            ["FM162 text_column: 'code'"],
        ),
        (
            fixed("x : string 0..* from after 'y' count 12 width 8"),
            ["FM162 after: after 'y' count 12 width 8"],
        ),
        (
            fixed("y : string from 10  x : string 0..* from after 'y' count 12 width 8"),
            ["FM162 after: after 'y' count 12 width 8"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(misplaced_positions, text) == found


@pytest.mark.parametrize(
    "text",
    [
        fixed("x : string from 28"),
        fixed("x : string from 10..10  rank : integer from position"),
        fixed("y : string 0..* from 20 count 10..12 width 8  x : Part 0..* from after 'y' count 13 width 8", more=PART),
        fixed("x : Part 0..* lines", more=PART),
        fixed("x : Part 0..* join on 'id' = '1-9'", more="model Part from csv source 'p' { code : string from 'c' }"),
        fixed("x : Part 0..* from 20 count 12 width 8", more=PART.replace("}", "id : string from '../1-9' }")),
        fixed(JOINED, more=OTHER),
        fixed("x : Other 0..* join on '1-9'", more=OTHER),
        fixed("x : Facts 0..1 lines attributes '10-12' values '13-20'", more="model Facts { a : string from 'A' }"),
        "model Plain { x : string from 1..2 }",
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(misplaced_positions, text) == []
