"""Copies of a journal: complete or absent, private, made while somebody writes."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from fhirmap.errors import JournalError
from fhirmap.journal import Journal
from fhirmap.journal.copies import copy_file
from tests.journal.sending import ready


def test_a_copy_is_what_was_committed_and_private(tmp_path: Path) -> None:
    with Journal.open(tmp_path / "journal.db", "e", "o") as journal:
        journal.put([ready(str(number)) for number in range(50)])
        writer = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("DELETE FROM fhirmap_payload")
        copy_file(tmp_path / "journal.db", tmp_path / "copy.db")
        writer.execute("ROLLBACK")
        writer.close()
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    with closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        assert copy.execute("SELECT count(*) FROM fhirmap_payload").fetchall() == [(50,)]
    assert sorted(path.name for path in tmp_path.iterdir() if "part" in path.name) == []
    assert not (tmp_path / "copy.db-wal").exists()


def test_what_is_no_database_leaves_no_copy(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"not a database" * 500)
    with pytest.raises(JournalError, match=r"FM804.*journal\.db"):
        copy_file(tmp_path / "journal.db", tmp_path / "copy.db")
    assert [path.name for path in tmp_path.iterdir()] == ["journal.db"]
