"""Calls of processes that died, and of other workers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import Journal, LeaseAnswer
from tests.journal.sending import ACCEPTED, DEFERRED, ready, state_of


def test_nothing_of_a_key_leaves_while_another_payload_of_it_is_under_way(journal: Journal) -> None:
    journal.put([ready("1", "a"), ready("2", "a")])
    first, other = journal.lease(2)
    journal.put([ready("1", "b")])
    assert journal.lease(5) == []
    journal.exchange([LeaseAnswer(other, ACCEPTED)], 0)
    assert journal.lease(5) == []
    found = journal.exchange([LeaseAnswer(first, ACCEPTED)], 5)
    assert [lease.envelope.payload for lease in found.leases] == [b"b"], "in the transaction that settles the other"


def test_a_call_that_was_lost_is_left_alone_for_as_long_as_it_may_take(tmp_path: Path, clock: Any) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o", clock=clock) as first:
        first.put([ready("1")])
        assert first.lease(1)
        left_at = clock.time
    clock.time += 5
    with Journal.open(path, "e", "o", clock=clock) as second:
        second.start_run()
        assert second.recover(30.0) == 1
        assert second.lease(1) == []
        assert second.next_after_loss(clock.time) == left_at + 30
        clock.time = left_at + 30
        assert [lease.envelope.key for lease in second.lease(1)] == ["1"]


@pytest.mark.parametrize("when", ["before it is known to be lost", "after"])
def test_what_takes_the_place_of_a_lost_payload_waits_as_long(tmp_path: Path, clock: Any, when: str) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o", clock=clock) as first:
        first.put([ready("1", "a")])
        assert first.lease(1)
        left_at = clock.time
        if when != "after":
            first.put([ready("1", "b")])
    with Journal.open(path, "e", "o", clock=clock) as second:
        second.start_run()
        second.recover(30.0)
        second.put([ready("1", "b")])
        assert second.lease(1) == []
        assert second.next_after_loss(clock.time) == left_at + 30
        clock.time = left_at + 30
        assert [lease.envelope.payload for lease in second.lease(1)] == [b"b"]


def test_what_the_receiver_put_off_is_not_waited_for(journal: Journal, clock: Any) -> None:
    journal.put([ready("1")])
    journal.settle(journal.lease(1)[0], DEFERRED, clock.time + 9)
    assert journal.next_after_loss(clock.time) is None
    assert state_of(journal, "1") == "deferred"


def test_a_file_has_no_other_workers(journal: Journal) -> None:
    journal.put([ready("1")])
    leases = journal.lease(1)
    assert not journal.others_under_way()
    assert journal.keep([], 30.0, 30.0) == 0
    assert state_of(journal, "1") == "sending"
    assert journal.keep(leases, 30.0, 30.0) == 0
