"""The order of rows of files."""

from __future__ import annotations

import random
import tracemalloc
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.records import TreeText
from fhirmap.source_plan import Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources.files.row_order import OrderedRows, RowOrder

DOWN = Order("c", descending=True)


def ordered(cells: Sequence[Any], *order: Order, **options: Any) -> list[Any]:
    return RowOrder(order or (Order("c"),), **options).sorted(cells, lambda cell: [cell])


@pytest.mark.parametrize(
    "cells",
    [
        [None, "-1,5", "0", "0,5", "9", "10", "1 000", "1000,5", "99999999999999999999999999", "a", "b"],
        ["", "9", "31/12/2024", "2025-01-01", "01/01/2025 08:00", "2025-01-01 09:00", "2/1/2025", "v10", "v9"],
        [-2, Decimal("-1.5"), 0, 0.5, "1", Decimal("1E+3"), 10**30, date(2025, 1, 1), datetime(2025, 1, 1, 8), "é"],
        [[], ["1"], [2], "A", "Aa", "B", "a", "é"],
        ["SANS", "1", "A"],
    ],
)
def test_numbers_days_and_texts_have_an_order_of_their_own_and_absent_comes_first(cells: list[Any]) -> None:
    mixed = random.Random(5).sample(cells, len(cells))
    options: dict[str, Any] = {"nulls": ("SANS",), "decimal": ",", "thousands": " "}
    assert ordered(mixed, **options) == cells
    assert ordered(mixed, DOWN, **options) == cells[::-1]


def test_rows_that_are_equal_stay_as_they_are() -> None:
    rows = [("1", "b", 1), ("01", "a", 2), ("1", "b", 3), ("0", "a", 4), ("1.0", "c", 5)]
    order = RowOrder((Order("n"), Order("t", descending=True)))
    assert order.names == ("n", "t")
    assert [row[2] for row in order.sorted(rows, lambda row: row[:2])] == [4, 5, 1, 3, 2]


@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=3)), max_size=20))
def test_texts_of_several_columns_are_in_the_order_of_their_signs(rows: list[tuple[str, str]]) -> None:
    texts = [(f"x{one}", f"x{other}") for one, other in rows]
    stripped = {row: tuple(part.strip() for part in row) for row in texts}
    order = RowOrder((Order("a"), Order("b")))
    assert order.sorted(texts, lambda row: row) == sorted(texts, key=lambda row: stripped[row])


@given(st.lists(st.decimals(allow_nan=False, allow_infinity=False)))
def test_numbers_are_in_their_order_whatever_their_size(numbers: list[Decimal]) -> None:
    assert ordered(numbers) == sorted(numbers)
    assert ordered(numbers, DOWN) == sorted(numbers, reverse=True)


def test_a_plan_says_how_numbers_are_written() -> None:
    plan = SourcePlan(SourceKind.CSV, "", (), RowLayout("M", ()), order=(DOWN,), decimal=",", nulls=("-",))
    order = RowOrder.of_plan(plan)
    assert order.sorted(["-", "9,5", "10"], lambda cell: [cell]) == ["10", "9,5", "-"]
    assert RowOrder.of_plan(plan, (Order("d"),)).names == ("d",)


def test_many_rows_come_out_in_order_and_stable_with_flat_memory() -> None:
    order = RowOrder((Order("c"),))
    numbers = [(n * 7919) % 2003 for n in range(20_000)]
    with OrderedRows[tuple[int, int, str]](limit=200_000) as rows:
        tracemalloc.start()
        for place, number in enumerate(numbers):
            rows.add(order.key([number]), (number, place, "x" * 50))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        found = list(rows)
        assert list(rows) == found
    assert [row[:2] for row in found] == sorted((number, place) for place, number in enumerate(numbers))
    assert peak < 3_000_000


def test_the_temporary_file_has_no_name_that_anyone_could_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with OrderedRows[str](limit=100) as rows:
        for number in range(10):
            rows.add(b"%d" % number, "patient")
        assert list(tmp_path.iterdir()) == []
    assert list(rows) == []


def test_a_text_with_members_keeps_them() -> None:
    with OrderedRows[TreeText](limit=1) as rows:
        rows.add(b"a", TreeText("x", {"@code": "y"}))
        (found,) = rows
    assert (found, found.members) == ("x", {"@code": "y"})
