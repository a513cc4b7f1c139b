"""`unused_variable`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unused_variable import unused_variable
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored(rules="src.id as w -> tgt.language = 'fr';"), ["FM152: w"]),
        (stored(more="let country = 'FR';"), ["FM152 constant: let country = 'FR';"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unused_variable, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        stored(rules="src.id as w -> tgt.language = (%w.lower());"),
        stored(rules="src.id as w then { src -> tgt.language = w; };"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unused_variable, text) == []
