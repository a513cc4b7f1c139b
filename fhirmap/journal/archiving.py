"""What is written back: accepted entries whose identifier the hospital does not have yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, func, select, update

from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.connection import CHUNK, Row
from fhirmap.journal.entries import Accepted
from fhirmap.journal.intake import EntryIntake
from fhirmap.journal.schema import entry
from fhirmap.journal.states import ArchiveState, EntryState
from fhirmap.journal.store import translated

__all__ = ["ArchiveQueue"]

_ARCHIVED = (
    entry.c.key,
    entry.c.identifier_system,
    entry.c.identifier_value,
    entry.c.changed_at,
    entry.c.digest,
)


class ArchiveQueue(EntryIntake):
    """What a run does with the identifiers that it was given; each method is one committed transaction."""

    def to_archive(self, count: int = 500, *, after: Accepted | None = None) -> list[Accepted]:
        """Accepted entries whose identifier is not written back yet, in the order they were sent; ``after``: those
        that follow this one."""
        query = (
            select(entry.c.id, entry.c.key, entry.c.last_attempt)
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
                select(*_ARCHIVED)
                .where(self._scope, entry.c.key.in_(keys[start : start + CHUNK]))
                .where(entry.c.state == EntryState.ACCEPTED)
                .order_by(entry.c.last_attempt)
            )
            found.update({row.key: row for row in connection.execute(query)})
        return found

    def archived(self, entry_ids: Collection[int]) -> None:
        """Notes that these are written back."""
        with self._writing() as connection:
            connection.execute(update(entry).where(entry.c.id.in_(list(entry_ids))).values(archive=ArchiveState.DONE))
            if entry_ids:
                body = {"run": self._run, "count": len(entry_ids)}
                self._audit.append(connection, AuditAct.ARCHIVED, body)

    @contextmanager
    def archiving(self) -> Iterator[None]:
        """Meanwhile no other worker writes identifiers back: each is written once, and no file of them by two."""
        if not self._shared:
            yield
            return
        key = "\x1f".join(("fhirmap:archive", *self._identity.values()))
        with translated(self._name):
            connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(select(func.pg_advisory_lock(func.hashtext(key))))
        try:
            yield
        finally:
            connection.invalidate()  # the server lets go of the lock with it
            connection.close()
