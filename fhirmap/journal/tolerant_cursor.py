"""A connection to SQLite that reads text which is no UTF-8, as a damaged row may hold it.

Python's own conversion is the quick one and raises for such a text, whatever else is in the rows. Where it does, the
statement is executed once more, in the same transaction, with `stored_cells.text_of` for each text; what was given
before is passed over. A sound journal pays nothing for it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any, Self, TypeAlias, TypeVar

from fhirmap.journal.stored_cells import text_of

__all__ = ["TolerantConnection"]

_Rows: TypeAlias = list[Any]
_Given = TypeVar("_Given")


class _TolerantCursor(sqlite3.Cursor):
    _asked: tuple[str, Any] = ("", ())
    _given = 0

    def execute(self, sql: str, parameters: Any = (), /) -> Self:  # noqa: ANN401 - as sqlite3 declares it
        self._asked, self._given = (sql, parameters), 0
        return super().execute(sql, parameters)

    def fetchone(self) -> Any:  # noqa: ANN401 - as sqlite3 declares it
        row = self._tolerant(super().fetchone)
        self._given += row is not None
        return row

    def fetchmany(self, size: int | None = None) -> _Rows:
        count = self.arraysize if size is None else size
        rows = self._tolerant(lambda: super(_TolerantCursor, self).fetchmany(count))
        self._given += len(rows)
        return rows

    def fetchall(self) -> _Rows:
        rows = self._tolerant(super().fetchall)
        self._given += len(rows)
        return rows

    def _tolerant(self, fetch: Callable[[], _Given]) -> _Given:
        try:
            return fetch()
        except sqlite3.OperationalError as error:
            # SQLite's own errors have its code: this one is Python's.
            if hasattr(error, "sqlite_errorcode"):
                raise
        self.connection.text_factory = text_of
        super().execute(*self._asked)
        for _ in range(self._given):
            super().fetchone()
        return fetch()


class TolerantConnection(sqlite3.Connection):
    """For `sqlite3.connect` as its ``factory``."""

    def cursor(self, factory: Any = _TolerantCursor) -> Any:  # noqa: ANN401 - as sqlite3 declares it
        """Of the tolerant kind."""
        return super().cursor(factory)
