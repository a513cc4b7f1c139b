"""`missing_key`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.missing_key import missing_key
from tests.analysis.checks.harness import PATIENT, reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (stored(store="table 'people'"), ["FM160: from table 'people'"]),
        (stored(store="csv"), ["FM160: from csv"]),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(missing_key, text) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        stored(store="table 'people' key 'id', 'day'"),
        stored("kids : Kid 0..* join on 'id'", more="model Kid from csv source 'kids' { c : string }"),
        PATIENT
        + "model Row { id : string }\ngroup row(source src : Row, target tgt : Patient) { src.id as v -> tgt.id = v; }",
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(missing_key, text) == []
