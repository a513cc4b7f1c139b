"""One statement for many rows, as the driver executes it.

SQLAlchemy takes the parameters of each row apart anew, which costs more than what the database does with them. Here the
names and the conversions of parameters are looked up once for a dialect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table, Update, insert
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert
from sqlalchemy.sql.schema import ScalarElementColumnDefault

__all__ = ["RowStatement", "insert_into"]


@dataclass(frozen=True, eq=False, slots=True)
class RowStatement:
    """A statement whose values are all parameters. ``defaults``: of those that may be left out."""

    statement: Insert | Update
    defaults: Mapping[str, Any]
    names: tuple[str, ...] = ()
    """The columns of an INSERT."""

    def execute(
        self, connection: Connection, rows: Sequence[Mapping[str, Any]], common: Mapping[str, Any] | None = None
    ) -> None:
        """Executes it for each of ``rows``, which have the same names. ``common``: values of every row."""
        if rows:
            compiled = _compiled(self, connection.dialect)
            connection.exec_driver_sql(compiled.text, compiled.parameters(rows, {**self.defaults, **(common or {})}))


def insert_into(table: Table) -> RowStatement:
    """An INSERT of all columns but the numbered key; what a row leaves out is the column's default, or absent."""
    columns = [column for column in table.c if column is not table.autoincrement_column]
    defaults: dict[str, Any] = {column.name: None for column in columns if column.nullable}
    defaults |= {c.name: c.default.arg for c in columns if isinstance(c.default, ScalarElementColumnDefault)}
    return RowStatement(insert(table).inline(), defaults, tuple(column.name for column in columns))


@dataclass(frozen=True, slots=True)
class _Compiled:
    """The text for the driver; the names of parameters in its order, where it takes them by place; conversions."""

    text: str
    names: tuple[str, ...]
    by_place: bool
    processors: Mapping[str, Callable[[Any], Any]]

    def parameters(self, rows: Sequence[Mapping[str, Any]], common: Mapping[str, Any]) -> list[Any]:
        """Those of each row."""
        shared = {name: self.processors[name](v) if name in self.processors else v for name, v in common.items()}
        changing = [(name, process) for name, process in self.processors.items() if name in rows[0]]
        in_order = itemgetter(*self.names)
        found: list[Any] = []
        for row in rows:
            values = {**shared, **row}
            for name, process in changing:
                values[name] = process(values[name])
            found.append(in_order(values) if self.by_place else values)
        return found


@lru_cache(maxsize=64)
def _compiled(one: RowStatement, dialect: Dialect) -> _Compiled:
    compiled = one.statement.compile(dialect=dialect, column_keys=list(one.names) or None)
    assert isinstance(compiled, SQLCompiler)
    processors = {}
    for name, parameter in compiled.binds.items():
        process = parameter.type.dialect_impl(dialect).bind_processor(dialect)
        if process is not None:
            processors[name] = process
    by_place = compiled.positiontup is not None
    return _Compiled(compiled.string, tuple(compiled.positiontup or compiled.binds), by_place, processors)
