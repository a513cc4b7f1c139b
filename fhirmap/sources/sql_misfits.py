"""Columns whose type, as the database has it, is none that the map can read the element from."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from fhirmap.diagnostics import Diagnostic
from fhirmap.source_plan import SourceColumn
from fhirmap.sources.documents import column_and_path
from fhirmap.sources.sql_layout import SqlTableLayout
from fhirmap.sources.sql_types import ColumnKind, is_readable, needs_zone
from fhirmap.texts import Text

__all__ = ["misfits"]

_MAY_HOLD_DOCUMENTS = frozenset((ColumnKind.TEXT, ColumnKind.DOCUMENT, ColumnKind.LIST, ColumnKind.UNKNOWN))


def misfits(
    name: str, table: SqlTableLayout, columns: Collection[SourceColumn], needed: Collection[str], position: str
) -> Iterator[Diagnostic]:
    """Columns that no cell of can be read as the model says (FM772), and zoned ones without a zone (FM771).

    ``name``: what the map calls the table. ``needed``: columns of keys, joins and orders.
    """
    for column in columns:
        yield from _of_column(name, table, column, column.position or position)
    for column_name in dict.fromkeys(needed):
        if table.kinds.get(table.real(column_name) or "") == ColumnKind.LIST:
            args = {"table": name, "column": column_name, "position": position}
            yield Diagnostic("FM772", args=args, variant="key")


def _of_column(name: str, table: SqlTableLayout, column: SourceColumn, position: str) -> Iterator[Diagnostic]:
    found = column_and_path(column.name, table.columns)
    if found is None:
        return
    kind = table.kinds.get(found.column, ColumnKind.UNKNOWN)
    args = {"table": name, "column": column.name, "type": column.type, "position": position}
    is_place = bool(found.steps) and all(isinstance(step, int) for step in found.steps)
    if column.nested or (found.steps and not (kind == ColumnKind.LIST and is_place)):
        if kind not in _MAY_HOLD_DOCUMENTS:
            yield Diagnostic("FM772", args={**args, "column": found.column, "real": _shown(kind)}, variant="document")
        return
    if not column.type:
        return
    if kind == ColumnKind.LIST and not column.repeats and not is_place:
        yield Diagnostic("FM772", args={**args, "real": _shown(kind)}, variant="list")
        return
    held = table.items.get(found.column, ColumnKind.UNKNOWN) if kind == ColumnKind.LIST else kind
    if not is_readable(held, column.type):
        yield Diagnostic("FM772", args={**args, "real": _shown(held)}, variant="items" if held != kind else "")
    elif not column.zone and needs_zone(held, column.type):
        yield Diagnostic("FM771", args=args, variant="column")


def _shown(kind: ColumnKind) -> Text:
    return Text(f"words.columns.{kind.name.lower()}")
