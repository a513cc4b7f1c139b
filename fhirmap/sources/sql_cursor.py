"""The rows of a statement as its driver gives them, in pages: SQLAlchemy makes an object of each, which takes longer
than to read it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, islice

import sqlalchemy as sa

from fhirmap.sources.sql_cells import DriverConnection, text_or_bytes
from fhirmap.sources.sql_rows import Row
from fhirmap.sources.sql_types import DriverCursor

__all__ = ["driver_rows", "read_strictly"]

_PAGE = 500


def read_strictly(connection: sa.Connection) -> None:
    """Let SQLite's driver make the texts, which it does fastest, until it meets one that is none: see `driver_rows`."""
    driver: DriverConnection = connection.connection.dbapi_connection
    driver.text_factory = str


def driver_rows(stack: ExitStack, connection: sa.Connection, select: sa.Select[tuple[object, ...]]) -> Iterator[Row]:
    """The rows of ``select``, each a tuple of its cells. ``stack``: closes the cursor, before it does the connection.

    Of a text that is no UTF-8, SQLite's driver says nothing but that there is one, and its rows end. Then the statement
    is read again, in the same transaction and so with the same rows in the same order, and that text comes as its
    bytes.
    Raises: sqlalchemy.exc.DBAPIError.
    """
    read = 0
    try:
        for page in _pages(stack, connection, select):
            read += len(page)
            yield from page
    except sa.exc.DBAPIError as error:
        if not isinstance(error.orig, sqlite3.OperationalError):
            raise
        driver: DriverConnection = connection.connection.dbapi_connection
        driver.text_factory = text_or_bytes
        yield from islice(chain.from_iterable(_pages(stack, connection, select)), read, None)


def _pages(
    stack: ExitStack, connection: sa.Connection, select: sa.Select[tuple[object, ...]]
) -> Iterator[Sequence[Row]]:
    result = connection.execution_options(stream_results=True, max_row_buffer=_PAGE).execute(select)
    stack.callback(result.close)
    cursor: DriverCursor = result.cursor
    # SQLAlchemy may have read the first row itself.
    page: Sequence[Row] = [tuple(row) for row in result.fetchmany(1)]
    while page:
        yield page
        try:
            page = cursor.fetchmany(_PAGE)
        except connection.dialect.loaded_dbapi.Error as error:
            is_lost = connection.dialect.is_disconnect(error, connection.connection.dbapi_connection, cursor)
            if is_lost:
                _forget_rest(connection, cursor)
                connection.invalidate()
            raise sa.exc.DBAPIError(None, None, error, connection_invalidated=is_lost) from None


def _forget_rest(connection: sa.Connection, cursor: DriverCursor) -> None:
    """PyMySQL reads the rest of a result when its cursor is closed, also where the connection is lost."""
    if connection.dialect.driver == "pymysql":
        cursor._result.unbuffered_active = False
