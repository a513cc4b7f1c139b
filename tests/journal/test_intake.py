"""What a batch of entries does to those that the journal has."""

from __future__ import annotations

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.records import Fault, Note
from tests.journal.sending import ACCEPTED, REFUSED, answer_all, ready, state_of


def test_the_same_payload_is_not_sent_twice(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    first, second = journal.lease(2)
    journal.settle(first, ACCEPTED)
    journal.settle(second, REFUSED)
    counts = journal.put([ready("1"), ready("2")])
    assert counts.unchanged == 2
    assert journal.lease(5) == []


def test_what_there_is_to_say_of_an_unchanged_record_is_said_anew(journal: Journal) -> None:
    # An edited map has its notes at other lines, has others, or none any more.
    def noted(*notes: Note, faults: tuple[Fault, ...] = ()) -> tuple[tuple[Note, ...], tuple[Fault, ...]]:
        journal.start_run()
        assert journal.put([ready("1")._replace(notes=notes, faults=faults)]).unchanged == 1
        (answer,) = journal.answers()
        return answer.notes, answer.faults

    first, second, warning = Note("a", "m.map:1:1"), Note("b", "m.map:9:1"), Fault("FM520", "warning")
    journal.put([ready("1")._replace(notes=(first,))])
    answer_all(journal, ACCEPTED)
    assert noted(second) == ((second,), ())
    assert noted(second, faults=(warning,)) == ((second,), (warning,))
    assert noted() == ((), ())
    assert state_of(journal, "1") == "accepted"


def test_another_payload_takes_the_place_of_the_former_even_of_an_accepted_one(journal: Journal) -> None:
    journal.put([ready("1", "a"), ready("2", "a")])
    lease = journal.lease(1)[0]
    journal.settle(lease, ACCEPTED)
    journal.put([ready("1", "b"), ready("2", "b")])
    sent = [(lease.envelope.key, lease.envelope.payload) for lease in journal.lease(5)]
    assert sent == [("1", b"b"), ("2", b"b")]


def test_a_payload_that_is_back_after_another_was_sent_is_a_new_request(journal: Journal) -> None:
    keys = []
    for payload in "aba":
        journal.start_run()
        journal.put([ready("1", payload)])
        lease = journal.lease(1)[0]
        keys.append(lease.envelope.request_key)
        journal.settle(lease, ACCEPTED)
    assert len(set(keys)) == 3


def test_a_payload_that_is_back_after_another_that_never_left_is_unchanged(journal: Journal) -> None:
    journal.put([ready("1", "a")])
    answer_all(journal, ACCEPTED)
    journal.start_run()
    journal.put([ready("1", "b")])
    journal.start_run()
    assert journal.put([ready("1", "a")]).unchanged == 1
    assert journal.lease(5) == []
    assert state_of(journal, "1") == "accepted"


def test_a_record_that_became_invalid_is_not_sent_and_comes_back_when_it_is_corrected(journal: Journal) -> None:
    journal.put([ready("1")])
    journal.start_run()
    journal.put([Entry("1", EntryState.INVALID, faults=(Fault("FM500"),))])
    assert journal.lease(5) == []
    journal.start_run()
    journal.put([ready("1")])
    assert answer_all(journal, ACCEPTED) == ["1"]


def test_checkpoints_are_kept_with_the_batch(journal: Journal) -> None:
    assert journal.checkpoint("INTERVENTION") is None
    journal.put([ready("1")], {"INTERVENTION": "2025-03-15"})
    journal.put([], {"INTERVENTION": "2025-03-16"})
    assert journal.checkpoint("INTERVENTION") == "2025-03-16"
