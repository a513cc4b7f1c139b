"""What people ask the journal: each record with its last answer, what needs attention, the history of one record, the
whole at a glance. Reads only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, and_, cast, func, not_, or_, select

from fhirmap.journal.codec import recorded_answer, shown_code, shown_issues
from fhirmap.journal.connection import CHUNK, SHOWN
from fhirmap.journal.entries import DayCounts, Reason, RecordedAnswer, Status
from fhirmap.journal.ledger import counts_by_state
from fhirmap.journal.payloads import UNSENDABLE
from fhirmap.journal.queue import EntryQueue
from fhirmap.journal.schema import attempt, entry
from fhirmap.journal.soundness import stuck_keys
from fhirmap.journal.states import VERDICTS, ArchiveState, EntryState
from fhirmap.journal.stored_cells import LATEST_S, plain

__all__ = ["JournalReading", "grouped_reasons"]


class JournalReading(EntryQueue):
    """The questions of reports and of `fhirmap status`."""

    def answers(
        self, states: Collection[EntryState] | None = None, keys: Collection[str] | None = None
    ) -> list[RecordedAnswer]:
        """Current records with what was last said of each, in the order first read."""
        query = select(*SHOWN).where(self._scope, entry.c.is_current.is_(True)).order_by(entry.c.id)
        if states is not None:
            query = query.where(entry.c.state.in_(list(states)))
        if keys is not None:
            query = query.where(entry.c.key.in_(list(keys)))
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return [recorded_answer(row, self._run) for row in rows]

    def known_keys(self) -> list[str]:
        """The key of every record that the journal has."""
        with self._transaction() as connection:
            return list(connection.execute(select(entry.c.key).where(self._scope).distinct()).scalars())

    def needing_attention(self) -> Iterator[RecordedAnswer]:
        """Current records of this run that may need attention, one after the other: all but those that were
        simply accepted, or are out of scope without a note."""
        went_well = and_(
            entry.c.state.in_([EntryState.ACCEPTED, EntryState.OUT_OF_SCOPE]),
            entry.c.code == "",
            entry.c.notes == "[]",
            entry.c.faults == "[]",
        )
        query = (
            select(*SHOWN)
            .where(self._scope, entry.c.is_current.is_(True), not_(went_well))
            .where(or_(entry.c.read_run == self._run, entry.c.settled_run == self._run))
            .order_by(entry.c.id)
            .execution_options(yield_per=CHUNK)
        )
        with self._transaction() as connection:
            for row in connection.execute(query):
                yield recorded_answer(row, self._run)

    def others_with_accepted(self) -> list[tuple[str, str]]:
        """The other establishments and operations of this journal of which something was accepted."""
        own = and_(
            entry.c.establishment == self._identity["establishment"], entry.c.operation == self._identity["operation"]
        )
        query = (
            select(entry.c.establishment, entry.c.operation)
            .where(entry.c.state == EntryState.ACCEPTED, not_(own))
            .distinct()
            .order_by(entry.c.establishment, entry.c.operation)
        )
        with self._transaction() as connection:
            return [(str(name), str(operation)) for name, operation in connection.execute(query)]

    def accepted_among(self, fingerprints: Sequence[tuple[str, str]], *, of: tuple[str, str] | None = None) -> int:
        """How many of these keys, each with the digest of what is read of it, were accepted as they are read. ``of``:
        another establishment and operation of this journal."""
        name, operation = of or (self._identity["establishment"], self._identity["operation"])
        wanted = dict(fingerprints)
        query = select(entry.c.key, entry.c.read_digest).where(
            entry.c.establishment == name,
            entry.c.operation == operation,
            entry.c.key.in_(list(wanted)),
            or_(entry.c.state == EntryState.ACCEPTED, entry.c.in_doubt.is_(True)),
        )
        with self._transaction() as connection:
            return len({key for key, digest in connection.execute(query) if digest == wanted[key]})

    def are_final(self, keys: Collection[str]) -> bool:
        """Did this run read all of these records, and has nothing more to do with any: accepted, or out of scope?"""
        wanted = set(keys)
        query = select(func.count()).where(
            self._scope,
            entry.c.key.in_(list(wanted)),
            entry.c.is_current.is_(True),
            entry.c.read_run == self._run,
            entry.c.state.in_([EntryState.ACCEPTED, EntryState.OUT_OF_SCOPE]),
            entry.c.held.is_(False),
        )
        with self._transaction() as connection:
            return int(connection.execute(query).scalar_one()) == len(wanted)

    def accepted_count(self) -> int:
        """How many payloads were accepted, those of former times included."""
        query = select(func.count()).where(self._scope, entry.c.state == EntryState.ACCEPTED)
        with self._transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def damaged_count(self) -> int:
        """How many current records are not sent because their payload is not what was put."""
        query = select(func.count()).where(self._scope, entry.c.is_current.is_(True), entry.c.code.in_(UNSENDABLE))
        with self._transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def unreadable_keys(self) -> list[str]:
        """The keys of records that are not sent, or not written back, because of what cannot be read. To find all that
        cannot be read takes a look at every cell (`verify`)."""
        with self._transaction() as connection:
            return stuck_keys(connection, self._scope)

    def held_keys(self, count: int) -> tuple[str, ...]:
        """The first of the records that this run read and holds."""
        query = (
            select(entry.c.key)
            .where(self._scope, entry.c.read_run == self._run, entry.c.is_current.is_(True), entry.c.held.is_(True))
            .order_by(entry.c.id)
            .limit(count)
        )
        with self._transaction() as connection:
            return tuple(connection.execute(query).scalars())

    def days(self, most: int) -> tuple[DayCounts, ...]:
        """Current records by the day on which they got their state, the last ``most`` days that have any."""
        hour = cast(entry.c.changed_at / 3600, Integer)
        query = (
            select(hour, entry.c.state, func.count())
            .where(self._scope, entry.c.is_current.is_(True), entry.c.changed_at.between(0, LATEST_S))
            .group_by(hour, entry.c.state)
        )
        found: dict[str, dict[str, int]] = {}
        with self._transaction() as connection:
            for at, state, count in connection.execute(query):
                day = found.setdefault(datetime.fromtimestamp(at * 3600).astimezone().date().isoformat(), {})
                day[str(EntryState(state))] = day.get(str(EntryState(state)), 0) + int(count)
        return tuple(DayCounts(day, found[day]) for day in sorted(found)[-most:])

    def doubts(self, keys: Collection[str] | None = None) -> list[RecordedAnswer]:
        """Records of which an answer was lost, so that the receiver may have them, or have them twice, and that no one
        has settled; with ``keys`` the settled ones of these records too. A record may have several payloads in doubt.
        """
        if keys is None:
            chosen = self._in_doubt
        else:
            chosen = and_(self._scope, entry.c.in_doubt.is_(True), entry.c.key.in_(list(keys)))
        with self._transaction() as connection:
            rows = connection.execute(select(*SHOWN).where(chosen).order_by(entry.c.id)).all()
        return [recorded_answer(row, self._run) for row in rows]

    def history(self, key: str) -> list[Mapping[str, Any]]:
        """Every event of every payload of ``key``, oldest first: at, event, number, state, code, status, duration_s,
        issues."""
        query = (
            select(attempt, entry.c.digest)
            .join(entry, entry.c.id == attempt.c.entry_id)
            .where(self._scope, entry.c.key == key)
            .order_by(attempt.c.id)
        )
        names = ("at", "event", "number", "state", "code", "status", "duration_s", "run_id", "digest")
        with self._transaction() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            {name: plain(row[name]) for name in names}
            | {"code": shown_code(row["code"]), "issues": shown_issues(row["issues"])}
            for row in rows
        ]

    def status(self) -> Status:
        """The journal at a glance."""
        current = and_(self._scope, entry.c.is_current.is_(True))
        with self._transaction() as connection:
            by_state = connection.execute(
                select(entry.c.state, func.count()).where(current).group_by(entry.c.state)
            ).all()
            answered = connection.execute(
                select(*SHOWN)
                .where(
                    current,
                    entry.c.state.not_in([*VERDICTS, EntryState.SUPERSEDED, EntryState.READY]),
                )
                .where(or_(entry.c.state != EntryState.ACCEPTED, entry.c.code != ""))
                .order_by(entry.c.id)
            ).all()
            unarchived = connection.execute(
                select(func.count()).where(
                    self._scope, entry.c.archive == ArchiveState.PENDING, entry.c.state == EntryState.ACCEPTED
                )
            ).scalar_one()
            held = connection.execute(
                select(func.count()).where(current, entry.c.held.is_(True), entry.c.state == EntryState.ACCEPTED)
            ).scalar_one()
            due = self._due_after_this_run(connection)
            unreadable = stuck_keys(connection, self._scope)
        return Status(
            states=counts_by_state(by_state),
            reasons=grouped_reasons(recorded_answer(row, self._run) for row in answered),
            possible_duplicates=tuple(self.doubts()),
            last_run=self.last_run(),
            next_due=due,
            archive_pending=int(unarchived),
            held=int(held),
            withdrawn=tuple(self.withdrawals()),
            shared_identifiers=self.shared_identifiers(),
            unreadable=tuple(unreadable),
        )


def grouped_reasons(answers: Iterable[RecordedAnswer]) -> tuple[Reason, ...]:
    """Records that share state, code, status and the receiver's words, the most frequent first within a state."""
    grouped: dict[tuple[EntryState, str, int, str], list[str]] = {}
    for answer in answers:
        words = "; ".join(dict.fromkeys(issue.diagnostics or issue.code for issue in answer.issues))
        grouped.setdefault((answer.state, answer.code, answer.status, words), []).append(answer.key)
    reasons = [Reason(*found, count=len(keys), keys=tuple(keys[:20])) for found, keys in grouped.items()]
    order = list(EntryState)
    return tuple(sorted(reasons, key=lambda reason: (order.index(reason.state), -reason.count)))
