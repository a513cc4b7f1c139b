"""Each rule of a sound journal is looked at, and what breaks it is named without a value."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from fhirmap.journal import Entry, EntryState, FindingKind, Journal
from tests.journal.former import NAME, NUMBERS, OPERATION, make_file
from tests.journal.sending import ACCEPTED, REFUSED, answer_all, ready


@pytest.fixture
def used(journal: Journal) -> Journal:
    """With records in several states, and a run that has ended."""
    journal.put([ready("1", "a"), ready("2", "b"), Entry("3", EntryState.INVALID)])
    answer_all(journal, ACCEPTED)
    journal.put([ready("2", "c"), ready("4", "d")])
    for lease in journal.lease(1):
        journal.settle(lease, REFUSED)
    journal.lease(1)
    journal.put([ready("5", "e")])
    journal.finish_run(0)
    return journal


def test_a_journal_at_work_is_sound(used: Journal) -> None:
    assert used.verify() == []


@pytest.mark.parametrize("number", NUMBERS)
def test_a_migrated_journal_is_sound(tmp_path: Path, number: int) -> None:
    path = make_file(tmp_path / "former.db", number)
    with Journal.open(path, NAME, OPERATION, exclusive=True) as journal:
        assert journal.verify() == []


BROKEN = {
    FindingKind.PAYLOAD_CHANGED: "UPDATE fhirmap_payload SET payload = X'00' WHERE entry_id = 1",
    FindingKind.PAYLOAD_MISSING: "DELETE FROM fhirmap_payload WHERE entry_id = 1",
    FindingKind.KEY_MISSING: "UPDATE fhirmap_payload SET sealed_by = '0123456789abcdef' WHERE entry_id = 1",
    FindingKind.NOT_ONE_CURRENT: "UPDATE fhirmap_entry SET is_current = 1",
    FindingKind.UNKNOWN_WORD: "UPDATE fhirmap_entry SET state = 'lost' WHERE id = 1",
    FindingKind.UNREADABLE_ROW: "UPDATE fhirmap_entry SET key = x'ff00' WHERE id = 1",
    FindingKind.SENDING_UNSENT: "UPDATE fhirmap_entry SET last_attempt = 1 WHERE state = 'sending'",
    FindingKind.ACCEPTED_UNANSWERED: "UPDATE fhirmap_entry SET state = 'accepted' WHERE state = 'ready'",
    FindingKind.UNREADABLE_JSON: "UPDATE fhirmap_entry SET faults = '[{' WHERE id = 1",
    FindingKind.RUN_UNBALANCED: "UPDATE fhirmap_run SET counts = '{\"read\": 9}'",
    FindingKind.IDENTIFIER_LOST: "DELETE FROM fhirmap_identifier WHERE entry_id = 1",
    FindingKind.IDENTIFIER_FOREIGN: "UPDATE fhirmap_identifier SET key = '9'",
    FindingKind.FOREIGN_KEY: "UPDATE fhirmap_identifier SET entry_id = 99",
    FindingKind.SEVERAL_WITHDRAWALS: (
        "INSERT INTO fhirmap_withdrawal (establishment, operation, key, cause, run_id, at) "
        "SELECT establishment, operation, '1', 'gone', 1, 1 FROM fhirmap_entry WHERE id < 3"
    ),
}


def test_each_other_kind_is_broken_here() -> None:
    elsewhere = {FindingKind.DAMAGED_FILE, FindingKind.ANSWER_CHANGED}  # below; of encrypted answers: test_sealing
    assert set(BROKEN) == set(FindingKind) - elsewhere


@pytest.mark.parametrize("kind", list(BROKEN))
def test_what_breaks_a_rule_is_found(used: Journal, tmp_path: Path, kind: FindingKind) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        assert connection.execute(BROKEN[kind]).rowcount > 0
    assert kind in {one.kind for one in used.verify()}


@pytest.mark.parametrize("kind", [FindingKind.PAYLOAD_MISSING, FindingKind.UNKNOWN_WORD])
def test_a_key_that_is_no_text_is_shown(used: Journal, tmp_path: Path, kind: FindingKind) -> None:
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute("UPDATE fhirmap_entry SET key = x'ff00' WHERE id = 1")
        connection.execute(BROKEN[kind])
    assert kind in {one.kind for one in used.verify()}


def test_damaged_pages_are_found(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.put([ready(str(number), os.urandom(300).hex()) for number in range(300)])
    content = bytearray(path.read_bytes())
    assert len(content) > 60 * 4096
    for place in range(50 * 4096, len(content) - 4096, 8192):
        content[place : place + 60] = os.urandom(60)
    path.write_bytes(content)
    looked = Journal.look(path, "e", "o")
    assert looked is not None
    with looked:
        [found] = looked.verify()
    assert found.kind == FindingKind.DAMAGED_FILE


def test_a_key_that_may_be_a_persons_number_is_not_shown(journal: Journal, tmp_path: Path) -> None:
    journal.put([ready("151024610204372", "a")])
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute("DELETE FROM fhirmap_payload")
    [found] = journal.verify()
    assert found.kind == FindingKind.PAYLOAD_MISSING
    assert "151024610204372" not in repr(found)
