"""The states of a journal entry, and the only moves between them.

```
                 put                     lease                settle
  (new) ──────────────────▶ ready ────────────────▶ sending ────────────▶ accepted | refused | deferred | uncertain
        ─▶ invalid | out_of_scope | gone    deferred, uncertain ──lease──▶ sending
  ready | deferred | uncertain ──another payload of the key──▶ superseded ──the payload is back──▶ ready
  sending ──recover (no answer was recorded)──▶ uncertain
  refused | deferred | uncertain ──release──▶ ready
  ready ──the payload is not what was put──▶ deferred ──put right──▶ ready
  ready | deferred | uncertain ──adopt (the archive has its identifier)──▶ accepted
  unreadable ──retry of its key──▶ ready   ──the record has nothing to send──▶ invalid | out_of_scope | gone
  accepted | refused ──another payload came between and this one is back, or it is sent again on purpose──▶ ready
```
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from fhirmap.errors import InternalError

__all__ = [
    "MOVES",
    "PENDING",
    "READABLE_STATES",
    "VERDICTS",
    "ArchiveState",
    "AttemptEvent",
    "EntryState",
    "WithdrawalCause",
    "check_move",
]


class EntryState(StrEnum):
    """Where an entry is on its way; the order is the one in which reports list them."""

    INVALID = "invalid"
    OUT_OF_SCOPE = "out_of_scope"
    GONE = "gone"
    SUPERSEDED = "superseded"
    READY = "ready"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"
    UNCERTAIN = "uncertain"
    UNREADABLE = "unreadable"
    """What is stored is no word of these: a damaged row. It is never sent by itself."""


class ArchiveState(StrEnum):
    """Whether the identifier of an accepted entry is written back to the hospital's own tables."""

    NONE = ""
    PENDING = "pending"
    DONE = "done"
    UNREADABLE = "unreadable"


class AttemptEvent(StrEnum):
    """What is noted of an attempt: a request is about to leave, its answer was read, none came, or the process died; or
    that none was needed."""

    SENT = "sent"
    ANSWERED = "answered"
    UNANSWERED = "unanswered"
    LOST = "lost"
    ADOPTED = "adopted"
    """Nothing was sent: the archive has the identifier that the receiver gave before."""
    UNREADABLE = "unreadable"


class WithdrawalCause(StrEnum):
    """Why what the receiver holds of a record is no longer what the source declares."""

    INVALID = "invalid"
    OUT_OF_SCOPE = "out_of_scope"
    SUPERSEDED = "superseded"
    """Only older revisions of the key are left."""
    GONE = "gone"
    """A complete reading did not hold the key."""
    RETURNED = "returned"
    """It is declared as before, and its withdrawal was acknowledged: the receiver may have been asked to remove it."""
    UNREADABLE = "unreadable"

    @property
    def is_left(self) -> bool:
        """Is the record no longer to be declared at all? One of these after another is the same withdrawal."""
        return self in (WithdrawalCause.OUT_OF_SCOPE, WithdrawalCause.SUPERSEDED, WithdrawalCause.GONE)


VERDICTS = frozenset({EntryState.INVALID, EntryState.OUT_OF_SCOPE, EntryState.GONE})
"""A record that has nothing to send."""

PENDING = frozenset(
    {EntryState.READY, EntryState.SENDING, EntryState.DEFERRED, EntryState.UNCERTAIN, EntryState.UNREADABLE}
)
"""Neither accepted nor refused, as far as is known: what a later run, or somebody, has still to do."""

READABLE_STATES = tuple(state for state in EntryState if state != EntryState.UNREADABLE)
"""What a sound row says."""

_SETTLED = frozenset({EntryState.ACCEPTED, EntryState.REFUSED, EntryState.DEFERRED, EntryState.UNCERTAIN})
MOVES: Mapping[EntryState, frozenset[EntryState]] = {
    EntryState.INVALID: VERDICTS,
    EntryState.OUT_OF_SCOPE: VERDICTS,
    EntryState.GONE: VERDICTS,
    EntryState.SUPERSEDED: frozenset({EntryState.READY}),
    EntryState.READY: frozenset({EntryState.SENDING, EntryState.SUPERSEDED, EntryState.DEFERRED, EntryState.ACCEPTED}),
    EntryState.SENDING: _SETTLED | {EntryState.SUPERSEDED},
    EntryState.DEFERRED: frozenset({EntryState.SENDING, EntryState.READY, EntryState.SUPERSEDED, EntryState.ACCEPTED}),
    EntryState.UNCERTAIN: frozenset({EntryState.SENDING, EntryState.READY, EntryState.SUPERSEDED, EntryState.ACCEPTED}),
    EntryState.REFUSED: frozenset({EntryState.READY, EntryState.ACCEPTED}),
    EntryState.ACCEPTED: frozenset({EntryState.READY}),
    EntryState.UNREADABLE: VERDICTS | {EntryState.READY, EntryState.ACCEPTED},
}
"""`UNCERTAIN -> ACCEPTED` and `REFUSED -> ACCEPTED`: an answer that arrives after its lease was given to another
worker."""


def check_move(before: EntryState, after: EntryState) -> None:
    """Nothing where the move is legal.

    Raises: InternalError FM911 where it is not: the journal is never left in a state that was not planned.
    """
    if after not in MOVES[before]:
        raise InternalError("FM911", before=before, after=after)
