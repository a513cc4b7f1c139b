"""A run on a journal in PostgreSQL that is killed for real, at moments that are known: held there by a lock of the
database, or by a receiver that does not answer. FHIRMAP_TEST_POSTGRESQL names a server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sqlalchemy

from tests.cli.conftest import ROWS, Answer, Done, Receiver, Tiny, accepted, in_process, receiver, start, tiny, unfolded

__all__ = ["receiver", "tiny"]

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")
pytestmark = pytest.mark.skipif(not URL, reason="FHIRMAP_TEST_POSTGRESQL names no server")

Receiving = Callable[..., Receiver]


class Database:
    """A database of its own, and what a test does in it beside the runs."""

    def __init__(self, name: str) -> None:
        self.url = sqlalchemy.make_url(URL).set(database=name).render_as_string(hide_password=False)
        self.engine = sqlalchemy.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool)

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def change(self, statement: str) -> None:
        with self.engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def hold(self, table: str) -> sqlalchemy.Connection:
        """No one else writes to ``table`` until the connection is closed."""
        connection = self.engine.connect().execution_options(isolation_level="READ COMMITTED")
        connection.exec_driver_sql(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
        return connection

    def wait_until_somebody_waits(self, process: subprocess.Popen[str]) -> None:
        deadline = time.monotonic() + 60
        waiting = "SELECT 1 FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        while not self.rows(f"{waiting} WHERE d.datname = current_database() AND NOT l.granted"):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def leases_run_out(self) -> None:
        """Half a minute passes."""
        self.change("UPDATE fhirmap_entry SET lease_until = 0 WHERE lease <> ''")


@pytest.fixture
def database() -> Iterator[Database]:
    name = f"kill_{uuid.uuid4().hex[:12]}"
    server = sqlalchemy.create_engine(URL, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    found = Database(name)
    yield found
    found.engine.dispose()
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


@pytest.fixture
def project(tiny: Callable[..., Tiny], database: Database) -> Tiny:
    found: Tiny = tiny().configure(journal=f'url = "{database.url}"')
    assert in_process("check", found.folder).code == 0
    return found


def to(project: Tiny, receiver: Receiver) -> Tiny:
    archive = 'table = "RECU"\ncreate = true\nkey_column = "id"\nvalue_column = "v"'
    sink = f'kind = "fhir-operation"\nurl = "{receiver.url}"\ntimeout_s = 1'  # and so long a lost call is left alone
    limits = "rate_per_s = 500\nconcurrency = 1\nattempts = 1\nbackoff_s = 0"
    return project.to(receiver.url, sink=sink, limits=limits, archive__table=archive)


def kill(process: subprocess.Popen[str], database: Database, *held: sqlalchemy.Connection) -> None:
    """SIGKILL, while the server still waits on what is ``held``; after it the server has noticed."""
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    for lock in held:
        lock.close()
    deadline = time.monotonic() + 30
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while database.rows(f"{others} AND backend_type = 'client backend'"):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def run(project: Tiny) -> Done:
    return in_process("run", project.folder)


def status(project: Tiny) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(in_process("status", project.folder, "--json").out)
    return found


def archived(project: Tiny) -> list[tuple[str, str]]:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(project.data)) as connection:
        return connection.execute("SELECT id, v FROM RECU ORDER BY id").fetchall()


def test_between_reading_and_sending(project: Tiny, database: Database, receiver: Receiving) -> None:
    at = receiver()
    in_process("status", to(project, at).folder)  # makes the tables
    held = database.hold("fhirmap_attempt")
    process = start("run", project.folder)
    database.wait_until_somebody_waits(process)
    kill(process, database, held)
    assert at.received == []
    found = status(project)
    assert (found["states"], found["possible_duplicates"]) == ({"ready": 3}, [])
    assert run(project).code == 0
    assert len(set(at.received)) == len(at.received) == 3, "each once"
    assert len(archived(project)) == 3
    assert run(project).code == 0
    assert len(at.received) == 3


def test_between_sending_and_receipt(project: Tiny, database: Database, receiver: Receiving) -> None:
    arrived, over = threading.Event(), threading.Event()

    def answer(number: int, _body: bytes) -> Answer:
        if number == 2:
            arrived.set()
            over.wait(60)
        return accepted(number)

    at = receiver(answer)
    process = start("run", to(project, at).folder)
    assert arrived.wait(60)
    kill(process, database)
    over.set()
    assert status(project)["states"] == {"accepted": 1, "sending": 1, "ready": 1}

    # The lease of the killed run has not run out: another worker may still have it.
    assert "on its way in another run" in unfolded(in_process("status", project.folder).out)
    database.leases_run_out()
    done = run(project)
    assert done.code == 1
    assert "fhirmap status --in-doubt" in done.out
    assert len(at.received) == 4
    assert at.received.count(at.received[1]) == 2, "sent again, since its answer is not known"
    assert [found["key"] for found in status(project)["possible_duplicates"]] == ["2"]
    assert len(archived(project)) == 3
    assert run(project).code == 1, "somebody has to look"
    assert in_process("acknowledge", "2", "--why", "once only", "--project", project.folder).code == 0
    assert run(project).code == 0
    assert len(at.received) == 4


def test_between_receipt_and_its_settlement(project: Tiny, database: Database, receiver: Receiving) -> None:
    locks: list[sqlalchemy.Connection] = []

    def answer(number: int, _body: bytes) -> Answer:
        if number == 1:
            locks.append(database.hold("fhirmap_attempt"))
        return accepted(number)

    at = receiver(answer)
    process = start("run", to(project, at).folder)
    database.wait_until_somebody_waits(process)
    kill(process, database, locks.pop())
    database.leases_run_out()
    assert run(project).code == 1
    assert len(at.received) == 4
    assert at.received.count(at.received[0]) == 2
    found = status(project)
    assert found["states"] == {"accepted": 3}
    assert [entry["key"] for entry in found["possible_duplicates"]] == ["1"]


def test_what_was_on_its_way_and_is_gone_is_withdrawn(project: Tiny, database: Database, receiver: Receiving) -> None:
    arrived, over = threading.Event(), threading.Event()

    def answer(number: int, _body: bytes) -> Answer:
        if number == 3:
            arrived.set()
            over.wait(60)
        return accepted(number)

    at = receiver(answer)
    process = start("run", to(project, at).folder)
    assert arrived.wait(60)
    kill(process, database)
    over.set()
    project.write([row for row in ROWS if row[0] != "3"])
    database.leases_run_out()
    done = run(project)
    assert done.code == 1, done
    assert len(at.received) == 3, "it is no longer declared"
    found = status(project)
    assert [(entry["key"], entry["cause"]) for entry in found["withdrawn"]] == [("3", "gone")]
    assert found["states"] == {"accepted": 2, "gone": 1}


def test_in_the_middle_of_reading_what_is_gone(project: Tiny, database: Database, receiver: Receiving) -> None:
    at = receiver()
    assert run(to(project, at)).code == 0
    project.write([row for row in ROWS if row[0] != "2"])
    held = database.hold("fhirmap_withdrawal")
    process = start("run", project.folder)
    database.wait_until_somebody_waits(process)
    kill(process, database, held)
    assert status(project)["withdrawn"] == []
    assert run(project).code == 1
    found = status(project)
    assert [(entry["key"], entry["cause"]) for entry in found["withdrawn"]] == [("2", "gone")]
    assert len(at.received) == 3


@pytest.mark.parametrize("now", ["gone", "invalid", "changed"])
def test_what_the_source_says_while_the_lease_of_a_killed_run_goes_on(
    project: Tiny, database: Database, receiver: Receiving, now: str
) -> None:
    arrived, over = threading.Event(), threading.Event()

    def answer(number: int, _body: bytes) -> Answer:
        if number == 3:
            arrived.set()
            over.wait(60)
        return accepted(number)

    at = receiver(answer)
    process = start("run", to(project, at).folder)
    assert arrived.wait(60)
    kill(process, database)
    over.set()
    others: dict[str, list[tuple[str | None, ...]]] = {
        "gone": [],
        "invalid": [("3", "175127511100173", "PETIT", "no date", "L1003")],
        "changed": [("3", "175127511100173", "PETIT", "1975-12-06", "L1003")],
    }
    project.write([*ROWS[:2], *others[now]])
    database.change("UPDATE fhirmap_entry SET lease_until = extract(epoch from now()) + 4 WHERE lease <> ''")
    run(project)  # reads while the lease goes on, and waits for its end
    found = status(project)
    withdrawn = [(entry["key"], entry["cause"]) for entry in found["withdrawn"]]
    assert withdrawn == ([] if now == "changed" else [("3", now)])
    assert [entry["key"] for entry in found["possible_duplicates"]] == ["3"]
    assert len(at.received) == (4 if now == "changed" else 3)
    assert found["states"] == {"accepted": 3} if now == "changed" else {"accepted": 2, now: 1}
