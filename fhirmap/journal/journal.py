"""The journal: the queue, the runs and the questions over one database."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from sqlalchemy import Engine

from fhirmap.errors import JournalError
from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.entries import Ledger, RunSummary
from fhirmap.journal.key_secret import key_secret
from fhirmap.journal.rekeying import JournalRekeying
from fhirmap.journal.store import RunLock, has_tables, open_engine, server_clock, shown_name, translated
from fhirmap.journal.upgrade import Migration, upgrade_file
from fhirmap.records import UncertainPolicy
from fhirmap.texts.shown_keys import show_with

__all__ = ["Journal"]


class Journal(JournalRekeying):
    """One establishment's journal for one operation. Safe to share between threads; each method is one committed
    transaction.

    Example::

        with Journal.open("journal.db", "ch-valmorel", "declare", exclusive=True) as journal:
            journal.start_run(map_digest)
            journal.recover()                                  # requests that an earlier process left unanswered
            counts = journal.put([Entry("12", EntryState.READY, payload=b"...", digest="...", limit_key="750100018")])
            for lease in journal.lease(1):
                journal.settle(lease, sink.send(lease.envelope))
            ledger = journal.finish_run(exit_code=0, read=counts.read)
    """

    def __init__(  # noqa: PLR0913 - named settings
        self,
        engine: Engine,
        name: str,
        establishment: str,
        operation: str,
        *,
        lock: RunLock | None = None,
        clock: Callable[[], float] = time.time,
        hold_uncertain: bool = False,
        audit_key: bytes = b"",
        encryption_keys: Sequence[bytes] = (),
    ) -> None:
        super().__init__(
            engine,
            name,
            establishment,
            operation,
            clock=clock,
            hold_uncertain=hold_uncertain,
            audit_key=audit_key,
            encryption_keys=encryption_keys,
        )
        self._lock = lock
        self.migration: Migration | None = None
        """What opening it changed."""
        self.secret = b""
        """See `key_secret`; empty where the journal was only looked into and has none yet."""

    @classmethod
    def open(  # noqa: PLR0913 - named settings
        cls,
        place: str | os.PathLike[str],
        establishment: str,
        operation: str,
        *,
        exclusive: bool = False,
        create: bool = True,
        uncertain: UncertainPolicy = UncertainPolicy.RESEND,
        clock: Callable[[], float] | None = None,
        busy_timeout_s: float = 5.0,
        audit_key: bytes = b"",
        encryption_keys: Sequence[bytes] = (),
    ) -> Self:
        """The journal at ``place``: a SQLite file (made 0600 where there is none) or a ``postgresql://`` URL.

        ``exclusive``: for a run; keeps a second run off a SQLite file (PostgreSQL workers share by leases), and
        migrates a file with tables of an earlier version, after a copy of it.
        ``uncertain``: ``resend`` lets uncertain entries be leased again, ``hold`` keeps them until `release`.
        ``create=False``: a missing file is an error. ``audit_key``: what the audit log's digests are made with.
        ``encryption_keys``: of payloads and answers, 32 bytes each; the first encrypts, all decrypt.
        ``clock``: the machine's, or that of the database's server, where nothing else is given.

        Raises: JournalError FM800-FM807.
        """
        text = os.fspath(place)
        lock = RunLock(Path(text)) if exclusive and "://" not in text else None
        if lock:
            lock.acquire()
        try:
            migration = upgrade_file(Path(text), clock or time.time, busy_timeout_s) if lock else None
            engine = open_engine(text, create=create, busy_timeout_s=busy_timeout_s)
            if clock is None:
                with translated(shown_name(text)):
                    clock = server_clock(engine) if engine.dialect.name == "postgresql" else time.time
        except BaseException:
            if lock:
                lock.release()
            raise
        journal = cls(
            engine,
            shown_name(text),
            establishment,
            operation,
            lock=lock,
            clock=clock,
            hold_uncertain=uncertain is UncertainPolicy.HOLD,
            audit_key=audit_key,
            encryption_keys=encryption_keys,
        )
        journal.migration = migration
        try:
            if migration is not None:
                journal.note(AuditAct.MIGRATED, {"found": migration.found, "made": migration.made})
            journal._show_keys(create=True)
            if lock:
                journal.compare(lock.mark())
        except BaseException:
            journal.close()  # and with it the lock: a program that embeds fhirmap goes on
            raise
        return journal

    @classmethod
    def look(
        cls,
        place: str | os.PathLike[str],
        establishment: str,
        operation: str,
        *,
        audit_key: bytes = b"",
        encryption_keys: Sequence[bytes] = (),
    ) -> Self | None:
        """The journal at ``place``, only to be read: nothing is created, written or locked. None where there is none
        yet.

        Raises: JournalError FM800-FM807.
        """
        text = os.fspath(place)
        if "://" not in text and not Path(text).exists():
            return None
        engine = open_engine(text, create=False, read_only=True)
        name = shown_name(text)
        with translated(name):
            if not has_tables(engine):
                engine.dispose()
                return None
        found = cls(engine, name, establishment, operation, audit_key=audit_key, encryption_keys=encryption_keys)
        found._shared = False  # no row is locked where none may be written
        found._show_keys(create=False)
        return found

    def _show_keys(self, *, create: bool) -> None:
        """Keys are shown from now on as this journal shows them."""
        with self._transaction() as connection:
            self.secret = key_secret(connection, create=create)
        show_with(self.secret)

    def start_run(
        self, map_digest: str = "", *, source: str = "", resend: bool = False, places: Sequence[str] = ()
    ) -> int:
        """As `EntryQueue.start_run`. The lock's file says which journal it is, and its last run."""
        number = super().start_run(map_digest, source=source, resend=resend, places=places)
        self._leave_mark()
        return number

    def finish_run(self, exit_code: int, read: int | None = None) -> Ledger:
        """As `RunLedger.finish_run`. A copy made during the run is older than what the lock's file says."""
        try:
            return super().finish_run(exit_code, read)
        finally:
            self._leave_mark()

    def last_run(self) -> RunSummary | None:
        """As `RunLedger.last_run`; of one that has not ended, also whether it goes on."""
        run = super().last_run()
        if run is None or run.finished_at is not None or run.is_unreadable:
            return run
        lock = None if self._on_server else RunLock(Path(self._name))
        return replace(run, is_under_way=self.sends_now() if lock is None else lock.is_held)

    def _settle_doubt(self) -> None:
        super()._settle_doubt()
        self._leave_mark()

    def _leave_mark(self) -> None:
        """While it is in doubt what was sent, the file keeps what it says of the journal that knows."""
        if self._lock and self.doubt() is None:
            self._lock.leave(self.mark())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the database and releases the lock."""
        if self._run:
            with suppress(JournalError):  # of a run that was cut short: what did so is said already
                self._leave_mark()
        self._engine.dispose()
        if self._lock:
            self._lock.release()
            self._lock = None
