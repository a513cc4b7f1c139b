"""The condition by which rows belong to their parents, in each dialect."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from fhirmap.source_plan import Child, ChildKind, RowLayout
from fhirmap.sources.sql_joins import belongs, from_table, type_of
from fhirmap.sources.sql_layout import SqlTableLayout
from fhirmap.sources.sql_rows import SqlNode


def pair(own: object, above: object) -> SqlNode:
    parent = SqlNode(0, RowLayout("A", ()), SqlTableLayout("a", None, {"k": above}), ("k",))
    child = Child(ChildKind.JOIN, "b", "b", RowLayout("B", ()), "b", (("K", "k"),))
    return SqlNode(1, child.shape, SqlTableLayout("b", None, {"K": own}), ("K",), child, parent)


@pytest.mark.parametrize(
    ("dialect", "own", "above", "words"),
    [
        ("postgresql", sa.Integer(), sa.Integer(), "b.k = a.k"),
        ("postgresql", sa.Text(), sa.Integer(), "regexp_replace"),
        ("postgresql", sa.Uuid(), sa.Text(), "lower"),
        ("mariadb", sa.Text(), sa.Integer(), "b.k = a.k"),
        ("sqlite", sa.Text(), sa.Integer(), "b.k = a.k"),
    ],
)
def test_only_postgresql_compares_texts_by_the_other_type(dialect: str, own: object, above: object, words: str) -> None:
    columns, others = {"K": sa.table("b", sa.column("k")).c.k}, {"k": sa.table("a", sa.column("k")).c.k}
    assert words in str(belongs(pair(own, above), columns, others, dialect))


def test_a_table_and_a_query() -> None:
    assert "s.t" in str(sa.select(from_table(SqlTableLayout("t", "s", {"a": None}))))
    query = SqlTableLayout("q", None, {"a": None}, query="SELECT ':a' AS a -- end;")
    assert "SELECT ':a' AS a -- end\n" in str(sa.select(from_table(query)))
    assert type_of(query, "A") is None
