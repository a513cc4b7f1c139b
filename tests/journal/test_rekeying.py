"""Everything is encrypted by the first key afterwards, wherever it was interrupted, and what was there before is gone
from the file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import Journal
from fhirmap.journal.rekeying import JournalRekeying
from fhirmap.journal.sealing import encryption_key_id
from fhirmap.records import Receipt, ReceiptState
from tests.journal.sending import answer_all, ready

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
ANSWERED = Receipt(ReceiptState.ACCEPTED, "", 200, identifier_value="R-1", body=b"answer-canary" * 9)


def at(folder: Path, clock: Any, *keys: bytes, name: str = "ch-test") -> Journal:
    return Journal.open(folder / "journal.db", name, "associer", exclusive=True, clock=clock, encryption_keys=keys)


def fill(folder: Path, clock: Any, *keys: bytes, name: str = "ch-test", count: int = 20) -> None:
    with at(folder, clock, *keys, name=name) as journal:
        journal.start_run("map")
        journal.put([ready(str(number), f"payload-canary {number} " + "x" * 4000) for number in range(count)])
        for lease in journal.lease(count // 2):
            journal.settle(lease, ANSWERED)


def used(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "journal.db")) as connection:
        rows = connection.execute(
            "SELECT sealed_by FROM fhirmap_payload UNION SELECT sealed_by FROM fhirmap_attempt WHERE length(body) > 0"
        )
        return {name for (name,) in rows}


def test_a_plain_journal_is_encrypted_to_the_last_byte(tmp_path: Path, clock: Any) -> None:
    fill(tmp_path, clock)
    assert b"canary" in (tmp_path / "journal.db").read_bytes()
    with at(tmp_path, clock, NEW) as journal:
        done = journal.rekey()
        assert (done.payloads, done.answers, done.changed, done.locked) == (20, 10, 0, 0)
        for file in tmp_path.iterdir():
            assert b"canary" not in file.read_bytes(), file
        assert journal.verify() == []
        assert journal.verify_audit().breaks == ()
        again = journal.rekey()
        assert (again.payloads, again.answers) == (0, 0)
    assert used(tmp_path) == {encryption_key_id(NEW)}


def test_an_old_key_is_replaced_and_removed(tmp_path: Path, clock: Any) -> None:
    fill(tmp_path, clock, OLD)
    with at(tmp_path, clock, NEW, OLD) as journal:
        journal.rekey()
    with at(tmp_path, clock, NEW) as journal:
        assert journal.verify() == []
        journal.start_run("map")
        assert len(answer_all(journal, ANSWERED)) == 10


def test_it_goes_on_where_it_was_interrupted(tmp_path: Path, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path, clock, OLD, count=1000)
    whole = JournalRekeying._payload_anew
    seen: list[int] = []

    def interrupted(self: JournalRekeying, row: Any) -> Any:
        seen.append(row.id)
        if len(seen) > 600:
            raise KeyboardInterrupt
        return whole(self, row)

    monkeypatch.setattr(JournalRekeying, "_payload_anew", interrupted)
    with at(tmp_path, clock, NEW, OLD) as journal, pytest.raises(KeyboardInterrupt):
        journal.rekey()
    monkeypatch.undo()
    assert used(tmp_path) == {encryption_key_id(NEW), encryption_key_id(OLD)}
    with at(tmp_path, clock, NEW, OLD) as journal:
        assert journal.verify() == []
        assert journal.rekey().payloads == 600
    assert used(tmp_path) == {encryption_key_id(NEW)}


def test_what_cannot_be_opened_is_left_and_counted(tmp_path: Path, clock: Any) -> None:
    fill(tmp_path, clock, OLD)
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute("UPDATE fhirmap_payload SET payload = X'00', sealed_by = '' WHERE entry_id = 3")
        connection.execute("UPDATE fhirmap_attempt SET body = X'00', sealed_by = ? WHERE entry_id = 4 AND event = "
                           "'answered'", (encryption_key_id(NEW),))  # fmt: skip
    with at(tmp_path, clock, NEW) as journal:
        done = journal.rekey()
        assert (done.payloads, done.answers, done.changed, done.locked) == (0, 0, 1, 19 + 9)
        assert done.keys == (encryption_key_id(OLD),)
    with at(tmp_path, clock, NEW, OLD) as journal:
        done = journal.rekey()
        assert (done.payloads, done.answers, done.changed, done.locked) == (19, 9, 1, 0)
        assert {str(one.kind) for one in journal.verify()} == {"payload_changed", "answer_changed"}


def test_other_projects_of_the_journal_are_left_alone(tmp_path: Path, clock: Any) -> None:
    fill(tmp_path, clock, OLD, name="other")
    fill(tmp_path, clock, OLD)
    with at(tmp_path, clock, NEW, OLD) as journal:
        journal.rekey()
    with at(tmp_path, clock, OLD, name="other") as journal:
        assert journal.verify() == []
