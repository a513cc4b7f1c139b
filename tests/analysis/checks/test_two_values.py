"""`two_values`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.two_values import two_values
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored(rules="src.id as w -> tgt.id = w;"), ["FM247: id"]),
        (stored(rules="src -> tgt.language = 'fr', tgt.language = 'en';"), ["FM247: language"]),
        (
            stored(
                "p : Part 0..* join 't' on 'id'", "src.p as p -> tgt.language = p.c;", more="model Part { c : string }"
            ),
            ["FM247 repeats: language"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(two_values, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        stored(rules="src where (id = 'a') -> tgt.language = 'fr'; src where (id = 'b') -> tgt.language = 'en';"),
        stored(rules="src -> tgt.name as n, n.family = 'a'; src -> tgt.name as n, n.family = 'b';"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(two_values, text) == []
