"""What the parts of the journal share: the database, whose entries they are, the run they belong to, one transaction at
a time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from threading import RLock
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, and_, func, select

from fhirmap.data import JsonValue
from fhirmap.journal.audit import AuditTrail
from fhirmap.journal.audit_chain import AuditAct
from fhirmap.journal.schema import entry
from fhirmap.journal.sealing import Sealing
from fhirmap.journal.store import translated

__all__ = ["CHUNK", "SHOWN", "JournalConnection", "Row"]

Row: TypeAlias = Any
"""A row of whichever columns the statement next to it selects."""

CHUNK = 400
"""Entries read or written by one statement."""

SHOWN = tuple(column for column in entry.c if column.name != "read_parts")
"""What people ask for."""


class JournalConnection:
    """The base of the journal's parts. Safe to share between threads: transactions exclude one another.

    ``name``: how messages call the journal, without a password. ``hold_uncertain``: uncertain entries are not sent
    again until they are released.
    """

    def __init__(  # noqa: PLR0913 - named settings
        self,
        engine: Engine,
        name: str,
        establishment: str,
        operation: str,
        *,
        clock: Callable[[], float] = time.time,
        hold_uncertain: bool = False,
        audit_key: bytes = b"",
        encryption_keys: Sequence[bytes] = (),
    ) -> None:
        self._engine = engine
        self._name = name
        self._scope = and_(entry.c.establishment == establishment, entry.c.operation == operation)
        self._identity = {"establishment": establishment, "operation": operation}
        self._sealing = Sealing(encryption_keys, establishment, operation)
        self._clock = clock
        self._hold_uncertain = hold_uncertain
        self._run = 0
        self._source = ""
        self._resend = False
        self._owner = uuid.uuid4().hex
        self._threads = RLock()
        self._audit = AuditTrail({"project": establishment, "target": operation}, clock, audit_key)
        self._shared = engine.dialect.name != "sqlite"

    @property
    def is_shared(self) -> bool:
        """May several workers use it at the same time?"""
        return self._shared

    def now(self) -> float:
        """The time that leases, waits and turns are counted by."""
        return self._clock()

    @property
    def name(self) -> str:
        """The journal as messages call it, without a password."""
        return self._name

    @property
    def audit_head(self) -> str:
        """The digest of the last entry of the audit log that this process wrote; empty before there is one."""
        return self._audit.head

    def note(self, act: AuditAct, body: Mapping[str, JsonValue]) -> None:
        """Adds an entry to the audit log about something that the journal does not do itself.

        ``body``: no value of a record, and words of a person as a digest (`audit.digest_of`).
        """
        with self._transaction() as connection:
            self._audit.append(connection, act, body)

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._threads, translated(self._name):
            try:
                with self._engine.begin() as connection:
                    yield connection
            except BaseException:
                self._audit.forget()
                raise

    def _alone(self, connection: Connection, what: str) -> None:
        """Until the end of the transaction, no other worker does ``what``. On SQLite that is so anyway."""
        if self._shared:
            connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"fhirmap:{what}"))))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """A transaction that changes entries: one at a time of those of an establishment and operation. Otherwise two
        that meet in the same entries, in another order, would wait for one another. It is to be short: leases are
        renewed in such a one."""
        with self._transaction() as connection:
            self._alone(connection, "\x1f".join(("entries", *self._identity.values())))
            yield connection
