"""The rows of a database that have changed since it was read last, as a condition on the keys of records.

The mark of a table is the greatest value of its column, as the snapshot holds it, that is not after the database's own
time: a row dated in the future is read each time until then, and does not hide those that come before. What a
transaction commits late has an earlier time than others that were read: the overlap is for those, for clocks that are
set back, and for the hour that a local time has twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from enum import Enum, auto
from typing import Any, TypeAlias

import sqlalchemy as sa

from fhirmap.diagnostics import Diagnostic
from fhirmap.source_plan import ChildKind, SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.changes import ChangeColumns, Marks
from fhirmap.sources.sql_joins import Cell, Relation, belongs, from_table, type_of
from fhirmap.sources.sql_rows import SqlNode
from fhirmap.sources.sql_types import ColumnKind, declared_kind

__all__ = ["DIALECTS", "ChangedKeys", "Watched", "change_faults", "current_marks", "starts", "watched_columns"]

DIALECTS = frozenset(("sqlite", "postgresql", "mysql", "mariadb"))
_NUMBERS = (ColumnKind.INTEGER, ColumnKind.NUMBER)
_TIMES: dict[ColumnKind, sa.types.TypeEngine[Any]] = {
    ColumnKind.DATE: sa.Date(),
    ColumnKind.LOCAL: sa.TIMESTAMP(),
    ColumnKind.INSTANT: sa.TIMESTAMP(timezone=True),
}
_NO_TIME = "1000-01-01"
"""What is before is no time at which a row was written: MariaDB's zero date, PostgreSQL's `-infinity`."""
Starts: TypeAlias = Mapping[str, datetime | Decimal]
"""From where tables are read, by their keys in the settings."""
_DAY = len("2026-01-31")
_SQLITE_TIME = "%Y-%m-%d %H:%M:%f"


class _Form(Enum):
    """How values of a column are compared. ``TEXT``: SQLite's times, which are texts."""

    NUMBER = auto()
    TIME = auto()
    TEXT = auto()


@dataclass(frozen=True, slots=True)
class Watched:
    """A column that shows changes. ``table``: its key in the settings; ``nodes``: where the table is read."""

    table: str
    nodes: tuple[SqlNode, ...]
    column: str
    form: _Form | None = None

    @property
    def kind(self) -> ColumnKind:
        """What the column holds, as far as the database says."""
        return self.nodes[0].table.kinds.get(self.column, ColumnKind.UNKNOWN)

    @property
    def is_declared_number(self) -> bool:
        """Does SQLite's type of the column say numbers?"""
        return declared_kind(type_of(self.nodes[0].table, self.column)) in _NUMBERS


def watched_columns(
    plan: SourcePlan, root: SqlNode, columns: ChangeColumns, connection: sa.Connection
) -> list[Watched]:
    """The columns that are there, in the state that ``connection`` reads; `change_faults` says what is wrong with
    others.

    Raises: sqlalchemy.exc.DBAPIError.
    """
    found = []
    for name, column in columns.by_table.items():
        nodes = _nodes(plan, root, name)
        real = nodes[0].table.real(column) if nodes else None
        if real is not None:
            one = Watched(name, nodes, real)
            found.append(replace(one, form=_form(one, connection)))
    return found


def _nodes(plan: SourcePlan, root: SqlNode, name: str) -> tuple[SqlNode, ...]:
    """Where a table is read: the records' own, or those of children."""
    if not name or naming.match(name, [plan.name]):
        return (root,)
    below = [node for node in root.walk() if node.child is not None and node.child.kind == ChildKind.JOIN]
    return tuple(node for node in below if node.child is not None and naming.match(name, [node.child.table]))


def change_faults(
    plan: SourcePlan, root: SqlNode, columns: ChangeColumns, connection: sa.Connection, shown: str
) -> Iterator[Diagnostic]:
    """FM667 for a table that the map does not read here, and for a column that has no order by time; FM704 for one that
    is not there."""
    if connection.dialect.name not in DIALECTS:
        yield Diagnostic("FM667", args={"source": shown}, variant="dialect")
        return
    for name, column in columns.by_table.items():
        nodes = _nodes(plan, root, name)
        if not nodes:
            known = [plan.name, *(node.child.table for node in root.walk() if node.child is not None)]
            found = naming.like(name, dict.fromkeys(known))
            yield Diagnostic("FM667", args={"table": name, "source": shown}, variant="table", **found)
            continue
        table, shown_table = nodes[0].table, name or plan.name
        real = table.real(column)
        if real is None:
            args = {"table": shown_table, "column": column, "source": shown, "position": ""}
            yield Diagnostic("FM704", args=args, **naming.like(column, table.columns))
            continue
        watched = Watched(name, nodes, real)
        if _form(watched, connection) is None:
            yield Diagnostic("FM667", args={"table": shown_table, "column": column}, variant="order")


def _form(watched: Watched, connection: sa.Connection) -> _Form | None:
    """How a column's values are compared; None where they have no order by time."""
    if connection.dialect.name != "sqlite":
        if watched.kind in _NUMBERS:
            return _Form.NUMBER
        return _Form.TIME if watched.kind in _TIMES else None
    cell: Cell = sa.column(watched.column)
    count, numbers, times = connection.execute(
        sa.select(
            sa.func.count(cell),
            sa.func.count(sa.case((sa.func.typeof(cell).in_(("integer", "real")), 1))),
            sa.func.count(_sqlite_time(cell)),
        ).select_from(_rows(watched.nodes[0]))
    ).one()
    if not count:
        return _Form.NUMBER if watched.is_declared_number else _Form.TEXT
    if numbers == count:
        # A number in a column of dates may be anything: days, seconds, the digits of a day.
        return _Form.NUMBER if watched.is_declared_number else None
    return _Form.TEXT if times == count else None


def _sqlite_time(cell: Cell) -> Cell:
    """A text as a time of one form, in UTC where it has an offset; NULL where it is no day, or none with a time."""
    is_day = sa.and_(sa.func.typeof(cell) == "text", cell.like("____-__-__%"))
    return sa.case((is_day, sa.func.strftime(_SQLITE_TIME, cell)), else_=None)


def _rows(node: SqlNode) -> Relation:
    """Every row of a table or query, whatever the map's condition."""
    table = node.table
    return sa.select(*(sa.column(name) for name in table.columns)).select_from(from_table(table)).subquery()


def _by_name(node: SqlNode, rows: Relation) -> dict[str, Cell]:
    return {name: rows.c[node.table.physical(name)] for name in node.names}


# --- marks ------------------------------------------------------------------------------------------------------------


def current_marks(watched: Sequence[Watched], connection: sa.Connection) -> Marks:
    """How far each table goes in the snapshot of ``connection``; none for one without a value.

    Raises: sqlalchemy.exc.DBAPIError.
    """
    found: dict[str, str] = {}
    for one in watched:
        cell: Cell = sa.column(one.column)
        form = one.form
        if form is None:
            continue
        value = _sqlite_time(cell) if form is _Form.TEXT else cell
        dialect = connection.dialect.name
        text: Cell = sa.func.max(value)
        if form is not _Form.TEXT:
            text = sa.cast(text, sa.CHAR() if dialect in ("mysql", "mariadb") else sa.Text())
        select = sa.select(text).select_from(_rows(one.nodes[0]))
        clock = None if form is _Form.NUMBER else _clock(dialect, one.kind)
        if clock is not None:
            select = select.where(value <= clock)
        greatest = connection.execute(select).scalar()
        if greatest is not None and _parsed(str(greatest)) is not None:
            found[one.table] = str(greatest)
    return found


def _clock(dialect: str, kind: ColumnKind) -> Cell:
    """The database's time as values of a column have it: the earlier of UTC and its local time where these have no zone
    of their own."""
    if dialect == "sqlite":
        times = [sa.func.strftime(_SQLITE_TIME, "now", *extra) for extra in ((), ("localtime",))]
        return sa.func.min(*times)
    if dialect == "postgresql":
        if kind == ColumnKind.INSTANT:
            return sa.func.now()
        own = "(SELECT reset_val FROM pg_settings WHERE name = 'TimeZone')"
        local = f"LEAST(now() AT TIME ZONE 'UTC', now() AT TIME ZONE {own})"
        return sa.literal_column(f"CAST({local} AS date)" if kind == ColumnKind.DATE else local)
    utc = "UTC_TIMESTAMP(6)"
    if kind == ColumnKind.INSTANT:
        return sa.literal_column(utc)
    return sa.literal_column(f"LEAST({utc}, COALESCE(CONVERT_TZ({utc}, '+00:00', @@GLOBAL.time_zone), {utc}))")


def _parsed(mark: str) -> datetime | Decimal | None:
    """A mark as a time or a number; None where it is neither."""
    try:
        return datetime.fromisoformat(mark)
    except ValueError:
        pass
    try:
        number = Decimal(mark)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def starts(now: Marks, since: Marks, watched: Sequence[Watched], overlap: float) -> Starts | None:
    """From where each table is read, ``overlap`` before its mark in ``since``.

    None where one has no such mark, or holds less ``now``: then what was read may be another state, a copy that was put
    back, or a clock was set back.
    """
    found: dict[str, datetime | Decimal] = {}
    for one in watched:
        before, greatest = (_parsed(marks.get(one.table, "")) for marks in (since, now))
        if one.form is _Form.NUMBER:
            if not isinstance(before, Decimal) or not isinstance(greatest, Decimal) or greatest < before:
                return None
            found[one.table] = before - Decimal(str(overlap))
        else:
            if not isinstance(before, datetime) or not isinstance(greatest, datetime):
                return None
            if _is_zoned(before) != _is_zoned(greatest) or greatest < before:
                return None
            found[one.table] = _earlier(before, overlap)
    return found or None


def _is_zoned(time: datetime) -> bool:
    return time.tzinfo is not None


def _earlier(time: datetime, seconds: float) -> datetime:
    try:
        return time - timedelta(seconds=seconds)
    except OverflowError:
        return datetime.min.replace(year=1000, tzinfo=time.tzinfo)


# --- the condition ----------------------------------------------------------------------------------------------------


class ChangedKeys:
    """The condition that a record has changed: some row of its key, or below it, is not before the mark.

    Conditions of the map do not count here: a row that no longer meets one has changed its record, too.
    """

    def __init__(
        self, plan: SourcePlan, root: SqlNode, watched: Sequence[Watched], starts: Starts, dialect: str
    ) -> None:
        self._plan = plan
        self._root = root
        self._watched = watched
        self._starts = starts
        self._dialect = dialect

    def condition(self, among: Callable[[str], Cell]) -> sa.ColumnElement[bool]:
        """The condition on the records' rows, whose columns ``among`` gives by their real names."""
        names = [self._root.table.real(name) or name for name in self._plan.key]
        parts = [among(name) for name in names]
        # Of a union by itself MariaDB makes a query for each row.
        changed = sa.union(*self._selects(names)).subquery("changed")
        keys = sa.select(*changed.c)
        is_among = parts[0].in_(keys) if len(parts) == 1 else sa.tuple_(*parts).in_(keys)
        # What has no key is no record: all of it is read again if some of it has changed.
        keyless = [
            sa.and_(part.is_(None), sa.exists(self._keyless(name))) for part, name in zip(parts, names, strict=True)
        ]
        return sa.or_(is_among, *keyless)

    def _selects(self, names: Sequence[str]) -> Iterator[sa.Select[Any]]:
        for one in self._watched:
            for node in one.nodes:
                chain = [node]
                while (parent := chain[0].parent) is not None:
                    chain.insert(0, parent)
                above = _rows(chain[0])
                keys = [above.c[name] for name in names]
                source = above
                for step, upper in zip(chain[1:], chain, strict=False):
                    below = _rows(step)
                    on = belongs(step, _by_name(step, below), _by_name(upper, above), self._dialect)
                    source, above = source.join(below, on), below
                yield sa.select(*keys).select_from(source).where(self._is_new(above.c[one.column], one))

    def _keyless(self, name: str) -> sa.Select[Any]:
        rows = _rows(self._root)
        conditions = [self._is_new(rows.c[one.column], one) for one in self._watched if self._root in one.nodes]
        return sa.select(sa.literal(1)).select_from(rows).where(rows.c[name].is_(None), sa.or_(sa.false(), *conditions))

    def _is_new(self, cell: Cell, one: Watched) -> sa.ColumnElement[bool]:
        """Is a value not before the start, or none?"""
        start = self._starts[one.table]
        if isinstance(start, Decimal):
            return sa.or_(cell.is_(None), cell >= sa.literal_column(f"{start:f}"))
        if one.form is _Form.TEXT:
            value = _sqlite_time(cell)
            # A day by itself is that of whatever was written on it.
            is_day = sa.and_(sa.func.length(cell) == _DAY, value >= start.date().isoformat())
            return sa.or_(value.is_(None), value >= start.isoformat(" ", "milliseconds"), is_day)
        shown = start.date().isoformat() if one.kind == ColumnKind.DATE else start.isoformat(" ", "microseconds")
        return sa.or_(cell.is_(None), cell >= self._time(shown, one.kind), cell < self._time(_NO_TIME, one.kind))

    def _time(self, shown: str, kind: ColumnKind) -> Cell:
        if self._dialect == "postgresql":
            return sa.cast(sa.literal(shown, sa.Text()), _TIMES[kind])
        return sa.literal(shown, sa.Text())
