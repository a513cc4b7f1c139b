"""Rows of a frame, as Arrow has them, as the records of a source plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pyarrow as pa

from fhirmap.data import RawValue
from fhirmap.records import Fault, Record
from fhirmap.source_plan import Child, ChildKind, RowLayout, SourcePlan
from fhirmap.sources.arrow_cells import cell_values
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.key_records import KeyRecords, cell_reader
from fhirmap.sources.files.row_filter import filter_of, is_kept
from fhirmap.sources.files.row_order import RowOrder
from fhirmap.sources.keys import KeyColumn, RecordKeys, join_columns, join_fault
from fhirmap.sources.revisions import Revision, Revisions
from fhirmap.sources.store_rows import join_text

__all__ = ["POSITION", "FrameRows"]

POSITION = "fhirmap_position"
"""The column by which the rows of a key are in the order of their file."""

_Cells: TypeAlias = dict[str, Any]


class FrameRows:
    """The records of a frame: rows under the names of the plan's columns, child rows as lists.

    What is wrong with a record is a fault of it, as in a source. ``names``: of the columns, in their order.
    """

    def __init__(self, plan: SourcePlan, names: Sequence[str]) -> None:
        self._plan = plan
        self._names = names
        self._keys = RecordKeys(plan)
        is_tree = plan.kind.is_tree
        self._key_cells = [cell_reader(name, is_tree=is_tree) for name in plan.key]
        self._made = KeyRecords(plan)
        self._condition = None if plan.kind.is_sql else filter_of(plan)
        asked = self._condition.names if self._condition is not None else ()
        self._asked = [cell_reader(name, is_tree=is_tree) for name in asked]
        self._place = plan.name or plan.shape.model
        self._table = plan.name if plan.kind.is_sql else ""
        self._children = _RowChildren.of(plan, plan.shape, self._place)

    def records(self, parts: Iterable[pa.RecordBatch]) -> Iterator[list[Record]]:
        """The records of rows that are the only ones of their keys, part by part."""
        for part in parts:
            yield [record for row in self._rows(part) for record in self._of_key((row,))]

    def records_by_key(self, parts: Iterable[pa.RecordBatch]) -> Iterator[list[Record]]:
        """The records of rows of which those of one key come one after the other, in their order, after the texts that
        they are a key by. Rows of one key may be in several parts: their records come with the last one."""
        width = len(self._plan.key)
        held: list[_Cells] = []
        held_key: tuple[RawValue, ...] = ()
        for part in parts:
            found: list[Record] = []
            keys = zip(*map(cell_values, part.columns[:width]), strict=True)
            for key, row in zip(keys, self._rows(part, width), strict=True):
                if held and (key != held_key or None in key):
                    found += self._of_key(held)
                    held = []
                held.append(row)
                held_key = key
            yield found
        if held:
            yield list(self._of_key(held))

    def _rows(self, part: pa.RecordBatch, first: int = 0) -> Iterator[_Cells]:
        """The rows of a part by name, from its column ``first`` on."""
        names = self._names[first:]
        for cells in zip(*map(cell_values, part.columns[first:]), strict=True):
            yield dict(zip(names, cells, strict=True))

    def _of_key(self, rows: Iterable[_Cells]) -> Iterator[Record]:
        """The records of the rows of one key, in their order."""
        kept = [row for row in map(self._row, rows) if row is not None]
        if len(kept) == 1 and not self._made.lines:
            (row,) = kept
            faults = (*row.faults, *row.of_joins) if row.faults or row.of_joins else ()
            yield Record(row.key, row.cells, row.origin, faults)
            return
        revisions = Revisions()
        for row in kept:
            if row.key:
                revisions.add(row.key, row.revision)
        if self._made.lines:
            yield from self._whole(kept, revisions)
            return
        for row in kept:
            state = revisions.state(row.key, row.revision) if row.key else "current"
            row.faults += self._made.faults(state, are_odd=revisions.are_odd(row.key))
            yield Record(row.key, row.cells, row.origin, (*row.faults, *row.of_joins), state == "superseded")

    def _row(self, cells: _Cells) -> _FrameRow | None:
        """A row with its key; None where it does not count."""
        faults: list[Fault] = []
        if self._condition is not None:
            row = FileRow(cells, "", 0, faults)
            if not is_kept(self._condition, row, [read(cells) for read in self._asked]):
                return None
        held = [read(cells) for read in self._key_cells]
        parts = list(map(join_text, held))
        key = self._keys.key(parts)
        if not key:
            faults.append(self._keys.fault(parts, self._table, held))
        revision = self._made.revision(cells) if key else None
        found = _FrameRow(key, revision, cells, self._origin(key, parts, cells), faults)
        if self._children is not None:
            self._children.attach((cells,), found.of_joins)
        return found

    def _origin(self, key: str, parts: Sequence[str], cells: _Cells) -> str:
        """Where a row is; without a key by its number, which is the same at each reading of the same partitions."""
        named = ", ".join([f"{name}={part}" for name, part in zip(self._plan.key, parts, strict=True) if part])
        if key:
            return f"{self._place} {named}"
        number = cells.get(POSITION)
        numbered = self._place if number is None else f"{self._place} #{number + 1}"
        return f"{numbered} ({named})" if named else numbered

    def _whole(self, kept: Sequence[_FrameRow], revisions: Revisions) -> Iterator[Record]:
        """The records whose lines the rows are."""
        lines: dict[tuple[str, Revision | None], list[_FrameRow]] = {}
        for row in kept:
            if row.key:
                lines.setdefault((row.key, row.revision), []).append(row)
            else:
                yield self._made.without_key(row.origin, tuple(row.faults))
        for (key, revision), rows in lines.items():
            yield self._made.whole(
                key,
                [row.cells for row in rows],
                rows[0].origin,
                [fault for row in rows for fault in row.faults],
                is_old=self._plan.latest is not None and revisions.state(key, revision) == "superseded",
                are_odd=revisions.are_odd(key),
            )


@dataclass(slots=True)
class _FrameRow:
    """A row with its key, and its revision where these count. ``of_joins``: faults of the rows joined to it."""

    key: str
    revision: Revision | None
    cells: _Cells
    origin: str
    faults: list[Fault]
    of_joins: list[Fault] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _ChildColumn:
    """A column of child rows. ``keys``: the columns above that they are joined by, and what is no key there; ``order``:
    None where they come in it; ``above``: what the table of their parents is called; ``below``: what the rows get in
    turn."""

    child: Child
    keys: tuple[tuple[str, KeyColumn], ...]
    order: RowOrder | None
    above: str
    below: _RowChildren | None


@dataclass(frozen=True, slots=True)
class _RowChildren:
    """The columns of child rows of one kind of row."""

    columns: tuple[_ChildColumn, ...]

    @classmethod
    def of(cls, plan: SourcePlan, layout: RowLayout, place: str) -> _RowChildren | None:
        """Those of ``layout``, whose rows are in ``place``; None where it has none."""
        found = []
        for child in layout.children:
            if child.kind is ChildKind.JOIN:
                store = child.store or plan
                order = RowOrder.of_plan(store, child.order) if _is_sorted_here(store, child) else None
                above = [name for _, name in child.on]
                keys = tuple(zip(above, join_columns(plan, child, layout), strict=True))
                found.append(_ChildColumn(child, keys, order, place, cls.of(store, child.shape, child.table)))
        return cls(tuple(found)) if found else None

    def attach(self, rows: Sequence[_Cells], faults: list[Fault]) -> None:
        """Make the child rows of each of ``rows`` a list in its order; what is wrong with them goes to ``faults``."""
        for column in self.columns:
            key, keys, order, below = column.child.key, column.keys, column.order, column.below
            for row in rows:
                held = row[key]
                if not held:
                    row[key] = []
                    continue
                for name, known in keys:
                    cell = row.get(name)  # texts alone are there: no other key is a word
                    if type(cell) is str and known.is_word(cell.strip()):
                        row[key] = held = []
                        faults.append(join_fault(column.child, column.above, "word"))
                        break
                if order is not None and len(held) > 1:
                    row[key] = held = order.sorted(held, _cells_of(order.names))
                if below is not None:
                    below.attach(held, faults)


def _cells_of(names: Sequence[str]) -> Callable[[_Cells], list[RawValue]]:
    return lambda row: [row.get(name) for name in names]


def _is_sorted_here(plan: SourcePlan, child: Child) -> bool:
    """Has Spark no order for these rows that is the map's? Rows of files have one of their own; it has none that goes
    up and down."""
    return bool(child.order) and (not plan.kind.is_sql or any(entry.descending for entry in child.order))
