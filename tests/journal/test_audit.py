"""What the audit log has: who did what, what left and what came back, in the transaction of what it is about."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhirmap.errors import JournalError
from fhirmap.journal import AuditAct, AuditRecord, Entry, EntryState, Journal
from fhirmap.version import __version__
from tests.journal.former import NAME, OPERATION, make_file
from tests.journal.sending import ACCEPTED, UNCERTAIN, ready


def entries_of(journal: Journal, act: AuditAct) -> list[AuditRecord]:
    return [one for one in journal.audit_records() if one.act == act]


def test_who_where_and_with_what(journal: Journal, clock: Any) -> None:
    first, second = journal.audit_records()
    assert (first.act, first.at) == (AuditAct.OPENED, clock())
    assert (first.body["project"], first.body["target"]) == ("ch-test", "associer")
    assert (first.body["pid"], first.body["version"], first.body["keyed"]) == (os.getpid(), __version__, False)
    assert first.body["user"] and first.body["host"]
    assert (second.act, second.body["run"], second.body["map"]) == (AuditAct.RUN_STARTED, 1, "map")
    assert second.opening == first.body


def test_what_left_and_what_came_back(journal: Journal) -> None:
    journal.put([ready("1", "payload"), ready("2")])
    first, second = journal.lease(2)
    journal.settle(first, replace(ACCEPTED, body=b"<answer>"))
    journal.settle(second, UNCERTAIN)
    left, answer, lost = entries_of(journal, AuditAct.EXCHANGED)
    digest = hashlib.sha256(b"payload").hexdigest()
    request = first.envelope.request_key
    assert left.body["sent"][0] == ["1", request, digest, 1]
    assert [line[0] for line in left.body["sent"]] == ["1", "2"]
    answered = hashlib.sha256(b"<answer>").hexdigest()
    assert answer.body["answers"] == [["1", request, digest, 1, "accepted", 200, "", "urn:s", "R-1", answered]]
    assert lost.body["answers"][0][4:] == ["uncertain", 0, "FM650", "", "", ""]


def test_what_people_do(journal: Journal) -> None:
    journal.put([ready("1")])
    [lease] = journal.lease(1)
    journal.settle(lease, UNCERTAIN)
    assert journal.acknowledge(["1"], "m.durand", "words of a person") == ()
    [one] = entries_of(journal, AuditAct.ACKNOWLEDGED)
    assert one.body == {"keys": ["1"], "by": "m.durand", "why": hashlib.sha256(b"words of a person").hexdigest()}
    assert journal.release(["1"], states=[EntryState.UNCERTAIN]) == 1
    [one] = entries_of(journal, AuditAct.RELEASED)
    assert one.body == {"keys": ["1"], "reason": ""}


def test_a_run_ends_with_its_ledger_and_a_process_that_died_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.start_run("map")
        journal.put([ready("1")])
        journal.lease(1)
    with Journal.open(path, "e", "o") as journal:
        journal.start_run("map")
        journal.recover()
        journal.finish_run(0)
        [lost] = entries_of(journal, AuditAct.LOST)
        assert lost.body["records"] == [["1", 1]]
        [ended] = entries_of(journal, AuditAct.RUN_ENDED)
        assert (ended.body["run"], ended.body["exit_code"], ended.body["counts"]["read"]) == (2, 0, 0)
        assert journal.audit_head == ended.digest


def test_a_key_that_looks_like_a_persons_number_is_hashed(journal: Journal) -> None:
    journal.put([ready("151024610204372")])
    [lease] = journal.lease(1)
    journal.settle(lease, ACCEPTED)
    text = json.dumps([one.body for one in journal.audit_records()])
    assert "15102461" not in text
    assert '"key-' in text


def test_an_entry_is_there_with_what_it_has_of_or_neither_is(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.start_run("map")
        journal.put([ready("1")])
        [lease] = journal.lease(1)
        with sqlite3.connect(path) as other:
            other.execute(
                "create trigger full before insert on fhirmap_audit begin select raise(abort, 'disk full'); end"
            )
        other.close()
        with pytest.raises(JournalError):
            journal.settle(lease, ACCEPTED)
        assert [answer.state for answer in journal.answers()] == [EntryState.SENDING]
        with sqlite3.connect(path) as other:
            other.execute("drop trigger full")
        other.close()
        journal.settle(lease, ACCEPTED)  # in a chain of its own: the former one ended with the failure
        proof = journal.verify_audit()
        assert (proof.breaks, proof.chains) == ((), 2)


def test_projects_that_share_a_journal_have_one_log(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for name in ("north", "south", "north"):
        with Journal.open(path, name, "o") as journal:
            journal.start_run("map")
    with Journal.open(path, "north", "o") as journal:
        assert {one.opening["project"] for one in journal.audit_records()} == {"north"}
        assert journal.verify_audit().chains == 3


def test_a_migration_is_in_it(tmp_path: Path) -> None:
    path = make_file(tmp_path / "journal.db", 4)
    with Journal.open(path, NAME, OPERATION, exclusive=True) as journal:
        [one] = entries_of(journal, AuditAct.MIGRATED)
        assert one.body["found"] == 4
        assert journal.verify_audit().breaks == ()


def test_what_is_put_is_not_in_it(journal: Journal) -> None:
    """What was read is in the ledger of the run: nothing has left."""
    journal.put([ready("1"), Entry("2", EntryState.INVALID)])
    assert [one.act for one in journal.audit_records()] == [AuditAct.OPENED, AuditAct.RUN_STARTED]
