"""Each column of each table of the journal holds what it cannot hold: every command goes on with the other rows, says
which records it is about, and the registry gets nothing twice."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from fhirmap.journal.schema import metadata
from tests.cli.conftest import NIR, Done, Receiver, Tiny, accepted, in_process, outcome

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]
Row = tuple[str | None, ...]

GARBAGE = ("X'FF00'", "CAST(X'41FF' AS TEXT)", "'soon'", "-1", "1.5", "1e300", "9e999", "4611686018427387904000")
OF_RECORDS = {
    "fhirmap_entry": "id",
    "fhirmap_payload": "entry_id",
    "fhirmap_attempt": "entry_id",
    "fhirmap_identifier": "entry_id",
    "fhirmap_withdrawal": "key",
}
WHOSE = {"id", "entry_id", "establishment", "operation", "key"}
"""What says which row it is, and whose: damaged in a test of its own."""
CELLS = [
    (name, column.name, garbage)
    for name in OF_RECORDS
    for column in metadata.tables[name].columns
    if column.name not in WHOSE
    for garbage in GARBAGE
]


def rows_of(count: int) -> list[Row]:
    return [(str(number), NIR, f"NAME{number}", "1951-02-03", f"L{number}") for number in range(1, count + 1)]


def ran(*arguments: str | Path) -> Done:
    """A command that did its work, whatever it found."""
    done = in_process(*arguments)
    assert done.code in (0, 1), (arguments, done)
    assert "Traceback" not in done.out + done.err
    return done


def everything_goes_on(folder: Path, key: str) -> None:
    ran("status", folder)
    ran("status", folder, "--json")
    ran("status", folder, "--records")
    ran("status", folder, "--records", "--json")
    ran("status", folder, "--withdrawn")
    ran("status", folder, "--in-doubt")
    ran("status", folder, "--key", key)
    ran("status", folder, "--key", key, "--json")
    ran("metrics", folder)
    ran("plan", folder)
    ran("report", folder)
    ran("audit", "verify", folder)
    ran("audit", "export", folder)
    ran("audit", "export", folder, "--format", "fhir")
    ran("retry", folder, "--refused", "--reason", "no such words")
    ran("journal", "confirm", folder)
    ran("journal", "adopt", folder)
    ran("journal", "purge", folder, "--state", "accepted", "--older-than", "400d")
    ran("journal", "backup", folder.parent / "copy.db", folder, "--overwrite")


def test_each_cell_of_a_records_rows_costs_its_own_record(tiny: Make, receiver: Receiving) -> None:
    found = receiver(lambda number, _: outcome(422, "no") if number % 7 == 0 else accepted(number))
    rows = rows_of(len(CELLS) + 3)
    project = tiny().to(
        found.url,
        archive__csv='path = "archive.csv"',
        source='url = "sqlite:///stays.sqlite"\nleast_share = 0',
        limits="rate_per_s = 100000\nattempts = 1\nbackoff_s = 0\nconcurrency = 8",
    )
    assert in_process("run", project.write(rows).folder).code == 1
    withdrawn = [str(n) for n, (table, _, _) in enumerate(CELLS, 1) if table == "fhirmap_withdrawal"]
    assert in_process("run", project.write([row for row in rows if row[0] not in withdrawn]).folder).code == 1
    before = Counter(found.received)
    with closing(sqlite3.connect(project.folder / "journal.db")) as journal:
        journal.execute("PRAGMA foreign_keys=ON")
        for number, (table, column, garbage) in enumerate(CELLS, 1):
            row = f"(SELECT id FROM fhirmap_entry WHERE key = '{number}')" if OF_RECORDS[table] != "key" else number
            with journal:
                journal.execute(f'UPDATE {table} SET "{column}" = {garbage} WHERE {OF_RECORDS[table]} = {row}')
    everything_goes_on(project.folder, "1")
    project.write([row for row in rows_of(len(CELLS) + 4) if row[0] not in withdrawn])
    done = ran("run", project.folder)
    assert (done.code, "FM816" in done.out) == (1, True), done
    again = Counter(found.received) - before
    assert sum(again.values()) == 1, "what is new is sent, and nothing else"
    for number, (table, column, garbage) in enumerate(CELLS, 1):
        if number % 10 == 0:
            ran("status", project.folder, "--key", str(number)), (table, column, garbage)
    findings = json.loads(in_process("journal", "verify", project.folder, "--json").out)["findings"]
    assert {"unreadable_row", "unknown_word"} <= {one["kind"] for one in findings}
    everything_goes_on(project.folder, "2")


OF_THE_REST = ("fhirmap_run", "fhirmap_checkpoint", "fhirmap_turn", "fhirmap_layout", "fhirmap_audit_chain")
OF_EACH_KIND = ("X'FF00'", "CAST(X'41FF' AS TEXT)", "9e999", "''", "NULL", "9223372036854775807")


def five_were_sent(tiny: Make, url: str) -> Tiny:
    """Also one that was withdrawn, and two runs; each table has a row."""
    project = tiny().to(
        url, archive__csv='path = "archive.csv"', source='url = "sqlite:///stays.sqlite"\nleast_share = 0'
    )
    project.write(rows_of(5))
    assert in_process("run", project.folder).code == 0
    assert in_process("run", project.write(rows_of(4)).folder).code == 1
    with closing(sqlite3.connect(project.folder / "journal.db")) as journal, journal:
        journal.execute("INSERT INTO fhirmap_turn VALUES ('receiver', 'key', 1.0)")
        journal.execute("INSERT OR IGNORE INTO fhirmap_checkpoint VALUES ('tiny', 'o', 'name', 'value', 1.0)")
        empty = [name for name in metadata.tables if not journal.execute(f"SELECT count(*) FROM {name}").fetchone()[0]]
        assert empty == []
    return project


def damage(project: Tiny, *changes: str) -> None:
    """Changes that a table's own rules would not let through, as a disk makes them."""
    with closing(sqlite3.connect(project.folder / "journal.db", isolation_level=None)) as journal:
        for (name,) in journal.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            journal.execute(f"DROP TRIGGER {name}")
        journal.execute("PRAGMA writable_schema = ON")
        journal.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', '') WHERE type = 'table'")
        journal.execute("PRAGMA writable_schema = RESET")
        for change in changes:
            journal.execute(change)


@pytest.mark.parametrize("garbage", OF_EACH_KIND)
def test_the_rest_of_the_tables_stops_nothing(tiny: Make, receiver: Receiving, garbage: str) -> None:
    found = receiver()
    project = five_were_sent(tiny, found.url)
    of_log = metadata.tables["fhirmap_audit"].columns
    changes = [
        f"UPDATE fhirmap_audit SET {column.name} = {garbage} WHERE rowid = {number}"
        for number, column in enumerate(of_log, 1)
    ]
    for name in OF_THE_REST:
        numbered = {column.name for column in metadata.tables[name].primary_key if column.name == "id"}
        changed = [column.name for column in metadata.tables[name].columns if column.name not in numbered]
        first = f"(SELECT max(rowid) FROM {name})"
        changes.append(f"UPDATE {name} SET {', '.join(f'{one} = {garbage}' for one in changed)} WHERE rowid = {first}")
    changes.append(f"UPDATE fhirmap_meta SET value = {garbage} WHERE name <> 'version'")
    damage(project, *changes)
    goes_on_without_sending_again(project, found)


@pytest.mark.parametrize("garbage", ["CAST(X'41FF' AS TEXT)", "NULL", "9223372036854775807"])
@pytest.mark.parametrize("column", ["entry_id", "establishment", "key"])
def test_a_row_that_says_no_more_whose_it_is_stops_nothing(
    tiny: Make, receiver: Receiving, garbage: str, column: str
) -> None:
    found = receiver()
    project = five_were_sent(tiny, found.url)
    number = "(SELECT id FROM fhirmap_entry WHERE key = '2')"
    changes = []
    for name, whose in reversed(OF_RECORDS.items()):
        if column in metadata.tables[name].columns and not metadata.tables[name].columns[column].primary_key:
            of_two = f"{whose} = {number}" if whose != "key" else "key = '5'"
            changes.append(f"UPDATE OR IGNORE {name} SET {column} = {garbage} WHERE {of_two}")
    damage(project, *changes)
    goes_on_without_sending_again(project, found, b"NAME2")


@pytest.mark.parametrize(
    "name", ["fhirmap_run", "fhirmap_audit_chain", *[n for n in OF_RECORDS if n != "fhirmap_payload"]]
)
def test_a_row_of_the_highest_number_is_not_counted_on_from(tiny: Make, receiver: Receiving, name: str) -> None:
    found = receiver()
    project = five_were_sent(tiny, found.url)
    damage(project, f"UPDATE {name} SET id = 9223372036854775807 WHERE rowid = (SELECT max(rowid) FROM {name})")
    goes_on_without_sending_again(project, found, b"NAME4")


def goes_on_without_sending_again(project: Tiny, found: Receiver, *unless: bytes) -> None:
    """``unless``: names of the record whose own row is damaged, which may be sent again."""
    before = Counter(found.received)
    everything_goes_on(project.folder, "1")
    ran("doctor", project.folder)
    project.write([*rows_of(4), *rows_of(6)[5:]])
    done = in_process("run", project.folder)
    assert done.code in ((0, 1, 3) if unless else (0, 1)), done
    ran("journal", "verify", project.folder)
    ran("journal", "confirm", project.folder)
    ran("run", project.folder)
    again = [body for body in (Counter(found.received) - before).elements() if b"NAME" in body]
    others = [body for body in again if not any(name in body for name in unless)]
    assert [b"NAME6" in body for body in others] == [True], "what is new is sent, and nothing else"
    everything_goes_on(project.folder, "1")
