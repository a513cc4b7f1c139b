"""When a row belongs to that of its parent, in the SQL of each dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from fhirmap.sources.sql_layout import SqlTableLayout
from fhirmap.sources.sql_rows import SqlNode
from fhirmap.sources.sql_types import SqlType, without_domain

__all__ = ["Cell", "Relation", "belongs", "from_table", "type_of"]

Cell = sa.ColumnElement[Any]
Relation = Any
"""A FromClause, which is generic from SQLAlchemy 2.1 on and is not before."""


def belongs(
    node: SqlNode, columns: Mapping[str, Cell], above: Mapping[str, Cell], dialect: str
) -> sa.ColumnElement[bool]:
    """The rows of ``node`` that belong to those of its parent, whose columns are ``above``; both by the names that the
    map has for them."""
    assert node.child is not None and node.parent is not None
    return sa.and_(
        *(
            _equal(columns[own], type_of(node.table, own), above[name], type_of(node.parent.table, name), dialect)
            for own, name in node.child.on
        )
    )


def _equal(one: Cell, its: SqlType, other: Cell, others: SqlType, dialect: str) -> sa.ColumnElement[bool]:
    """PostgreSQL compares no text with a number, a UUID or a value of an enumeration; the other databases do."""
    if dialect != "postgresql":
        return one == other
    its, others = without_domain(its), without_domain(others)
    if _is_text(its) and _has_text_form(others):
        return _canonical(one, others) == _text_form(other, others)
    if _is_text(others) and _has_text_form(its):
        return _text_form(one, its) == _canonical(other, its)
    if isinstance(its, sa.Enum) and isinstance(others, sa.Enum) and its.name != others.name:
        return _text_form(one, its) == _text_form(other, others)
    return one == other


def type_of(table: SqlTableLayout, name: str) -> SqlType:
    """The type of the column that the map calls ``name``, as it was reflected; None where it is not known."""
    return table.columns.get(table.real(name) or name)


def from_table(table: SqlTableLayout) -> Relation:
    """A table, or the rows of a query."""
    columns: list[Any] = [sa.column(name) for name in table.columns]
    if table.query:
        text = table.query.strip().rstrip(";").replace(":", "\\:") + "\n"
        return sa.text(text).columns(*columns).subquery("q")
    return sa.table(table.name, *columns, schema=table.schema)


def _is_text(kind: SqlType) -> bool:
    return isinstance(kind, sa.String) and not isinstance(kind, sa.Enum)


def _has_text_form(kind: SqlType) -> bool:
    """Is each value of a PostgreSQL type that is no text written in one way, which a text may have?"""
    is_number = isinstance(kind, sa.Integer) or (isinstance(kind, sa.Numeric) and not isinstance(kind, sa.Float))
    return is_number or isinstance(kind, sa.Uuid | sa.Enum)


def _text_form(column: Cell, kind: SqlType) -> Cell:
    text = sa.cast(column, sa.Text)
    return sa.func.regexp_replace(text, r"\.0+$", "") if isinstance(kind, sa.Numeric) else text


def _canonical(text: Cell, other: SqlType) -> Cell:
    """A text as PostgreSQL writes the number, the UUID or the value of an enumeration that it may be, so that it is
    found, and then compared to the letter as everywhere else."""
    trimmed = sa.func.trim(text)
    if isinstance(other, sa.Uuid):
        return sa.func.lower(trimmed)
    return trimmed if isinstance(other, sa.Enum) else sa.func.regexp_replace(trimmed, r"^0+(?=\d)", "")
