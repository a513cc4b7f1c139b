"""Statements: children with their parents, keys, revisions, queries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from tests.sources.conftest import Database, columns
from tests.sources.theatre import expected, only, read, theatre, theatre_plan


def test_children_nested_and_looked_up_are_those_of_their_parents(database: Database, prefix: str) -> None:
    data = theatre(database, prefix)
    records = read(database, theatre_plan(prefix))
    assert [only(dict(record.values)) for record in records] == expected(data)
    assert [record.key for record in records] == [str(row["id_op"]) for row in expected(data)]
    assert records[0].origin == f"{prefix}op id_op={records[0].key}"
    assert not any(record.faults or record.superseded for record in records)


@pytest.mark.parametrize("order", [(Order("statut", True), Order("id_patient")), (Order("id_patient", True),)])
def test_any_declared_order_keeps_children_with_their_parents(
    database: Database, prefix: str, order: tuple[Order, ...]
) -> None:
    data = theatre(database, prefix, seed=2)
    records = read(database, replace(theatre_plan(prefix), order=order))
    found = sorted((only(dict(record.values)) for record in records), key=lambda values: values["id_op"])
    assert found == expected(data)
    assert [r.key for r in records] != sorted((r.key for r in records), key=int)


def test_a_query_is_read_as_a_table_is(database: Database, prefix: str) -> None:
    data = theatre(database, prefix, seed=3)
    text = f"SELECT o.* FROM {prefix}op o -- the café's own; 10:30\n;"
    plan = replace(theatre_plan(prefix), kind=SourceKind.QUERY, name="operations.sql", query=text)
    with open_source(database.url, plan) as source:
        assert source.check() == []
        assert source.count() == len(expected(data))
        assert [only(dict(record.values)) for record in source.records()] == expected(data)


def test_only_the_asked_records_are_given(database: Database, prefix: str) -> None:
    data = theatre(database, prefix)
    keys = [str(row["id_op"]) for row in expected(data)][3:9]
    plan = theatre_plan(prefix)
    assert [record.key for record in read(database, plan, [*keys, "999", "x"])] == keys
    query = replace(plan, kind=SourceKind.QUERY, name="q.sql", query=f"SELECT * FROM {prefix}op")
    assert [record.key for record in read(database, query, [*keys, "999", "x"])] == keys
    assert read(database, plan, []) == []


def test_text_keys_that_a_collation_takes_for_equal_stay_apart(database: Database, prefix: str) -> None:
    keys = ["a", "A", "b", "é", "e", "E", "_x", "Z", "10", "9", "ß", "ss", "a b"]
    rows = [{"id": n, "k": key, "rev": 1} for n, key in enumerate(keys)]
    database.fill(
        f"{prefix}doc",
        [
            sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
            sa.Column("k", sa.String(10)),
            sa.Column("rev", sa.Integer()),
        ],
        rows,
    )
    lines = [{"id": n * 10 + m, "doc": n, "v": m} for n in range(len(keys)) for m in range(n % 3)]
    database.fill(
        f"{prefix}line",
        [
            sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
            sa.Column("doc", sa.Integer()),
            sa.Column("v", sa.Integer()),
        ],
        lines,
    )
    child = Child(ChildKind.JOIN, "lines", "lines", RowLayout("L", columns("v")), f"{prefix}line", (("doc", "id"),))
    plan = SourcePlan(SourceKind.TABLE, f"{prefix}doc", ("k",), RowLayout("D", columns("k"), (child,)))
    records = read(database, plan)
    assert sorted(record.key for record in records) == sorted(keys)
    found = {record.key: [line["v"] for line in record.values["lines"]] for record in records}
    assert found == {key: list(range(n % 3)) for n, key in enumerate(keys)}
    assert not any(record.faults for record in records)


def test_the_latest_revision_is_the_record(database: Database, prefix: str) -> None:
    rows: list[dict[str, Any]] = [
        {"k": "1", "maj": "20250101", "v": "old"},
        {"k": "1", "maj": "20250301", "v": "new"},
        {"k": "1", "maj": None, "v": "oldest"},
        {"k": "2", "maj": "20250101", "v": "only"},
        {"k": "3", "maj": "20250101", "v": "twin"},
        {"k": "3", "maj": "20250101", "v": "twin"},
        {"k": None, "maj": "20250101", "v": "lost"},
        {"k": " ", "maj": "20250101", "v": "blank"},
    ]
    database.fill(f"{prefix}doc", [sa.Column(name, sa.String(10)) for name in ("k", "maj", "v")], rows)
    shape = RowLayout("D", columns("k", "v"))
    plan = SourcePlan(SourceKind.TABLE, f"{prefix}doc", ("k",), shape, latest=Order("maj"))
    records = read(database, plan)
    assert sorted((r.key, r.values["v"], r.superseded, *(f.code for f in r.faults)) for r in records) == [
        ("", "blank", False, "FM717"),
        ("", "lost", False, "FM717"),
        ("1", "new", False),
        ("1", "old", True),
        ("1", "oldest", True),
        ("2", "only", False),
        ("3", "twin", False, "FM718"),
        ("3", "twin", False, "FM718"),
    ]
    doubles = read(database, replace(plan, latest=None), ["1", "2"])
    assert [(r.key, [f.code for f in r.faults]) for r in doubles] == [("1", ["FM718"])] * 3 + [("2", [])]


@pytest.mark.parametrize(
    ("key", "rows", "invalid"),
    [
        (("k",), [("A", "x"), ("A ", "x"), (" A", "x"), ("B", "x")], {"A"}),
        (("k",), [("A", "x"), ("A", "x"), (" A", "x"), ("B", "x")], {"A"}),
        (("k", "n"), [("a|b", "c"), ("a", "b|c"), ("a", "c")], {"a|b|c"}),
    ],
)
def test_keys_that_differ_in_the_database_alone_are_doubles(
    database: Database, prefix: str, key: tuple[str, ...], rows: list[tuple[str, str]], invalid: set[str]
) -> None:
    """The first is read before the other is known; the journal takes the last word on a key, which is `invalid`."""
    table = [sa.Column(name, sa.String(10)) for name in ("k", "n")]
    database.fill(f"{prefix}double", table, [{"k": k, "n": n} for k, n in rows])
    records = read(database, SourcePlan(SourceKind.TABLE, f"{prefix}double", key, RowLayout("D", columns("n"))))
    last = {r.key: [f.code for f in r.faults] for r in records}
    assert last == {key: ["FM718"] if key in invalid else [] for key in last}
    assert invalid < set(last)


def test_a_key_of_several_columns(database: Database, prefix: str) -> None:
    pairs = [{"site": site, "no": no, "v": f"{site}{no}"} for site in ("N", "S") for no in (1, 2)]
    key: dict[str, Any] = {"primary_key": True, "autoincrement": False}
    database.fill(
        f"{prefix}op",
        [sa.Column("site", sa.String(3), **key), sa.Column("no", sa.Integer(), **key), sa.Column("v", sa.String(5))],
        pairs,
    )
    database.fill(
        f"{prefix}pose",
        [sa.Column("site", sa.String(3)), sa.Column("no", sa.Integer()), sa.Column("lot", sa.String(9))],
        [{"site": row["site"], "no": row["no"], "lot": row["v"]} for row in pairs for _ in range(2)],
    )
    child = Child(
        ChildKind.JOIN,
        "poses",
        "poses",
        RowLayout("P", columns("lot")),
        f"{prefix}pose",
        (("site", "site"), ("no", "no")),
    )
    plan = SourcePlan(SourceKind.TABLE, f"{prefix}op", ("site", "no"), RowLayout("O", columns("v"), (child,)))
    records = read(database, plan)
    assert [record.key for record in records] == ["N|1", "N|2", "S|1", "S|2"]
    assert all([p["lot"] for p in r.values["poses"]] == [r.values["v"]] * 2 for r in records)
    assert [record.key for record in read(database, plan, ["S|1"])] == ["S|1"]
