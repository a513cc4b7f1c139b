"""Rows of CSV files by key, as they are joined to others."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.source_plan import Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources.address import Address
from fhirmap.sources.files.file_source import FileSource
from fhirmap.sources.store_rows import RowIndex
from tests.sources.conftest import columns

PLAN = SourcePlan(SourceKind.CSV, "", ("key",), RowLayout("Row", columns("key", "name")), delimiter=";")


def index_of(path: Path, plan: SourcePlan = PLAN) -> RowIndex | None:
    return FileSource(Address("file", path.name, path=path), plan).joined_index(plan.key)


def test_files_of_an_archive_are_asked_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("b.csv", "key;name\n1;c\n;d\n3;e;f\n")
        archive.writestr("a.csv", "name;key\na;1\nb;2\n")
    index = index_of(path)
    assert index is not None
    assert [row.values for row in index.rows(("1",))] == [{"key": "1", "name": "a"}, {"key": "1", "name": "c"}]
    (lost,) = index.rows(("3",))
    assert (lost.is_lost, lost.origin, lost.values) == (True, "a.zip!b.csv:4", {"key": None, "name": None})
    assert index.left_out() == {"": (1, "a.zip!b.csv:3"), "lost": (1, "a.zip!b.csv:4")}
    assert index.is_current()
    os.utime(path, ns=(1, 1))
    assert not index.is_current()
    index.close()


def test_rows_and_those_that_are_left_out_are_those_for_which_the_condition_holds(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key;name;type\n1;a;02\n1;b;03\n;c;02\n;d;03\n;e;02\n", encoding="utf-8")
    index = index_of(path, replace(PLAN, where="type = '02'"))
    assert index is not None
    assert [row.values["name"] for row in index.rows(("1",))] == ["a"]
    assert index.left_out() == {"": (2, "a.csv:4"), "lost": (0, "")}
    index.close()


def test_documents_in_cells_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('key;doc\n1;{"a": "x"}\n', encoding="utf-8")
    plan = replace(PLAN, shape=RowLayout("Row", columns("key", "doc.a")))
    index = index_of(path, plan)
    assert index is not None
    assert index.rows(("1",))[0].values["doc.a"] == "x"
    index.close()


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, fill=("key",)),
        replace(PLAN, until="TOTAL"),
        replace(PLAN, latest=Order("name")),
        replace(PLAN, order=(Order("name"),)),
    ],
)
def test_rows_that_depend_on_others_are_read_one_by_one(tmp_path: Path, plan: SourcePlan) -> None:
    path = tmp_path / "a.csv"
    path.write_text("key;name\n1;a\n", encoding="utf-8")
    index = index_of(path)
    assert index is not None
    index.close()
    assert index_of(path, plan) is None
