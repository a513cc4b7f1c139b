"""Rows of a frame, as Arrow has them, as the records of a source plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from fhirmap.data import RawValue
from fhirmap.records import Fault, Record
from fhirmap.runtime.reading import at
from fhirmap.source_plan import RowLayout, SourcePlan, path_steps
from fhirmap.sources.arrow_cells import cell_values
from fhirmap.sources.keys import RecordKeys
from fhirmap.sources.store_rows import join_text

__all__ = ["FrameRows"]

_Cells: TypeAlias = dict[str, Any]


class FrameRows:
    """The records of a frame whose rows are one record each: columns under the names of the plan, child rows as lists.

    What is wrong with a record is a fault of it, as in a source.
    """

    def __init__(self, plan: SourcePlan) -> None:
        self._plan = plan
        self._keys = RecordKeys(plan)
        self._steps = [path_steps(name) for name in plan.key] if plan.kind.is_tree else []
        self._place = plan.name or plan.shape.model
        self._table = plan.name if plan.kind.is_sql else ""

    def records(self, batch: pa.RecordBatch) -> Iterator[Record]:
        """A record for each row."""
        names = batch.schema.names
        for cells in zip(*map(cell_values, batch.columns), strict=True):
            row = dict(zip(names, cells, strict=True))
            _list_children(self._plan.shape, (row,))
            yield self._record(row)

    def _record(self, row: _Cells) -> Record:
        held = [at(row, steps) for steps in self._steps] or [row.get(name) for name in self._plan.key]
        parts = list(map(join_text, held))
        key = self._keys.key(parts)
        faults: tuple[Fault, ...] = () if key else (self._keys.fault(parts, self._table, held),)
        return Record(key, row, self._origin(parts), faults)

    def _origin(self, parts: Sequence[str]) -> str:
        named = ", ".join(f"{name}={part}" for name, part in zip(self._plan.key, parts, strict=True) if part)
        return f"{self._place} {named}".rstrip()


def _list_children(layout: RowLayout, rows: Sequence[_Cells]) -> None:
    """Put an empty list where a row has no child rows: Spark has a null there."""
    for child in layout.children:
        for row in rows:
            below: RawValue = row[child.key]
            if below is None:
                row[child.key] = []
            else:
                _list_children(child.shape, below)
