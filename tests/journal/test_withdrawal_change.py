"""What becomes of a withdrawal: case by case, and whatever a source does from day to day, a plan foresees the run."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from fhirmap.journal import Entry, EntryState, Journal, ReadValues, WithdrawalCause
from fhirmap.journal.withdrawal_change import declared_again, withdrawn
from fhirmap.records import Receipt, ReceiptState
from tests.journal.sending import REFUSED, UNCERTAIN, digest_of

GONE, INVALID, OUT, RETURNED = (
    WithdrawalCause.GONE,
    WithdrawalCause.INVALID,
    WithdrawalCause.OUT_OF_SCOPE,
    WithdrawalCause.RETURNED,
)


def opened(cause: WithdrawalCause, *, acknowledged: bool = False) -> Any:
    return SimpleNamespace(cause=cause, acknowledged_at=1.0 if acknowledged else None)


@pytest.mark.parametrize(
    ("before", "cause", "is_new", "ends"),
    [
        (None, GONE, True, False),
        (opened(GONE), GONE, False, False),
        (opened(OUT), GONE, False, False),
        (opened(INVALID), GONE, True, True),
        (opened(GONE), INVALID, True, True),
        (opened(RETURNED), INVALID, True, True),
        (opened(INVALID, acknowledged=True), INVALID, False, False),
    ],
)
def test_withdrawn(before: Any, cause: WithdrawalCause, is_new: bool, ends: bool) -> None:
    found = withdrawn("1", before, cause, by_map=True)
    assert (found.cause, found.is_new, found.ends, found.by_map) == (cause, is_new, ends, True)


@pytest.mark.parametrize(
    ("before", "is_sent", "cause", "ends"),
    [
        (None, False, None, False),
        (opened(GONE), False, None, True),
        (opened(GONE), True, None, True),
        (opened(GONE, acknowledged=True), True, None, True),
        (opened(GONE, acknowledged=True), False, RETURNED, True),
        (opened(RETURNED), False, RETURNED, False),
        (opened(RETURNED, acknowledged=True), False, RETURNED, False),
        (opened(RETURNED), True, None, True),
    ],
)
def test_declared_again(before: Any, is_sent: bool, cause: WithdrawalCause | None, ends: bool) -> None:
    found = declared_again("1", before, is_sent=is_sent)
    assert (found.cause, found.ends) == (cause, ends)


def _entry(chance: random.Random, key: str) -> Entry:
    state = chance.choice([EntryState.READY] * 3 + [EntryState.INVALID, EntryState.OUT_OF_SCOPE, EntryState.SUPERSEDED])
    read = ReadValues(chance.choice("xy"), "l", ("c",), lambda: b"1234")
    payload = chance.choice("ab") if state == EntryState.READY else ""
    return Entry(key, state, payload.encode(), payload and digest_of(payload.encode()), read=read)


def _shown(journal: Journal, foreseen: bool, entries: list[Entry]) -> list[tuple[Any, ...]]:
    if foreseen:
        journal.begin(source="", resend=False)
        expected = journal.foreseen()
        journal.decisions(entries, expected)
        left = set(journal.current_keys()) - {entry.key for entry in entries if entry.state != EntryState.SUPERSEDED}
        journal.decisions([Entry(key, EntryState.GONE) for key in left], expected)
        found = expected.waiting()
    else:
        journal.start_run()
        journal.close_reading(journal.put(entries).read)
        found = journal.withdrawals()
    return sorted((one.key, one.cause, one.is_new, one.by_map) for one in found)


def test_a_plan_foresees_each_run(tmp_path: Path, clock: Any) -> None:
    chance = random.Random(7)
    seen: set[tuple[Any, ...]] = set()
    for number in range(12):
        with Journal.open(tmp_path / f"{number}.db", "ch", "op", exclusive=True, clock=clock) as journal:
            for day in range(12):
                entries = [_entry(chance, key) for key in "12345" if chance.random() < 0.7]
                clock.time += 100
                journal._run = 0  # a plan begins no run
                expected = _shown(journal, True, entries)
                assert expected == _shown(journal, False, entries), (number, day)
                seen.update(one[1:] for one in expected)
                for lease in journal.lease(100):
                    taken = Receipt(ReceiptState.ACCEPTED, "", 200, identifier_system="s", identifier_value="R")
                    journal.settle(lease, chance.choice([taken, taken, REFUSED, UNCERTAIN]))
                waiting = [one.key for one in journal.withdrawals()]
                journal.acknowledge([key for key in waiting if chance.random() < 0.4], "ana", "a reason")
    assert {one[0] for one in seen} == set(WithdrawalCause) - {WithdrawalCause.UNREADABLE}, "each cause came"
    assert {one[1:] for one in seen} == {(True, True), (True, False), (False, True), (False, False)}
