"""What the XML of a sheet says beside its values, however a program writes it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from odf.element import Element
from odf.office import Annotation
from odf.table import TableCell, TableColumn, TableRow
from odf.text import LineBreak, P, Tab

from fhirmap.sources.files import sheet_marks
from fhirmap.sources.files.sheet_marks import SheetMarks, marks_of
from tests.sources.files.sheets import Formula, grid, ods_cell, ods_row, rewritten, write_ods, write_xlsx

SHEET = "xl/worksheets/sheet1.xml"
ERROR, UNCOMPUTED = Formula("=NA()", "#N/A"), Formula("=A1", None)


def marks(path: Path, sheet: str = "F") -> SheetMarks:
    with path.open("rb") as file:
        return marks_of(file, sheet)


def hide(book: xlsxwriter.Workbook) -> None:
    sheet = book.get_worksheet_by_name("F")
    sheet.set_row(2, None, None, {"hidden": True})
    sheet.set_row(7, None, None, {"hidden": True})
    sheet.set_column("AA:AB", None, None, {"hidden": True})


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    cells = {**grid(2, [["a", ERROR], ["b", UNCOMPUTED], ["c", Formula("=A1", 7)]], "B"), "AA2": ERROR}
    return write_xlsx(tmp_path / "a.xlsx", {"G": {"A1": ERROR}, "F": cells}, hide)


EXPECTED = SheetMarks({1: {2: "", 26: ""}, 2: {2: "formula"}}, {2}, {26, 27}, area=7 * 26)


def test_errors_formulas_without_result_and_what_is_hidden(marked: Path) -> None:
    assert marks(marked) == EXPECTED
    assert marks(marked, "G") == SheetMarks({0: {0: ""}})


def prefixed(text: bytes) -> bytes:
    body = re.sub(rb"<(/?)(?=[a-zA-Z])", rb"<\1x:", text.partition(b"?>")[2])
    return body.replace(b"xmlns=", b"xmlns:x=")


@pytest.mark.parametrize(
    "change",
    [
        prefixed,
        lambda text: text.replace(b'"', b"'"),
        lambda text: text.decode().replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16"),
        lambda text: text.replace(b't="e"', b't = "e"').replace(b'hidden="1"', b"hidden = 'true'"),
        lambda text: re.sub(rb' r="(?:B|C|D)[0-9]+"', b"", text).replace(b'<c t="s"', b'<c/><c t="s"'),
    ],
)
def test_ways_of_writing_the_same_sheet(marked: Path, change: object) -> None:
    found = marks(rewritten(marked, "xl/worksheets/sheet2.xml", change))  # type: ignore[arg-type]
    assert (found.unread, found.hidden_rows, found.hidden_columns) == (
        EXPECTED.unread,
        EXPECTED.hidden_rows,
        EXPECTED.hidden_columns,
    )


def test_a_formula_whose_result_is_an_empty_text_has_one(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": {"A1": "x", "A2": UNCOMPUTED}})
    assert marks(path).unread == {1: {0: "formula"}}
    rewritten(path, SHEET, lambda text: text.replace(b'<c r="A2">', b'<c r="A2" t="str">'))
    assert marks(path).unread == {}


def test_a_sign_across_two_pieces_of_the_file_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": {"A1": "x", "A2": ERROR}})
    rewritten(path, SHEET, lambda text: text.replace(b"<f>NA()</f>", b""))
    for size in (200, 201, 202, 203):
        monkeypatch.setattr(sheet_marks, "_CHUNK", size)
        assert marks(path).unread == {1: {0: ""}}


def test_relations_from_the_top_of_the_archive(marked: Path) -> None:
    rewritten(marked, "xl/_rels/workbook.xml.rels", lambda text: text.replace(b'Target="work', b'Target="/xl/work'))
    assert marks(marked) == EXPECTED


def test_nothing_is_known_of_other_files(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
    assert not marks(path).is_known
    assert not marks(write_xlsx(tmp_path / "b.xlsx", {"F": {"A1": ERROR}}), "absent").is_known


def test_entities_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("7", "utf-8")
    entity = f'<!DOCTYPE w [<!ENTITY e SYSTEM "{secret.as_uri()}">]><worksheet'.encode()
    path = write_xlsx(tmp_path / "a.xlsx", {"F": {"A1": "x", "A2": UNCOMPUTED}})
    rewritten(path, SHEET, lambda text: text.replace(b"<worksheet", entity).replace(b"<v></v>", b"<v>&e;</v>"))
    assert marks(path).unread == {1: {0: "formula"}}


def test_sheets_of_libreoffice(tmp_path: Path) -> None:
    group = TableRow(visibility="collapse")
    group.addElement(ods_cell("x"))
    parts = [
        TableColumn(),
        TableColumn(visibility="filter", numbercolumnsrepeated=2),
        ods_row("titre", numberrowsrepeated=3),
        ods_row(ods_cell(numbercolumnsrepeated=2), Formula("of:=1/0", "#DIV/0!"), numberrowsrepeated=2),
        ods_row(Formula("of:=A9", "Err:508"), ods_cell(1, numbercolumnsspanned=2), Formula("of:=A1", None)),
        group,
        ods_row(visibility="collapse", numberrowsrepeated=1_000_000),
    ]
    path = write_ods(tmp_path / "a.ods", {"G": [ods_row(Formula("of:=1/0", "#REF!"))], "F": parts})
    assert marks(path) == SheetMarks(
        {3: {2: ""}, 4: {2: ""}, 5: {0: "", 2: "formula"}}, {6}, {1, 2}, [((5, 1), (5, 2))], is_known=True
    )


def test_texts_whose_parts_would_be_read_as_one(tmp_path: Path) -> None:
    """The library leaves out tabs and line breaks inside a paragraph of LibreOffice: `L1<tab>L2` would be `L1L2`."""
    commented = ods_cell("L1")
    commented.addElement(Annotation())
    commented.childNodes[-1].addElement(broken(Tab))
    shown = TableCell(valuetype="string", stringvalue="L1 L2")
    shown.addElement(broken(LineBreak))
    cells = [TableCell(valuetype="string"), TableCell(valuetype="string"), commented, shown, ods_cell(7)]
    cells[0].addElement(broken(Tab))
    cells[1].addElement(broken(LineBreak))
    path = write_ods(tmp_path / "a.ods", {"F": [ods_row(*cells)]})
    assert marks(path).unread == {0: {0: "break", 1: "break"}}


def broken(sign: Callable[[], Element]) -> Element:
    """A paragraph with a sign between its texts."""
    paragraph = P(text="L1")
    paragraph.addElement(sign())
    paragraph.addText("L2")
    return paragraph


def test_errors_that_libreoffice_names_as_such(tmp_path: Path) -> None:
    path = write_ods(tmp_path / "a.ods", {"F": [ods_row("x")]})
    calc = b'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0" calcext:value-type='
    rewritten(
        path, "content.xml", lambda text: text.replace(b"<table:table-cell", b"<table:table-cell " + calc + b'"error"')
    )
    assert marks(path).unread == {0: {0: ""}}
