"""Where each record that a run read has ended."""

from __future__ import annotations

from typing import Any

import pytest

from fhirmap.errors import InternalError
from fhirmap.journal import Entry, EntryState, Journal
from tests.journal.sending import ACCEPTED, DEFERRED, REFUSED, UNCERTAIN, answer_all, ready


def test_the_ledger_says_where_each_record_read_has_ended(journal: Journal, clock: Any) -> None:
    journal.put([ready(key) for key in "123456"])
    for lease, receipt in zip(journal.lease(4), (ACCEPTED, REFUSED, DEFERRED, UNCERTAIN), strict=True):
        journal.settle(lease, receipt, not_before=clock() + 99)
    assert journal.finish_run(0).equation() == (
        "read 6 = accepted 1 + refused 1 + invalid 0 + out of scope 0 + unchanged 0 + pending 4"
    )
    journal.start_run()
    read_twice = [ready("5", "b"), ready("5", "c"), ready("5", "c")]
    not_sent = [Entry("7", EntryState.INVALID), Entry("7", EntryState.OUT_OF_SCOPE), Entry("8", EntryState.SUPERSEDED)]
    counts = journal.put([ready("1"), ready("2"), ready("3"), *read_twice, *not_sent])
    assert counts.read == 9
    ledger = journal.finish_run(0, read=9)
    assert (ledger.unchanged, ledger.pending, ledger.superseded, ledger.out_of_scope) == (2, 2, 4, 1)
    assert ledger.balanced


def test_a_ledger_that_does_not_balance_is_our_bug(journal: Journal) -> None:
    journal.put([ready("1")])
    with pytest.raises(InternalError, match="FM910"):
        journal.finish_run(0, read=2)


def test_records_of_earlier_runs_that_are_sent_now_are_not_in_the_ledger(journal: Journal) -> None:
    journal.put([ready("1"), ready("2")])
    journal.start_run()
    journal.put([ready("2")])
    answer_all(journal, ACCEPTED)
    ledger = journal.finish_run(0, read=1)
    assert (ledger.accepted, ledger.balanced) == (1, True)
    assert journal.carried() == {"accepted": 1}
