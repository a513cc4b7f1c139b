"""A column of every type that a database has: a cell of it, what `inspect` makes of it, and what is then read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class TypedColumn:
    """``declared``: the column's SQL type. ``cell``: an SQL literal. ``written``: the element's type, cardinality and
    clauses but for its column, None where it is not read. ``value``: in JSON, decimals as their text.
    """

    declared: str
    cell: str
    written: str | None
    value: Any = None


LOCAL = "zone 'Europe/Paris'"
UUID = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"

POSTGRESQL = (
    TypedColumn("text", "'x'", "string 0..1", "x"),
    TypedColumn("varchar(5)", "'x'", "string 0..1", "x"),
    TypedColumn("char(3)", "'ab'", "string 0..1", "ab"),
    TypedColumn("name", "'x'", "string 0..1", "x"),
    TypedColumn("smallint", "3", "integer 0..1", 3),
    TypedColumn("integer", "3", "integer 0..1", 3),
    TypedColumn("bigint", "3", "integer 0..1", 3),
    TypedColumn("bigint", "5000000000", "string 0..1", "5000000000"),
    TypedColumn("oid", "7", "integer 0..1", 7),
    TypedColumn("numeric(8,3)", "1.5", "decimal 0..1", "1.500"),
    TypedColumn("numeric(8,0)", "12", "integer 0..1", 12),
    TypedColumn("numeric", "12", "decimal 0..1", "12"),
    TypedColumn("real", "70.1", "decimal 0..1", "70.1"),
    TypedColumn("double precision", "70.5", "decimal 0..1", "70.5"),
    TypedColumn("money", "12.50", "decimal 0..1", "12.50"),
    TypedColumn("boolean", "true", "boolean 0..1", True),
    TypedColumn("bit(1)", "'1'", "boolean 0..1", True),
    TypedColumn("bit(8)", "'00000101'", "string 0..1", "00000101"),
    TypedColumn("bit varying", "'1'", "string 0..1", "1"),
    TypedColumn("bit varying(5)", "'101'", "string 0..1", "101"),
    TypedColumn("date", "'2025-07-14'", "date 0..1", "2025-07-14"),
    TypedColumn("timestamp", "'2025-07-14 00:30'", f"dateTime 0..1 {LOCAL}", "2025-07-14T00:30:00+02:00"),
    TypedColumn("timestamp(3)", "'2025-07-14 00:30:00.125'", f"dateTime 0..1 {LOCAL}", "2025-07-14T00:30:00.125+02:00"),
    TypedColumn("timestamptz", "'2025-07-14 00:30+02'", f"dateTime 0..1 {LOCAL}", "2025-07-14T00:30:00+02:00"),
    TypedColumn("time", "'10:15'", "time 0..1", "10:15:00"),
    TypedColumn("timetz", "'10:15+02'", f"time 0..1 {LOCAL}", "10:15:00"),
    TypedColumn("interval", "'1 day'", "string 0..1", "1 day"),
    TypedColumn("uuid", f"'{UUID}'", "string 0..1", UUID),
    TypedColumn("inet", "'10.0.0.1'", "string 0..1", "10.0.0.1"),
    TypedColumn("macaddr", "'08:00:2b:01:02:03'", "string 0..1", "08:00:2b:01:02:03"),
    TypedColumn("daterange", "'[2025-01-01,2025-02-01)'", "string 0..1", "[2025-01-01,2025-02-01)"),
    TypedColumn("xml", "'<a/>'", "string 0..1", "<a/>"),
    TypedColumn("point", "'(1,2)'", "string 0..1", "(1,2)"),
    TypedColumn("tsvector", "'a'", "string 0..1", "'a'"),
    TypedColumn("{p}side", "'G'", "code 0..1", "G"),
    TypedColumn("{p}lot", "'L1'", "string 0..1", "L1"),
    TypedColumn("{p}day", "'2025-07-14'", "date 0..1", "2025-07-14"),
    TypedColumn("bytea", "'\\x00'", None),
    TypedColumn("bytea[]", "ARRAY['\\x00'::bytea]", None),
    TypedColumn("text[]", "'{a,b}'", "string 0..*", ["a", "b"]),
    TypedColumn("text[]", "'{}'", "string 0..*", None),
    TypedColumn("integer[]", "'{1,2}'", "integer 0..*", [1, 2]),
    TypedColumn("numeric[]", "'{1.50}'", "decimal 0..*", ["1.50"]),
    TypedColumn("float8[]", "'{1.5,2}'", "decimal 0..*", ["1.5", "2.0"]),
    TypedColumn("boolean[]", "'{t,f}'", "boolean 0..*", [True, False]),
    TypedColumn("date[]", "'{2025-07-14}'", "date 0..*", ["2025-07-14"]),
    TypedColumn("timestamptz[]", "'{2025-07-14 00:30+02}'", f"dateTime 0..* {LOCAL}", ["2025-07-14T00:30:00+02:00"]),
    TypedColumn("uuid[]", f"'{{{UUID}}}'", "string 0..*", [UUID]),
    TypedColumn("{p}side[]", "'{G,D}'", "code 0..*", ["G", "D"]),
    TypedColumn("{p}lot[]", "'{L1,L2}'", "string 0..*", ["L1", "L2"]),
    TypedColumn("jsonb", "'3'", "integer 0..1", 3),
    TypedColumn("jsonb", "'[1, 2]'", "integer 0..*", [1, 2]),
    TypedColumn("json", '\'["L1", "L2"]\'', "string 0..*", ["L1", "L2"]),
)

MARIADB = (
    TypedColumn("varchar(5)", "'x'", "string 0..1", "x"),
    TypedColumn("char(3)", "'ab'", "string 0..1", "ab"),
    TypedColumn("longtext", "'x'", "string 0..1", "x"),
    TypedColumn("tinyint(4)", "4", "integer 0..1", 4),
    TypedColumn("tinyint(1)", "2", "integer 0..1", 2),
    TypedColumn("boolean", "1", "boolean 0..1", True),
    TypedColumn("mediumint", "5", "integer 0..1", 5),
    TypedColumn("int unsigned", "4000000000", "string 0..1", "4000000000"),
    TypedColumn("bigint unsigned", "18000000000000000000", "string 0..1", "18000000000000000000"),
    TypedColumn("int(6) zerofill", "42", "string 0..1", "000042"),
    TypedColumn("decimal(8,3)", "1.5", "decimal 0..1", "1.500"),
    TypedColumn("decimal(8,0)", "12", "integer 0..1", 12),
    TypedColumn("float", "70.1", "decimal 0..1", "70.1"),
    TypedColumn("double", "70.5", "decimal 0..1", "70.5"),
    TypedColumn("bit(1)", "1", "boolean 0..1", True),
    TypedColumn("bit(8)", "5", "integer 0..1", 5),
    TypedColumn("date", "'2025-07-14'", "date 0..1", "2025-07-14"),
    TypedColumn("datetime", "'2025-07-14 00:30'", f"dateTime 0..1 {LOCAL}", "2025-07-14T00:30:00+02:00"),
    TypedColumn("timestamp NULL", "'2025-07-13 22:30'", f"dateTime 0..1 {LOCAL}", "2025-07-14T00:30:00+02:00"),
    TypedColumn("time", "'10:15'", "time 0..1", "10:15:00"),
    TypedColumn("year", "2025", "date 0..1", "2025"),
    TypedColumn("enum('G','D')", "'G'", "code 0..1", "G"),
    TypedColumn("set('a','b')", "'a,b'", "code 0..* split ','", ["a", "b"]),
    TypedColumn("uuid", f"'{UUID}'", "string 0..1", UUID),
    TypedColumn("inet6", "'::1'", "string 0..1", "::1"),
    TypedColumn("json", "'[1, 2]'", "integer 0..*", [1, 2]),
    TypedColumn("blob", "x'00'", None),
    TypedColumn("binary(4)", "'abcd'", None),
    TypedColumn("varbinary(4)", "'abcd'", None),
    TypedColumn("point", "POINT(1, 2)", None),
)

SQLITE = (
    TypedColumn("TEXT", "'x'", "string 0..1", "x"),
    TypedColumn("TEXT", "'14/07/2025'", "date 0..1 format 'dd/MM/yyyy'", "2025-07-14"),
    TypedColumn("VARCHAR(5)", "'x'", "string 0..1", "x"),
    TypedColumn("INTEGER", "3", "integer 0..1", 3),
    TypedColumn("BIGINT", "5000000000", "string 0..1", "5000000000"),
    TypedColumn("REAL", "1.5", "decimal 0..1", "1.5"),
    TypedColumn("REAL", "2", "decimal 0..1", "2.0"),
    TypedColumn("FLOAT", "1.5", "decimal 0..1", "1.5"),
    TypedColumn("DOUBLE PRECISION", "1.5", "decimal 0..1", "1.5"),
    TypedColumn("DECIMAL(8,3)", "2", "decimal 0..1", "2"),
    TypedColumn("NUMERIC(8,0)", "2", "integer 0..1", 2),
    TypedColumn("BOOLEAN", "1", "boolean 0..1", True),
    TypedColumn("BOOLEAN", "2", "integer 0..1", 2),
    TypedColumn("DATE", "'2025-07-14'", "date 0..1", "2025-07-14"),
    TypedColumn("DATETIME", "'2025-07-14 00:30:00'", f"dateTime 0..1 {LOCAL}", "2025-07-14T00:30:00+02:00"),
    TypedColumn("TIME", "'10:15:00'", "time 0..1", "10:15:00"),
    TypedColumn("JSON", "'[1, 2]'", "integer 0..*", [1, 2]),
    TypedColumn("UUID", f"'{UUID}'", "string 0..1", UUID),
    TypedColumn("", "3", "integer 0..1", 3),
    TypedColumn("", "'x'", "string 0..1", "x"),
    TypedColumn("BLOB", "x'00ff'", None),
    TypedColumn("TEXT", "x'00ff'", None),
)

EVERY_TYPE = {"postgresql": POSTGRESQL, "mariadb": MARIADB, "sqlite": SQLITE}
