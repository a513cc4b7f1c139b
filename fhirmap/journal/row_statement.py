"""One statement for many rows, as the driver executes it.

SQLAlchemy takes the parameters of each row apart anew, which costs more than what the database does with them. Here a
row is a tuple of what the driver takes, in the order that the statement names them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Dialect, Table, Update, bindparam, func, insert, select, update
from sqlalchemy import text as sql_text
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert

from fhirmap.journal.stored_cells import MOST

__all__ = ["RowStatement", "RowValues", "insert_into", "next_numbers", "update_of"]

RowValues: TypeAlias = tuple[Any, ...]
"""One row's parameters: words as plain texts, no member of an enumeration."""


@dataclass(frozen=True, eq=False, slots=True)
class RowStatement:
    """A statement and the names of its parameters, in the order of a row's values."""

    statement: Insert | Update
    names: tuple[str, ...]

    def execute(self, connection: Connection, rows: Sequence[RowValues]) -> None:
        """Executes it for each of ``rows``."""
        if rows:
            compiled = _compiled(self, connection.dialect)
            connection.exec_driver_sql(compiled.text, [*map(compiled.in_order, rows)])


def insert_into(table: Table, *names: str, **same: ColumnElement[Any]) -> RowStatement:
    """An INSERT of these columns of ``table``, with the columns ``same``, which are so in each row; the others have
    their defaults."""
    values = {name: bindparam(name, type_=table.c[name].type) for name in names}
    return RowStatement(insert(table).values({**values, **same}).inline(), names)


def update_of(table: Table, *names: str) -> RowStatement:
    """An UPDATE of these columns of ``table``; the number of the row is the last of its values."""
    values = {f"new_{name}": bindparam(f"new_{name}", type_=table.c[name].type) for name in names}
    changed = {name: values[f"new_{name}"] for name in names}
    (number,) = table.primary_key
    return RowStatement(update(table).where(number == bindparam("row")).values(changed), (*values, "row"))


def next_numbers(connection: Connection, table: Table, count: int) -> Sequence[int]:
    """The numbers of the next ``count`` rows of ``table``, for who has to know them before the rows are there.

    In SQLite, where one transaction writes at a time, those that follow the last that a sound row may have; elsewhere
    the table's sequence gives them, each once.
    """
    if connection.dialect.name == "sqlite":
        last = connection.execute(select(func.max(table.c.id)).where(table.c.id < MOST)).scalar() or 0
        return range(last + 1, last + 1 + count)
    sequence = sql_text("SELECT nextval(pg_get_serial_sequence(:name, 'id')) FROM generate_series(1, :count)")
    return sorted(connection.execute(sequence, {"name": table.name, "count": count}).scalars())


@dataclass(frozen=True, slots=True)
class _Compiled:
    """The text for the driver, and the parameters of a row in its order."""

    text: str
    in_order: Callable[[RowValues], RowValues]


@lru_cache(maxsize=64)
def _compiled(one: RowStatement, dialect: Dialect) -> _Compiled:
    by_place = dialect if dialect.positional else type(dialect)(paramstyle="format")  # type: ignore[call-arg]
    compiled = one.statement.compile(dialect=by_place)
    assert isinstance(compiled, SQLCompiler) and compiled.positiontup is not None
    order = [one.names.index(name) for name in compiled.positiontup]
    return _Compiled(compiled.string, itemgetter(*order) if len(order) > 1 else lambda row: (row[order[0]],))
