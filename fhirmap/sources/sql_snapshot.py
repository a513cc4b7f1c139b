"""One read transaction of a database, out of which everything that a reading needs is read: a record is never made of
rows of two states.

There is one connection, since two transactions that begin one after the other see two states. PostgreSQL and SQLite
give the rows of several statements side by side on it. MySQL and MariaDB give one result a connection: the rows of
children wait in a temporary file there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import sqlalchemy as sa

from fhirmap.sources.page_spool import PageSpool
from fhirmap.sources.sql_cells import load_as_text, set_zone
from fhirmap.sources.sql_cursor import driver_rows, read_strictly
from fhirmap.sources.sql_layout import SqlTableLayout
from fhirmap.sources.sql_rows import Row, SqlStatement

__all__ = ["SqlSnapshot", "snapshot_of"]

_MANY_RESULTS = frozenset(("sqlite", "postgresql", "oracle"))
"""Dialects in which the rows of several statements can be read side by side on one connection."""
_LOCK_MS = 30_000
"""How long a table may be altered before reading gives up."""
_NOT_LOCKED = frozenset(("42809", "42501"))
"""What PostgreSQL says of what is no table or view, such as a materialized view, and of what may not be locked."""


class SqlSnapshot:
    """What a database held at one moment."""

    def __init__(self, connection: sa.Connection, zone: str) -> None:
        self.connection = connection
        self._zone = zone

    def streams(
        self, stack: ExitStack, statements: Sequence[SqlStatement], shown: str, zone: str
    ) -> list[Iterator[Row]]:
        """The rows of each statement. ``zone``: of the session, in which SQL cuts days out of instants.

        Raises: sqlalchemy.exc.SQLAlchemyError; ConfigError FM724 where rows cannot be kept.
        """
        connection = self.connection
        if zone != self._zone:
            set_zone(connection, zone)
            self._zone = zone
        if connection.dialect.name in _MANY_RESULTS:
            return [driver_rows(stack, connection, one.select) for one in statements]
        spooled = [self._spooled(stack, one, shown) for one in statements[1:]]
        return [driver_rows(stack, connection, statements[0].select), *spooled]

    def _spooled(self, stack: ExitStack, statement: SqlStatement, shown: str) -> Iterator[Row]:
        spool = PageSpool(shown)
        stack.callback(spool.close)
        with ExitStack() as own:
            spool.put(tuple(row) for row in driver_rows(own, self.connection, statement.select))
        return spool.rows()


@contextmanager
def snapshot_of(engine: sa.Engine, tables: Iterable[SqlTableLayout], zone: str) -> Iterator[SqlSnapshot]:
    """A snapshot that lasts as long as the context. ``tables``: that will be read; ``zone``: of the sessions of
    ``engine``.

    Raises: sqlalchemy.exc.SQLAlchemyError.
    """
    dialect = engine.dialect.name
    with engine.connect() as connection:
        load_as_text(connection)
        if dialect == "sqlite":
            read_strictly(connection)
            connection.exec_driver_sql("BEGIN")
            # The snapshot is that of the first statement.
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").close()
        elif dialect == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            _hold_tables(connection, tables)
            connection.exec_driver_sql("SELECT 1").close()
        elif dialect in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET SESSION net_write_timeout = 3600")
            connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
        elif dialect == "oracle":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
        yield SqlSnapshot(connection, zone)


def _hold_tables(connection: sa.Connection, tables: Iterable[SqlTableLayout]) -> None:
    """Keep tables from being altered, before the snapshot is taken.

    One that is rewritten after it (`ALTER TABLE … TYPE`, `TRUNCATE`) is empty to the snapshot: its rows would be gone.
    https://www.postgresql.org/docs/current/mvcc-caveats.html
    """
    quote = connection.dialect.identifier_preparer.quote
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_LOCK_MS}")
    # The session waits while records are mapped.
    connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
    names = {(table.schema, table.name) for table in tables if not table.query}
    for schema, name in sorted(names, key=lambda pair: (pair[0] or "", pair[1])):
        shown = f"{quote(schema)}.{quote(name)}" if schema else quote(name)
        with connection.begin_nested() as held:
            try:
                connection.exec_driver_sql(f"LOCK TABLE {shown} IN ACCESS SHARE MODE")
            except sa.exc.DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in _NOT_LOCKED:
                    raise
                held.rollback()
