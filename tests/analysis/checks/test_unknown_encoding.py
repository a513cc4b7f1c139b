"""`unknown_encoding`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unknown_encoding import unknown_encoding
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored(store="csv key 'id' encoding 'utf8x'"), ["FM159: from csv key 'id' encoding 'utf8x'"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unknown_encoding, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(store="csv key 'id' encoding 'cp1252'"),
        stored(store="csv key 'id'"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unknown_encoding, text) == []
