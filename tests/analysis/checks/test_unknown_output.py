"""`unknown_output`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unknown_output import unknown_output
from tests.analysis.checks.harness import concept_map, reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            concept_map(
                'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male',
                "src.x as v -> tgt.gender = translate(v, '#sex', 'codes');",
            ),
            ["FM302: 'codes'"],
        ),
        (
            concept_map(
                'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male',
                "src.x as v -> tgt.gender = translate(v, '#sex', 'uri');",
            ),
            ["FM302: 'uri'"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unknown_output, text) == found


@pytest.mark.parametrize(
    "text",
    [
        concept_map(
            'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male',
            "src.x as v -> tgt.gender = translate(v, '#sex', 'code');",
        ),
        concept_map(
            'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male',
            "src.x as v -> tgt.gender = translate(v, '#sex', 'display');",
        ),
        stored(rules="src.id as w -> tgt.language = translate(w, '#special-oid2uri', 'uri');"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unknown_output, text) == []
