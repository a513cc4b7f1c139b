"""What becomes of the withdrawal of a key when its record is withdrawn or declared again. Decided here and nowhere
else: `put` writes it, a plan only shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from fhirmap.journal.connection import Row
from fhirmap.journal.entries import Withdrawal
from fhirmap.journal.states import WithdrawalCause

__all__ = ["ForeseenWithdrawals", "WithdrawalChange", "declared_again", "withdrawn"]


class WithdrawalChange(NamedTuple):
    """``before``: the row of the withdrawal of ``key`` that is open so far. ``cause``: of the one that is open from now
    on; without it none is. ``is_new``: that is another one, opened now. ``by_map``: the source gave what it gave
    before.
    """

    key: str
    before: Row | None
    cause: WithdrawalCause | None = None
    is_new: bool = False
    by_map: bool = False

    @property
    def ends(self) -> bool:
        """Is the one that was open over?"""
        return self.before is not None and (self.is_new or self.cause is None)


def withdrawn(key: str, before: Row | None, cause: WithdrawalCause, *, by_map: bool = False) -> WithdrawalChange:
    """A withdrawal that is open goes on, unless the record was to be corrected and is now no longer declared at all, or
    the other way round: that is another matter, to be reported anew.
    """
    goes_on = before is not None and (before.cause == cause or (before.cause.is_left and cause.is_left))
    return WithdrawalChange(key, before, cause, is_new=not goes_on, by_map=by_map)


def declared_again(key: str, before: Row | None, *, is_sent: bool) -> WithdrawalChange:
    """The withdrawal of a key that is declared again is over. One that was acknowledged, of a record that is not sent
    anew, makes another: whether the receiver still holds the record is for people to say.
    """
    if before is None or is_sent:
        return WithdrawalChange(key, before)
    if before.cause == WithdrawalCause.RETURNED:
        return WithdrawalChange(key, before, before.cause)
    if before.acknowledged_at is not None:
        return WithdrawalChange(key, before, WithdrawalCause.RETURNED, is_new=True)
    return WithdrawalChange(key, before)


class ForeseenWithdrawals:
    """The withdrawals that would wait for somebody after a reading. ``waiting``: those that do before it."""

    def __init__(self, waiting: Iterable[Withdrawal], now: float) -> None:
        self._now = now
        self._waiting = {entry.key: entry for entry in waiting}

    def take(self, change: WithdrawalChange) -> None:
        """Shows what a run would write."""
        if change.ends:
            self._waiting.pop(change.key, None)
        if change.cause is None:
            return
        if change.is_new:
            opened = Withdrawal(change.key, change.cause, self._now, is_new=True, by_map=change.by_map)
            self._waiting[change.key] = opened
        elif change.key in self._waiting:
            self._waiting[change.key] = replace(self._waiting[change.key], cause=change.cause, by_map=change.by_map)

    def waiting(self) -> list[Withdrawal]:
        """Those of the reading first, without their identifiers."""
        return sorted(self._waiting.values(), key=lambda entry: not entry.is_new)
