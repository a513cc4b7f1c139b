"""The tables hold words, and only the known ones."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from fhirmap.errors import JournalError
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


def test_a_word_that_is_no_state_is_a_damaged_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        journal.put([ready("1")])
    connection = sqlite3.connect(path)
    connection.execute("UPDATE fhirmap_entry SET state = 'lost'")
    connection.commit()
    connection.close()
    with Journal.open(path, "e", "o") as journal, pytest.raises(JournalError, match="FM804"):
        journal.answers()
