"""The queue: put what was read, lease what may be sent, settle what was answered, recover what a dead process left.

One file, since these statements only keep the package's promises together.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, insert, select, update

from fhirmap.journal.codec import issues_from_json, issues_to_json
from fhirmap.journal.connection import CHUNK, WITHOUT_PAYLOAD, Row
from fhirmap.journal.decision import Decision, Step, decide, may_be_held_by_receiver, rows_by_key
from fhirmap.journal.entries import Accepted, Counts, Entry, Lease
from fhirmap.journal.layouts import Layouts
from fhirmap.journal.put_batch import PutBatch, chunks_of_distinct_keys
from fhirmap.journal.schema import attempt, checkpoint, entry, run
from fhirmap.journal.states import VERDICTS, ArchiveState, AttemptEvent, EntryState, WithdrawalCause, check_move
from fhirmap.journal.withdrawals import Withdrawals
from fhirmap.records import Envelope, Receipt, ReceiptState

__all__ = ["EntryQueue"]

_SENDABLE = (EntryState.DEFERRED, EntryState.UNCERTAIN, EntryState.READY)
_LEASE_S = 600.0
_DECISIVE = (
    entry.c.id,
    entry.c.key,
    entry.c.digest,
    entry.c.state,
    entry.c.is_current,
    entry.c.in_doubt,
    entry.c.last_attempt,
    entry.c.read_run,
    entry.c.read_digest,
    entry.c.read_layout,
)
"""What a decision needs of a row."""


class EntryQueue(Withdrawals):
    """What a run does with entries; each method is one committed transaction."""

    def start_run(self, map_digest: str = "", *, source: str = "", resend: bool = False) -> int:
        """As `RunLedger.start_run`."""
        number = super().start_run(map_digest, source=source, resend=resend)
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
        with self._transaction() as connection:
            for chunk in chunks_of_distinct_keys(entries):
                counts += self._put_chunk(connection, chunk, PutBatch(self._run, self._clock(), self._source))
            connection.execute(
                update(run)
                .where(run.c.id == self._run)
                .values(read=run.c.read + counts.read, repeated=run.c.repeated + counts.repeated + counts.superseded)
            )
            for name, value in (checkpoints or {}).items():
                self._put_checkpoint(connection, name, value)
        return counts

    def _put_chunk(self, connection: Connection, chunk: Sequence[Entry], batch: PutBatch) -> Counts:
        wanted = [item for item in chunk if item.state != EntryState.SUPERSEDED]
        self._older.update(item.key for item in chunk if item.state == EntryState.SUPERSEDED)
        known = self._rows_of([item.key for item in wanted], connection)
        counts: Counter[str] = Counter(superseded=len(chunk) - len(wanted))
        withdrawn: dict[str, WithdrawalCause] = {}
        back: dict[str, bool] = {}
        for item in wanted:
            rows = known.get(item.key, [])
            decision = self._decide(connection, item, rows)
            counts[self._carry_out(item, rows, decision, batch)] += 1
            if decision.withdraws:
                withdrawn[item.key] = self._cause(item)
            elif item.state == EntryState.READY and (decision.was_withdrawn or item.key in self._again):
                back[item.key] = decision.step in (Step.NEW, Step.CHANGED)
        batch.flush(connection, self._identity)
        self._layouts.keep(connection, wanted)
        if withdrawn:
            self._withdraw(connection, withdrawn)
        if back:
            self._take_back(connection, back)
        return Counts(**counts, repeated=batch.repeated)

    def _cause(self, item: Entry) -> WithdrawalCause:
        if item.state == EntryState.GONE and item.key in self._older:
            return WithdrawalCause.SUPERSEDED
        return WithdrawalCause(item.state)

    def _rows_of(self, keys: Sequence[str], connection: Connection) -> dict[str, list[Row]]:
        query = select(*_DECISIVE).where(self._scope, entry.c.key.in_(keys))
        return rows_by_key(connection.execute(query.with_for_update() if self._shared else query))

    def _decide(self, connection: Connection, item: Entry, rows: Sequence[Row]) -> Decision:
        return decide(
            item,
            rows,
            lambda row, entry: self._layouts.is_same(connection, row, entry),
            resend=self._resend,
            again=self._resend and item.key in self._again,
        )

    def decisions(self, items: Sequence[Entry]) -> list[tuple[Entry, Decision]]:
        """What `put` would do with each; nothing is written."""
        with self._transaction() as connection:
            known = self._rows_of([item.key for item in items], connection)
            return [(item, self._decide(connection, item, known.get(item.key, []))) for item in items]

    def now(self) -> float:
        """The journal's time."""
        return self._clock()

    def current_keys(self) -> list[str]:
        """The keys that the source held when it was read last, as far as the journal knows."""
        query = select(entry.c.key).where(self._scope, entry.c.is_current.is_(True), entry.c.source == self._source)
        with self._transaction() as connection:
            return list(connection.execute(query.where(entry.c.state != EntryState.GONE)).scalars())

    def payload(self, entry_id: int) -> bytes:
        """What was sent, or is to be sent, of an entry."""
        with self._transaction() as connection:
            return bytes(connection.execute(select(entry.c.payload).where(entry.c.id == entry_id)).scalar_one())

    def _carry_out(self, item: Entry, rows: Sequence[Row], decision: Decision, batch: PutBatch) -> str:
        step, kept = decision.step, decision.same
        if step == Step.HELD:
            kept = decision.base
        for row in rows if len(rows) > 1 or kept is None else ():
            if row.is_current and (kept is None or row.id != kept.id):
                batch.replace(row)
        if kept is None:
            batch.insert(item, self._request_key(item, decision.generation))
            return item.state
        if kept.read_run == self._run:
            batch.repeated += 1
        if step == Step.VERDICT:
            batch.verdict(kept, item)
            return item.state
        if step in (Step.UNCHANGED, Step.PENDING, Step.HELD):
            batch.touch(kept, item, held=step == Step.HELD)
            return step
        batch.revive(kept, item, self._request_key(item, decision.generation))
        return EntryState.READY

    # ---- what a complete reading says ------------------------------------------------------------------------

    def last_complete(self) -> int | None:
        """How many records the last complete reading of this source held; None where there was none."""
        found = self.checkpoint(self._complete_name)
        return None if found is None else int(found)

    def close_reading(self, read: int) -> int:
        """Notes that the source was read to its end, ``read`` records: those it no longer holds are gone, and are not
        sent any more. Gives how many."""
        query = (
            select(entry.c.key)
            .where(self._scope, entry.c.read_run < self._run, entry.c.is_current.is_(True))
            .where(entry.c.state != EntryState.GONE, entry.c.source == self._source)
            .where(entry.c.read_at < self._started_at)  # another worker may have read it meanwhile
        )
        with self._transaction() as connection:
            keys = list(connection.execute(query).scalars())
            for chunk in chunks_of_distinct_keys(Entry(key, EntryState.GONE) for key in keys):
                self._put_chunk(connection, chunk, PutBatch(0, self._clock(), self._source))
            self._put_checkpoint(connection, self._complete_name, str(read))
        return len(keys)

    @property
    def _complete_name(self) -> str:
        return f"complete:{self._source}"

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
                entry.c.id,
                entry.c.key,
                entry.c.state,
                entry.c.is_current,
                entry.c.lease,
                entry.c.in_doubt,
                entry.c.archive,
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
            self._note_identifiers(
                connection,
                [
                    (lease.entry_id, lease.envelope.key, receipt)
                    for lease, receipt in pairs
                    if receipt.state == ReceiptState.ACCEPTED and receipt.identifier_value
                ],
            )
            self._note_late(connection, [row.key for row in rows.values() if not row.is_current])
        return [change["state"] for change in changes]

    def _note_late(self, connection: Connection, keys: Sequence[str]) -> None:
        """What was answered after the source had stopped declaring it is withdrawn like anything else."""
        late: dict[str, WithdrawalCause] = {}
        for key, rows in self._rows_of(keys, connection).items() if keys else ():
            current = next((row for row in rows if row.is_current), None)
            held = any(may_be_held_by_receiver(row) for row in rows)
            if current is not None and current.state in VERDICTS and held:
                late[key] = WithdrawalCause(current.state)
        if late:
            self._withdraw(connection, late)

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

    def to_archive(self, count: int = 500, *, after: Accepted | None = None) -> list[Accepted]:
        """Accepted entries whose identifier is not written back yet, in the order they were sent; ``after``: those
        that follow this one."""
        query = (
            select(*WITHOUT_PAYLOAD)
            .where(self._scope, entry.c.archive == ArchiveState.PENDING, entry.c.state == EntryState.ACCEPTED)
            .order_by(entry.c.last_attempt)
            .limit(count)
        )
        if after is not None:
            query = query.where(entry.c.last_attempt > after.attempt)
        with self._transaction() as connection:
            rows = connection.execute(query).all()
            keys = [row.key for row in rows]
            given = self._identifiers_of(connection, keys)
            latest = self._accepted_last(connection, keys)
        found = []
        for row in rows:
            last = latest[row.key]
            named = last.identifier_system, last.identifier_value
            earlier = tuple(one.value for one in given.get(row.key, ()) if one.value != last.identifier_value)
            found.append(Accepted(row.id, row.key, *named, last.changed_at, last.digest, earlier, row.last_attempt))
        return found

    def _accepted_last(self, connection: Connection, keys: Sequence[str]) -> dict[str, Row]:
        """Of each key the accepted entry that was sent last: an answer may have come late."""
        found: dict[str, Row] = {}
        for start in range(0, len(keys), CHUNK):
            query = (
                select(*WITHOUT_PAYLOAD)
                .where(self._scope, entry.c.key.in_(keys[start : start + CHUNK]))
                .where(entry.c.state == EntryState.ACCEPTED)
                .order_by(entry.c.last_attempt)
            )
            found.update({row.key: row for row in connection.execute(query)})
        return found

    def archived(self, entry_ids: Collection[int]) -> None:
        """Notes that these are written back."""
        with self._transaction() as connection:
            connection.execute(update(entry).where(entry.c.id.in_(list(entry_ids))).values(archive=ArchiveState.DONE))


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
