"""`wrong_delimiter`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.wrong_delimiter import wrong_delimiter
from tests.analysis.checks.harness import concept_map, reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored(store="csv key 'id' delimiter ';;'"), ["FM158: from csv key 'id' delimiter ';;'"]),
        (
            concept_map(
                'prefix s = "urn:s" prefix t = "urn:t"', head="from \"codes.csv\" columns 'a', 'b' delimiter '||' "
            ),
            ["FM158: '||'"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(wrong_delimiter, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(store="csv key 'id' delimiter ';'"),
        stored(store="csv key 'id'"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(wrong_delimiter, text) == []
