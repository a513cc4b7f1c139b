"""`fixed_value`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.fixed_value import fixed_value
from tests.analysis.checks.harness import DECLARATION, reported


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            DECLARATION.replace(
                "p.name = 'rpps', p.value = v", "p.name = 'rpps', p.value = v then { src.nir -> p.name = 'nir'; }"
            ),
            ["FM246: 'nir'"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(fixed_value, text) == found


@pytest.mark.parametrize(
    "text",
    [
        DECLARATION,
        DECLARATION.replace(
            "p.name = 'rpps', p.value = v", "p.name = 'rpps', p.value = v then { src.nir -> p.name = 'rpps'; }"
        ),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(fixed_value, text) == []
