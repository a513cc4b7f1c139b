"""The queue: put what was read, lease what may be sent, settle what was answered, recover what a dead process left.

One file, since these statements only keep the package's promises together.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, insert, select, update

from fhirmap.errors import InternalError
from fhirmap.journal.codec import issues_from_json, issues_to_json
from fhirmap.journal.connection import WITHOUT_PAYLOAD, Row
from fhirmap.journal.entries import Accepted, Counts, Entry, Lease
from fhirmap.journal.ledger import RunLedger
from fhirmap.journal.put_batch import PutBatch, chunks_of_distinct_keys
from fhirmap.journal.schema import attempt, checkpoint, entry, run
from fhirmap.journal.states import PENDING, VERDICTS, ArchiveState, AttemptEvent, EntryState, check_move
from fhirmap.records import Envelope, Receipt, ReceiptState

__all__ = ["EntryQueue"]

_SENDABLE = (EntryState.DEFERRED, EntryState.UNCERTAIN, EntryState.READY)
_LEASE_S = 600.0


class EntryQueue(RunLedger):
    """What a run does with entries; each method is one committed transaction."""

    # ---- what the source said ------------------------------------------------------------------------------

    def put(self, entries: Iterable[Entry], checkpoints: Mapping[str, str] | None = None) -> Counts:
        """Takes in a batch of entries, with the source's checkpoints, in one transaction; how many came to what.

        The payload that was accepted or refused before is ``unchanged``; one that waits already stays ``pending``.
        Another payload of a key takes the former's place (superseded where it was not settled) and is sent, also where
        the former was accepted.
        """
        if not self._run:
            self.start_run()
        counts = Counts()
        with self._transaction() as connection:
            for chunk in chunks_of_distinct_keys(entries):
                counts += self._put_chunk(connection, chunk)
            connection.execute(
                update(run)
                .where(run.c.id == self._run)
                .values(read=run.c.read + counts.read, repeated=run.c.repeated + counts.repeated + counts.superseded)
            )
            for name, value in (checkpoints or {}).items():
                self._put_checkpoint(connection, name, value)
        return counts

    def _put_chunk(self, connection: Connection, chunk: Sequence[Entry]) -> Counts:
        wanted = [item for item in chunk if item.state != EntryState.SUPERSEDED]
        known = self._rows_of([item.key for item in wanted], connection)
        batch = PutBatch(self._run, self._clock())
        counts: Counter[str] = Counter(superseded=len(chunk) - len(wanted))
        for item in wanted:
            counts[self._put_one(item, known.get(item.key, []), batch)] += 1
        batch.flush(connection, self._identity)
        return Counts(**counts, repeated=batch.repeated)

    def _rows_of(self, keys: Sequence[str], connection: Connection) -> dict[str, list[Row]]:
        columns = (
            entry.c.id,
            entry.c.key,
            entry.c.digest,
            entry.c.state,
            entry.c.is_current,
            entry.c.in_doubt,
            entry.c.last_attempt,
            entry.c.read_run,
        )
        query = select(*columns).where(self._scope, entry.c.key.in_(keys))
        if self._shared:
            query = query.with_for_update()
        found: dict[str, list[Row]] = {}
        for row in connection.execute(query):
            found.setdefault(row.key, []).append(row)
        return found

    def _put_one(self, item: Entry, rows: Sequence[Row], batch: PutBatch) -> str:
        if item.state not in (EntryState.READY, *VERDICTS):
            raise InternalError("FM911", before="(new)", after=item.state)
        same = next((row for row in rows if row.digest == item.digest), None)
        others = [row for row in rows if row.digest != item.digest]
        for row in others:
            if row.is_current:
                batch.replace(row)
        if same is None:
            batch.insert(item, self._request_key(item, 0))
            return item.state
        if same.read_run == self._run:
            batch.repeated += 1
        if item.state in VERDICTS:
            batch.verdict(same, item)
            return item.state
        if same.state in (EntryState.ACCEPTED, EntryState.REFUSED) and not _sent_since(same, others):
            batch.touch(same)
            return "unchanged"
        if same.state in PENDING:
            batch.touch(same)
            return "pending"
        # Another payload of this key has been sent meanwhile: this one is a new request, not a repeat of its former
        # self.
        generation = max((row.last_attempt for row in others), default=0) if _sent_since(same, others) else 0
        batch.revive(same, item, self._request_key(item, generation))
        return EntryState.READY

    def _request_key(self, item: Entry, generation: int) -> str:
        if item.request_key and not generation:
            return item.request_key
        parts = (*self._identity.values(), item.key, item.digest, str(generation))
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "\x1f".join(parts)))

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

    # ---- what is sent --------------------------------------------------------------------------------------

    def recover(self) -> int:
        """Takes back what a dead process was sending: no answer is recorded, so it is ``uncertain`` and in doubt.
        Gives how many.

        On SQLite, where one run works at a time, that is everything in ``sending``; on PostgreSQL what has an expired
        lease.
        """
        now = self._clock()
        lost = [entry.c.state == EntryState.SENDING]
        if self._shared:
            lost.append(entry.c.lease_until < now)
        with self._transaction() as connection:
            query = select(entry.c.id, entry.c.is_current, entry.c.attempts).where(self._scope, *lost)
            if self._shared:
                query = query.with_for_update(skip_locked=True)
            rows = connection.execute(query).all()
            for row in rows:
                state = EntryState.UNCERTAIN if row.is_current else EntryState.SUPERSEDED
                connection.execute(
                    insert(attempt).values(
                        entry_id=row.id,
                        run_id=self._run,
                        number=row.attempts,
                        event=AttemptEvent.LOST,
                        at=now,
                        state=EntryState.UNCERTAIN,
                        code="FM653",
                    )
                )
                connection.execute(
                    update(entry)
                    .where(entry.c.id == row.id)
                    .values(
                        state=state,
                        in_doubt=True,
                        lease="",
                        code="FM653",
                        status=0,
                        issues="[]",
                        not_before=0.0,
                        changed_at=now,
                    )
                )
        return len(rows)

    def lease(
        self,
        count: int = 1,
        now: float | None = None,
        *,
        avoid: Collection[str] = (),
        skip: Collection[int] = (),
        lease_s: float = _LEASE_S,
    ) -> list[Lease]:
        """Up to ``count`` entries that may leave now, marked ``sending``: due retries first, then ready ones in the
        order read.

        ``avoid``: limit keys whose turn has not come; ``skip``: entries given up for this run.
        """
        at = self._clock() if now is None else now
        with self._transaction() as connection:
            rows: list[Row] = []
            for state in self._sendable():
                if len(rows) < count:
                    rows += connection.execute(self._due_query(state, at, avoid, skip, count - len(rows))).all()
            leases = [self._lease_of(row) for row in rows]
            if leases:
                self._mark_sending(connection, leases, at, at + lease_s)
        return leases

    def _sendable(self) -> tuple[EntryState, ...]:
        return (EntryState.DEFERRED, EntryState.READY) if self._hold_uncertain else _SENDABLE

    def _due_query(
        self, state: EntryState, now: float, avoid: Collection[str], skip: Collection[int], count: int
    ) -> Select[Any]:
        query = (
            select(
                entry.c.id,
                entry.c.key,
                entry.c.payload,
                entry.c.digest,
                entry.c.limit_key,
                entry.c.request_key,
                entry.c.attempts,
                entry.c.state,
            )
            .where(self._scope, entry.c.state == state, entry.c.is_current.is_(True), entry.c.not_before <= now)
            .order_by(entry.c.not_before, entry.c.id)
            .limit(count)
        )
        if avoid:
            query = query.where(entry.c.limit_key.not_in(list(avoid)))
        if skip:
            query = query.where(entry.c.id.not_in(list(skip)))
        return query.with_for_update(skip_locked=True) if self._shared else query

    def _lease_of(self, row: Row) -> Lease:
        check_move(row.state, EntryState.SENDING)
        envelope = Envelope(row.key, bytes(row.payload), row.digest, row.limit_key, row.request_key)
        return Lease(row.id, envelope, row.attempts + 1, row.state, f"{self._owner}.{row.attempts + 1}")

    def _mark_sending(self, connection: Connection, leases: Sequence[Lease], now: float, until: float) -> None:
        sent = [
            {
                "entry_id": lease.entry_id,
                "run_id": self._run,
                "number": lease.number,
                "event": AttemptEvent.SENT,
                "at": now,
                "state": EntryState.SENDING,
            }
            for lease in leases
        ]
        numbers = {
            row.entry_id: row.id
            for row in connection.execute(insert(attempt).returning(attempt.c.id, attempt.c.entry_id), sent)
        }
        connection.execute(
            update(entry)
            .where(entry.c.id == bindparam("row"))
            .values(
                state=EntryState.SENDING,
                attempts=bindparam("number"),
                lease=bindparam("token"),
                lease_until=until,
                changed_at=now,
                last_attempt=bindparam("attempt_id"),
            ),
            [
                {
                    "row": lease.entry_id,
                    "number": lease.number,
                    "token": lease.token,
                    "attempt_id": numbers[lease.entry_id],
                }
                for lease in leases
            ],
        )

    def next_due(self, *, skip: Collection[int] = ()) -> float | None:
        """When the earliest entry that may be sent may be sent (0 for at once); ``None`` where there is none."""
        query = select(func.min(entry.c.not_before)).where(
            self._scope, entry.c.state.in_(self._sendable()), entry.c.is_current.is_(True)
        )
        if skip:
            query = query.where(entry.c.id.not_in(list(skip)))
        with self._transaction() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else float(found)

    def waiting(self) -> int:
        """How many current entries may still be sent, due or not."""
        query = select(func.count()).where(
            self._scope, entry.c.state.in_(self._sendable()), entry.c.is_current.is_(True)
        )
        with self._transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def settle(self, lease: Lease, receipt: Receipt, not_before: float = 0.0) -> EntryState:
        """Records the answer to one lease; the state it came to. ``not_before``: when a deferred or uncertain one may
        go again."""
        return self.settle_all([(lease, receipt)], not_before)[0]

    def settle_all(self, pairs: Sequence[tuple[Lease, Receipt]], not_before: float = 0.0) -> list[EntryState]:
        """`settle` for many at once, in one transaction."""
        now = self._clock()
        changes: list[dict[str, Any]] = []
        with self._transaction() as connection:
            query = select(
                entry.c.id, entry.c.state, entry.c.is_current, entry.c.lease, entry.c.in_doubt, entry.c.archive
            ).where(entry.c.id.in_([lease.entry_id for lease, _ in pairs]))
            if self._shared:
                query = query.with_for_update()
            rows = {row.id: row for row in connection.execute(query)}
            for lease, receipt in pairs:
                changes.append(_settlement(lease, receipt, rows[lease.entry_id], not_before))
            connection.execute(insert(attempt), [self._answered(lease, receipt, now) for lease, receipt in pairs])
            connection.execute(
                update(entry)
                .where(entry.c.id == bindparam("row"))
                .values(
                    {name: bindparam(f"new_{name}") for name in changes[0] if name != "row"}
                    | {"changed_at": now, "settled_run": self._run}
                ),
                [{(n if n == "row" else f"new_{n}"): v for n, v in change.items()} for change in changes],
            )
        return [change["state"] for change in changes]

    def _answered(self, lease: Lease, receipt: Receipt, now: float) -> dict[str, Any]:
        return {
            "entry_id": lease.entry_id,
            "run_id": self._run,
            "number": lease.number,
            "event": AttemptEvent.ANSWERED if receipt.status else AttemptEvent.UNANSWERED,
            "at": now,
            "state": EntryState(receipt.state),
            "code": receipt.code,
            "status": receipt.status,
            "duration_s": receipt.duration_s,
            "issues": issues_to_json(receipt.issues),
            "body": receipt.body,
        }

    def release(
        self,
        keys: Collection[str] | None = None,
        reason: str | None = None,
        states: Collection[EntryState] = (EntryState.REFUSED, EntryState.DEFERRED),
    ) -> int:
        """Lets current entries of ``states`` be sent again at once; how many. ``reason``: an HTTP status, an FM code,
        an issue code, or a part of the receiver's words."""
        now = self._clock()
        with self._transaction() as connection:
            query = select(entry.c.id, entry.c.key, entry.c.state, entry.c.code, entry.c.status, entry.c.issues).where(
                self._scope, entry.c.is_current.is_(True), entry.c.state.in_(list(states))
            )
            chosen = [
                row
                for row in connection.execute(query)
                if (keys is None or row.key in keys) and (reason is None or _has_reason(row, reason))
            ]
            for row in chosen:
                check_move(row.state, EntryState.READY)
                connection.execute(
                    update(entry)
                    .where(entry.c.id == row.id)
                    .values(state=EntryState.READY, not_before=0.0, changed_at=now)
                )
        return len(chosen)

    # ---- what is written back ------------------------------------------------------------------------------

    def to_archive(self, count: int = 500) -> list[Accepted]:
        """Accepted entries whose identifier is not written back yet, in the order they were read."""
        query = (
            select(*WITHOUT_PAYLOAD)
            .where(self._scope, entry.c.archive == ArchiveState.PENDING, entry.c.state == EntryState.ACCEPTED)
            .order_by(entry.c.last_attempt, entry.c.id)
            .limit(count)
        )
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return [
            Accepted(row.id, row.key, row.identifier_system, row.identifier_value, row.changed_at, row.digest)
            for row in rows
        ]

    def archived(self, entry_ids: Collection[int]) -> None:
        """Notes that these are written back."""
        with self._transaction() as connection:
            connection.execute(update(entry).where(entry.c.id.in_(list(entry_ids))).values(archive=ArchiveState.DONE))


def _sent_since(row: Row, others: Iterable[Row]) -> bool:
    """Has another payload of the key left after this one did?"""
    return any(other.digest and other.last_attempt > row.last_attempt for other in others)


def _settlement(lease: Lease, receipt: Receipt, row: Row, not_before: float) -> dict[str, Any]:
    """The new values of an entry after an answer to one of its leases."""
    state = EntryState(receipt.state)
    late = row.lease != lease.token or row.state != EntryState.SENDING
    if late and state != EntryState.ACCEPTED:
        state = row.state  # another worker has it by now; only an acceptance still counts
    elif not row.is_current and state in (EntryState.DEFERRED, EntryState.UNCERTAIN):
        state = EntryState.SUPERSEDED
    if state != row.state:
        check_move(row.state, state)
    accepted = state == EntryState.ACCEPTED
    return {
        "row": row.id,
        "state": state,
        "in_doubt": bool(row.in_doubt) or receipt.state == ReceiptState.UNCERTAIN or late,
        "not_before": not_before if state in (EntryState.DEFERRED, EntryState.UNCERTAIN) else 0.0,
        "code": receipt.code,
        "status": receipt.status,
        "issues": issues_to_json(receipt.issues),
        "identifier_system": receipt.identifier_system if accepted else "",
        "identifier_value": receipt.identifier_value if accepted else "",
        "lease": row.lease if late and state == EntryState.SENDING else "",
        "archive": ArchiveState.PENDING if receipt.state == ReceiptState.ACCEPTED else row.archive,
    }


def _has_reason(row: Row, reason: str) -> bool:
    wanted = reason.casefold()
    if wanted in (str(row.status), row.code.casefold()):
        return True
    issues = issues_from_json(row.issues)
    return any(wanted == issue.code.casefold() or wanted in issue.diagnostics.casefold() for issue in issues)
