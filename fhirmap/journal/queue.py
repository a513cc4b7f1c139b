"""What is sent and written back: lease what may leave, settle what was answered, recover what a dead process left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, bindparam, func, insert, select, update

from fhirmap.journal.codec import issues_from_json, issues_to_json
from fhirmap.journal.connection import CHUNK, WITHOUT_PAYLOAD, Row
from fhirmap.journal.decision import may_be_held_by_receiver
from fhirmap.journal.entries import Accepted, Lease
from fhirmap.journal.intake import EntryIntake
from fhirmap.journal.row_statement import RowStatement, insert_into
from fhirmap.journal.schema import attempt, entry
from fhirmap.journal.states import VERDICTS, ArchiveState, AttemptEvent, EntryState, WithdrawalCause, check_move
from fhirmap.journal.withdrawal_change import WithdrawalChange, withdrawn
from fhirmap.records import Envelope, Receipt, ReceiptState

__all__ = ["EntryQueue"]

_SENDABLE = (EntryState.DEFERRED, EntryState.UNCERTAIN, EntryState.READY)
_LEASE_S = 600.0


def _update_of(*names: str, **values: ColumnElement[Any]) -> RowStatement:
    """An UPDATE of these columns of the entry ``row``, from parameters `new_…`, and of ``values``."""
    new = {name: bindparam(f"new_{name}", type_=entry.c[name].type) for name in names}
    return RowStatement(update(entry).where(entry.c.id == bindparam("row")).values({**new, **values}), {})


_ATTEMPT = insert_into(attempt)
_SENDING = _update_of(
    *("state", "attempts", "lease", "lease_until", "changed_at"),
    last_attempt=select(func.max(attempt.c.id)).where(attempt.c.entry_id == entry.c.id).scalar_subquery(),
)
_SETTLED = _update_of(
    *("state", "in_doubt", "not_before", "code", "status", "issues", "identifier_system", "identifier_value"),
    *("lease", "archive", "changed_at", "settled_run", "doubt_settled_at"),
)


class EntryQueue(EntryIntake):
    """What a run does with the entries that are to be sent; each method is one committed transaction."""

    # ---- what is sent --------------------------------------------------------------------------------------

    def recover(self) -> int:
        """Takes back what a dead process was sending: no answer is recorded, so it is ``uncertain`` and in doubt; and
        withdrawn, where the source has stopped declaring it meanwhile. Gives how many.

        On SQLite, where one run works at a time, that is everything in ``sending``; on PostgreSQL what has an expired
        lease.
        """
        now = self._clock()
        lost = [entry.c.state == EntryState.SENDING]
        if self._shared:
            lost.append(entry.c.lease_until < now)
        with self._transaction() as connection:
            query = select(entry.c.id, entry.c.key, entry.c.is_current, entry.c.attempts).where(self._scope, *lost)
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
                        doubt_settled_at=None,
                        lease="",
                        code="FM653",
                        status=0,
                        issues="[]",
                        not_before=0.0,
                        changed_at=now,
                    )
                )
            self._note_late(connection, [row.key for row in rows if not row.is_current])
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
        _ATTEMPT.execute(connection, sent)
        _SENDING.execute(
            connection,
            [{"row": lease.entry_id, "new_attempts": lease.number, "new_lease": lease.token} for lease in leases],
            {"new_state": EntryState.SENDING, "new_lease_until": until, "new_changed_at": now},
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
                entry.c.doubt_settled_at,
                entry.c.archive,
            ).where(entry.c.id.in_([lease.entry_id for lease, _ in pairs]))
            if self._shared:
                query = query.with_for_update()
            rows = {row.id: row for row in connection.execute(query)}
            for lease, receipt in pairs:
                changes.append(_settlement(lease, receipt, rows[lease.entry_id], not_before))
            _ATTEMPT.execute(connection, [self._answered(lease, receipt, now) for lease, receipt in pairs])
            _SETTLED.execute(connection, changes, {"new_changed_at": now, "new_settled_run": self._run})
            self._note_identifiers(
                connection,
                [
                    (lease.entry_id, lease.envelope.key, receipt)
                    for lease, receipt in pairs
                    if receipt.state == ReceiptState.ACCEPTED and receipt.identifier_value
                ],
            )
            self._note_late(connection, [row.key for row in rows.values() if not row.is_current])
        return [change["new_state"] for change in changes]

    def _note_late(self, connection: Connection, keys: Sequence[str]) -> None:
        """What was answered, or found to be lost, after the source had stopped declaring it is withdrawn like anything
        else."""
        late: dict[str, WithdrawalCause] = {}
        for key, rows in self._rows_of(keys, connection).items() if keys else ():
            current = next((row for row in rows if row.is_current), None)
            held = any(may_be_held_by_receiver(row) for row in rows)
            if current is not None and current.state in VERDICTS and held:
                late[key] = WithdrawalCause(current.state)
        known = self._open_rows(connection, list(late))
        self._change(connection, [_noted_late(key, known.get(key), cause) for key, cause in late.items()])

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


def _noted_late(key: str, before: Row | None, cause: WithdrawalCause) -> WithdrawalChange:
    """What is open already was opened for the same reason, by the map or by the source."""
    return withdrawn(key, before, cause, by_map=before is not None and bool(before.by_map))


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
    doubted = receipt.state == ReceiptState.UNCERTAIN or late
    return {
        "row": row.id,
        "new_state": state,
        "new_in_doubt": bool(row.in_doubt) or doubted,
        "new_doubt_settled_at": None if doubted else row.doubt_settled_at,
        "new_not_before": not_before if state in (EntryState.DEFERRED, EntryState.UNCERTAIN) else 0.0,
        "new_code": receipt.code,
        "new_status": receipt.status,
        "new_issues": issues_to_json(receipt.issues),
        "new_identifier_system": receipt.identifier_system if accepted else "",
        "new_identifier_value": receipt.identifier_value if accepted else "",
        "new_lease": row.lease if late and state == EntryState.SENDING else "",
        "new_archive": ArchiveState.PENDING if receipt.state == ReceiptState.ACCEPTED else row.archive,
    }


def _has_reason(row: Row, reason: str) -> bool:
    wanted = reason.casefold()
    if wanted in (str(row.status), row.code.casefold()):
        return True
    issues = issues_from_json(row.issues)
    return any(wanted == issue.code.casefold() or wanted in issue.diagnostics.casefold() for issue in issues)
