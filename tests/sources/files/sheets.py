"""Workbooks for tests: cells by name, written with xlsxwriter and odfpy; what a reader makes of them."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import xlsxwriter
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import Table, TableCell, TableColumn, TableRow
from odf.text import P

from fhirmap.source_plan import RowLayout, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.sheet_reader import SheetReader
from fhirmap.sources.files.source_files import SourceFile

PLAN = SourcePlan(SourceKind.SHEET, "", ("id",), RowLayout("Row", (SourceColumn("id", "a.map:2:3", "id", "string"),)))
_FORMATS = {date: "dd/mm/yyyy", datetime: "dd/mm/yyyy hh:mm:ss", time: "hh:mm"}

Cells = Mapping[str, Any]
"""By name (`B3`); a `Formula`, or a value."""


@dataclass(frozen=True)
class Formula:
    """``result``: as the program computed it, `#N/A` for an error, None where it did not."""

    text: str
    result: float | str | None


def typed(*columns: tuple[str, str], **changes: Any) -> SourcePlan:
    """The plan of a sheet with the columns and the types of the elements that read them."""
    read = tuple(SourceColumn(name, f"a.map:{line}:3", name, kind) for line, (name, kind) in enumerate(columns, 2))
    return replace(PLAN, shape=RowLayout("Row", read), **changes)


def grid(top: int, rows: Iterable[Any], left: str = "A") -> dict[str, Any]:
    """Cells of rows one below the other, from the row ``top`` on; None for an empty one."""
    return {
        f"{chr(ord(left) + place)}{number}": cell
        for number, row in enumerate(rows, top)
        for place, cell in enumerate(row)
        if cell is not None
    }


def write_xlsx(
    path: Path, sheets: Mapping[str, Cells], then: Callable[[xlsxwriter.Workbook], None] | None = None, **options: Any
) -> Path:
    """A workbook with these sheets. ``then``: what else is done to it before it is written."""
    book = xlsxwriter.Workbook(str(path), options)
    formats = {kind: book.add_format({"num_format": shown}) for kind, shown in _FORMATS.items()}
    for name, cells in sheets.items():
        sheet = book.add_worksheet(name)
        for place, cell in cells.items():
            if isinstance(cell, Formula):
                sheet.write_formula(place, cell.text, None, "" if cell.result is None else cell.result)
            elif isinstance(cell, bool):
                sheet.write_boolean(place, cell)
            elif isinstance(cell, str):
                sheet.write_string(place, cell)
            elif type(cell) in formats:
                sheet.write_datetime(place, cell, formats[type(cell)])
            else:
                sheet.write_number(place, cell)
    if then is not None:
        then(book)
    book.close()
    return path


def ods_cell(value: Any = None, **attributes: Any) -> TableCell:
    """A cell of LibreOffice; of an error, as it writes one."""
    if isinstance(value, Formula):
        if value.result is None:
            return TableCell(formula=value.text, **attributes)
        cell = TableCell(formula=value.text, valuetype="string", stringvalue="", **attributes)
        cell.addElement(P(text=value.result))
        return cell
    if value is None:
        return TableCell(**attributes)
    if isinstance(value, str):
        cell = TableCell(valuetype="string", **attributes)
        cell.addElement(P(text=value))
        return cell
    if isinstance(value, date):
        return TableCell(valuetype="date", datevalue=value.isoformat(), **attributes)
    if isinstance(value, bool):
        return TableCell(valuetype="boolean", booleanvalue=str(value).lower(), **attributes)
    return TableCell(valuetype="float", value=str(value), **attributes)


def write_ods(path: Path, sheets: Mapping[str, Sequence[TableRow | TableColumn]]) -> Path:
    """A workbook of LibreOffice with these rows and columns."""
    document = OpenDocumentSpreadsheet()
    for name, parts in sheets.items():
        table = Table(name=name)
        for part in parts:
            table.addElement(part)
        document.spreadsheet.addElement(table)
    document.save(str(path))
    return path


def ods_row(*cells: Any, **attributes: Any) -> TableRow:
    row = TableRow(**attributes)
    for cell in cells:
        row.addElement(cell if getattr(cell, "qname", None) else ods_cell(cell))
    return row


def reader_of(path: Path, plan: SourcePlan = PLAN) -> SheetReader:
    return SheetReader(SourceFile(path, path.name, str(path)), plan)


def rows_of(path: Path, plan: SourcePlan = PLAN) -> list[FileRow]:
    """All rows, of the columns that the plan reads."""
    reader = reader_of(path, plan)
    names = dict.fromkeys((*plan.key, *(column.name for column in plan.shape.columns)))
    return list(reader.rows(names))


def values_of(path: Path, plan: SourcePlan = PLAN) -> list[tuple[Any, ...]]:
    """The cells of all rows, each row as the names of the plan's columns go."""
    return [tuple(row.cells[column.name] for column in plan.shape.columns) for row in rows_of(path, plan)]


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """The workbook with one part of its archive changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, change(content) if name == part else content)
    return path
