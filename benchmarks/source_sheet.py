"""Workbooks, against python-calamine alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

from benchmarks.sources import Kind

MODELS = """
model Record from sheet 'Poses' key 'id' {
  id    : string  1..1
  seen  : date    1..1
  side  : code    1..1
  count : integer 1..1
  ref   : string  1..1
  lot   : string  1..1
  name  : string  1..1
  site  : string  0..1
}
"""
NAMES = ("id", "seen", "side", "count", "ref", "lot", "name", "site")


def row(number: int) -> tuple[Any, ...]:
    """The cells of a record, under `NAMES`: no two alike, some without a site."""
    return (
        f"OP{number:07}",
        date(2020, 1, 1) + timedelta(days=number % 2000),
        "DG"[number % 2],
        number % 7,
        f"CUP-{number % 97}/{number % 13}",
        f"{(number + 1) * 7919 % 1_000_003:07}",
        f"Cupule cotyloïde {number % 89}",
        "Bloc central" if number % 3 else None,
    )


def write(path: Path, count: int) -> None:
    """A workbook of one sheet."""
    book = xlsxwriter.Workbook(str(path), {"constant_memory": True})
    sheet, day = book.add_worksheet("Poses"), book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_row(0, 0, NAMES)
    for number in range(count):
        for place, cell in enumerate(row(number)):
            if isinstance(cell, date):
                sheet.write_datetime(number + 1, place, cell, day)
            elif cell is not None:
                sheet.write(number + 1, place, cell)
    book.close()


def read(path: Path) -> Iterator[dict[str, Any]]:
    """What a programmer writes: each row under the names of the first."""
    lines = CalamineWorkbook.from_path(path).get_sheet_by_name("Poses").iter_rows()
    names = [str(name) for name in next(lines)]
    for line in lines:
        yield {name: _plain(cell) for name, cell in zip(names, line, strict=True) if cell != ""}


def _plain(cell: object) -> object:
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, float):
        return int(cell)
    return cell.isoformat() if isinstance(cell, date) else cell


KIND = Kind("poses.xlsx", MODELS, write, read, is_whole=True)
