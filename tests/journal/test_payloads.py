"""A payload that is not what was put is not sent, is set aside from the others, and put right by the next reading."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from fhirmap.journal import EntryState, Journal
from tests.journal.sending import ACCEPTED, UNCERTAIN, answer_all, ready, state_of


def edit(path: Path, statement: str, *values: object) -> None:
    """As somebody's hand would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0


def flip_a_bit(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        (content,) = connection.execute("SELECT payload FROM fhirmap_payload WHERE entry_id = 2").fetchone()
    changed = bytes([content[0] ^ 1, *content[1:]])
    edit(path, "UPDATE fhirmap_payload SET payload = ? WHERE entry_id = 2", changed)


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a flipped bit": flip_a_bit,
    "an edit": lambda path: edit(path, "UPDATE fhirmap_payload SET payload = X'7B7D' WHERE entry_id = 2"),
    "cut short": lambda path: edit(path, "UPDATE fhirmap_payload SET payload = X'' WHERE entry_id = 2"),
    "text": lambda path: edit(path, "UPDATE fhirmap_payload SET payload = 'payload 2' WHERE entry_id = 2"),
    "another record's": lambda path: edit(
        path, "UPDATE fhirmap_payload SET payload = (SELECT payload FROM fhirmap_payload WHERE entry_id = 1) "
        "WHERE entry_id = 2"
    ),
    "none": lambda path: edit(path, "DELETE FROM fhirmap_payload WHERE entry_id = 2"),
}  # fmt: skip


@pytest.mark.parametrize("damage", list(DAMAGES.values()), ids=list(DAMAGES))
@pytest.mark.parametrize("at_once", [1, 9])
def test_a_changed_payload_is_not_sent_and_the_next_reading_puts_it_right(
    journal: Journal, tmp_path: Path, damage: Callable[[Path], None], at_once: int
) -> None:
    entries = [ready(key, f"payload {key}") for key in ("1", "2", "3")]
    journal.put(entries)
    damage(tmp_path / "journal.db")
    sent = []
    while leases := journal.lease(at_once):
        for lease in leases:
            sent.append((lease.envelope.key, lease.envelope.payload))
            journal.settle(lease, ACCEPTED)
    assert sent == [("1", b"payload 1"), ("3", b"payload 3")]
    answer = journal.answers(keys=["2"])[0]
    assert (answer.state, answer.code, answer.was_settled) == (EntryState.DEFERRED, "FM811", True)
    assert journal.damaged_count() == 1
    assert journal.next_due() is None, "this run does not try it again"
    assert journal.ledger().balanced
    assert [found.key for found in journal.needing_attention() if found.code] == ["2"]
    assert [(reason.code, reason.keys) for reason in journal.status().reasons] == [("FM811", ("2",))]
    assert journal.history("2") == [], "no request left"

    journal.start_run()
    assert journal.lease(9) == [], "as long as nothing reads it, it stays as it is"
    journal.start_run()
    assert journal.put(entries).pending == 1
    assert state_of(journal, "2") == EntryState.READY
    assert journal.damaged_count() == 0
    assert [lease.envelope.payload for lease in journal.lease(9)] == [b"payload 2"]


def test_a_payload_that_is_read_again_before_it_leaves_is_put_right_first(journal: Journal, tmp_path: Path) -> None:
    journal.put([ready("1", "payload 1"), ready("2", "payload 2")])
    flip_a_bit(tmp_path / "journal.db")
    journal.start_run()
    journal.put([ready("2", "payload 2")])
    assert [lease.envelope.payload for lease in journal.lease(9)] == [b"payload 1", b"payload 2"]


def test_a_changed_digest_is_another_payload(journal: Journal, tmp_path: Path) -> None:
    journal.put([ready("1", "payload 1"), ready("2", "payload 2")])
    edit(tmp_path / "journal.db", "UPDATE fhirmap_entry SET digest = ? WHERE id = 2", "0" * 64)
    assert answer_all(journal, ACCEPTED) == ["1"]
    journal.start_run()
    assert journal.put([ready("2", "payload 2")]).ready == 1
    assert answer_all(journal, ACCEPTED) == ["2"]


def test_one_in_doubt_stays_in_doubt(journal: Journal, tmp_path: Path) -> None:
    journal.put([ready("1", "payload 1"), ready("2", "payload 2")])
    assert answer_all(journal, UNCERTAIN) == ["1", "2"]
    flip_a_bit(tmp_path / "journal.db")
    assert answer_all(journal, ACCEPTED) == ["1"]
    answer = journal.answers(keys=["2"])[0]
    assert (answer.state, answer.code, answer.in_doubt) == (EntryState.UNCERTAIN, "FM811", True)
    journal.start_run()
    journal.put([ready("2", "payload 2")])
    assert answer_all(journal, ACCEPTED) == ["2"]


def test_what_is_sent_again_on_purpose_has_its_payload_again(journal: Journal, tmp_path: Path) -> None:
    """As after a purge: an accepted record needs no payload until it is to be sent again."""
    journal.put([ready("1", "first")])
    answer_all(journal, ACCEPTED)
    journal.put([ready("1", "second")])
    answer_all(journal, ACCEPTED)
    edit(tmp_path / "journal.db", "DELETE FROM fhirmap_payload")
    journal.put([ready("1", "first")])
    assert [lease.envelope.payload for lease in journal.lease(9)] == [b"first"]
