"""`endless_model`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.endless_model import endless_model
from tests.analysis.checks.harness import reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            stored(
                "p : Part 0..* join 't' on 'id'",
                "src.p as p -> tgt.contact as c, c.id = p.c;",
                more="model Part { c : string  q : Part 0..* join 't' on 'id' }",
            ),
            ["FM161: Part"],
        ),
        (
            stored(
                "p : Part 0..*",
                "src.p as p -> tgt.contact as c, c.id = p.c;",
                store="json key 'id'",
                more="model Part { c : string  u : Use 0..1 join '/u' on 'id' = 'use' }\nmodel Use { p : Part 0..* }",
            ),
            ["FM161: Use"],
        ),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(endless_model, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(
            "p : Part 0..* join 't' on 'id'",
            "src.p as p -> tgt.contact as c, c.id = p.c;",
            more="model Part { c : string }",
        ),
        stored(
            "p : Part 0..*",
            "src.p as p -> tgt.contact as c, c.id = p.c;",
            store="json key 'id'",
            more="model Part { q : Part 0..*  c : id  u : Use 0..1 join '/u' on 'id' = 'use' }\nmodel Use { n : id }",
        ),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(endless_model, text) == []
