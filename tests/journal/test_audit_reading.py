"""What is asked of the audit log: compared with what the journal has, and by time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import AuditAct, Journal
from fhirmap.journal.audit_chain import AuditBreak, BreakKind
from tests.journal.former import NAME, OPERATION, make_file
from tests.journal.sending import ACCEPTED, answer_all, ready


def test_a_log_that_was_removed_as_a_whole_is_missed_by_the_runs(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for _ in range(2):
        with Journal.open(path, "e", "o") as journal:
            journal.start_run("map")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f"drop trigger {name}")
        connection.execute("delete from fhirmap_audit")
        connection.execute("delete from fhirmap_audit_chain")
        connection.execute("delete from fhirmap_meta where name = 'audit'")
    found = Journal.look(path, "e", "o")
    assert found is not None
    with found:
        missing = [AuditBreak(BreakKind.RUN_MISSING, None, number) for number in (1, 2)]
        assert list(found.verify_audit().breaks) == missing


def test_a_request_that_the_log_does_not_have_is_missed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.start_run("map")
        journal.put([ready("1"), ready("2")])
        answer_all(journal, ACCEPTED)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(
                "insert into fhirmap_attempt (entry_id, run_id, number, event, at, state, body)"
                " select entry_id, run_id, 2, 'sent', at, state, body from fhirmap_attempt limit 1"
            )
        assert list(journal.verify_audit().breaks) == [AuditBreak(BreakKind.RUN_MISSING, None, 1)]


def test_runs_of_the_time_before_the_log_are_not_missed(tmp_path: Path) -> None:
    with Journal.open(make_file(tmp_path / "journal.db", 5), NAME, OPERATION, exclusive=True) as journal:
        assert journal.start_run("map") > 1
        assert journal.verify_audit().breaks == ()


def test_only_what_was_since(journal: Journal, clock: Any) -> None:
    clock.sleep(60)
    journal.finish_run(0)
    assert [one.act for one in journal.audit_records(clock())] == [AuditAct.RUN_ENDED]
    assert list(journal.audit_records(clock() + 1)) == []


def test_what_looks_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.start_run("map")
    before = path.read_bytes()
    found = Journal.look(path, "e", "o")
    assert found is not None
    with found:
        assert found.verify_audit().breaks == ()
        assert len(list(found.audit_records())) == 2
    assert path.read_bytes() == before


@pytest.mark.parametrize("at", ["'x'", "''", "x'ff00'", "'[1]'", "9e999", "1e300", "-1e300"])
def test_a_damaged_time_costs_its_entry(tmp_path: Path, at: str) -> None:
    damaged(tmp_path, f"at = {at}")


@pytest.mark.parametrize("column", ["chain", "seq", "digest", "act"])
def test_a_damaged_text_costs_its_entry(tmp_path: Path, column: str) -> None:
    damaged(tmp_path, f"{column} = x'ff00'")


def damaged(folder: Path, change: str) -> None:
    with Journal.open(folder / "journal.db", "e", "o") as journal:
        journal.start_run("map")
        with closing(sqlite3.connect(folder / "journal.db", isolation_level=None)) as connection:
            connection.execute("drop trigger fhirmap_audit_no_update")
            connection.execute(f"update fhirmap_audit set {change} where seq = 1")
        left_out: list[bool] = []
        found = [one.seq for one in journal.audit_records(left_out=lambda: left_out.append(True))]
        assert (found, len(left_out)) == ([0], 1)


def test_a_damaged_body_is_left_out_and_found_by_the_verification(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.start_run("map")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("drop trigger fhirmap_audit_no_update")
            connection.execute("update fhirmap_audit set body = '{' where seq = 1")
        assert AuditBreak(BreakKind.EDITED, 1, 1) in journal.verify_audit().breaks
        assert [one.seq for one in journal.audit_records()] == [0]


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("exchanged", '{"run": 1, "sent": [], "answers": [["1"]]}'),
        ("exchanged", '{"run": 1, "sent": {"a": 1}, "answers": []}'),
        ("exchanged", '{"run": 1, "sent": [[1, "r", "d", 1]], "answers": []}'),
        ("lost", '{"run": 1, "records": ["1"]}'),
        ("lost", '{"run": 1}'),
        ("released", '{"keys": 1}'),
        ("released", '{"keys": ["1"], "deep": ' + "[" * 500 + "]" * 500 + "}"),
        ("released", "[" * 100_000),
    ],
)
def test_a_body_of_another_form_is_left_out(tmp_path: Path, act: str, body: str) -> None:
    damaged(tmp_path, f"act = '{act}', body = '{body}'")


LAST_CHAIN_GONE = (
    "delete from fhirmap_audit where chain = (select chain from fhirmap_audit_chain where id = 2)",
    "delete from fhirmap_audit_chain where id = 2",
    "delete from fhirmap_attempt where run_id = 2",
    "delete from fhirmap_run where id = 2",
)
ALL_GONE = (
    "delete from fhirmap_audit",
    "delete from fhirmap_audit_chain",
    "delete from fhirmap_attempt",
    "delete from fhirmap_run",
)
NO_ANCHOR = "delete from fhirmap_meta where name = 'audit'"


@pytest.mark.parametrize("key", [b"", b"key"])
@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (LAST_CHAIN_GONE, AuditBreak(BreakKind.CHAIN_MISSING, 2)),
        ((*LAST_CHAIN_GONE, NO_ANCHOR), AuditBreak(BreakKind.ANCHOR, 2)),
        ((NO_ANCHOR,), AuditBreak(BreakKind.ANCHOR, 3)),
        (("update fhirmap_meta set value = value || 'x' where name = 'audit'",), AuditBreak(BreakKind.ANCHOR, 3)),
        (
            ("update fhirmap_meta set value = '9' || value where name = 'audit'",),
            AuditBreak(BreakKind.CHAIN_MISSING, 3),
        ),
        (("update fhirmap_meta set value = x'ff' where name = 'audit'",), AuditBreak(BreakKind.ANCHOR, 3)),
        (
            ("update fhirmap_audit_chain set id = 9223372036854775807 where id = 2",),
            AuditBreak(BreakKind.CHAIN_MISSING, 2),
        ),
        (("update fhirmap_audit_chain set length = x'ff', head = x'ff' where id = 2",), AuditBreak(BreakKind.SEAL, 2)),
        (ALL_GONE, AuditBreak(BreakKind.CHAIN_MISSING, 1)),
        ((*ALL_GONE, NO_ANCHOR), AuditBreak(BreakKind.RUN_MISSING, None, 1)),
    ],
)
def test_a_later_process_hides_nothing(
    tmp_path: Path, key: bytes, statements: tuple[str, ...], found: AuditBreak
) -> None:
    path = tmp_path / "journal.db"
    for number in range(2):
        with Journal.open(path, "e", "o", audit_key=key) as journal:
            journal.start_run("map")
            journal.put([ready(str(number))])
            answer_all(journal, ACCEPTED)
            assert journal.verify_audit().breaks == ()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f"drop trigger {name}")
        for statement in statements:
            connection.execute(statement)
    looked = Journal.look(path, "e", "o", audit_key=key)
    assert looked is not None
    with looked:
        assert looked.verify_audit().breaks
    for _ in range(2):
        with Journal.open(path, "e", "o", audit_key=key) as journal:
            journal.start_run("map")
            assert found in journal.verify_audit().breaks


def test_a_process_without_the_key_does_not_find_fault_with_the_anchor(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for key in (b"key", b"", b"key"):
        with Journal.open(path, "e", "o", audit_key=key) as journal:
            journal.start_run("map")
    with Journal.open(path, "e", "o", audit_key=b"key") as journal:
        assert {one.kind for one in journal.verify_audit().breaks} == {BreakKind.NOT_KEYED}


@pytest.mark.parametrize("body", ['{"run": [1], "sent": 5}', "[]", '{"run": {}, "sent": null}'])
@pytest.mark.parametrize("act", ["run_started", "exchanged"])
def test_a_body_of_other_types_is_found(tmp_path: Path, act: str, body: str) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.start_run("map")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("drop trigger fhirmap_audit_no_update")
            connection.execute("update fhirmap_audit set act = ?, body = ? where seq = 1", [act, body])
        assert AuditBreak(BreakKind.EDITED, 1, 1) in journal.verify_audit().breaks
