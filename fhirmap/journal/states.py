"""The states of a journal entry, and the only moves between them.

```
                 put                     lease                settle
  (new) ──────────────────▶ ready ────────────────▶ sending ────────────▶ accepted | refused | deferred | uncertain
        ─▶ invalid | out_of_scope    deferred, uncertain ──lease──▶ sending
  ready | deferred | uncertain ──another payload of the key──▶ superseded ──the payload is back──▶ ready
  sending ──recover (no answer was recorded)──▶ uncertain
  refused | deferred | uncertain ──release──▶ ready
  accepted | refused ──another payload came between and this one is back──▶ ready
```
"""

from __future__ import annotations

from fhirmap.errors import InternalError

__all__ = [
    "ACCEPTED",
    "DEFERRED",
    "INVALID",
    "OUT_OF_SCOPE",
    "PENDING",
    "READY",
    "REFUSED",
    "SENDING",
    "STATES",
    "SUPERSEDED",
    "UNCERTAIN",
    "check_move",
]

INVALID = "invalid"
OUT_OF_SCOPE = "out_of_scope"
SUPERSEDED = "superseded"
READY = "ready"
SENDING = "sending"
ACCEPTED = "accepted"
REFUSED = "refused"
DEFERRED = "deferred"
UNCERTAIN = "uncertain"

STATES = (INVALID, OUT_OF_SCOPE, SUPERSEDED, READY, SENDING, ACCEPTED, REFUSED, DEFERRED, UNCERTAIN)
PENDING = frozenset({READY, SENDING, DEFERRED, UNCERTAIN})
"""Neither taken nor refused yet: what a later run has still to do."""

_SETTLED = frozenset({ACCEPTED, REFUSED, DEFERRED, UNCERTAIN})
MOVES: dict[str, frozenset[str]] = {
    INVALID: frozenset({INVALID, OUT_OF_SCOPE}),
    OUT_OF_SCOPE: frozenset({INVALID, OUT_OF_SCOPE}),
    SUPERSEDED: frozenset({READY}),
    READY: frozenset({SENDING, SUPERSEDED}),
    SENDING: _SETTLED | {SUPERSEDED},
    DEFERRED: frozenset({SENDING, READY, SUPERSEDED}),
    UNCERTAIN: frozenset({SENDING, READY, SUPERSEDED, ACCEPTED}),
    REFUSED: frozenset({READY, ACCEPTED}),
    ACCEPTED: frozenset({READY}),
}
"""`UNCERTAIN -> ACCEPTED` and `REFUSED -> ACCEPTED`: an answer that arrives after its lease was given to another
worker."""


def check_move(before: str, after: str) -> None:
    """Nothing where the move is legal.

    Raises: InternalError FM911 where it is not: the journal is never left in a state nobody planned.
    """
    if after not in MOVES[before]:
        raise InternalError("FM911", before=before, after=after)
