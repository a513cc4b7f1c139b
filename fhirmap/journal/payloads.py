"""The bytes of what is sent: kept as they were put, and sent only if they still are.

A damaged disk, or somebody's hand, may have changed a payload. It is not sent then (FM811): `set_aside` says so, and
`Payloads.put_right` writes it anew where a reading makes the same payload of the record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from fhirmap.journal.connection import CHUNK, Row
from fhirmap.journal.row_statement import insert_into, update_of
from fhirmap.journal.schema import entry, payload
from fhirmap.journal.states import EntryState, check_move

__all__ = ["DAMAGED", "StoredPayload", "as_put", "is_as_put", "put_right", "set_aside"]

DAMAGED = "FM811"
"""The code of an entry whose payload is not what was put."""

_INSERT = insert_into(payload, "entry_id", "payload")
_REWRITE = update(payload).where(payload.c.entry_id == bindparam("row")).values(payload=bindparam("content"))
_STORED = select(payload.c.entry_id, payload.c.payload).where(
    payload.c.entry_id.in_(bindparam("chosen", expanding=True))
)
_KEPT = update_of(entry, "purged_at")
_RELEASED = update_of(entry, "state", "code", "is_given_up")


class StoredPayload(NamedTuple):
    """What the payload of an entry has to be; ``was``: its state and code."""

    entry_id: int
    content: bytes
    was: EntryState
    code: str = ""


def is_as_put(content: bytes | None, digest: str) -> bool:
    """Is this what was put? None: it is not there any more."""
    return isinstance(content, bytes | memoryview) and hashlib.sha256(content).hexdigest() == digest


def as_put(rows: Iterable[Row]) -> tuple[list[Row], list[Row]]:
    """Rows with `payload` and `digest`: those whose payload is what was put, and the others."""
    sound: list[Row] = []
    damaged: list[Row] = []
    for row in rows:
        (sound if is_as_put(row.payload, row.digest) else damaged).append(row)
    return sound, damaged


def set_aside(connection: Connection, rows: Sequence[Row], was: EntryState, run: int, now: float) -> None:
    """Marks entries whose payload is not what was put: this run does not send them, and the next one looks again."""
    if not rows:
        return
    state = EntryState.DEFERRED if was == EntryState.READY else was
    if state != was:
        check_move(was, state)
    said = {"code": DAMAGED, "status": 0, "issues": "[]", "is_given_up": True, "not_before": 0.0}
    chosen = entry.c.id.in_([row.id for row in rows])
    connection.execute(update(entry).where(chosen).values(state=state, settled_run=run, changed_at=now, **said))


def put_right(connection: Connection, wanted: Sequence[StoredPayload]) -> None:
    """Writes the payloads that are missing or not what they have to be; what was set aside for it may be sent."""
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        found: Mapping[int, bytes] = {
            row.entry_id: row.payload if isinstance(row.payload, bytes) else b""
            for row in connection.execute(_STORED, {"chosen": [one.entry_id for one in chunk]})
        }
        missing = [one for one in chunk if one.entry_id not in found]
        _INSERT.execute(connection, [(one.entry_id, one.content) for one in missing])
        _KEPT.execute(connection, [(None, one.entry_id) for one in missing])
        other = [one for one in chunk if one.entry_id in found and found[one.entry_id] != one.content]
        if other:
            connection.execute(_REWRITE, [{"row": one.entry_id, "content": one.content} for one in other])
    held_up = [one for one in wanted if one.code == DAMAGED]
    _RELEASED.execute(connection, [(_released(one.was), "", False, one.entry_id) for one in held_up])


def _released(was: EntryState) -> str:
    if was != EntryState.DEFERRED:
        return str(was)
    check_move(was, EntryState.READY)
    return str(EntryState.READY)
