"""`unused_concept_map`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unused_concept_map import unused_concept_map
from tests.analysis.checks.harness import concept_map, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            concept_map(
                'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male',
                "src.x as v -> tgt.gender = v;",
            ),
            ['FM156: "sex"'],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unused_concept_map, text) == found


@pytest.mark.parametrize(
    "text",
    [
        concept_map('prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male'),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unused_concept_map, text) == []
