"""`undeclared_prefix`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.undeclared_prefix import undeclared_prefix
from tests.analysis.checks.harness import concept_map, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            concept_map('prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - u:male'),
            ["FM303: u:male"],
        ),
        (
            concept_map('prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" r:A - t:male'),
            ["FM303: r:A"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(undeclared_prefix, text) == found


@pytest.mark.parametrize(
    "text",
    [
        concept_map('prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male'),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(undeclared_prefix, text) == []
