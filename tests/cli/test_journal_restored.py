"""A journal that does not know what was sent: an older copy, a new one in the place of a deleted one. Nothing leaves
until somebody has said what the receiver has."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import ROWS, Done, Receiver, Tiny, in_process

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]
MORE = ("4", "151024610204372", "LEROY", "1951-02-03", "L1004")
TABLE = """\
url = "sqlite:///archive.sqlite"
table = "SENT"
key_column = "id"
value_column = "ref"
state_column = "state"
create = true
"""
ARCHIVES = {"csv": {"archive__csv": 'path = "archive.csv"'}, "table": {"archive__table": TABLE}}


def journal_of(project: Tiny) -> Path:
    return project.folder / "journal.db"


def stopped(done: Done) -> str:
    """Words of FM812, in one line."""
    assert done.code == 3, done
    assert "FM812" in done.out + done.err, done
    return " ".join((done.out + done.err).split())


@pytest.fixture(params=["csv", "table"])
def project(request: pytest.FixtureRequest, tiny: Make, receiver: Receiving) -> tuple[Tiny, Receiver]:
    """With three records sent and archived, and the journal as it was after the first of them, `early.db`."""
    found = receiver()
    made = tiny().to(found.url, **ARCHIVES[request.param]).write(ROWS[:1])
    assert in_process("run", made.folder).code == 0
    shutil.copy(journal_of(made), made.folder / "early.db")
    made.write(ROWS)
    assert in_process("run", made.folder).code == 0
    assert len(found.received) == 3
    return made, found


def identifier_of(project: Tiny, key: str) -> str:
    status = json.loads(in_process("status", project.folder, "--key", key, "--json").out)
    assert status["state"] == "accepted"
    return str(status["identifier_value"])


@pytest.mark.parametrize("with_lock", [True, False])
def test_an_older_copy_in_its_place_sends_nothing_until_it_has_adopted(
    project: tuple[Tiny, Receiver], with_lock: bool
) -> None:
    made, found = project
    identifier = identifier_of(made, "2")
    shutil.copy(made.folder / "early.db", journal_of(made))
    if not with_lock:
        (made.folder / "journal.db.lock").unlink()
    made.write([*ROWS, MORE])
    words = stopped(in_process("run", made.folder))
    assert ("older than the end of the last run" in words) == with_lock
    assert "2 " in words
    stopped(in_process("run", made.folder))
    assert len(found.received) == 3

    assert json.loads(in_process("journal", "adopt", made.folder, "--json").out) == {"adopted": 2}
    done = in_process("run", made.folder)
    assert done.code == 0, done
    assert len(found.received) == 4, "what the archive does not know is sent"
    assert identifier_of(made, "2") == identifier
    assert "found in the archive" in in_process("status", made.folder, "--key", "2").out

    made.write([ROWS[0], ("2", *ROWS[1][1:4], "L2002"), ROWS[2], MORE])
    assert in_process("run", made.folder).code == 0
    assert len(found.received) == 5, "a change of an adopted record is sent"


def test_adopted_records_that_only_the_map_changes_are_held(project: tuple[Tiny, Receiver]) -> None:
    made, found = project
    journal_of(made).unlink()
    stopped(in_process("run", made.folder))
    assert json.loads(in_process("journal", "adopt", made.folder, "--json").out) == {"adopted": 3}
    path = made.folder / "tiny.map"
    path.write_text(path.read_text(encoding="utf-8").replace("p.name = 'lot'", "p.name = 'batch'"), encoding="utf-8")
    done = in_process("run", made.folder)
    assert "held 3" in done.out, done
    assert len(found.received) == 3


def test_a_deleted_journal_sends_nothing_until_it_is_confirmed(project: tuple[Tiny, Receiver]) -> None:
    made, found = project
    for path in made.folder.glob("journal.db*"):
        path.unlink()
    assert "(records: 3)" in stopped(in_process("run", made.folder))
    confirmed = in_process("journal", "confirm", made.folder, "--json")
    assert json.loads(confirmed.out) == {"waiting": 3, "known_to_archive": 3}
    assert in_process("run", made.folder).code == 0
    assert len(found.received) == 6
    status = json.loads(in_process("status", made.folder, "--key", "2", "--json").out)
    assert len(status["identifiers"]) == 2, "the one of the archive, and that of the second time"
    assert in_process("run", made.folder).code == 0


@pytest.mark.parametrize("how", ["older", "deleted"])
def test_without_an_archive_the_file_of_the_lock_says_it(tiny: Make, receiver: Receiving, how: str) -> None:
    found = receiver()
    made = tiny().to(found.url).write(ROWS[:1])
    assert in_process("run", made.folder).code == 0
    early = made.folder / "early.db"
    shutil.copy(journal_of(made), early)
    made.write(ROWS)
    assert in_process("run", made.folder).code == 0
    if how == "older":
        shutil.copy(early, journal_of(made))
    else:
        journal_of(made).unlink()
    words = stopped(in_process("run", made.folder))
    assert "lacks altogether: 1)" in words if how == "older" else "another journal" in words
    assert len(found.received) == 3
    in_process("journal", "adopt", made.folder).reported("FM815", 2, "no archive")
    assert in_process("journal", "confirm", made.folder).code == 0
    assert in_process("run", made.folder).code == 0
    assert len(found.received) == {"older": 5, "deleted": 6}[how]
    assert in_process("run", made.folder).code == 0


def test_each_older_copy_sends_nothing_also_after_another(tiny: Make, receiver: Receiving) -> None:
    found = receiver()
    made = tiny().to(found.url).write(ROWS[:1])
    copies = []
    for count in (1, 2, 3):
        made.write(ROWS[:count])
        assert in_process("run", made.folder).code == 0
        copies.append(shutil.copy(journal_of(made), made.folder / f"copy-{count}.db"))
    for copy in copies[:2]:
        shutil.copy(copy, journal_of(made))
        stopped(in_process("run", made.folder))
    assert len(found.received) == 3
    made.folder.joinpath("journal.db.lock").write_bytes(b"damaged")
    shutil.copy(copies[2], journal_of(made))
    assert "cannot be read" in stopped(in_process("run", made.folder))
    assert len(found.received) == 3


def test_what_others_have_in_the_archive_is_no_alarm(tiny: Make, receiver: Receiving) -> None:
    found = receiver()
    made = tiny().to(found.url, **ARCHIVES["table"])
    with closing(sqlite3.connect(made.folder / "archive.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE SENT (id text primary key, ref text, state text)")
        connection.execute("INSERT INTO SENT VALUES ('900', 'R-900', 'complet'), ('2', NULL, NULL), ('3', '', '')")
    assert in_process("run", made.folder).code == 0
    assert len(found.received) == 3


def test_a_record_that_another_program_declared_stops_the_first_run(tiny: Make, receiver: Receiving) -> None:
    found = receiver()
    made = tiny().to(found.url, **ARCHIVES["table"])
    with closing(sqlite3.connect(made.folder / "archive.sqlite")) as connection, connection:
        connection.execute("CREATE TABLE SENT (id text primary key, ref text, state text)")
        connection.execute("INSERT INTO SENT VALUES ('2', 'OLD-2', 'complet')")
    assert "(records: 1)" in stopped(in_process("run", made.folder))
    assert found.received == []
    assert in_process("journal", "adopt", made.folder).code == 0
    assert in_process("run", made.folder).code == 0
    assert len(found.received) == 2


def test_nothing_to_adopt_before_the_first_run(tiny: Make, receiver: Receiving) -> None:
    made = tiny().to(receiver().url, **ARCHIVES["csv"])
    in_process("journal", "adopt", made.folder).reported("FM815", 2, "no journal")
    in_process("journal", "confirm", made.folder).reported("FM815", 2, "no journal")
    assert json.loads(in_process("journal", "migrate", made.folder, "--json").out) == {"migrated": None}
    assert not journal_of(made).exists()


def test_an_archive_out_of_reach_is_said_and_the_journal_of_the_last_run_goes_on(
    tiny: Make, receiver: Receiving
) -> None:
    found = receiver()
    made = tiny().to(found.url, **ARCHIVES["csv"]).write(ROWS[:1])
    assert in_process("run", made.folder).code == 0
    early = made.folder / "early.db"
    shutil.copy(journal_of(made), early)
    archive = made.folder / "archive.csv"
    archive.unlink()
    archive.mkdir()
    made.write(ROWS[:2])
    done = in_process("run", made.folder)
    assert "FM813" in done.out, done
    assert len(found.received) == 2
    shutil.copy(early, journal_of(made))
    stopped(in_process("run", made.folder))
    assert len(found.received) == 2
