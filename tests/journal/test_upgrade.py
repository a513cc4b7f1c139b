"""When a journal is migrated, and what is kept of it."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import uuid
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from fhirmap.errors import JournalError
from fhirmap.journal import Journal, Migration
from fhirmap.journal.migrations import STEPS
from fhirmap.journal.schema import VERSION
from fhirmap.journal.upgrade import upgrade_file, upgrade_server
from tests.cli.failing_sync import compiled, full, killed
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


OPENED = f"""
import sys
from fhirmap.errors import JournalError
from fhirmap.journal import Journal
try:
    Journal.open(sys.argv[1], {NAME!r}, {OPERATION!r}, exclusive=True, clock=lambda: 1_770_000_000.0).close()
except JournalError as error:
    sys.exit(error.code)
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = compiled(tmp_path_factory.mktemp("library")) if sys.platform == "linux" else None
    if found is None:
        pytest.skip("no library can be loaded before the others")
    return found


def _opened(path: Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", OPENED, str(path)]
    return subprocess.run(command, capture_output=True, text=True, env={**os.environ, **env}, timeout=120, check=False)


@pytest.mark.parametrize("moment", [2, 30, 60, 109, 112, 150])
def test_a_process_that_is_killed_loses_nothing(tmp_path: Path, library: Path, moment: int) -> None:
    path = make_file(tmp_path / "journal.db", 1)
    before = _dump(path)
    assert _opened(path, killed(library, "journal.db", moment)).returncode == -signal.SIGKILL
    copies = list(tmp_path.glob("journal.db.v1.*"))
    assert [_dump(copy) for copy in copies] == [before] * len(copies)
    with closing(sqlite3.connect(path)) as connection:
        ((version,),) = connection.execute("SELECT value FROM fhirmap_meta WHERE name = 'version'")
    assert _dump(path) == before if version == "1" else (version == str(VERSION) and len(copies) == 1)
    with Journal.open(path, NAME, OPERATION, exclusive=True) as journal:
        assert len(journal.answers()) == 13
        assert journal.verify() == []
        assert journal.verify_audit().breaks == ()
    assert [found.name for found in tmp_path.iterdir() if ".part" in found.name] == []


@pytest.mark.parametrize("moment", [2, 10, 40, 60])
def test_a_disk_that_fills_leaves_the_file_as_it_was(tmp_path: Path, library: Path, moment: int) -> None:
    path = make_file(tmp_path / "journal.db", 1)
    before = _dump(path)
    done = _opened(path, full(library, "journal.db", moment))
    assert (done.returncode, done.stderr.strip()) == (1, "FM803")
    assert _dump(path) == before
    assert [found.name for found in tmp_path.iterdir() if ".part" in found.name] == []


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
