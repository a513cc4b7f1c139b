"""What has changed since the last reading: no row is lost on a boundary, whatever the column is."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from fhirmap.diagnostics import Diagnostic
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from fhirmap.sources.changes import ChangeColumns, ChangedSource
from tests.sources.conftest import Database, columns

KEY: dict[str, Any] = {"primary_key": True, "autoincrement": False}
OWN = ChangeColumns({"": "maj"})


def fill(database: Database, prefix: str, kind: Any, rows: Sequence[Any], poses: Sequence[Any] = ()) -> None:
    """Operations 1, 2 … with these times; poses of the operation of their place with theirs."""
    number = sa.Integer()
    database.fill(
        f"{prefix}op",
        [sa.Column("id", number, **KEY), sa.Column("v", number), sa.Column("maj", kind)],
        [{"id": n, "v": 0, "maj": value} for n, value in enumerate(rows, 1)],
    )
    database.fill(
        f"{prefix}pose",
        [sa.Column("id", number, **KEY), sa.Column("id_op", number), sa.Column("off", number), sa.Column("maj", kind)],
        [{"id": 10 * n, "id_op": n, "off": 0, "maj": value} for n, value in enumerate(poses, 1)],
    )


def plan(prefix: str, **settings: Any) -> SourcePlan:
    pose = Child(
        ChildKind.JOIN, "poses", "poses", RowLayout("P", columns("id")), f"{prefix}pose", (("id_op", "id"),),
        where="off = 0",
    )  # fmt: skip
    given: dict[str, Any] = {"name": f"{prefix}op", "key": ("id",), **settings}
    return SourcePlan(SourceKind.TABLE, shape=RowLayout("Op", columns("id", "v"), (pose,)), **given)


def write(database: Database, *statements: str, **values: Any) -> None:
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement), values)


def read(
    database: Database, own: SourcePlan, since: Mapping[str, str], by: ChangeColumns = OWN
) -> tuple[list[str], dict[str, str], bool]:
    """The keys that a reading gives, its marks, and whether it is partial."""
    with open_source(database.url, own) as source:
        assert isinstance(source, ChangedSource)
        assert source.check() == []
        assert source.check_changes(by) == []
        with source.changes(by, since) as found:
            return [record.key for record in found.records], dict(found.marks), found.is_partial


def faults(database: Database, own: SourcePlan, by: ChangeColumns = OWN) -> list[Diagnostic]:
    with open_source(database.url, own) as source:
        assert isinstance(source, ChangedSource)
        return source.check_changes(by)


TIMES = {
    "sqlite": sa.String(40),
    "postgresql": sa.TIMESTAMP(),
    "mariadb": sa.DateTime(),
}


def test_rows_of_the_time_of_the_mark_are_read_again(database: Database, prefix: str) -> None:
    """MariaDB's DATETIME has whole seconds: one that is written in the second of the mark has its time."""
    fill(database, prefix, sa.String(40) if database.kind == "sqlite" else sa.DateTime(), [])
    for n, second in enumerate((1, 5, 5), 1):
        write(database, f"INSERT INTO {prefix}op VALUES ({n}, 0, '2026-01-02 10:00:0{second}')")
    keys, marks, is_partial = read(database, plan(prefix), {})
    assert (keys, is_partial) == (["1", "2", "3"], False)
    assert marks[""].startswith("2026-01-02 10:00:05")
    write(database, f"INSERT INTO {prefix}op VALUES (4, 0, '2026-01-02 10:00:05')")
    assert read(database, plan(prefix), marks) == (["2", "3", "4"], marks, True)
    # One that a transaction commits late has an earlier time.
    write(database, f"INSERT INTO {prefix}op VALUES (5, 0, '2026-01-02 09:59:00')")
    assert read(database, plan(prefix), marks, ChangeColumns({"": "maj"}, 65))[0] == ["1", "2", "3", "4", "5"]
    assert read(database, plan(prefix), marks, ChangeColumns({"": "maj"}, 10))[0] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("zoned", [False, True])
def test_fractions_nothing_and_the_future(database: Database, prefix: str, zoned: bool) -> None:
    kinds: dict[str, Any] = {
        "sqlite": sa.String(40),
        "postgresql": sa.TIMESTAMP(timezone=zoned),
        "mariadb": mysql.TIMESTAMP(fsp=6) if zoned else mysql.DATETIME(fsp=6),
    }
    fill(database, prefix, kinds[database.kind], [])
    for n, text in enumerate(("'2026-01-02 10:00:00.000001'", "'2026-01-02 10:00:00.999'", "NULL", "'2037-12-31'"), 1):
        write(database, f"INSERT INTO {prefix}op VALUES ({n}, 0, {text})")
    _, marks, _ = read(database, plan(prefix), {})
    assert ":00:00.999" in marks[""]  # a server may have another zone
    assert read(database, plan(prefix), marks)[0] == ["2", "3", "4"]
    write(database, f"INSERT INTO {prefix}op VALUES (5, 0, '2026-01-02 10:00:01')")
    assert read(database, plan(prefix), marks)[0] == ["2", "3", "4", "5"]


@pytest.mark.parametrize("kind", [sa.Integer(), sa.Numeric(12, 2), sa.BigInteger()])
def test_numbers_of_a_sequence(database: Database, prefix: str, kind: Any) -> None:
    fill(database, prefix, kind, [1, 7, None, 9])
    _, marks, _ = read(database, plan(prefix), {})
    assert read(database, plan(prefix), marks)[0] == ["3", "4"]
    assert read(database, plan(prefix), marks, ChangeColumns({"": "maj"}, 2))[0] == ["2", "3", "4"]
    write(database, f"UPDATE {prefix}op SET maj = 10 WHERE id = 1")
    keys, marks, _ = read(database, plan(prefix), marks)
    assert keys == ["1", "3", "4"]
    # What was read then is no more: a copy was put back.
    write(database, f"UPDATE {prefix}op SET maj = 8 WHERE maj > 8")
    assert read(database, plan(prefix), marks)[1:] == ({"": "8.00" if "." in marks[""] else "8"}, False)


def test_days(database: Database, prefix: str) -> None:
    fill(database, prefix, sa.String(10) if database.kind == "sqlite" else sa.Date(), [])
    for n, day in enumerate(("2026-01-01", "2026-01-02", "2026-01-03"), 1):
        write(database, f"INSERT INTO {prefix}op VALUES ({n}, 0, '{day}')")
    _, marks, _ = read(database, plan(prefix), {})
    assert read(database, plan(prefix), marks)[0] == ["3"]
    assert read(database, plan(prefix), marks, ChangeColumns({"": "maj"}, 60))[0] == ["2", "3"]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_days_among_times(database: Database, prefix: str) -> None:
    fill(database, prefix, sa.String(40), ["2026-01-02 10:00:00"])
    _, marks, _ = read(database, plan(prefix), {})
    write(database, f"INSERT INTO {prefix}op VALUES (2, 0, '2026-01-02'), (3, 0, '2026-01-01')")
    assert read(database, plan(prefix), marks)[0] == ["1", "2"]


def test_a_record_is_read_for_its_children_too(database: Database, prefix: str) -> None:
    fill(database, prefix, sa.Integer(), [1, 2, 3], [1, 2, 3])
    by = ChangeColumns({"": "maj", f"{prefix}pose".upper(): "MAJ"})
    keys, marks, _ = read(database, plan(prefix), {}, by)
    assert keys == ["1", "2", "3"]
    assert read(database, plan(prefix), marks, by)[0] == ["3"]
    # Taken back: the row does not meet the map's condition any more, and the record has one less.
    write(database, f"UPDATE {prefix}pose SET off = 1, maj = 4 WHERE id = 10")
    with open_source(database.url, plan(prefix)) as source:
        assert isinstance(source, ChangedSource)
        with source.changes(by, marks) as found:
            assert [(r.key, len(r.values["poses"])) for r in found.records] == [("1", 0), ("3", 1)]
    # Without the children's column that is not seen.
    assert read(database, plan(prefix), {"": marks[""]})[0] == ["3"]


def test_grandchildren(database: Database, prefix: str) -> None:
    fill(database, prefix, sa.Integer(), [1, 2], [1, 2])
    database.fill(
        f"{prefix}lot",
        [sa.Column("id", sa.Integer(), **KEY), sa.Column("id_pose", sa.Integer()), sa.Column("maj", sa.Integer())],
        [{"id": n, "id_pose": 10 * n, "maj": n} for n in (1, 2)],
    )
    lot = Child(ChildKind.JOIN, "l", "l", RowLayout("L", columns("id")), f"{prefix}lot", (("id_pose", "id"),))
    pose = RowLayout("P", columns("id"), (lot,))
    child = Child(ChildKind.JOIN, "p", "p", pose, f"{prefix}pose", (("id_op", "id"),))
    own = SourcePlan(SourceKind.TABLE, f"{prefix}op", ("id",), RowLayout("Op", columns("id"), (child,)))
    by = ChangeColumns({f"{prefix}lot": "maj"})
    _, marks, _ = read(database, own, {}, by)
    write(database, f"UPDATE {prefix}lot SET maj = 3 WHERE id = 1")
    assert read(database, own, marks, by)[0] == ["1", "2"]


@pytest.mark.parametrize("grouped", [False, True])
def test_all_rows_of_a_key_are_read(database: Database, prefix: str, grouped: bool) -> None:
    """Revisions, doubles and lines: a part of them would be another record."""
    number = sa.Integer()
    cells = [sa.Column("id", number), sa.Column("rev", number), sa.Column("v", number), sa.Column("maj", number)]
    rows = [(1, 1, 5, 1), (1, 2, 5, 9), (2, 1, 6, 2), (None, 1, 7, 3), (3, 1, 8, 9), (3, 1, 8, 1)]
    names = ("id", "rev", "v", "maj")
    database.fill(f"{prefix}r", cells, [dict(zip(names, row, strict=True)) for row in rows])
    more: dict[str, Any]
    if grouped:
        line = RowLayout("L", columns("rev"))
        lines = Child(ChildKind.LINES, "l", "l", line, f"{prefix}r", (("id", "id"),))
        shape, more = RowLayout("R", columns("id", "v"), (lines,)), {"grouped": True}
    else:
        shape, more = RowLayout("R", columns("id", "rev", "v")), {"latest": Order("rev")}
    own = SourcePlan(SourceKind.TABLE, f"{prefix}r", ("id",), shape, **more)
    everything, marks, _ = read(database, own, {})
    assert sorted(everything) == sorted(["", *(("1", "2", "3") if grouped else ("1", "1", "2", "3", "3"))])
    assert sorted(read(database, own, marks)[0]) == (["1", "3"] if grouped else ["1", "1", "3", "3"])
    with open_source(database.url, own) as source:
        assert isinstance(source, ChangedSource)
        with source.changes(OWN, marks) as found:
            whole = {record.key: record for record in source.records() if not record.superseded}
            for record in found.records:
                if not record.superseded:
                    assert record.values == whole[record.key].values
                    assert [fault.code for fault in record.faults] == [f.code for f in whole[record.key].faults]
    # A row without a key is no record, and is said when it is written.
    write(database, f"UPDATE {prefix}r SET maj = 10 WHERE id IS NULL")
    assert "" in read(database, own, marks)[0]


def test_keys_of_two_columns(database: Database, prefix: str) -> None:
    fill(database, prefix, sa.Integer(), [1, 2, 3])
    own = plan(prefix, key=("id", "v"))
    _, marks, _ = read(database, own, {})
    assert read(database, own, marks)[0] == ["3|0"]


def test_a_query(database: Database, prefix: str) -> None:
    fill(database, prefix, sa.Integer(), [1, 2, 3])
    shape = RowLayout("Op", columns("id", "v"))
    text = f"SELECT id, v, maj FROM {prefix}op -- all"
    own = SourcePlan(SourceKind.QUERY, "q", ("id",), shape, query=text)
    if database.kind == "sqlite":
        # A column of a query has no type there, and numbers may be days.
        assert [entry.variant for entry in faults(database, own)] == ["order"]
        return
    _, marks, _ = read(database, own, {})
    assert read(database, own, marks)[0] == ["3"]


def test_an_empty_table_has_no_mark(database: Database, prefix: str) -> None:
    fill(database, prefix, sa.Integer(), [])
    assert read(database, plan(prefix), {}) == ([], {}, False)
    write(database, f"INSERT INTO {prefix}op VALUES (1, 0, NULL)")
    assert read(database, plan(prefix), {})[0] == ["1"]


@pytest.mark.parametrize("mark", ["", "x", "NaN", "2026-01-01", "5"])
def test_a_mark_of_another_kind_counts_for_nothing(database: Database, prefix: str, mark: str) -> None:
    fill(database, prefix, sa.Integer() if mark != "5" else TIMES[database.kind], [])
    write(database, f"INSERT INTO {prefix}op VALUES (1, 0, {'7' if mark != '5' else repr('2026-01-02 10:00:00')})")
    assert read(database, plan(prefix), {"": mark})[::2] == (["1"], False)


@pytest.mark.parametrize("database", ["mariadb", "postgresql"], indirect=True)
@pytest.mark.parametrize("kind", [sa.String(40), sa.Float(), sa.Time(), sa.LargeBinary()])
def test_a_column_without_an_order_by_time_is_refused(database: Database, prefix: str, kind: Any) -> None:
    fill(database, prefix, kind, [])
    (found,) = faults(database, plan(prefix))
    assert (found.code, found.variant, found.args["column"]) == ("FM667", "order", "maj")


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("values", "is_right"),
    [
        (["2026-01-02 10:00:00", "2026-01-02T11:00:00Z", None, "2026-01-02 12:00:00+02:00"], True),
        (["02/01/2026 10:00"], False),
        (["2026-01-02 10:00:00", "hier"], False),
        (["2026-01-02 10:00:00", ""], False),
        (["10:00", "11:00"], False),
        (["now"], False),
        ([20260102, 20260103], False),
        ([2460000.5], False),
    ],
)
def test_texts_of_sqlite(database: Database, prefix: str, values: list[Any], is_right: bool) -> None:
    fill(database, prefix, sa.DateTime(), [])
    for n, value in enumerate(values, 1):
        write(database, f"INSERT INTO {prefix}op VALUES ({n}, 0, :value)", value=value)
    assert [entry.variant for entry in faults(database, plan(prefix))] == ([] if is_right else ["order"])
    if is_right:
        _, marks, _ = read(database, plan(prefix), {})
        # 12:00+02:00 is 10:00Z.
        assert read(database, plan(prefix), marks)[0] == ["2", "3"]


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
def test_the_date_that_is_none_is_read_each_time(database: Database, prefix: str) -> None:
    fill(database, prefix, sa.DateTime(), [])
    with database.engine.begin() as connection:
        connection.exec_driver_sql("SET SESSION sql_mode = ''")
        connection.exec_driver_sql(
            f"INSERT INTO {prefix}op VALUES (1, 0, '0000-00-00'), (2, 0, '2026-01-01'), (3, 0, '2026-01-02')"
        )
    _, marks, _ = read(database, plan(prefix), {})
    assert read(database, plan(prefix), marks)[0] == ["1", "3"]


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("zoned", [False, True])
def test_infinite_times(database: Database, prefix: str, zoned: bool) -> None:
    fill(database, prefix, sa.TIMESTAMP(timezone=zoned), [])
    for n, text in enumerate(("infinity", "-infinity", "2026-01-01", "2026-01-02"), 1):
        write(database, f"INSERT INTO {prefix}op VALUES ({n}, 0, '{text}')")
    _, marks, _ = read(database, plan(prefix), {})
    assert read(database, plan(prefix), marks)[0] == ["1", "2", "4"]


def test_what_is_not_there_is_said(database: Database, prefix: str) -> None:
    fill(database, prefix, sa.Integer(), [])
    (found,) = faults(database, plan(prefix), ChangeColumns({f"{prefix}posse": "maj"}))
    assert (found.code, found.variant, found.meant) == ("FM667", "table", f"{prefix}pose")
    (found,) = faults(database, plan(prefix), ChangeColumns({f"{prefix}pose": "majj"}))
    assert (found.code, found.meant) == ("FM704", "maj")


def test_marks_and_rows_are_of_one_state(database: Database, prefix: str) -> None:
    """What is committed after the mark was taken is read next time."""
    if database.kind == "sqlite":
        with database.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    fill(database, prefix, sa.Integer(), [1, 2])
    with open_source(database.url, plan(prefix)) as source:
        assert isinstance(source, ChangedSource)
        with source.changes(OWN, {}) as found:
            write(database, f"INSERT INTO {prefix}op VALUES (3, 0, 3)")
            assert [record.key for record in found.records] == ["1", "2"]
            marks = found.marks
        with source.changes(OWN, marks) as found:
            assert [record.key for record in found.records] == ["2", "3"]


@pytest.mark.parametrize("database", ["postgresql", "mariadb"], indirect=True)
def test_writers_that_commit_late_lose_no_version(database: Database, prefix: str) -> None:
    """Each takes the time before it waits and commits: rows appear below the mark, within the overlap."""
    count, rounds = 6, 12
    is_server_of_times = database.kind == "postgresql"
    fill(database, prefix, sa.TIMESTAMP() if is_server_of_times else mysql.DATETIME(fsp=6), [])
    now = "clock_timestamp()" if is_server_of_times else "sysdate(6)"
    write(database, *(f"INSERT INTO {prefix}op VALUES ({n}, 0, {now})" for n in range(1, count + 1)))
    written: dict[str, int] = {}

    def keep_writing(key: int) -> None:
        chance = random.Random(key)
        for version in range(1, rounds + 1):
            with database.engine.begin() as connection:
                connection.exec_driver_sql(f"UPDATE {prefix}op SET v = {version}, maj = {now} WHERE id = {key}")
                time.sleep(chance.random() / 20)
            written[str(key)] = version

    writers = [threading.Thread(target=keep_writing, args=(key,)) for key in range(1, count + 1)]
    seen: dict[str, int] = {}
    marks: Mapping[str, str] = {}
    by = ChangeColumns({"": "maj"}, 5)
    partial: list[bool] = []
    with open_source(database.url, plan(prefix)) as source:
        assert isinstance(source, ChangedSource)
        for writer in writers:
            writer.start()
        while True:
            is_last = not any(writer.is_alive() for writer in writers)
            with source.changes(by, marks) as found:
                seen |= {record.key: record.values["v"] for record in found.records}
                partial.append(found.is_partial)
                marks = found.marks
            if is_last:
                break
    assert seen == written == {str(key): rounds for key in range(1, count + 1)}
    assert partial[0] is False and all(partial[1:])


@pytest.mark.parametrize("database", ["mariadb"], indirect=True)
@pytest.mark.parametrize("kind", ["MyISAM", "Aria"])
def test_tables_without_transactions_lose_no_row(database: Database, prefix: str, kind: str) -> None:
    """They have no snapshot: what is written while they are read is seen in part, and whole the next time."""
    fill(database, prefix, sa.Integer(), [1, 2], [1, 2])
    write(database, *(f"ALTER TABLE {prefix}{name} ENGINE = {kind}" for name in ("op", "pose")))
    by = ChangeColumns({"": "maj", f"{prefix}pose": "maj"})
    done: list[bool] = []

    def write_between(connection: sa.Connection, _c: object, statement: str, *_: object) -> None:
        is_reading = connection.engine is not database.engine and "max(" not in statement.lower()
        if is_reading and not done and f"{prefix}pose" in statement:
            done.append(True)
            write(database, f"UPDATE {prefix}op SET v = 7, maj = 3 WHERE id = 1")
            write(database, f"INSERT INTO {prefix}pose VALUES (30, 1, 0, 3)")

    with open_source(database.url, plan(prefix)) as source:
        assert isinstance(source, ChangedSource)
        assert source.check() == []
        sa.event.listen(sa.Engine, "before_cursor_execute", write_between)
        try:
            with source.changes(by, {}) as found:
                first = [record.key for record in found.records]
                marks = found.marks
        finally:
            sa.event.remove(sa.Engine, "before_cursor_execute", write_between)
        assert (first, done) == (["1", "2"], [True])
        with source.changes(by, marks) as found:
            again = {record.key: (record.values["v"], len(record.values["poses"])) for record in found.records}
    assert again["1"] == (7, 2)
