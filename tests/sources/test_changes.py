"""Which sources can be asked for what has changed."""

from __future__ import annotations

from pathlib import Path

from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from fhirmap.sources.changes import ChangeColumns, ChangedSource
from tests.sources.conftest import columns
from tests.sources.theatre import small


def test_a_database_can_and_a_file_cannot(tmp_path: Path) -> None:
    with open_source(str(tmp_path / "a.sqlite"), small(tmp_path / "a.sqlite")) as source:
        assert isinstance(source, ChangedSource)
    (tmp_path / "a.csv").write_text("id\n1\n")
    plan = SourcePlan(SourceKind.CSV, "", ("id",), RowLayout("T", columns("id")))
    with open_source(str(tmp_path / "a.csv"), plan) as source:
        assert not isinstance(source, ChangedSource)


def test_a_file_to_which_rows_of_another_are_joined_cannot(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.csv").write_text("id\n1\n")
    store = SourcePlan(SourceKind.CSV, "", (), RowLayout("B", columns("id")), source="b")
    child = Child(ChildKind.JOIN, "b", "b", RowLayout("B", columns("id")), "b", (("id", "id"),), store=store)
    plan = SourcePlan(SourceKind.CSV, "", ("id",), RowLayout("T", columns("id"), (child,)))
    with open_source(str(tmp_path / "a.csv"), plan, {"b": str(tmp_path / "b.csv")}) as source:
        assert isinstance(source, ChangedSource)
        assert [entry.code for entry in source.check_changes(ChangeColumns({"": "id"}))] == ["FM667"]


def test_records_that_have_changed_get_the_rows_of_other_places(tmp_path: Path) -> None:
    small(tmp_path / "a.sqlite")
    import sqlite3

    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.executemany("INSERT INTO t VALUES (?, ?)", [(1, "2026-01-01"), (2, "2026-01-02")])
    connection.close()
    (tmp_path / "b.csv").write_text("id\n1\n2\n")
    store = SourcePlan(SourceKind.CSV, "", (), RowLayout("B", columns("id")), source="b")
    child = Child(ChildKind.JOIN, "b", "b", RowLayout("B", columns("id")), "b", (("id", "id"),), store=store)
    plan = SourcePlan(SourceKind.TABLE, "t", ("id",), RowLayout("T", columns("id"), (child,)))
    with open_source(str(tmp_path / "a.sqlite"), plan, {"b": str(tmp_path / "b.csv")}) as source:
        assert isinstance(source, ChangedSource)
        by = ChangeColumns({"": "v"})
        assert source.check_changes(by) == []
        with source.changes(by, {}) as found:
            assert len(list(found.records)) == 2
        with source.changes(by, found.marks) as found:
            assert [(r.key, len(r.values["b"])) for r in found.records] == [("2", 1)]
        (fault,) = source.check_changes(ChangeColumns({"b": "id"}))
        assert (fault.code, fault.variant) == ("FM667", "table")
