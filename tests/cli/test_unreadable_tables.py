"""Each column of each table of the journal holds what it cannot hold: every command goes on with the other rows, says
which records it is about, and the registry gets nothing twice."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

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
NOT_TRIED = {"id", "entry_id", "establishment", "operation", "key"}
"""Numbers of rows are always numbers; what says whose a row is, is damaged in a test of its own."""
CELLS = [
    (name, column.name, garbage)
    for name in OF_RECORDS
    for column in metadata.tables[name].columns
    if column.name not in NOT_TRIED
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
