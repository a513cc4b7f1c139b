"""The tables hold words, and only the known ones."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from fhirmap.journal import EntryState, Journal
from tests.journal.sending import ACCEPTED, answer_all, ready


def test_states_are_written_as_words(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.put([ready("1")])
        answer_all(journal, ACCEPTED)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT state, archive FROM fhirmap_entry").fetchall() == [("accepted", "pending")]
    assert connection.execute("SELECT event, state FROM fhirmap_attempt ORDER BY id").fetchall() == [
        ("sent", "sending"),
        ("answered", "accepted"),
    ]
    connection.close()
    with Journal.open(path, "e", "o") as journal:
        assert [answer.state for answer in journal.answers()] == [EntryState.ACCEPTED]


def test_a_word_that_is_no_state_is_one_records(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.put([ready("1"), ready("2")])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE fhirmap_entry SET state = 'lost' WHERE key = '1'")
    connection.commit()
    connection.close()
    with Journal.open(path, "e", "o") as journal:
        found = [(answer.state, answer.code) for answer in journal.answers()]
        assert found == [(EntryState.UNREADABLE, "FM816"), (EntryState.READY, "")]
