"""What a journal may forget: the payloads and answers of records that are done with, after a time.

What is not final stays as it is: what waits or is on its way, what is in doubt, what is withdrawn and not acknowledged,
what is accepted and not written back. That a record was accepted, with which digest and identifier, is
never forgotten: without it, it would be sent again. An entry of which nothing ever left is deleted as a whole where the
source does not hold its record any more, or something else of it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, not_, or_, select, update

from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.connection import CHUNK, Row
from fhirmap.journal.schema import attempt, entry, identifier, payload, withdrawal
from fhirmap.journal.states import ArchiveState, EntryState
from fhirmap.journal.store import translated
from fhirmap.journal.verification import JournalVerification

__all__ = ["PURGED_STATES", "JournalPurging", "Purged"]

PURGED_STATES = (
    EntryState.ACCEPTED,
    EntryState.REFUSED,
    EntryState.SUPERSEDED,
    EntryState.INVALID,
    EntryState.OUT_OF_SCOPE,
    EntryState.GONE,
)
"""The final ones."""


@dataclass(frozen=True, slots=True)
class Purged:
    """``records``: entries whose payload, notes and answers were deleted; ``forgotten``: entries deleted as a whole;
    ``size``: bytes of payloads and answers."""

    records: int = 0
    forgotten: int = 0
    size: int = 0

    def __add__(self, other: Purged) -> Purged:
        return Purged(self.records + other.records, self.forgotten + other.forgotten, self.size + other.size)


class JournalPurging(JournalVerification):
    """Deletes what is done with; each method is one or several committed transactions."""

    def purge(
        self, states: Collection[EntryState], before: float, *, is_archived: bool, dry_run: bool = False
    ) -> Purged:
        """Deletes payloads, notes and answers of entries that came to one of ``states`` before a time. ``is_archived``:
        identifiers are written back, so that what is not yet stays. ``dry_run``: nothing is deleted.

        Raises: JournalError FM800-FM805; what was deleted before stays deleted.
        """
        chosen = self._may_be_purged([state for state in states if state in PURGED_STATES], before, is_archived)
        done, last = Purged(), 0
        while True:
            with self._transaction() as connection:
                rows = self._some(connection, and_(chosen, entry.c.id > last))
                if not rows:
                    break
                last = rows[-1].id
                done += self._purge_some(connection, rows, dry_run=dry_run)
        if not dry_run:
            self.note(AuditAct.PURGED, {"records": done.records, "forgotten": done.forgotten, "bytes": done.size})
            self._give_back()
        return done

    def _may_be_purged(self, states: Sequence[EntryState], before: float, is_archived: bool) -> ColumnElement[bool]:
        unsettled = and_(entry.c.in_doubt.is_(True), entry.c.doubt_settled_at.is_(None))
        withdrawn = exists().where(
            self._own(withdrawal),
            withdrawal.c.key == entry.c.key,
            withdrawal.c.ended_at.is_(None),
            withdrawal.c.acknowledged_at.is_(None),
        )
        waits = and_(entry.c.archive == ArchiveState.PENDING, entry.c.state == EntryState.ACCEPTED)
        final = and_(self._scope, entry.c.state.in_(list(states)), entry.c.changed_at < before)
        kept = or_(unsettled, withdrawn, waits) if is_archived else or_(unsettled, withdrawn)
        has_body = exists().where(attempt.c.entry_id == entry.c.id, func.length(attempt.c.body) > 0)
        has_payload = exists().where(payload.c.entry_id == entry.c.id)
        return and_(final, not_(kept), or_(has_payload, has_body, entry.c.notes != "[]", self._is_forgettable))

    @property
    def _is_forgettable(self) -> ColumnElement[bool]:
        """Nothing of it ever left, and it is not what the source says of its key."""
        left = or_(
            entry.c.last_attempt != 0,
            exists().where(attempt.c.entry_id == entry.c.id),
            exists().where(identifier.c.entry_id == entry.c.id),
        )
        other = entry.alias()
        same = and_(*(other.c[name] == entry.c[name] for name in ("establishment", "operation", "key")))
        alone = ~exists().where(same, other.c.id != entry.c.id)
        unneeded = or_(entry.c.is_current.is_(False), and_(entry.c.state == EntryState.GONE, alone))
        return and_(not_(left), unneeded)

    def _some(self, connection: Connection, chosen: ColumnElement[bool]) -> Sequence[Row]:
        size = select(func.length(payload.c.payload)).where(payload.c.entry_id == entry.c.id).scalar_subquery()
        bodies = select(func.sum(func.length(attempt.c.body))).where(attempt.c.entry_id == entry.c.id).scalar_subquery()
        forgotten = self._is_forgettable.label("forgotten")
        query = select(entry.c.id, size.label("size"), bodies.label("bodies"), forgotten)
        return connection.execute(query.where(chosen).order_by(entry.c.id).limit(CHUNK)).all()

    def _purge_some(self, connection: Connection, rows: Sequence[Row], *, dry_run: bool) -> Purged:
        forgotten = [row.id for row in rows if row.forgotten]
        others = [row.id for row in rows if not row.forgotten]
        if not dry_run:
            if not self._on_server:
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            connection.execute(delete(payload).where(payload.c.entry_id.in_([row.id for row in rows])))
            connection.execute(delete(entry).where(entry.c.id.in_(forgotten)))
            connection.execute(
                update(attempt)
                .where(attempt.c.entry_id.in_(others), func.length(attempt.c.body) > 0)
                .values(body=b"", sealed_by="")
            )
            connection.execute(update(entry).where(entry.c.id.in_(others)).values(purged_at=self._clock(), notes="[]"))
        size = sum((row.size or 0) + int(row.bodies or 0) for row in rows)
        return Purged(len(others), len(forgotten), size)

    def _give_back(self) -> None:
        """Writes the file anew, without what was deleted, and empties the log beside it. A server does so itself."""
        if self._on_server:
            return
        with self._threads, translated(self._name):
            raw = self._engine.raw_connection()
            try:
                for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
                    raw.cursor().execute(statement)
            finally:
                raw.close()
