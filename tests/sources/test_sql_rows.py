"""Rows of joins under the rows they belong to: keys that only the database takes for equal never mix records up."""

# ruff: noqa: E501  SQL of one line a statement

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhirmap.records import CalendarText, Record
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from fhirmap.sources.keys import cell_text
from fhirmap.sources.sql_cells import BrokenText, ZeroFilled
from fhirmap.sources.sql_rows import is_same_key, key_text
from tests.sources.conftest import Database, columns
from tests.sources.theatre import read


@pytest.fixture
def run(database: Database, prefix: str) -> Iterator[list[str]]:
    """Statements to run on tables `{o}` (operations), `{p}` (poses) and `{a}` (articles); dropped at the end."""
    names = {"o": f"{prefix}o", "p": f"{prefix}p", "a": f"{prefix}a"}

    class Statements(list[str]):
        def __call__(self, *texts: str) -> None:
            with database.engine.begin() as connection:
                for text in texts:
                    connection.exec_driver_sql(text.format(**names).replace("%", "%%"))

    statements = Statements()
    drop = [f"DROP TABLE IF EXISTS {name}" for name in names.values()]
    statements(*drop)
    yield statements
    statements(*drop)


CI = {
    "sqlite": "varchar(20) COLLATE NOCASE",
    "postgresql": "varchar(20) COLLATE loose",
    "mariadb": "varchar(20) COLLATE utf8mb4_general_ci",
}
EXACT = {"sqlite": "varchar(20)", "postgresql": "varchar(20)", "mariadb": "varchar(20) COLLATE utf8mb4_bin"}
LOOSE = """CREATE COLLATION IF NOT EXISTS loose (provider = icu, locale = 'und-u-ks-level1', deterministic = false)"""


def loose_kind(database: Database) -> str:
    if database.kind == "postgresql":
        with database.engine.begin() as connection:
            connection.exec_driver_sql(LOOSE)
    return CI[database.kind]


def poses_plan(prefix: str, on: str = "code", key: str = "id", kind: SourceKind = SourceKind.TABLE) -> SourcePlan:
    pose = RowLayout("Pose", columns("lot"))
    child = Child(ChildKind.JOIN, "poses", "poses", pose, f"{prefix}p", ((on, on),), order=(Order("lot"),))
    query = f"SELECT * FROM {prefix}o" if kind == SourceKind.QUERY else ""
    return SourcePlan(kind, f"{prefix}o", (key,), RowLayout("O", columns("id"), (child,)), query=query)


def lots(records: list[Record]) -> dict[str, list[str]]:
    return {record.key: [row["lot"] for row in record.values["poses"]] for record in records}


def faulty(records: list[Record]) -> dict[str, list[str]]:
    return {record.key: [fault.code for fault in record.faults] for record in records if record.faults}


@pytest.mark.parametrize("kind", [SourceKind.TABLE, SourceKind.QUERY])
def test_rows_whose_keys_only_the_database_takes_for_equal_are_a_fault(
    database: Database, prefix: str, run: list[str], kind: SourceKind
) -> None:
    loose = loose_kind(database)
    run(  # type: ignore[operator]
        f"CREATE TABLE {{o}} (id int PRIMARY KEY, code {loose})",
        f"CREATE TABLE {{p}} (lot varchar(9), code {loose})",
        "INSERT INTO {o} VALUES (1, 'A'), (2, 'a'), (3, 'B'), (4, 'C')",
        "INSERT INTO {p} VALUES ('L1', 'A'), ('L2', 'a'), ('L3', 'B'), ('L4', 'c')",
    )
    with open_source(database.url, poses_plan(prefix, kind=kind)) as source:
        records = list(source.records())
    assert lots(records) == {"1": ["L1"], "2": ["L2"], "3": ["L3"], "4": []}
    assert faulty(records) == {"1": ["FM755"], "2": ["FM755"], "4": ["FM755"]}
    fault = records[0].faults[0]
    assert fault.columns == (f"{prefix}p.code", f"{prefix}o.code")
    assert "A" not in str(fault.args["columns"])


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("pair", [("é", "e"), ("É", "é"), ("ß", "SS")])
def test_accents_are_part_of_a_key(database: Database, prefix: str, run: list[str], pair: tuple[str, str]) -> None:
    loose = loose_kind(database)
    if database.kind == "mariadb" and "ß" in pair:
        loose = "varchar(20) COLLATE utf8mb4_unicode_ci"
    run(  # type: ignore[operator]
        f"CREATE TABLE {{o}} (id int PRIMARY KEY, code {loose})",
        f"CREATE TABLE {{p}} (lot varchar(9), code {loose})",
        f"INSERT INTO {{o}} VALUES (1, '{pair[0]}'), (2, 'x')",
        f"INSERT INTO {{p}} VALUES ('L1', '{pair[1]}'), ('L2', 'x')",
    )
    records = read(database, poses_plan(prefix))
    assert lots(records) == {"1": [], "2": ["L2"]}
    assert faulty(records) == {"1": ["FM755"]}


@pytest.mark.parametrize("database", ["mariadb", "sqlite"], indirect=True)
def test_blanks_at_the_end_are_part_of_a_key(database: Database, prefix: str, run: list[str]) -> None:
    kind = "varchar(20) COLLATE RTRIM" if database.kind == "sqlite" else "varchar(20)"
    run(  # type: ignore[operator]
        f"CREATE TABLE {{o}} (id int PRIMARY KEY, code {kind})",
        f"CREATE TABLE {{p}} (lot varchar(9), code {kind})",
        "INSERT INTO {o} VALUES (1, 'A'), (2, 'A '), (3, 'B')",
        "INSERT INTO {p} VALUES ('L1', 'A '), ('L3', 'B')",
    )
    records = read(database, poses_plan(prefix))
    assert lots(records) == {"1": [], "2": ["L1"], "3": ["L3"]}
    assert faulty(records) == {"1": ["FM755"]}


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
@pytest.mark.parametrize("kinds", [("char(6)", "varchar(6)"), ("varchar(6)", "char(6)"), ("char(6)", "char(9)")])
def test_the_blanks_that_fill_a_column_of_fixed_length_are_not(
    database: Database, prefix: str, run: list[str], kinds: tuple[str, str]
) -> None:
    run(  # type: ignore[operator]
        f"CREATE TABLE {{o}} (id int PRIMARY KEY, code {kinds[0]})",
        f"CREATE TABLE {{p}} (lot varchar(9), code {kinds[1]})",
        "INSERT INTO {o} VALUES (1, 'A'), (2, 'B')",
        "INSERT INTO {p} VALUES ('L1', 'A'), ('L2', 'B')",
    )
    if database.kind == "mariadb":
        run("SET GLOBAL sql_mode = CONCAT(@@GLOBAL.sql_mode, ',PAD_CHAR_TO_FULL_LENGTH')")  # type: ignore[operator]
    try:
        records = read(database, poses_plan(prefix))
    finally:
        if database.kind == "mariadb":
            run("SET GLOBAL sql_mode = REPLACE(@@GLOBAL.sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', '')")  # type: ignore[operator]
    assert lots(records) == {"1": ["L1"], "2": ["L2"]}
    assert not faulty(records)


@pytest.mark.parametrize("unique", ["", " UNIQUE"])
def test_a_number_is_not_joined_to_a_text_that_is_written_otherwise(
    database: Database, prefix: str, run: list[str], unique: str
) -> None:
    """`'01'` and 1 are compared as numbers; `'1x'` too, in MariaDB."""
    run(  # type: ignore[operator]
        "CREATE TABLE {o} (id int PRIMARY KEY, code int)",
        f"CREATE TABLE {{p}} (lot varchar(9), code varchar(9){unique})",
        "INSERT INTO {o} VALUES (1, 1), (2, 2), (3, 3)",
        "INSERT INTO {p} VALUES ('L1', '1'), ('L2', '01'), ('L3', '2'), ('L4', '03')",
    )
    records = read(database, poses_plan(prefix))
    assert lots(records) == {"1": ["L1"], "2": ["L3"], "3": []}
    assert faulty(records) == {"1": ["FM755"], "3": ["FM755"]}


def test_a_text_is_joined_to_a_number(database: Database, prefix: str, run: list[str]) -> None:
    run(  # type: ignore[operator]
        "CREATE TABLE {o} (id int PRIMARY KEY, code varchar(9))",
        "CREATE TABLE {p} (lot varchar(9), code bigint)",
        "INSERT INTO {o} VALUES (1, '10'), (2, '0'), (3, '03'), (4, 'x')",
        "INSERT INTO {p} VALUES ('L1', 10), ('L2', 0), ('L3', 3)",
    )
    records = read(database, poses_plan(prefix))
    if database.kind == "mariadb":  # 'x' is 0 there
        assert (lots(records)["4"], faulty(records)["4"]) == ([], ["FM755"])
    assert [lots(records)[key] for key in "123"] == [["L1"], ["L2"], []]
    assert faulty(records)["3"] == ["FM755"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("types", [("uuid", "varchar(40)"), ("varchar(40)", "uuid")])
def test_a_text_is_joined_to_a_uuid(database: Database, prefix: str, run: list[str], types: tuple[str, str]) -> None:
    first, second = "0c757873-ec9a-4326-a141-556f43239520", "0c757873-ec9a-4326-a141-556f43239521"
    run(  # type: ignore[operator]
        f"CREATE TABLE {{o}} (id int PRIMARY KEY, code {types[0]})",
        f"CREATE TABLE {{p}} (lot varchar(9), code {types[1]})",
        f"INSERT INTO {{o}} VALUES (1, '{first}'), (2, '{second.upper()}')",
        f"INSERT INTO {{p}} VALUES ('L1', '{first}'), ('L2', '{second.upper()}')",
    )
    records = read(database, poses_plan(prefix))
    assert lots(records) == {"1": ["L1"], "2": []}
    assert faulty(records) == {"2": ["FM755"]}


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("unique", ["", " UNIQUE"])
@pytest.mark.parametrize("types", [("numeric(10)", "text"), ("text", "numeric(10,1)"), ("numeric(10,2)", "varchar(9)")])
def test_a_text_is_joined_to_a_decimal(
    database: Database, prefix: str, run: list[str], types: tuple[str, str], unique: str
) -> None:
    run(  # type: ignore[operator]
        f"CREATE TABLE {{o}} (id int PRIMARY KEY, code {types[0]})",
        f"CREATE TABLE {{p}} (lot varchar(9), code {types[1]}{unique})",
        "INSERT INTO {o} VALUES (1, '10'), (2, '7'), (3, '3')",
        "INSERT INTO {p} VALUES ('L1', '10'), ('L2', '7')",
    )
    records = read(database, poses_plan(prefix))
    assert lots(records) == {"1": ["L1"], "2": ["L2"], "3": []}
    assert not faulty(records)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("types", [("{enum}", "text"), ("varchar(9)", "{enum}"), ("{enum}", "{other}")])
def test_a_value_of_an_enumeration_is_joined_as_its_text(
    database: Database, prefix: str, run: list[str], types: tuple[str, str]
) -> None:
    enum, other = f"{prefix}_side", f"{prefix}_flank"
    one, two = (kind.format(enum=enum, other=other) for kind in types)
    try:
        run(  # type: ignore[operator]
            f"CREATE TYPE {enum} AS ENUM ('left', 'right', 'Left')",
            f"CREATE TYPE {other} AS ENUM ('right', 'left', 'Left')",
            f"CREATE TABLE {{o}} (id int PRIMARY KEY, code {one})",
            f"CREATE TABLE {{p}} (lot varchar(9), code {two})",
            "INSERT INTO {o} VALUES (1, 'right'), (2, 'left'), (3, NULL)",
            "INSERT INTO {p} VALUES ('L1', 'right'), ('L2', 'Left'), ('L3', 'right')",
        )
        records = read(database, poses_plan(prefix))
        assert lots(records) == {"1": ["L1", "L3"], "2": [], "3": []}
        assert not faulty(records)
    finally:
        run(  # type: ignore[operator]
            "DROP TABLE IF EXISTS {o}, {p}", f"DROP TYPE IF EXISTS {enum}, {other}"
        )


def test_a_row_that_is_looked_up_by_another_text_is_a_fault(database: Database, prefix: str, run: list[str]) -> None:
    """A unique column, so that the row is read with its parent; below it, rows of rows."""
    loose = loose_kind(database)
    run(  # type: ignore[operator]
        f"CREATE TABLE {{o}} (id int PRIMARY KEY, code {loose})",
        f"CREATE TABLE {{a}} (code {loose} UNIQUE, ref varchar(9), lot varchar(9))",
        f"CREATE TABLE {{p}} (code {loose}, lot varchar(9))",
        "INSERT INTO {o} VALUES (1, 'A'), (2, 'b')",
        "INSERT INTO {a} VALUES ('A', 'r1', 'k'), ('B', 'r2', 'K')",
        "INSERT INTO {p} VALUES ('k', 'L1'), ('K', 'L2')",
    )
    pose = RowLayout("Pose", columns("lot"))
    below = Child(ChildKind.JOIN, "poses", "poses", pose, f"{prefix}p", (("code", "lot"),))
    article = RowLayout("A", columns("ref"), (below,))
    child = Child(ChildKind.JOIN, "a", "a", article, f"{prefix}a", (("code", "code"),))
    plan = SourcePlan(SourceKind.TABLE, f"{prefix}o", ("id",), RowLayout("O", columns("id"), (child,)))
    records = read(database, plan)
    found = {record.key: [(a["ref"], [p["lot"] for p in a["poses"]]) for a in record.values["a"]] for record in records}
    assert found == {"1": [("r1", ["L1"])], "2": []}
    assert [fault.columns for fault in records[0].faults] == [(f"{prefix}p.code", f"{prefix}a.lot")]
    assert (f"{prefix}a.code", f"{prefix}o.code") in [fault.columns for fault in records[1].faults]


def test_the_exact_text_of_a_column_decides_where_two_columns_differ(
    database: Database, prefix: str, run: list[str]
) -> None:
    """A column that is unique to the letter, looked up by one that is not: two rows may be found for one."""
    loose = loose_kind(database)
    kinds = (
        (loose, EXACT[database.kind])
        if database.kind != "mariadb"
        else ("varchar(20) CHARACTER SET utf8mb4", "varchar(20) CHARACTER SET latin1 COLLATE latin1_bin")
    )
    run(  # type: ignore[operator]
        f"CREATE TABLE {{o}} (id int PRIMARY KEY, code {kinds[0]})",
        f"CREATE TABLE {{p}} (lot varchar(9), code {kinds[1]} UNIQUE)",
        "INSERT INTO {o} VALUES (1, 'A'), (2, 'B')",
        "INSERT INTO {p} VALUES ('L1', 'A'), ('L2', 'a'), ('L3', 'B')",
    )
    records = read(database, poses_plan(prefix))
    assert lots(records) == {"1": ["L1"], "2": ["L3"]}
    assert faulty(records) in ({}, {"1": ["FM755"]})  # where the columns' own comparison is exact, nothing is wrong


@pytest.mark.parametrize("latest", [None, Order("rev")])
def test_lines_of_keys_that_differ_in_letters_alone_are_two_records_at_fault(
    database: Database, prefix: str, run: list[str], latest: Order | None
) -> None:
    loose = loose_kind(database)
    run(  # type: ignore[operator]
        f"CREATE TABLE {{o}} (code {loose}, lot varchar(9), cote {loose}, rev int)",
        "INSERT INTO {o} VALUES ('A', 'L1', 'D', 1), ('a', 'L2', 'D', 1), ('A', 'L3', 'D', 1), ('B', 'L4', 'D', 1), ('C', 'L5', 'D', 1), ('C', 'L6', 'd', 1)",
    )
    name = f"{prefix}o"
    child = Child(
        ChildKind.JOIN,
        "poses",
        "poses",
        RowLayout("P", columns("lot")),
        name,
        (("code", "code"),),
        order=(Order("lot"),),
    )
    plan = SourcePlan(
        SourceKind.TABLE, name, ("code",), RowLayout("O", columns("code", "cote"), (child,)), grouped=True
    )
    records = read(database, plan)
    last = {
        record.key: (sorted({fault.code for fault in record.faults}), [row["lot"] for row in record.values["poses"]])
        for record in records
    }
    assert last == {
        "A": (["FM755"], ["L1", "L3"]),
        "a": (["FM755"], ["L2"]),
        "B": ([], ["L4"]),
        "C": (["FM754"], ["L5", "L6"]),
    }


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_citext_is_compared_to_the_letter(database: Database, prefix: str, run: list[str]) -> None:
    run("CREATE EXTENSION IF NOT EXISTS citext")  # type: ignore[operator]
    run(  # type: ignore[operator]
        "CREATE TABLE {o} (id int PRIMARY KEY, code citext)",
        "CREATE TABLE {p} (lot text, code citext UNIQUE)",
        "INSERT INTO {o} VALUES (1, 'A'), (2, 'B')",
        "INSERT INTO {p} VALUES ('L1', 'a'), ('L2', 'B')",
    )
    records = read(database, poses_plan(prefix))
    assert (lots(records), faulty(records)) == ({"1": [], "2": ["L2"]}, {"1": ["FM755"]})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("A", "A", True),
        ("A", "a", False),
        ("A", "A ", False),
        ("\u00e9", "e\u0301", False),
        (1, "1", True),
        (1, "01", False),
        ("1", "01", False),
        (1, Decimal("1.00"), True),
        (1.5, Decimal("1.50"), True),
        (0.1, Decimal("0.1"), True),
        (9007199254740993, "9007199254740992", False),
        (ZeroFilled("0012"), 12, True),
        (ZeroFilled("0012"), "0012", True),
        (ZeroFilled("0012"), "12", False),
        (b"\x01", b"\x01", True),
        (b"A", "A", True),
        (b"A", "a", False),
        (CalendarText("2025-01-01"), CalendarText("2025-01-01 00:00:00"), True),
        (date(2025, 1, 1), "2025-01-01", True),
    ],
)
def test_is_same_key(one: object, other: object, *, same: bool) -> None:
    assert is_same_key(one, other) is same
    assert is_same_key(other, one) is same


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12, "12"),
        (12.0, "12"),
        (" 007 ", "007"),
        (None, ""),
        (b"\x01", "01"),
        (True, "true"),
        (math.inf, None),
        (Decimal("Infinity"), None),
        (Decimal("NaN"), None),
        (1e15, None),
        ([1], None),
        (BrokenText(b"\xe9"), None),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_key_text(value: object, text: str | None) -> None:
    assert key_text(value) == text


@given(
    st.text()
    | st.integers()
    | st.floats()
    | st.decimals(allow_nan=True, allow_infinity=True, places=3)
    | st.dates()
    | st.datetimes()
)
def test_what_files_hold_too_is_the_same_text_as_a_key(value: str | float | Decimal | date) -> None:
    assert (key_text(value) or "") == cell_text(value)


def test_what_is_a_key_in_a_database_alone() -> None:
    assert [cell_text(value) for value in (True, b"\x01", None)] == ["", "", ""]
    assert [key_text(value) for value in (True, b"\x01", None)] == ["true", "01", ""]
