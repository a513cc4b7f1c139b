"""Rows joined by value to others of their document. What a whole map reads is tested with the JSON reader."""

from __future__ import annotations

from typing import Any

from fhirmap.records import Fault
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources.files.look_ups import HeldLists, LookUps, keys_in, names_above
from tests.sources.conftest import columns

DOCUMENT: dict[str, Any] = {
    "entry": [
        {"url": "a", "ids": ["1", "2"]},
        {"url": " b ", "ids": 3},
        {"url": None},
        "text",
        {"url": "a", "n": {"x": 1}},
    ]
}


def plan(*on: tuple[str, str], table: str = "/entry", **options: Any) -> SourcePlan:
    child = Child(ChildKind.JOIN, "found", "found", RowLayout("Found", ()), table=table, on=on, **options)
    return SourcePlan(SourceKind.JSON, "a.b", ("id",), RowLayout("M", columns("id"), (child,)))


def attached(row: dict[str, Any], some: SourcePlan, *above: dict[str, Any]) -> tuple[Any, list[tuple[str, str]]]:
    faults: list[Fault] = []
    LookUps(some).attach(row, above, HeldLists(DOCUMENT), faults)
    return row["found"], [(fault.variant, fault.severity) for fault in faults]


def test_objects_are_found_by_what_is_in_them() -> None:
    lists = HeldLists(DOCUMENT)
    assert lists.find(("entry",), [("url",)], ("b",)) == [DOCUMENT["entry"][1]]
    assert lists.find(("entry",), [("ids",)], ("2",)) == [DOCUMENT["entry"][0]]
    assert lists.find(("entry",), [("ids",)], ("3",)) == [DOCUMENT["entry"][1]]
    assert lists.find(("entry",), [("url",), ("n", "x")], ("a", "1")) == [DOCUMENT["entry"][4]]
    assert lists.find(("none",), [("url",)], ("a",)) == []
    assert list(keys_in({"a": ["1", " "], "b": "x"}, [("a",), ("b",)])) == [("1", "x")]


def test_what_is_found_is_a_copy() -> None:
    [found], _ = attached({"ref": "b"}, plan(("url", "ref")))
    assert found == DOCUMENT["entry"][1]
    assert found is not DOCUMENT["entry"][1]


def test_one_text_may_have_many_rows_and_a_reference_one() -> None:
    assert [row["url"] for row in attached({"ref": "a"}, plan(("url", "ref")))[0]] == ["a", "a"]
    assert attached({"ref": "a"}, plan(("url", "ref")))[1] == []
    assert attached({"ref": "a"}, plan(("url", "ref"), at_most_one=True))[1] == [("twice", "error")]
    assert attached({"ref": ["a", "b"]}, plan(("url", "ref")))[1] == [("twice", "error")]


def test_a_reference_to_nothing() -> None:
    assert attached({"ref": "A"}, plan(("url", "ref"))) == ([], [("", "warning")])
    assert attached({"ref": ["b", "c"]}, plan(("url", "ref"), required=True))[1] == [("", "error")]
    nothing: tuple[dict[str, Any], ...] = (
        {},
        {"ref": None},
        {"ref": " "},
        {"ref": []},
        {"ref": {"x": 1}},
        {"ref": "N/A"},
    )
    for none in nothing:
        assert attached(dict(none), plan(("url", "ref"))) == ([], [])


def test_what_is_found_is_chosen_by_a_condition_and_sorted() -> None:
    some = plan(("url", "ref"), where='"n.x" IS NULL', at_most_one=True)
    assert attached({"ref": "a"}, some) == ([DOCUMENT["entry"][0]], [])
    assert attached({"ref": "b"}, plan(("url", "ref"), where="1 = 0")) == ([], [])
    found, _ = attached({"ref": ["a", "b"]}, plan(("url", "ref"), order=(Order("url", descending=True),)))
    assert [row["url"].strip() for row in found] == ["b", "a", "a"]


def test_a_list_of_the_parent_and_a_text_of_it() -> None:
    above = {"ref": "b", "list": [{"k": "b"}]}
    assert attached({"x": 1}, plan(("k", "../ref"), table="../list"), {"top": 1}, above)[0] == [{"k": "b"}]
    assert attached({"x": "b"}, plan(("k", "x"), table="../../list"), above, {})[0] == [{"k": "b"}]
    assert attached({"x": 1}, plan(("url", "/ref")), above, {})[0] == [DOCUMENT["entry"][1]]


def test_which_members_of_the_objects_above_are_read() -> None:
    some = plan(("k", "../ref"), table="../../list")
    assert [set(names) for names in names_above(some, ["id", "../x.y", "../../z", "/top[0].q"], 2)] == [
        {"x", "ref"},
        {"z", "top", "list"},
    ]
    assert names_above(plan(("k", "ref")), ["id", "a.b"], 2) == []
    assert names_above(plan(("k", "ref")), ["/id"], 0) == []
