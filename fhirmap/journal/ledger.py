"""The runs: where each record that a run read has ended, and what it settled of earlier runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, func, insert, select, union_all, update

from fhirmap.data import JsonValue
from fhirmap.errors import InternalError
from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.connection import JournalConnection, Row
from fhirmap.journal.entries import Ledger, RunSummary
from fhirmap.journal.schema import entry, meta, run
from fhirmap.journal.states import PENDING, EntryState
from fhirmap.journal.stored_cells import MOST, counted, is_unreadable

__all__ = ["RUNS_ELSEWHERE", "RunLedger", "counts_by_state", "last_run"]

RUNS_ELSEWHERE = "runs_elsewhere"
"""The row of `fhirmap_meta` with a number above those of runs that this journal does not know."""


class RunLedger(JournalConnection):
    """Opens and closes runs, and accounts for what they read."""

    def start_run(
        self, map_digest: str = "", *, source: str = "", resend: bool = False, places: Sequence[str] = ()
    ) -> int:
        """Opens a run and gives its number; what is put, leased and settled from now on belongs to it.

        ``source``: which of several sources of one project is read, empty for its own. ``resend``: records whose
        payload only the map, the target or the version changed are sent again. ``places``: what is read, without a
        password.
        """
        self._source = source
        self._resend = resend
        with self._transaction() as connection:
            self._run = self._numbered(connection, map_digest)
            body: dict[str, JsonValue] = {
                "run": self._run,
                "map": map_digest,
                "source": source,
                "places": list(places),
                "resend": resend,
            }
            self._audit.append(connection, AuditAct.RUN_STARTED, body)
        return self._run

    def _numbered(self, connection: Connection, map_digest: str) -> int:
        """The number of a new run: no entry has it. In SQLite it follows the last that is known of; elsewhere the
        sequence gives it, which in restored tables may give numbers that they have."""
        columns = (entry.c.read_run, entry.c.settled_run, run.c.id)
        # In SQLite, a text or a blob is greater than every number: a damaged column is left out.
        known = union_all(*(select(func.max(column).label("number")).where(column < MOST) for column in columns))
        named = int(connection.execute(select(func.max(known.subquery().c.number))).scalar() or 0)
        last = max(named, _runs_elsewhere(connection))
        values = {**self._identity, "started_at": self._clock(), "map_digest": map_digest}
        if not self._shared:
            connection.execute(insert(run).values(**values, id=last + 1))
            return last + 1
        given = int(connection.execute(insert(run).values(values).returning(run.c.id)).scalar_one())
        if given > last:
            return given
        sequence = func.pg_get_serial_sequence(run.name, run.c.id.name)
        further = func.setval(sequence, func.greatest(func.nextval(sequence), last + 1))
        number = int(connection.execute(select(further)).scalar_one())
        connection.execute(update(run).where(run.c.id == given).values(id=number))
        return number

    def finish_run(self, exit_code: int, read: int | None = None) -> Ledger:
        """Closes the run and gives its ledger. ``read``: how many records the caller counted on its side.

        Raises: InternalError FM910 where the ledger does not balance; the run is closed all the same.
        """
        ledger = self.ledger(read)
        counts = {name: getattr(ledger, name) for name in Ledger.__slots__}
        with self._transaction() as connection:
            connection.execute(
                update(run)
                .where(run.c.id == self._run)
                .values(finished_at=self._clock(), exit_code=exit_code, counts=json.dumps(counts))
            )
            body: dict[str, JsonValue] = {"run": self._run, "exit_code": exit_code, "counts": counts}
            self._audit.append(connection, AuditAct.RUN_ENDED, body)
        if not ledger.balanced:
            raise InternalError("FM910", equation=ledger.equation(), total=ledger.total)
        return ledger

    def ledger(self, read: int | None = None) -> Ledger:
        """Where each record read by the current run has ended so far.

        A record counts once, by the state of its entry now: accepted and refused are those answered in this run,
        ``unchanged`` those accepted or refused in an earlier one, ``held`` those of them that the map alone changed;
        pending is ready, sending, deferred and uncertain;
        superseded is an older revision, a key read twice, or a payload replaced within this run; reread is what another
        run has read since, in whose ledger it is.
        """
        with self._writing() as connection:  # another run may read the same records
            rows = connection.execute(
                select(entry.c.state, entry.c.settled_run, entry.c.held, func.count())
                .where(self._scope, entry.c.read_run == self._run)
                .group_by(entry.c.state, entry.c.settled_run, entry.c.held)
            ).all()
            journalled = connection.execute(
                select(run.c.read, run.c.repeated, run.c.reread).where(run.c.id == self._run)
            ).one_or_none()
        counts: Counter[str] = Counter()
        for state, settled_run, held, number in rows:
            counts[_ledger_column(state, settled_run == self._run, bool(held))] += number
        counts["superseded"] += journalled.repeated if journalled else 0
        counts["reread"] = journalled.reread if journalled else 0
        return Ledger(read=(journalled.read if journalled else 0) if read is None else read, **counts)

    def carried(self) -> Mapping[EntryState, int]:
        """Entries of earlier runs, not read in this one, that this run has settled, by state: they are not in the
        ledger."""
        with self._transaction() as connection:
            rows = connection.execute(
                select(entry.c.state, func.count())
                .where(self._scope, entry.c.settled_run == self._run, entry.c.read_run != self._run)
                .group_by(entry.c.state)
            ).all()
        return counts_by_state(rows)

    def last_run(self) -> RunSummary | None:
        """The latest run of this establishment and operation."""
        with self._transaction() as connection:
            row = connection.execute(
                select(run)
                .where(
                    run.c.establishment == self._identity["establishment"],
                    run.c.operation == self._identity["operation"],
                    run.c.id < MOST,
                )
                .order_by(run.c.id.desc())
                .limit(1)
            ).one_or_none()
        if row is None:
            return None
        counts = _counts(row.counts)
        numbers = (row.started_at, row.finished_at, row.exit_code)
        if counts is None or is_unreadable(numbers):
            return RunSummary(row.id, 0.0, None, None, is_unreadable=True)
        return RunSummary(row.id, *numbers, counts)


def counts_by_state(rows: Iterable[Row]) -> dict[EntryState, int]:
    """Of rows of a state and a count: several words may be no state."""
    found: Counter[EntryState] = Counter()
    for state, count in rows:
        found[state] += int(count)
    return dict(found)


def _counts(text: object) -> dict[str, int] | None:
    """The ledger of a run as it was written; None where it is none."""
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    is_ledger = isinstance(found, dict) and all(isinstance(count, int) for count in found.values())
    return found if is_ledger else None


def _ledger_column(state: EntryState, settled_here: bool, held: bool) -> str:
    if state in PENDING:
        return "pending"
    if held:
        return "held"
    if state in (EntryState.ACCEPTED, EntryState.REFUSED) and not settled_here:
        return "unchanged"
    return state


def last_run(connection: Connection) -> int:
    """The number of the last run that is known of, 0 where there was none."""
    here = connection.execute(select(func.max(run.c.id)).where(run.c.id < MOST)).scalar()
    return max(int(here or 0), _runs_elsewhere(connection))


def _runs_elsewhere(connection: Connection) -> int:
    return counted(connection.execute(select(meta.c.value).where(meta.c.name == RUNS_ELSEWHERE)).scalar()) or 0
