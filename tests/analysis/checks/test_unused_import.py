"""`unused_import`: what it reports, and what it does not."""

from __future__ import annotations

import pytest

from fhirmap.analysis.checks.unused_import import unused_import
from tests.analysis.checks.harness import IMPORTING, LENT, reported, stored


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (IMPORTING, ['FM153: imports "http://example.org/StructureMap/lent"']),
    ],
)
def test_it_reports(text: str, found: list[str]) -> None:
    assert reported(unused_import, text, maps={"lent.map": LENT}) == found


@pytest.mark.parametrize(
    "text",
    [
        stored(),
        IMPORTING.replace("src.id as v -> tgt.id = v;", "src then lent(src, tgt);"),
        IMPORTING.replace("StructureMap/lent", "StructureMap/absent"),
    ],
)
def test_it_does_not_report(text: str) -> None:
    assert reported(unused_import, text, maps={"lent.map": LENT}) == []
