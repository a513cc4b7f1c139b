"""What people ask the journal."""

from __future__ import annotations

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.records import Note
from tests.journal.sending import REFUSED, answer_all, ready


def test_status_groups_by_the_receivers_words(journal: Journal) -> None:
    journal.put([ready("1"), ready("2"), Entry("3", EntryState.INVALID, notes=(Note("look"),))])
    answer_all(journal, REFUSED)
    status = journal.status()
    assert status.states == {"refused": 2, "invalid": 1}
    reason = status.reasons[0]
    assert (reason.count, reason.status, reason.words, reason.keys) == (2, 422, "no such operation", ("1", "2"))
