"""`impossible_type`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.impossible_type import impossible_type
from tests.analysis.checks.harness import OBSERVATION, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (OBSERVATION.replace("RULE", "value : Address as v -> tgt.address = v"), ["FM239: Address"]),
        (OBSERVATION.replace("RULE", "status : Quantity as v -> tgt.language = 'fr'"), ["FM239: Quantity"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(impossible_type, text) == found


@pytest.mark.parametrize(
    "text",
    [
        OBSERVATION.replace("RULE", "value : Quantity as v -> tgt.language = 'fr'"),
        OBSERVATION.replace("RULE", "status : string as v -> tgt.language = v"),
        OBSERVATION.replace("RULE", "status as v -> tgt.language = v"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(impossible_type, text) == []
