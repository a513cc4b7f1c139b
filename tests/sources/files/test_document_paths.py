"""Paths that a plan reads, and those that documents have."""

from __future__ import annotations

from fhirmap.records import TreeText
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceKind, SourcePlan
from fhirmap.sources.files.document_paths import PathsFound, paths_in, paths_read
from tests.sources.conftest import columns


def test_every_path_that_is_there() -> None:
    entries = [{"a": {"b": 1, "c": [{"d": 1}]}, "e.f": None, "..": {"x": 1, "..": {"y": [1]}}}, {"a": [{"b": 1}]}]
    assert paths_in(entries) == {
        "a": False,
        "a.b": False,
        "a.c": True,
        "a.c.d": True,
        "`e.f`": False,
        "../x": False,
        "../../y": True,
    }
    text = {"id": TreeText("x", {"@root": "y"})}
    assert list(paths_in([text])) == ["id", "id.@root"]


def test_paths_of_a_plan() -> None:
    looked_up = Child(ChildKind.JOIN, "who", "who", RowLayout("W", columns("nir")), table="/entry", on=(("u", "r"),))
    lines = Child(ChildKind.LINES, "lines", "lines", RowLayout("L", columns("lot")))
    joined = Child(
        ChildKind.JOIN,
        "far",
        "far",
        RowLayout("F", columns("x")),
        store=SourcePlan(SourceKind.CSV, "", (), RowLayout("F", ())),
    )
    plan = SourcePlan(SourceKind.JSON, "", ("id",), RowLayout("M", columns("id", "a.b"), (looked_up, lines, joined)))
    assert [(read.name, read.steps) for read in paths_read(plan)] == [
        ("id", ("id",)),
        ("a.b", ("a", "b")),
        ("nir", ("who", "nir")),
        ("lot", ("lot",)),
    ]  # fmt: skip


def test_which_are_lacking_and_which_are_lists() -> None:
    plan = SourcePlan(SourceKind.JSON, "", ("id", "l"), RowLayout("M", columns("id", "l[k=x].v", "none")))
    found = PathsFound(paths_read(plan), plan.key)
    found.look({"id": None, "l": [{"k": "y"}]})
    assert (list(found.lacking), found.listed, found.is_settled) == (
        [("id",), ("l", (("k",), "x"), "v"), ("none",)],
        ["l"],
        False,
    )
    found.look({"id": 1, "l": [{"k": "x", "v": 0}], "none": ""})
    assert (list(found.lacking), found.listed, found.is_settled) == ([], ["l"], False)
    found.look({"l": "x"})
    assert (found.listed, found.is_settled) == ([], True)
