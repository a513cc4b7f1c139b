"""The journal in numbers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import BUCKETS_S, Entry, EntryState, Journal
from tests.journal.sending import ACCEPTED, DEFERRED, REFUSED, UNCERTAIN, answer_all, ready


def test_states_and_what_waits_for_somebody(journal: Journal, clock: Any) -> None:
    begun = clock()
    journal.put([ready(key) for key in "12345"] + [Entry("6", EntryState.INVALID)])
    clock.sleep(60)
    journal.put([ready("7")])
    for lease, receipt in zip(journal.lease(4), (ACCEPTED, REFUSED, DEFERRED, UNCERTAIN), strict=True):
        journal.settle(lease, receipt, not_before=clock() + 99)
    found = journal.figures()
    counted = {state: count for state, count in found.states.items() if count}
    assert counted == {"accepted": 1, "refused": 1, "deferred": 1, "uncertain": 1, "ready": 2, "invalid": 1}
    assert set(found.states) == set(EntryState)
    assert (found.in_doubt, found.unarchived, found.withdrawn, found.held) == (1, 1, 0, 0)
    assert found.oldest_pending_at == begun
    journal.start_run()
    journal.put([Entry("1", EntryState.OUT_OF_SCOPE)])
    assert journal.figures().withdrawn == 1
    journal.acknowledge(["1"], "somebody", "the registry knows")
    assert journal.figures().withdrawn == 0


def test_nothing_that_waits_has_no_age(journal: Journal) -> None:
    assert journal.figures().oldest_pending_at is None
    journal.put([ready("1")])
    answer_all(journal, ACCEPTED)
    assert journal.figures().oldest_pending_at is None


def test_calls_by_answer_and_by_how_long_they_took(journal: Journal) -> None:
    journal.put([ready(key) for key in "1234"])
    answers = [(ACCEPTED, 0.05), (ACCEPTED, 0.06), (REFUSED, 99.0), (UNCERTAIN, 30.0)]
    for lease, (receipt, duration_s) in zip(journal.lease(4), answers, strict=True):
        journal.settle(lease, replace(receipt, duration_s=duration_s))
    accepted, refused, uncertain = journal.figures().calls
    assert (accepted.state, accepted.status, accepted.count, accepted.within) == ("accepted", 200, 2, (1,) + (2,) * 8)
    assert (refused.state, refused.status, refused.within, refused.seconds) == ("refused", 422, (0,) * 9, 99.0)
    assert (uncertain.status, uncertain.within) == (0, (0,) * 8 + (1,))
    assert len(BUCKETS_S) == 9


def test_tokens_add_up_over_runs(journal: Journal) -> None:
    journal.note_tokens(0)
    assert journal.checkpoint("tokens") is None
    journal.note_tokens(2)
    journal.start_run()
    journal.note_tokens(1)
    assert journal.figures().tokens == 3


def test_the_last_run_and_the_last_that_did_its_work(journal: Journal, clock: Any) -> None:
    clock.sleep(10)
    journal.finish_run(1)
    done = clock()
    assert journal.figures().last_done_at == done
    journal.start_run()
    clock.sleep(10)
    journal.finish_run(3)
    found = journal.figures()
    assert found.last_done_at == done
    assert found.last_run is not None
    assert (found.last_run.exit_code, found.last_run.finished_at) == (3, clock())


def test_another_project_in_the_same_journal_counts_for_itself(journal: Journal, tmp_path: Path) -> None:
    journal.put([ready("1")])
    answer_all(journal, ACCEPTED)
    journal.note_tokens(1)
    with Journal.open(tmp_path / "journal.db", "another", "declare") as other:
        found = other.figures()
    assert (found.tokens, found.calls, found.last_run) == (0, (), None)
    assert sum(found.states.values()) == 0


@pytest.mark.parametrize("change", ["finished_at = 'x'", "finished_at = ''", "finished_at = x'ff'", "counts = '{'"])
def test_a_damaged_run_is_said(journal: Journal, tmp_path: Path, change: str) -> None:
    journal.finish_run(0)
    with closing(sqlite3.connect(tmp_path / "journal.db")) as connection, connection:
        connection.execute(f"UPDATE fhirmap_run SET {change}")
    last = journal.figures().last_run
    assert last is not None
    assert (last.is_unreadable, last.exit_code) == (True, None)
    journal.start_run()  # the damaged one is not the last any more
    assert journal.figures().last_done_at is None or "counts" in change
