"""When a journal is migrated, and what is kept of it."""

from __future__ import annotations

import os
import sqlite3
import stat
import uuid
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from fhirmap.errors import JournalError
from fhirmap.journal import Journal, Migration
from fhirmap.journal.migrations import STEPS
from fhirmap.journal.schema import VERSION
from fhirmap.journal.upgrade import upgrade_file, upgrade_server
from tests.journal.former import NAME, OPERATION, make_file, make_on_server

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")


def test_a_run_migrates_a_file_and_keeps_a_copy(tmp_path: Path) -> None:
    path = make_file(tmp_path / "journal.db", 4)
    with Journal.open(path, NAME, OPERATION, exclusive=True, clock=lambda: 1_770_000_000.0) as journal:
        copy = tmp_path / "journal.db.v4.20260202T024000Z"
        assert journal.migration == Migration(4, VERSION, copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("SELECT value FROM fhirmap_meta").fetchall() == [("4",)]
        assert connection.execute("SELECT count(*) FROM fhirmap_entry").fetchall() == [(15,)]
    with Journal.open(path, NAME, OPERATION, exclusive=True) as journal:
        assert journal.migration is None


def test_what_only_looks_migrates_nothing(tmp_path: Path) -> None:
    path = make_file(tmp_path / "journal.db", 3)
    with pytest.raises(JournalError, match="FM806") as caught:
        Journal.open(path, NAME, OPERATION, create=False)
    assert caught.value.diagnostic().variant == "earlier"
    with pytest.raises(JournalError, match="FM806"):
        Journal.look(path, NAME, OPERATION)
    assert [found.name for found in tmp_path.glob("*.v3.*")] == []


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_file(tmp_path / "journal.db", 3)
    before = _dump(path)

    def fail(connection: sa.Connection) -> None:
        connection.exec_driver_sql("DROP TABLE fhirmap_withdrawal")
        connection.exec_driver_sql("SELECT no_such_column FROM fhirmap_entry")

    monkeypatch.setattr("fhirmap.journal.upgrade.STEPS", (*STEPS[:-1], fail))
    with pytest.raises(JournalError, match="FM800"):
        upgrade_file(path, lambda: 0.0)
    assert _dump(path) == before


def test_nothing_is_changed_without_a_copy(tmp_path: Path) -> None:
    path = make_file(tmp_path / "journal.db", 3)
    before = _dump(path)

    def full(_path: Path, _target: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(JournalError, match="FM803"):
        upgrade_file(path, lambda: 0.0, copy=full)
    assert _dump(path) == before


@pytest.mark.parametrize("version", ["0", "-1", "99", "four", ""])
def test_a_version_that_is_not_known_is_left_alone(tmp_path: Path, version: str) -> None:
    path = make_file(tmp_path / "journal.db", 4)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE fhirmap_meta SET value = ? WHERE name = 'version'", [version])
    before = _dump(path)
    with pytest.raises(JournalError, match="FM806") as caught:
        Journal.open(path, NAME, OPERATION, exclusive=True)
    assert caught.value.diagnostic().variant == ""
    assert _dump(path) == before


def test_an_empty_file_and_none_are_no_journals_of_an_earlier_version(tmp_path: Path) -> None:
    assert upgrade_file(tmp_path / "none.db", lambda: 0.0) is None
    (tmp_path / "empty.db").touch()
    assert upgrade_file(tmp_path / "empty.db", lambda: 0.0) is None


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


@pytest.mark.skipif(not URL, reason="FHIRMAP_TEST_POSTGRESQL names no server")
def test_tables_on_a_server_are_migrated_on_request_and_never_under_a_run() -> None:
    engine = sa.create_engine(URL)
    name = f"former_{uuid.uuid4().hex}"
    url = f"{URL}?options=-csearch_path%3D{name}"
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
        connection.exec_driver_sql(f"SET LOCAL search_path TO {name}")
        make_on_server(connection, 4)
    try:
        with pytest.raises(JournalError, match="FM806") as caught:
            Journal.open(url, NAME, OPERATION, exclusive=True)
        assert caught.value.diagnostic().variant == "earlier_on_server"
        with pytest.raises(JournalError, match="FM802"):
            upgrade_server(url, lambda: 1_770_000_000.0)  # `lost` is leased at that time
        assert upgrade_server(url, lambda: 3_000_000_000.0) == Migration(4, VERSION)
        assert upgrade_server(url, lambda: 3_000_000_000.0) is None
        with Journal.open(url, NAME, OPERATION, exclusive=True) as journal:
            assert len(journal.answers()) == 13
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
        engine.dispose()
