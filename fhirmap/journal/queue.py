"""What is sent: lease what may leave, settle what was answered, recover what a dead process left."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from functools import cached_property
from typing import Any, Protocol

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    insert,
    or_,
    select,
    update,
)

from fhirmap.journal.audit import answered, digest_of, sent
from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.codec import issues_to_json, shown_issues
from fhirmap.journal.connection import Row
from fhirmap.journal.entries import Exchanged, Lease, LeaseAnswer
from fhirmap.journal.lost_calls import LostCalls
from fhirmap.journal.payloads import OpenedRow, as_put, set_aside
from fhirmap.journal.row_statement import RowValues, insert_into, next_numbers, update_of
from fhirmap.journal.schema import attempt, entry, payload, turn
from fhirmap.journal.settlement import DECISIVE, SETTLED, settlement
from fhirmap.journal.soundness import is_moment
from fhirmap.journal.states import READABLE_STATES, AttemptEvent, EntryState, check_move
from fhirmap.records import Envelope, Receipt, ReceiptState
from fhirmap.texts.shown_keys import shown_key

__all__ = ["EntryQueue", "Turns"]

_SENDABLE = (EntryState.DEFERRED, EntryState.UNCERTAIN, EntryState.READY)
_LEASE_S = 600.0

_SENT = insert_into(attempt, "id", "entry_id", "run_id", "number", "event", "at", "state", "body")
_ANSWERED = insert_into(
    attempt,
    *(
        "entry_id",
        "run_id",
        "number",
        "event",
        "at",
        "state",
        "code",
        "status",
        "duration_s",
        "issues",
        "body",
        "sealed_by",
    ),
)
_SENDING = update_of(entry, "state", "attempts", "lease", "lease_until", "changed_at", "last_attempt")
_SETTLED = update_of(entry, *SETTLED, "changed_at", "settled_run")


_TURNS = select(turn.c.limit_key, turn.c.free_at).where(turn.c.receiver == bindparam("of"))
_TURN_TAKEN = (
    update(turn)
    .where(turn.c.receiver == bindparam("of"), turn.c.limit_key == bindparam("of_key"))
    .values(free_at=bindparam("free"))
)
_FIRST_TURN = insert(turn).values(receiver=bindparam("of"), limit_key=bindparam("of_key"), free_at=bindparam("free"))


class Turns(Protocol):
    """When a limit key may be called. The journal keeps the times, for all who call ``receiver``."""

    @property
    def receiver(self) -> str:
        """Whom people know."""

    def begin(self, free_at: Mapping[str, float]) -> None:
        """When each key is free, as the journal knows it."""

    def blocked(self, now: float) -> Set[str]:
        """Keys whose turn has not come."""

    def take(self, key: str, now: float) -> float | None:
        """When one call of ``key`` leaves; None where its turn has not come."""

    def changed(self) -> Mapping[str, float]:
        """When keys are free that were taken, or paused, since this was asked last."""


class EntryQueue(LostCalls):
    """What a run does with the entries that are to be sent; each method is one committed transaction."""

    def start_run(
        self, map_digest: str = "", *, source: str = "", resend: bool = False, places: Sequence[str] = ()
    ) -> int:
        """As `RunLedger.start_run`. What an earlier run gave up may be sent again."""
        number = super().start_run(map_digest, source=source, resend=resend, places=places)
        given_up = and_(self._scope, entry.c.state.in_(_SENDABLE), entry.c.is_given_up.is_(True))
        with self._writing() as connection:
            connection.execute(update(entry).where(given_up).values(is_given_up=False))
        return number

    # ---- what is sent --------------------------------------------------------------------------------------

    def lease(
        self, count: int = 1, now: float | None = None, *, turns: Turns | None = None, lease_s: float = _LEASE_S
    ) -> list[Lease]:
        """Up to ``count`` entries that may leave now, marked ``sending``: due retries first, then ready ones in the
        order read; none that this run gave up (`settle`), and none whose payload is not what was put (FM811) or is
        encrypted by a key that is not there (FM814).

        Nothing of a key leaves while another payload of it is under way. ``turns``: of limit keys; without it each may
        be called at any time.
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
        with self._writing() as connection:
            states = self._settle(connection, answers) if answers else []
            known = self._begin_turns(connection, turns) if turns is not None else {}
            leases = self._take(connection, count, at, turns) if count else []
            if leases:
                self._mark_sending(connection, leases, at, at + lease_s)
            if answers or leases:
                came, left = [*map(answered, answers)], [*map(sent, leases)]
                self._audit.append(connection, AuditAct.EXCHANGED, {"run": self._run, "answers": came, "sent": left})
            if turns is not None:
                self._keep_turns(connection, turns, known)
        return Exchanged(states, leases)

    def _begin_turns(self, connection: Connection, turns: Turns) -> Mapping[str, float]:
        self._alone(connection, f"turns\x1f{turns.receiver}")
        rows = connection.execute(_TURNS, {"of": turns.receiver}).all()
        known = {row.limit_key: row.free_at for row in rows}
        turns.begin(known)
        return known

    def _keep_turns(self, connection: Connection, turns: Turns, known: Mapping[str, float]) -> None:
        for key, free_at in turns.changed().items():
            values = {"of": turns.receiver, "of_key": key, "free": free_at}
            connection.execute(_TURN_TAKEN if key in known else _FIRST_TURN, values)

    def _take(self, connection: Connection, count: int, at: float, turns: Turns | None) -> list[Lease]:
        leases: list[Lease] = []
        for state in self._sendable():
            check_move(state, EntryState.SENDING)
            avoid = set(turns.blocked(at)) if turns is not None else set()
            while len(leases) < count:
                # What is leased already is marked at the end, and comes again.
                leased = {lease.entry_id for lease in leases}
                rows = self._candidates(connection, state, at, count, avoid)
                sound, unsendable = as_put((row for row in rows if row.id not in leased), self._sealing)
                refused: set[str] = set()
                for opened in sound[: count - len(leases)]:
                    leave_at = at
                    if turns is not None:
                        limit_key = opened.row.limit_key
                        turn = None if limit_key in refused else turns.take(limit_key, at)
                        if turn is None:
                            refused.add(limit_key)
                            continue
                        leave_at = turn
                    leases.append(self._lease_of(opened, state, leave_at))
                set_aside(connection, unsendable, state, self._run, at)
                if not refused and not unsendable:
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
        return (
            select(
                entry.c.id,
                entry.c.key,
                payload.c.payload,
                payload.c.sealed_by,
                entry.c.digest,
                entry.c.limit_key,
                entry.c.request_key,
                entry.c.attempts,
            )
            .outerjoin(payload, payload.c.entry_id == entry.c.id)
            .where(self._may_leave(bindparam("of_state")), entry.c.not_before <= bindparam("by"))
            .where(~self._other_under_way)
            .order_by(entry.c.not_before, entry.c.id)
            .limit(bindparam("most"))
        )

    @cached_property
    def _due_of_others(self) -> Select[Any]:
        """The same, but for the limit keys ``avoid``."""
        return self._due.where(entry.c.limit_key.not_in(bindparam("avoid", expanding=True)))

    @cached_property
    def _other_under_way(self) -> ColumnElement[bool]:
        """Is another payload of the key under way, which the source replaced meanwhile?"""
        other = entry.alias("other")
        same = and_(other.c.establishment == entry.c.establishment, other.c.operation == entry.c.operation)
        return exists().where(same, other.c.key == entry.c.key, other.c.state == EntryState.SENDING)

    def _may_leave(self, state: EntryState | BindParameter[Any]) -> ColumnElement[bool]:
        """What of ``state`` this run has not given up."""
        current = and_(entry.c.is_current.is_(True), entry.c.is_given_up.is_(False))
        return and_(self._scope, entry.c.state == state, current)

    def _lease_of(self, opened: OpenedRow, was: EntryState, leave_at: float) -> Lease:
        entry_id, key, _, _, digest, limit_key, request_key, attempts = opened.row
        envelope = Envelope(key, opened.content, digest, limit_key, request_key)
        return Lease(entry_id, envelope, attempts + 1, was, f"{self._owner}.{attempts + 1}", leave_at)

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
                may_leave = and_(self._may_leave(state), is_moment(entry.c.not_before))
                query = select(entry.c.not_before).where(may_leave).order_by(entry.c.not_before).limit(1)
                found += connection.execute(query).scalars()
        return min(found, default=None)

    def _due_after_this_run(self, connection: Connection) -> float | None:
        """When the earliest entry may be sent by any run."""
        query = select(func.min(entry.c.not_before)).where(
            self._scope,
            entry.c.state.in_(self._sendable()),
            entry.c.is_current.is_(True),
            is_moment(entry.c.not_before),
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
            body = self._sealing.seal_answer(lease.entry_id, lease.number, receipt.body)
            said = (receipt.code, receipt.status, receipt.duration_s, issues, *body)
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

    def release(
        self,
        keys: Collection[str] | None = None,
        reason: str | None = None,
        states: Collection[EntryState] = (EntryState.REFUSED, EntryState.DEFERRED),
    ) -> int:
        """Lets current entries of ``states`` be sent again at once, and those of ``keys`` whose state cannot be read;
        how many. ``reason``: an HTTP status, an FM code,
        an issue code, or a part of the receiver's words."""
        now = self._clock()
        chosen_states: ColumnElement[bool] = entry.c.state.in_(list(states))
        if keys is not None:
            unreadable = and_(entry.c.state.not_in(READABLE_STATES), entry.c.digest != "")
            chosen_states = or_(chosen_states, unreadable)
        with self._writing() as connection:
            query = select(entry.c.id, entry.c.key, entry.c.state, entry.c.code, entry.c.status, entry.c.issues).where(
                self._scope, entry.c.is_current.is_(True), chosen_states
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


def _has_reason(row: Row, reason: str) -> bool:
    wanted = reason.casefold()
    if wanted in (str(row.status), row.code.casefold()):
        return True
    issues = shown_issues(row.issues)
    return any(wanted == issue.code.casefold() or wanted in issue.diagnostics.casefold() for issue in issues)
