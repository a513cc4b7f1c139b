"""What is leased and not answered yet: calls that wait for their moment, and those that are under way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor

from fhirmap.journal import Lease

__all__ = ["Flight"]


class Flight:
    """Leases from their transaction to their answer. ``send`` is called for each in a thread of ``pool``, when its
    moment has come."""

    def __init__(self, pool: Executor, send: Callable[[Lease], None]) -> None:
        self._pool = pool
        self._send = send
        self._waiting: list[Lease] = []
        self._leases: dict[tuple[int, int], Lease] = {}

    def __len__(self) -> int:
        return len(self._leases)

    @property
    def leases(self) -> Sequence[Lease]:
        """All of them."""
        return list(self._leases.values())

    def add(self, leases: Iterable[Lease]) -> None:
        """These are leased now."""
        for lease in leases:
            self._leases[lease.entry_id, lease.number] = lease
            self._waiting.append(lease)
        self._waiting.sort(key=lambda lease: lease.leave_at)

    def launch(self, now: float) -> float | None:
        """Sends those whose moment has come; seconds until that of the next, None where none waits."""
        while self._waiting and self._waiting[0].leave_at <= now:
            self._pool.submit(self._send, self._waiting.pop(0))
        return self._waiting[0].leave_at - now if self._waiting else None

    def landed(self, lease: Lease) -> None:
        """It was answered, or will not be."""
        del self._leases[lease.entry_id, lease.number]
