"""The cells of a record by their columns' names, as faults and lineage name them: `POSE_DMI.num_lot`, `devices.lot`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from fhirmap.data import RawValue
from fhirmap.records import Fault
from fhirmap.runtime.cell_text import is_no_value
from fhirmap.runtime.reading import at
from fhirmap.source_plan import ChildKind, RowLayout, SourceKind, SourcePlan, path_steps


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
    if plan.kind.is_tree:
        found = at(values, path_steps(column))
        yield from found if isinstance(found, list) else (found,)
    else:
        yield from _in_rows(plan.shape, plan.name if plan.kind is SourceKind.TABLE else "", values, column)


def _in_rows(layout: RowLayout, table: str, row: Mapping[str, Any], column: str) -> Iterator[RawValue]:
    for entry in layout.columns:
        place = f"{table}.{entry.name}" if table else entry.name
        if column == place:
            yield row.get(entry.name)
        elif entry.nested and column.startswith(f"{place}."):
            found = at(row.get(entry.name), path_steps(column.removeprefix(f"{place}.")))
            yield from found if isinstance(found, list) else (found,)
    for child in layout.children:
        for below in row.get(child.key) or ():
            yield from _in_rows(child.shape, child.table if child.kind is ChildKind.JOIN else table, below, column)
