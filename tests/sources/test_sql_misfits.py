"""Columns that hold something else than the map reads; those of real tables are in `test_sql_cells`."""

from __future__ import annotations

import pytest

from fhirmap.source_plan import SourceColumn
from fhirmap.sources.sql_layout import SqlTableLayout
from fhirmap.sources.sql_misfits import misfits
from fhirmap.sources.sql_types import ColumnKind

TABLE = SqlTableLayout(
    "T",
    None,
    dict.fromkeys(("list", "doc", "day")),
    kinds={"list": ColumnKind.LIST, "doc": ColumnKind.DOCUMENT, "day": ColumnKind.DATE},
    items={"list": ColumnKind.INSTANT},
)


@pytest.mark.parametrize(
    ("name", "type_name", "repeats", "found"),
    [
        ("list", "string", False, ["FM772 list"]),
        ("list", "string", True, []),
        ("list", "decimal", True, ["FM772 items"]),
        ("list", "dateTime", True, ["FM771 column"]),
        ("list[0]", "string", False, []),
        ("list[0]", "boolean", False, ["FM772 items"]),
        ("list.a", "boolean", False, []),
        ("doc", "date", False, []),
        ("doc.a", "date", False, []),
        ("day.a", "date", False, ["FM772 document"]),
    ],
)
def test_an_element_of_a_list_has_the_type_of_its_items(
    name: str, type_name: str, repeats: bool, found: list[str]
) -> None:
    column = SourceColumn(name, "a.map:1:1", "M.e", type_name, repeats=repeats)
    assert [f"{entry.code} {entry.variant}" for entry in misfits("T", TABLE, [column], (), "")] == found


def test_a_list_is_no_key() -> None:
    assert [entry.variant for entry in misfits("T", TABLE, (), ("list", "day"), "")] == ["key"]
