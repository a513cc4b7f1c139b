"""What the source said: batches of entries are decided upon and written, and a complete reading closes what is gone."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeAlias

from sqlalchemy import Column, Connection, Select, String, and_, bindparam, insert, select, update

from fhirmap.journal.connection import CHUNK, Row
from fhirmap.journal.decision import Decision, Step, decide, rows_by_key
from fhirmap.journal.entries import Counts, Entry, RecordReading
from fhirmap.journal.layouts import Layouts
from fhirmap.journal.put_batch import PutBatch, chunks_of_distinct_keys
from fhirmap.journal.schema import checkpoint, entry, payload, run
from fhirmap.journal.states import EntryState, WithdrawalCause
from fhirmap.journal.stored_cells import counted, is_unreadable
from fhirmap.journal.withdrawal_change import ForeseenWithdrawals, WithdrawalChange, declared_again, withdrawn
from fhirmap.journal.withdrawals import Withdrawals

__all__ = ["EntryIntake"]

_DECISIVE = (
    entry.c.id,
    entry.c.key,
    entry.c.digest,
    entry.c.state,
    entry.c.is_current,
    entry.c.in_doubt,
    entry.c.last_attempt,
    entry.c.changed_at,
    entry.c.read_run,
    entry.c.read_digest,
    entry.c.read_layout,
    entry.c.made_by,
    entry.c.source,
    entry.c.notes,
    entry.c.faults,
    entry.c.code,
    entry.c.not_before,
)
"""What a decision needs of a row."""

_SAME = (
    entry.c.id,
    entry.c.key,
    entry.c.read_digest,
    entry.c.read_layout,
    entry.c.made_by,
    entry.c.state,
    entry.c.is_current,
    entry.c.held,
    entry.c.faults,
    entry.c.read_run,
    entry.c.origin,
)
"""What is needed of a row to know that a record is what it was, in the order of `_is_kept`."""

# Made once: an expression of SQLAlchemy is a cycle, which stays in memory until the collector looks for it.
_COUNTED = (
    update(run)
    .where(run.c.id == bindparam("of_run"))
    .values(read=run.c.read + bindparam("more_read"), repeated=run.c.repeated + bindparam("more_repeated"))
)

_Decided: TypeAlias = tuple[Entry, Sequence[Row], Decision]
"""An entry, the rows of its key, and what is to be done."""


class EntryIntake(Withdrawals):
    """What a run does with the records that it read; each method is one committed transaction."""

    def start_run(
        self, map_digest: str = "", *, source: str = "", resend: bool = False, places: Sequence[str] = ()
    ) -> int:
        """As `RunLedger.start_run`."""
        number = super().start_run(map_digest, source=source, resend=resend, places=places)
        self.begin(source=source, resend=resend)
        return number

    def begin(self, *, source: str, resend: bool) -> None:
        """Makes ready for the entries of a reading, without a run of its own: for what only looks."""
        self._source, self._resend = source, resend
        self._layouts = Layouts()
        self._older: set[str] = set()
        self._started_at = self._clock()
        self._again = self._returned()

    # ---- what the source said ------------------------------------------------------------------------------

    def put(self, entries: Iterable[Entry], checkpoints: Mapping[str, str] | None = None) -> Counts:
        """Takes in a batch of entries, with the source's checkpoints, in one transaction; how many came to what.

        The payload that was accepted or refused before is ``unchanged``; one that waits already stays ``pending``.
        Another payload of a key takes the former's place (superseded where it was not settled) and is sent, also where
        the former was accepted: unless the source gave the same values, which only the map, the target or the version
        makes another payload of. That is ``held``.
        """
        if not self._run:
            self.start_run()
        counts = Counts()
        with self._writing() as connection:
            for chunk in chunks_of_distinct_keys(entries):
                counts += self._put_chunk(
                    connection, chunk, PutBatch(self._run, self._clock(), self._sealing, self._source)
                )
            self._count(connection, read=counts.read, repeated=counts.repeated + counts.superseded)
            for name, value in (checkpoints or {}).items():
                self._put_checkpoint(connection, name, value)
        return counts

    def keep_unchanged(self, readings: Sequence[RecordReading], made_by: str) -> set[str]:
        """Takes in those of ``readings``, of which no two have the same key, that are what they were: in one
        transaction, as `put` would take what is made of them. Gives their keys; the others are to be put.

        ``made_by``: as of the entries that would be made. A record is what it was where the same was read of it, what
        makes its entry is the same, and the journal has nothing else of its key: it was accepted or refused, or is out
        of scope. One of which something is wrong is not kept: what is said of it may be in another language by now.
        """
        if not made_by or not readings:
            return set()
        if not self._run:
            self.start_run()
        wanted = {reading.key: reading for reading in readings if reading.key not in self._again}
        batch = PutBatch(self._run, self._clock(), self._sealing, self._source)
        with self._writing() as connection:
            known = rows_by_key(connection.execute(self._same, {"keys": list(wanted)}).all())
            kept = {key for key, rows in known.items() if self._is_kept(wanted[key], rows, made_by)}
            for key in kept:
                batch.keep(known[key][0])
            batch.flush(connection, self._identity)
            self._count(connection, read=len(kept), repeated=0)
        return kept

    def _is_kept(self, reading: RecordReading, rows: Sequence[Row], made_by: str) -> bool:
        if len(rows) > 1:
            return False
        _, _, *was, state, is_current, held, faults, read_run, origin = rows[0]
        if was != [reading.read.digest, reading.read.layout, made_by]:
            return False
        if not is_current or held or faults != "[]" or read_run == self._run:
            return False
        if state == EntryState.OUT_OF_SCOPE:
            return bool(origin == reading.origin)
        return state in (EntryState.ACCEPTED, EntryState.REFUSED)

    def _count(self, connection: Connection, *, read: int, repeated: int) -> None:
        """Adds to what the run has read."""
        connection.execute(_COUNTED, {"of_run": self._run, "more_read": read, "more_repeated": repeated})

    def _put_chunk(self, connection: Connection, chunk: Sequence[Entry], batch: PutBatch) -> Counts:
        decided = self._decided(connection, chunk)
        counts: Counter[str] = Counter(superseded=len(chunk) - len(decided))
        for item, rows, decision in decided:
            counts[self._carry_out(item, rows, decision, batch)] += 1
        batch.flush(connection, self._identity)
        self._layouts.keep(connection, [item for item, _, _ in decided])
        self._change(connection, self._withdrawal_changes(connection, decided))
        return Counts(**counts, repeated=batch.repeated)

    def _decided(self, connection: Connection, items: Sequence[Entry]) -> list[_Decided]:
        """What is to be done with each, older revisions aside."""
        self._older.update(item.key for item in items if item.state == EntryState.SUPERSEDED)
        wanted = [item for item in items if item.state != EntryState.SUPERSEDED]
        known = self._rows_of([item.key for item in wanted], connection)
        with_rows = [(item, known.get(item.key, [])) for item in wanted]
        return [(item, rows, self._decide(connection, item, rows)) for item, rows in with_rows]

    def _withdrawal_changes(self, connection: Connection, decided: Iterable[_Decided]) -> list[WithdrawalChange]:
        touched = [
            (item, decision) for item, _, decision in decided if decision.withdraws or self._may_be_back(item, decision)
        ]
        known = self._open_rows(connection, [item.key for item, _ in touched])
        return [
            withdrawn(item.key, known.get(item.key), self._cause(item), by_map=decision.by_map)
            if decision.withdraws
            else declared_again(item.key, known.get(item.key), is_sent=decision.is_sent)
            for item, decision in touched
        ]

    def _may_be_back(self, item: Entry, decision: Decision) -> bool:
        return item.state == EntryState.READY and (decision.was_withdrawn or item.key in self._again)

    def _cause(self, item: Entry) -> WithdrawalCause:
        if item.state == EntryState.GONE and item.key in self._older:
            return WithdrawalCause.SUPERSEDED
        return WithdrawalCause(item.state)

    def _rows_of(self, keys: Sequence[str], connection: Connection) -> dict[str, list[Row]]:
        return rows_by_key(connection.execute(self._decisive, {"keys": keys}).all())

    @cached_property
    def _decisive(self) -> Select[Any]:
        return self._of_keys(*_DECISIVE)

    @cached_property
    def _same(self) -> Select[Any]:
        return self._of_keys(*_SAME)

    def _of_keys(self, *columns: Column[Any]) -> Select[Any]:
        """These columns of the rows of ``keys``."""
        return select(*columns).where(self._scope, entry.c.key.in_(bindparam("keys", type_=String(), expanding=True)))

    def _decide(self, connection: Connection, item: Entry, rows: Sequence[Row]) -> Decision:
        return decide(
            item,
            rows,
            lambda row, entry: self._layouts.is_same(connection, row, entry),
            resend=self._resend,
            again=self._resend and item.key in self._again,
        )

    def decisions(self, items: Sequence[Entry], withdrawals: ForeseenWithdrawals) -> list[tuple[Entry, Decision]]:
        """What `put` would do with each, older revisions aside, and with ``withdrawals``; nothing is written."""
        with self._transaction() as connection:
            decided = self._decided(connection, items)
            changes = self._withdrawal_changes(connection, decided)
        for change in changes:
            withdrawals.take(change)
        return [(item, decision) for item, _, decision in decided]

    def current_keys(self) -> list[str]:
        """The keys that the source held when it was read last, as far as the journal knows."""
        query = select(entry.c.key).where(self._scope, entry.c.is_current.is_(True), entry.c.source == self._source)
        query = query.order_by(entry.c.id)
        with self._transaction() as connection:
            return list(connection.execute(query.where(entry.c.state != EntryState.GONE)).scalars())

    def payload(self, entry_id: int) -> bytes | None:
        """What was sent, or is to be sent, of an entry; None where it was purged, or cannot be opened."""
        query = select(entry.c.key, entry.c.digest, payload.c.payload, payload.c.sealed_by)
        with self._transaction() as connection:
            one = connection.execute(query.join(payload).where(payload.c.entry_id == entry_id)).one_or_none()
        return None if one is None else self._sealing.open_payload(*one)

    def _carry_out(self, item: Entry, rows: Sequence[Row], decision: Decision, batch: PutBatch) -> str:
        step, kept = decision.step, decision.same
        if step == Step.HELD:
            kept = decision.base
        not_before = 0.0
        for row in rows if len(rows) > 1 or kept is None else ():
            if row.is_current and (kept is None or row.id != kept.id):
                batch.replace(row)
                # A call of it may still be under way at the receiver: what takes its place waits as it would have.
                not_before = row.not_before if row.state == EntryState.UNCERTAIN else 0.0
        if kept is None:
            # A record of the project's own source stays one: its absence there is what matters.
            is_own = bool(rows) and any(row.source == "" for row in rows)
            batch.insert(item, self._request_key(item, decision.generation), "" if is_own else self._source, not_before)
            return item.state
        if kept.read_run == self._run:
            batch.repeated += 1
        if step == Step.VERDICT:
            batch.verdict(kept, item)
            return item.state
        if step in (Step.UNCHANGED, Step.PENDING, Step.HELD):
            batch.touch(kept, item, held=step == Step.HELD)
            if step == Step.PENDING and kept.state not in (EntryState.SENDING, EntryState.UNREADABLE):
                batch.require_payload(kept, item)
            return step
        batch.revive(kept, item, self._request_key(item, decision.generation), not_before)
        return EntryState.READY

    # ---- what a complete reading says ------------------------------------------------------------------------

    def last_complete(self) -> int | None:
        """How many records the last complete reading of this source held; None where there was none."""
        return counted(self.checkpoint(self._complete_name))

    def close_reading(self, read: int) -> int:
        """Notes that the source was read to its end, ``read`` records: those it no longer holds are gone, and are not
        sent any more. Gives how many."""
        query = (
            select(entry.c.id, entry.c.key)
            .where(self._scope, entry.c.read_run < self._run, entry.c.is_current.is_(True))
            .where(entry.c.state != EntryState.GONE, entry.c.source == self._source)
            .where(entry.c.read_at < self._started_at)  # another worker may have read it meanwhile
            .order_by(entry.c.id)
            .limit(CHUNK)
        )
        gone, last = 0, 0
        # In several transactions, so that none is long: where one of them is the last, the next reading goes on.
        while rows := self._some_gone(query.where(entry.c.id > last)):
            gone, last = gone + len(rows), rows[-1].id
        with self._writing() as connection:
            self._put_checkpoint(connection, self._complete_name, str(read))
        return gone

    def _some_gone(self, query: Select[Any]) -> Sequence[Row]:
        with self._writing() as connection:
            rows = connection.execute(query).all()
            keys = (row.key for row in rows if not is_unreadable([row.key]))
            for chunk in chunks_of_distinct_keys(Entry(key, EntryState.GONE) for key in keys):
                self._put_chunk(connection, chunk, PutBatch(0, self._clock(), self._sealing, self._source))
        return rows

    @property
    def _complete_name(self) -> str:
        return f"complete:{self._source}"

    def _request_key(self, item: Entry, generation: int) -> str:
        if item.request_key and not generation:
            return item.request_key
        parts = (*self._identity.values(), item.key, item.digest, str(generation))
        return _name_based_uuid("\x1f".join(parts))

    def _put_checkpoint(self, connection: Connection, name: str, value: str) -> None:
        where = and_(
            checkpoint.c.establishment == self._identity["establishment"],
            checkpoint.c.operation == self._identity["operation"],
            checkpoint.c.name == name,
        )
        values = {"value": value, "at": self._clock()}
        if not connection.execute(update(checkpoint).where(where).values(values)).rowcount:
            connection.execute(insert(checkpoint).values(**self._identity, name=name, **values))

    def checkpoint(self, name: str) -> str | None:
        """What a source last noted under ``name``; ``None`` where it never did."""
        with self._transaction() as connection:
            found = connection.execute(
                select(checkpoint.c.value).where(
                    checkpoint.c.establishment == self._identity["establishment"],
                    checkpoint.c.operation == self._identity["operation"],
                    checkpoint.c.name == name,
                )
            ).scalar()
        return None if found is None else str(found)


_NAMESPACE = uuid.NAMESPACE_URL.bytes


def _name_based_uuid(name: str) -> str:
    """`uuid.uuid5` in the namespace of URLs, as text, without an object for it: one for each record that is read.

    Example:
        >>> _name_based_uuid("a") == str(uuid.uuid5(uuid.NAMESPACE_URL, "a"))
        True
    """
    found = hashlib.sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(found[16], 16) & 3]
    return f"{found[:8]}-{found[8:12]}-5{found[13:16]}-{variant}{found[17:20]}-{found[20:32]}"
