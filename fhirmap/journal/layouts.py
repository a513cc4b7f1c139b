"""Is what was read of a record the same as before? Compared by digest; column by column where the map has come to read
others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table, select

from fhirmap.journal.connection import Row
from fhirmap.journal.entries import Entry
from fhirmap.journal.schema import entry, layout

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import Insert as PostgresqlInsert
    from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

__all__ = ["PART_BYTES", "Layouts"]

PART_BYTES = 4
"""Of each column in `ReadValues.parts`."""


class Layouts:
    """The columns of each reading that the journal knows, looked up once a run."""

    def __init__(self) -> None:
        self._columns: dict[str, tuple[str, ...]] = {}
        self._kept: set[str] = set()

    def keep(self, connection: Connection, entries: Iterable[Entry]) -> None:
        """Notes the columns that the entries were read with."""
        for item in entries:
            read = item.read
            if read is None or read.layout in self._kept:
                continue
            new = _insert(connection.dialect.name)
            values = {"digest": read.layout, "columns": json.dumps(read.columns, ensure_ascii=False)}
            connection.execute(new(layout).values(values).on_conflict_do_nothing())
            self._kept.add(read.layout)

    def is_same(self, connection: Connection, row: Row, item: Entry) -> bool:
        """Did the source give what ``row`` was made of? Of columns that only one of them read, nothing is known: they
        do not count. Where the map reads others altogether, it is the map that changed."""
        read = item.read
        if read is None or not row.read_layout:
            return False
        if (read.layout, read.digest) == (row.read_layout, row.read_digest):
            return True
        parts = connection.execute(select(entry.c.read_parts).where(entry.c.id == row.id)).scalar_one()
        columns = self._columns_of(connection, row.read_layout)
        if not columns or len(parts) != len(columns) * PART_BYTES:
            return False  # a damaged row says nothing
        before = _by_column(columns, parts)
        now = _by_column(read.columns, read.parts())
        return all(before[name] == now[name] for name in before.keys() & now.keys())

    def _columns_of(self, connection: Connection, digest: str) -> tuple[str, ...]:
        if digest not in self._columns:
            found = connection.execute(select(layout.c.columns).where(layout.c.digest == digest)).scalar()
            self._columns[digest] = _names(found)
        return self._columns[digest]


def _names(stored: str | None) -> tuple[str, ...]:
    """The names that a row of `layout` has; none where it is damaged or missing."""
    try:
        found = json.loads(stored or "[]")
    except (ValueError, RecursionError):
        return ()
    is_list = isinstance(found, list) and all(isinstance(name, str) for name in found)
    return tuple(found) if is_list else ()


def _insert(dialect: str) -> Callable[[Table], PostgresqlInsert | SqliteInsert]:
    """An insert that may say what it does where the row is there. Only the journal's own dialect is loaded."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert

        return insert
    from sqlalchemy.dialects.postgresql import insert as postgresql_insert

    return postgresql_insert


def _by_column(columns: tuple[str, ...], parts: bytes) -> dict[str, bytes]:
    return {name: parts[n * PART_BYTES : (n + 1) * PART_BYTES] for n, name in enumerate(columns)}
