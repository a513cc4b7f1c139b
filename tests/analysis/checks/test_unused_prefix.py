"""`unused_prefix`: what it reports, and what it does not."""

# ruff: noqa: E501  maps of one line

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unused_prefix import unused_prefix
from tests.analysis.checks.harness import concept_map, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            concept_map(
                'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" prefix u = "urn:u" s:A - t:male'
            ),
            ['FM305: prefix u = "urn:u"'],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unused_prefix, text) == found


@pytest.mark.parametrize(
    "text",
    [
        concept_map('prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male'),
        concept_map('prefix s = "urn:s" prefix t = "urn:t"', head="from \"codes.csv\" columns 'a', 'b' "),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unused_prefix, text) == []
