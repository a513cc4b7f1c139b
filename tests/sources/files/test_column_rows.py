"""Rows that wait as columns of Arrow: the records are those of any other file."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fhirmap.errors import ConfigError
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from fhirmap.sources.files import parquet_reader
from fhirmap.sources.files.column_rows import ColumnBlock, ColumnRows
from tests.sources.conftest import columns
from tests.sources.exports import read, settle

PLAN = SourcePlan(SourceKind.PARQUET, "", ("id",), RowLayout("Row", columns("id", "v")))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_reader, "_ROWS", 3)


def write(path: Path, **options: Any) -> Path:
    """``options``: columns by name."""
    pq.write_table(pa.table(options), path, row_group_size=5)
    return path


def values(path: Path, plan: SourcePlan) -> list[tuple[str, str, dict[str, Any]]]:
    return [(record.key, record.origin, dict(record.values)) for record in read(path, plan)]


def test_rows_of_several_blocks_have_their_key_origin_and_cells(tmp_path: Path) -> None:
    numbers = range(1, 12)
    path = write(
        tmp_path / "a.parquet",
        v=pa.array([f"w{number % 2}" for number in numbers]).dictionary_encode(),
        unread=["never"] * 11,
        id=[f" {number}" for number in numbers],
    )
    assert values(path, PLAN) == [
        (f"{number}", f"a.parquet#{number}", {"id": f" {number}", "v": f"w{number % 2}"}) for number in numbers
    ]


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (pa.array([date(2025, 3, 17), None]), [date(2025, 3, 17), None]),
        (pa.array([0.1, None], pa.float32()), [0.1, None]),
        (pa.array([b"\x12" * 16, None], pa.uuid()), ["12121212-1212-1212-1212-121212121212", None]),
        (pa.array([["A", "B"], []]), [["A", "B"], []]),
        (pa.Array.from_buffers(pa.string(), 2, pa.array([b"a", b"\xff"]).buffers()), ["a", b"\xff"]),
    ],
)
def test_cells_of_each_type_are_what_the_reader_gives(tmp_path: Path, cells: pa.Array, wanted: list[Any]) -> None:
    path = write(tmp_path / "a.parquet", id=["1", "2"], v=cells)
    assert [row["v"] for _, _, row in values(path, PLAN)] == wanted


def test_the_condition_leaves_rows_with_their_places(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", id=[*"12345678"], v=[*"abababcb"], w=[1, 1, 1, 1, 1, 2, 2, 2])
    assert values(path, replace(PLAN, where="v = 'b' and w = 2")) == [
        ("6", "a.parquet#6", {"id": "6", "v": "b", "w": 2}),
        ("8", "a.parquet#8", {"id": "8", "v": "b", "w": 2}),
    ]
    assert values(path, replace(PLAN, where="v = 'z'")) == []


def test_revisions_and_rows_without_a_key(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", id=["1", "2", None, "1"], v=["a", "b", "c", "d"], at=[1, 1, 1, 2])
    records = read(path, replace(PLAN, latest=Order("at")))
    found = [(record.key, record.values.get("v"), record.superseded) for record in records]
    assert found == [("1", "a", True), ("2", "b", False), ("", "c", False), ("1", "d", False)]
    assert [fault.code for fault in records[2].faults] == ["FM717"]


def test_lines_of_a_key_are_one_record(tmp_path: Path) -> None:
    lines = Child(ChildKind.LINES, "lines", "lines", RowLayout("Line", columns("lot")))
    path = write(tmp_path / "a.parquet", id=[*"1212"], v=[*"abab"], lot=[*"WXYZ"])
    plan = replace(PLAN, shape=replace(PLAN.shape, children=(lines,)))
    assert [(key, row["v"], row["lines"]) for key, _, row in values(path, plan)] == [
        ("1", "a", [{"lot": "W"}, {"lot": "Y"}]),
        ("2", "b", [{"lot": "X"}, {"lot": "Z"}]),
    ]


def test_paths_lead_into_cells(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", id=[*"12"], o=[{"lot": "A", "x": 1}, {"lot": None, "x": 2}])
    plan = replace(PLAN, shape=RowLayout("Row", columns("id", "o.lot")))
    assert [row["o.lot"] for _, _, row in values(path, plan)] == ["A", None]


def test_damage_in_any_column_that_is_read_shows_before_the_first_record(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    options = {"write_page_checksum": True, "compression": "none", "write_statistics": False}
    pq.write_table(pa.table({"id": ["1", "2"], "v": ["right knee", "left knee"]}), path, **options)
    path.write_bytes(path.read_bytes().replace(b"left knee", b"left bone", 1))
    with open_source(str(path), PLAN) as source:
        with pytest.raises(ConfigError) as caught:
            next(iter(source.records()))
        assert caught.value.code == "FM702"
    write(tmp_path / "b.parquet", id=["3"], v=["hip"])
    settle(tmp_path)
    assert [(record.key, [fault.code for fault in record.faults]) for record in read(tmp_path, PLAN)] == [
        ("3", []),
        ("", ["FM702"]),
    ]


def test_records_are_those_of_the_moment_at_which_the_file_was_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", id=[*"12345"], v=[*"abcde"])
    with open_source(str(path), PLAN) as source:
        records = source.records()
        first = next(records)
        write(path, id=["9"], v=["z"])
        assert [record.values["v"] for record in (first, *records)] == [*"abcde"]


def test_a_block_is_as_long_as_its_rows_not_as_the_batch_that_they_are_cut_from() -> None:
    batch = pa.record_batch({"id": [f"{number}" for number in range(100_000)]})
    rows = ColumnRows(batch.slice(10, 2), {"id": "id"}, 10)
    block = ColumnBlock(rows, [("10", None, {}, "a#11", (), False), ("11", None, {}, "a#12", (), False)], ())
    assert len(pickle.dumps(block)) < 2000
    assert [*block] == [
        ("10", None, {"id": "10"}, "a#11", (), False),
        ("11", None, {"id": "11"}, "a#12", (), False),
    ]
