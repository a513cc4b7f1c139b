"""The cells of a record by their columns' names, as faults and lineage name them: `POSE_DMI.num_lot`, `devices.lot`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fhirmap.data import RawValue
from fhirmap.records import Fault
from fhirmap.runtime.cell_text import is_no_value
from fhirmap.runtime.reading import at
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourceKind, SourcePlan, path_steps


def on_blank_columns(fault: Fault, plan: SourcePlan, values: Mapping[str, Any]) -> Fault:
    """``fault`` of a value that is missing, on the columns that are blank where others of its value are not.

    A value of two columns, an identity number and its key, is missing where one of them is: that one is to be filled.
    """
    if fault.rule != "required" or len(fault.columns) < 2:
        return fault
    cells = {column: list(cells_of(plan, values, column)) for column in fault.columns}
    if any(len(found) > 1 for found in cells.values()):
        return fault  # of several rows, which one is not known here
    blank = tuple(column for column, found in cells.items() if all(map(_is_blank, found)))
    return replace(fault, columns=blank) if blank and len(blank) < len(fault.columns) else fault


def _is_blank(cell: RawValue) -> bool:
    return cell is None or (isinstance(cell, str) and (not cell.strip() or is_no_value(cell.strip())))


def cells_of(plan: SourcePlan, values: Mapping[str, Any], column: str) -> Iterator[RawValue]:
    """The cells of a column in a record, one for each of its rows."""
    is_flat = any(child.kind is ChildKind.LINES for child in plan.shape.children)
    rows = _Rows(plan, plan.name if plan.kind is SourceKind.TABLE else "", plan.kind.is_tree and not is_flat)
    found = list(rows.cells(plan.shape, values, column))
    if not found and plan.kind.is_tree:
        found = list(_listed(at(values, path_steps(column))))
    yield from found


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of one kind. ``table``: what comes in front of their columns; ``is_tree``: are they documents, which paths
    lead into?"""

    plan: SourcePlan
    table: str
    is_tree: bool

    def cells(self, layout: RowLayout, row: Mapping[str, Any], column: str) -> Iterator[RawValue]:
        """The cells of ``column`` in a row and those below it."""
        for child in layout.children:
            below = self._below(child)
            for inner in row.get(child.key) or ():
                yield from below.cells(child.shape, inner, column)
        own = column.removeprefix(f"{self.table}.") if self.table else column
        if self.table and own == column:
            return
        for entry in layout.columns:
            if own == entry.name:
                yield from _listed(at(row, path_steps(own)) if self.is_tree else row.get(own))
                return
            if entry.nested and own.startswith(f"{entry.name}."):
                rest = path_steps(own.removeprefix(f"{entry.name}."))
                held = at(row, path_steps(entry.name)) if self.is_tree else row.get(entry.name)
                yield from _listed(at(held, rest))
                return

    def _below(self, child: Child) -> _Rows:
        if child.store is not None:
            return _Rows(child.store, child.table, child.store.kind.is_tree)
        table = child.table if child.kind is ChildKind.JOIN else self.table
        return _Rows(self.plan, table, self.plan.kind.is_tree)


def _listed(found: RawValue) -> tuple[RawValue, ...]:
    return tuple(found) if isinstance(found, list) else (found,)
