"""The first rows of a source, as its reader would get them: for a look at what its cells are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from fhirmap.data import RawValue
from fhirmap.runtime.reading import at, parts
from fhirmap.source_plan import AttributeRows, RowLayout, SourceColumn, path_steps

__all__ = ["Sample", "SampledSource", "attribute_name", "cells_of_sample"]


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of one kind. ``table``: what the map calls their table, empty for a file. ``is_tree``: documents.
    ``attributes``: of rows of one attribute each.
    """

    table: str
    shape: RowLayout
    rows: Sequence[Mapping[str, Any]]
    is_tree: bool = False
    attributes: AttributeRows | None = None


@runtime_checkable
class SampledSource(Protocol):
    """A source of which the first rows can be had cheaply, in any order."""

    def samples(self, count: int) -> Iterator[Sample]:
        """Some ``count`` rows of each kind that the plan reads.

        Raises: ConfigError where the place cannot be read.
        """


def cells_of_sample(sample: Sample) -> Iterator[tuple[SourceColumn, list[RawValue]]]:
    """Each column that an element reads as a value, with its cells that are not blank."""
    if sample.attributes is None:
        yield from _cells(sample.shape, sample.rows, sample.is_tree)
        return
    name, value = sample.attributes.name, sample.attributes.value
    for column in sample.attributes.columns:
        held = [{column.name: row.get(value)} for row in sample.rows if attribute_name(row.get(name)) == column.name]
        yield from _cells(RowLayout(sample.shape.model, (column,)), held, is_tree=False)


def attribute_name(cell: RawValue) -> str:
    """The name of an attribute, as a reading takes it from its cell."""
    return "" if cell is None else str(cell).strip()


def _cells(
    shape: RowLayout, rows: Sequence[Mapping[str, Any]], is_tree: bool
) -> Iterator[tuple[SourceColumn, list[RawValue]]]:
    for column in shape.columns:
        held = [at(row, path_steps(column.name)) if is_tree else row.get(column.name) for row in rows]
        if column.below is not None:
            below = [item if isinstance(item, Mapping) else {"value": item} for item in _flat(held) if item is not None]
            yield from _cells(column.below, below, is_tree=True)
        elif column.type:
            if column.split:
                held = [parts(cell, column.split) for cell in held]
            if column.repeats:
                held = _flat(held)
            yield column, [cell for cell in held if not _is_blank(cell) and not isinstance(cell, list | dict)]


def _flat(cells: Sequence[Any]) -> list[Any]:
    return [item for cell in cells for item in (cell if isinstance(cell, list) else [cell])]


def _is_blank(cell: RawValue) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())
