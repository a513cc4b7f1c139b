"""Rows that are kept between reading files and making records of them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.records import Fault, TreeText
from fhirmap.sources.files.row_spool import KeyedRow, RowSpool
from fhirmap.sources.files.source_files import SourceFile
from fhirmap.sources.revisions import number_revision

A, B = (SourceFile(Path(name), name, name) for name in ("a.csv", "b.csv"))
FAULT = Fault("FM723", rule="text", args={"line": 7}, columns=("v",))


def row(number: int) -> KeyedRow:
    """One of every type that cells may have, some with a fault."""
    cells = {"id": str(number), "n": Decimal("1.50"), "tree": {"x": [TreeText("t", {"@id": "1"}), None]}, "t": "é" * 50}
    faults = (FAULT,) if number % 7 == 0 else ()
    return str(number), number_revision(number), cells, f"a.csv:{number}", faults, number % 11 == 0


@pytest.fixture(params=[1 << 20, 1 << 10], ids=["in memory", "in a file"])
def spool(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[RowSpool]:
    monkeypatch.setattr("fhirmap.sources.files.row_spool._IN_MEMORY", request.param)
    monkeypatch.setattr("fhirmap.sources.files.row_spool._BLOCK", 1 << 12)
    made = RowSpool("somewhere")
    yield made
    made.close()


def test_rows_come_as_they_were_put_in_as_often_as_they_are_asked_for(spool: RowSpool) -> None:
    spool.put(A, map(row, range(1000)))
    spool.put(B, map(row, range(3)))
    for _ in range(2):
        assert list(spool.rows(A)) == list(map(row, range(1000)))
    assert list(spool.rows(B)) == list(map(row, range(3)))
    found = next(spool.rows(B))[2]["tree"]["x"][0]
    assert isinstance(found, TreeText)
    assert found.members == {"@id": "1"}


def test_two_readings_at_a_time_do_not_disturb_each_other(spool: RowSpool) -> None:
    spool.put(A, map(row, range(500)))
    pairs = zip(spool.rows(A), spool.rows(A), strict=True)
    assert all(one == other for one, other in pairs)


def test_rows_stay_until_the_last_reading_is_over(spool: RowSpool) -> None:
    spool.put(A, map(row, range(500)))
    with spool.reading():
        with spool.reading():
            spool.close()
            spool.close()
        assert list(spool.rows(A)) == list(map(row, range(500)))
    with pytest.raises(ValueError, match="closed"):
        list(spool.rows(A))


def test_a_file_that_ends_with_an_error_leaves_no_row(spool: RowSpool) -> None:
    def broken() -> Iterator[KeyedRow]:
        yield from map(row, range(300))
        raise ConfigError("FM702", source="a.csv", reason="x")

    with pytest.raises(ConfigError):
        spool.put(A, broken())
    spool.put(B, map(row, range(300)))
    assert list(spool.rows(A)) == []
    assert list(spool.rows(B)) == list(map(row, range(300)))


def test_no_folder_takes_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fhirmap.sources.files.row_spool._IN_MEMORY", 1 << 10)
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    spool = RowSpool("somewhere")
    with pytest.raises(ConfigError) as caught:
        spool.put(A, map(row, range(300)))
    found = caught.value.diagnostic()
    assert (found.code, found.variant) == ("FM724", "space")
    spool.close()
