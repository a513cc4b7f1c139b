"""The bytes of what is sent: kept as they were put, and sent only if they still are.

A damaged disk, or somebody's hand, may have changed a payload. It is not sent then (FM811), and neither is one that a
key encrypts which is not there (FM814): `set_aside` says so, and `put_right` writes it anew where a reading makes the
same payload of the record.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, update

from fhirmap.journal.connection import CHUNK, Row
from fhirmap.journal.entries import Entry
from fhirmap.journal.row_statement import insert_into, update_of
from fhirmap.journal.schema import entry, payload
from fhirmap.journal.sealing import Sealed, Sealing
from fhirmap.journal.states import EntryState, check_move

__all__ = [
    "DAMAGED",
    "LOCKED",
    "UNSENDABLE",
    "OpenedRow",
    "StoredPayload",
    "as_put",
    "is_as_put",
    "put_right",
    "set_aside",
]

DAMAGED = "FM811"
"""The code of an entry whose payload is not what was put."""

LOCKED = "FM814"
"""The code of an entry whose payload is encrypted by a key that is not there."""

UNSENDABLE = (DAMAGED, LOCKED)

_INSERT = insert_into(payload, "entry_id", "payload", "sealed_by")
_REWRITE = update_of(payload, "payload", "sealed_by")
_STORED = select(payload.c.entry_id, payload.c.payload, payload.c.sealed_by).where(
    payload.c.entry_id.in_(bindparam("chosen", expanding=True))
)
_KEPT = update_of(entry, "purged_at")
_RELEASED = update_of(entry, "state", "code", "is_given_up")


class StoredPayload(NamedTuple):
    """What the payload of an entry has to be: that of ``item``; ``was``: its state and code."""

    entry_id: int
    item: Entry
    was: EntryState
    code: str = ""


def is_as_put(content: bytes | None, digest: str) -> bool:
    """Is this what was put? None: it is not there any more."""
    return isinstance(content, bytes | memoryview) and hashlib.sha256(content).hexdigest() == digest


class OpenedRow(NamedTuple):
    """A row, and its payload as it was put."""

    row: Row
    content: bytes


def as_put(rows: Iterable[Row], sealing: Sealing) -> tuple[list[OpenedRow], dict[str, list[Row]]]:
    """Rows with `key`, `payload`, `sealed_by` and `digest`: those whose payload is what was put, and the others by what
    is the matter with them, `DAMAGED` or `LOCKED`."""
    sound: list[OpenedRow] = []
    unsendable: dict[str, list[Row]] = {}
    for row in rows:
        sealed_by = row.sealed_by or ""
        content = sealing.open_payload(row.key, row.digest, row.payload, sealed_by)
        if content is not None and is_as_put(content, row.digest):
            sound.append(OpenedRow(row, content))
        else:
            unsendable.setdefault(DAMAGED if sealing.knows(sealed_by) else LOCKED, []).append(row)
    return sound, unsendable


def set_aside(
    connection: Connection, unsendable: Mapping[str, Sequence[Row]], was: EntryState, run: int, now: float
) -> None:
    """Marks entries that cannot be sent with what is the matter: this run does not send them, and the next one looks
    again."""
    if not unsendable:
        return
    state = EntryState.DEFERRED if was == EntryState.READY else was
    if state != was:
        check_move(was, state)
    said = {"status": 0, "issues": "[]", "is_given_up": True, "not_before": 0.0, "settled_run": run, "changed_at": now}
    for code, rows in unsendable.items():
        chosen = entry.c.id.in_([row.id for row in rows])
        connection.execute(update(entry).where(chosen).values(state=state, code=code, **said))


def put_right(connection: Connection, wanted: Sequence[StoredPayload], sealing: Sealing) -> None:
    """Writes the payloads that are missing or not what they have to be; what was set aside for it may be sent."""
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        stored = connection.execute(_STORED, {"chosen": [one.entry_id for one in chunk]}).all()
        found = {row.entry_id: row for row in stored}
        missing = [one for one in chunk if one.entry_id not in found]
        _INSERT.execute(connection, [(one.entry_id, *_sealed(one, sealing)) for one in missing])
        _KEPT.execute(connection, [(None, one.entry_id) for one in missing])
        other = [one for one in chunk if one.entry_id in found and not _is_kept(one, found[one.entry_id], sealing)]
        _REWRITE.execute(connection, [(*_sealed(one, sealing), one.entry_id) for one in other])
    held_up = [one for one in wanted if one.code in UNSENDABLE]
    _RELEASED.execute(connection, [(_released(one.was), "", False, one.entry_id) for one in held_up])


def _sealed(wanted: StoredPayload, sealing: Sealing) -> Sealed:
    return sealing.seal_payload(wanted.item.key, wanted.item.digest, wanted.item.payload)


def _is_kept(wanted: StoredPayload, row: Row, sealing: Sealing) -> bool:
    """Is what is stored what it has to be?"""
    item = wanted.item
    return sealing.open_payload(item.key, item.digest, row.payload, row.sealed_by) == item.payload


def _released(was: EntryState) -> str:
    if was != EntryState.DEFERRED:
        return str(was)
    check_move(was, EntryState.READY)
    return str(EntryState.READY)
