"""Records from tables: one snapshot, read-only, in constant memory."""

from __future__ import annotations

import sqlite3
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceKind
from fhirmap.sources import open_source
from tests.sources.conftest import Database, columns
from tests.sources.theatre import code_of, expected, only, small, theatre, theatre_plan


def test_an_empty_table_holds_no_record(database: Database, prefix: str) -> None:
    theatre(database, prefix, count=1)
    with database.engine.begin() as connection:
        connection.execute(sa.text(f"DELETE FROM {prefix}op"))
    with open_source(database.url, theatre_plan(prefix)) as source:
        assert source.check() == []
        assert source.count() == 0
        assert list(source.records()) == []


def test_reading_is_one_snapshot(database: Database, prefix: str) -> None:
    data = theatre(database, prefix, count=900)
    with open_source(database.url, theatre_plan(prefix)) as source:
        records = source.records()
        first = [next(records)]
        if database.kind != "sqlite":  # a SQLite reader holds writers off
            with database.engine.begin() as connection:
                connection.execute(sa.text(f"INSERT INTO {prefix}op VALUES (100000, 1, 'R')"))
                connection.execute(sa.text(f"DELETE FROM {prefix}pose"))
        found = [only(dict(record.values)) for record in [*first, *records]]
    assert found == expected(data)


def test_a_read_only_file_is_read_and_never_written(tmp_path: Path) -> None:
    folder = tmp_path / "é ?#%"
    folder.mkdir()
    path = folder / "a.sqlite"
    plan = small(path)
    before = path.read_bytes()
    path.chmod(0o400)
    folder.chmod(0o500)
    try:
        assert list(open_source(str(path), plan).records()) == []
    finally:
        folder.chmod(0o700)
    assert path.read_bytes() == before
    assert [entry.name for entry in folder.iterdir()] == ["a.sqlite"]


def test_a_cell_that_is_no_utf8_spoils_its_record_alone(tmp_path: Path) -> None:
    plan = small(tmp_path / "a.sqlite")
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("INSERT INTO t VALUES (1, 'é'), (2, CAST(x'E9' AS TEXT)), (3, 'z')")
    connection.close()
    assert [r.values["v"] for r in open_source(str(tmp_path / "a.sqlite"), plan).records()] == ["é", b"\xe9", "z"]


@pytest.mark.parametrize("kind", ["", "BLOB", "INTEGER", "NUMERIC", "TEXT"])
@pytest.mark.parametrize("order", ["'1', 1", "1, '1'"])
def test_a_number_and_a_text_that_is_written_alike_are_one_key(tmp_path: Path, kind: str, order: str) -> None:
    plan = small(tmp_path / "a.sqlite")
    first, second = order.split(", ")
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("DROP TABLE t")
        connection.execute(f"CREATE TABLE t (id {kind}, v TEXT)")
        connection.execute(f"INSERT INTO t VALUES ({first}, 'a'), ({second}, 'b'), (2, 'c')")
    connection.close()
    records = list(open_source(str(tmp_path / "a.sqlite"), plan).records())
    assert sorted(record.key for record in records) == ["1", "1", "2"]
    # Where the database knows that they are equal, both are.
    faults = [fault.code for record in records if record.key == "1" for fault in record.faults]
    assert faults == ["FM718"] * (2 if kind in ("INTEGER", "NUMERIC", "TEXT") else 1)
    assert not any(record.faults for record in records if record.key == "2")


def test_memory_does_not_grow_with_the_table(tmp_path: Path) -> None:
    plan = small(tmp_path / "a.sqlite")
    lines = Child(ChildKind.JOIN, "lines", "lines", RowLayout("L", columns("x")), "l", (("t", "id"),))
    plan = replace(plan, shape=replace(plan.shape, children=(lines,)))

    def peak(count: int) -> int:
        with sqlite3.connect(tmp_path / "a.sqlite") as connection:
            connection.execute("DROP TABLE IF EXISTS l")
            connection.execute("CREATE TABLE l (t INTEGER, x TEXT)")
            connection.execute("DELETE FROM t")
            connection.executemany("INSERT INTO t VALUES (?, ?)", ((n, f"value {n}") for n in range(count)))
            connection.executemany(
                "INSERT INTO l VALUES (?, ?)", ((n, f"line {m}") for n in range(count) for m in (1, 2))
            )
        connection.close()
        tracemalloc.start()
        assert sum(len(r.values["lines"]) for r in open_source(str(tmp_path / "a.sqlite"), plan).records()) == 2 * count
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    small_peak = peak(2_000)
    assert peak(20_000) < small_peak * 1.2


def test_a_file_model_does_not_read_a_database(tmp_path: Path) -> None:
    plan = replace(small(tmp_path / "a.sqlite"), kind=SourceKind.CSV)
    assert code_of(tmp_path / "a.sqlite", plan) == "FM716"


def test_a_copy_in_wal_mode_is_read_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = small(tmp_path / "a.sqlite")
    with sqlite3.connect(tmp_path / "a.sqlite") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("INSERT INTO t VALUES (1, 'x')")
    connection.close()
    monkeypatch.setattr("fhirmap.sources.sql_engine.os.access", lambda *_: False)
    assert [record.key for record in open_source(str(tmp_path / "a.sqlite"), plan).records()] == ["1"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.sqlite"]
