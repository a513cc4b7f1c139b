"""How cells leave a database: in a form that any cell has, whatever the server's and the session's settings are.

A driver's own conversions raise for what Python has no value for (`infinity`, years after 9999, hours after 24), in
the middle of a result: reading ends there, for every record after it. So dates and times come as the database's text,
marked as its own (`CalendarText`), and the reader of the model says of one record what cannot be read. What the
session decides is set here, since a cell must not depend on who reads it: the zone in which PostgreSQL and MariaDB
show instants, and the style of dates and intervals.
"""

from __future__ import annotations

import codecs
import json
import math
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Self, TypeAlias

import sqlalchemy as sa

from fhirmap.records import CalendarText

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer
    from psycopg import Connection
    from psycopg.abc import Buffer

DriverConnection: TypeAlias = Any
"""A driver's own connection, whose class is known where its driver is."""

_CALENDAR = ("date", "timestamp", "timestamptz", "time", "timetz")
_TEXTS = (
    "interval", "uuid", "inet", "cidr", "macaddr", "macaddr8", "json", "jsonb",
    "int4range", "int8range", "numrange", "daterange", "tsrange", "tstzrange",
    "int4multirange", "int8multirange", "nummultirange", "datemultirange", "tsmultirange", "tstzmultirange",
)  # fmt: skip
"""PostgreSQL's types that are read as the text it shows for them."""
_STRINGS = ("text", "varchar", "name")
_ANY_OTHER = 0
"""The number under which the driver keeps the loader of types that it does not know."""
_SHORTEST_FLOATS = 120_000
"""The version from which on PostgreSQL can write the shortest decimal that is the same float."""
_NOT_A_NUMBER = math.nan
"""One object for all: NaN equals nothing, but a tuple that holds the same object is the same tuple."""


def set_sessions(engine: sa.Engine, zone: str) -> None:
    """Make every connection of ``engine`` independent of the server's and the machine's settings.

    ``zone``: the one time zone of the model, in which the SQL of a map and of views cuts days out of instants; UTC
    where the model declares none or several.
    """
    if engine.dialect.name == "postgresql" and engine.dialect.driver == "psycopg":
        sa.event.listen(engine, "connect", lambda connection, _: _set_postgresql(connection, zone or "UTC"))
    elif engine.dialect.name in ("mysql", "mariadb"):
        sa.event.listen(engine, "connect", lambda connection, _: _set_mariadb(connection))


def set_zone(connection: sa.Connection, zone: str) -> None:
    """Give the session of ``connection`` another zone of those that `set_sessions` takes."""
    if connection.dialect.name == "postgresql" and connection.dialect.driver == "psycopg":
        from psycopg import sql

        driver: DriverConnection = connection.connection.dbapi_connection
        driver.execute(sql.SQL("SET LOCAL TimeZone = {}").format(sql.Literal(zone or "UTC")))


def load_as_text(connection: sa.Connection) -> None:
    """Make ``connection`` give its cells in the form this module promises. Not for one that reads a layout: SQLAlchemy
    counts on the driver's own conversions there.
    """
    driver: DriverConnection = connection.connection.dbapi_connection
    dialect = connection.dialect
    if dialect.name == "postgresql" and dialect.driver == "psycopg":
        if driver.info.parameter_status("server_encoding") == "SQL_ASCII":
            _read_any_bytes(connection, driver)
        _load_postgresql(driver)
    elif dialect.name in ("mysql", "mariadb") and dialect.driver == "pymysql":
        _load_mariadb(driver)


def know_own_types(connection: sa.Connection) -> None:
    """Make ``connection`` describe the arrays of types that the database defines itself as arrays."""
    if connection.dialect.name == "postgresql" and connection.dialect.driver == "psycopg":
        driver: DriverConnection = connection.connection.dbapi_connection
        _read_own_arrays(driver)


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def _set_postgresql(connection: Connection[Any], zone: str) -> None:
    settings = {"TimeZone": zone, "DateStyle": "ISO, YMD", "IntervalStyle": "postgres", "client_encoding": "UTF8"}
    if connection.info.server_version >= _SHORTEST_FLOATS:
        settings["extra_float_digits"] = "1"
    _set(connection, settings)


def _set(connection: Connection[Any], settings: Mapping[str, str]) -> None:
    # Here, not above: the driver is an extra, and its absence is reported where the engine is made.
    from psycopg import sql

    for name, value in settings.items():
        connection.execute(sql.SQL("SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
    connection.commit()


def _load_postgresql(connection: DriverConnection) -> None:
    from psycopg.adapt import Loader
    from psycopg.types.string import TextLoader

    class CalendarLoader(Loader):
        def load(self, data: Buffer) -> CalendarText:
            return CalendarText(data, "ascii")

    class NumberLoader(Loader):
        def load(self, data: Buffer) -> Decimal | float:
            return _number(str(data, "ascii"))

    class FloatLoader(Loader):
        def load(self, data: Buffer) -> float:
            found = float(bytes(data))
            return _NOT_A_NUMBER if math.isnan(found) else found

    class LenientLoader(Loader):
        def load(self, data: Buffer) -> str | bytes:
            return text_or_bytes(bytes(data))

    class FixedLoader(Loader):
        def load(self, data: Buffer) -> str | bytes:
            return text_or_bytes(bytes(data).rstrip(b" "))

    loaders: dict[str | int, type[Loader]] = {
        **dict.fromkeys(_CALENDAR, CalendarLoader),
        **dict.fromkeys(_TEXTS, TextLoader),
        **dict.fromkeys(("float4", "float8"), FloatLoader),
        "numeric": NumberLoader,
        # The blanks that fill a `char(n)` are no part of its value, to the database either.
        "bpchar": FixedLoader,
    }
    if connection.info.parameter_status("server_encoding") == "SQL_ASCII":
        loaders |= dict.fromkeys((*_STRINGS, *_TEXTS, _ANY_OTHER), LenientLoader)
    for name, loader in loaders.items():
        connection.adapters.register_loader(name, loader)
    _read_own_arrays(connection)
    _read_hstore(connection)
    _read_money(connection)
    connection.commit()


def _read_any_bytes(connection: sa.Connection, driver: DriverConnection) -> None:
    """A database without an encoding sends its bytes as they are to a client in whose encoding any byte is a letter; to
    one in UTF-8 it refuses those that are none, and the reading ends. SQL still goes there in UTF-8.
    """

    def in_utf8(_c: object, _u: object, sql: str, parameters: object, *_: object) -> tuple[str, object]:
        def plain(value: object) -> object:
            return value.encode().decode("latin-1") if isinstance(value, str) else value

        if isinstance(parameters, Mapping):
            parameters = {name: plain(value) for name, value in parameters.items()}
        return sql.encode().decode("latin-1"), parameters

    _set(driver, {"client_encoding": "LATIN1"})
    sa.event.listen(connection, "before_cursor_execute", in_utf8, retval=True)


def _read_own_arrays(connection: Connection[Any]) -> None:
    """Arrays of types that the database defines itself (enumerations, domains, extensions) are lists too."""
    from psycopg.types import TypeInfo

    found = connection.execute(
        "SELECT typname, oid, typarray, typdelim FROM pg_type"
        " WHERE typarray <> 0 AND oid >= 16384 AND typtype IN ('b', 'd', 'e')"
    )
    for name, oid, array_oid, delimiter in found.fetchall():
        TypeInfo(name, oid, array_oid, delimiter=delimiter).register(connection)


def _read_hstore(connection: Connection[Any]) -> None:
    """`hstore`, where SQLAlchemy's own loader knows it, as a document of texts."""
    from psycopg.pq import Format

    info = connection.adapters.types.get("hstore")
    known = connection.adapters.get_loader(info.oid, Format.TEXT) if info is not None else None
    if known is None or info is None:
        return

    class DocumentLoader(known):  # type: ignore[misc, valid-type]  # a class that SQLAlchemy makes
        def load(self, data: Buffer) -> str:
            return json.dumps(super().load(data), ensure_ascii=False)

    connection.adapters.register_loader(info.oid, DocumentLoader)


def _read_money(connection: Connection[Any]) -> None:
    """`money` is shown in the words of a country; its digits are the smallest units whatever the country's signs."""
    from psycopg.adapt import Loader

    row = connection.execute("SELECT 1::money::text").fetchone()
    decimals = sum(letter.isdecimal() for letter in row[0]) - 1 if row else 2

    class MoneyLoader(Loader):
        def load(self, data: Buffer) -> Decimal:
            text = bytes(data).decode(errors="replace")
            number = Decimal("".join(letter for letter in text if letter.isdecimal())).scaleb(-decimals)
            return -number if "-" in text or "(" in text else number

    connection.adapters.register_loader("money", MoneyLoader)


def _number(text: str) -> Decimal | float:
    """A number with its digits; NaN and the infinities as the floats they are, which no type of a model takes."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        return _NOT_A_NUMBER
    if found.is_finite():
        return found
    return _NOT_A_NUMBER if found.is_nan() else float(found)


# --- MariaDB ----------------------------------------------------------------------------------------------------------


def _set_mariadb(connection: DriverConnection) -> None:
    """`TIMESTAMP` in UTC: the server shows it in the session's zone, without an offset. `CHAR(n)` without blanks."""
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION time_zone = '+00:00'")
        cursor.execute("SET SESSION sql_mode = REPLACE(@@SESSION.sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', '')")


def _load_mariadb(connection: DriverConnection) -> None:
    from pymysql.connections import TEXT_TYPES
    from pymysql.constants import FIELD_TYPE

    own = dict.fromkeys((FIELD_TYPE.DATE, FIELD_TYPE.NEWDATE, FIELD_TYPE.DATETIME, FIELD_TYPE.TIME), CalendarText)
    whole = (FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.LONGLONG)
    connection.encoding = _LENIENT
    connection.decoders |= {
        **dict.fromkeys(TEXT_TYPES, _text),
        **own,
        FIELD_TYPE.TIMESTAMP: _instant,
        FIELD_TYPE.BIT: _bits,
        **dict.fromkeys(whole, _whole),
        **dict.fromkeys((FIELD_TYPE.NEWDECIMAL, FIELD_TYPE.DECIMAL), _decimal),
    }


_LENIENT = "fhirmap_lenient"
"""UTF-8 in which bytes that are none become half surrogates: what the driver raises for them ends the reading."""


def _lenient_codec(name: str) -> codecs.CodecInfo | None:
    utf8 = codecs.lookup("utf-8")
    return codecs.CodecInfo(utf8.encode, _decode_leniently, name=_LENIENT) if name == _LENIENT else None


def _decode_leniently(raw: ReadableBuffer, errors: str = "strict", /) -> tuple[str, int]:
    return codecs.utf_8_decode(raw, "surrogateescape" if errors == "strict" else errors, True)


codecs.register(_lenient_codec)


def _text(cell: str | bytes) -> str | bytes:
    """A text, or its bytes where some of them are no UTF-8."""
    if isinstance(cell, bytes) or cell.isascii():
        return cell
    try:
        cell.encode()
    except UnicodeEncodeError:
        return BrokenText(cell.encode("utf-8", "surrogateescape"))
    return cell


def _instant(text: str) -> CalendarText:
    """A `TIMESTAMP` with its offset; the zero one, which is none, as it is."""
    return CalendarText(text if text.startswith("0000") else f"{text}+00:00")


def _bits(data: bytes) -> int:
    return int.from_bytes(data, "big")


class ZeroFilled(int):
    """A number of a column declared `ZEROFILL`: a number like others, shown with its leading zeros."""

    text: str

    def __new__(cls, text: str) -> Self:
        """From what the server shows."""
        self = super().__new__(cls, text)
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text


def _whole(text: str) -> int:
    return ZeroFilled(text) if text.startswith("0") and len(text) > 1 else int(text)


def _decimal(text: str) -> Decimal | int:
    return ZeroFilled(text) if text.startswith("0") and len(text) > 1 and text.isdecimal() else Decimal(text)


class BrokenText(bytes):
    """A text that is no text in its database's encoding, as its bytes."""


def text_or_bytes(raw: bytes) -> str | bytes:
    """Text, or its bytes where it is no UTF-8: one such cell is a fault of its record, not the end of the reading."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return BrokenText(raw)
