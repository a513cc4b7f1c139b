"""`unused_model`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unused_model import unused_model
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored(more="model Part { c : string }"), ["FM155: Part"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unused_model, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        stored("p : Part 0..* join 't' on 'id'", more="model Part { c : string }"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unused_model, text) == []
