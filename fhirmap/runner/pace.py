"""How fast and how often: the limit for each establishment, waiting after failures, the circuit breaker. No I/O, no
clock of its own."""

from __future__ import annotations

import random
from collections.abc import Mapping, Set

__all__ = ["Backoff", "Breaker", "RateLimit"]

_SAFETY = 1.05
"""Calls a little further apart than the limit allows: a machine or a network that delays one of them by a twentieth of
a second must not make the sixth in a second."""

_LONGEST_LEAD_S = 0.05
_TOGETHER_S = 0.005


class RateLimit:
    """At most ``rate_per_s`` calls a second for each limit key, evenly spaced, so never more in any one second.

    A turn is given a moment before it comes, a quarter of the time between two calls at most, so that the journal has
    committed when it does. Calls of several turns within 5 ms are given together. The journal keeps when each key is
    free at ``receiver``, for all processes that call it; see `fhirmap.journal.queue.Turns`.
    """

    def __init__(self, rate_per_s: float, receiver: str = "") -> None:
        self.receiver = receiver[:500]
        self._interval_s = _SAFETY / rate_per_s if rate_per_s > 0 else 0.0
        self._lead_s = min(_LONGEST_LEAD_S, self._interval_s / 4)
        self._ahead_s = max(self._lead_s, _TOGETHER_S)
        self._free_at: dict[str, float] = {}
        self._changed: set[str] = set()

    def begin(self, free_at: Mapping[str, float]) -> None:
        """When each key is free, as the journal knows it."""
        for key, at in free_at.items():
            self._free_at[key] = max(at, self._free_at.get(key, 0.0))

    def blocked(self, now: float) -> Set[str]:
        """Keys whose turn has not come."""
        return {key for key, at in self._free_at.items() if at > now + self._ahead_s}

    def take(self, key: str, now: float) -> float | None:
        """When one call of ``key`` leaves, in a moment at most; None where its turn has not come."""
        at = max(now + self._lead_s, self._free_at.get(key, 0.0))
        if at > now + self._ahead_s:
            return None
        if self._interval_s:
            self._free_at[key] = at + self._interval_s
            self._changed.add(key)
        return at

    def pause(self, key: str, until: float) -> None:
        """No call of ``key`` before then: the receiver asked."""
        self._free_at[key] = max(until, self._free_at.get(key, 0.0))
        self._changed.add(key)

    def changed(self) -> Mapping[str, float]:
        """When keys are free that were taken, or paused, since this was asked last."""
        found = {key: self._free_at[key] for key in sorted(self._changed)}
        self._changed.clear()
        return found

    def next_free(self, now: float) -> float | None:
        """When the first blocked key has its turn; ``None`` where none is blocked."""
        return min((self._free_at[key] - self._ahead_s for key in self.blocked(now)), default=None)


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
