"""`duplicate_code`: what it reports, and what it does not."""

# ruff: noqa: E501  maps of one line

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.duplicate_code import duplicate_code
from tests.analysis.checks.harness import concept_map, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            concept_map(
                'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male s:A - t:female'
            ),
            ["FM304: s:A"],
        ),
        (
            concept_map(
                'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male s:A - t:male'
            ),
            ["FM304 same: s:A"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(duplicate_code, text) == found


@pytest.mark.parametrize(
    "text",
    [
        concept_map(
            'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male s:B - t:male'
        ),
        concept_map(
            'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male s:A != t:female'
        ),
        concept_map(
            'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" prefix u = "urn:u" s:A - t:male s:A - u:M'
        ),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(duplicate_code, text) == []
