"""Rows of a key as lines of one record, and joined queries, in each database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from fhirmap.compilation.maps import compile_map
from fhirmap.errors import ConfigError
from fhirmap.source_plan import Child, ChildKind, Order, RowLayout, SourceKind, SourcePlan
from fhirmap.sources import open_source
from tests.sources.conftest import Database, columns
from tests.sources.theatre import read


def fill(database: Database, prefix: str) -> None:
    number, text = sa.Integer(), sa.String(20)
    database.fill(
        f"{prefix}pose",
        [
            *(sa.Column("id", number), sa.Column("rang", number)),
            *(sa.Column(name, text) for name in ("site", "cote", "lot")),
        ],
        [
            {"id": 1, "site": "A", "cote": "D", "lot": "L2", "rang": 2},
            {"id": 1, "site": "B", "cote": "G", "lot": "L9", "rang": 1},
            {"id": 1, "site": "A", "cote": "D", "lot": "L1", "rang": 1},
            {"id": 2, "site": "A", "cote": "G", "lot": "L3", "rang": 1},
            {"id": 3, "site": "A", "cote": "D", "lot": "L4", "rang": 1},
            {"id": 3, "site": "A", "cote": "G", "lot": "L5", "rang": 2},
        ],
    )


def lines_plan(prefix: str, kind: SourceKind = SourceKind.TABLE) -> SourcePlan:
    query = f"SELECT * FROM {prefix}pose -- all" if kind == SourceKind.QUERY else ""
    name = "poses.sql" if query else f"{prefix}pose"
    lines = Child(
        ChildKind.JOIN,
        "poses",
        "poses",
        RowLayout("Pose", columns("lot")),
        table=name,
        on=(("id", "id"), ("site", "site")),
        order=(Order("rang"),),
        query=query,
    )
    shape = RowLayout("Row", columns("id", "site", "cote"), (lines,))
    return SourcePlan(kind, name, ("id", "site"), shape, query=query, grouped=True)


@pytest.mark.parametrize("kind", [SourceKind.TABLE, SourceKind.QUERY])
def test_the_rows_of_a_key_are_the_lines_of_a_record(kind: SourceKind, database: Database, prefix: str) -> None:
    fill(database, prefix)
    records = read(database, lines_plan(prefix, kind))
    found = {record.key: [line["lot"] for line in record.values["poses"]] for record in records if not record.faults}
    assert found == {"1|A": ["L1", "L2"], "1|B": ["L9"], "2|A": ["L3"]}
    differing = [record for record in records if record.faults]
    assert {record.key for record in differing} == {"3|A"}
    assert {fault.code for record in differing for fault in record.faults} == {"FM754"}


def test_a_where_applies_to_the_lines_too(database: Database, prefix: str) -> None:
    fill(database, prefix)
    plan = lines_plan(prefix)
    (lines,) = plan.shape.children
    where = "rang = 1 -- first"
    plan = replace(plan, where=where, shape=replace(plan.shape, children=(replace(lines, where=where),)))
    found = {record.key: [line["lot"] for line in record.values["poses"]] for record in read(database, plan)}
    assert found == {"1|A": ["L1"], "1|B": ["L9"], "2|A": ["L3"], "3|A": ["L4"]}


def test_some_keys_only(database: Database, prefix: str) -> None:
    fill(database, prefix)
    assert [record.key for record in read(database, lines_plan(prefix), ["2|A"])] == ["2|A"]


def joined_plan(prefix: str, query: str) -> SourcePlan:
    child = Child(
        ChildKind.JOIN,
        "poses",
        "poses",
        RowLayout("Pose", columns("lot")),
        table="poses.sql",
        on=(("numero", "id"), ("lieu", "site")),
        order=(Order("rang"),),
        query=query,
    )
    return SourcePlan(SourceKind.TABLE, f"{prefix}op", ("id", "site"), RowLayout("Op", columns("id", "site"), (child,)))


def test_a_joined_query(database: Database, prefix: str) -> None:
    fill(database, prefix)
    number, text = sa.Integer(), sa.String(20)
    keys: dict[str, Any] = {"primary_key": True, "autoincrement": False}
    operations = [{"id": 1, "site": "A"}, {"id": 1, "site": "B"}, {"id": 9, "site": "A"}]
    database.fill(f"{prefix}op", [sa.Column("id", number, **keys), sa.Column("site", text, **keys)], operations)
    query = f"SELECT id AS numero, site AS lieu, lot, rang FROM {prefix}pose WHERE lot <> 'x:y';"
    found = {r.key: [line["lot"] for line in r.values["poses"]] for r in read(database, joined_plan(prefix, query))}
    assert found == {"1|A": ["L1", "L2"], "1|B": ["L9"], "9|A": []}
    with pytest.raises(ConfigError) as caught:
        read(database, joined_plan(prefix, f"SELECT nothing_here FROM {prefix}pose"))
    assert caught.value.code == "FM715"


INLINE = """model Stay from query "select 1 as id, 'x' as day" key 'id' {{
  day   : date    0..1 from 'day'
  lines : Line    0..* lines
  poses : Pose    0..* join query "select * from {table}" on 'id'
}}
model Line {{
  id : integer 1..1 from 'id'
}}
model Pose {{
  lot : integer 0..1 from '{lot}'
}}
group g(source src : Stay, target tgt) {{
  src.poses as p, p.lot as v -> tgt.lot = v;
}}
"""


def test_a_query_in_the_map_has_the_name_of_what_reads_it(database: Database, prefix: str) -> None:
    """Its whole text says nothing to who reads a fault."""
    fill(database, prefix)
    transformer = compile_map(INLINE.format(table=f"{prefix}pose", lot="lot"))
    assert transformer.store is not None
    with open_source(database.url, transformer.store) as source:
        assert source.check() == []
        [record] = source.records()
        assert (record.key, record.origin) == ("1", "Stay id=1")
        assert set(source.columns()) == {"Stay", "Stay.poses"}
    faults = transformer.read(record.values).faults
    assert [fault.columns for fault in faults] == [("day",), *[("Stay.poses.lot",)] * 3]
    lacking = compile_map(INLINE.format(table=f"{prefix}pose", lot="batch"))
    assert lacking.store is not None
    with open_source(database.url, lacking.store) as source:
        assert [entry.args["table"] for entry in source.check()] == ["Stay.poses"]
