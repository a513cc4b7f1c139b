"""What the parts of the journal share: the database, whose entries they are, the run they belong to, one transaction at
a time."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, and_

from fhirmap.journal.schema import entry
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
    ) -> None:
        self._engine = engine
        self._name = name
        self._scope = and_(entry.c.establishment == establishment, entry.c.operation == operation)
        self._identity = {"establishment": establishment, "operation": operation}
        self._clock = clock
        self._hold_uncertain = hold_uncertain
        self._run = 0
        self._source = ""
        self._resend = False
        self._owner = uuid.uuid4().hex
        self._threads = RLock()
        self._shared = engine.dialect.name != "sqlite"

    @property
    def name(self) -> str:
        """The journal as messages call it, without a password."""
        return self._name

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._threads, translated(self._name), self._engine.begin() as connection:
            yield connection
