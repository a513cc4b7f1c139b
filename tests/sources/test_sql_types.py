"""Kinds of columns, and which types of a model can be read from them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from fhirmap.sources.sql_types import (
    ColumnKind,
    SqlType,
    is_equal_alike,
    is_readable,
    item_kind_of,
    kind_of,
    needs_zone,
)


@pytest.mark.parametrize(
    ("kind", "dialect", "found"),
    [
        (sa.DateTime(timezone=True), "postgresql", ColumnKind.INSTANT),
        (sa.DateTime(), "postgresql", ColumnKind.LOCAL),
        (mysql.TIMESTAMP(), "mysql", ColumnKind.INSTANT),
        (mysql.DATETIME(), "mysql", ColumnKind.LOCAL),
        (postgresql.BYTEA(), "postgresql", ColumnKind.BINARY),
        (sa.BINARY(16), "mysql", ColumnKind.BINARY),
        (postgresql.ARRAY(sa.Text()), "postgresql", ColumnKind.LIST),
        (postgresql.JSONB(), "postgresql", ColumnKind.DOCUMENT),
        (postgresql.HSTORE(), "postgresql", ColumnKind.DOCUMENT),
        (postgresql.BIT(varying=True), "postgresql", ColumnKind.TEXT),
        (postgresql.DOMAIN("d", sa.Date()), "postgresql", ColumnKind.DATE),
        (sa.Time(timezone=True), "postgresql", ColumnKind.ZONED_TIME),
        (mysql.YEAR(), "mysql", ColumnKind.INTEGER),
        (sa.BLOB(), "sqlite", ColumnKind.UNKNOWN),
        (None, "oracle", ColumnKind.UNKNOWN),
    ],
)
def test_kind_of(kind: SqlType, dialect: str, found: ColumnKind) -> None:
    assert kind_of(kind, dialect) == found


@pytest.mark.parametrize(
    ("kind", "type_name", "readable"),
    [
        (ColumnKind.BINARY, "string", False),
        (ColumnKind.TEXT, "integer", True),
        (ColumnKind.LIST, "string", False),
        (ColumnKind.DATE, "instant", False),
        (ColumnKind.LOCAL, "date", True),
        (ColumnKind.BOOLEAN, "decimal", False),
        (ColumnKind.DOCUMENT, "decimal", True),
        (ColumnKind.UNKNOWN, "time", True),
    ],
)
def test_is_readable(kind: ColumnKind, type_name: str, readable: bool) -> None:
    assert is_readable(kind, type_name) == readable


def test_needs_zone() -> None:
    assert needs_zone(ColumnKind.INSTANT, "date")
    assert needs_zone(ColumnKind.LOCAL, "dateTime")
    assert not needs_zone(ColumnKind.LOCAL, "date")
    assert not needs_zone(ColumnKind.INSTANT, "instant")
    assert not needs_zone(ColumnKind.INSTANT, "string")


def test_is_equal_alike() -> None:
    assert is_equal_alike(sa.Text())
    assert not is_equal_alike(postgresql.CITEXT())
    assert not is_equal_alike(postgresql.INTERVAL())


def test_item_kind_of() -> None:
    assert item_kind_of(postgresql.ARRAY(postgresql.BYTEA())) == ColumnKind.BINARY
    assert item_kind_of(postgresql.DOMAIN("d", postgresql.ARRAY(sa.Date()))) == ColumnKind.DATE
    assert item_kind_of(sa.Text()) == ColumnKind.UNKNOWN
