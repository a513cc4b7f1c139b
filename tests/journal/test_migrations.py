"""From each earlier version to this one: everything is there afterwards, the tables are those of a new journal, and a
run goes on."""

from __future__ import annotations

import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.journal.migrations import STEPS
from fhirmap.journal.schema import VERSION, metadata
from fhirmap.journal.upgrade import upgrade_file, upgrade_server
from tests.journal.former import NAME, NUMBERS, OPERATION, content, make_file, make_on_server
from tests.journal.sending import ACCEPTED, digest_of

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")
EARLIER = [number for number in NUMBERS if number < VERSION]


def test_there_is_a_step_from_each_version_and_a_journal_of_it() -> None:
    assert len(STEPS) == VERSION - 1
    assert list(range(1, VERSION)) == EARLIER


@pytest.fixture(params=["file", "server"])
def former(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[int], str]]:
    """``former(n)``: the place of a journal of version n, migrated."""
    if request.param == "file":

        def in_file(number: int) -> str:
            path = make_file(tmp_path / "journal.db", number)
            assert upgrade_file(path, lambda: 0.0) is not None
            return str(path)

        yield in_file
        return
    if not URL:
        pytest.skip("FHIRMAP_TEST_POSTGRESQL names no server")
    engine = sa.create_engine(URL)
    name = f"former_{uuid.uuid4().hex}"
    url = f"{URL}?options=-csearch_path%3D{name}"

    def on_server(number: int) -> str:
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE SCHEMA {name}")
            connection.exec_driver_sql(f"SET LOCAL search_path TO {name}")
            make_on_server(connection, number)
        assert upgrade_server(url, lambda: 3_000_000_000.0) is not None
        return url

    yield on_server
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")
    engine.dispose()


@pytest.mark.parametrize("number", EARLIER)
def test_everything_is_there_and_a_run_goes_on(former: Callable[[int], str], number: int) -> None:
    place = former(number)
    rows = content(number)["rows"]
    names, *entries = rows["fhirmap_entry"]
    before = [dict(zip(names, entry, strict=True)) for entry in entries]
    with Journal.open(place, NAME, OPERATION, clock=lambda: 3_000_000_000.0, exclusive=True) as journal:
        assert journal.migration is None, "once is enough"
        after = {answer.key: answer for answer in journal.answers()}
        assert {key: str(answer.state) for key, answer in after.items()} == {
            entry["key"]: entry["state"] for entry in before if entry["is_current"]
        }
        assert after["accepted-1"].identifier_value == "R-1"
        assert after["refused"].issues[0].diagnostics == "no such operation"
        assert [one.value for one in journal.identifiers("changed")] == ["R-3", "R-4"]
        assert [shared.keys for shared in journal.shared_identifiers()] == [("accepted-2", "shared")]
        assert len(journal.history("changed")) == 4
        assert {found.key for found in journal.to_archive()} == {"accepted-2", "shared", "without", "changed"}
        assert journal.checkpoint("position") == "12"
        last = journal.last_run()
        assert last is not None and (last.run_id, last.finished_at) == (2, None)
        _goes_on(journal)


def _goes_on(journal: Journal) -> None:
    number = journal.start_run("map-digest")
    assert number > 2
    assert journal.recover() == 1
    counts = journal.put([Entry("new", EntryState.READY, b"{}", digest_of(b"{}"), "750100018")])
    assert counts.ready == 1
    sent: dict[str, bytes] = {}
    while leases := journal.lease(10):
        for lease in leases:
            sent[lease.envelope.key] = lease.envelope.payload
            journal.settle(lease, ACCEPTED)
    assert set(sent) == {"new", "waits", "lost", "deferred", "uncertain"}
    assert b'"key": "waits"' in sent["waits"]
    assert journal.close_reading(1) == 13, "all that the source does not hold any more"
    assert len(journal.withdrawals()) == 9


@pytest.mark.parametrize("number", EARLIER)
def test_the_tables_are_those_of_a_new_journal(former: Callable[[int], str], number: int, tmp_path: Path) -> None:
    place = former(number)
    made = sa.create_engine(place if "://" in place else f"sqlite:///{place}")
    new = tmp_path / "new.db"
    Journal.open(new, NAME, OPERATION).close()
    fresh = made if "://" in place else sa.create_engine(f"sqlite:///{new}")
    if "://" in place:
        with made.begin() as connection:
            found = _tables(sa.inspect(connection))
            metadata.drop_all(connection)
        with made.begin() as connection:
            metadata.create_all(connection)
            assert found == _tables(sa.inspect(connection))
    else:
        assert _tables(sa.inspect(made)) == _tables(sa.inspect(fresh))
    fresh.dispose()
    made.dispose()


_NEEDS_NO_DEFAULT = {("fhirmap_entry", "read_parts")}
"""Columns that a step gave a default, so that rows that were there have a value: every row that is written says it."""


def _tables(inspector: sa.Inspector) -> dict[str, Any]:
    return {
        name: {
            "columns": {
                (column["name"], str(column["type"]), column["nullable"], _default(name, column))
                for column in inspector.get_columns(name)
            },
            "key": inspector.get_pk_constraint(name)["constrained_columns"],
            "unique": [found["column_names"] for found in inspector.get_unique_constraints(name)],
            "indexes": {
                (index["name"], tuple(index["column_names"]), bool(index["unique"]))
                for index in inspector.get_indexes(name)
            },
            "foreign": [
                (key["constrained_columns"], key["referred_table"]) for key in inspector.get_foreign_keys(name)
            ],
        }
        for name in inspector.get_table_names()
        if name.startswith("fhirmap_")
    }


def _default(table: str, column: Any) -> str:
    if (table, column["name"]) in _NEEDS_NO_DEFAULT:
        return ""
    return str(column["default"] or "").strip("'").partition("::")[0].strip("'").replace("nextval(", "")


@pytest.mark.parametrize("number", EARLIER)
def test_a_migrated_file_is_sound(tmp_path: Path, number: int) -> None:
    path = make_file(tmp_path / "journal.db", number)
    upgrade_file(path, lambda: 0.0)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        assert "fhirmap_being_migrated" not in names
