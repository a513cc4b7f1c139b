"""Where each record that a run read has ended."""

from __future__ import annotations

import os
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fhirmap.errors import InternalError
from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.journal.schema import entry
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


@pytest.mark.parametrize("column", ["read_run", "settled_run"])
@pytest.mark.parametrize("other", ["0", "x'ff'", "'x'"])
def test_the_number_of_a_deleted_run_is_not_given_again(tmp_path: Path, column: str, other: str) -> None:
    path = tmp_path / "journal.db"
    with Journal.open(path, "e", "o") as journal:
        for number in range(3):
            journal.start_run()
            journal.put([ready(str(number))])
        answer_all(journal, ACCEPTED)
        last = journal.finish_run(0)
    assert last.balanced
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("DELETE FROM fhirmap_run")
        connection.execute(f"UPDATE fhirmap_entry SET read_run = {other}, settled_run = {other} WHERE key = '0'")
        connection.execute(f"UPDATE fhirmap_entry SET read_run = 0, settled_run = 0, {column} = 7 WHERE key = '1'")
    with Journal.open(path, "e", "o") as journal:
        assert journal.start_run() == 8
        assert journal.finish_run(0, read=0).balanced
        assert journal.start_run() == 9


@pytest.mark.skipif("FHIRMAP_TEST_POSTGRESQL" not in os.environ, reason="needs PostgreSQL")
def test_on_a_server_the_sequence_follows() -> None:
    with Journal.open(os.environ["FHIRMAP_TEST_POSTGRESQL"], f"sequence-{uuid.uuid4().hex}", "o") as journal:
        first = journal.start_run()
        journal.put([ready("1")])
        with journal._engine.begin() as connection:  # what a restored sequence with too low a number looks like
            connection.execute(entry.update().where(entry.c.read_run == first).values(read_run=first + 5))
        try:
            assert journal.start_run() > first + 5
            assert journal.start_run() > first + 6
        finally:
            with journal._engine.begin() as connection:
                connection.execute(entry.update().where(entry.c.read_run == first + 5).values(read_run=first))
