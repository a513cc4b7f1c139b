"""Is this the journal that the last run worked with? An older copy, a restored one or a new one in its place does not
know what was sent since.

Two things say so. The file of the run's lock, beside a SQLite journal, has the journal's name and how far it was when
the last run ended (`store.RunMark`). The archive has identifiers that the receiver gave: `unknown_among` finds those
that the journal does not know, of records that wait to be sent. Nothing is sent then until somebody says whether the
receiver has these records (`adopt`) or they are to be sent again (`confirm`).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.audit_reading import JournalAudit
from fhirmap.journal.connection import CHUNK
from fhirmap.journal.ledger import RUNS_ELSEWHERE, last_run
from fhirmap.journal.row_statement import next_numbers
from fhirmap.journal.schema import attempt, entry, identifier, meta
from fhirmap.journal.states import ArchiveState, AttemptEvent, EntryState, check_move
from fhirmap.journal.store import UNREADABLE, RunMark
from fhirmap.journal.stored_cells import MOST
from fhirmap.texts.shown_keys import shown_key

__all__ = ["DOUBT", "ArchivedIdentifier", "Continuity", "Doubt", "DoubtCause", "doubt_from_json", "doubt_to_json"]

_NAME = "journal"
DOUBT = "unconfirmed"
"""The row of `fhirmap_meta` that says why nothing is sent: a `Doubt` as JSON."""
_WAITING = (EntryState.READY, EntryState.DEFERRED, EntryState.UNCERTAIN)


class ArchivedIdentifier(NamedTuple):
    """What the archive has of a record: the identifier, and those before it, the oldest first."""

    system: str
    value: str
    earlier: tuple[str, ...] = ()


class DoubtCause(StrEnum):
    """Why a journal may not know what was sent."""

    OLDER = "older"
    """It is older than the end of the last run."""
    OTHER = "other"
    """Another journal was here."""
    RESTORED = "restored"
    UNREADABLE = "unreadable"
    """It cannot be read which one was here."""


class Doubt(NamedTuple):
    """``runs``: how many an older journal lacks altogether, 0 where it was copied during the last run."""

    cause: DoubtCause
    runs: int = 0


def doubt_to_json(doubt: Doubt) -> str:
    """As the journal keeps it."""
    return json.dumps({"cause": str(doubt.cause), "runs": doubt.runs})


def doubt_from_json(stored: str) -> Doubt | None:
    """What `doubt_to_json` wrote; None for anything else."""
    try:
        found = json.loads(stored)
    except (ValueError, RecursionError):
        return None
    match found:
        case {"cause": str(cause), "runs": int(runs)} if cause in set(DoubtCause):
            return Doubt(DoubtCause(cause), runs)
    return None


class Continuity(JournalAudit):
    """What keeps a journal from sending again what another one has sent."""

    def mark(self) -> RunMark:
        """The journal's name, made where it has none, its last run and its last attempt."""
        with self._transaction() as connection:
            name = _get(connection, _NAME)
            if name is None:
                name = uuid.uuid4().hex
                _set(connection, _NAME, name)
            attempts = connection.execute(select(func.max(attempt.c.id)).where(attempt.c.id < MOST)).scalar()
            return RunMark(name, last_run(connection), int(attempts or 0))

    def compare(self, last: RunMark | None) -> None:
        """Notes where this is not the journal that the mark ``last`` was made of, or is an older state of it. The runs
        of an older state are numbered after those that it does not know, so that no copy passes for a later one."""
        own = self.mark()
        if last is None or (last.journal == own.journal and last <= own):
            return
        if last.journal == own.journal:
            doubt = Doubt(DoubtCause.OLDER, last.run - own.run)
        else:
            doubt = Doubt(DoubtCause.UNREADABLE if last == UNREADABLE else DoubtCause.OTHER)
        with self._transaction() as connection:
            _set(connection, DOUBT, doubt_to_json(doubt))
            if last.journal == own.journal:
                _set(connection, RUNS_ELSEWHERE, str(last.run + 1))

    def doubt(self) -> Doubt | None:
        """Why this journal may not know what was sent; None where it needs no confirmation."""
        with self._transaction() as connection:
            found = _get(connection, DOUBT)
        return None if found is None else doubt_from_json(found) or Doubt(DoubtCause.UNREADABLE)

    def keys_to_send(self) -> Iterator[list[str]]:
        """The keys of the records that wait to be sent, some at a time."""
        after = 0
        while True:
            query = (
                select(entry.c.id, entry.c.key)
                .where(self._scope, entry.c.is_current.is_(True), entry.c.state.in_(_WAITING), entry.c.id > after)
                .order_by(entry.c.id)
                .limit(CHUNK)
            )
            with self._transaction() as connection:
                rows = connection.execute(query).all()
            if not rows:
                return
            after = rows[-1].id
            yield [row.key for row in rows]

    def unknown_among(self, archived: Mapping[str, ArchivedIdentifier]) -> list[str]:
        """Those keys whose identifier in the archive the journal does not know."""
        with self._transaction() as connection:
            known = self._identifiers_of(connection, list(archived))
        return [key for key, found in archived.items() if found.value not in {one.value for one in known.get(key, ())}]

    def adopt(self, archived: Mapping[str, ArchivedIdentifier]) -> int:
        """Takes records that wait to be sent for accepted, with the identifiers that the archive has: they are not
        sent. Gives how many."""
        count = 0
        for chunk in _chunks(archived):
            with self._transaction() as connection:
                rows = self._waiting(connection, chunk)
                numbers = next_numbers(connection, attempt, len(rows)) if rows else ()
                for number, (entry_id, key, state, attempts) in zip(numbers, rows, strict=True):
                    check_move(state, EntryState.ACCEPTED)
                    self._adopt_one(connection, (number, entry_id, attempts), archived[key])
                self._know(connection, rows, archived)
                if rows:
                    self._audit.append(
                        connection, AuditAct.ADOPTED, {"keys": [shown_key(key) for _, key, _, _ in rows]}
                    )
                count += len(rows)
        self._settle_doubt()
        return count

    def confirm(self, archived: Mapping[str, ArchivedIdentifier]) -> int:
        """Records that wait are to be sent, although the archive has identifiers of them: these are known from now on.
        Gives how many."""
        count = 0
        for chunk in _chunks(archived):
            with self._transaction() as connection:
                rows = self._waiting(connection, chunk)
                self._know(connection, rows, archived)
                count += len(rows)
        self._settle_doubt()
        self.note(AuditAct.CONFIRMED, {"keys": [shown_key(key) for key in archived]})
        return count

    def _settle_doubt(self) -> None:
        with self._transaction() as connection:
            connection.execute(delete(meta).where(meta.c.name == DOUBT))

    def _waiting(self, connection: Connection, keys: Collection[str]) -> Sequence[tuple[int, str, EntryState, int]]:
        query = select(entry.c.id, entry.c.key, entry.c.state, entry.c.attempts).where(
            self._scope, entry.c.is_current.is_(True), entry.c.state.in_(_WAITING), entry.c.key.in_(list(keys))
        )
        return [tuple(row) for row in connection.execute(query.order_by(entry.c.id))]

    def _adopt_one(self, connection: Connection, numbers: tuple[int, int, int], found: ArchivedIdentifier) -> None:
        """``numbers``: of the attempt, of the entry, and which attempt at its payload the last one was."""
        number, entry_id, attempts = numbers
        now = self._clock()
        said = {"event": AttemptEvent.ADOPTED, "at": now, "state": EntryState.ACCEPTED, "body": b""}
        connection.execute(
            insert(attempt).values(id=number, entry_id=entry_id, run_id=self._run, number=attempts, **said)
        )
        given = {"identifier_system": found.system, "identifier_value": found.value}
        answered = {"code": "", "status": 0, "issues": "[]", "not_before": 0.0, "is_given_up": False}
        connection.execute(
            update(entry)
            .where(entry.c.id == entry_id)
            .values(state=EntryState.ACCEPTED, archive=ArchiveState.DONE, last_attempt=number, changed_at=now)
            .values(**given, **answered)
        )

    def _know(
        self,
        connection: Connection,
        rows: Sequence[tuple[int, str, EntryState, int]],
        archived: Mapping[str, ArchivedIdentifier],
    ) -> None:
        """Notes the identifiers that the archive has of these records."""
        known = self._identifiers_of(connection, [key for _, key, _, _ in rows])
        for entry_id, key, _, _ in rows:
            found = archived[key]
            before = {one.value for one in known.get(key, ())}
            for value in dict.fromkeys((*found.earlier, found.value)):
                if value in before:
                    continue
                shared = and_(self._own(identifier), identifier.c.value == value, identifier.c.system == found.system)
                others = connection.execute(select(identifier.c.id).where(shared).limit(1)).first()
                connection.execute(
                    insert(identifier).values(
                        **self._identity,
                        key=key,
                        system=found.system,
                        value=value,
                        entry_id=entry_id,
                        run_id=self._run,
                        at=self._clock(),
                        is_shared=others is not None,
                    )
                )


def _chunks(keys: Collection[str]) -> Iterator[list[str]]:
    listed = list(keys)
    for start in range(0, len(listed), CHUNK):
        yield listed[start : start + CHUNK]


def _get(connection: Connection, name: str) -> str | None:
    found = connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()
    return None if found is None else str(found)


def _set(connection: Connection, name: str, value: str) -> None:
    if not connection.execute(update(meta).where(meta.c.name == name).values(value=value)).rowcount:
        connection.execute(insert(meta).values(name=name, value=value))
