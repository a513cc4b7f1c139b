"""`other_system`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.other_system import other_system
from tests.analysis.checks.harness import concept_map, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            concept_map(
                'prefix s = "urn:s" prefix t = "urn:wrong" s:A - t:X',
                "src.x as v -> translate(v, '#sex', 'code') as c, tgt.maritalStatus = cc('urn:right', c);",
            ),
            ['FM307: prefix t = "urn:wrong"'],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(other_system, text) == found


@pytest.mark.parametrize(
    "text",
    [
        concept_map(
            'prefix s = "urn:s" prefix t = "urn:right" s:A - t:X',
            "src.x as v -> translate(v, '#sex', 'code') as c, tgt.maritalStatus = cc('urn:right', c);",
        ),
        concept_map('prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male'),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(other_system, text) == []
