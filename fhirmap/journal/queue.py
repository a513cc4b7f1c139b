"""What is sent: lease what may leave, settle what was answered, recover what a dead process left."""

from __future__ import annotations

from collections.abc import Collection, Sequence, Set
from functools import cached_property
from typing import Any, Protocol

from sqlalchemy import BindParameter, ColumnElement, Connection, Select, and_, bindparam, func, insert, select, update

from fhirmap.journal.archiving import ArchiveQueue
from fhirmap.journal.audit import answered, digest_of, sent
from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.codec import issues_from_json, issues_to_json
from fhirmap.journal.connection import Row
from fhirmap.journal.decision import may_be_held_by_receiver
from fhirmap.journal.entries import Exchanged, Lease, LeaseAnswer
from fhirmap.journal.payloads import as_put, set_aside
from fhirmap.journal.row_statement import RowValues, insert_into, next_numbers, update_of
from fhirmap.journal.schema import attempt, entry, payload
from fhirmap.journal.settlement import DECISIVE, SETTLED, settlement
from fhirmap.journal.states import VERDICTS, AttemptEvent, EntryState, WithdrawalCause, check_move
from fhirmap.journal.withdrawal_change import WithdrawalChange, withdrawn
from fhirmap.records import Envelope, Receipt, ReceiptState
from fhirmap.texts.shown_keys import shown_key

__all__ = ["EntryQueue", "Turns"]

_SENDABLE = (EntryState.DEFERRED, EntryState.UNCERTAIN, EntryState.READY)
_LEASE_S = 600.0

_SENT = insert_into(attempt, "id", "entry_id", "run_id", "number", "event", "at", "state", "body")
_ANSWERED = insert_into(
    attempt,
    *("entry_id", "run_id", "number", "event", "at", "state", "code", "status", "duration_s", "issues", "body"),
)
_SENDING = update_of(entry, "state", "attempts", "lease", "lease_until", "changed_at", "last_attempt")
_SETTLED = update_of(entry, *SETTLED, "changed_at", "settled_run")


class Turns(Protocol):
    """Which limit keys may be called when."""

    def blocked(self, now: float) -> Set[str]:
        """Keys whose turn has not come."""

    def take(self, key: str, now: float) -> bool:
        """One call of ``key`` leaves now; false where its turn has not come."""


class EntryQueue(ArchiveQueue):
    """What a run does with the entries that are to be sent; each method is one committed transaction."""

    def start_run(
        self, map_digest: str = "", *, source: str = "", resend: bool = False, places: Sequence[str] = ()
    ) -> int:
        """As `RunLedger.start_run`. What an earlier run gave up may be sent again."""
        number = super().start_run(map_digest, source=source, resend=resend, places=places)
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
            if rows:
                lost_ones = [[shown_key(row.key), row.attempts] for row in rows]
                self._audit.append(connection, AuditAct.LOST, {"run": self._run, "records": lost_ones})
        return len(rows)

    def lease(
        self, count: int = 1, now: float | None = None, *, turns: Turns | None = None, lease_s: float = _LEASE_S
    ) -> list[Lease]:
        """Up to ``count`` entries that may leave now, marked ``sending``: due retries first, then ready ones in the
        order read; none that this run gave up (`settle`), and none whose payload is not what was put (FM811).

        ``turns``: of limit keys; without it each may be called at any time.
        """
        return self.exchange((), count, now, turns=turns, lease_s=lease_s).leases

    def exchange(
        self,
        answers: Sequence[LeaseAnswer],
        count: int,
        now: float | None = None,
        *,
        turns: Turns | None = None,
        lease_s: float = _LEASE_S,
    ) -> Exchanged:
        """`settle` for each of ``answers`` and `lease` for ``count``, in one transaction."""
        at = self._clock() if now is None else now
        with self._transaction() as connection:
            states = self._settle(connection, answers) if answers else []
            leases = self._take(connection, count, at, turns) if count else []
            if leases:
                self._mark_sending(connection, leases, at, at + lease_s)
            if answers or leases:
                came, left = [*map(answered, answers)], [*map(sent, leases)]
                self._audit.append(connection, AuditAct.EXCHANGED, {"run": self._run, "answers": came, "sent": left})
        return Exchanged(states, leases)

    def _take(self, connection: Connection, count: int, at: float, turns: Turns | None) -> list[Lease]:
        leases: list[Lease] = []
        for state in self._sendable():
            check_move(state, EntryState.SENDING)
            avoid = set(turns.blocked(at)) if turns is not None else set()
            while len(leases) < count:
                # What is leased already is marked at the end, and comes again.
                leased = {lease.entry_id for lease in leases}
                rows = self._candidates(connection, state, at, count, avoid)
                sound, damaged = as_put(row for row in rows if row.id not in leased)
                refused: set[str] = set()
                for row in sound[: count - len(leases)]:
                    if turns is None or (row.limit_key not in refused and turns.take(row.limit_key, at)):
                        leases.append(self._lease_of(row, state))
                    else:
                        refused.add(row.limit_key)
                set_aside(connection, damaged, state, self._run, at)
                if not refused and not damaged:
                    break
                avoid |= refused
        return leases

    def _candidates(
        self, connection: Connection, state: EntryState, at: float, most: int, avoid: Collection[str]
    ) -> Sequence[Row]:
        wanted = {"of_state": state, "by": at, "most": most}
        if not avoid:
            return connection.execute(self._due, wanted).all()
        return connection.execute(self._due_of_others, {**wanted, "avoid": list(avoid)}).all()

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
            .outerjoin(payload, payload.c.entry_id == entry.c.id)
            .where(self._may_leave(bindparam("of_state")), entry.c.not_before <= bindparam("by"))
            .order_by(entry.c.not_before, entry.c.id)
            .limit(bindparam("most"))
        )
        return query.with_for_update(skip_locked=True, of=entry) if self._shared else query

    @cached_property
    def _due_of_others(self) -> Select[Any]:
        """The same, but for the limit keys ``avoid``."""
        return self._due.where(entry.c.limit_key.not_in(bindparam("avoid", expanding=True)))

    def _may_leave(self, state: EntryState | BindParameter[Any]) -> ColumnElement[bool]:
        """What of ``state`` this run has not given up."""
        current = and_(entry.c.is_current.is_(True), entry.c.is_given_up.is_(False))
        return and_(self._scope, entry.c.state == state, current)

    def _lease_of(self, row: Row, was: EntryState) -> Lease:
        entry_id, key, content, digest, limit_key, request_key, attempts = row
        envelope = Envelope(key, bytes(content), digest, limit_key, request_key)
        return Lease(entry_id, envelope, attempts + 1, was, f"{self._owner}.{attempts + 1}")

    def _mark_sending(self, connection: Connection, leases: Sequence[Lease], now: float, until: float) -> None:
        numbers = next_numbers(connection, attempt, len(leases))
        event, state = str(AttemptEvent.SENT), str(EntryState.SENDING)
        sent: list[RowValues] = []
        sending: list[RowValues] = []
        for number, lease in zip(numbers, leases, strict=True):
            sent.append((number, lease.entry_id, self._run, lease.number, event, now, state, b""))
            sending.append((state, lease.number, lease.token, until, now, number, lease.entry_id))
        _SENT.execute(connection, sent)
        _SENDING.execute(connection, sending)

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
        return self.exchange([LeaseAnswer(lease, receipt, not_before, is_given_up)], 0).states[0]

    def _settle(self, connection: Connection, answers: Sequence[LeaseAnswer]) -> list[EntryState]:
        now = self._clock()
        found = connection.execute(self._to_settle, {"keys": [one.lease.envelope.key for one in answers]}).all()
        rows = {row.id: row for row in found}
        states: list[EntryState] = []
        answered: list[RowValues] = []
        settled: list[RowValues] = []
        for one in answers:
            lease, receipt = one.lease, one.receipt
            issues = issues_to_json(receipt.issues)
            state, values = settlement(one, rows[lease.entry_id], issues)
            states.append(state)
            event = AttemptEvent.ANSWERED if receipt.status else AttemptEvent.UNANSWERED
            said = (receipt.code, receipt.status, receipt.duration_s, issues, receipt.body)
            answered.append((lease.entry_id, self._run, lease.number, str(event), now, str(receipt.state), *said))
            settled.append((*values, now, self._run, lease.entry_id))
        _ANSWERED.execute(connection, answered)
        _SETTLED.execute(connection, settled)
        given = [
            (one.lease.entry_id, one.lease.envelope.key, one.receipt)
            for one in answers
            if one.receipt.identifier_value and one.receipt.state == ReceiptState.ACCEPTED
        ]
        self._note_identifiers(connection, given)
        leased = (rows[one.lease.entry_id] for one in answers)
        self._note_late(connection, [row.key for row in leased if not row.is_current])
        return states

    @cached_property
    def _to_settle(self) -> Select[Any]:
        return self._of_keys(*DECISIVE)

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
            if chosen:
                body = {"keys": [shown_key(row.key) for row in chosen], "reason": digest_of(reason or "")}
                self._audit.append(connection, AuditAct.RELEASED, body)
        return len(chosen)


def _noted_late(key: str, before: Row | None, cause: WithdrawalCause) -> WithdrawalChange:
    """What is open already was opened for the same reason, by the map or by the source."""
    return withdrawn(key, before, cause, by_map=before is not None and bool(before.by_map))


def _has_reason(row: Row, reason: str) -> bool:
    wanted = reason.casefold()
    if wanted in (str(row.status), row.code.casefold()):
        return True
    issues = issues_from_json(row.issues)
    return any(wanted == issue.code.casefold() or wanted in issue.diagnostics.casefold() for issue in issues)
