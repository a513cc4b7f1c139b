"""Rows of one statement as nested rows, by functions that are written for it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from fhirmap.errors import ConfigError
from fhirmap.source_plan import Child, ChildKind, RowLayout
from fhirmap.sources.keys import KeyColumn
from fhirmap.sources.sql_layout import SqlTableLayout
from fhirmap.sources.sql_nesting import Groups, record_maker
from fhirmap.sources.sql_rows import Misfit, RecordRows, RowReader, SqlNode, SqlStatement
from tests.sources.conftest import columns

ODD = 'it\'s {a} "column" \\ \n of %s'
SELECT: Any = None
"""Not looked at here."""


def node(number: int, names: tuple[str, ...], parent: SqlNode | None = None, key: str = "") -> SqlNode:
    shape = RowLayout("Row", columns(*names))
    child = Child(ChildKind.JOIN, key, key, shape, key, (("id", "id"),)) if key else None
    made = SqlNode(number, shape, SqlTableLayout(key, None, {}), names, child, parent)
    if parent is not None:
        parent.nodes.append(made)
    return made


def reader_of(
    one: SqlNode, start: int, *below: tuple[str, RowReader], nulls: frozenset[str] = frozenset()
) -> RowReader:
    on = ((start + one.names.index("id"), "id"),) if one.child else ()
    keys = (KeyColumn(nulls),) if on else ()
    end = start + len(one.names)
    return RowReader(one, one.names, start, end, on, keys, bool(one.nodes), below, ())


def with_joined(nulls: frozenset[str] = frozenset()) -> tuple[RowReader, RecordRows]:
    """A row of two cells, then the cells of a joined one."""
    root = node(0, ("id", ODD))
    joined = reader_of(node(1, ("id", "text"), root, ODD), 2, nulls=nulls)
    return replace(reader_of(root, 0), joined=((ODD + "s", joined),)), RecordRows({0: []})


def test_any_name_is_a_name() -> None:
    reader, rows = with_joined()
    wanted = {"id": 1, ODD: "x", ODD + "s": [{"id": 1, "text": "y"}]}
    assert record_maker(reader)((1, "x", 1, "y"), rows) == wanted
    assert rows.by_node == {0: [wanted]}


def test_a_row_that_is_not_there_is_none() -> None:
    reader, rows = with_joined()
    assert record_maker(reader)((1, "x", None, None), rows)[ODD + "s"] == []
    assert rows.left_out == {}


@pytest.mark.parametrize(
    ("above", "own", "nulls", "why"),
    [
        (1, 1, (), None),
        (1, 2, (), Misfit.LETTERS),
        (1, "1", (), None),
        (1, "01", (), Misfit.LETTERS),
        (1, Decimal(1), (), None),
        ("a", "A", (), Misfit.LETTERS),
        ("NULL", "NULL", (), Misfit.WORD),
        (99, 99, ("99",), Misfit.WORD),
        (98, 98, ("99",), None),
    ],
)
def test_rows_are_joined_whose_keys_are_the_same_to_the_letter(
    above: object, own: object, nulls: tuple[str, ...], why: Misfit | None
) -> None:
    reader, rows = with_joined(frozenset(nulls))
    found = record_maker(reader)((above, "x", own, "y"), rows)[ODD + "s"]
    assert found == ([] if why else [{"id": own, "text": "y"}])
    assert [left for _, left in rows.left_out] == ([why] if why else [])


def groups(*rows: tuple[object, ...]) -> Groups:
    """Rows of a child: the record, the join value, the cells."""
    child = node(1, ("id", "text"), node(0, ("id",)), "acts")
    statement = SqlStatement(child, SELECT, slice(0, 1), slice(1, 2), reader_of(child, 2))
    return Groups(statement, iter(rows), "the database")


def test_each_record_gets_its_own_rows_under_each_parent() -> None:
    found = groups((1, 7, 7, "a"), (1, 7, 7, "b"), (1, 8, None, None), (2, 7, 7, "c"))
    parents: list[dict[str, Any]] = [{"id": 7}, {"id": 8}, {"id": 7}]
    found.attach((1,), RecordRows({0: parents}))
    both = [{"id": 7, "text": "a"}, {"id": 7, "text": "b"}]
    assert [parent["acts"] for parent in parents] == [both, [], both]
    second: dict[str, Any] = {"id": 7}
    found.attach((2,), RecordRows({0: [second]}))
    assert second["acts"] == [{"id": 7, "text": "c"}]
    found.finish()


def test_a_row_of_another_key_is_left_out_and_said() -> None:
    found, rows = groups((1, "a", "A", "x"), (1, "a", "a", "y")), RecordRows({0: [{"id": "a"}]})
    found.attach((1,), rows)
    assert rows.by_node[0][0]["acts"] == [{"id": "a", "text": "y"}]
    assert [(number, why) for number, why in rows.left_out] == [(1, Misfit.LETTERS)]


def test_rows_of_a_record_that_is_not_read_are_a_change_of_the_tables() -> None:
    with pytest.raises(ConfigError, match="FM724"):
        groups((2, 7, 7, 7, "a")).attach((1,), RecordRows({0: [{"id": 7}]}))
    found = groups((1, 7, 7, 7, "a"), (2, 7, 7, 7, "b"))
    found.attach((1,), RecordRows({0: [{"id": 7}]}))
    with pytest.raises(ConfigError, match="FM724"):
        found.finish()
