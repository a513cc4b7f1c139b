"""The journal itself: put what was read, lease what may be sent, settle what was answered. See the package for its
invariants.

One thing in one file although it is long: these statements only keep their promises together.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from threading import RLock
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, and_, bindparam, func, insert, not_, or_, select, update

from fhirmap.errors import InternalError
from fhirmap.journal import states as st
from fhirmap.journal.entries import Accepted, Answer, Counts, Entry, Lease, Ledger, Reason, RunSummary, Status
from fhirmap.journal.schema import attempt, checkpoint, entry, run
from fhirmap.journal.store import RunLock, open_engine, translated
from fhirmap.records import Envelope, Fault, Issue, Note, Receipt

__all__ = ["Journal", "grouped_reasons"]

_Row: TypeAlias = Any  # a Row of whichever columns the statement beside it selects
_CHUNK = 400
_ANSWER = tuple(column for column in entry.c if column.name != "payload")
"""What people ask for: never the payload, which is most of the journal."""
_SENDABLE = (st.DEFERRED, st.UNCERTAIN, st.READY)
_LEASE_S = 600.0
_VERDICTS = (st.INVALID, st.OUT_OF_SCOPE)


class Journal:
    """One establishment's journal for one operation. Safe to share between threads; each method is one committed
    transaction.

    Example::

        with Journal.open("journal.db", "ch-valmorel", "associer-implants-registre", exclusive=True) as journal:
            journal.start_run(map_digest)
            journal.recover()                                  # what an earlier process left in the air
            counts = journal.put([Entry(key="12", state="ready", payload=b"...", digest="...", limit_key="750100018")])
            for lease in journal.lease(1):
                journal.settle(lease, sink.send(lease.envelope))
            ledger = journal.finish_run(exit_code=0, read=counts.read)
    """

    def __init__(
        self,
        engine: Engine,
        name: str,
        establishment: str,
        operation: str,
        *,
        lock: RunLock | None = None,
        clock: Callable[[], float] = time.time,
        hold_uncertain: bool = False,
    ) -> None:
        self._engine = engine
        self._name = name
        self._scope = and_(entry.c.establishment == establishment, entry.c.operation == operation)
        self._identity = {"establishment": establishment, "operation": operation}
        self._lock = lock
        self._clock = clock
        self._hold_uncertain = hold_uncertain
        self._run = 0
        self._owner = uuid.uuid4().hex
        self._threads = RLock()
        self._shared = engine.dialect.name != "sqlite"

    @classmethod
    def open(
        cls,
        place: str | os.PathLike[str],
        establishment: str,
        operation: str,
        *,
        exclusive: bool = False,
        create: bool = True,
        uncertain: str = "resend",
        clock: Callable[[], float] = time.time,
        busy_timeout_s: float = 5.0,
    ) -> Journal:
        """The journal at ``place``: a SQLite file (made 0600 where there is none) or a ``postgresql://`` URL.

        ``exclusive``: for a run; keeps a second run off a SQLite file (PostgreSQL workers share by leases).
        ``uncertain``: ``resend`` lets uncertain entries be leased again, ``hold`` keeps them until `release`.
        ``create=False``: a missing file is an error.

        Raises: JournalError FM800-FM807.
        """
        text = os.fspath(place)
        lock = RunLock(Path(text)) if exclusive and "://" not in text else None
        if lock:
            lock.acquire()
        try:
            engine = open_engine(text, create=create, busy_timeout_s=busy_timeout_s)
        except BaseException:
            if lock:
                lock.release()
            raise
        name = text if "://" not in text else engine.url.render_as_string(hide_password=True)
        return cls(engine, name, establishment, operation, lock=lock, clock=clock, hold_uncertain=uncertain == "hold")

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives back the file and the lock."""
        self._engine.dispose()
        if self._lock:
            self._lock.release()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._threads, translated(self._name), self._engine.begin() as connection:
            yield connection

    # ---- runs ----------------------------------------------------------------------------------------------

    def start_run(self, map_digest: str = "") -> int:
        """Opens a run and gives its number; what is put, leased and settled from now on belongs to it."""
        with self._transaction() as connection:
            result = connection.execute(
                insert(run)
                .values(**self._identity, started_at=self._clock(), map_digest=map_digest)
                .returning(run.c.id)
            )
            self._run = int(result.scalar_one())
        return self._run

    def look_at_run(self, run_id: int) -> None:
        """Makes `ledger`, `carried` and `answers` speak of an earlier run."""
        self._run = run_id

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
        if not ledger.balanced:
            raise InternalError("FM910", equation=ledger.equation(), total=ledger.total)
        return ledger

    def ledger(self, read: int | None = None) -> Ledger:
        """Where each record read by the current run has ended so far.

        A record counts once, by the state of its entry now: accepted and refused are those answered in this run,
        ``unchanged`` those accepted or refused in an earlier one; pending is ready, sending, deferred and uncertain;
        superseded is an older revision, a key read twice, or a payload replaced within this run.
        """
        with self._transaction() as connection:
            rows = connection.execute(
                select(entry.c.state, entry.c.settled_run, func.count())
                .where(self._scope, entry.c.read_run == self._run)
                .group_by(entry.c.state, entry.c.settled_run)
            ).all()
            journalled = connection.execute(
                select(run.c.read, run.c.repeated).where(run.c.id == self._run)
            ).one_or_none()
        counts: Counter[str] = Counter()
        for state, settled_run, number in rows:
            counts[_ledger_place(state, settled_run == self._run)] += number
        counts["superseded"] += journalled.repeated if journalled else 0
        return Ledger(read=(journalled.read if journalled else 0) if read is None else read, **counts)

    def carried(self) -> Mapping[str, int]:
        """Entries of earlier runs, not read in this one, that this run has settled, by state: beside the ledger, not
        in it."""
        with self._transaction() as connection:
            rows = connection.execute(
                select(entry.c.state, func.count())
                .where(self._scope, entry.c.settled_run == self._run, entry.c.read_run != self._run)
                .group_by(entry.c.state)
            ).all()
        return {state: int(number) for state, number in rows}

    def last_run(self) -> RunSummary | None:
        """The latest run of this establishment and operation."""
        with self._transaction() as connection:
            row = connection.execute(
                select(run)
                .where(
                    run.c.establishment == self._identity["establishment"],
                    run.c.operation == self._identity["operation"],
                )
                .order_by(run.c.id.desc())
                .limit(1)
            ).one_or_none()
        if row is None:
            return None
        return RunSummary(row.id, row.started_at, row.finished_at, row.exit_code, json.loads(row.counts))

    # ---- what the source said ------------------------------------------------------------------------------

    def put(self, entries: Iterable[Entry], checkpoints: Mapping[str, str] | None = None) -> Counts:
        """Takes in a batch of entries, with the source's checkpoints, in one transaction; how many came to what.

        The payload that was accepted or refused before is ``unchanged``; one that waits already stays ``pending``.
        Another payload of a key takes the former's place (superseded where it was not settled) and is sent, also where
        the former was accepted.
        """
        if not self._run:
            self.start_run()
        counts = Counts()
        with self._transaction() as connection:
            for chunk in _chunks_of_distinct_keys(entries):
                counts += self._put_chunk(connection, chunk)
            connection.execute(
                update(run)
                .where(run.c.id == self._run)
                .values(read=run.c.read + counts.read, repeated=run.c.repeated + counts.repeated + counts.superseded)
            )
            for name, value in (checkpoints or {}).items():
                self._put_checkpoint(connection, name, value)
        return counts

    def _put_chunk(self, connection: Connection, chunk: Sequence[Entry]) -> Counts:
        wanted = [item for item in chunk if item.state != st.SUPERSEDED]
        known = self._rows_of([item.key for item in wanted], connection)
        batch = _Batch(self._run, self._clock())
        counts: Counter[str] = Counter(superseded=len(chunk) - len(wanted))
        for item in wanted:
            counts[self._put_one(item, known.get(item.key, []), batch)] += 1
        batch.flush(connection, self._identity)
        return Counts(**counts, repeated=batch.repeated)

    def _rows_of(self, keys: Sequence[str], connection: Connection) -> dict[str, list[_Row]]:
        columns = (
            entry.c.id,
            entry.c.key,
            entry.c.digest,
            entry.c.state,
            entry.c.is_current,
            entry.c.in_doubt,
            entry.c.last_attempt,
            entry.c.read_run,
        )
        query = select(*columns).where(self._scope, entry.c.key.in_(keys))
        if self._shared:
            query = query.with_for_update()
        found: dict[str, list[_Row]] = {}
        for row in connection.execute(query):
            found.setdefault(row.key, []).append(row)
        return found

    def _put_one(self, item: Entry, rows: Sequence[_Row], batch: _Batch) -> str:
        if item.state not in (st.READY, *_VERDICTS):
            raise InternalError("FM911", before="(new)", after=item.state)
        same = next((row for row in rows if row.digest == item.digest), None)
        others = [row for row in rows if row.digest != item.digest]
        for row in others:
            if row.is_current:
                batch.replace(row)
        if same is None:
            batch.insert(item, self._request_key(item, 0))
            return item.state
        if same.read_run == self._run:
            batch.repeated += 1
        if item.state in _VERDICTS:
            batch.verdict(same, item)
            return item.state
        if same.state in (st.ACCEPTED, st.REFUSED) and not _sent_since(same, others):
            batch.touch(same)
            return "unchanged"
        if same.state in st.PENDING:
            batch.touch(same)
            return "pending"
        # Another payload of this key has been sent meanwhile: this one is a new request, not a repeat of its former
        # self.
        generation = max((row.last_attempt for row in others), default=0) if _sent_since(same, others) else 0
        batch.revive(same, item, self._request_key(item, generation))
        return st.READY

    def _request_key(self, item: Entry, generation: int) -> str:
        if item.request_key and not generation:
            return item.request_key
        parts = (*self._identity.values(), item.key, item.digest, str(generation))
        return str(uuid.uuid5(uuid.NAMESPACE_URL, "\x1f".join(parts)))

    def _put_checkpoint(self, connection: Connection, name: str, value: str) -> None:
        where = and_(
            checkpoint.c.establishment == self._identity["establishment"],
            checkpoint.c.operation == self._identity["operation"],
            checkpoint.c.name == name,
        )
        values = {"value": value, "at": self._clock()}
        if not connection.execute(update(checkpoint).where(where).values(values)).rowcount:
            connection.execute(insert(checkpoint).values(**self._identity, name=name, **values))

    def checkpoint(self, name: str) -> str | None:
        """What a source last noted under ``name``; ``None`` where it never did."""
        with self._transaction() as connection:
            found = connection.execute(
                select(checkpoint.c.value).where(
                    checkpoint.c.establishment == self._identity["establishment"],
                    checkpoint.c.operation == self._identity["operation"],
                    checkpoint.c.name == name,
                )
            ).scalar()
        return None if found is None else str(found)

    # ---- what is sent --------------------------------------------------------------------------------------

    def recover(self) -> int:
        """Takes back what a dead process was sending: no answer is recorded, so it is ``uncertain`` and in doubt.
        Gives how many.

        On SQLite, where one run works at a time, that is everything in ``sending``; on PostgreSQL what has an expired
        lease.
        """
        now = self._clock()
        lost = [entry.c.state == st.SENDING]
        if self._shared:
            lost.append(entry.c.lease_until < now)
        with self._transaction() as connection:
            query = select(entry.c.id, entry.c.is_current, entry.c.attempts).where(self._scope, *lost)
            if self._shared:
                query = query.with_for_update(skip_locked=True)
            rows = connection.execute(query).all()
            for row in rows:
                state = st.UNCERTAIN if row.is_current else st.SUPERSEDED
                connection.execute(
                    insert(attempt).values(
                        entry_id=row.id,
                        run_id=self._run,
                        number=row.attempts,
                        event="lost",
                        at=now,
                        state=st.UNCERTAIN,
                        code="FM653",
                    )
                )
                connection.execute(
                    update(entry)
                    .where(entry.c.id == row.id)
                    .values(
                        state=state,
                        in_doubt=True,
                        lease="",
                        code="FM653",
                        status=0,
                        issues="[]",
                        not_before=0.0,
                        changed_at=now,
                    )
                )
        return len(rows)

    def lease(
        self,
        count: int = 1,
        now: float | None = None,
        *,
        avoid: Collection[str] = (),
        skip: Collection[int] = (),
        lease_s: float = _LEASE_S,
    ) -> list[Lease]:
        """Up to ``count`` entries that may leave now, marked ``sending``: due retries first, then ready ones in the
        order read.

        ``avoid``: limit keys whose turn has not come; ``skip``: entries given up for this run.
        """
        at = self._clock() if now is None else now
        with self._transaction() as connection:
            rows: list[_Row] = []
            for state in self._sendable():
                if len(rows) < count:
                    rows += connection.execute(self._due_query(state, at, avoid, skip, count - len(rows))).all()
            leases = [self._lease_of(row) for row in rows]
            if leases:
                self._mark_sending(connection, leases, at, at + lease_s)
        return leases

    def _sendable(self) -> tuple[str, ...]:
        return (st.DEFERRED, st.READY) if self._hold_uncertain else _SENDABLE

    def _due_query(self, state: str, now: float, avoid: Collection[str], skip: Collection[int], count: int) -> Any:
        query = (
            select(
                entry.c.id,
                entry.c.key,
                entry.c.payload,
                entry.c.digest,
                entry.c.limit_key,
                entry.c.request_key,
                entry.c.attempts,
                entry.c.state,
            )
            .where(self._scope, entry.c.state == state, entry.c.is_current.is_(True), entry.c.not_before <= now)
            .order_by(entry.c.not_before, entry.c.id)
            .limit(count)
        )
        if avoid:
            query = query.where(entry.c.limit_key.not_in(list(avoid)))
        if skip:
            query = query.where(entry.c.id.not_in(list(skip)))
        return query.with_for_update(skip_locked=True) if self._shared else query

    def _lease_of(self, row: _Row) -> Lease:
        st.check_move(row.state, st.SENDING)
        envelope = Envelope(row.key, bytes(row.payload), row.digest, row.limit_key, row.request_key)
        return Lease(row.id, envelope, row.attempts + 1, row.state, f"{self._owner}.{row.attempts + 1}")

    def _mark_sending(self, connection: Connection, leases: Sequence[Lease], now: float, until: float) -> None:
        sent = [
            {
                "entry_id": lease.entry_id,
                "run_id": self._run,
                "number": lease.number,
                "event": "sent",
                "at": now,
                "state": st.SENDING,
            }
            for lease in leases
        ]
        numbers = {
            row.entry_id: row.id
            for row in connection.execute(insert(attempt).returning(attempt.c.id, attempt.c.entry_id), sent)
        }
        connection.execute(
            update(entry)
            .where(entry.c.id == bindparam("row"))
            .values(
                state=st.SENDING,
                attempts=bindparam("number"),
                lease=bindparam("token"),
                lease_until=until,
                changed_at=now,
                last_attempt=bindparam("attempt_id"),
            ),
            [
                {
                    "row": lease.entry_id,
                    "number": lease.number,
                    "token": lease.token,
                    "attempt_id": numbers[lease.entry_id],
                }
                for lease in leases
            ],
        )

    def next_due(self, *, skip: Collection[int] = ()) -> float | None:
        """When the earliest entry that may be sent may be sent (0 for at once); ``None`` where there is none."""
        query = select(func.min(entry.c.not_before)).where(
            self._scope, entry.c.state.in_(self._sendable()), entry.c.is_current.is_(True)
        )
        if skip:
            query = query.where(entry.c.id.not_in(list(skip)))
        with self._transaction() as connection:
            found = connection.execute(query).scalar()
        return None if found is None else float(found)

    def waiting(self) -> int:
        """How many current entries may still be sent, due or not."""
        query = select(func.count()).where(
            self._scope, entry.c.state.in_(self._sendable()), entry.c.is_current.is_(True)
        )
        with self._transaction() as connection:
            return int(connection.execute(query).scalar_one())

    def settle(self, lease: Lease, receipt: Receipt, not_before: float = 0.0) -> str:
        """Records the answer to one lease; the state it came to. ``not_before``: when a deferred or uncertain one may
        go again."""
        return self.settle_all([(lease, receipt)], not_before)[0]

    def settle_all(self, pairs: Sequence[tuple[Lease, Receipt]], not_before: float = 0.0) -> list[str]:
        """`settle` for many at once, in one transaction."""
        now = self._clock()
        changes: list[dict[str, Any]] = []
        with self._transaction() as connection:
            query = select(
                entry.c.id, entry.c.state, entry.c.is_current, entry.c.lease, entry.c.in_doubt, entry.c.archive
            ).where(entry.c.id.in_([lease.entry_id for lease, _ in pairs]))
            if self._shared:
                query = query.with_for_update()
            rows = {row.id: row for row in connection.execute(query)}
            for lease, receipt in pairs:
                changes.append(_settlement(lease, receipt, rows[lease.entry_id], not_before))
            connection.execute(insert(attempt), [self._answered(lease, receipt, now) for lease, receipt in pairs])
            connection.execute(
                update(entry)
                .where(entry.c.id == bindparam("row"))
                .values(
                    {name: bindparam(f"new_{name}") for name in changes[0] if name != "row"}
                    | {"changed_at": now, "settled_run": self._run}
                ),
                [{(n if n == "row" else f"new_{n}"): v for n, v in change.items()} for change in changes],
            )
        return [str(change["state"]) for change in changes]

    def _answered(self, lease: Lease, receipt: Receipt, now: float) -> dict[str, Any]:
        return {
            "entry_id": lease.entry_id,
            "run_id": self._run,
            "number": lease.number,
            "event": "answered" if receipt.status else "silent",
            "at": now,
            "state": receipt.state,
            "code": receipt.code,
            "status": receipt.status,
            "duration_s": receipt.duration_s,
            "issues": _issues_to_json(receipt.issues),
            "body": receipt.body,
        }

    def release(
        self,
        keys: Collection[str] | None = None,
        reason: str | None = None,
        states: Collection[str] = (st.REFUSED, st.DEFERRED),
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
                st.check_move(row.state, st.READY)
                connection.execute(
                    update(entry).where(entry.c.id == row.id).values(state=st.READY, not_before=0.0, changed_at=now)
                )
        return len(chosen)

    # ---- what is written back ------------------------------------------------------------------------------

    def to_archive(self, count: int = 500) -> list[Accepted]:
        """Accepted entries whose identifier is not written back yet, in the order they were read."""
        query = (
            select(*_ANSWER)
            .where(self._scope, entry.c.archive == "pending", entry.c.state == st.ACCEPTED)
            .order_by(entry.c.last_attempt, entry.c.id)
            .limit(count)
        )
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return [
            Accepted(row.id, row.key, row.identifier_system, row.identifier_value, row.changed_at, row.digest)
            for row in rows
        ]

    def archived(self, entry_ids: Collection[int]) -> None:
        """Notes that these are written back."""
        with self._transaction() as connection:
            connection.execute(update(entry).where(entry.c.id.in_(list(entry_ids))).values(archive="done"))

    # ---- what people ask -----------------------------------------------------------------------------------

    def answers(self, states: Collection[str] | None = None, keys: Collection[str] | None = None) -> list[Answer]:
        """Current records with what was last said of each, in the order first read."""
        query = select(*_ANSWER).where(self._scope, entry.c.is_current.is_(True)).order_by(entry.c.id)
        if states is not None:
            query = query.where(entry.c.state.in_(list(states)))
        if keys is not None:
            query = query.where(entry.c.key.in_(list(keys)))
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return [_answer(row, self._run) for row in rows]

    def remarkable(self) -> Iterator[Answer]:
        """Current records of this run that somebody may have to look at, one after the other: all but those that were
        simply accepted, or are out of scope without a note."""
        unremarkable = and_(
            entry.c.state.in_([st.ACCEPTED, st.OUT_OF_SCOPE]),
            entry.c.code == "",
            entry.c.notes == "[]",
            entry.c.faults == "[]",
        )
        query = (
            select(*_ANSWER)
            .where(self._scope, entry.c.is_current.is_(True), not_(unremarkable))
            .where(or_(entry.c.read_run == self._run, entry.c.settled_run == self._run))
            .order_by(entry.c.id)
            .execution_options(yield_per=_CHUNK)
        )
        with self._transaction() as connection:
            for row in connection.execute(query):
                yield _answer(row, self._run)

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
        return [{name: row[name] for name in names} | {"issues": _issues_from_json(row["issues"])} for row in rows]

    def status(self) -> Status:
        """The journal at a glance."""
        current = and_(self._scope, entry.c.is_current.is_(True))
        with self._transaction() as connection:
            by_state = connection.execute(
                select(entry.c.state, func.count()).where(current).group_by(entry.c.state)
            ).all()
            told = connection.execute(
                select(*_ANSWER)
                .where(current, entry.c.state.in_([st.REFUSED, st.DEFERRED, st.UNCERTAIN, st.ACCEPTED]))
                .where(or_(entry.c.state != st.ACCEPTED, entry.c.code != ""))
                .order_by(entry.c.id)
            ).all()
            doubtful = connection.execute(
                select(*_ANSWER).where(self._scope, entry.c.in_doubt.is_(True)).order_by(entry.c.id)
            ).all()
            unarchived = connection.execute(
                select(func.count()).where(self._scope, entry.c.archive == "pending", entry.c.state == st.ACCEPTED)
            ).scalar_one()
        return Status(
            states={state: int(number) for state, number in by_state},
            reasons=grouped_reasons(_answer(row, self._run) for row in told),
            possible_duplicates=tuple(_answer(row, self._run) for row in doubtful),
            last_run=self.last_run(),
            next_due=self.next_due(),
            archive_pending=int(unarchived),
        )


class _Batch:
    """The statements of one chunk of `put`, gathered so that each kind runs once."""

    def __init__(self, run_id: int, now: float) -> None:
        self._run = run_id
        self._now = now
        self._inserts: list[dict[str, Any]] = []
        self._touched: list[int] = []
        self._retired: list[int] = []
        self._replaced: list[int] = []
        self._rewritten: list[dict[str, Any]] = []
        self.repeated = 0

    def insert(self, item: Entry, request_key: str) -> None:
        self._inserts.append(
            {
                "key": item.key,
                "digest": item.digest if item.state == st.READY else "",
                "state": item.state,
                "is_current": True,
                "payload": item.payload if item.state == st.READY else b"",
                "limit_key": item.limit_key,
                "request_key": request_key if item.state == st.READY else "",
                "origin": item.origin,
                "notes": _notes_to_json(item.notes),
                "faults": _faults_to_json(item.faults),
                "first_seen_at": self._now,
                "changed_at": self._now,
                "read_run": self._run,
            }
        )

    def touch(self, row: _Row) -> None:
        self._touched.append(row.id)

    def replace(self, row: _Row) -> None:
        """Another entry speaks for the key from now on."""
        if row.state in (st.READY, st.DEFERRED, st.UNCERTAIN):
            st.check_move(row.state, st.SUPERSEDED)
            self._replaced.append(row.id)
        else:
            self._retired.append(row.id)

    def revive(self, row: _Row, item: Entry, request_key: str) -> None:
        st.check_move(row.state, st.READY)
        self._rewrite(row, item, state=st.READY, request_key=request_key)

    def verdict(self, row: _Row, item: Entry) -> None:
        st.check_move(row.state, item.state)
        self._rewrite(row, item, state=item.state, request_key="")

    def _rewrite(self, row: _Row, item: Entry, *, state: str, request_key: str) -> None:
        self._rewritten.append(
            {
                "row": row.id,
                "new_state": state,
                "new_request_key": request_key,
                "new_limit_key": item.limit_key,
                "new_origin": item.origin,
                "new_notes": _notes_to_json(item.notes),
                "new_faults": _faults_to_json(item.faults),
            }
        )

    def flush(self, connection: Connection, identity: Mapping[str, str]) -> None:
        if self._retired:
            connection.execute(update(entry).where(entry.c.id.in_(self._retired)).values(is_current=False))
        if self._replaced:
            connection.execute(
                update(entry)
                .where(entry.c.id.in_(self._replaced))
                .values(is_current=False, state=st.SUPERSEDED, changed_at=self._now)
            )
        if self._touched:
            connection.execute(
                update(entry).where(entry.c.id.in_(self._touched)).values(is_current=True, read_run=self._run)
            )
        if self._rewritten:
            connection.execute(
                update(entry)
                .where(entry.c.id == bindparam("row"))
                .values(
                    state=bindparam("new_state"),
                    request_key=bindparam("new_request_key"),
                    limit_key=bindparam("new_limit_key"),
                    origin=bindparam("new_origin"),
                    notes=bindparam("new_notes"),
                    faults=bindparam("new_faults"),
                    is_current=True,
                    read_run=self._run,
                    not_before=0.0,
                    changed_at=self._now,
                ),
                self._rewritten,
            )
        if self._inserts:
            connection.execute(insert(entry), [{**identity, **values} for values in self._inserts])


def _chunks_of_distinct_keys(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Lists of at most `_CHUNK` entries in which no key comes twice, so that the second of a key sees the first."""
    chunk: list[Entry] = []
    keys: set[str] = set()
    for item in entries:
        kept = item.state != st.SUPERSEDED
        if len(chunk) >= _CHUNK or (kept and item.key in keys):
            yield chunk
            chunk, keys = [], set()
        chunk.append(item)
        if kept:
            keys.add(item.key)
    if chunk:
        yield chunk


def _sent_since(row: _Row, others: Iterable[_Row]) -> bool:
    """Has another payload of the key left after this one did?"""
    return any(other.digest and other.last_attempt > row.last_attempt for other in others)


def _ledger_place(state: str, settled_here: bool) -> str:
    if state in st.PENDING:
        return "pending"
    if state in (st.ACCEPTED, st.REFUSED) and not settled_here:
        return "unchanged"
    return state


def _settlement(lease: Lease, receipt: Receipt, row: _Row, not_before: float) -> dict[str, Any]:
    """The new values of an entry after an answer to one of its leases."""
    state = receipt.state
    late = row.lease != lease.token or row.state != st.SENDING
    if late and state != st.ACCEPTED:
        state = row.state  # somebody else has it by now; only an acceptance still says something
    elif not row.is_current and state in (st.DEFERRED, st.UNCERTAIN):
        state = st.SUPERSEDED
    if state != row.state:
        st.check_move(row.state, state)
    accepted = state == st.ACCEPTED
    return {
        "row": row.id,
        "state": state,
        "in_doubt": bool(row.in_doubt) or receipt.state == st.UNCERTAIN or late,
        "not_before": not_before if state in (st.DEFERRED, st.UNCERTAIN) else 0.0,
        "code": receipt.code,
        "status": receipt.status,
        "issues": _issues_to_json(receipt.issues),
        "identifier_system": receipt.identifier_system if accepted else "",
        "identifier_value": receipt.identifier_value if accepted else "",
        "lease": row.lease if late and state == st.SENDING else "",
        "archive": "pending" if receipt.state == st.ACCEPTED else row.archive,
    }


def _has_reason(row: _Row, reason: str) -> bool:
    wanted = reason.casefold()
    if wanted in (str(row.status), row.code.casefold()):
        return True
    issues = _issues_from_json(row.issues)
    return any(wanted == issue.code.casefold() or wanted in issue.diagnostics.casefold() for issue in issues)


def grouped_reasons(answers: Iterable[Answer]) -> tuple[Reason, ...]:
    """Records that share state, code, status and the receiver's words, the most frequent first within a state."""
    grouped: dict[tuple[str, str, int, str], list[str]] = {}
    for answer in answers:
        words = "; ".join(dict.fromkeys(issue.diagnostics or issue.code for issue in answer.issues))
        grouped.setdefault((answer.state, answer.code, answer.status, words), []).append(answer.key)
    reasons = [Reason(*found, count=len(keys), keys=tuple(keys[:20])) for found, keys in grouped.items()]
    return tuple(sorted(reasons, key=lambda reason: (st.STATES.index(reason.state), -reason.count)))


def _answer(row: _Row, run_id: int) -> Answer:
    return Answer(
        key=row.key,
        state=row.state,
        code=row.code,
        status=row.status,
        issues=_issues_from_json(row.issues),
        faults=tuple(
            Fault(**{**values, "columns": tuple(values.get("columns", ()))}) for values in json.loads(row.faults)
        ),
        notes=tuple(Note(**values) for values in json.loads(row.notes)),
        identifier_system=row.identifier_system,
        identifier_value=row.identifier_value,
        attempts=row.attempts,
        changed_at=row.changed_at,
        not_before=row.not_before,
        in_doubt=bool(row.in_doubt),
        origin=row.origin,
        archive=row.archive,
        was_read=row.read_run == run_id > 0,
        was_settled=row.settled_run == run_id > 0,
    )


def _issues_to_json(issues: Iterable[Issue]) -> str:
    return json.dumps([asdict(issue) for issue in issues], ensure_ascii=False)


def _issues_from_json(text: str) -> tuple[Issue, ...]:
    return tuple(
        Issue(**{**values, "expression": tuple(values["expression"]), "columns": tuple(values.get("columns", ()))})
        for values in json.loads(text)
    )


def _notes_to_json(notes: Iterable[Note]) -> str:
    return json.dumps([asdict(note) for note in notes], ensure_ascii=False)


def _faults_to_json(faults: Iterable[Fault]) -> str:
    return json.dumps([asdict(fault) | {"args": dict(fault.args)} for fault in faults], ensure_ascii=False, default=str)
