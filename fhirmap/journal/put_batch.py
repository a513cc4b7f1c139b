"""The statements of one chunk of `put`, gathered so that each kind is executed once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import Connection, bindparam, true, update

from fhirmap.journal.codec import faults_to_json, notes_to_json
from fhirmap.journal.connection import CHUNK, Row
from fhirmap.journal.entries import Entry
from fhirmap.journal.payloads import StoredPayload, put_right
from fhirmap.journal.row_statement import RowValues, insert_into, next_numbers, update_of
from fhirmap.journal.schema import entry, payload, run
from fhirmap.journal.sealing import Sealing
from fhirmap.journal.states import EntryState, check_move

__all__ = ["PutBatch", "chunks_of_distinct_keys"]

_READ_COLUMNS = ("read_digest", "read_layout", "read_parts", "made_by")
_INSERT = insert_into(
    entry,
    *("id", "establishment", "operation", "first_seen_at", "changed_at", "read_run", "read_at"),
    *("key", "digest", "state", "limit_key", "request_key", "origin", "notes", "faults", "source", "not_before"),
    *_READ_COLUMNS,
    is_current=true(),
)
_PAYLOAD = insert_into(payload, "entry_id", "payload", "sealed_by")
_READ_ANEW = update_of(entry, *_READ_COLUMNS)
_SAID_ANEW = update_of(entry, "notes", "faults")
_REWRITTEN = update_of(
    entry,
    *("state", "changed_at", "request_key", "limit_key", "origin", "notes", "faults", *_READ_COLUMNS),
    *("is_current", "held", "is_given_up", "read_run", "read_at", "not_before", "source"),
)

# Of a run that goes on: the account of one that is over is closed.
_REREAD = (
    update(run)
    .where(run.c.id == bindparam("of_run"), run.c.finished_at.is_(None))
    .values(reread=run.c.reread + bindparam("more"))
)


class PutBatch:
    """The statements of one chunk of `put`, gathered so that each kind runs once."""

    def __init__(self, run_id: int, now: float, sealing: Sealing, source: str = "") -> None:
        self._run = run_id
        self._now = now
        self._sealing = sealing
        # What the project's own source holds is that one's, whichever held it first.
        self._own = {"source": ""} if not source else {}
        self._inserts: list[RowValues] = []
        self._items: list[Entry] = []
        self._touched: list[int] = []
        self._held: list[int] = []
        self._read_anew: list[RowValues] = []
        self._said_anew: list[RowValues] = []
        self._retired: list[int] = []
        self._replaced: list[int] = []
        self._rewritten: list[RowValues] = []
        self._required: list[StoredPayload] = []
        self._reread: Counter[int] = Counter()
        self.repeated = 0

    def insert(self, item: Entry, request_key: str, source: str, not_before: float = 0.0) -> None:
        """The first time this payload of its key is read; it is one of ``source``, and does not leave before."""
        sent = (item.digest, "ready", item.limit_key, request_key)
        if item.state != EntryState.READY:
            sent = ("", str(item.state), item.limit_key, "")
        said = (item.origin, notes_to_json(item.notes), faults_to_json(item.faults), source, not_before)
        self._inserts.append((item.key, *sent, *said, *_read_values(item)))
        self._items.append(item)

    def touch(self, row: Row, item: Entry, *, held: bool = False) -> None:
        """It was read again and stays as it is; ``held``: although the map makes another payload of it.

        What there is to say of it is said anew: an edited map has other notes, and the old ones at other lines.
        """
        self._take_over(row)
        (self._held if held else self._touched).append(row.id)
        said = (notes_to_json(item.notes), faults_to_json(item.faults))
        if said != (row.notes, row.faults):
            self._said_anew.append((*said, row.id))
        read = item.read
        # What is held is not what this map makes.
        made_by = "" if held else item.made_by
        if read is not None and (read.digest, read.layout, made_by) != (row.read_digest, row.read_layout, row.made_by):
            self._read_anew.append((read.digest, read.layout, read.parts(), made_by, row.id))

    def keep(self, row: Row) -> None:
        """It was read again, and is what it was in every respect."""
        self._take_over(row)
        self._touched.append(row.id)

    def require_payload(self, row: Row, item: Entry) -> None:
        """It waits to be sent: its payload has to be there, and what was put."""
        self._required.append(StoredPayload(row.id, item, row.state, row.code))

    def replace(self, row: Row) -> None:
        """Another entry of the key is the current one from now on."""
        if row.state in (EntryState.READY, EntryState.DEFERRED, EntryState.UNCERTAIN):
            check_move(row.state, EntryState.SUPERSEDED)
            self._replaced.append(row.id)
        else:
            self._retired.append(row.id)

    def revive(self, row: Row, item: Entry, request_key: str, not_before: float = 0.0) -> None:
        """It is to be sent again, not before that time."""
        check_move(row.state, EntryState.READY)
        self._rewrite(row, item, state=EntryState.READY, request_key=request_key, not_before=not_before)
        self._required.append(StoredPayload(row.id, item, EntryState.READY, row.code))

    def verdict(self, row: Row, item: Entry) -> None:
        """The record has nothing to send, as before or for another reason."""
        check_move(row.state, item.state)
        self._rewrite(row, item, state=item.state, request_key="")

    def _take_over(self, row: Row) -> None:
        """It counts for this run from now on."""
        if row.read_run != self._run:
            self._reread[row.read_run] += 1

    def _rewrite(self, row: Row, item: Entry, *, state: EntryState, request_key: str, not_before: float = 0.0) -> None:
        self._take_over(row)
        changed_at = row.changed_at if row.state == state else self._now
        said = (item.origin, notes_to_json(item.notes), faults_to_json(item.faults))
        first = (str(state), changed_at, request_key, item.limit_key, *said, *_read_values(item))
        source = self._own.get("source", row.source)
        self._rewritten.append((*first, True, False, False, self._run, self._now, not_before, source, row.id))

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
        _READ_ANEW.execute(connection, self._read_anew)
        _SAID_ANEW.execute(connection, self._said_anew)
        _REWRITTEN.execute(connection, self._rewritten)
        put_right(connection, self._required, self._sealing)
        for number, count in sorted(self._reread.items()):
            connection.execute(_REREAD, {"of_run": number, "more": count})
        numbers = next_numbers(connection, entry, len(self._inserts)) if self._inserts else ()
        common = (*identity.values(), self._now, self._now, self._run, self._now)
        _INSERT.execute(
            connection, [(number, *common, *row) for number, row in zip(numbers, self._inserts, strict=True)]
        )
        sent = [pair for pair in zip(numbers, self._items, strict=True) if pair[1].state == EntryState.READY]
        seal = self._sealing.seal_payload
        _PAYLOAD.execute(connection, [(number, *seal(item.key, item.digest, item.payload)) for number, item in sent])


def _read_values(item: Entry) -> RowValues:
    """Of `_READ_COLUMNS`."""
    read = item.read
    return ("", "", b"", "") if read is None else (read.digest, read.layout, read.parts(), item.made_by)


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
