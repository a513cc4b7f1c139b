"""What was read, as fingerprints: the same for the same values, whatever else is there and in whichever order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from fhirmap.journal import ReadValues
from fhirmap.records import CalendarText, Record, TreeText
from fhirmap.runner.read_values import reader_of_values
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceColumn, SourceKind, SourcePlan


def columns(*names: str) -> tuple[SourceColumn, ...]:
    return tuple(SourceColumn(name, element=f"E.{name}") for name in names)


def plan(shape: RowLayout, kind: SourceKind = SourceKind.TABLE) -> SourcePlan:
    return SourcePlan(kind, "t", ("id",), shape)


def reader(shape: RowLayout) -> Callable[..., ReadValues]:
    read = reader_of_values(plan(shape))
    return lambda values: read(Record("1", values))


LOTS = RowLayout("L", columns("lot", "n"))
SET = RowLayout("R", columns("a"), (Child(ChildKind.JOIN, "lots", "lots", LOTS, table="LOT"),))
LIST = RowLayout("R", columns("a"), (Child(ChildKind.JOIN, "lots", "lots", LOTS, table="LOT", order=(Order("n"),)),))


def of(shape: RowLayout, values: Any) -> dict[str, bytes]:
    found = reader(shape)(values)
    parts = found.parts()
    return {name: parts[4 * n : 4 * n + 4] for n, name in enumerate(found.columns)}


def test_the_same_values_give_the_same_and_others_another() -> None:
    read = reader(RowLayout("R", columns("a", "b")))
    first = read({"a": 1, "b": None})
    assert (first.digest, first.layout, first.parts()) == (lambda r: (r.digest, r.layout, r.parts()))(
        read({"a": 1, "b": None})
    )
    for other in ({"a": 2, "b": None}, {"a": 1, "b": ""}, {"a": "1", "b": None}, {"a": None, "b": 1}):
        assert read(other).digest != first.digest
        assert read(other).parts() != first.parts()


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (Decimal("1.50"), Decimal("1.50"), True),
        (Decimal("1.50"), Decimal("1.5"), False),
        (
            datetime(2025, 7, 14, 0, 30, tzinfo=timezone(timedelta(hours=2))),
            datetime(2025, 7, 13, 22, 30, tzinfo=UTC),
            True,
        ),
        (datetime(2025, 7, 14, 0, 30), datetime(2025, 7, 14, 0, 31), False),
        ({"x": 1, "y": 2}, {"y": 2, "x": 1}, True),
        ([1, 2], [2, 1], False),
        (2**70, 2**70 + 1, False),
        ("\udc80", "\udc81", False),
        (float("nan"), None, False),
        (b"a", b"b", False),
        (CalendarText("2025-07-14 00:30:00+02"), CalendarText("2025-07-13 22:30:00+00"), True),
        (CalendarText("2025-07-14 00:30:00"), CalendarText("2025-07-13 22:30:00"), False),
        (CalendarText("infinity"), CalendarText("-infinity"), False),
    ],
)
def test_types(left: Any, right: Any, same: bool) -> None:
    shape = RowLayout("R", columns("a"))
    assert (of(shape, {"a": left}) == of(shape, {"a": right})) is same


def test_columns_that_no_element_reads_do_not_count() -> None:
    shape = RowLayout("R", (*columns("a"), SourceColumn("id")))
    assert of(shape, {"a": 1, "id": 1}) == of(shape, {"a": 1, "id": 2}) == of(shape, {"a": 1, "id": 2, "z": 3})


def test_the_order_of_rows_counts_where_it_is_declared() -> None:
    rows = [{"lot": "A", "n": 1}, {"lot": "B", "n": 2}]
    turned = rows[::-1]
    assert of(SET, {"a": 1, "lots": rows}) == of(SET, {"a": 1, "lots": turned})
    assert of(LIST, {"a": 1, "lots": rows}) != of(LIST, {"a": 1, "lots": turned})


def test_cells_that_change_places_between_rows_are_a_change() -> None:
    rows = [{"lot": "A", "n": 1}, {"lot": "B", "n": 2}]
    swapped = [{"lot": "A", "n": 2}, {"lot": "B", "n": 1}]
    assert of(SET, {"a": 1, "lots": rows}) != of(SET, {"a": 1, "lots": swapped})


def test_a_row_of_which_each_row_has_one_at_most_is_known_by_its_parents_place() -> None:
    article = Child(ChildKind.JOIN, "article", "article", RowLayout("A", columns("ref")), table="ART", at_most_one=True)
    lots = Child(
        ChildKind.JOIN, "lots", "lots", RowLayout("L", columns("lot"), (article,)), table="LOT", order=(Order("n"),)
    )
    shape = RowLayout("R", columns("a"), (lots,))

    def found(*articles: str) -> dict[str, bytes]:
        rows = [{"lot": "A", "article": [{"ref": ref}] if ref else []} for ref in articles]
        return of(shape, {"a": 1, "lots": rows})

    assert found("x", "y") == found("x", "y")
    changed = [found("x", "y"), found("y", "x"), found("x", ""), found("", "x"), found("x", "", "")]
    assert len({tuple(entry.values()) for entry in changed}) == len(changed)


def test_rows_below_rows_without_an_order_belong_to_their_own() -> None:
    parts = Child(ChildKind.JOIN, "parts", "parts", RowLayout("P", columns("no")), table="PART")
    lots = Child(ChildKind.JOIN, "lots", "lots", RowLayout("L", columns("lot"), (parts,)), table="LOT")
    shape = RowLayout("R", columns("a"), (lots,))

    def found(**numbers: list[int]) -> dict[str, bytes]:
        rows = [{"lot": lot, "parts": [{"no": number} for number in held]} for lot, held in numbers.items()]
        return of(shape, {"a": 1, "lots": rows})

    first = found(A=[1, 2], B=[3])
    assert first == found(A=[2, 1], B=[3]) == found(B=[3], A=[1, 2])
    assert first != found(A=[1, 3], B=[2])


def test_another_column_of_child_rows_leaves_the_others_comparable() -> None:
    wider = Child(ChildKind.JOIN, "lots", "lots", RowLayout("L", columns("lot", "n", "x")), table="LOT")
    before = of(SET, {"a": 1, "lots": [{"lot": "A", "n": 1}]})
    after = of(RowLayout("R", columns("a"), (wider,)), {"a": 1, "lots": [{"lot": "A", "n": 1, "x": 5}]})
    common = before.keys() & after.keys()
    assert [name.rpartition(".")[2] for name in sorted(common, key=len)] == ["a", "n", "lot"]
    assert {name: before[name] for name in common} == {name: after[name] for name in common}


def test_of_a_document_only_what_is_read_counts() -> None:
    inner = RowLayout("I", columns("lot"))
    shape = RowLayout("D", (*columns("who.name"), SourceColumn("items", element="D.items", nested=True, below=inner)))
    first = of(shape, {"who": {"name": "x", "age": 1}, "items": [{"lot": "A", "seen": 1}]})
    assert first == of(shape, {"who": {"age": 2, "name": "x"}, "items": [{"lot": "A"}], "more": []})
    assert first != of(shape, {"who": {"name": "x"}, "items": [{"lot": "B"}]})
    assert first != of(shape, {"who": {"name": "x"}, "items": [{"lot": "A"}, {"lot": "A"}]})


@pytest.mark.parametrize("kind", [SourceKind.XML, SourceKind.HL7])
def test_what_a_text_has_beside_it_counts(kind: SourceKind) -> None:
    read = reader_of_values(plan(RowLayout("R", columns("a.@code", "a")), kind))
    first, same, other = (
        read(Record("1", {"a": TreeText("x", {"@code": code, "b": [TreeText("y", {})]})})) for code in ("1", "1", "2")
    )
    assert (first.digest, first.parts()) == (same.digest, same.parts())
    assert first.digest != other.digest
    assert first.parts()[:4] != other.parts()[:4]
    assert first.parts()[4:] == other.parts()[4:], "the text itself is the same"


def test_of_documents_that_are_lines_only_what_is_read_counts() -> None:
    poses = Child(ChildKind.LINES, "poses", "poses", RowLayout("P", columns("pose.lot")))
    found = of(RowLayout("R", columns("op.id"), (poses,)), {"op.id": "1", "poses": [{"pose": {"lot": "A", "n": 1}}]})
    again = of(RowLayout("R", columns("op.id"), (poses,)), {"op.id": "1", "poses": [{"pose": {"lot": "A", "n": 2}}]})
    other = of(RowLayout("R", columns("op.id"), (poses,)), {"op.id": "1", "poses": [{"pose": {"lot": "B", "n": 1}}]})
    lots = [name for name in found if name.endswith(".pose.lot")]
    assert lots and all(found[name] == again[name] != other[name] for name in lots)


def test_rows_of_another_store_are_known_by_the_way_to_them() -> None:
    def layout(**store: Any) -> str:
        own = SourcePlan(SourceKind.CSV, "", (), LOTS, **store)
        lots = Child(ChildKind.JOIN, "lots", "lots", LOTS, table="stock", on=(("n", "a"),), store=own)
        return reader(RowLayout("R", columns("a"), (lots,)))({"a": 1, "lots": [{"lot": "A", "n": 1}]}).layout

    assert layout() == layout()
    assert len({layout(), layout(source="x"), layout(where="n = 1"), layout(names_line=0), layout(until="TOTAL")}) == 5
