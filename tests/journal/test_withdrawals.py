"""What was accepted and is not declared any more: opened, kept, acknowledged, ended. On SQLite, and on PostgreSQL where
FHIRMAP_TEST_POSTGRESQL names a server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import Entry, EntryState, Journal, ReadValues, WithdrawalCause
from fhirmap.records import Receipt, ReceiptState
from tests.journal.sending import DEFERRED, REFUSED, UNCERTAIN, answer_all, digest_of, ready

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")
PLACES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.skipif(not URL, reason="no PostgreSQL named"))]
GONE, INVALID, OUT = EntryState.GONE, EntryState.INVALID, EntryState.OUT_OF_SCOPE


@pytest.fixture(params=PLACES)
def kept(request: pytest.FixtureRequest, tmp_path: Path, clock: Any) -> Iterator[Journal]:
    place = tmp_path / "journal.db" if request.param == "sqlite" else URL
    with Journal.open(place, f"test-{uuid.uuid4().hex}", "op", exclusive=True, clock=clock) as journal:
        yield journal


def accepted(value: str) -> Receipt:
    return Receipt(ReceiptState.ACCEPTED, "", 200, identifier_system="urn:s", identifier_value=value)


def reading(journal: Journal, *entries: Entry, receipt: Receipt | None = None, complete: bool = True) -> None:
    """A run: what the source holds, then the answers. An identifier is made of key and time."""
    journal._clock.time += 100  # type: ignore[attr-defined]
    journal.start_run()
    counts = journal.put(entries)
    if complete:
        journal.close_reading(counts.read)
    for lease in journal.lease(100):
        journal.settle(lease, receipt or accepted(f"R-{lease.envelope.key}-{lease.envelope.payload.decode()}"))


def waiting(journal: Journal) -> list[tuple[str, str]]:
    return [(entry.key, entry.cause) for entry in journal.withdrawals()]


def test_gone_invalid_and_out_of_scope_are_withdrawn_with_their_identifiers(kept: Journal) -> None:
    reading(kept, ready("1"), ready("2"), ready("3"), ready("4"))
    reading(kept, ready("1"), Entry("2", INVALID), Entry("3", OUT))
    assert waiting(kept) == [("2", INVALID), ("3", OUT), ("4", GONE)]
    assert [entry.identifiers[0].value for entry in kept.withdrawals()] == ["R-2-a", "R-3-a", "R-4-a"]
    assert all(entry.is_new for entry in kept.withdrawals())
    reading(kept, ready("1"), Entry("2", INVALID), Entry("3", OUT))
    assert waiting(kept) == [("2", INVALID), ("3", OUT), ("4", GONE)], "they wait until somebody acknowledges them"
    assert not any(entry.is_new for entry in kept.withdrawals())


def test_what_was_never_accepted_is_not_withdrawn(kept: Journal) -> None:
    reading(kept, ready("1"), receipt=REFUSED)
    reading(kept, Entry("2", INVALID))
    reading(kept)
    assert waiting(kept) == []
    assert kept.status().states == {GONE: 2}


def test_what_may_have_been_taken_is_withdrawn_without_an_identifier(kept: Journal) -> None:
    reading(kept, ready("1"), receipt=UNCERTAIN)
    reading(kept)
    assert waiting(kept) == [("1", GONE)]
    assert kept.withdrawals()[0].identifiers == ()


def test_what_is_gone_before_it_was_sent_is_not_sent(kept: Journal) -> None:
    reading(kept, ready("1"), receipt=DEFERRED)
    reading(kept)
    assert kept.lease(5) == []
    reading(kept, ready("1"))
    assert [one.value for one in kept.identifiers("1")] == ["R-1-a"]


def test_a_partial_reading_says_nothing_of_what_it_does_not_hold(kept: Journal) -> None:
    reading(kept, ready("1"), ready("2"))
    reading(kept, ready("1"), complete=False)
    assert waiting(kept) == []


def test_a_record_that_is_back_is_not_withdrawn_and_not_sent_again(kept: Journal) -> None:
    reading(kept, ready("1"))
    reading(kept)
    reading(kept, ready("1"))
    assert waiting(kept) == []
    assert kept.answers()[0].state == EntryState.ACCEPTED
    assert kept.withdrawals(["1"])[0].ended_at is not None
    assert len(kept.history("1")) == 2, "sent once"


def test_a_record_that_is_back_changed_is_sent_and_keeps_both_identifiers(kept: Journal) -> None:
    reading(kept, ready("1", "a"))
    reading(kept)
    reading(kept, ready("1", "b"))
    assert waiting(kept) == []
    assert [one.value for one in kept.identifiers("1")] == ["R-1-a", "R-1-b"]
    reading(kept)
    assert [one.value for one in kept.withdrawals()[0].identifiers] == ["R-1-a", "R-1-b"]


def test_acknowledged_is_over_until_it_is_another_matter(kept: Journal) -> None:
    reading(kept, ready("1"), ready("2"))
    reading(kept, Entry("1", OUT), Entry("2", INVALID))
    assert kept.acknowledge(["1", "2"], "ana", "asked the registry") == ()
    assert waiting(kept) == []
    reading(kept)
    assert waiting(kept) == [("2", GONE)], "one was no longer declared before; the other was to be corrected"
    found = kept.withdrawals(["1"])
    assert [(entry.acknowledged_by, entry.why, entry.ended_at) for entry in found] == [
        ("ana", "asked the registry", None)
    ]


def test_nothing_is_acknowledged_where_one_of_the_keys_does_not_wait(kept: Journal) -> None:
    reading(kept, ready("1"), ready("2"))
    reading(kept, ready("2"))
    assert kept.acknowledge(["1", "2"], "ana", "x") == ("2",)
    assert waiting(kept) == [("1", GONE)]
    assert kept.acknowledge(["1"], "ana", "x") == ()
    assert kept.acknowledge(["1"], "ana", "x") == ("1",)


def test_back_after_it_was_acknowledged_is_for_somebody_to_decide(kept: Journal) -> None:
    reading(kept, ready("1"))
    reading(kept)
    kept.acknowledge(["1"], "ana", "removed")
    reading(kept, ready("1"))
    assert waiting(kept) == [("1", WithdrawalCause.RETURNED)]
    reading(kept, ready("1"))
    assert waiting(kept) == [("1", WithdrawalCause.RETURNED)]
    kept.start_run(resend=True)
    kept.put([ready("1")])
    assert answer_all(kept, accepted("R-again")) == ["1"]
    assert waiting(kept) == []
    assert [one.value for one in kept.identifiers("1")] == ["R-1-a", "R-again"]


def test_older_revisions_alone_are_superseded(kept: Journal) -> None:
    reading(kept, ready("1"))
    reading(kept, Entry("1", EntryState.SUPERSEDED))
    assert waiting(kept) == [("1", WithdrawalCause.SUPERSEDED)]


def test_an_answer_after_the_source_gave_up_is_withdrawn_too(kept: Journal) -> None:
    kept.start_run()
    kept.put([ready("1")])
    lease = kept.lease(1)[0]
    kept._clock.time += 100  # type: ignore[attr-defined]
    kept.start_run()
    kept.close_reading(0)
    kept.settle(lease, accepted("R-1"))
    assert waiting(kept) == [("1", GONE)]
    assert [one.value for one in kept.withdrawals()[0].identifiers] == ["R-1"]


def test_one_identifier_for_two_records_is_found(kept: Journal) -> None:
    reading(kept, ready("1"), ready("2"), ready("3"), receipt=accepted("R"))
    assert [(one.value, one.keys) for one in kept.shared_identifiers(of_this_run=True)] == [("R", ("1", "2", "3"))]
    kept.start_run()
    assert kept.shared_identifiers(of_this_run=True) == ()
    assert len(kept.status().shared_identifiers) == 1


def test_a_reading_of_another_source_says_nothing_of_this_one(kept: Journal) -> None:
    reading(kept, ready("1"), ready("2"))
    kept._clock.time += 100  # type: ignore[attr-defined]
    kept.start_run(source="other")
    kept.put([ready("9")])
    assert kept.last_complete() is None
    kept.close_reading(1)
    assert waiting(kept) == []
    kept._clock.time += 100  # type: ignore[attr-defined]
    kept.start_run()
    assert kept.last_complete() == 2
    kept.put([ready("1"), ready("2")])
    assert kept.close_reading(2) == 0, "9 is the other source's"


def test_held_is_counted_and_ends_where_the_map_is_as_before(kept: Journal) -> None:
    read = ReadValues("same", "l", ("x",), lambda: b"1234")
    for payload, held in (("a", 0), ("b", 1), ("b", 1), ("a", 0)):
        kept.start_run()
        kept.put([Entry("1", EntryState.READY, payload.encode(), digest_of(payload.encode()), read=read)])
        assert kept.ledger().held == kept.status().held == held
        assert kept.held_keys(5) == ("1",) * held
        answer_all(kept, accepted("R"))
        assert kept.ledger().balanced
    assert len(kept.history("1")) == 2
