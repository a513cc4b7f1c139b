"""Rows of Parquet files: the values of each type, and files that are none."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fhirmap.errors import ConfigError
from fhirmap.records import Fault
from fhirmap.runtime.reading import Cell, as_decimal, as_text, date_reader
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
from fhirmap.sources.files import parquet_reader
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.parquet_reader import ParquetReader
from fhirmap.sources.files.source_files import SourceFile
from tests.sources.conftest import columns

PLAN = SourcePlan(SourceKind.PARQUET, "", ("id",), RowLayout("Row", columns("id", "v")))


def reader_of(path: Path, plan: SourcePlan = PLAN) -> ParquetReader:
    return ParquetReader(SourceFile(path, path.name, str(path)), plan)


def write(path: Path, **options: Any) -> Path:
    """``options``: columns by name, as Arrow arrays."""
    pq.write_table(pa.table(options), path)
    return path


def rows_of(path: Path, names: Sequence[str] = ("id", "v")) -> list[FileRow]:
    return list(reader_of(path).rows(names))


def value_of(tmp_path: Path, array: pa.Array) -> Any:
    (row,) = rows_of(write(tmp_path / "a.parquet", v=array), ["v"])
    return row.cells["v"]


PARIS = pa.timestamp("ms", "Europe/Paris")
STRUCT = pa.struct([("lot", pa.string()), ("le", pa.timestamp("ns"))])


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        (pa.array(["0012"]), "0012"),
        (pa.array(["0012"]).dictionary_encode(), "0012"),
        (pa.array([None], pa.string()), None),
        (pa.array([2**60 + 1]), 2**60 + 1),
        (pa.array([2.5]), 2.5),
        (pa.array([0.1], pa.float32()), 0.1),
        (pa.array([None], pa.float32()), None),
        (pa.array([True]), True),
        (pa.array([Decimal("389.500")]), Decimal("389.500")),
        (pa.array([date(2025, 3, 17)]), date(2025, 3, 17)),
        (pa.array([date.min]), date.min),
        (pa.array([date.max]), date.max),
        (pa.array([None], pa.date32()), None),
        (pa.array([datetime(2025, 3, 17, 8, 15)]), datetime(2025, 3, 17, 8, 15)),
        (pa.array([1_742_199_300_123_456_789], pa.timestamp("ns")), datetime(2025, 3, 17, 8, 15, 0, 123456)),
        (pa.array([29_700_000_000_001], pa.time64("ns")), time(8, 15)),
        (pa.array([["A", "B"]]), ["A", "B"]),
        (pa.array([{"lot": "A", "le": 1}], STRUCT), {"lot": "A", "le": datetime(1970, 1, 1)}),
        (pa.array([[{"lot": "A", "le": None}]], pa.list_(STRUCT)), [{"lot": "A", "le": None}]),
        (pa.array([{"dose": 0.1}], pa.struct([("dose", pa.float32())])), {"dose": 0.1}),
        (pa.array([[0.1, None]], pa.list_(pa.float32())), [0.1, None]),
        (pa.array([[0.1, None]], pa.list_(pa.float32(), 2)), [0.1, None]),
        (pa.array([[("a", 0.1)]], pa.map_(pa.string(), pa.float32())), [{"key": "a", "value": 0.1}]),
        (pa.array([[[("a", 1)]]], pa.list_(pa.map_(pa.string(), pa.int8()))), [[{"key": "a", "value": 1}]]),
        (pa.array([b"\x12" * 16], pa.uuid()), "12121212-1212-1212-1212-121212121212"),
    ],
)
def test_values_of_each_type(tmp_path: Path, array: pa.Array, wanted: Any) -> None:
    found = value_of(tmp_path, array)
    assert (found, type(found)) == (wanted, type(wanted))


def test_times_keep_their_zone(tmp_path: Path) -> None:
    found = value_of(tmp_path, pa.array([datetime(2025, 3, 17, 7, 15, tzinfo=UTC)], PARIS))
    faults: list[Fault] = []
    read = date_reader(Cell("Row.v", "v", "dateTime", ""))
    assert (read(found, faults), faults) == ("2025-03-17T08:15:00+01:00", [])
    assert read(value_of(tmp_path, pa.array([datetime(2025, 3, 17)])), faults) is None
    assert [fault.code for fault in faults] == ["FM727"]


def test_decimals_keep_their_digits(tmp_path: Path) -> None:
    faults: list[Fault] = []
    found = [value_of(tmp_path, array) for array in (pa.array([Decimal("1.50")]), pa.array([0.1], pa.float32()))]
    assert [str(as_decimal(raw, Cell("Row.v", "v", "decimal", ""), faults)) for raw in found] == ["1.50", "0.1"]
    assert faults == []


def test_a_cell_that_is_no_value_is_a_fault_of_its_row_alone(tmp_path: Path) -> None:
    far = pa.array([0, 4_000_000_000_000], pa.timestamp("s"))
    damaged = pa.Array.from_buffers(pa.string(), 2, pa.array([b"a", b"\xff"]).buffers())
    later, last = (pa.array([0, day], pa.int32()).cast(pa.date32()) for day in (5_000_000, 2**31 - 1))
    faults: list[Fault] = []
    for array in (far, later, last, damaged):
        first, second = rows_of(write(tmp_path / "a.parquet", v=array), ["v"])
        assert isinstance(second.cells["v"], bytes)
        assert first.cells["v"] in (date(1970, 1, 1), datetime(1970, 1, 1), "a")
    assert date_reader(Cell("Row.v", "v", "date", ""))(b"128725-05-15", faults) is None
    assert as_text(b"\xff", Cell("Row.v", "v", "string", ""), faults) == ""
    assert [fault.code for fault in faults] == ["FM410", "FM410"]


FAR = pa.array([5_000_000], pa.int32()).cast(pa.date32())
DAMAGED = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff"]).buffers())


@pytest.mark.parametrize(
    ("array", "wanted"),
    [
        (pa.StructArray.from_arrays([FAR, pa.array([0.1], pa.float32())], ["a", "b"]), {"a": b"15659-07-15", "b": 0.1}),
        (pa.ListArray.from_arrays([0, 1], FAR), [b"15659-07-15"]),
        (pa.ListArray.from_arrays([0, 1], DAMAGED), [b"\xff"]),
        (pa.MapArray.from_arrays([0, 1], pa.array(["k"]), DAMAGED), [{"key": "k", "value": b"\xff"}]),
        (DAMAGED.dictionary_encode(), b"\xff"),
    ],
)
def test_a_part_of_a_cell_that_is_no_value_is_that_part_alone(tmp_path: Path, array: pa.Array, wanted: Any) -> None:
    assert value_of(tmp_path, array) == wanted


@pytest.mark.parametrize("kind", [pa.timestamp("ms", "UTC"), pa.duration("ms")])
def test_a_time_out_of_range_is_no_other_time(tmp_path: Path, kind: pa.DataType) -> None:
    # In microseconds, the number would go round to that of a day of this century.
    found = value_of(tmp_path, pa.array([18_446_744_073_709_551 + 1_742_199_300_000], kind))
    assert isinstance(found, bytes)


@pytest.mark.parametrize("wanted", [datetime.min, datetime(9999, 12, 31, 23, 59, 59, 999999)])
def test_a_time_of_96_bits_is_no_other_time(tmp_path: Path, wanted: datetime) -> None:
    table = pa.table({"v": pa.array([wanted], pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "a.parquet", use_deprecated_int96_timestamps=True)
    (row,) = rows_of(tmp_path / "a.parquet", ["v"])
    assert row.cells["v"] == wanted


def test_a_time_in_an_unknown_zone_is_no_value(tmp_path: Path) -> None:
    zoned = pa.array([datetime(2025, 7, 1, 22, 30), None], pa.timestamp("us")).cast(
        pa.timestamp("us", "Europe/Nowhere")
    )
    first, second = rows_of(write(tmp_path / "a.parquet", v=zoned), ["v"])
    assert isinstance(first.cells["v"], bytes)
    assert second.cells["v"] is None


def test_rows_in_order_with_the_columns_that_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_reader, "_ROWS", 3)
    path = tmp_path / "a.parquet"
    table = pa.table({"x": ["never read"] * 10, "V": range(10), "id": [f"{number}" for number in range(10)]})
    pq.write_table(table, path, row_group_size=4)
    found = rows_of(path)
    assert [(row.place, row.number) for row in found] == [(f"#{number}", number) for number in range(1, 11)]
    assert [dict(row.cells) for row in found] == [{"id": f"{number}", "v": number} for number in range(10)]
    assert rows_of(path) == found
    assert [row.number for row in rows_of(path, [])] == [*range(1, 11)]


def test_a_page_whose_checksum_is_another_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    options = {"write_page_checksum": True, "compression": "none", "write_statistics": False}
    pq.write_table(pa.table({"id": ["1"], "v": ["left knee"]}), path, **options)
    assert rows_of(path)[0].cells["v"] == "left knee"
    path.write_bytes(path.read_bytes().replace(b"left knee", b"left bone", 1))
    with pytest.raises(ConfigError) as caught:
        rows_of(path)
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM702", "damaged")


def test_columns_that_are_not_there(tmp_path: Path) -> None:
    reader = reader_of(write(tmp_path / "a.parquet", id=["1"], vv=["x"]))
    (entry,) = reader.check({"id": "a.map:1:3", "v": "a.map:2:3"})
    assert (entry.code, entry.meant, entry.args["position"]) == ("FM704", "vv", "a.map:2:3")
    assert (reader.names(), reader.check({"vv.lot": ""})) == (("id", "vv"), [])
    with pytest.raises(ConfigError) as caught:
        list(reader.rows(["v"]))
    assert (caught.value.code, caught.value.diagnostic().args["position"]) == ("FM704", "a.map:2:3")


def test_paths_that_lead_to_no_field(tmp_path: Path) -> None:
    reader = reader_of(write(tmp_path / "a.parquet", id=["1"], s=[{"lot": "A", "t": [{"x": 1}]}], d=['{"lot": 1}']))
    assert reader.check(dict.fromkeys(["s.lot", "s.t.x", "s.t[0].x", "s.t[x=1].x", "d.other"], "")) == []
    found = reader.check({"s.lott": "a.map:2:3", "s.t.y": "", "z.lot": ""})
    assert [(entry.code, entry.args["column"], entry.meant) for entry in found] == [
        ("FM704", "z.lot", None),
        ("FM726", "s.lott", "s.lot"),
        ("FM726", "s.t.y", "s.t.x"),
    ]


def test_a_column_that_is_there_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table([["1"], ["x"], ["y"]], names=["id", "v", "v"]), path)
    assert [row.cells for row in reader_of(path).rows(["id"])] == [{"id": "1"}]
    with pytest.raises(ConfigError) as caught:
        list(reader_of(path).rows(["id", "v"]))
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM704", "double")


def test_a_path_leads_into_a_column(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", doc=[{"lot": "A"}])
    (row,) = reader_of(path, replace(PLAN, key=(), shape=RowLayout("Row", columns("doc.lot")))).rows(["doc.lot"])
    assert row.cells == {"doc.lot": {"lot": "A"}}


@pytest.mark.parametrize("cut", [0, 3, 50, -20])
def test_files_that_are_damaged(tmp_path: Path, cut: int) -> None:
    path = write(tmp_path / "a.parquet", id=["DUPONT"], v=["DUPONT"])
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ConfigError) as caught:
        reader_of(path).names()
    assert (caught.value.code, "Parquet" in str(caught.value), "DUPONT" in str(caught.value)) == ("FM702", True, False)


def test_damage_in_the_pages(tmp_path: Path) -> None:
    path = write(tmp_path / "a.parquet", id=["DUPONT"] * 1000, v=[f"{number}" for number in range(1000)])
    content = bytearray(path.read_bytes())
    content[4:400] = b"\xff" * 396
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        rows_of(path)
    assert (caught.value.code, "DUPONT" in str(caught.value)) == ("FM702", False)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        reader_of(tmp_path / "a.parquet").names()
    assert caught.value.code == "FM701"


def test_without_its_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a.parquet", id=["1"])
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ConfigError) as caught:
        reader_of(path).names()
    assert (caught.value.code, caught.value.diagnostic().args["extra"]) == ("FM797", "parquet")
