"""Rows that cannot be read are found by the database itself, in each table, on each kind of database."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from fhirmap.journal import Journal
from fhirmap.journal.schema import metadata
from fhirmap.journal.soundness import unsound
from fhirmap.journal.states import EntryState
from tests.journal.sending import ACCEPTED, answer_all, ready

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")
TABLES = [table for table in metadata.sorted_tables if not table.name.startswith("fhirmap_audit")]


HIGHEST = 2**63 - 1


def test_a_row_of_the_highest_number_is_not_counted_on_from(journal: Journal, tmp_path: Path) -> None:
    journal.put([ready("1"), ready("2")])
    answer_all(journal, ACCEPTED)
    first = journal.last_run()
    assert first is not None
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        for name in ("attempt", "entry", "run"):
            connection.execute(f"UPDATE fhirmap_{name} SET id = ? WHERE id = 1", [HIGHEST])
        for name in ("attempt", "payload", "identifier"):
            connection.execute(f"UPDATE fhirmap_{name} SET entry_id = ? WHERE entry_id = 1", [HIGHEST])
    assert "unreadable_row" in {str(one.kind) for one in journal.verify()}
    assert journal.mark().attempt < HIGHEST
    number = journal.start_run()
    assert number == first.run_id + 1
    assert journal.put([ready("3")]).ready == 1
    answer_all(journal, ACCEPTED)
    last = journal.last_run()
    assert last is not None and last.run_id == number


@pytest.mark.parametrize("dialect", ["sqlite", "postgresql"])
def test_nothing_is_wrong_with_a_sound_journal(journal: Journal, dialect: str) -> None:
    journal.put([ready("1")])
    answer_all(journal, ACCEPTED)
    assert journal.unreadable_keys() == []
    for table in TABLES:
        assert str(sa.select(table).where(unsound(table, dialect)))


@pytest.mark.parametrize(
    ("change", "stuck"),
    [
        ("state = 'lost'", True),
        ("archive = 'somewhere'", True),
        ("not_before = 'soon'", True),
        ("lease_until = x'00'", True),
        ("is_current = 7", True),
        ("is_given_up = 'no'", True),
        ("origin = x'e9'", False),
        ("changed_at = 'noon'", False),
    ],
)
def test_what_keeps_a_record_back_is_found_without_a_look_at_every_cell(
    journal: Journal, change: str, stuck: bool
) -> None:
    journal.put([ready("1"), ready("2")])
    with journal._engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE fhirmap_entry SET {change} WHERE key = '1'")
    assert journal.unreadable_keys() == (["1"] if stuck else [])
    assert "unreadable_row" in {str(one.kind) for one in journal.verify()}


@pytest.mark.parametrize("odd", ["'soon'", "1e15", "9e99", "x'00'"])
def test_a_time_that_is_none_is_never_due(journal: Journal, odd: str) -> None:
    journal.put([ready("1")])
    with journal._engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE fhirmap_entry SET state = 'deferred', not_before = {odd}")
    assert journal.next_due() is None and journal.next_after_loss(0.0) is None
    assert journal.status().next_due is None
    assert journal.lease(5) == []


@pytest.mark.parametrize(
    "change",
    ["state = 'lost'", "archive = 'somewhere'", "changed_at = 'NaN'", "not_before = 'Infinity'", "lease_until = -1"],
)
def test_on_a_server(tmp_path: Path, change: str) -> None:
    if not URL:
        pytest.skip("FHIRMAP_TEST_POSTGRESQL names no server")
    name = f"soundness_{os.getpid()}"
    engine = sa.create_engine(URL)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    url = f"{URL}?options=-csearch_path%3D{name}"
    try:
        with Journal.open(url, "e", "o") as journal:
            journal.put([ready("1"), ready("2")])
            answer_all(journal, ACCEPTED)
            with engine.begin() as connection:
                connection.exec_driver_sql(f"UPDATE {name}.fhirmap_entry SET {change} WHERE key = '1'")
            stuck = [] if change.startswith(("changed_at", "lease_until")) else ["1"]
            assert journal.unreadable_keys() == stuck
            assert list(journal.status().unreadable) == stuck
            assert [answer.key for answer in journal.answers()] == ["1", "2"]
            assert len(journal.days(10)) == 1
            journal.start_run()
            journal.put([ready("1"), ready("2")])
            assert journal.lease(5) == []
            assert journal.finish_run(0).read == 2
            assert "unreadable_row" in {str(one.kind) for one in journal.verify()}
            released = {"state = 'lost'": 1}.get(change, 0)
            assert journal.release(["1"]) == released
            assert len(journal.answers({EntryState.READY})) == released
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {name} CASCADE")
        engine.dispose()
