"""What other processes are sending, or were when they died: leases renewed and taken back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, exists, func, insert, or_, select, update

from fhirmap.journal.archiving import ArchiveQueue
from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.connection import Row
from fhirmap.journal.decision import may_be_held_by_receiver
from fhirmap.journal.entries import Lease
from fhirmap.journal.schema import attempt, entry
from fhirmap.journal.soundness import is_moment
from fhirmap.journal.states import VERDICTS, AttemptEvent, EntryState, WithdrawalCause
from fhirmap.journal.withdrawal_change import WithdrawalChange, withdrawn
from fhirmap.texts.shown_keys import shown_key

__all__ = ["LostCalls"]


class LostCalls(ArchiveQueue):
    """What a run does about calls that are under way; each method is one committed transaction, `keep` two."""

    def recover(self, quarantine_s: float = 0.0) -> int:
        """Takes back what a dead process was sending: no answer is recorded, so it is ``uncertain`` and in doubt; and
        withdrawn, where the source has stopped declaring it meanwhile. Gives how many.

        On SQLite, where one run works at a time, that is everything in ``sending``; on PostgreSQL what has an expired
        lease. A call of a dead process may still be under way at the receiver: until ``quarantine_s`` after it left,
        nothing of its key is sent.
        """
        now = self._clock()
        lost = [entry.c.state == EntryState.SENDING]
        if self._shared:
            lost.append(entry.c.lease_until < now)
        left_at = select(attempt.c.at).where(attempt.c.id == entry.c.last_attempt).scalar_subquery().label("left_at")
        with self._writing() as connection:
            query = select(entry.c.id, entry.c.key, entry.c.is_current, entry.c.attempts, left_at)
            rows = connection.execute(query.where(self._scope, *lost)).all()
            for row in rows:
                not_before = (row.left_at or 0.0) + quarantine_s if quarantine_s else 0.0
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
                        not_before=not_before,
                        changed_at=now,
                    )
                )
                if not row.is_current and not_before:
                    successor = and_(self._scope, entry.c.key == row.key, entry.c.is_current.is_(True))
                    waits = and_(entry.c.state == EntryState.READY, entry.c.not_before < not_before)
                    connection.execute(update(entry).where(successor, waits).values(not_before=not_before))
            self._note_late(connection, [row.key for row in rows if not row.is_current])
            if rows:
                lost_ones = [[shown_key(row.key), row.attempts] for row in rows]
                self._audit.append(connection, AuditAct.LOST, {"run": self._run, "records": lost_ones})
        return len(rows)

    def keep(self, leases: Sequence[Lease], lease_s: float, quarantine_s: float) -> int:
        """Renews ``leases``, which are still under way, and takes back what a dead worker was sending: how many. On
        SQLite there is no other worker, and nothing to do."""
        if not self._shared:
            return 0
        tokens = [lease.token for lease in leases]
        mine = and_(self._scope, entry.c.id.in_([lease.entry_id for lease in leases]), entry.c.lease.in_(tokens))
        if tokens:
            with self._writing() as connection:
                connection.execute(update(entry).where(mine).values(lease_until=self._clock() + lease_s))
        return self.recover(quarantine_s)

    def others_under_way(self) -> bool:
        """Is another worker sending something?"""
        theirs = entry.c.lease.not_like(f"{self._owner}.%")
        query = select(exists().where(self._scope, entry.c.state == EntryState.SENDING, theirs))
        if not self._shared:
            return False
        with self._transaction() as connection:
            return bool(connection.execute(query).scalar())

    def sends_now(self) -> bool:
        """Does a worker have a lease that has not run out?"""
        alive = and_(entry.c.state == EntryState.SENDING, entry.c.lease_until > self._clock())
        with self._transaction() as connection:
            return bool(connection.execute(select(exists().where(self._scope, alive))).scalar())

    def next_after_loss(self, now: float) -> float | None:
        """When the earliest entry leaves that waits only because a call of its key was lost with the process that made
        it; None where there is none."""
        lost = and_(entry.c.state == EntryState.UNCERTAIN, entry.c.code == "FM653")
        waits = entry.c.state == EntryState.READY if self._hold_uncertain else or_(entry.c.state == "ready", lost)
        query = select(func.min(entry.c.not_before)).where(
            self._scope,
            waits,
            entry.c.is_current.is_(True),
            entry.c.is_given_up.is_(False),
            entry.c.not_before > now,
            is_moment(entry.c.not_before),
        )
        with self._transaction() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else float(found)

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


def _noted_late(key: str, before: Row | None, cause: WithdrawalCause) -> WithdrawalChange:
    """What is open already was opened for the same reason, by the map or by the source."""
    return withdrawn(key, before, cause, by_map=before is not None and bool(before.by_map))
