"""What is sent and written back: lease what may leave, settle what was answered, recover what a dead process left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from fhirmap.journal.codec import issues_from_json, issues_to_json
from fhirmap.journal.connection import CHUNK, SHOWN, Row
from fhirmap.journal.decision import may_be_held_by_receiver
from fhirmap.journal.entries import Accepted, Lease
from fhirmap.journal.intake import EntryIntake
from fhirmap.journal.schema import attempt, entry, payload
from fhirmap.journal.states import VERDICTS, ArchiveState, AttemptEvent, EntryState, WithdrawalCause, check_move
from fhirmap.journal.withdrawal_change import WithdrawalChange, withdrawn
from fhirmap.records import Envelope, Receipt, ReceiptState

__all__ = ["EntryQueue"]

_SENDABLE = (EntryState.DEFERRED, EntryState.UNCERTAIN, EntryState.READY)
_LEASE_S = 600.0
_NO_ANSWER = ("", 0, 0.0, "[]", b"")
"""What an attempt holds before its answer: code, status, duration, issues, body."""

# What is the same for many entries one statement writes for all of them.
_CHOSEN = entry.c.id.in_(bindparam("chosen", expanding=True))


def _given(table: Table, *names: str) -> dict[str, BindParameter[Any]]:
    """Parameters for these columns of ``table``: see `_parameters`."""
    return {name: bindparam(f"new_{name}", type_=table.c[name].type) for name in names}


def _parameters(chosen: Sequence[int], names: Sequence[str], values: Sequence[object]) -> dict[str, object]:
    """The parameters of a statement for the entries ``chosen``."""
    return {"chosen": chosen, **{f"new_{name}": value for name, value in zip(names, values, strict=True)}}


_ATTEMPT_NAMES = ("run_id", "number", "event", "at", "state", "code", "status", "duration_s", "issues", "body")
_ATTEMPT = insert(attempt).from_select(
    ["entry_id", *_ATTEMPT_NAMES],
    select(entry.c.id, *_given(attempt, *_ATTEMPT_NAMES).values()).where(_CHOSEN).order_by(entry.c.id),
    include_defaults=False,
)
_SENDING_NAMES = ("state", "attempts", "lease", "lease_until", "changed_at")
_SENDING = (
    update(entry)
    .where(_CHOSEN)
    .values(_given(entry, *_SENDING_NAMES))
    .values(last_attempt=select(func.max(attempt.c.id)).where(attempt.c.entry_id == entry.c.id).scalar_subquery())
)
_TO_SETTLE = select(
    entry.c.id,
    entry.c.key,
    entry.c.state,
    entry.c.is_current,
    entry.c.lease,
    entry.c.in_doubt,
    entry.c.doubt_settled_at,
    entry.c.archive,
).where(_CHOSEN)
_SETTLED_NAMES = (
    *("state", "in_doubt", "doubt_settled_at", "not_before", "is_given_up", "code", "status", "issues"),
    *("identifier_system", "identifier_value", "lease", "archive", "changed_at", "settled_run"),
)
_SETTLED = update(entry).where(_CHOSEN).values(_given(entry, *_SETTLED_NAMES))


class EntryQueue(EntryIntake):
    """What a run does with the entries that are to be sent; each method is one committed transaction."""

    def start_run(self, map_digest: str = "", *, source: str = "", resend: bool = False) -> int:
        """As `RunLedger.start_run`. What an earlier run gave up may be sent again."""
        number = super().start_run(map_digest, source=source, resend=resend)
        given_up = and_(self._scope, entry.c.state.in_(_SENDABLE), entry.c.is_given_up.is_(True))
        with self._transaction() as connection:
            connection.execute(update(entry).where(given_up).values(is_given_up=False))
        return number

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
                        body=b"",
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
        lease_s: float = _LEASE_S,
    ) -> list[Lease]:
        """Up to ``count`` entries that may leave now, marked ``sending``: due retries first, then ready ones in the
        order read; none that this run gave up (`settle`).

        ``avoid``: limit keys whose turn has not come.
        """
        at = self._clock() if now is None else now
        with self._transaction() as connection:
            leases: list[Lease] = []
            for state in self._sendable():
                if len(leases) < count:
                    check_move(state, EntryState.SENDING)
                    query = self._due if not avoid else self._due.where(entry.c.limit_key.not_in(list(avoid)))
                    rows = connection.execute(query, {"of_state": state, "by": at, "most": count - len(leases)})
                    leases += [self._lease_of(row, state) for row in rows.all()]
            if leases:
                self._mark_sending(connection, leases, at, at + lease_s)
        return leases

    def _sendable(self) -> tuple[EntryState, ...]:
        return (EntryState.DEFERRED, EntryState.READY) if self._hold_uncertain else _SENDABLE

    @cached_property
    def _due(self) -> Select[Any]:
        """Up to ``most`` entries ``of_state`` that may leave ``by`` a time."""
        query = (
            select(
                entry.c.id,
                entry.c.key,
                payload.c.payload,
                entry.c.digest,
                entry.c.limit_key,
                entry.c.request_key,
                entry.c.attempts,
            )
            .join(payload, payload.c.entry_id == entry.c.id)
            .where(self._may_leave(bindparam("of_state")), entry.c.not_before <= bindparam("by"))
            .order_by(entry.c.not_before, entry.c.id)
            .limit(bindparam("most"))
        )
        return query.with_for_update(skip_locked=True, of=entry) if self._shared else query

    def _may_leave(self, state: EntryState | BindParameter[Any]) -> ColumnElement[bool]:
        """What of ``state`` this run has not given up."""
        current = and_(entry.c.is_current.is_(True), entry.c.is_given_up.is_(False))
        return and_(self._scope, entry.c.state == state, current)

    def _lease_of(self, row: Row, was: EntryState) -> Lease:
        entry_id, key, content, digest, limit_key, request_key, attempts = row
        envelope = Envelope(key, bytes(content), digest, limit_key, request_key)
        return Lease(entry_id, envelope, attempts + 1, was, f"{self._owner}.{attempts + 1}")

    def _mark_sending(self, connection: Connection, leases: Sequence[Lease], now: float, until: float) -> None:
        by_number: dict[int, list[Lease]] = {}
        for lease in leases:
            by_number.setdefault(lease.number, []).append(lease)
        for number, alike in by_number.items():
            chosen = [lease.entry_id for lease in alike]
            attempted = (self._run, number, AttemptEvent.SENT, now, EntryState.SENDING, *_NO_ANSWER)
            connection.execute(_ATTEMPT, _parameters(chosen, _ATTEMPT_NAMES, attempted))
            values = (EntryState.SENDING, number, alike[0].token, until, now)
            connection.execute(_SENDING, _parameters(chosen, _SENDING_NAMES, values))

    def next_due(self) -> float | None:
        """When the earliest entry that this run may still send may be sent (0 for at once); ``None`` where there is
        none."""
        found: list[float] = []
        with self._transaction() as connection:
            for state in self._sendable():
                query = select(entry.c.not_before).where(self._may_leave(state)).order_by(entry.c.not_before).limit(1)
                found += connection.execute(query).scalars()
        return min(found, default=None)

    def _due_after_this_run(self, connection: Connection) -> float | None:
        """When the earliest entry may be sent by any run."""
        query = select(func.min(entry.c.not_before)).where(
            self._scope, entry.c.state.in_(self._sendable()), entry.c.is_current.is_(True)
        )
        found = connection.execute(query).scalar()
        return None if found is None else float(found)

    def waiting(self) -> int:
        """How many current entries may still be sent, due or not."""
        query = select(func.count()).where(
            self._scope, entry.c.state.in_(self._sendable()), entry.c.is_current.is_(True)
        )
        with self._transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def settle(
        self, lease: Lease, receipt: Receipt, not_before: float = 0.0, *, is_given_up: bool = False
    ) -> EntryState:
        """Records the answer to one lease; the state it came to. ``not_before``: when a deferred or uncertain one may
        go again; ``is_given_up``: not in this run."""
        return self._settle_all([(lease, receipt)], not_before, is_given_up=is_given_up)[0]

    def settle_all(self, pairs: Sequence[tuple[Lease, Receipt]]) -> list[EntryState]:
        """`settle` for many at once, in one transaction."""
        return self._settle_all(pairs, 0.0, is_given_up=False)

    def _settle_all(
        self, pairs: Sequence[tuple[Lease, Receipt]], not_before: float, *, is_given_up: bool
    ) -> list[EntryState]:
        now = self._clock()
        states: dict[int, EntryState] = {}
        with self._transaction() as connection:
            query = _TO_SETTLE.with_for_update() if self._shared else _TO_SETTLE
            found = connection.execute(query, {"chosen": [lease.entry_id for lease, _ in pairs]}).all()
            rows = {row.id: row for row in found}
            # A sink on this machine says the same of a whole batch.
            alike: dict[tuple[object, ...], list[tuple[Lease, Receipt]]] = {}
            for lease, receipt in pairs:
                situation = (receipt, lease.number, lease.token, *rows[lease.entry_id][2:])
                alike.setdefault(situation, []).append((lease, receipt))
            for group in alike.values():
                lease, receipt = group[0]
                chosen = [one.entry_id for one, _ in group]
                settled = _settlement(lease, receipt, rows[lease.entry_id], not_before, is_given_up=is_given_up)
                states.update(dict.fromkeys(chosen, settled.state))
                connection.execute(_ATTEMPT, _parameters(chosen, _ATTEMPT_NAMES, self._answered(lease, receipt, now)))
                values = (*settled.values, now, self._run)
                connection.execute(_SETTLED, _parameters(chosen, _SETTLED_NAMES, values))
            self._note_identifiers(
                connection,
                [
                    (lease.entry_id, lease.envelope.key, receipt)
                    for lease, receipt in pairs
                    if receipt.identifier_value and receipt.state == ReceiptState.ACCEPTED
                ],
            )
            self._note_late(connection, [row.key for row in found if not row.is_current])
        return [states[lease.entry_id] for lease, _ in pairs]

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

    def _answered(self, lease: Lease, receipt: Receipt, now: float) -> tuple[object, ...]:
        """Of `_ATTEMPT_NAMES`."""
        event = AttemptEvent.ANSWERED if receipt.status else AttemptEvent.UNANSWERED
        said = (receipt.code, receipt.status, receipt.duration_s, issues_to_json(receipt.issues), receipt.body)
        return (self._run, lease.number, event, now, EntryState(receipt.state), *said)

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
                    .values(state=EntryState.READY, not_before=0.0, is_given_up=False, changed_at=now)
                )
        return len(chosen)

    # ---- what is written back ------------------------------------------------------------------------------

    def to_archive(self, count: int = 500, *, after: Accepted | None = None) -> list[Accepted]:
        """Accepted entries whose identifier is not written back yet, in the order they were sent; ``after``: those
        that follow this one."""
        query = (
            select(*SHOWN)
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
                select(*SHOWN)
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


class _Settlement(NamedTuple):
    """The state of an entry after an answer, and the values of `_SETTLED_NAMES` but the last two."""

    state: EntryState
    values: tuple[object, ...]


def _settlement(lease: Lease, receipt: Receipt, row: Row, not_before: float, *, is_given_up: bool) -> _Settlement:
    """What becomes of an entry after an answer to one of its leases."""
    before = row.state
    state = EntryState(receipt.state)
    late = row.lease != lease.token or before != EntryState.SENDING
    if late and state != EntryState.ACCEPTED:
        state = before  # another worker has it by now; only an acceptance still counts
    elif not row.is_current and state in (EntryState.DEFERRED, EntryState.UNCERTAIN):
        state = EntryState.SUPERSEDED
    if state != before:
        check_move(before, state)
    accepted = state == EntryState.ACCEPTED
    waits = state in (EntryState.DEFERRED, EntryState.UNCERTAIN)
    doubted = receipt.state == ReceiptState.UNCERTAIN or late
    doubt = (bool(row.in_doubt) or doubted, None if doubted else row.doubt_settled_at)
    turn = (not_before, is_given_up and not late) if waits else (0.0, False)
    said = (receipt.code, receipt.status, issues_to_json(receipt.issues))
    given = (receipt.identifier_system, receipt.identifier_value) if accepted else ("", "")
    token = row.lease if late and state == EntryState.SENDING else ""
    archive = ArchiveState.PENDING if receipt.state == ReceiptState.ACCEPTED else row.archive
    return _Settlement(state, (state, *doubt, *turn, *said, *given, token, archive))


def _has_reason(row: Row, reason: str) -> bool:
    wanted = reason.casefold()
    if wanted in (str(row.status), row.code.casefold()):
        return True
    issues = issues_from_json(row.issues)
    return any(wanted == issue.code.casefold() or wanted in issue.diagnostics.casefold() for issue in issues)
