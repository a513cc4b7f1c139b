"""`missing_required`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.missing_required import missing_required
from tests.analysis.checks.harness import DECLARATION, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            DECLARATION.replace("  src.nir as v -> tgt.parameter as p, p.name = 'nir', p.value = v;\n", ""),
            ["FM240 parameter: declaration"],
        ),
        (
            DECLARATION.replace("  src.lot as v -> tgt.part as q, q.name = 'lot', q.value = v;\n", ""),
            ["FM240 part: parameter"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(missing_required, text) == found


@pytest.mark.parametrize(
    "text",
    [
        DECLARATION,
        DECLARATION.replace("p.name = 'lateralite'", "p.name = 'rpps'"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(missing_required, text) == []
