"""What becomes of an entry that is put, from the rows that the journal has of its key. Decided here and nowhere else:
`put` carries it out, a plan only shows it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from fhirmap.errors import InternalError
from fhirmap.journal.connection import Row
from fhirmap.journal.entries import Entry
from fhirmap.journal.states import PENDING, VERDICTS, EntryState

__all__ = ["Decision", "Step", "decide", "may_be_held_by_receiver"]


class Step(StrEnum):
    """What is done with an entry."""

    NEW = "new"
    """Sent; nothing of its key ever left."""
    CHANGED = "changed"
    """Sent; something of its key left before."""
    HELD = "held"
    UNCHANGED = "unchanged"
    PENDING = "pending"
    VERDICT = "verdict"
    """Nothing to send: the state of the entry says why."""


class Decision(NamedTuple):
    """``same``: the row with this very payload. ``base``: the row of what was sent last. ``by_map``: what was read is
    what that one was made of. ``generation``: makes another request of a payload that was sent before.
    ``was_withdrawn``: until now the source did not declare what the receiver may hold; ``withdraws``: from now on it
    does not.
    """

    step: Step
    same: Row | None = None
    base: Row | None = None
    by_map: bool = False
    generation: int = 0
    was_withdrawn: bool = False
    withdraws: bool = False

    @property
    def is_sent(self) -> bool:
        """Is a request made of it?"""
        return self.step in (Step.NEW, Step.CHANGED)


def decide(
    item: Entry,
    rows: Sequence[Row],
    is_same_reading: Callable[[Row, Entry], bool],
    *,
    resend: bool = False,
    again: bool = False,
) -> Decision:
    """``rows``: all of the key. ``is_same_reading``: was this row's payload made of what the entry's is made of?
    ``resend``: another payload is sent whoever made it; ``again``: even the one that was accepted.

    Raises: InternalError FM911 for a state that no entry starts in.
    """
    if item.state not in _FIRST:
        raise InternalError("FM911", before="(new)", after=item.state)
    if not rows:
        return _FIRST[item.state]
    if len(rows) == 1 and rows[0].digest == item.digest and item.state == EntryState.READY and not again:
        # what nearly every record is from its second reading on
        row = rows[0]
        if row.state == EntryState.ACCEPTED or row.state == EntryState.REFUSED:
            return Decision(Step.UNCHANGED, row, row)
    unreadable = _unreadable(item, rows)
    if unreadable is not None:
        return Decision(Step.PENDING, unreadable)
    same = next((row for row in rows if row.digest == item.digest), None)
    held_there = any(may_be_held_by_receiver(row) for row in rows)
    before = next((row for row in rows if row.is_current), None)
    was_withdrawn = held_there and before is not None and before.state in VERDICTS
    base = max((row for row in rows if row.digest and row.last_attempt), key=_last_attempt, default=None)
    if item.state in VERDICTS:
        is_known = was_withdrawn and before is not None and before.state == item.state
        withdraws = held_there and not is_known
        by_map = withdraws and base is not None and is_same_reading(base, item)
        return Decision(Step.VERDICT, same, base, by_map, was_withdrawn=was_withdrawn, withdraws=withdraws)
    sent_since = same is not None and base is not None and base.last_attempt > same.last_attempt
    if same is not None and same.state in (EntryState.ACCEPTED, EntryState.REFUSED) and not sent_since:
        if again and same.state == EntryState.ACCEPTED:
            return Decision(Step.CHANGED, same, base, generation=same.last_attempt, was_withdrawn=was_withdrawn)
        return Decision(Step.UNCHANGED, same, base, was_withdrawn=was_withdrawn)
    if same is not None and same.state in PENDING:
        return Decision(Step.PENDING, same, base, was_withdrawn=was_withdrawn)
    if base is None:
        return Decision(Step.NEW, same, was_withdrawn=was_withdrawn)
    by_map = is_same_reading(base, item)
    if base.state == EntryState.ACCEPTED and by_map and not resend:
        return Decision(Step.HELD, same, base, by_map, was_withdrawn=was_withdrawn)
    # Another payload of this key was sent after this one: it is a new request, not a repeat of its former self.
    generation = base.last_attempt if sent_since else 0
    return Decision(Step.CHANGED, same, base, by_map, generation, was_withdrawn)


_FIRST = {EntryState.READY: Decision(Step.NEW), **dict.fromkeys(VERDICTS, Decision(Step.VERDICT))}
"""What is done with an entry of a key that the journal does not know: of the states that one starts in."""


def _unreadable(item: Entry, rows: Sequence[Row]) -> Row | None:
    """The row whose state cannot be read, and that says what became of this record: nothing is sent before somebody has
    looked at it. A former payload's row, and one without a payload, say nothing of it."""
    if item.state != EntryState.READY:
        return None
    odd = (row for row in rows if row.state == EntryState.UNREADABLE and row.digest)
    return next((row for row in odd if row.is_current or row.digest == item.digest), None)


def may_be_held_by_receiver(row: Row) -> bool:
    """Was it accepted, or sent without an answer that says otherwise?"""
    if row.state == EntryState.ACCEPTED or (row.state == EntryState.UNREADABLE and row.last_attempt):
        return True
    unanswered = (EntryState.UNCERTAIN, EntryState.SUPERSEDED, EntryState.READY, EntryState.DEFERRED)
    return bool(row.in_doubt) and row.state in unanswered


def _last_attempt(row: Row) -> int:
    return int(row.last_attempt)


def rows_by_key(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows of several keys, by key."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.key, []).append(row)
    return found
