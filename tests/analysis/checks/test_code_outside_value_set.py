"""`code_outside_value_set`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.code_outside_value_set import code_outside_value_set
from tests.analysis.checks.harness import DECLARATION, SIDE, concept_map, copied, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            concept_map(
                'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male s:B - t:femelle'
            ),
            ["FM301 list: t:femelle"],
        ),
        (copied("code 0..1").replace("tgt.language = v", "tgt.gender = 'homme'"), ["FM301 list: 'homme'"]),
        (DECLARATION.replace(SIDE, "urn:other"), ["FM301 system: 'urn:other'"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(code_outside_value_set, text) == found


@pytest.mark.parametrize(
    "text",
    [
        concept_map(
            'prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:male s:B - t:female'
        ),
        copied("code 0..1").replace("tgt.language = v", "tgt.gender = 'male'"),
        DECLARATION,
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(code_outside_value_set, text) == []
