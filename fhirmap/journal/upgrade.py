"""A journal with tables of an earlier version becomes one of this version: a copy first, then all steps in one
transaction.

A file is migrated by the run that opens it, which holds its lock. Tables on a server, where other processes may work
with them, are migrated only where somebody asks for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, event, func, select, update

from fhirmap.errors import JournalError
from fhirmap.journal import schema
from fhirmap.journal.copies import copy_file
from fhirmap.journal.migrations import STEPS
from fhirmap.journal.states import EntryState
from fhirmap.journal.store import engine_of_any_version, is_earlier, shown_name, translated, version_of

__all__ = ["Migration", "upgrade_file", "upgrade_server"]


@dataclass(frozen=True, slots=True)
class Migration:
    """From one version of the tables to another. ``copy``: the file as it was before; None on a server."""

    found: int
    made: int
    copy: Path | None = None


def upgrade_file(
    path: Path, clock: Callable[[], float], busy_timeout_s: float = 5.0, copy: Callable[[Path, Path], None] = copy_file
) -> Migration | None:
    """Migrates the journal in a file, of which the caller holds the lock; None where it is of this version, or has no
    tables.

    Raises: JournalError FM800-FM806; the file is as it was.
    """
    if not path.exists():
        return None
    with translated(shown_name(path)):
        engine = engine_of_any_version(path, create=False, busy_timeout_s=busy_timeout_s)
        # A table that others refer to is dropped and takes its name again: what refers to it is checked at the end.
        event.listen(engine, "connect", _without_foreign_keys)
        try:
            with engine.begin() as connection:
                found = version_of(connection)
            if found is None or not is_earlier(found):
                return None
            moment = datetime.fromtimestamp(clock(), UTC).strftime("%Y%m%dT%H%M%SZ")
            kept = path.with_name(f"{path.name}.v{found}.{moment}")
            copy(path, kept)
            with engine.begin() as connection:
                _take_steps(connection, int(found))
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken is not None:
                    raise JournalError("FM804", journal=str(path), reason=f"foreign_key_check {broken[0]}")
        finally:
            engine.dispose()
    return Migration(int(found), schema.VERSION, kept)


def upgrade_server(place: str, clock: Callable[[], float]) -> Migration | None:
    """Migrates the journal in a PostgreSQL database; None where it is of this version, or has no tables.

    Raises: JournalError FM800, FM807; FM802 where a process is sending; nothing is changed then.
    """
    name = shown_name(place)
    with translated(name):
        engine = engine_of_any_version(place, create=False)
        try:
            with engine.begin() as connection:
                connection.execute(select(func.pg_advisory_xact_lock(func.hashtext(schema.meta.name))))
                found = version_of(connection)
                if found is None or not is_earlier(found):
                    return None
                leased = select(schema.entry.c.id).where(
                    schema.entry.c.state == EntryState.SENDING, schema.entry.c.lease_until > clock()
                )
                if connection.execute(leased.limit(1)).first() is not None:
                    raise JournalError("FM802", variant="server", journal=name)
                _take_steps(connection, int(found))
        finally:
            engine.dispose()
    return Migration(int(found), schema.VERSION)


def _take_steps(connection: Connection, found: int) -> None:
    """In the transaction of ``connection``: all of them, or none."""
    for step in STEPS[found - 1 :]:
        step(connection)
    now = {"value": str(schema.VERSION)}
    connection.execute(update(schema.meta).where(schema.meta.c.name == "version").values(now))


def _without_foreign_keys(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys=OFF")
