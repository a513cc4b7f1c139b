"""What the file of a sheet says beside the values of its cells: errors, formulas without a result, what is hidden.

The library that reads the values gives an empty text for a cell with `#N/A`, as for one with nothing, and knows no
hidden rows. So the sheet's own XML is looked at (`.xlsx`, `.xlsm`, `.ods`): first for the words that all this needs,
and only where one is there, as a whole. The binary formats (`.xls`, `.xlsb`) are not: `SheetMarks.is_known` says so.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Literal, cast

from lxml import etree

__all__ = ["Range", "SheetMarks", "marks_of"]

Range = tuple[tuple[int, int], tuple[int, int]]
"""First and last row and column of cells, from 0."""

_CHUNK = 1 << 20
_LONGEST_SIGN = 16
_XLSX_SIGNS = (b"hidden", b'"e"', b"'e'", b"<f", b"<v>-")
_ODS_SIGNS = (b"visibility", b"formula", b"spanned", b'"error"', b"line-break", b"text:tab")
_ERROR = re.compile(r"\s*(?:#[\w/]+\s?[!?]?|Err\s?:[0-9]+)\s*")
_CELL = re.compile(r"[A-Z]{1,3}[0-9]{1,7}")
_DIMENSION = re.compile(rb"""<dimension\s+ref=["']([A-Z]{1,3}[0-9]{1,7}):([A-Z]{1,3}[0-9]{1,7})["']""")
_START = 1 << 14
_MOST_REPEATS = 10_000
"""As how many a repeated row or cell counts at most: programs repeat empty ones to the end of the sheet."""


@dataclass(slots=True)
class SheetMarks:
    """Rows and columns from 0, as the sheet counts them.

    ``unread``: by row, the columns of cells whose value cannot be read; `formula` for a formula without a result,
    `break` for a text whose parts would be read as one, else empty. ``hidden_rows``: those that hold something.
    ``merged``: None where the library that reads the values knows. ``area``: the cells from the first to the last, 0
    where the file does not say. ``is_known``: False for a file of which none of this is known. ``negative``: by row,
    the columns of numbers below zero: of one that is shown as a date or time, the library gives another time.
    """

    unread: dict[int, dict[int, str]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    merged: list[Range] | None = None
    area: int = 0
    is_known: bool = True
    negative: dict[int, set[int]] = field(default_factory=dict)

    def _add(self, row: int, column: int, variant: str) -> None:
        self.unread.setdefault(row, {})[column] = variant


def marks_of(file: IO[bytes], sheet: str) -> SheetMarks:
    """The marks of the sheet of that name in a workbook.

    Raises: zipfile.BadZipFile, KeyError, ValueError, etree.XMLSyntaxError where the file is damaged.
    """
    file.seek(0)
    if not zipfile.is_zipfile(file):
        return SheetMarks(is_known=False)
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        if "content.xml" in names:
            return _ods_marks(archive, sheet)
        part = _sheet_part(archive, names, sheet)
        return _xlsx_marks(archive, part) if part else SheetMarks(is_known=False)


def _has_sign(part: IO[bytes], signs: tuple[bytes, ...], root: bytes) -> bool:
    """Is one of the signs in the file, or is it written so that they would look otherwise (a prefix, UTF-16)?"""
    tail, is_first = b"", True
    while chunk := part.read(_CHUNK):
        if is_first and root not in chunk:
            return True
        is_first = False
        text = tail + chunk
        # Of a sign that begins with a rare letter, that letter is missed at once.
        if any(sign[:1] in text and sign in text for sign in signs):
            return True
        tail = text[-_LONGEST_SIGN:]
    return False


# --- Office Open XML -------------------------------------------------------------------------------------------------

_UNCOMPUTED = etree.XPath(
    "*[local-name()='c'][@t='e'] | *[local-name()='c'][*[local-name()='f']][not(*[local-name()='v']/text())]"
)
_BELOW_ZERO = etree.XPath("*[local-name()='c'][not(@t) or @t='n'][starts-with(*[local-name()='v'], '-')]")
_IS_FILLED = etree.XPath("boolean(*[local-name()='c']/*)")
_BEFORE = etree.XPath("count(preceding-sibling::*)")


def _sheet_part(archive: zipfile.ZipFile, names: set[str], sheet: str) -> str:
    """The path of the sheet's XML; empty in a binary workbook."""
    book = next((part for _, kind, part in _parts(archive, "_rels/.rels") if kind.endswith("/officeDocument")), "")
    if not book or book.endswith(".bin"):
        return ""
    folder, _, name = book.rpartition("/")
    parts = {identifier: part for identifier, _, part in _parts(archive, f"{folder}/_rels/{name}.rels".lstrip("/"))}
    for entry in _parsed(archive, book).iter("{*}sheet"):
        if entry.get("name") == sheet:
            part = next((parts.get(str(value), "") for name, value in entry.items() if str(name).endswith("}id")), "")
            return part if part in names else ""
    return ""


def _parts(archive: zipfile.ZipFile, relations: str) -> Iterator[tuple[str, str, str]]:
    """The identifier, type and path of each part that a part of the archive refers to."""
    folder = posixpath.dirname(posixpath.dirname(relations))
    for relation in _parsed(archive, relations).iter("{*}Relationship"):
        target = relation.get("Target") or ""
        path = target[1:] if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        yield relation.get("Id") or "", relation.get("Type") or "", path


def _parsed(archive: zipfile.ZipFile, name: str) -> etree._Element:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(archive.read(name), parser)


def _xlsx_marks(archive: zipfile.ZipFile, part: str) -> SheetMarks:
    with archive.open(part) as opened:
        found = SheetMarks(area=_area(opened.read(_START)))
    with archive.open(part) as opened:
        if not _has_sign(opened, _XLSX_SIGNS, b"<worksheet"):
            return found
    with archive.open(part) as opened:
        number = -1
        for element in _elements(opened, ("{*}row", "{*}col")):
            if etree.QName(element).localname == "col":
                if _is_true(element.get("hidden")):
                    found.hidden_columns.update(range(int(element.get("min", 1)) - 1, int(element.get("max", 1))))
                continue
            number = int(element.get("r") or number + 2) - 1
            if _is_true(element.get("hidden")) and _IS_FILLED(element):
                found.hidden_rows.add(number)
            for cell in _cells(element):
                # A formula whose result is a text is marked as one, the empty text included.
                if cell.get("t") != "str":
                    found._add(number, _column(cell), "" if cell.get("t") == "e" else "formula")
            for cell in cast(list[etree._Element], _BELOW_ZERO(element)):
                found.negative.setdefault(number, set()).add(_column(cell))
    return found


def _cells(row: etree._Element) -> list[etree._Element]:
    """The cells that may have no value."""
    return cast(list[etree._Element], _UNCOMPUTED(row))


def _is_true(text: str | None) -> bool:
    return text in ("1", "true")


def _area(start: bytes) -> int:
    """How many cells a sheet says that it has."""
    corners = _DIMENSION.search(start)
    if corners is None:
        return 0
    (top, left), (bottom, right) = (_place(corner.decode()) for corner in corners.groups())
    return (bottom - top + 1) * (right - left + 1)


def _place(name: str) -> tuple[int, int]:
    """Row and column of a cell, from 0: of `AB12`, 11 and 27."""
    letters = name.rstrip("0123456789")
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - ord("A") + 1
    return int(name[len(letters) :]) - 1, column - 1


def _column(cell: etree._Element) -> int:
    """The cell's column from 0: from its name, else from its place."""
    name = cell.get("r") or ""
    return _place(name)[1] if _CELL.fullmatch(name) else int(cast(float, _BEFORE(cell)))


def _elements(part: IO[bytes], tags: tuple[str, ...]) -> Iterator[etree._Element]:
    """The elements with these names as they end, each forgotten when the next one is asked for."""
    for _, element in _events(part, ("end",), tags):
        yield element
        _forget(element)


def _events(
    part: IO[bytes], events: tuple[Literal["start", "end"], ...], tags: tuple[str, ...]
) -> Iterator[tuple[str, etree._Element]]:
    yield from etree.iterparse(
        part, events=events, tag=tags, huge_tree=True, resolve_entities=False, no_network=True, load_dtd=False
    )


def _forget(element: etree._Element) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


# --- OpenDocument -----------------------------------------------------------------------------------------------------

_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_CALC_TYPE = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}value-type"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TAGS = tuple(f"{_TABLE}{name}" for name in ("table", "table-column", "table-row"))


def _ods_marks(archive: zipfile.ZipFile, sheet: str) -> SheetMarks:
    found = SheetMarks(merged=[])
    with archive.open("content.xml") as opened:
        if not _has_sign(opened, _ODS_SIGNS, b"<office:document-content"):
            return found
    with archive.open("content.xml") as opened:
        is_inside, row, column = False, 0, 0
        for event, element in _events(opened, ("start", "end"), _TAGS):
            kind = str(element.tag).removeprefix(_TABLE)
            if kind == "table":
                is_inside = event == "start" and element.get(f"{_TABLE}name") == sheet
            if event == "start":
                continue
            if is_inside and kind == "table-column":
                count = _repeats(element, "columns")
                if element.get(f"{_TABLE}visibility") in ("collapse", "filter"):
                    found.hidden_columns.update(range(column, column + min(count, _MOST_REPEATS)))
                column += count
            elif is_inside and kind == "table-row":
                _add_ods_row(found, element, row)
                row += _repeats(element, "rows")
            _forget(element)
    return found


def _add_ods_row(found: SheetMarks, element: etree._Element, row: int) -> None:
    rows = range(row, row + min(_repeats(element, "rows"), _MOST_REPEATS))
    column, is_filled = 0, False
    for cell in element.iterchildren(f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
        count = _repeats(cell, "columns")
        is_filled = is_filled or cell.get(f"{_OFFICE}value-type") is not None
        variant = _ods_variant(cell)
        if variant is not None:
            for place in range(column, column + min(count, _MOST_REPEATS)):
                for number in rows:
                    found._add(number, place, variant)
        high, wide = (int(cell.get(f"{_TABLE}number-{name}-spanned", 1)) for name in ("rows", "columns"))
        if found.merged is not None and (high > 1 or wide > 1):
            found.merged.append(((row, column), (row + high - 1, column + wide - 1)))
        column += count
    if is_filled and element.get(f"{_TABLE}visibility") in ("collapse", "filter"):
        found.hidden_rows.update(rows)


def _ods_variant(cell: etree._Element) -> str | None:
    """What keeps a cell from being read; None for one that can be."""
    if cell.get(_CALC_TYPE) == "error":
        return ""
    if cell.get(f"{_TABLE}formula") is None:
        return "break" if _has_break(cell) else None
    text = "".join(str(part) for part in cell.itertext())
    if _ERROR.fullmatch(text):
        return ""
    is_computed = bool(text) or cell.get(f"{_OFFICE}value-type") is not None
    return ("break" if _has_break(cell) else None) if is_computed else "formula"


def _has_break(cell: etree._Element) -> bool:
    """Has the text of a cell a tab or a line break that the library leaves out? Those of a comment do not count."""
    if cell.get(f"{_OFFICE}value-type") != "string" or cell.get(f"{_OFFICE}string-value") is not None:
        return False
    breaks = cell.iter(f"{_TEXT}tab", f"{_TEXT}line-break")
    return any(next(entry.iterancestors(f"{_OFFICE}annotation"), None) is None for entry in breaks)


def _repeats(element: etree._Element, what: str) -> int:
    return int(element.get(f"{_TABLE}number-{what}-repeated", 1))
