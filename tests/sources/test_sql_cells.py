"""Cells that Python has no value for, zones of sessions, types of columns: each in its real database."""

# ruff: noqa: E501  SQL of one line a statement

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from fhirmap.inspection.inspection import inspect_source
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources import open_source
from fhirmap.sources.sql_cells import BrokenText, load_as_text
from tests.sources.conftest import Database, columns
from tests.sources.reading import checked, read_all
from tests.sources.theatre import read


def statements(database: Database, *texts: str) -> None:
    with database.engine.begin() as connection:
        for text in texts:
            connection.exec_driver_sql(text)


@pytest.fixture
def table(database: Database, prefix: str) -> Iterator[str]:
    name = f"{prefix}t"
    statements(database, f"DROP TABLE IF EXISTS {name}")
    yield name
    statements(database, f"DROP TABLE IF EXISTS {name}")


POSTGRESQL = pytest.mark.parametrize("database", ["postgresql"], indirect=True)
MARIADB = pytest.mark.parametrize("database", ["mariadb"], indirect=True)
SQLITE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
ZONE = "zone 'Europe/Paris'"


@POSTGRESQL
@pytest.mark.parametrize(
    ("kind", "cell", "element"),
    [
        ("date", "infinity", "date"),
        ("date", "-infinity", "date"),
        ("date", "0044-03-15 BC", "date"),
        ("date", "10025-01-01", "date"),
        ("timestamp", "infinity", f"dateTime 0..1 {ZONE}"),
        ("timestamp", "10025-01-01 10:00", f"dateTime 0..1 {ZONE}"),
        ("timestamptz", "-infinity", f"dateTime 0..1 {ZONE}"),
        ("timestamptz", "0001-01-01 00:00+00 BC", f"date 0..1 {ZONE}"),
        ("time", "24:00", "time"),
        ("timetz", "24:00+02", f"time 0..1 {ZONE}"),
        ("numeric", "NaN", "decimal"),
        ("numeric", "Infinity", "decimal"),
        ("float8", "NaN", "decimal"),
        ("float8", "-Infinity", "string"),
        ("float4", "NaN", "integer"),
    ],
)
def test_a_cell_without_a_value_in_python_is_a_fault_of_its_record(
    database: Database, table: str, kind: str, cell: str, element: str
) -> None:
    if cell.lower() in ("infinity",) and kind == "numeric":
        with database.engine.connect() as connection:
            if connection.exec_driver_sql("SHOW server_version_num").scalar_one() < "140000":
                pytest.skip("PostgreSQL has infinite numbers from 14 on")
    statements(
        database,
        f"CREATE TABLE {table} (id int PRIMARY KEY, c {kind}, other text)",
        f"INSERT INTO {table} VALUES (1, '{cell}', 'x'), (2, NULL, 'y')",
    )
    found = read_all(database.url, table, f"c : {element}\nother : string")
    assert found == [("1", {"other": "x"}, ["FM410 M.c"]), ("2", {"other": "y"}, [])]


@POSTGRESQL
@pytest.mark.parametrize("session", ["UTC", "Europe/Paris", "Pacific/Auckland"])
def test_the_session_s_zone_and_style_change_nothing(
    database: Database, table: str, session: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGTZ", session)
    monkeypatch.setenv("PGDATESTYLE", "German")
    statements(
        database,
        f"CREATE TABLE {table} (id int PRIMARY KEY, c timestamptz, local timestamp, span interval)",
        f"INSERT INTO {table} VALUES (1, '2025-07-14 00:30+02', '2025-07-14 00:30', '1 day 2 hours')",
    )
    elements = f"""day : date from 'c' {ZONE}
        at : dateTime from 'c' {ZONE}
        stamp : instant from 'c' {ZONE}
        local : dateTime {ZONE}
        localDay : date from 'local'
        span : string"""
    assert read_all(database.url, table, elements) == [
        (
            "1",
            {
                "day": "2025-07-14",
                "at": "2025-07-14T00:30:00+02:00",
                "stamp": "2025-07-14T00:30:00+02:00",
                "local": "2025-07-14T00:30:00+02:00",
                "localDay": "2025-07-14",
                "span": "1 day 02:00:00",
            },
            [],
        )
    ]


@MARIADB
@pytest.mark.parametrize("session", ["+00:00", "+11:00"])
def test_a_timestamp_of_mariadb_is_an_instant_whatever_the_session(
    database: Database, table: str, session: str
) -> None:
    statements(
        database,
        f"CREATE TABLE {table} (id int PRIMARY KEY, c timestamp NULL, local datetime)",
        "SET time_zone = '+02:00'",
        f"INSERT INTO {table} VALUES (1, '2025-07-14 00:30', '2025-07-14 00:30')",
    )
    with database.engine.connect() as connection:
        before = connection.exec_driver_sql("SELECT @@GLOBAL.time_zone").scalar_one()
        connection.exec_driver_sql(f"SET GLOBAL time_zone = '{session}'")
    try:
        elements = f"day : date from 'c' {ZONE}\nlocal : dateTime {ZONE}"
        found = read_all(database.url, table, elements)
    finally:
        with database.engine.connect() as connection:
            connection.exec_driver_sql(f"SET GLOBAL time_zone = '{before}'")
    assert found == [("1", {"day": "2025-07-14", "local": "2025-07-14T00:30:00+02:00"}, [])]


@pytest.mark.parametrize(
    ("database", "kind", "element", "codes"),
    [
        ("postgresql", "timestamptz", "date", ["FM771 column"]),
        ("postgresql", "timestamptz", "dateTime", ["FM771 column"]),
        ("postgresql", "timestamptz", "instant", []),
        ("postgresql", "timestamp", "dateTime", ["FM771 column"]),
        ("postgresql", "timestamp", "date", []),
        ("postgresql", "timetz", "time", ["FM771 column"]),
        ("postgresql", "bytea", "string", ["FM772"]),
        ("postgresql", "date", "integer", ["FM772"]),
        ("postgresql", "boolean", "date", ["FM772"]),
        ("postgresql", "text[]", "string", ["FM772 list"]),
        ("postgresql", "text[]", "string 0..*", []),
        ("postgresql", "jsonb", "string", []),
        ("postgresql", "uuid", "string", []),
        ("mariadb", "timestamp", "date", ["FM771 column"]),
        ("mariadb", "datetime", "dateTime", ["FM771 column"]),
        ("mariadb", "datetime", "date", []),
        ("mariadb", "blob", "string", ["FM772"]),
        ("mariadb", "binary(16)", "string", ["FM772"]),
        ("mariadb", "year", "date", []),
        ("mariadb", "bit(1)", "boolean", []),
    ],
    indirect=["database"],
)
def test_declared_and_real_types_are_compared(
    database: Database, table: str, kind: str, element: str, codes: list[str]
) -> None:
    statements(database, f"CREATE TABLE {table} (id int PRIMARY KEY, c {kind})")
    assert checked(database.url, table, f"c : {element}") == codes


@POSTGRESQL
def test_types_of_a_query_are_compared_too(database: Database, table: str) -> None:
    shape = RowLayout("M", (*columns("id"), SourceColumn("c", "a.map:2:3", "M.c", "date")))
    plan = SourcePlan(SourceKind.QUERY, "a.sql", ("id",), shape, query="SELECT 1 AS id, now() AS c")
    with open_source(database.url, plan) as source:
        assert [(entry.code, entry.variant) for entry in source.check()] == [("FM771", "column")]


@POSTGRESQL
def test_an_array_is_no_key(database: Database, table: str) -> None:
    statements(database, f"CREATE TABLE {table} (id text[] PRIMARY KEY, c text)")
    assert checked(database.url, table, "c : string") == ["FM772 key"]


@POSTGRESQL
def test_every_type_of_postgresql(database: Database, table: str) -> None:
    statements(
        database,
        f"DROP TYPE IF EXISTS {table}_side",
        f"CREATE TYPE {table}_side AS ENUM ('G', 'D')",
        f"""CREATE TABLE {table} (id uuid PRIMARY KEY, span interval, host inet, doc jsonb, days daterange, clock timetz,
            f float8, r real, b bit(1), m money, x bytea, side {table}_side, sides {table}_side[], n numeric(8,3), o oid,
            v varchar(5)[])""",
        f"""INSERT INTO {table} VALUES ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '1 day 02:03:04', '10.0.0.1', '{{"a": 1.50}}',
            '[2025-01-01,2025-02-01)', '10:15+02', 70.5, 70.1, '1', '1234.50', '\\x00ff', 'G', '{{G,D}}', 1.500, 7, '{{a}}')""",
    )
    try:
        elements = f"""id : string
            span : string
            host : string
            doc : string
            days : string
            clock : time {ZONE}
            f : decimal
            fText : string from 'f'
            r : decimal
            b : boolean
            m : decimal
            x : string
            side : code
            sides : code 0..*
            n : decimal
            o : integer
            v : string 0..*"""
        [(key, values, faults)] = read_all(database.url, table, elements)
    finally:
        statements(database, f"DROP TABLE {table}", f"DROP TYPE {table}_side", f"CREATE TABLE {table} (id int)")
    assert key == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert faults == ["FM410 M.x"]
    assert {name: str(value) for name, value in values.items()} == {
        "id": key,
        "span": "1 day 02:03:04",
        "host": "10.0.0.1",
        "doc": '{"a": 1.50}',
        "days": "[2025-01-01,2025-02-01)",
        "clock": "10:15:00",
        "f": "70.5",
        "fText": "70.5",
        "r": "70.1",
        "b": "True",
        "m": "1234.50",
        "side": "G",
        "sides": "['G', 'D']",
        "n": "1.500",
        "o": "7",
        "v": "['a']",
    }


@MARIADB
def test_every_type_of_mariadb(database: Database, table: str) -> None:
    statements(
        database,
        f"""CREATE TABLE {table} (id uuid PRIMARY KEY, b bit(1), b8 bit(8), clock time, y year, side enum('G','D'),
            doc json, f double, r float, x blob, n decimal(8,3), flag boolean, d date, s set('a','b'))""",
        f"""INSERT INTO {table} VALUES ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 1, 5, '10:15:00', 2025, 'G', '{{"a": 1}}', 70.5,
            70.1, x'00ff', 1.500, 1, '2025-07-14', 'a,b')""",
    )
    elements = """id : string
        b : boolean
        b8 : integer
        clock : time
        y : integer
        year : date from 'y'
        side : code
        doc : string
        f : decimal
        r : decimal
        x : string
        n : decimal
        flag : boolean
        d : date format 'dd/MM/yyyy'
        s : string"""
    [(key, values, faults)] = read_all(database.url, table, elements)
    assert key == "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
    assert faults == ["FM410 M.x"]
    assert {name: str(value) for name, value in values.items()} == {
        "id": key,
        "b": "True",
        "b8": "5",
        "clock": "10:15:00",
        "y": "2025",
        "year": "2025",
        "side": "G",
        "doc": '{"a": 1}',
        "f": "70.5",
        "r": "70.1",
        "n": "1.500",
        "flag": "True",
        "d": "2025-07-14",
        "s": "a,b",
    }


@MARIADB
def test_zero_dates_and_long_times_are_faults_of_their_records(database: Database, table: str) -> None:
    statements(
        database,
        f"CREATE TABLE {table} (id int PRIMARY KEY, d date, at datetime, ts timestamp NULL, clock time)",
        "SET sql_mode = ''",
        f"INSERT INTO {table} VALUES (1, '0000-00-00', '0000-00-00', '0000-00-00', '35:00:00'),"
        " (2, '2025-00-00', '2025-02-31', NULL, '-01:00:00'), (3, '2025-07-14', NULL, NULL, '10:00')",
    )
    elements = f"d : date\nat : dateTime {ZONE}\nts : dateTime {ZONE}\nclock : time"
    found = read_all(database.url, table, elements)
    assert [faults for _, _, faults in found] == [
        ["FM410 M.d", "FM410 M.at", "FM410 M.ts", "FM410 M.clock"],
        ["FM410 M.d", "FM410 M.at", "FM410 M.clock"],
        [],
    ]
    absent = f"d : date null '0000-00-00'\nat : dateTime {ZONE} null '0000-00-00 00:00:00'"
    assert read_all(database.url, table, absent)[0] == ("1", {}, [])


@SQLITE
def test_any_value_in_any_column_of_sqlite(database: Database, table: str) -> None:
    statements(
        database,
        f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, t TEXT, n INTEGER, r REAL, d DATE)",
        f"INSERT INTO {table} VALUES (1, x'00ff', 'many', 70.5, '2025-07-14'), (2, CAST(x'e9' AS TEXT), 1e300, 9e999, 5),"
        " (3, 'a', 9223372036854775807, 0.1, 'infinity')",
    )
    found = read_all(database.url, table, "t : string\nn : integer\nr : decimal\nd : date")
    assert [(key, faults) for key, _, faults in found] == [
        ("1", ["FM410 M.t", "FM410 M.n"]),
        ("2", ["FM410 M.t", "FM410 M.n", "FM410 M.r", "FM410 M.d"]),
        ("3", ["FM410 M.d"]),
    ]


@SQLITE
def test_a_key_that_is_no_text_is_known_by_its_row(database: Database, table: str) -> None:
    statements(
        database,
        f"CREATE TABLE {table} (id, t TEXT)",
        f"INSERT INTO {table} VALUES ('a', 'x'), (CAST(x'e9' AS TEXT), 'y'), (9e999, 'z'), (NULL, 'w'), (1.5, 'v')",
    )
    found = read_all(database.url, table, "t : string")
    assert sorted((key, faults) for key, _, faults in found) == [
        ("1.5", []),
        ("a", []),
        (f"{table} #1", ["FM717"]),
        (f"{table} #3", ["FM721"]),
        (f"{table} #5", ["FM721"]),
    ]


@POSTGRESQL
@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [
        ("numeric", "NaN", "1"),
        ("float8", "NaN", "Infinity"),
        ("timestamptz", "infinity", "-infinity"),
        ("date", "10025-01-01", "0044-03-15 BC"),
        ("interval", "1 month", "30 days"),
        ("time", "24:00", "00:00"),
        ("uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"),
        ("inet", "10.0.0.1", "10.0.0.0/8"),
        ("jsonb", "[1]", '{"a": null}'),
        ("money", "-1.5", "2"),
        ("int4range", "[1,2)", "[2,4)"),
        ("bytea", "\\x00", "\\xff"),
        ("text collate und_ci", "a", "A"),
    ],
)
def test_such_cells_in_key_join_order_and_revision(
    database: Database, prefix: str, kind: str, first: str, second: str
) -> None:
    parent, child = f"{prefix}p", f"{prefix}c"
    if "und_ci" in kind:
        statements(
            database,
            "CREATE COLLATION IF NOT EXISTS und_ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        )
    statements(
        database,
        f"DROP TABLE IF EXISTS {parent}, {child}",
        f"CREATE TABLE {parent} (k {kind}, v {kind}, name text)",
        f"CREATE TABLE {child} (k {kind}, rank {kind}, lot text)",
        f"INSERT INTO {parent} VALUES ('{first}', '{first}', 'a'), ('{first}', '{second}', 'b'), ('{second}', '{second}', 'c')",
        f"INSERT INTO {child} VALUES ('{first}', '{second}', '1'), ('{first}', '{first}', '2'), ('{second}', '{first}', '3')",
    )
    below = RowLayout("C", columns("lot"))
    join = Child(ChildKind.JOIN, "lots", "lots", below, child, (("k", "k"),), order=(Order("rank"), Order("lot")))
    plan = SourcePlan(
        SourceKind.TABLE, parent, ("name",), RowLayout("P", columns("name", "k", "v"), (join,)), latest=Order("v")
    )
    by_name = read(database, plan)
    by_key = read(database, SourcePlan(SourceKind.TABLE, parent, ("k",), plan.shape, latest=Order("v")))
    ordered = read(database, SourcePlan(SourceKind.TABLE, parent, ("name",), plan.shape, order=(Order("v"),)))
    statements(database, f"DROP TABLE {parent}, {child}")
    lots = {record.key: sorted(line["lot"] for line in record.values["lots"]) for record in by_name}
    are_equal = kind in ("interval", "text collate und_ci")
    assert lots == {"a": ["1", "2"], "b": ["1", "2"], "c": ["3"]}
    assert {fault.code for record in by_name for fault in record.faults} == ({"FM755"} if are_equal else set())
    assert len(by_key) == 3
    if not are_equal:
        # Rows whose key is none are no revisions of one another.
        assert sum(record.superseded for record in by_key) == (0 if first == "NaN" else 1)
    assert len(ordered) == 3


@MARIADB
def test_leading_zeros_of_a_filled_column_are_kept(database: Database, table: str) -> None:
    """They are identifiers; as numbers they are numbers."""
    statements(
        database,
        f"CREATE TABLE {table} (id int(6) ZEROFILL PRIMARY KEY, c bigint(10) ZEROFILL, d decimal(8,0) ZEROFILL, b tinyint(3) ZEROFILL)",
        f"INSERT INTO {table} VALUES (42, 331234567, 12, 1)",
    )
    elements = """c : string
        n : integer64 from 'c'
        d : string
        m : decimal from 'd'
        b : boolean"""
    assert read_all(database.url, table, elements) == [
        ("000042", {"c": "0331234567", "n": 331234567, "d": "00000012", "m": 12, "b": True}, [])
    ]


@pytest.mark.parametrize(
    ("database", "kind", "one", "other", "odd"),
    [
        ("postgresql", "timestamptz", "infinity", "2025-01-01", True),
        ("postgresql", "timestamp", "-infinity", "2025-01-01", True),
        ("postgresql", "date", "10025-01-01", "2025-01-01", True),
        ("postgresql", "date", "0044-03-15 BC", "2025-01-01", True),
        ("postgresql", "date", "2024-01-01", "2025-01-01", False),
        ("postgresql", "numeric", "NaN", "1", True),
        ("postgresql", "float8", "Infinity", "1", True),
        ("postgresql", "int", "9", "10", False),
        ("postgresql", "text", "9", "10", True),
        ("postgresql", "text", "31/12/2024", "02/01/2025", True),
        ("postgresql", "text", "2024-12-31", "2025-01-02", False),
        ("postgresql", "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12", False),
        ("mariadb", "datetime", "0000-00-00", "2025-01-01", True),
        ("mariadb", "date", "2024-01-01", "2025-01-01", False),
        ("mariadb", "varchar(20)", "9", "10", True),
        ("mariadb", "int", "9", "10", False),
        ("sqlite", "text", "0000-00-00", "2025-01-01", True),
        ("sqlite", "text", "31/12/2024", "02/01/2025", True),
        ("sqlite", "blob", "9", 10, True),
        ("sqlite", "int", 9, 10, False),
        ("sqlite", "text", "", "2025-01-01", False),
    ],
    indirect=["database"],
)
def test_revisions_that_cannot_be_compared_are_a_fault(
    database: Database, table: str, kind: str, one: str | int, other: str | int, odd: bool
) -> None:
    quoted = [f"'{value}'" if isinstance(value, str) else value for value in (one, other)]
    statements(
        database,
        *(["SET SESSION sql_mode = ''"] if database.kind == "mariadb" else []),
        f"CREATE TABLE {table} (id int, rev {kind})",
        f"INSERT INTO {table} VALUES (1, {quoted[0]}), (1, {quoted[1]}), (2, {quoted[1]}), (3, NULL), (3, {quoted[1]})",
    )
    plan = SourcePlan(SourceKind.TABLE, table, ("id",), RowLayout("T", columns("id")), latest=Order("rev"))
    records = [record for record in read(database, plan) if not record.superseded]
    assert [(record.key, [fault.code for fault in record.faults]) for record in records] == [
        ("1", ["FM756"] if odd else []),
        ("2", []),
        ("3", []),
    ]


def test_dates_and_numbers_as_people_write_them_in_texts(database: Database, table: str) -> None:
    """The same in a column of text as in a file."""
    cells = {
        "z1": "2025-07-01 10:00:00+01",
        "z2": "2025-07-01 10:00:00 +0100",
        "z3": "2025-07-01 10:00:00Z",
        "m1": "15-MAR-25",
        "m2": "1er mars 2025",
        "m3": "15\u00a0f\u00e9vr. 25",
        "n": "1\u202f234,50",
    }
    columns_of = ", ".join(f"{name} varchar(40)" for name in cells)
    values = ", ".join(f"'{text}'" for text in cells.values())
    statements(database, f"CREATE TABLE {table} (id int, {columns_of})", f"INSERT INTO {table} VALUES (1, {values})")
    elements = """z1 : dateTime 0..1 from 'z1' format 'yyyy-MM-dd HH:mm:ssZ'
        z2 : dateTime from 'z2' format 'yyyy-MM-dd HH:mm:ssZ'
        z3 : dateTime from 'z3' format 'yyyy-MM-dd HH:mm:ssZ'
        m1 : date from 'm1' format 'dd-MMM-yy'
        m2 : date from 'm2' format 'd MMMM yyyy'
        m3 : date from 'm3' format 'd MMM yy'
        n : decimal"""
    extra = "decimal ',' thousands ' '"
    ((_, found, faults),) = read_all(database.url, table, elements, key=f"id' {extra} null 'x")
    assert faults == []
    assert {name: str(value) for name, value in found.items()} == {
        "z1": "2025-07-01T10:00:00+01:00",
        "z2": "2025-07-01T10:00:00+01:00",
        "z3": "2025-07-01T10:00:00Z",
        "m1": "2025-03-15",
        "m2": "2025-03-01",
        "m3": "2025-02-15",
        "n": "1234.50",
    }


@MARIADB
def test_a_text_of_mariadb_that_is_none_is_bytes(database: Database) -> None:
    """The server passes bytes on that a function was given; what the driver raises for them would end the reading."""
    select = "SELECT JSON_UNQUOTE(JSON_ARRAY(x'41ff42')), JSON_UNQUOTE(JSON_ARRAY('café')), x'ff'"
    with database.engine.connect() as connection:
        with pytest.raises(UnicodeDecodeError):
            connection.exec_driver_sql(select)
        connection.invalidate()
    with database.engine.connect() as connection:
        load_as_text(connection)
        broken, text, raw = connection.exec_driver_sql(select).one()
    assert (broken, type(broken)) == (b'["A\xffB"]', BrokenText)
    assert (text, raw) == ('["café"]', b"\xff")


@POSTGRESQL
def test_a_database_without_an_encoding_is_read(database: Database, prefix: str) -> None:
    """Texts that are UTF-8 are texts, those of another encoding are faults of their records."""
    name = f"{prefix}ascii"
    outside = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name}")
        connection.exec_driver_sql(
            f"CREATE DATABASE {name} ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
    url = sa.make_url(database.url).set(database=name)
    own = sa.create_engine(url, poolclass=sa.NullPool, connect_args={"client_encoding": "UTF8"})
    try:
        with own.begin() as connection:
            connection.exec_driver_sql("CREATE TABLE t (id text, lot text, c char(5), v varchar(9), items text[])")
            connection.exec_driver_sql(
                "INSERT INTO t VALUES ('a', E'caf\\351', E'\\351', E'\\351', ARRAY[E'\\351']),"
                " ('b', 'café', 'x', 'y', '{z}'), (E'\\351', 'ok', 'x', 'y', '{z}')"
            )
        shown = url.render_as_string(hide_password=False)
        elements = "lot : string\nc : string\nv : string\nitems : string 0..*"
        found = sorted(read_all(shown, "t", elements))
        assert inspect_source(shown, "t")
    finally:
        own.dispose()
        with outside.connect() as connection:
            connection.exec_driver_sql(f"DROP DATABASE {name}")
    assert found == [
        ("a", {}, ["FM410 M.lot", "FM410 M.c", "FM410 M.v", "FM410 M.items"]),
        ("b", {"lot": "café", "c": "x", "v": "y", "items": ["z"]}, []),
        ("t #3", {"lot": "ok", "c": "x", "v": "y", "items": ["z"]}, ["FM721"]),
    ]
