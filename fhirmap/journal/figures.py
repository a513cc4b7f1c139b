"""The journal in numbers, for monitoring: counts and times only, no key and no value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, Table, and_, case, func, select

from fhirmap.journal.entries import RunSummary
from fhirmap.journal.ledger import counts_by_state
from fhirmap.journal.reading import JournalReading
from fhirmap.journal.schema import attempt, entry, run, withdrawal
from fhirmap.journal.states import PENDING, ArchiveState, AttemptEvent, EntryState
from fhirmap.journal.stored_cells import LATEST_S, counted

__all__ = ["BUCKETS_S", "AnsweredCalls", "Figures", "JournalFigures"]

BUCKETS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the durations that calls are counted by, in seconds."""

_TOKENS = "tokens"
_DONE = (0, 1)
"""Exit codes of a run that did all its work: with 1 some records are for somebody to look at."""


@dataclass(frozen=True, slots=True)
class AnsweredCalls:
    """Calls that got the same HTTP ``status`` (0: no answer) and led to the same ``state``. ``within``: how many took
    no longer than each of `BUCKETS_S`. Unit: seconds."""

    state: EntryState
    status: int
    count: int
    seconds: float
    within: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """What the journal has of one project and target. Times in seconds since the epoch.

    ``states``: current records by state, those without any as 0. ``oldest_pending_at``: when the record that has waited
    longest was first read with what is to be sent. ``tokens``: fetched in all runs. ``last_done_at``: when a run last
    did all its work.
    """

    states: Mapping[EntryState, int] = field(default_factory=lambda: dict.fromkeys(EntryState, 0))
    held: int = 0
    withdrawn: int = 0
    in_doubt: int = 0
    unarchived: int = 0
    oldest_pending_at: float | None = None
    calls: tuple[AnsweredCalls, ...] = ()
    tokens: int = 0
    last_run: RunSummary | None = None
    last_done_at: float | None = None


class JournalFigures(JournalReading):
    """What monitoring asks the journal."""

    def figures(self) -> Figures:
        """All of them."""
        last_run, tokens = self.last_run(), (counted(self.checkpoint(_TOKENS)) or 0)
        current = and_(self._scope, entry.c.is_current.is_(True))
        with self._transaction() as connection:
            states = connection.execute(select(entry.c.state, func.count()).where(current).group_by(entry.c.state))
            return Figures(
                states=dict.fromkeys(EntryState, 0) | counts_by_state(states),
                held=_count(connection, entry, current, entry.c.held.is_(True), entry.c.state == EntryState.ACCEPTED),
                withdrawn=_count(
                    connection,
                    withdrawal,
                    self._own(withdrawal),
                    withdrawal.c.ended_at.is_(None),
                    withdrawal.c.acknowledged_at.is_(None),
                ),
                in_doubt=_count(connection, entry, self._in_doubt),
                unarchived=_count(
                    connection,
                    entry,
                    self._scope,
                    entry.c.archive == ArchiveState.PENDING,
                    entry.c.state == EntryState.ACCEPTED,
                ),
                oldest_pending_at=connection.execute(
                    select(func.min(entry.c.first_seen_at)).where(current, entry.c.state.in_(PENDING))
                ).scalar_one(),
                calls=self._calls(connection),
                tokens=tokens,
                last_run=last_run,
                last_done_at=connection.execute(
                    select(func.max(run.c.finished_at)).where(
                        self._own(run), run.c.exit_code.in_(_DONE), run.c.finished_at < LATEST_S
                    )
                ).scalar_one(),
            )

    def note_tokens(self, count: int) -> None:
        """Adds to how many tokens were fetched."""
        if count:
            total = (counted(self.checkpoint(_TOKENS)) or 0) + count
            with self._transaction() as connection:
                self._put_checkpoint(connection, _TOKENS, str(total))

    def _calls(self, connection: Connection) -> tuple[AnsweredCalls, ...]:
        within = [func.sum(case((attempt.c.duration_s <= most, 1), else_=0)) for most in BUCKETS_S]
        query = (
            select(attempt.c.state, attempt.c.status, func.count(), func.sum(attempt.c.duration_s), *within)
            .join(entry, entry.c.id == attempt.c.entry_id)
            .where(self._scope, attempt.c.event.in_([AttemptEvent.ANSWERED, AttemptEvent.UNANSWERED]))
            .group_by(attempt.c.state, attempt.c.status)
            .order_by(attempt.c.state, attempt.c.status)
        )
        return tuple(
            AnsweredCalls(state, status, int(count), float(seconds), tuple(map(int, shorter)))
            for state, status, count, seconds, *shorter in connection.execute(query)
        )


def _count(connection: Connection, table: Table, *chosen: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(table).where(*chosen)).scalar_one())
