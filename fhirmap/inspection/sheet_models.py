"""Models of a sheet of a workbook: which rows are titles and totals, which blank cells have the value above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby, islice
from typing import Any, TypeAlias

from fhirmap.data import RawValue
from fhirmap.errors import ConfigError
from fhirmap.inspection.flat_models import FlatColumns, flat_models
from fhirmap.inspection.names import UniqueNames
from fhirmap.inspection.sketch import ModelSketch, store_clause
from fhirmap.source_plan import RowLayout, SourceKind, SourcePlan
from fhirmap.sources.address import Address
from fhirmap.sources.files.names_line import names_line
from fhirmap.sources.files.row_ends import FillDown, begins_with, is_blank
from fhirmap.sources.files.sheet_reader import SheetReader
from fhirmap.sources.files.source_files import FileSet, SourceFile
from fhirmap.sources.names import may_be_shown
from fhirmap.texts import Text

__all__ = ["sheet_models"]

_Rows: TypeAlias = Sequence[Mapping[str, Any]]
_Texts: TypeAlias = Sequence[tuple[int, Sequence[str]]]
"""Numbers of rows and their cells."""
_SAMPLE = 10_000
_TITLES = 50
"""Rows in which the names are looked for."""
_LAST = 5
"""Rows at the end among which a total is looked for."""
_TOTALS = ("TOTAL", "TOTAUX")
"""How a total begins, as it is written into the model: a word of ours, and none of the sheet's cells."""


def sheet_models(
    address: Address, sheet: str | None, name: str | None, zone: str, names: UniqueNames
) -> list[ModelSketch]:
    """The record's model, and that of its lines where a record has several. ``sheet``: its name, or number from 1.

    Raises: ConfigError FM70x, FM757, FM758 (cannot be read), FM750 (no column), FM751 (which sheet?).
    """
    file = FileSet(address).listing().files[0]
    plan = SourcePlan(SourceKind.SHEET, sheet or "", (), RowLayout("", ()), names_line=0)
    reader = SheetReader(file, plan)
    first = _first_rows(reader, file)
    wide = _wide(first)
    place = names_line([texts for _, texts in wide])
    line = 0 if place is None else wide[place][0]
    reader = SheetReader(file, replace(plan, name=reader.sheet().name, names_line=line))
    header = reader.head().names[0 if line else reader.sheet().first_column :]
    names_there = list(dict.fromkeys(column for column in header if column))
    rows, until = _without_total([row.cells for row in islice(reader.rows(names_there), _SAMPLE)])
    first_name = next(iter(names_there), "")
    fill = first_name if may_be_shown(first_name) and _is_filled_down([row.get(first_name) for row in rows]) else None
    if fill is not None:
        rows = _filled(rows, fill)
    columns = FlatColumns.of(address, header, rows, is_typed=True)
    shown = reader.sheet().shown
    store = replace(
        store_clause("sheet", shown, key=(columns.key(),)),
        number=int(shown) if shown != reader.sheet().name else None,
        header=line > 0,
        names_line=line if line > first[0][0] else None,
        fill=(fill,) if fill is not None else (),
        until=until,
    )
    return flat_models(address, name, store, columns, zone, names)


def _first_rows(reader: SheetReader, file: SourceFile) -> _Texts:
    """The first rows of the sheet, once it is known which one is meant."""
    try:
        return reader.first_rows(_TITLES)
    except ConfigError as error:
        entry = error.diagnostic()
        if (entry.code, entry.variant) != ("FM758", "several"):
            raise
        hint = Text("hints.name_one_of", {"names": entry.args["names"]})
        raise ConfigError("FM751", variant="sheet", hint=hint, source=file.shown) from None


def _wide(rows: _Texts) -> _Texts:
    """The rows that fill three of four columns: the names do, titles do not, nor do rows that leave out a key above.

    As many columns count as at least two rows fill.
    """
    widths = [sum(map(bool, texts)) for _, texts in rows]
    widest = max((width for width in widths if widths.count(width) > 1), default=max(widths, default=0))
    return [row for row, width in zip(rows, widths, strict=True) if 4 * width >= 3 * widest]


def _without_total(rows: _Rows) -> tuple[_Rows, str | None]:
    """The rows before a total that is among the last ones, and how it begins."""
    for word in _TOTALS:
        ends = [place for place, row in enumerate(rows) if begins_with(row.values(), word)]
        if ends and ends[0] >= len(rows) - _LAST:
            return rows[: ends[0]], word
    return rows, None


def _is_filled_down(cells: Sequence[RawValue]) -> bool:
    """Is a blank cell meant to have the value above: are the first one filled, many blank, and none there again?"""
    held = [str(cell).strip() for cell in cells if not is_blank(cell)]
    if not held or is_blank(cells[0]) or 5 * len(held) > 4 * len(cells):
        return False
    groups = [value for value, _ in groupby(held)]
    return len(groups) == len(set(groups))


def _filled(rows: _Rows, name: str) -> _Rows:
    fill = FillDown([0])
    return [{**row, name: fill.filled([row[name]])[0]} for row in rows]
