"""`unused_group`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unused_group import unused_group
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            stored() + "group other(source src : Row, target tgt : Patient) { src.id as v -> tgt.language = v; }",
            ["FM154: other"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unused_group, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        stored(rules="src then other(src, tgt);")
        + "group other(source src : Row, target tgt : Patient) { src.id as v -> tgt.language = v; }",
        stored(rules="src then oher(src, tgt);")
        + "group other(source src : Row, target tgt : Patient) { src.id as v -> tgt.language = v; }",
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unused_group, text) == []
