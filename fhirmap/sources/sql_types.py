"""What kind of values a database's column holds, and which FHIR types can be read from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

import sqlalchemy as sa

from fhirmap.fhir_types import DATES, NUMBERS, TEXTS

SqlType: TypeAlias = Any
"""A column's type as SQLAlchemy reflects it; None where it is not known."""
DriverCursor: TypeAlias = Any
"""A driver's own cursor after a statement."""


class ColumnKind(StrEnum):
    """Kinds of columns, as far as reading them differs. ``LOCAL``: day and time without zone; ``INSTANT``: with one."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    LOCAL = "local"
    INSTANT = "instant"
    TIME = "time"
    ZONED_TIME = "zoned_time"
    BINARY = "binary"
    LIST = "list"
    DOCUMENT = "document"
    UNKNOWN = ""


_POSTGRESQL: Mapping[str, ColumnKind] = {
    **dict.fromkeys(("int2", "int4", "int8", "oid"), ColumnKind.INTEGER),
    **dict.fromkeys(("numeric", "money"), ColumnKind.NUMBER),
    **dict.fromkeys(("float4", "float8"), ColumnKind.FLOAT),
    **dict.fromkeys(("json", "jsonb", "hstore"), ColumnKind.DOCUMENT),
    "bool": ColumnKind.BOOLEAN,
    "date": ColumnKind.DATE,
    "timestamp": ColumnKind.LOCAL,
    "timestamptz": ColumnKind.INSTANT,
    "time": ColumnKind.TIME,
    "timetz": ColumnKind.ZONED_TIME,
    "bytea": ColumnKind.BINARY,
}
"""Kinds of the types that a query's columns have; all others are read as text."""

_ANY = frozenset(ColumnKind)
_READABLE: Mapping[str, frozenset[ColumnKind]] = {
    **dict.fromkeys(TEXTS, _ANY - {ColumnKind.BINARY, ColumnKind.LIST}),
    **dict.fromkeys(NUMBERS, frozenset((ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.NUMBER, ColumnKind.FLOAT))),
    "boolean": frozenset((ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.NUMBER, ColumnKind.BOOLEAN)),
    "date": frozenset((
        ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.NUMBER, ColumnKind.FLOAT, ColumnKind.DATE, ColumnKind.LOCAL,
        ColumnKind.INSTANT,
    )),
    "time": frozenset((
        ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.NUMBER, ColumnKind.TIME, ColumnKind.ZONED_TIME,
    )),
}  # fmt: skip
_READ_AS = {"dateTime": "date", "instant": "date"}
_ZONED = (ColumnKind.INSTANT, ColumnKind.ZONED_TIME)


def is_readable(kind: ColumnKind, type_name: str) -> bool:
    """Can a cell of ``kind`` be of the FHIR primitive ``type_name``? What a document holds is known when it is read."""
    if kind in (ColumnKind.UNKNOWN, ColumnKind.DOCUMENT):
        return True
    if kind == ColumnKind.DATE and type_name == "instant":
        return False
    readable = _READABLE.get(_READ_AS.get(type_name, type_name))
    return readable is None or kind in readable


def needs_zone(kind: ColumnKind, type_name: str) -> bool:
    """Does ``type_name`` of a cell of ``kind`` depend on a zone that the cell does not have?

    An instant is the same everywhere. A local time needs a zone to be one, and a zoned column's cells are shown in the
    zone of whoever reads them, so that a dateTime of it needs the model's.
    """
    if type_name not in DATES:
        return False
    if kind in _ZONED:
        return type_name != "instant"
    return kind == ColumnKind.LOCAL and type_name in ("dateTime", "instant")


def kind_of(kind: SqlType, dialect: str) -> ColumnKind:
    """The kind of a reflected column. SQLite's columns hold what they are given, whatever their type says; one that is
    declared as JSON may be read as such.
    """
    found = declared_kind(kind)
    return ColumnKind.UNKNOWN if dialect == "sqlite" and found != ColumnKind.DOCUMENT else found


def declared_kind(kind: SqlType) -> ColumnKind:
    """The kind that a type names, whether or not the database keeps to it."""
    kind = without_domain(kind)
    for dialect, names, found in _OF_DIALECTS:
        if is_of_dialect(kind, dialect, *names):
            return found
    for classes, known in _CLASSES:
        if isinstance(kind, classes):
            return known(kind) if callable(known) else known
    return ColumnKind.UNKNOWN


def item_kind_of(kind: SqlType) -> ColumnKind:
    """The kind of the items of an array; unknown where ``kind`` is none."""
    kind = without_domain(kind)
    return declared_kind(kind.item_type) if isinstance(kind, sa.ARRAY) else ColumnKind.UNKNOWN


def is_of_dialect(kind: SqlType, dialect: str, *names: str) -> bool:
    """Is it one of a dialect's own types? By their names: a dialect takes long to load, and what reads SQLite needs
    no other."""
    module = f"sqlalchemy.dialects.{dialect}."
    return any(found.__name__ in names and found.__module__.startswith(module) for found in type(kind).__mro__)


def without_domain(kind: SqlType) -> SqlType:
    """The type that a domain restricts; any other as it is."""
    while is_of_dialect(kind, "postgresql", "DOMAIN"):
        kind = kind.data_type
    return kind


def _moment(kind: SqlType) -> ColumnKind:
    is_zoned = kind.timezone or is_of_dialect(kind, "mysql", "TIMESTAMP")
    return ColumnKind.INSTANT if is_zoned else ColumnKind.LOCAL


def _clock(kind: SqlType) -> ColumnKind:
    return ColumnKind.ZONED_TIME if kind.timezone else ColumnKind.TIME


_OF_DIALECTS = (
    ("postgresql", ("JSON", "HSTORE"), ColumnKind.DOCUMENT),
    ("postgresql", ("MONEY",), ColumnKind.NUMBER),
    ("postgresql", ("INTERVAL", "INET", "BIT"), ColumnKind.TEXT),
    ("mysql", ("YEAR", "BIT"), ColumnKind.INTEGER),
)
_Classes: TypeAlias = tuple[type[Any], ...]
_CLASSES: tuple[tuple[_Classes, ColumnKind | Callable[[SqlType], ColumnKind]], ...] = (
    ((sa.ARRAY,), ColumnKind.LIST),
    ((sa.JSON,), ColumnKind.DOCUMENT),
    ((sa.LargeBinary, sa.BINARY, sa.VARBINARY), ColumnKind.BINARY),
    ((sa.Boolean,), ColumnKind.BOOLEAN),
    ((sa.Integer,), ColumnKind.INTEGER),
    ((sa.Float,), ColumnKind.FLOAT),
    ((sa.Numeric,), ColumnKind.NUMBER),
    ((sa.DateTime,), _moment),
    ((sa.Date,), ColumnKind.DATE),
    ((sa.Time,), _clock),
    ((sa.String, sa.Uuid, sa.Interval), ColumnKind.TEXT),
)


def is_equal_alike(kind: SqlType) -> bool:
    """Is a value of the PostgreSQL type ``kind`` equal to those alone that are shown alike? (Numbers count as such.)"""
    if isinstance(kind, sa.String):
        return not is_of_dialect(kind, "postgresql", "CITEXT") and kind.collation is None
    return isinstance(kind, sa.Integer | sa.Numeric | sa.Boolean | sa.DateTime | sa.Date | sa.Time | sa.Uuid)


def are_compared_alike(one: SqlType, other: SqlType, dialect: str) -> bool:
    """Does the database compare a column of type ``one`` with one of type ``other`` as it does with itself?

    If not, two values that differ in their own column may both be equal to one of the other. Where it is not known (a
    query's column, MariaDB's character sets), it may not.
    """
    if isinstance(one, sa.String) and isinstance(other, sa.String):
        same = type(one) is type(other) and one.collation == other.collation
        return dialect == "sqlite" or (dialect == "postgresql" and same)
    alike = (sa.Integer, sa.Uuid, sa.Date)
    return any(isinstance(one, kind) and isinstance(other, kind) for kind in alike) or (
        isinstance(one, sa.Numeric) and isinstance(other, sa.Numeric) and type(one) is type(other)
    )


@dataclass(frozen=True, slots=True)
class Contents:
    """What a column of a query holds, and its items where it holds arrays."""

    kind: ColumnKind
    items: ColumnKind = ColumnKind.UNKNOWN


def query_contents(cursor: DriverCursor, dialect: str) -> list[Contents]:
    """What a query's columns hold, in order, as the driver describes them."""
    if dialect == "postgresql" and hasattr(cursor, "adapters"):
        return [_postgresql_contents(cursor, column[1]) for column in cursor.description]
    if dialect in ("mysql", "mariadb"):
        return [Contents(_mariadb_kind(column[1])) for column in cursor.description]
    return [Contents(ColumnKind.UNKNOWN) for _ in cursor.description]


def _postgresql_contents(cursor: DriverCursor, oid: int) -> Contents:
    found = cursor.adapters.types.get(oid)
    if found is None:
        return Contents(ColumnKind.TEXT)
    kind = _POSTGRESQL.get(found.name, ColumnKind.TEXT)
    return Contents(kind) if found.oid == oid else Contents(ColumnKind.LIST, kind)


def _mariadb_kind(code: int) -> ColumnKind:
    """Texts and bytes have the same codes: which of them a column holds is not known."""
    from pymysql.constants import FIELD_TYPE

    whole = (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG, FIELD_TYPE.YEAR)
    kinds = {
        **dict.fromkeys((*whole, FIELD_TYPE.BIT), ColumnKind.INTEGER),
        **dict.fromkeys((FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.DECIMAL), ColumnKind.NUMBER),
        **dict.fromkeys((FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE), ColumnKind.FLOAT),
        **dict.fromkeys((FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE), ColumnKind.DATE),
        FIELD_TYPE.DATETIME: ColumnKind.LOCAL,
        FIELD_TYPE.TIMESTAMP: ColumnKind.INSTANT,
        FIELD_TYPE.TIME: ColumnKind.TIME,
        FIELD_TYPE.GEOMETRY: ColumnKind.BINARY,
    }
    return kinds.get(code, ColumnKind.UNKNOWN)
