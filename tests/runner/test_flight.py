"""From a lease to its call."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from typing import Any

from fhirmap.journal import EntryState, Lease
from fhirmap.records import Envelope
from fhirmap.runner.flight import Flight


class AtOnce(Executor):
    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        return Future()


def lease(entry_id: int, leave_at: float, number: int = 1) -> Lease:
    return Lease(entry_id, Envelope("k", b"", "", "L", ""), number, EntryState.READY, "t", leave_at)


def test_each_leaves_at_its_moment_and_counts_until_it_is_answered() -> None:
    sent: list[Lease] = []
    flight = Flight(AtOnce(), sent.append)
    first, second = lease(1, 10.0), lease(2, 10.5)
    flight.add([second, first])
    assert (flight.launch(9.0), sent, len(flight)) == (1.0, [], 2)
    assert (flight.launch(10.0), sent) == (0.5, [first])
    flight.landed(first)
    assert (len(flight), flight.leases) == (1, [second])
    assert (flight.launch(11.0), sent) == (None, [first, second])


def test_one_that_was_taken_back_and_leased_again_is_another_call() -> None:
    flight = Flight(AtOnce(), lambda _: None)
    flight.add([lease(1, 0.0), lease(1, 0.0, number=2)])
    flight.landed(lease(1, 0.0))
    assert len(flight) == 1
