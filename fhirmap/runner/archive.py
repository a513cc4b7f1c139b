"""The receiver's identifiers, written back beside the hospital's own records: into a table, a CSV, or both.

The journal knows what is still to be written back, so an interruption between answer and archive loses nothing: the
next run goes on. Writing twice gives the same row. A table that does not exist is created; an existing one may be any
that has the columns named.
"""

from __future__ import annotations

import csv
import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa

from fhirmap.errors import ConfigError, JournalError
from fhirmap.journal import Accepted, Journal
from fhirmap.runner.atomic_file import write_atomically
from fhirmap.runner.project import ArchiveTable, Project
from fhirmap.sources.address import Address, parse_address
from fhirmap.texts import Text, os_reason

__all__ = ["Archived", "CsvArchive", "TableArchive", "archive", "open_archives"]

COMPLETE = "complet"
INCOMPLETE = "sans identifiant"
"""The label an accepted record gets: complete is accepted with an identifier."""

_COLUMNS = ("key", "system", "value", "state", "time")
_BATCH = 10_000
_LOGGING_NAME = "fhirmap-archive"


@dataclass(frozen=True, slots=True)
class Archived:
    """What one archiving wrote: how many, the first and the last identifier, and where."""

    count: int = 0
    first: str = ""
    last: str = ""
    places: tuple[str, ...] = ()


class Archive(Protocol):
    """A place identifiers are written to."""

    @property
    def name(self) -> str:
        """Whom people know."""

    def write(self, rows: Sequence[Accepted]) -> None:
        """Writes them, all or none; those that are there are written over."""


def archive(journal: Journal, archives: Sequence[Archive]) -> Archived:
    """Writes what the journal says is accepted and not written back, to every archive.

    Raises: JournalError FM808 where one cannot be written; everything is still in the journal, for the next time.
    """
    if not archives:
        return Archived()
    count, first, last = 0, "", ""
    while rows := journal.to_archive(_BATCH):
        for place in archives:
            place.write(rows)
        journal.archived([row.entry_id for row in rows])
        values = [row.value for row in rows if row.value]
        count += len(rows)
        first, last = first or next(iter(values), ""), values[-1] if values else last
    return Archived(count, first, last, tuple(place.name for place in archives))


def open_archives(project: Project) -> list[Archive]:
    """The archives that a project names; none is a fine answer.

    Raises: ConfigError FM796 where the table's database is not known, or its table lacks a column; JournalError
    FM808.
    """
    found: list[Archive] = []
    if project.archive.table is not None:
        found.append(TableArchive(_address(project, project.archive.table), project.archive.table))
    if project.archive.csv is not None:
        found.append(CsvArchive(project.archive.csv))
    return found


def _address(project: Project, table: ArchiveTable) -> Address:
    address = project.source_address() if table.url is None else parse_address(table.url.reveal(), project.folder)
    if address.kind != "sql":
        raise ConfigError("FM796", table=table.table, reason=Text("run.archive.no_database"))
    return address


class TableArchive:
    """A table with one row a record key.

    Created where it is missing: the key column (primary key), then value, system, state and time as text (those that
    are named).
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

    def check(self) -> None:
        """Makes sure that the table is there, with the columns named, before anything is sent.

        Raises: ConfigError FM796 for a table that lacks a column; JournalError FM808 where the database does not let
        us.
        """
        self._open()

    def write(self, rows: Sequence[Accepted]) -> None:
        """Writes them in one transaction.

        Raises: JournalError FM808; ConfigError FM796.
        """
        table = self._open()
        with self._translated(), self._engine.begin() as connection:
            for row in rows:
                values = self._values(row, table)
                key = table.c[self._settings.key_column]
                changed = connection.execute(sa.update(table).where(key == values[key.name]).values(values)).rowcount
                if not changed and self._may_insert(table):
                    connection.execute(sa.insert(table).values(values))

    def _named(self) -> Mapping[str, str]:
        """Our column for each of what is written, leaving out those the project does not name."""
        settings = self._settings
        names = (
            settings.key_column,
            settings.system_column,
            settings.value_column,
            settings.state_column,
            settings.time_column,
        )
        return {what: name for what, name in zip(_COLUMNS, names, strict=True) if name}

    def _open(self) -> sa.Table:
        if self._table is not None:
            return self._table
        schema, _, name = self._settings.table.rpartition(".")
        with self._translated():
            if sa.inspect(self._engine).has_table(name, schema=schema or None):
                table = sa.Table(name, sa.MetaData(), schema=schema or None, autoload_with=self._engine)
                missing = [column for column in self._named().values() if column not in table.c]
                if missing:
                    columns = ", ".join(f"`{column}`" for column in missing)
                    reason = Text("run.archive.missing_columns", {"count": len(missing), "columns": columns})
                    raise ConfigError("FM796", table=self._settings.table, reason=reason)
            else:
                table = self._create(name, schema)
        self._table = table
        return table

    def _create(self, name: str, schema: str) -> sa.Table:
        named = self._named()
        columns = [sa.Column(named["key"], sa.String(190), primary_key=True)]
        columns += [sa.Column(column, sa.String(300)) for what, column in named.items() if what != "key"]
        table = sa.Table(name, sa.MetaData(), *columns, schema=schema or None)
        table.create(self._engine, checkfirst=True)
        return table

    def _values(self, row: Accepted, table: sa.Table) -> dict[str, Any]:
        said = _said(row)
        return {column: _fitted(said[what], table.c[column]) for what, column in self._named().items()}

    def _may_insert(self, table: sa.Table) -> bool:
        """Is the table one of identifiers, not the hospital's own of operations? Such a one has nothing else that must
        be filled."""
        ours = set(self._named().values())
        return all(
            column.name in ours
            or column.nullable
            or column.server_default is not None
            or column.identity is not None
            or (
                column.primary_key
                and column.autoincrement in (True, "auto")
                and self._settings.key_column != column.name
            )
            for column in table.c
        )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            origin = getattr(error, "orig", None)
            # a server's text may quote a value, so only the kind of error is shown
            reason = getattr(origin, "sqlite_errorname", None) or getattr(origin, "sqlstate", None)
            reason = reason or type(origin or error).__name__
            variant = _VARIANTS.get(str(reason), "")
            raise JournalError(
                "FM808", variant=variant, archive=self._settings.table, place=self._address.shown, reason=reason
            ) from None


_VARIANTS = {
    "SQLITE_BUSY": "locked",
    "SQLITE_LOCKED": "locked",
    "55P03": "locked",
    "SQLITE_READONLY": "readonly",
    "SQLITE_READONLY_DBMOVED": "readonly",
    "25006": "readonly",
    "42501": "readonly",
}


def _engine(address: Address) -> sa.Engine:
    # neither parameters nor rows in a log or an exception, whatever the root logger's level
    logging.getLogger(f"sqlalchemy.engine.Engine.{_LOGGING_NAME}").setLevel(logging.WARNING)
    url = sa.make_url(f"sqlite:///{address.path}" if address.path is not None else address.url)
    if address.password:
        url = url.set(password=address.password)
    return sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True, logging_name=_LOGGING_NAME)


def _said(row: Accepted) -> dict[str, str]:
    moment = datetime.fromtimestamp(row.at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    state = COMPLETE if row.value else INCOMPLETE
    return {"key": row.key, "system": row.system, "value": row.value, "state": state, "time": moment}


def _fitted(text: str, column: sa.Column[Any]) -> str | int | datetime:
    """The text as the column's type wants it: a number for an integer key, a moment for a column of date and time."""
    try:
        kind = column.type.python_type
    except NotImplementedError:
        return text
    if kind is int and text.lstrip("-").isdigit():
        return int(text)
    if issubclass(kind, datetime):
        moment = datetime.fromisoformat(text)
        return moment if getattr(column.type, "timezone", False) else moment.replace(tzinfo=None)
    return text


class CsvArchive:
    """A ``;``-separated UTF-8 file with the columns key, system, value, state, time; replaced as a whole, so never
    half-written."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def name(self) -> str:
        """The path."""
        return str(self._path)

    def write(self, rows: Sequence[Accepted]) -> None:
        """Writes them; those whose key is there already take its place.

        Raises: JournalError FM808; ConfigError FM796 for a file with other columns.
        """
        with self._translated():
            known = self._read()
            known.update((row.key, _said(row)) for row in rows)
            self._replace(known)

    def _read(self) -> dict[str, dict[str, str]]:
        if not self._path.exists():
            return {}
        with self._path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, delimiter=";")
            if reader.fieldnames is not None and tuple(reader.fieldnames) != _COLUMNS:
                raise ConfigError(
                    "FM796",
                    table=str(self._path),
                    reason=Text("run.archive.other_columns", {"columns": "; ".join(_COLUMNS)}),
                )
            return {row["key"]: row for row in reader}

    def _replace(self, rows: Mapping[str, Mapping[str, str]]) -> None:
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, _COLUMNS, delimiter=";", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows.values())
        write_atomically(self._path, text.getvalue().encode())

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            reason = os_reason(error) if isinstance(error, OSError) else type(error).__name__
            raise JournalError("FM808", archive=str(self._path), place=str(self._path.parent), reason=reason) from None
