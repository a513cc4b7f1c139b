"""What is final and old goes, to the last byte; what is not, and what keeps a record from being sent twice, stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.journal import Entry, EntryState, Journal, Purged
from fhirmap.journal.purging import PURGED_STATES
from fhirmap.records import Note, Receipt, ReceiptState
from tests.journal.sending import DEFERRED, REFUSED, UNCERTAIN, answer_all, ready, state_of

DAY = 86_400.0


def accepted(identifier: str) -> Receipt:
    return Receipt(ReceiptState.ACCEPTED, "", 200, identifier_value=identifier, body=b"answer-canary")


def everything(journal: Journal, *, is_archived: bool = False, dry_run: bool = False) -> Purged:
    """All that may be purged, a second from now."""
    journal._clock.time += 1  # type: ignore[attr-defined]
    return journal.purge(PURGED_STATES, journal._clock(), is_archived=is_archived, dry_run=dry_run)


def test_no_byte_of_it_is_left_in_the_files(tmp_path: Path, clock: object) -> None:
    path = tmp_path / "purged.db"
    with Journal.open(path, "e", "o", exclusive=True, clock=clock) as journal:  # type: ignore[arg-type]
        journal.start_run()
        journal.put([ready(str(number), f"payload-canary {number} " + "x" * 5000) for number in range(40)])
        noted = Entry("n", EntryState.OUT_OF_SCOPE, notes=(Note("note-canary", "m.map:1:1"),))
        journal.put([noted])
        answer_all(journal, accepted("R-1"))
        done = everything(journal)
        assert (done.records, done.forgotten) == (41, 0)
        assert done.size > 40 * 5000
        for file in tmp_path.iterdir():
            content = file.read_bytes()
            assert b"canary" not in content, file
        assert state_of(journal, "7") == EntryState.ACCEPTED
        assert everything(journal) == Purged()
        assert journal.verify() == []
        assert journal.verify_audit().breaks == ()


def test_what_was_accepted_is_not_sent_again(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    answer_all(journal, accepted("R"))
    everything(journal)
    journal.start_run()
    assert journal.put([ready("1"), ready("2", "changed")]).unchanged == 1
    assert answer_all(journal, accepted("R")) == ["2"]


def test_what_is_not_final_stays(journal: Journal) -> None:
    kept = {
        "deferred": DEFERRED,
        "uncertain": UNCERTAIN,
    }
    for key, receipt in kept.items():
        journal.put([ready(key)])
        for lease in journal.lease(1):
            journal.settle(lease, receipt, is_given_up=True)
    journal.put([ready("withdrawn")])
    for lease in journal.lease(1):
        journal.settle(lease, accepted("R"))
    journal.put([Entry("withdrawn", EntryState.OUT_OF_SCOPE)])
    journal.put([ready("doubt")])
    (lease,) = journal.lease(1)
    journal.settle(lease, UNCERTAIN, is_given_up=True)
    journal.put([ready("doubt", "other")])  # the one in doubt is superseded
    journal.put([ready("sending")])
    for lease in journal.lease(1):
        assert lease.envelope.key == "doubt"
    journal.put([ready("waits")])
    before = {number: journal.payload(number) for number in range(1, 8)}
    assert everything(journal) == Purged()
    assert {number: journal.payload(number) for number in range(1, 8)} == before


def test_what_is_not_archived_stays_where_there_is_an_archive(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    answer_all(journal, accepted("R"))
    journal.archived([journal.to_archive()[0].entry_id])
    assert everything(journal, is_archived=True).records == 1
    assert everything(journal, is_archived=False).records == 1


def test_only_what_is_old_and_of_the_states_named(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    first, second = journal.lease(2)
    journal.settle(first, accepted("R"))
    journal.settle(second, REFUSED)
    now = journal._clock()
    assert journal.purge([EntryState.ACCEPTED], now - DAY, is_archived=False) == Purged()
    assert journal.purge([EntryState.READY, EntryState.SENDING], now + 1, is_archived=False) == Purged()
    assert journal.purge([EntryState.REFUSED], now + 1, is_archived=False).records == 1
    assert journal.payload(1) is not None


def test_a_dry_run_says_the_same_and_deletes_nothing(journal: Journal) -> None:
    journal.put([ready("1", "x" * 1000)])
    answer_all(journal, accepted("R"))
    foreseen = everything(journal, dry_run=True)
    assert foreseen.records == 1
    assert journal.payload(1) is not None
    assert everything(journal) == foreseen


def test_entries_that_never_left_are_deleted_as_a_whole(journal: Journal) -> None:
    journal.put([ready("1", "first"), ready("2")])
    journal.put([ready("1", "second")])
    journal._clock.time += 60  # type: ignore[attr-defined]
    journal.start_run()
    journal.put([ready("1", "second")])
    assert journal.close_reading(1) == 1
    done = everything(journal)
    assert done.forgotten == 3, "the superseded payload of 1, and both entries of 2 or its only one that is gone"
    assert [answer.key for answer in journal.answers()] == ["1"]
    assert journal.verify() == []


@pytest.mark.parametrize("payload", ["a", "b"])
def test_a_purged_record_that_is_sent_again_has_its_payload_again(journal: Journal, payload: str) -> None:
    journal.put([ready("1", "a")])
    for lease in journal.lease(1):
        journal.settle(lease, REFUSED)
    everything(journal)
    journal.release(["1"])
    journal.start_run()
    journal.put([ready("1", payload)])
    assert [lease.envelope.payload for lease in journal.lease(1)] == [payload.encode()]
    assert journal.verify() == []
