"""The journal's file: who may read it, what a locked, full or foreign one is reported as."""

from __future__ import annotations

import logging
import os
import sqlite3
import stat
from pathlib import Path

import pytest

from fhirmap.errors import JournalError
from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.records import Receipt, ReceiptState
from tests.journal.sending import digest_of, ready


def test_the_files_are_readable_by_their_owner_alone_whatever_the_umask(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        with Journal.open(tmp_path / "journal.db", "e", "o", exclusive=True) as journal:
            journal.put([ready("1")])
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(former)
    assert set(modes) == {"journal.db", "journal.db-wal", "journal.db-shm", "journal.db.lock"}
    assert set(modes.values()) == {0o600}


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.touch(mode=0o644)
    Journal.open(path, "e", "o").close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_locked_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o", busy_timeout_s=0.05) as journal:
        other = sqlite3.connect(path)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(JournalError, match="FM801") as caught:
            journal.put([ready("1")])
        assert str(path) in str(caught.value)
        other.close()
        assert journal.put([ready("1")]).ready == 1


@pytest.mark.parametrize("content", [b"not a database" * 100, b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_file_that_is_not_a_journal_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "journal.db"
    path.write_bytes(content)
    with pytest.raises(JournalError, match=r"FM80[04]"):
        Journal.open(path, "e", "o")
    assert path.read_bytes() == content


def test_a_full_disk_is_reported_and_nothing_recorded_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.put([ready("1")])
        with journal._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        content = os.urandom(200_000)
        big = Entry("2", EntryState.READY, content, digest_of(content))
        with pytest.raises(JournalError, match="FM803"):
            journal.put([big])
        assert [lease.envelope.key for lease in journal.lease(5)] == ["1"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_reported(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(JournalError, match=r"FM80[05]"):
        Journal.open(tmp_path / "journal.db", "e", "o")


def test_a_missing_folder_and_a_missing_file_are_reported(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="FM800"):
        Journal.open(tmp_path / "no" / "journal.db", "e", "o")
    with pytest.raises(JournalError, match="FM800"):
        Journal.open(tmp_path / "journal.db", "e", "o", create=False)
    assert not (tmp_path / "journal.db").exists()


def test_a_journal_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    Journal.open(path, "e", "o").close()
    connection = sqlite3.connect(path)
    connection.execute("UPDATE fhirmap_meta SET value = '99'")
    connection.commit()
    connection.close()
    with pytest.raises(JournalError, match="FM806"):
        Journal.open(path, "e", "o")


def test_a_database_server_that_is_not_there_is_reported_without_its_password() -> None:
    with pytest.raises(JournalError, match="FM807") as caught:
        Journal.open("postgresql://someone:canary-password@127.0.0.1:1/none?connect_timeout=1", "e", "o")
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_no_payload_in_the_log_even_at_debug(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with Journal.open(tmp_path / "journal.db", "e", "o") as journal:
        journal.put([Entry("1", EntryState.READY, b"canary-284051012345678", digest_of(b"canary-284051012345678"))])
        lease = journal.lease(1)[0]
        journal.settle(lease, Receipt(ReceiptState.REFUSED, "FM660", 400, body=b"canary-body"))
        journal.status()
        journal.history("1")
    assert "canary" not in caplog.text


def test_durability_is_what_it_says(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db", "e", "o") as journal, journal._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2


@pytest.mark.parametrize("url", ["mysql+pymysql://root@127.0.0.1:3306/x", "mariadb://h/x", "sqlite:///x.db"])
def test_a_journal_is_a_file_or_in_postgresql(url: str) -> None:
    with pytest.raises(JournalError) as caught:
        Journal.open(url, "e", "o")
    assert caught.value.code == "FM800"
    assert "PostgreSQL database" in str(caught.value)
