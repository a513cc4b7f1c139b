"""`cardinality_contradiction`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.cardinality_contradiction import cardinality_contradiction
from tests.analysis.checks.harness import copied, reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            stored("x : string 1..1", "src.x : string 0..0 as v -> tgt.language = v;"),
            ["FM230: src.x : string 0..0 as v"],
        ),
        (
            stored("x : string 0..1", "src.x : string 2..3 as v -> tgt.language = v;"),
            ["FM230: src.x : string 2..3 as v"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(cardinality_contradiction, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored("x : string 0..1", "src.x : string 0..1 as v -> tgt.language = v;"),
        stored("x : string 0..1", "src.x : string 1..* as v -> tgt.language = v;"),
        copied("string 1..1"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(cardinality_contradiction, text) == []
