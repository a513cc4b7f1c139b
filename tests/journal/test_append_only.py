"""The database itself refuses to change the audit log."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from fhirmap.journal import Journal
from fhirmap.journal.upgrade import upgrade_file
from tests.journal.former import NAME, OPERATION, make_file

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")
CHANGES = ("update fhirmap_audit set at = 0", "delete from fhirmap_audit")


@pytest.mark.parametrize("is_migrated", [False, True])
def test_in_a_file(tmp_path: Path, is_migrated: bool) -> None:
    path = tmp_path / "journal.db"
    if is_migrated:
        upgrade_file(make_file(path, 5), lambda: 0.0)
    with Journal.open(path, NAME, OPERATION) as journal:
        journal.start_run("map")
    with closing(sqlite3.connect(path)) as connection:
        before = connection.execute("select * from fhirmap_audit").fetchall()
        assert len(before) == 2
        for change in CHANGES:
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(change)
        assert connection.execute("select * from fhirmap_audit").fetchall() == before


@pytest.fixture
def server() -> Iterator[str]:
    if not URL:
        pytest.skip("FHIRMAP_TEST_POSTGRESQL names no server")
    name = f"audited_{os.getpid()}"
    engine = sa.create_engine(URL)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    yield f"{URL}?options=-csearch_path%3D{name}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
    engine.dispose()


def test_on_a_server(server: str) -> None:
    with Journal.open(server, NAME, OPERATION) as journal:
        journal.start_run("map")
        assert journal.verify_audit().breaks == ()
    engine = sa.create_engine(server)
    for change in (*CHANGES, "truncate fhirmap_audit"):
        with engine.begin() as connection, pytest.raises(sa.exc.DBAPIError, match="append-only"):
            connection.exec_driver_sql(change)
    engine.dispose()
