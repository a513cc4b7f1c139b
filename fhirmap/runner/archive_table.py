"""Identifiers in a table of a database: one that is there, or one that the project asks to create."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import sqlalchemy as sa

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError, JournalError
from fhirmap.journal import Accepted, ArchivedIdentifier
from fhirmap.runner.archive_row import COLUMNS, Unwritten, row_values
from fhirmap.runner.project import ArchiveTable
from fhirmap.sources.address import Address
from fhirmap.sources.sql_layout import any_column_type
from fhirmap.texts import Text, text

__all__ = ["TableArchive"]

_CHUNK = 200
_FAILURES_IN_A_ROW = 5
"""Rows that fail one after the other for a cause that may be the database's: then it is."""
_SHORTEST_VALUE = 20
"""Characters that an identifier of a registry may well have."""
_LOGGING_NAME = "fhirmap-archive"
_OF_THE_ROW = (sa.exc.DataError, sa.exc.IntegrityError, OverflowError)
"""The last one is the driver's, for a number that no column takes."""
_REFUSALS = (sa.exc.SQLAlchemyError, *_OF_THE_ROW)

CellValue: TypeAlias = str | int | Decimal | datetime | uuid.UUID
"""What a column of the table takes."""


class _UnfitError(Exception):
    """A text that a column cannot hold as it is; the reason in words, without the text."""


@dataclass(frozen=True, slots=True)
class _FittedRow:
    key: str
    keys: Mapping[str, CellValue]
    values: Mapping[str, CellValue]


class TableArchive:
    """A table with one row a record key, whose parts may be in columns of their own.

    Created where it is missing and the project says so: the key columns (primary key), then value, system, state, time
    and earlier identifiers as text.
    """

    def __init__(self, address: Address, table: ArchiveTable) -> None:
        self._address = address
        self._settings = table
        self._engine = _engine(address)
        self._table: sa.Table | None = None

    @property
    def name(self) -> str:
        """The table."""
        return self._settings.table

    @property
    def keeps_earlier(self) -> bool:
        """Has it a column for the identifiers that a record had before?"""
        return self._table is not None and "previous" in self._named(self._table)

    # ---- looking at it ---------------------------------------------------------------------------------------

    def check(self) -> None:
        """Makes sure that the table is there, with the columns named, before anything is sent.

        Raises: ConfigError FM796 for a table that lacks a column, FM669 for one that is not there; JournalError FM808
        where the database does not let us.
        """
        self._open()

    def diagnostics(self, keys: Iterable[str]) -> Iterator[Diagnostic]:
        """Whether it exists, its columns (FM796, FM669), their types and lengths (FM670), the form of ``keys`` (FM671),
        whether it may be written (FM808), a column for earlier identifiers (FM672). Nothing is written or created."""
        try:
            table = self._reflected()
            if table is None:
                if not self._settings.create:
                    yield self._absent().diagnostic()
                elif not self._may_create():
                    args = {"archive": self.name, "place": self._address.shown, "reason": ""}
                    yield Diagnostic("FM808", args=args, variant="readonly")
                return
            self._require_columns(table)
            with self._translated():
                self._try_to_write(table)
        except (ConfigError, JournalError) as error:
            yield error.diagnostic()
            return
        yield from self._odd_columns(table)
        yield from self._odd_keys(table, keys)
        if "previous" not in self._named(table):
            args = {"table": self.name, "column": self._settings.previous_name}
            yield Diagnostic("FM672", args=args)

    def _try_to_write(self, table: sa.Table) -> None:
        """Statements that concern no row: the database refuses them where the account may not write."""
        value = table.c[self._settings.value_column]
        with self._engine.connect() as connection:
            connection.execute(sa.update(table).where(sa.false()).values({value.name: value}))
            if self._may_insert(table):
                columns = [table.c[name] for name in (*self._settings.key_columns, value.name)]
                connection.execute(sa.insert(table).from_select(columns, sa.select(*columns).where(sa.false())))
            connection.rollback()

    def _may_create(self) -> bool:
        """Does the database let us make the table? Only PostgreSQL can be asked without making one."""
        schema = self._settings.table.rpartition(".")[0]
        if self._engine.dialect.name != "postgresql":
            return True
        place = sa.literal(schema) if schema else sa.func.current_schema()
        with self._translated(), self._engine.connect() as connection:
            return bool(connection.execute(sa.select(sa.func.has_schema_privilege(place, "CREATE"))).scalar())

    def _odd_columns(self, table: sa.Table) -> Iterator[Diagnostic]:
        for what, name in self._named(table).items():
            column = table.c[name]
            length = getattr(column.type, "length", None)
            if what in ("value", "previous", "system", "state") and not _is_text_column(column):
                reason = Text("run.archive.no_text_column", {"type": _type_name(column)})
            elif what == "value" and length is not None and length < _SHORTEST_VALUE:
                reason = Text("run.archive.short_column", {"length": length})
            else:
                continue
            yield Diagnostic("FM670", args={"table": self.name, "column": name, "reason": reason})

    def _odd_keys(self, table: sa.Table, keys: Iterable[str]) -> Iterator[Diagnostic]:
        for key in keys:
            try:
                self._keys(key, table)
            except _UnfitError as unfit:
                columns = ", ".join(f"`{name}`" for name in self._settings.key_columns)
                yield Diagnostic("FM671", args={"table": self.name, "columns": columns, "reason": str(unfit)})
                return

    # ---- reading ---------------------------------------------------------------------------------------------

    def identifiers(self, keys: Sequence[str]) -> Mapping[str, ArchivedIdentifier]:
        """What it has of these records. A key that its columns cannot hold has none.

        Raises: JournalError FM808; ConfigError FM796, FM669.
        """
        table = self._table if self._table is not None else self._reflected()
        if table is None:
            return {}
        self._require_columns(table)
        wanted: dict[tuple[str, ...], str] = {}
        parts: list[Mapping[str, CellValue]] = []
        for key in keys:
            with suppress(_UnfitError):
                fitted = self._keys(key, table)
                wanted[_exact(fitted)] = key
                parts.append(fitted)
        found: dict[str, ArchivedIdentifier] = {}
        for start in range(0, len(parts), _CHUNK):
            with self._translated(), self._engine.connect() as connection:
                for row in self._rows_of(connection, parts[start : start + _CHUNK], table):
                    named = wanted.get(_exact({name: row[name] for name in self._settings.key_columns}))
                    if named is not None and row.get("value"):
                        earlier = tuple(str(row.get("previous") or "").split())
                        found[named] = ArchivedIdentifier(str(row.get("system") or ""), str(row["value"]), earlier)
        return found

    def _rows_of(
        self, connection: sa.Connection, keys: Sequence[Mapping[str, CellValue]], table: sa.Table
    ) -> Iterator[Mapping[str, Any]]:
        """Key columns by their names, the others by those of `COLUMNS`."""
        named = {what: name for what, name in self._named(table).items() if what in ("value", "system", "previous")}
        columns = [table.c[name] for name in self._settings.key_columns]
        for cells in connection.execute(
            sa.select(*columns, *(table.c[name] for name in named.values())).where(_any_of(columns, keys))
        ):
            yield dict(zip((*self._settings.key_columns, *named), cells, strict=True))

    # ---- writing ---------------------------------------------------------------------------------------------

    def write(self, rows: Sequence[Accepted]) -> list[Unwritten]:
        """Writes them, each whatever becomes of the others; those that could not be written.

        Raises: JournalError FM808 where none can be; ConfigError FM796, FM669.
        """
        table = self._open()
        unwritten: list[Unwritten] = []
        fitted: dict[str, _FittedRow] = {}
        for row in rows:
            try:
                fitted[row.key] = self._fit(row, table)
            except _UnfitError as unfit:
                unwritten.append(Unwritten(row.key, self.name, str(unfit)))
        waiting = list(fitted.values())
        failures = 0
        for start in range(0, len(waiting), _CHUNK):
            chunk = waiting[start : start + _CHUNK]
            try:
                unwritten += self._write_some(chunk, table)
                failures = 0
            except _REFUSALS:
                failed, failures = self._write_each(chunk, table, failures)
                unwritten += failed
        return unwritten

    def _write_each(self, rows: Sequence[_FittedRow], table: sa.Table, failures: int) -> tuple[list[Unwritten], int]:
        """Row by row, since one of them cannot be written; and how many failed in a row at the end."""
        unwritten: list[Unwritten] = []
        for row in rows:
            try:
                unwritten += self._write_some([row], table)
                failures = 0
            except _REFUSALS as error:
                failures = 0 if isinstance(error, _OF_THE_ROW) else failures + 1
                reason = _reason(error)
                if reason in _VARIANTS or failures >= _FAILURES_IN_A_ROW or _is_lost(error):
                    raise self._failure(error) from None
                unwritten.append(Unwritten(row.key, self.name, text("run.archive.refused", reason=reason)))
        return unwritten, failures

    def _write_some(self, rows: Sequence[_FittedRow], table: sa.Table) -> list[Unwritten]:
        """In one transaction: all, or a database error."""
        unwritten: list[Unwritten] = []
        with self._engine.begin() as connection:
            there = self._there(connection, rows, table)
            changed: list[dict[str, CellValue]] = []
            added: list[dict[str, CellValue]] = []
            for row in rows:
                found = there.get(_folded(row.keys))
                if found is None and not self._may_insert(table):
                    unwritten.append(Unwritten(row.key, self.name, text("run.archive.no_row")))
                elif found is None:
                    added.append({**row.keys, **row.values})
                elif found != _exact(row.keys):
                    unwritten.append(Unwritten(row.key, self.name, text("run.archive.other_key")))
                else:
                    named = {f"key_{name}": value for name, value in row.keys.items()}
                    changed.append(named | {f"new_{name}": value for name, value in row.values.items()})
            if changed:
                connection.execute(self._update(table), changed)
            if added:
                connection.execute(sa.insert(table), added)
        return unwritten

    def _there(
        self, connection: sa.Connection, rows: Sequence[_FittedRow], table: sa.Table
    ) -> dict[tuple[str, ...], tuple[str, ...]]:
        """The keys that the table has of these, as the database compares them: by case where it does, or not."""
        columns = [table.c[name] for name in self._settings.key_columns]
        wanted = _any_of(columns, [row.keys for row in rows])
        found: dict[tuple[str, ...], tuple[str, ...]] = {}
        exact = {_exact(row.keys) for row in rows}
        for cells in connection.execute(sa.select(*columns).where(wanted)):
            keys = dict(zip(self._settings.key_columns, cells, strict=True))
            if _exact(keys) in exact or _folded(keys) not in found:
                found[_folded(keys)] = _exact(keys)
        return found

    def _update(self, table: sa.Table) -> sa.Update:
        where = [table.c[name] == sa.bindparam(f"key_{name}") for name in self._settings.key_columns]
        written = [name for what, name in self._named(table).items() if what != "key"]
        return sa.update(table).where(*where).values({name: sa.bindparam(f"new_{name}") for name in written})

    # ---- the table -------------------------------------------------------------------------------------------

    def _named(self, table: sa.Table) -> Mapping[str, str]:
        """Our column for each of what is written beside the key, leaving out those that the project does not name. The
        column of earlier identifiers is used where it is there."""
        settings = self._settings
        names = (
            settings.system_column,
            settings.value_column,
            settings.state_column,
            settings.time_column,
            settings.previous_column or (settings.previous_name if settings.previous_name in table.c else ""),
        )
        return {what: name for what, name in zip(COLUMNS[1:], names, strict=True) if name}

    def _open(self) -> sa.Table:
        if self._table is None:
            table = self._reflected()
            if table is None:
                if not self._settings.create:
                    raise self._absent()
                table = self._create()
            self._require_columns(table)
            self._table = table
        return self._table

    def _reflected(self) -> sa.Table | None:
        schema, _, name = self._settings.table.rpartition(".")
        with self._translated(), any_column_type():
            inspector = sa.inspect(self._engine)
            if not (inspector.has_table(name, schema=schema or None)):
                return None
            return sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=self._engine)

    def _absent(self) -> ConfigError:
        return ConfigError("FM669", table=self._settings.table, place=self._address.shown)

    def _require_columns(self, table: sa.Table) -> None:
        wanted = (*self._settings.key_columns, *self._named(table).values())
        missing = [column for column in wanted if column not in table.c]
        if missing:
            columns = ", ".join(f"`{column}`" for column in missing)
            reason = Text("run.archive.missing_columns", {"count": len(missing), "columns": columns})
            raise ConfigError("FM796", table=self._settings.table, reason=reason)

    def _create(self) -> sa.Table:
        settings = self._settings
        schema, _, name = settings.table.rpartition(".")
        columns = [sa.Column(column, sa.String(190), primary_key=True) for column in settings.key_columns]
        others = (settings.system_column, settings.value_column, settings.state_column, settings.time_column)
        columns += [sa.Column(column, sa.String(300)) for column in others if column]
        columns.append(sa.Column(settings.previous_name, sa.Text))
        table = sa.Table(name, sa.MetaData(), *columns, schema=schema or None)
        with self._translated():
            table.create(self._engine, checkfirst=True)
        return table

    def _may_insert(self, table: sa.Table) -> bool:
        """Is the table one of identifiers, not the hospital's own of operations? Such a one has nothing else that must
        be filled."""
        keys = self._settings.key_columns
        ours = {*keys, *self._named(table).values()}
        return all(
            column.name in ours
            or column.nullable
            or column.server_default is not None
            or column.identity is not None
            or (column.primary_key and column.autoincrement in (True, "auto") and column.name not in keys)
            for column in table.c
        )

    # ---- the row ---------------------------------------------------------------------------------------------

    def _fit(self, row: Accepted, table: sa.Table) -> _FittedRow:
        given = row_values(row)
        values = {name: self._fitted(given[what], table.c[name]) for what, name in self._named(table).items()}
        return _FittedRow(row.key, self._keys(row.key, table), values)

    def _keys(self, key: str, table: sa.Table) -> dict[str, CellValue]:
        """The key in its columns; its parts where there are several."""
        names = self._settings.key_columns
        parts = key.split("|") if len(names) > 1 else [key]
        if len(parts) != len(names):
            raise _UnfitError(text("run.archive.key_parts", parts=len(parts), columns=len(names)))
        return {name: self._fitted(part, table.c[name]) for name, part in zip(names, parts, strict=True)}

    def _fitted(self, given: str, column: sa.Column[Any]) -> CellValue:
        """The text as the column's type wants it, with nothing lost: a number for an integer key, a moment for a column
        of date and time.

        Raises: _UnfitError where the column would hold something else, such as a number without its leading zeros, or
        the beginning of the text.
        """
        try:
            kind = column.type.python_type
        except NotImplementedError:
            return given
        try:
            if kind in (int, Decimal, float):
                number = Decimal(given) if given.isascii() else Decimal("NaN")
                if str(number) != given or not number.is_finite():
                    raise ValueError
                return int(given) if kind is int else number
            if kind is uuid.UUID:
                return uuid.UUID(given)
            if issubclass(kind, datetime):
                moment = datetime.fromisoformat(given)
                return moment if getattr(column.type, "timezone", False) else moment.replace(tzinfo=None)
        except (ValueError, ArithmeticError):
            raise _UnfitError(text("run.archive.unfit", column=column.name, type=_type_name(column))) from None
        length = getattr(column.type, "length", None)
        if length is not None and len(given) > length and self._engine.dialect.name != "sqlite":
            raise _UnfitError(text("run.archive.too_long", column=column.name, length=length, characters=len(given)))
        return given

    # ---- errors ----------------------------------------------------------------------------------------------

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            raise self._failure(error) from None

    def _failure(self, error: Exception) -> JournalError:
        reason = _reason(error)
        variant = _VARIANTS.get(reason, "")
        return JournalError(
            "FM808", variant=variant, archive=self._settings.table, place=self._address.shown, reason=reason
        )


_VARIANTS = {
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "55P03": "locked",
    "SQLITE_READONLY": "readonly",
    "SQLITE_READONLY_DBMOVED": "readonly",
    "25006": "readonly",
    "42501": "readonly",
    "1142": "readonly",
    "1143": "readonly",
    "1044": "readonly",
    "1290": "readonly",
}


def _reason(error: Exception) -> str:
    """The kind of error: a server's text may quote a value."""
    origin = getattr(error, "orig", None)
    found = getattr(origin, "sqlite_errorname", None)
    if found is None and origin is not None and origin.args and isinstance(origin.args[0], int):
        found = origin.args[0]  # MariaDB's number: one SQLSTATE of it is a wrong word and a right that is missing
    return str(found or getattr(origin, "sqlstate", None) or type(origin or error).__name__)


def _is_lost(error: Exception) -> bool:
    """Is there no connection any more?"""
    return bool(getattr(error, "connection_invalidated", False)) or isinstance(error, sa.exc.InterfaceError)


def _any_of(columns: Sequence[sa.Column[Any]], keys: Sequence[Mapping[str, CellValue]]) -> sa.ColumnElement[bool]:
    """Rows with any of these keys."""
    if len(columns) == 1:
        return columns[0].in_([key[columns[0].name] for key in keys])
    return sa.or_(*(sa.and_(*(column == key[column.name] for column in columns)) for key in keys))


def _exact(keys: Mapping[str, object]) -> tuple[str, ...]:
    """The key as text, without the blanks that a column of fixed length adds."""
    return tuple(str(value).rstrip(" ") for value in keys.values())


def _folded(keys: Mapping[str, object]) -> tuple[str, ...]:
    return tuple(part.casefold() for part in _exact(keys))


def _is_text_column(column: sa.Column[Any]) -> bool:
    try:
        return column.type.python_type is str
    except NotImplementedError:
        return True


def _type_name(column: sa.Column[Any]) -> str:
    return str(column.type).lower()


def _engine(address: Address) -> sa.Engine:
    # neither parameters nor rows in a log or an exception, whatever the root logger's level
    logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGING_NAME}").setLevel(logging.WARNING)
    url = sa.make_url(f"sqlite:///{address.path}" if address.path is not None else address.url)
    if address.password:
        url = url.set(password=address.password)
    return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, logging_name=_LOGGING_NAME)
