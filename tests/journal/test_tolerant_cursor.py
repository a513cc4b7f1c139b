"""Text that is no UTF-8 is read with the rows before and after it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fhirmap.journal.stored_cells import is_unreadable
from fhirmap.journal.tolerant_cursor import TolerantConnection

FOUND = ["a", "b\ufffd", "c"]


@pytest.fixture
def connection(tmp_path: Path) -> TolerantConnection:
    made = sqlite3.connect(tmp_path / "some.db", factory=TolerantConnection)
    made.execute("CREATE TABLE t (a TEXT)")
    made.execute("INSERT INTO t VALUES ('a'), (CAST(X'62FF' AS TEXT)), ('c')")
    return made


def test_all_at_once(connection: TolerantConnection) -> None:
    with closing(connection):
        rows = connection.cursor().execute("SELECT a FROM t WHERE a > ? ORDER BY a", ["A"]).fetchall()
        assert [row[0] for row in rows] == FOUND
        assert [is_unreadable(row) for row in rows] == [False, True, False]


def test_one_by_one(connection: TolerantConnection) -> None:
    with closing(connection):
        cursor = connection.cursor().execute("SELECT a FROM t ORDER BY a")
        assert [row[0] for row in iter(cursor.fetchone, None)] == FOUND


def test_some_at_a_time(connection: TolerantConnection) -> None:
    with closing(connection):
        cursor = connection.cursor().execute("SELECT a FROM t ORDER BY a")
        assert [row[0] for row in (*cursor.fetchmany(1), *cursor.fetchmany(1), *cursor.fetchmany(5))] == FOUND


def test_what_sqlite_itself_says_is_raised(connection: TolerantConnection) -> None:
    with closing(connection), pytest.raises(sqlite3.OperationalError, match="no such table"):
        connection.cursor().execute("SELECT a FROM u")
