"""Which rows cannot be read: a cell is of another kind than its column, or no word, time or count that it may hold."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Float,
    Integer,
    LargeBinary,
    String,
    Table,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    type_coerce,
)

from fhirmap.journal.schema import attempt, entry, identifier, payload, withdrawal
from fhirmap.journal.stored_cells import LATEST_S, MOST, Bytes, Count, KeptText, Seconds, Words, plain

__all__ = ["add_functions", "is_moment", "stuck_keys", "unreadable_keys", "unsound"]

_UNDECODABLE = "fhirmap_undecodable"


def add_functions(connection: sqlite3.Connection) -> None:
    """What `unsound` asks of SQLite, which does not look at the bytes of a text."""
    connection.create_function(_UNDECODABLE, 1, _is_undecodable, deterministic=True)


def unsound(table: Table, dialect: str) -> ColumnElement[bool]:
    """Can a row of ``table`` not be read? ``dialect``: as SQLAlchemy calls the kind of database."""
    on_sqlite = dialect == "sqlite"
    odd = list(_odd_cells(table, on_sqlite=on_sqlite))
    if on_sqlite:
        texts = [type_coerce(column, String) for column in table.c if isinstance(column.type, Words | KeptText)]
        together: ColumnElement[str] = literal("")
        for one in texts:
            together = together.concat(one)
        odd.append(getattr(func, _UNDECODABLE)(cast(together, LargeBinary)) == 1)
    return or_(false(), *odd)


def is_moment(time: ColumnElement[float]) -> ColumnElement[bool]:
    """May the cell be a time? What is none reads as 0, and would be due for ever."""
    return type_coerce(time, Float) < LATEST_S


def unreadable_keys(connection: Connection, establishment: str, operation: str) -> list[str]:
    """The keys of records of which the journal has a row that cannot be read, in the order in which they were first
    read."""
    dialect = connection.dialect.name
    scope = and_(entry.c.establishment == establishment, entry.c.operation == operation)
    of_entry = (exists().where(table.c.entry_id == entry.c.id, unsound(table, dialect)) for table in (payload, attempt))
    own = select(entry.c.key).where(scope, or_(unsound(entry, dialect), *of_entry)).order_by(entry.c.id)
    found = list(connection.execute(own).scalars())
    for table in (identifier, withdrawal):
        of_table = and_(table.c.establishment == establishment, table.c.operation == operation)
        query = select(table.c.key).where(of_table, unsound(table, dialect)).order_by(table.c.id)
        found += connection.execute(query).scalars()
    return [plain(key) for key in dict.fromkeys(found)]


def stuck_keys(connection: Connection, scope: ColumnElement[bool]) -> list[str]:
    """The keys of the records within ``scope`` that are not sent, written back or shown for what they are because of
    what cannot be read, in the order in which they were first read. Quick: only the cells by which rows are chosen."""
    words = [type_coerce(column, String).not_in(_words_of(column.type)) for column in (entry.c.state, entry.c.archive)]
    # A text is more than any number for SQLite, not-a-number for PostgreSQL.
    times = [type_coerce(column, Float) >= LATEST_S for column in (entry.c.not_before, entry.c.lease_until)]
    booleans = [
        type_coerce(column, Integer).not_in([0, 1])
        for column in entry.c
        if isinstance(column.type, Boolean) and connection.dialect.name == "sqlite"
    ]
    odd = or_(*words, *times, *booleans)
    found = connection.execute(select(entry.c.key).where(scope, odd).order_by(entry.c.id)).scalars()
    return [plain(key) for key in dict.fromkeys(found)]


def _words_of(kind: object) -> list[str]:
    assert isinstance(kind, Words)
    return [str(word) for word in kind.states if word != kind.unreadable]


def _odd_cells(table: Table, *, on_sqlite: bool) -> Iterator[ColumnElement[bool]]:
    for column in table.c:
        kind = column.type
        if isinstance(kind, Words):
            yield type_coerce(column, String).not_in(_words_of(kind))
        elif isinstance(kind, Seconds):
            number = type_coerce(column, Float)
            yield or_(number < 0, number >= LATEST_S)
        elif isinstance(kind, Count) and on_sqlite:
            number = type_coerce(column, BigInteger)
            yield or_(number <= -MOST, number >= MOST)
        elif isinstance(kind, Boolean) and on_sqlite:
            yield type_coerce(column, Integer).not_in([0, 1])
        stored = _stored_as(kind)
        if on_sqlite and stored:
            other = func.typeof(column) != stored
            yield and_(column.is_not(None), other) if column.nullable else other


def _stored_as(kind: object) -> str:
    """How SQLite calls what a sound cell is stored as; empty for the number of a row, which is always one."""
    match kind:
        case Words() | KeptText():
            return "text"
        case Seconds():
            return "real"
        case Count() | Boolean():
            return "integer"
        case Bytes():
            return "blob"
    return ""


def _is_undecodable(stored: object) -> bool:
    """Of all texts of a row, one after the other."""
    try:
        str(stored, "utf-8") if isinstance(stored, bytes) else None
    except UnicodeDecodeError:
        return True
    return False
