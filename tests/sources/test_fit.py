"""Cells that an element cannot be read from."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap.runtime.reading import Cell
from fhirmap.sources.fit import unread


@pytest.mark.parametrize(
    ("cell", "raws", "found"),
    [
        (Cell("", "", "date", "", format="dd/MM/yyyy"), ["12/03/2025", "2025-03-12", ""], ["2025-03-12"]),
        (Cell("", "", "dateTime", ""), ["2025-03-12 10:00", "2025-03-12T10:00:00Z"], ["2025-03-12 10:00"]),
        (Cell("", "", "integer", ""), [1, "2", "many", 1.5], ["many", 1.5]),
        (Cell("", "", "decimal", "", decimal=","), ["1,5", "1.5", 1.5], ["1.5"]),
        (Cell("", "", "boolean", "", nulls=frozenset(("N/A",))), [1, "N/A", "oui"], ["oui"]),
        (Cell("", "", "string", ""), ["x", b"\xff", 5], [b"\xff"]),
    ],
)
def test_unread(cell: Cell, raws: list[Any], found: list[Any]) -> None:
    assert unread(cell, raws) == found
