"""Workbooks of Excel and LibreOffice, opened with python-calamine: their sheets, and the one that a plan means."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from lxml import etree
from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    SheetMetadata,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from fhirmap.bounded_files import too_large
from fhirmap.diagnostics import listed
from fhirmap.errors import ConfigError
from fhirmap.source_plan import SourcePlan
from fhirmap.sources import names as naming
from fhirmap.sources.files.packed import check_ratio
from fhirmap.sources.files.sheet_marks import Range, SheetMarks, marks_of
from fhirmap.sources.files.source_files import SourceFile, reading
from fhirmap.sources.shown_names import is_sheet_shown

__all__ = ["MOST_WORKBOOK_BYTES", "OpenSheet", "open_sheet"]

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_CHUNK = 1 << 20
MOST_WORKBOOK_BYTES = 2_000_000_000
"""Of all parts of a workbook, unpacked: some 60 million cells."""
_MOST_CELLS = 60_000_000
"""Of a sheet from its first to its last, the empty ones between them too: each takes some 30 bytes of memory."""
_DAMAGE = (
    CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    etree.XMLSyntaxError,
    struct.error,
    KeyError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)
"""What the libraries raise for a file that is damaged, or has a password."""
_PANIC = "PanicException"
"""What a library in Rust raises where it did not expect what it found: no `Exception`, and of no module."""


@dataclass(frozen=True, slots=True)
class OpenSheet:
    """A sheet that was read. ``shown``: what messages call it, its number where its name may be a patient's.

    ``first_column``: the place of its rows' first cell, from 0.
    """

    name: str
    shown: str
    is_hidden: bool
    cells: CalamineSheet
    first_column: int
    marks: SheetMarks

    @property
    def merged(self) -> Sequence[Range]:
        """Cells that are merged, as far as that is known."""
        return self.cells.merged_cell_ranges or self.marks.merged or ()


def open_sheet(file: SourceFile, plan: SourcePlan) -> OpenSheet:
    """The sheet that the plan means, with all its cells: by name, by number from 1, or the only one with rows.

    Raises: ConfigError FM701; FM702, also for a workbook that is too large unpacked; FM757 where it has a password or
    is damaged, or the sheet is too large; FM758 where the sheet is not there, or the plan does not say which.
    """
    with reading(file), file.open() as opened:
        _check_size(opened)
        try:
            workbook = CalamineWorkbook.from_filelike(opened)
            chosen = _chosen(workbook, file, plan)
            marks = marks_of(opened, chosen.name)
            shown = _shown(workbook, [chosen])[0]
            if marks.area > _MOST_CELLS:
                raise ConfigError("FM757", variant="size", source=file.shown, sheet=shown, count=marks.area)
            cells = workbook.get_sheet_by_name(chosen.name)
        except BaseException as error:
            if not isinstance(error, _DAMAGE) and type(error).__name__ != _PANIC:
                raise
            # Their texts name parts of the file, and may quote them.
            raise ConfigError("FM757", source=file.shown, variant=_variant(opened)) from None
    is_hidden = chosen.visible is not SheetVisibleEnum.Visible
    return OpenSheet(chosen.name, shown, is_hidden, cells, cells.start[1] if cells.start else 0, marks)


def _check_size(opened: IO[bytes]) -> None:
    """Raise ``FileRefused`` for a workbook that is too large unpacked, before anything of it is.

    The library holds its texts whole, and refuses a part that is larger than the archive says.
    """
    packed = opened.seek(0, io.SEEK_END)
    size = packed
    if zipfile.is_zipfile(opened):
        with suppress(*_DAMAGE), zipfile.ZipFile(opened) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
    if size > MOST_WORKBOOK_BYTES:
        raise too_large(MOST_WORKBOOK_BYTES)
    check_ratio(size, packed)
    opened.seek(0)


def _chosen(workbook: CalamineWorkbook, file: SourceFile, plan: SourcePlan) -> SheetMetadata:
    sheets = _sheets(workbook)
    if plan.name:
        found = naming.match(plan.name, sheets)
        if found is None and plan.name.isdecimal() and 0 < int(plan.name) <= len(sheets):
            found = list(sheets)[int(plan.name) - 1]
        if found is None:
            like = naming.like(plan.name, _shown(workbook, sheets.values()))
            raise ConfigError("FM758", source=file.shown, sheet=plan.name, position=plan.position, **like)
        return sheets[found]
    seen = [entry for entry in sheets.values() if entry.visible is SheetVisibleEnum.Visible]
    filled = [entry for entry in seen if workbook.get_sheet_by_name(entry.name).start is not None]
    if len(filled) == 1:
        return filled[0]
    variant = "several" if filled else "empty"
    names = listed(_shown(workbook, filled or sheets.values()))
    count = len(filled)
    raise ConfigError("FM758", variant=variant, source=file.shown, count=count, names=names, position=plan.position)


def _sheets(workbook: CalamineWorkbook) -> dict[str, SheetMetadata]:
    return {entry.name: entry for entry in workbook.sheets_metadata if entry.typ is SheetTypeEnum.WorkSheet}


def _shown(workbook: CalamineWorkbook, sheets: Iterable[SheetMetadata]) -> list[str]:
    """What messages call the sheets: by name, or by number where a patient's may be one."""
    numbers = {name: str(number) for number, name in enumerate(_sheets(workbook), 1)}
    return [entry.name if is_sheet_shown(entry.name) else numbers[entry.name] for entry in sheets]


def _variant(opened: IO[bytes]) -> str:
    """Why a file is no workbook that can be read."""
    opened.seek(0)
    start = opened.read(len(_OLE))
    if start == _OLE:
        return "password" if _has(opened, _ENCRYPTED) else ""
    if not start.startswith(b"PK"):
        return "other"
    with suppress(*_DAMAGE), zipfile.ZipFile(opened) as archive:
        if b"encryption-data" in archive.read("META-INF/manifest.xml"):
            return "password"
    return ""


def _has(opened: IO[bytes], sign: bytes) -> bool:
    tail = b""
    while chunk := opened.read(_CHUNK):
        if sign in tail + chunk:
            return True
        tail = chunk[-len(sign) :]
    return False
