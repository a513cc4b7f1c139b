"""Is the journal what it has to be? Every rule that the rest of the journal relies on, looked at in what is stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, String, Table, and_, exists, func, or_, select, type_coerce

from fhirmap.errors import JournalError
from fhirmap.journal.connection import CHUNK
from fhirmap.journal.continuity import Continuity, doubt_from_json
from fhirmap.journal.entries import Ledger
from fhirmap.journal.payloads import is_as_put
from fhirmap.journal.schema import (
    attempt,
    checkpoint,
    entry,
    identifier,
    layout,
    meta,
    payload,
    run,
    turn,
    withdrawal,
)
from fhirmap.journal.soundness import unreadable_keys, unsound
from fhirmap.journal.states import EntryState
from fhirmap.journal.stored_cells import MOST, Words, counted
from fhirmap.texts.shown_keys import shown_key

__all__ = ["FindingKind", "JournalFinding", "JournalVerification"]

_KEYS_SHOWN = 20
_HEXADECIMAL = re.compile("(?:[0-9a-f]{2})+")
_PENDING = [str(state) for state in (EntryState.READY, EntryState.SENDING, EntryState.DEFERRED, EntryState.UNCERTAIN)]


class FindingKind(StrEnum):
    """What is not as it has to be."""

    DAMAGED_FILE = "damaged_file"
    FOREIGN_KEY = "foreign_key"
    PAYLOAD_CHANGED = "payload_changed"
    PAYLOAD_MISSING = "payload_missing"
    ANSWER_CHANGED = "answer_changed"
    KEY_MISSING = "key_missing"
    NOT_ONE_CURRENT = "not_one_current"
    UNKNOWN_WORD = "unknown_word"
    UNREADABLE_ROW = "unreadable_row"
    SENDING_UNSENT = "sending_unsent"
    ACCEPTED_UNANSWERED = "accepted_unanswered"
    UNREADABLE_JSON = "unreadable_json"
    RUN_UNBALANCED = "run_unbalanced"
    IDENTIFIER_LOST = "identifier_lost"
    IDENTIFIER_FOREIGN = "identifier_foreign"
    SEVERAL_WITHDRAWALS = "several_withdrawals"


@dataclass(frozen=True, slots=True)
class JournalFinding:
    """``keys``: the first of the records, as reports show them; ``count``: all of them; ``detail``: what the database
    says, numbers of runs, or the keys that payloads and answers are encrypted by."""

    kind: FindingKind
    count: int
    keys: tuple[str, ...] = ()
    detail: str = ""


class JournalVerification(Continuity):
    """The rules, each a query; nothing is written."""

    def require_sound_pages(self) -> None:
        """A brief look at the pages of a file.

        Raises: JournalError FM804 where one is damaged.
        """
        if self._on_server:
            return
        with self._transaction() as connection:
            if connection.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
                raise JournalError("FM804", journal=self._name, reason="quick_check")

    def verify(self) -> list[JournalFinding]:
        """Everything that is not as it has to be, for this establishment and operation; of a file also its pages."""
        try:
            with self._transaction() as connection:
                damaged = list(self._damaged_file(connection)) if not self._on_server else []
        except JournalError as error:
            if error.code != "FM804":
                raise
            damaged = [JournalFinding(FindingKind.DAMAGED_FILE, 1, detail=error.diagnostic().message)]
        # Where pages are damaged, what else is said would be about them.
        if damaged:
            return damaged
        checks: tuple[Callable[[Connection], Iterator[JournalFinding]], ...] = (
            self._unknown_words,
            self._unreadable,
            self._payloads,
            self._answers,
            self._current,
            self._attempts,
            self._json,
            self._runs,
            self._given,
            self._withdrawn,
        )
        found: list[JournalFinding] = []
        for check in checks:
            with self._transaction() as connection:
                found += check(connection)
        return found

    def _damaged_file(self, connection: Connection) -> Iterator[JournalFinding]:
        rows = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
        if rows != ["ok"]:
            yield JournalFinding(FindingKind.DAMAGED_FILE, len(rows), detail="; ".join(rows[:3]))
            return
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            tables = sorted({str(row[0]) for row in broken})
            yield JournalFinding(FindingKind.FOREIGN_KEY, len(broken), detail=", ".join(tables))

    def _unknown_words(self, connection: Connection) -> Iterator[JournalFinding]:
        for table, name in ((entry, "state"), (entry, "archive"), (withdrawal, "cause")):
            yield from self._keys(connection, FindingKind.UNKNOWN_WORD, table, _unknown(table, name))
        of_attempt = or_(_unknown(attempt, "event"), _unknown(attempt, "state"))
        odd = exists().where(attempt.c.entry_id == entry.c.id, of_attempt)
        yield from self._keys(connection, FindingKind.UNKNOWN_WORD, entry, odd)

    def _unreadable(self, connection: Connection) -> Iterator[JournalFinding]:
        """Rows of other kinds than fhirmap writes: of the records, of no project that can be read, and of the rest."""
        yield from _found(FindingKind.UNREADABLE_ROW, unreadable_keys(connection, *self._identity.values()))
        dialect = connection.dialect.name
        rest: dict[str, int] = {}
        for table in (entry, identifier, withdrawal):
            if not self._on_server:
                of_none = or_(*(func.typeof(table.c[name]) != "text" for name in self._identity))
                rest[table.name] = _count_of(connection, table, of_none)
        for table in (meta, run, checkpoint, layout, turn):
            rest[table.name] = _count_of(connection, table, unsound(table, dialect))
        rest[run.name] += _count_of(connection, run, run.c.id >= MOST)
        rest[meta.name] += sum(not _is_setting(*row) for row in connection.execute(select(meta.c.name, meta.c.value)))
        rest[layout.name] += sum(not _is_list(text) for text in connection.execute(select(layout.c.columns)).scalars())
        odd = {name: count for name, count in rest.items() if count}
        if odd:
            detail = ", ".join(f"{name} {count}" for name, count in odd.items())
            yield JournalFinding(FindingKind.UNREADABLE_ROW, sum(odd.values()), detail=detail)

    def _payloads(self, connection: Connection) -> Iterator[JournalFinding]:
        changed: list[str] = []
        missing: list[str] = []
        locked = _Locked()
        last = 0
        state = type_coerce(entry.c.state, String)
        while True:
            query = (
                select(
                    *(entry.c.id, entry.c.key, entry.c.digest, entry.c.purged_at, state),
                    *(payload.c.payload, payload.c.sealed_by),
                )
                .outerjoin(payload, payload.c.entry_id == entry.c.id)
                .where(self._scope, entry.c.digest != "", entry.c.id > last)
                .order_by(entry.c.id)
                .limit(CHUNK)
            )
            rows = connection.execute(query).all()
            if not rows:
                break
            last = rows[-1].id
            for _, key, digest, purged_at, word, content, sealed_by in rows:
                if content is None:
                    if purged_at is None or word in _PENDING:
                        missing.append(key)
                elif not self._sealing.knows(sealed_by):
                    locked.add(key, sealed_by)
                elif not is_as_put(self._sealing.open_payload(key, digest, content, sealed_by), digest):
                    changed.append(key)
        for kind, keys in ((FindingKind.PAYLOAD_CHANGED, changed), (FindingKind.PAYLOAD_MISSING, missing)):
            yield from _found(kind, keys)
        yield from locked.finding()

    def _answers(self, connection: Connection) -> Iterator[JournalFinding]:
        """Of what came back only what is encrypted can be examined."""
        query = (
            select(entry.c.key, attempt.c.entry_id, attempt.c.number, attempt.c.body, attempt.c.sealed_by)
            .join(attempt, attempt.c.entry_id == entry.c.id)
            .where(self._scope, attempt.c.sealed_by != "")
        )
        changed: list[str] = []
        locked = _Locked()
        for key, entry_id, number, body, sealed_by in connection.execute(query.execution_options(yield_per=CHUNK)):
            if not self._sealing.knows(sealed_by):
                locked.add(key, sealed_by)
            elif self._sealing.open_answer(entry_id, number, body, sealed_by) is None:
                changed.append(key)
        yield from _found(FindingKind.ANSWER_CHANGED, changed)
        yield from locked.finding()

    def _current(self, connection: Connection) -> Iterator[JournalFinding]:
        count = func.count().filter(entry.c.is_current.is_(True))
        query = select(entry.c.key).where(self._scope).group_by(entry.c.key).having(count != 1)
        yield from _found(FindingKind.NOT_ONE_CURRENT, list(connection.execute(query).scalars()))

    def _attempts(self, connection: Connection) -> Iterator[JournalFinding]:
        state = type_coerce(entry.c.state, String)
        sent = exists().where(attempt.c.id == entry.c.last_attempt, attempt.c.entry_id == entry.c.id)
        unsent = and_(state == str(EntryState.SENDING), ~sent)
        yield from self._keys(connection, FindingKind.SENDING_UNSENT, entry, unsent)
        accepted = exists().where(
            attempt.c.entry_id == entry.c.id, type_coerce(attempt.c.state, String) == str(EntryState.ACCEPTED)
        )
        unanswered = and_(state == str(EntryState.ACCEPTED), ~accepted)
        yield from self._keys(connection, FindingKind.ACCEPTED_UNANSWERED, entry, unanswered)

    def _json(self, connection: Connection) -> Iterator[JournalFinding]:
        unreadable: list[str] = []
        written = or_(entry.c.notes != "[]", entry.c.faults != "[]", entry.c.issues != "[]")
        query = select(entry.c.key, entry.c.notes, entry.c.faults, entry.c.issues).where(self._scope, written)
        for key, *texts in connection.execute(query.execution_options(yield_per=CHUNK)):
            unreadable += [key] * (not all(_is_list(text) for text in texts))
        of_attempts = (
            select(entry.c.key, attempt.c.issues)
            .join(attempt, attempt.c.entry_id == entry.c.id)
            .where(self._scope, attempt.c.issues != "[]")
        )
        for key, text in connection.execute(of_attempts.execution_options(yield_per=CHUNK)):
            unreadable += [key] * (not _is_list(text))
        yield from _found(FindingKind.UNREADABLE_JSON, unreadable)

    def _runs(self, connection: Connection) -> Iterator[JournalFinding]:
        query = select(run.c.id, run.c.counts).where(self._own(run), run.c.finished_at.is_not(None)).order_by(run.c.id)
        odd = [str(number) for number, counts in connection.execute(query) if not _is_balanced(counts)]
        if odd:
            yield JournalFinding(FindingKind.RUN_UNBALANCED, len(odd), detail=", ".join(odd[:_KEYS_SHOWN]))

    def _given(self, connection: Connection) -> Iterator[JournalFinding]:
        known = exists().where(
            self._own(identifier),
            identifier.c.key == entry.c.key,
            identifier.c.value == entry.c.identifier_value,
        )
        accepted = type_coerce(entry.c.state, String) == str(EntryState.ACCEPTED)
        lost = and_(accepted, entry.c.identifier_value != "", ~known)
        yield from self._keys(connection, FindingKind.IDENTIFIER_LOST, entry, lost)
        own = exists().where(entry.c.id == identifier.c.entry_id, entry.c.key == identifier.c.key, self._scope)
        yield from self._keys(connection, FindingKind.IDENTIFIER_FOREIGN, identifier, ~own)

    def _withdrawn(self, connection: Connection) -> Iterator[JournalFinding]:
        query = (
            select(withdrawal.c.key)
            .where(self._own(withdrawal), withdrawal.c.ended_at.is_(None))
            .group_by(withdrawal.c.key)
            .having(func.count() > 1)
        )
        yield from _found(FindingKind.SEVERAL_WITHDRAWALS, list(connection.execute(query).scalars()))

    def _keys(
        self, connection: Connection, kind: FindingKind, table: Table, odd: ColumnElement[bool]
    ) -> Iterator[JournalFinding]:
        query = select(table.c.key).where(self._own(table), odd).order_by(table.c.id)
        yield from _found(kind, list(connection.execute(query).scalars()))


def _unknown(table: Table, name: str) -> ColumnElement[bool]:
    """Has the column a word that no version knows?"""
    column = table.c[name]
    assert isinstance(column.type, Words)
    return type_coerce(column, String).not_in([str(word) for word in column.type.states if word != "unreadable"])


def _count_of(connection: Connection, table: Table, odd: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(odd)).scalar_one())


class _Locked:
    """Records of which something is encrypted by a key that is not there."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._needed: set[str] = set()

    def add(self, key: str, sealed_by: str) -> None:
        """One more record, and the key that it needs."""
        self._keys.append(key)
        self._needed.add(sealed_by)

    def finding(self) -> Iterator[JournalFinding]:
        """With the names of the keys."""
        yield from _found(FindingKind.KEY_MISSING, self._keys, ", ".join(sorted(self._needed)))


def _found(kind: FindingKind, keys: list[str], detail: str = "") -> Iterator[JournalFinding]:
    distinct = list(dict.fromkeys(keys))
    if distinct:
        yield JournalFinding(kind, len(distinct), tuple(map(_shown, distinct[:_KEYS_SHOWN])), detail)


def _shown(key: object) -> str:
    """A key as it is shown, of a damaged row too, which may hold what is no text."""
    return shown_key(key.decode(errors="replace") if isinstance(key, bytes) else str(key))


def _is_setting(name: str, value: str | None) -> bool:
    """Is a row of `fhirmap_meta` what its name asks for? The log has its own rules for what it keeps there. One without
    a value is counted as no text already."""
    if value is None:
        return True
    match name:
        case "key_secret":
            return _HEXADECIMAL.fullmatch(value) is not None
        case "runs_elsewhere" | "audit_from":
            return counted(value) is not None
        case "unconfirmed":
            return doubt_from_json(value) is not None
    return True


def _is_list(text: object) -> bool:
    try:
        return isinstance(text, str) and isinstance(json.loads(text), list)
    except (ValueError, RecursionError):
        return False


def _is_balanced(text: object) -> bool:
    try:
        return isinstance(text, str) and Ledger(**json.loads(text)).balanced
    except (ValueError, TypeError, RecursionError):
        return False
