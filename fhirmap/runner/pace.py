"""How fast and how often: the limit for each establishment, waiting after failures, the circuit breaker. No I/O, no
clock of its own."""

from __future__ import annotations

import random
from collections.abc import Set

__all__ = ["Backoff", "Breaker", "RateLimit"]

_SAFETY = 1.02
"""Calls a little further apart than the limit allows: a network that bunches two of them must not make the sixth in a
second."""


_TOGETHER_S = 0.005
"""Calls whose turns are this close leave together, so that one commit of the journal serves them all. Only where more
than 200 a second are allowed can there be two, and a second in which they are so much closer does not hold more calls
than the limit: `_SAFETY` leaves out four of 200."""


class RateLimit:
    """At most ``rate_per_s`` calls a second for each limit key, evenly spaced, so never more in any one second."""

    def __init__(self, rate_per_s: float) -> None:
        self._interval_s = _SAFETY / rate_per_s if rate_per_s > 0 else 0.0
        self._free_at: dict[str, float] = {}

    def blocked(self, now: float) -> Set[str]:
        """Keys whose turn has not come."""
        return {key for key, at in self._free_at.items() if at > now + self._ahead_s}

    def take(self, key: str, now: float) -> bool:
        """One call of ``key`` leaves now; false where its turn has not come."""
        at = self._free_at.get(key, 0.0)
        if at > now + self._ahead_s:
            return False
        self._free_at[key] = max(now, at) + self._interval_s
        return True

    @property
    def _ahead_s(self) -> float:
        return _TOGETHER_S if self._interval_s < _TOGETHER_S else 0.0

    def pause(self, key: str, until: float) -> None:
        """No call of ``key`` before then: the receiver asked."""
        self._free_at[key] = max(until, self._free_at.get(key, 0.0))

    def next_free(self, now: float) -> float | None:
        """When the first blocked key is free; ``None`` where none is blocked."""
        return min((at for at in self._free_at.values() if at > now), default=None)


class Backoff:
    """Seconds to wait before the next try: doubled each time, up to a minute, with jitter so that clients do not beat
    in time."""

    LONGEST_S = 60.0

    def __init__(self, base_s: float, rng: random.Random) -> None:
        self._base_s = base_s
        self._rng = rng

    def wait_s(self, tries: int) -> float:
        """After ``tries`` failures, from 1."""
        return min(self._base_s * 2.0 ** min(tries - 1, 20), self.LONGEST_S) * self._rng.uniform(0.75, 1.25)


class Breaker:
    """Opens when several records in a row fail for a cause that is not theirs; then one record at a time tries the way.

    Only distinct records count: one that always fails says nothing of the others.
    """

    THRESHOLD = 5

    def __init__(self, backoff: Backoff, tries: int) -> None:
        self._backoff = backoff
        self._tries = tries
        self._failing: set[int] = set()
        self._opened = 0
        self.failures = 0
        self.closed_until = 0.0
        """Nothing leaves before then."""

    @property
    def is_open(self) -> bool:
        """Is only one call at a time let through?"""
        return self._opened > 0

    @property
    def failing(self) -> int:
        """How many distinct records have failed since one did not."""
        return len(self._failing)

    @property
    def gave_up(self) -> bool:
        """Has it been tried often enough?"""
        return self._opened > self._tries

    def note(self, entry_id: int, failed: bool, now: float) -> None:
        """One answer, or the lack of one."""
        if not failed:
            self._failing.clear()
            self._opened = self.failures = 0
            return
        self.failures += 1
        self._failing.add(entry_id)
        if self._opened or len(self._failing) >= self.THRESHOLD:
            self._opened += 1
            self.closed_until = now + self._backoff.wait_s(self._opened)
