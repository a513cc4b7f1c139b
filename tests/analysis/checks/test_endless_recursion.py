"""`endless_recursion`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.endless_recursion import endless_recursion
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored(rules="src then row(src, tgt);"), ["FM242: row(src, tgt)"]),
        (
            stored(rules="src then other(src, tgt);")
            + "group other(source src : Row, target tgt : Patient) { src then row(src, tgt); }",
            ["FM242: other(src, tgt)", "FM242: row(src, tgt)"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(endless_recursion, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(rules="src where (id = 'a') then row(src, tgt);"),
        stored(rules="src then other(src, tgt);")
        + "group other(source src : Row, target tgt : Patient) { src.id as v -> tgt.language = v; }",
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(endless_recursion, text) == []
