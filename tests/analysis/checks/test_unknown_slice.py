"""`unknown_slice`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unknown_slice import unknown_slice
from tests.analysis.checks.harness import DECLARATION, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (DECLARATION.replace("'lateralite'", "'laterality'"), ["FM245: 'laterality'"]),
        (DECLARATION.replace("'udi'", "'uid'"), ["FM245: 'uid'"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unknown_slice, text) == found


@pytest.mark.parametrize(
    "text",
    [
        DECLARATION,
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unknown_slice, text) == []
