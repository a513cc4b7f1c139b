"""`partial_join`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.partial_join import partial_join
from tests.analysis.checks.harness import reported, stored

PART = "model Part { c : string }"


def joined(cardinality: str, on: str, key: str = "'site', 'id'") -> str:
    text = stored(f"p : Part {cardinality} join 't' on {on}", more=PART)
    assert "key 'id'" in text
    return text.replace("key 'id'", f"key {key}")


@pytest.mark.parametrize("on", ["'id'", "'id_op' = 'id'", "'id', 'hall'"])
def test_it_reports(on: str) -> None:
    assert reported(partial_join, joined("0..*", on)) == [f"FM280: join 't' on {on}"]


@pytest.mark.parametrize(
    "text",
    [
        joined("0..*", "'site', 'id'"),
        joined("0..*", "'id_op' = 'id', 'id_site' = 'site'"),
        joined("0..1", "'site'"),
        joined("0..*", "'rpps'"),
        joined("0..*", "'id'", key="'id'"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(partial_join, text) == []
