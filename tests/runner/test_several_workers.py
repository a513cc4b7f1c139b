"""Several workers on one journal in PostgreSQL. FHIRMAP_TEST_POSTGRESQL names a server."""

from __future__ import annotations

import json
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from fhirmap.journal import Accepted, Entry, EntryState, Journal
from fhirmap.records import Envelope, Receipt, ReceiptState
from fhirmap.runner.archive import archive
from fhirmap.runner.deliver import deliver
from fhirmap.runner.pace import RateLimit
from fhirmap.runner.project import SinkLimits
from tests.cli.conftest import Receiver, Tiny, receiver, start, tiny
from tests.journal.sending import ACCEPTED, ready
from tests.runner.test_deliver import Scripted
from tests.runner.test_kill_postgresql import URL, Database, database

__all__ = ["database", "receiver", "tiny"]

pytestmark = pytest.mark.skipif(not URL, reason="FHIRMAP_TEST_POSTGRESQL names no server")


@pytest.fixture
def worker(clock: Any) -> Iterator[Callable[[], Journal]]:
    """``worker()``: one more journal of the same establishment, which no other test has, its run begun."""
    name = f"test-{uuid.uuid4().hex}"
    with ExitStack() as stack:

        def make() -> Journal:
            journal = stack.enter_context(Journal.open(URL, name, "op", exclusive=True, clock=clock))
            journal.start_run()
            return journal

        yield make


def test_four_runs_that_begin_together_on_an_empty_database(
    tiny: Callable[..., Tiny], receiver: Callable[..., Receiver], database: Database
) -> None:
    at = receiver()
    project = tiny().write([(f"{n}", "175127511100173", "LEROY", "1975-12-05", f"L{n}") for n in range(40)])
    project.to(
        at.url,
        journal=f'url = "{database.url}"',
        archive__table='table = "RECU"\ncreate = true\nkey_column = "id"\nvalue_column = "v"',
    )
    runs = [start("run", project.folder, "--json") for _ in range(4)]
    reports = []
    for process in runs:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, (out, err)
        reports.append(json.loads(out))
    assert len(at.received) == len(set(at.received)) == 40
    for report in reports:
        ledger = report["ledger"]
        assert ledger["read"] == sum(count for name, count in ledger.items() if name != "read") == 40
    states = database.rows("SELECT state, count(*) FROM fhirmap_entry GROUP BY state")
    assert states == [("accepted", 40)]
    assert database.rows("SELECT count(*) FROM fhirmap_attempt") == [(80,)]
    assert database.rows("SELECT count(*) FROM fhirmap_entry WHERE archive <> 'done'") == [(0,)]
    assert sum(report["archived"]["count"] for report in reports) == 40


def test_runs_that_read_the_same_at_the_same_time_have_their_own_ledgers(worker: Callable[[], Journal]) -> None:
    first, second = worker(), worker()
    entries = [ready(str(n)) for n in range(6)]
    first.put(entries[:4])
    second.put(entries[:3])
    first.put(entries[4:])
    second.put(entries[3:])
    for lease in second.lease(2):
        second.settle(lease, ACCEPTED)
    assert second.close_reading(6) == first.close_reading(6) == 0
    mine, theirs = first.finish_run(0, 6), second.finish_run(0, 6)
    assert (mine.reread, theirs.reread) == (6, 0)
    assert (theirs.accepted, theirs.pending) == (2, 4)
    assert "read since by another run 6" in mine.equation()


def test_a_limit_is_kept_by_all_together(worker: Callable[[], Journal], clock: Any) -> None:
    workers = [(worker(), RateLimit(5, "https://r")) for _ in range(3)]
    workers[0][0].put([ready(str(n)) for n in range(30)])
    left: list[float] = []
    while len(left) < 12:
        for journal, turns in workers:
            left += [lease.leave_at for lease in journal.lease(4, clock.time, turns=turns)]
        clock.time += 0.05
    assert all(later - earlier > 1.04 for earlier, later in zip(left, left[5:], strict=False))
    workers[1][1].pause("L", clock.time + 50)  # one of them was asked to wait
    assert workers[1][0].lease(1, clock.time, turns=workers[1][1]) == []
    clock.time += 40
    assert workers[2][0].lease(1, clock.time, turns=workers[2][1]) == []


def test_what_a_dead_worker_was_sending_is_taken_over_within_a_minute(
    worker: Callable[[], Journal], clock: Any
) -> None:
    dead, living = worker(), worker()
    dead.put([ready("1")])
    assert dead.lease(1, lease_s=30.0)
    sink, began = Scripted(clock), clock.time
    delivery = deliver(living, sink, SinkLimits(rate_per_s=500), clock=clock, quarantine_s=30.0)
    assert delivery.states == {"accepted": 1}
    ((_, at),) = sink.calls
    assert 30 <= at - began <= 60


def test_a_call_that_is_slow_is_not_taken_over(worker: Callable[[], Journal], clock: Any) -> None:
    slow, other = worker(), worker()
    slow.put([ready("1")])
    leases = slow.lease(1, lease_s=30.0)
    for _ in range(10):
        clock.time += 20
        slow.keep(leases, 30.0, 30.0)
        assert other.keep([], 30.0, 30.0) == 0
    assert slow.settle(leases[0], ACCEPTED) == EntryState.ACCEPTED
    assert slow.status().possible_duplicates == ()


def test_what_the_source_changes_while_it_is_under_way_leaves_after_it(worker: Callable[[], Journal]) -> None:
    first, second = worker(), worker()
    first.put([ready("1", "a")])
    (lease,) = first.lease(1)
    second.put([ready("1", "b")])
    assert second.lease(1) == first.lease(1) == []
    first.settle(lease, ACCEPTED)
    assert [found.envelope.payload for found in second.lease(1)] == [b"b"]


class Slow:
    """An archive that notes how many write to it at once."""

    name = "slow"
    keeps_earlier = True

    def __init__(self) -> None:
        self.written: Counter[str] = Counter()
        self.at_once: list[int] = []
        self._lock = threading.Lock()
        self._now = 0

    def write(self, rows: list[Accepted]) -> list[Any]:
        with self._lock:
            self._now += 1
            self.at_once.append(self._now)
        self.written.update(row.key for row in rows)
        with self._lock:
            self._now -= 1
        return []


def test_each_identifier_is_written_back_once_by_whoever_does_it(worker: Callable[[], Journal]) -> None:
    workers = [worker() for _ in range(3)]
    workers[0].put([Entry(str(n), EntryState.READY, b"{}", ready("", "{}").digest, "L") for n in range(50)])
    for lease in workers[0].lease(50):
        workers[0].settle(lease, Receipt(ReceiptState.ACCEPTED, "", 200, identifier_value=lease.envelope.key))
    place: Any = Slow()
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda journal: archive(journal, [place]), workers))
    assert sum(found.count for found in done) == 50
    assert set(place.written.values()) == {1}
    assert set(place.at_once) == {1}


def test_an_answer_to_a_call_that_was_taken_over_still_counts(worker: Callable[[], Journal], clock: Any) -> None:
    first, second = worker(), worker()
    first.put([ready("1")])
    (lease,) = first.lease(1, lease_s=30.0)
    clock.time += 31
    assert second.keep([], 30.0, 0.0) == 1
    assert isinstance(lease.envelope, Envelope)
    assert first.settle(lease, ACCEPTED) == "accepted"
    assert second.lease(1) == []
