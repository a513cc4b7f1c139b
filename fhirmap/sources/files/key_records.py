"""The records that the rows of a key make: which of its revisions is the current one, and what its lines agree on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import Any, TypeAlias

from fhirmap.data import RawValue
from fhirmap.records import Fault, Record
from fhirmap.runtime.reading import at
from fhirmap.source_plan import Child, ChildKind, SourceColumn, SourcePlan, path_steps
from fhirmap.sources.files.csv_reader import UnreadCell
from fhirmap.sources.files.row_order import RowOrder
from fhirmap.sources.keys import cell_text, revision_column
from fhirmap.sources.revisions import NO_REVISION, Revision, State, number_revision, revision_of

__all__ = ["CellReader", "KeyRecords", "cell_reader", "trimmed_cell"]

CellReader: TypeAlias = Callable[[Mapping[str, Any]], RawValue]
"""What the cells of a row hold at one place."""


def cell_reader(name: str, *, is_tree: bool) -> CellReader:
    """What reads the cell under a name, or what a document holds at a path, of a row: the one item that a filter of a
    path leaves."""
    if not is_tree:
        return itemgetter(name)
    steps = path_steps(name)
    has_filter = any(isinstance(step, tuple) for step in steps)

    def read(cells: Mapping[str, Any]) -> RawValue:
        found = at(cells, steps)
        if not isinstance(found, list):
            return found
        return found[0] if has_filter and len(found) == 1 else found or None

    return read


class KeyRecords:
    """What a plan over files or frames makes of the rows of one key. ``lines``: the children whose rows they are."""

    def __init__(self, plan: SourcePlan) -> None:
        self._plan = plan
        self._is_tree = plan.kind.is_tree
        self._latest = cell_reader(plan.latest.column, is_tree=self._is_tree) if plan.latest else None
        self._revision_column = revision_column(plan)
        self.lines = [child for child in plan.shape.children if child.kind == ChildKind.LINES]

    def revision(self, cells: Mapping[str, Any], *, is_lost: bool = False) -> Revision | None:
        """What distinguishes revisions, comparable; None where they do not count. ``is_lost``: the cells may be another
        row's."""
        if self._latest is None:
            return None
        cell = self._latest(cells)
        if is_lost or isinstance(cell, UnreadCell):
            return NO_REVISION
        if isinstance(cell, Decimal) and cell.is_finite():
            return number_revision(cell)
        text = cell_text(cell)
        if not text and cell is not None and not isinstance(cell, str):
            return NO_REVISION
        return revision_of(text, self._revision_column)

    def faults(self, state: State, *, are_odd: bool) -> Iterator[Fault]:
        """What is wrong with a key, or with the order of its revisions: ``are_odd``, they cannot be compared."""
        if state == "double":
            yield self._fault("FM718", self._plan.key)
        latest = self._plan.latest
        if latest and state != "superseded" and are_odd:
            yield self._fault("FM756", (latest.column,))

    def _fault(self, code: str, names: Sequence[str]) -> Fault:
        table = f"{self._plan.name}." if self._plan.kind.is_sql else ""
        columns = tuple(f"{table}{name}" for name in names)
        return Fault(code, rule="key", args={"columns": ", ".join(names)}, columns=columns)

    def without_key(self, origin: str, faults: tuple[Fault, ...]) -> Record:
        """The record of a line without a key."""
        empty = dict.fromkeys(self._plan.shape.column_names) | {child.key: [] for child in self.lines}
        return Record("", empty, origin, faults)

    def whole(  # noqa: PLR0913 - what is known of the lines
        self,
        key: str,
        rows: Sequence[Mapping[str, Any]],
        origin: str,
        faults: Sequence[Fault],
        *,
        is_old: bool,
        are_odd: bool,
    ) -> Record:
        """The record of a key and revision: what its lines agree on, and the lines. ``faults``: of the lines."""
        found = list(faults)
        values: dict[str, Any] = dict.fromkeys(self._plan.shape.column_names)
        for column in self._plan.shape.columns:
            said = self._said(column, [self._cell(row, column.name) for row in rows])
            if len(said) > 1:
                found.append(_disagreement(column))
            elif said:
                values[column.name] = said[0]
        for child in self.lines:
            order = RowOrder.of_plan(self._plan, child.order)
            sorted_rows = order.sorted(rows, self.cells(order.names)) if child.order else rows
            values[child.key] = [self._line(row, child) for row in sorted_rows]
        found += self.faults("superseded" if is_old else "current", are_odd=are_odd)
        return Record(key, values, origin, tuple(found), is_old)

    def cells(self, names: Sequence[str]) -> Callable[[Mapping[str, Any]], list[RawValue]]:
        """What reads the cells of a row under these names, or at these paths."""
        return lambda row: [self._cell(row, name) for name in names]

    def _cell(self, row: Mapping[str, Any], name: str) -> RawValue:
        return at(row, path_steps(name)) if self._is_tree else row.get(name)

    def _said(self, column: SourceColumn, cells: Sequence[RawValue]) -> list[RawValue]:
        """What the lines say of a column, each once. A text that the map takes for absent says nothing of others. A
        whole number is the same as its digits in a text: a sheet may hold both."""
        held: dict[str, RawValue] = {}
        for cell in cells:
            value = trimmed_cell(cell)
            if value is not None and value != "" and value != []:
                held.setdefault(repr(str(value) if type(value) is int else value), value)
        nulls = (*self._plan.nulls, *column.nulls)
        found = [value for value in held.values() if not (isinstance(value, str) and value in nulls)]
        return found or list(held.values())[:1]

    def _line(self, row: Mapping[str, Any], child: Child) -> Mapping[str, Any]:
        return row if self._is_tree else {column.name: row.get(column.name) for column in child.shape.columns}


def trimmed_cell(cell: RawValue) -> RawValue:
    """A text without blanks around it; any other cell as it is."""
    return cell_text(cell) if isinstance(cell, str) else cell


def _disagreement(column: SourceColumn) -> Fault:
    args = {"column": column.name}
    return Fault(
        "FM720", element=column.element, rule="lines", args=args, position=column.position, columns=(column.name,)
    )
