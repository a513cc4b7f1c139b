"""`unknown_code`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unknown_code import unknown_code
from tests.analysis.checks.harness import SIDE, concept_map, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            concept_map(
                'prefix s = "urn:s" prefix t = "' + SIDE + '" s:G - t:Gauche',
                "src.x as v -> tgt.language = translate(v, '#sex', 'code');",
            ),
            ["FM306: t:Gauche"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unknown_code, text) == found


@pytest.mark.parametrize(
    "text",
    [
        concept_map(
            'prefix s = "urn:s" prefix t = "' + SIDE + '" s:G - t:GAUCHE',
            "src.x as v -> tgt.language = translate(v, '#sex', 'code');",
        ),
        concept_map('prefix s = "urn:s" prefix t = "http://hl7.org/fhir/administrative-gender" s:A - t:femelle'),
        concept_map('prefix s = "urn:s" prefix t = "urn:any" s:G - t:Gauche'),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unknown_code, text) == []
