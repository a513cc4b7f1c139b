"""By which texts rows are joined."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from fhirmap.records import TreeText
from fhirmap.runtime.reading import UnreadDocument
from fhirmap.sources.sql_cells import BrokenText
from fhirmap.sources.sql_rows import key_text
from fhirmap.sources.store_rows import join_text, join_texts

CELLS = [
    ("  0012 \ufeff", "0012"),
    (12, "12"),
    (12.0, "12"),
    (12.5, "12.5"),
    (Decimal("12.00"), "12"),
    (Decimal("12.50"), "12.50"),
    (True, "true"),
    (None, ""),
    (date(2025, 3, 12), "2025-03-12"),
    (datetime(2025, 3, 12, 8), "2025-03-12T08:00:00"),
    (UUID(int=10), "00000000-0000-0000-0000-00000000000a"),
    (b"\x01\xff", "01ff"),
    (TreeText(" a ", {"@b": "c"}), "a"),
]
NONE = [float("nan"), float("inf"), Decimal("NaN"), BrokenText(b"\xff"), ["a"], {"a": "b"}]


@pytest.mark.parametrize(("cell", "text"), CELLS)
def test_a_cell_is_joined_by_its_text(cell: Any, text: str) -> None:
    assert join_text(cell) == text
    assert join_texts(cell) == ([text] if text else [])


@pytest.mark.parametrize("cell", NONE)
def test_what_no_text_expresses_joins_nothing(cell: Any) -> None:
    assert join_text(cell) == ""


def test_the_items_of_a_list_are_joined_each_once() -> None:
    assert join_texts(["a", None, " a ", "b", ["c"]]) == ["a", "b"]
    assert join_text(UnreadDocument(b"a")) == ""


@pytest.mark.parametrize(("cell", "text"), [pair for pair in CELLS if pair[1] and not isinstance(pair[0], str)])
def test_the_rows_of_a_database_have_the_same_text(cell: Any, text: str) -> None:
    assert key_text(cell) == text
