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
        # Only what is exactly of the type gets through.
        (OBSERVATION.replace("RULE", "status : string as v -> tgt.language = v"), ["FM239: string"]),
        (OBSERVATION.replace("RULE", "code : Element as v -> tgt.language = 'fr'"), ["FM239 abstract: Element"]),
        (
            OBSERVATION.replace("RULE", "component : BackboneElement as v -> tgt.language = 'fr'"),
            ["FM239 abstract: BackboneElement"],
        ),
        (OBSERVATION.replace("RULE", "contained : Resource as v -> tgt.contained = v"), ["FM239 abstract: Resource"]),
        (
            OBSERVATION.replace("RULE", "contained : DomainResource as v -> tgt.contained = v"),
            ["FM239 abstract: DomainResource"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(impossible_type, text) == found


@pytest.mark.parametrize(
    "text",
    [
        OBSERVATION.replace("RULE", "value : Quantity as v -> tgt.language = 'fr'"),
        OBSERVATION.replace("RULE", "status : code as v -> tgt.language = v"),
        OBSERVATION.replace("RULE", "contained : Organization as v -> tgt.contained = v"),
        OBSERVATION.replace("RULE", "status as v -> tgt.language = v"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(impossible_type, text) == []
