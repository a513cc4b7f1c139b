"""What becomes of an entry, from the rows of its key."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from fhirmap.errors import InternalError
from fhirmap.journal import Entry, EntryState, Step
from fhirmap.journal.decision import decide, may_be_held_by_receiver


def row(digest: str, state: EntryState, attempt: int = 0, *, current: bool = True, doubt: bool = False) -> Any:
    return SimpleNamespace(
        id=attempt, digest=digest, state=state, last_attempt=attempt, is_current=current, in_doubt=doubt
    )


def ready(digest: str = "b") -> Entry:
    return Entry("1", EntryState.READY, b"x", digest)


@pytest.mark.parametrize(
    ("rows", "is_same", "resend", "step"),
    [
        ([], True, False, Step.NEW),
        ([row("a", EntryState.READY)], True, False, Step.NEW),
        ([row("b", EntryState.ACCEPTED, 1)], False, False, Step.UNCHANGED),
        ([row("b", EntryState.REFUSED, 1)], False, False, Step.UNCHANGED),
        ([row("b", EntryState.DEFERRED, 1)], False, False, Step.PENDING),
        ([row("a", EntryState.ACCEPTED, 1)], False, False, Step.CHANGED),
        ([row("a", EntryState.ACCEPTED, 1)], True, False, Step.HELD),
        ([row("a", EntryState.ACCEPTED, 1)], True, True, Step.CHANGED),
        ([row("a", EntryState.REFUSED, 1)], True, False, Step.CHANGED),
        ([row("a", EntryState.UNCERTAIN, 1, doubt=True)], True, False, Step.CHANGED),
        # what was sent last counts, not what was accepted once
        ([row("a", EntryState.ACCEPTED, 1, current=False), row("c", EntryState.REFUSED, 2)], True, False, Step.CHANGED),
        # the former payload is back, and only the map brings it
        ([row("b", EntryState.ACCEPTED, 1, current=False), row("a", EntryState.ACCEPTED, 2)], True, False, Step.HELD),
        # not sent yet, whatever was accepted before
        ([row("a", EntryState.ACCEPTED, 1, current=False), row("b", EntryState.READY)], True, False, Step.PENDING),
    ],
)
def test_steps(rows: list[Any], is_same: bool, resend: bool, step: Step) -> None:
    assert decide(ready(), rows, lambda _row, _item: is_same, resend=resend).step == step


def test_a_payload_sent_again_on_purpose_is_another_request() -> None:
    found = decide(ready(), [row("b", EntryState.ACCEPTED, 7)], lambda _row, _item: True, again=True)
    assert (found.step, found.generation) == (Step.CHANGED, 7)


@pytest.mark.parametrize(
    ("rows", "withdraws"),
    [
        ([], False),
        ([row("a", EntryState.REFUSED, 1)], False),
        ([row("a", EntryState.READY)], False),
        ([row("a", EntryState.ACCEPTED, 1)], True),
        ([row("a", EntryState.UNCERTAIN, 1, doubt=True)], True),
        # it was withdrawn before, for the same reason
        ([row("a", EntryState.ACCEPTED, 1, current=False), row("", EntryState.GONE)], False),
        ([row("a", EntryState.ACCEPTED, 1, current=False), row("", EntryState.INVALID)], True),
    ],
)
def test_withdrawals(rows: list[Any], withdraws: bool) -> None:
    found = decide(Entry("1", EntryState.GONE), rows, lambda _row, _item: True)
    assert (found.step, found.withdraws) == (Step.VERDICT, withdraws)


def test_a_record_that_is_declared_again_was_withdrawn() -> None:
    rows = [row("b", EntryState.ACCEPTED, 1, current=False), row("", EntryState.OUT_OF_SCOPE)]
    assert decide(ready(), rows, lambda _row, _item: True).was_withdrawn


def test_an_answer_that_was_lost_counts_as_held_by_the_receiver() -> None:
    assert may_be_held_by_receiver(row("a", EntryState.SUPERSEDED, 1, doubt=True))
    assert not may_be_held_by_receiver(row("a", EntryState.REFUSED, 1, doubt=True))


def test_a_state_that_no_entry_starts_in_is_a_fault_of_ours() -> None:
    with pytest.raises(InternalError, match="FM911"):
        decide(Entry("1", EntryState.ACCEPTED), [], lambda _row, _item: True)
