"""The journal on PostgreSQL: several workers, each record leased to one. FHIRMAP_TEST_POSTGRESQL names a server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.records import Receipt, ReceiptState
from tests.journal.sending import digest_of

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")
pytestmark = pytest.mark.skipif(not URL, reason="FHIRMAP_TEST_POSTGRESQL names no server")


@pytest.fixture
def worker(clock: Any) -> Iterator[Callable[[], Journal]]:
    """``worker()``: one more journal of the same establishment, which no other test has."""
    name = f"test-{uuid.uuid4().hex}"
    with ExitStack() as stack:
        yield lambda: stack.enter_context(Journal.open(URL, name, "op", exclusive=True, clock=clock))


def put(journal: Journal, count: int) -> None:
    journal.put([Entry(str(n), EntryState.READY, b"{}", digest_of(b"{}"), "L") for n in range(count)])


def test_no_record_is_leased_to_two_workers(worker: Callable[[], Journal]) -> None:
    workers = [worker() for _ in range(4)]
    for one in workers:
        one.start_run()
    put(workers[0], 200)

    def work(journal: Journal) -> list[str]:
        done = []
        while leases := journal.lease(3):
            for lease in leases:
                journal.settle(lease, Receipt(ReceiptState.ACCEPTED, "", 200, identifier_value="R"))
                done.append(lease.envelope.key)
        return done

    with ThreadPoolExecutor(4) as pool:
        sent = [key for keys in pool.map(work, workers) for key in keys]
    assert len(sent) == len(set(sent))
    for journal in workers:  # a worker that met only locked rows may have stopped early
        sent += work(journal)
    assert sorted(sent, key=int) == [str(n) for n in range(200)]
    assert workers[0].status().states == {"accepted": 200}


def test_only_a_lease_that_has_run_out_is_taken_back(worker: Callable[[], Journal], clock: Any) -> None:
    first, second = worker(), worker()
    first.start_run()
    put(first, 1)
    lease = first.lease(1, lease_s=60)[0]
    second.start_run()
    assert second.recover() == 0
    clock.time += 61
    assert second.recover() == 1
    again = second.lease(1)[0]
    assert again.envelope.request_key == lease.envelope.request_key
    assert first.settle(lease, Receipt(ReceiptState.ACCEPTED, "", 200)) == "accepted", "a late acceptance still counts"
    assert second.settle(again, Receipt(ReceiptState.REFUSED, "FM661", 422)) == "accepted"
    assert [answer.key for answer in second.status().possible_duplicates] == ["0"]


def test_put_release_ledger_and_archive_as_on_sqlite(worker: Callable[[], Journal]) -> None:
    journal = worker()
    journal.start_run()
    put(journal, 3)
    for lease, state in zip(
        journal.lease(3), (ReceiptState.ACCEPTED, ReceiptState.REFUSED, ReceiptState.DEFERRED), strict=True
    ):
        journal.settle(lease, Receipt(state, "FM661", 422))
    assert journal.ledger(3).balanced
    assert len(journal.to_archive()) == 1
    assert journal.release() == 2
    put(journal, 3)
    journal.put([Entry("0", EntryState.READY, b"{1}", digest_of(b"{1}"))], {"source": "x"})
    assert len(journal.lease(9)) == 3
    assert journal.checkpoint("source") == "x"
    assert journal.finish_run(0).balanced
