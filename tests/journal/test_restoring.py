"""A copy in the place of a journal: what was there is kept, and nothing is half done."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fhirmap.errors import JournalError
from fhirmap.journal import Doubt, DoubtCause, Journal
from fhirmap.journal.copies import copy_file
from fhirmap.journal.restoring import journal_version, put_in_place
from fhirmap.journal.schema import VERSION
from tests.journal.former import NAME, OPERATION, make_file
from tests.journal.sending import ready


def keys(path: Path) -> list[str]:
    with Journal.open(path, "e", "o") as journal:
        return [answer.key for answer in journal.answers()]


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """A journal with records 1 and 2, and a copy of it with 1 alone."""
    path, copy = tmp_path / "journal.db", tmp_path / "copy.db"
    with Journal.open(path, "e", "o") as journal:
        journal.put([ready("1")])
        copy_file(path, copy)
        journal.put([ready("2")])
    return path, copy


def test_the_journal_that_was_there_is_kept_and_the_copy_marked(two: tuple[Path, Path]) -> None:
    path, copy = two
    kept = put_in_place(copy, path, "now")
    assert kept == path.with_name("journal.db.before.now")
    assert (keys(path), keys(kept)) == (["1"], ["1", "2"])
    with Journal.open(path, "e", "o") as journal:
        assert journal.doubt() == Doubt(DoubtCause.RESTORED)
    with Journal.open(copy, "e", "o") as journal:
        assert journal.doubt() is None
    assert [found.name for found in path.parent.iterdir() if ".part" in found.name] == []


def test_where_there_was_none_nothing_is_kept(two: tuple[Path, Path]) -> None:
    path, copy = two
    assert put_in_place(copy, path.with_name("other.db"), "now") is None
    assert keys(path.with_name("other.db")) == ["1"]


def test_a_damaged_journal_is_kept_as_it_is(two: tuple[Path, Path]) -> None:
    path, copy = two
    path.write_bytes(b"damaged" * 1000)
    kept = put_in_place(copy, path, "now")
    assert kept is not None and kept.read_bytes() == b"damaged" * 1000
    assert keys(path) == ["1"]


def test_during_a_run_nothing_is_put_in_its_place(two: tuple[Path, Path]) -> None:
    path, copy = two
    with Journal.open(path, "e", "o", exclusive=True), pytest.raises(JournalError, match="FM802"):
        put_in_place(copy, path, "now")
    assert keys(path) == ["1", "2"]


def test_a_journal_that_somebody_writes_to_stays(two: tuple[Path, Path]) -> None:
    path, copy = two
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode=WAL")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="FM801"):
            put_in_place(copy, path, "now")
        other.execute("ROLLBACK")
    assert keys(path) == ["1", "2"]


def test_a_copy_that_is_no_database_changes_nothing(two: tuple[Path, Path]) -> None:
    path, copy = two
    copy.write_bytes(b"damaged" * 1000)
    with pytest.raises(JournalError, match="FM804"):
        put_in_place(copy, path, "now")
    assert keys(path) == ["1", "2"]


def test_the_version_of_a_copy(two: tuple[Path, Path], tmp_path: Path) -> None:
    assert journal_version(two[1]) == str(VERSION)
    assert journal_version(make_file(tmp_path / "former.db", 2)) == "2"
    sqlite3.connect(tmp_path / "empty.db").close()
    assert journal_version(tmp_path / "empty.db") is None
    path = tmp_path / "former.db"
    with Journal.open(path, NAME, OPERATION, exclusive=True) as journal:
        assert journal.migration is not None
