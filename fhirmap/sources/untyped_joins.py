"""Join columns of SQLite without a type: a number in one is never the text of the same digits in the other there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from fhirmap.diagnostics import Diagnostic
from fhirmap.sources.sql_layout import SqlTableLayout
from fhirmap.sources.sql_rows import SqlNode

__all__ = ["untyped_joins"]

_FORMS = (("integer", "text"), ("real", "text"), ("text", "integer"), ("text", "real"))


def untyped_joins(node: SqlNode, connection: sa.Connection) -> Iterator[Diagnostic]:
    """FM775 for each pair of join columns that hold a key once as a number and once as text; nothing of other pairs.

    Source of the rule: SQLite, Datatypes, 4.2: without the affinity of a declared type neither side is converted.
    """
    child, parent = node.child, node.parent
    if child is None or parent is None:
        return
    for own, above in child.on:
        names = node.table.real(own), parent.table.real(above)
        kinds = (table.columns.get(name or "") for table, name in zip((node.table, parent.table), names, strict=True))
        if None in names or not all(isinstance(kind, sa.types.NullType) for kind in kinds):
            continue
        for forms in _FORMS:
            sides = [
                _texts(table, str(name), form)
                for table, name, form in zip((node.table, parent.table), names, forms, strict=True)
            ]
            if connection.execute(sa.intersect(*sides).limit(1)).first() is not None:
                args = {"table": child.table, "column": own, "above": above, "position": child.position}
                yield Diagnostic("FM775", args=args)
                break


def _texts(table: SqlTableLayout, name: str, form: str) -> sa.Select[Any]:
    """The cells of one form in a column, as texts."""
    column: sa.ColumnElement[object] = sa.column(name)
    source = sa.table(table.name, schema=table.schema)
    return sa.select(sa.cast(column, sa.Text)).select_from(source).where(sa.func.typeof(column) == form)
