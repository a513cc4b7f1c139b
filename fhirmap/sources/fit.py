"""Which cells of a sample a model's element cannot be read from: asked of the functions that read them in a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fhirmap.data import RawValue
from fhirmap.fhir_types import DATES, INTEGERS
from fhirmap.records import Fault
from fhirmap.runtime.reading import Cell, as_boolean, as_decimal, as_integer, as_text, date_reader

__all__ = ["unread"]


def unread(cell: Cell, raws: Iterable[RawValue]) -> list[RawValue]:
    """Those of ``raws`` that are a fault of their record where ``cell`` describes the element that reads them.

    Example:
        >>> unread(Cell("M.day", "day", "date", ""), ["2025-03-12", "12/03/2025", None])
        ['12/03/2025']
    """
    read = _reader(cell)
    found = []
    for raw in raws:
        faults: list[Fault] = []
        read(raw, faults)
        if any(fault.severity == "error" for fault in faults):
            found.append(raw)
    return found


def _reader(cell: Cell) -> Callable[[RawValue, list[Fault]], object]:
    if cell.type in DATES:
        return date_reader(cell)
    if cell.type == "boolean":
        return lambda raw, faults: as_boolean(raw, cell, faults)
    if cell.type in INTEGERS:
        return lambda raw, faults: as_integer(raw, cell, faults)
    if cell.type == "decimal":
        return lambda raw, faults: as_decimal(raw, cell, faults)
    return lambda raw, faults: as_text(raw, cell, faults)
