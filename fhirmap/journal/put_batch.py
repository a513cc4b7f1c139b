"""The statements of one chunk of `put`, gathered so that each kind is executed once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, update

from fhirmap.journal.codec import faults_to_json, notes_to_json
from fhirmap.journal.connection import CHUNK, Row
from fhirmap.journal.entries import Entry, ReadValues
from fhirmap.journal.row_statement import insert_into
from fhirmap.journal.schema import entry
from fhirmap.journal.states import EntryState, check_move

__all__ = ["PutBatch", "chunks_of_distinct_keys"]

_INSERT = insert_into(entry)


class PutBatch:
    """The statements of one chunk of `put`, gathered so that each kind runs once."""

    def __init__(self, run_id: int, now: float, source: str = "") -> None:
        self._run = run_id
        self._now = now
        # What the project's own source holds is that one's, whichever held it first.
        self._own = {"source": ""} if not source else {}
        self._inserts: list[dict[str, Any]] = []
        self._touched: list[int] = []
        self._held: list[int] = []
        self._reread: list[dict[str, Any]] = []
        self._said_anew: list[dict[str, Any]] = []
        self._retired: list[int] = []
        self._replaced: list[int] = []
        self._rewritten: list[dict[str, Any]] = []
        self.repeated = 0

    def insert(self, item: Entry, request_key: str, source: str) -> None:
        """The first time this payload of its key is read; it is one of ``source``."""
        self._inserts.append(
            {
                "key": item.key,
                "digest": item.digest if item.state == EntryState.READY else "",
                "state": item.state,
                "is_current": True,
                "payload": item.payload if item.state == EntryState.READY else b"",
                "limit_key": item.limit_key,
                "request_key": request_key if item.state == EntryState.READY else "",
                "origin": item.origin,
                "notes": notes_to_json(item.notes),
                "faults": faults_to_json(item.faults),
                "first_seen_at": self._now,
                "changed_at": self._now,
                "read_run": self._run,
                "read_at": self._now,
                "source": source,
                **_read_columns(item.read),
            }
        )

    def touch(self, row: Row, item: Entry, *, held: bool = False) -> None:
        """It was read again and stays as it is; ``held``: although the map makes another payload of it.

        What there is to say of it is said anew: an edited map has other notes, and the old ones at other lines.
        """
        (self._held if held else self._touched).append(row.id)
        said = {"new_notes": notes_to_json(item.notes), "new_faults": faults_to_json(item.faults)}
        if (said["new_notes"], said["new_faults"]) != (row.notes, row.faults):
            self._said_anew.append({"row": row.id, **said})
        read = item.read
        if read is not None and (read.digest, read.layout) != (row.read_digest, row.read_layout):
            self._reread.append({"row": row.id, **{f"new_{n}": value for n, value in _read_columns(read).items()}})

    def replace(self, row: Row) -> None:
        """Another entry of the key is the current one from now on."""
        if row.state in (EntryState.READY, EntryState.DEFERRED, EntryState.UNCERTAIN):
            check_move(row.state, EntryState.SUPERSEDED)
            self._replaced.append(row.id)
        else:
            self._retired.append(row.id)

    def revive(self, row: Row, item: Entry, request_key: str) -> None:
        """It is to be sent again."""
        check_move(row.state, EntryState.READY)
        self._rewrite(row, item, state=EntryState.READY, request_key=request_key)

    def verdict(self, row: Row, item: Entry) -> None:
        """The record has nothing to send, as before or for another reason."""
        check_move(row.state, item.state)
        self._rewrite(row, item, state=item.state, request_key="")

    def _rewrite(self, row: Row, item: Entry, *, state: EntryState, request_key: str) -> None:
        self._rewritten.append(
            {
                "row": row.id,
                "new_changed_at": row.changed_at if row.state == state else self._now,
                "new_state": state,
                "new_request_key": request_key,
                "new_limit_key": item.limit_key,
                "new_origin": item.origin,
                "new_notes": notes_to_json(item.notes),
                "new_faults": faults_to_json(item.faults),
                **{f"new_{name}": value for name, value in _read_columns(item.read).items()},
            }
        )

    def flush(self, connection: Connection, identity: Mapping[str, str]) -> None:
        """Executes them; the order keeps one current row per key."""
        if self._retired:
            connection.execute(update(entry).where(entry.c.id.in_(self._retired)).values(is_current=False))
        if self._replaced:
            connection.execute(
                update(entry)
                .where(entry.c.id.in_(self._replaced))
                .values(is_current=False, state=EntryState.SUPERSEDED, changed_at=self._now)
            )
        for held, rows in ((False, self._touched), (True, self._held)):
            if rows:
                connection.execute(
                    update(entry)
                    .where(entry.c.id.in_(rows))
                    .values(is_current=True, read_run=self._run, read_at=self._now, held=held, **self._own)
                )
        if self._reread:
            connection.execute(
                update(entry)
                .where(entry.c.id == bindparam("row"))
                .values({name: bindparam(f"new_{name}") for name in _READ_COLUMNS}),
                self._reread,
            )
        if self._said_anew:
            connection.execute(
                update(entry)
                .where(entry.c.id == bindparam("row"))
                .values(notes=bindparam("new_notes"), faults=bindparam("new_faults")),
                self._said_anew,
            )
        if self._rewritten:
            connection.execute(
                update(entry)
                .where(entry.c.id == bindparam("row"))
                .values(
                    state=bindparam("new_state"),
                    request_key=bindparam("new_request_key"),
                    limit_key=bindparam("new_limit_key"),
                    origin=bindparam("new_origin"),
                    notes=bindparam("new_notes"),
                    faults=bindparam("new_faults"),
                    **{name: bindparam(f"new_{name}") for name in _READ_COLUMNS},
                    is_current=True,
                    held=False,
                    read_run=self._run,
                    read_at=self._now,
                    not_before=0.0,
                    changed_at=bindparam("new_changed_at"),
                    **self._own,
                ),
                self._rewritten,
            )
        _INSERT.execute(connection, self._inserts, identity)


_READ_COLUMNS = ("read_digest", "read_layout", "read_parts")


def _read_columns(read: ReadValues | None) -> dict[str, Any]:
    if read is None:
        return dict(zip(_READ_COLUMNS, ("", "", b""), strict=True))
    return dict(zip(_READ_COLUMNS, (read.digest, read.layout, read.parts()), strict=True))


def chunks_of_distinct_keys(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Lists of at most `CHUNK` entries in which no key comes twice, so that the second of a key sees the first."""
    chunk: list[Entry] = []
    keys: set[str] = set()
    for item in entries:
        kept = item.state != EntryState.SUPERSEDED
        if len(chunk) >= CHUNK or (kept and item.key in keys):
            yield chunk
            chunk, keys = [], set()
        chunk.append(item)
        if kept:
            keys.add(item.key)
    if chunk:
        yield chunk
