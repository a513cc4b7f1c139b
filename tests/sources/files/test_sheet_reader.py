"""Sheets of workbooks: names, cells, rows, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from odf.table import TableColumn

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.records import Fault
from fhirmap.runtime.reading import Cell, as_decimal, as_integer, as_text, date_reader
from fhirmap.source_plan import SourcePlan
from fhirmap.sources.files.csv_reader import UnreadCell
from tests.sources.files.sheets import (
    PLAN,
    Formula,
    grid,
    ods_cell,
    ods_row,
    reader_of,
    rewritten,
    rows_of,
    typed,
    values_of,
    write_ods,
    write_xlsx,
)

CASES = typed(("N°", "string"), ("Date", "date"), ("Lot", "string"), key=("N°",))


def said(path: Path, plan: SourcePlan = PLAN) -> list[tuple[str, str]]:
    return [(entry.code, entry.variant) for entry in checked(path, plan)]


def checked(path: Path, plan: SourcePlan = PLAN) -> list[Diagnostic]:
    reader = reader_of(path, plan)
    return reader.check({column.name: column.position for column in plan.shape.columns})


# --- cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "cell", "wanted"),
    [
        ("string", "0012", "0012"),
        ("string", "1E5", "1E5"),
        ("string", "T11E05", "T11E05"),
        ("string", 601, 601),
        ("string", 2.5, 2.5),
        ("string", 999_999_999_999_999, 999_999_999_999_999),
        ("boolean", True, True),
        ("date", date(2025, 3, 17), date(2025, 3, 17)),
        ("date", "17/03/2025", "17/03/2025"),
        ("dateTime", datetime(2025, 3, 17), datetime(2025, 3, 17)),
        ("instant", datetime(2025, 3, 17), datetime(2025, 3, 17)),
        ("dateTime", datetime(2025, 3, 17, 8, 15, 7), datetime(2025, 3, 17, 8, 15, 7)),
        ("time", time(8, 15), time(8, 15)),
        ("string", Formula("=A1", 7), 7),
        ("string", Formula("=A1", "B7"), "B7"),
    ],
)
def test_cells_are_the_values_that_they_are(tmp_path: Path, kind: str, cell: Any, wanted: Any) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id", "v"], ["1", cell]])})
    ((_, found),) = values_of(path, typed(("id", "string"), ("v", kind)))
    assert (found, type(found)) == (wanted, type(wanted))


def test_numbers_that_may_have_lost_digits_are_none(tmp_path: Path) -> None:
    cells = [999_999_999_999_999, 10**15, 1_234_567_890_123_456, 0.1 + 0.2]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id"], *([cell] for cell in cells)])})
    faults: list[Fault] = []
    cell = Cell("Row.id", "id", "string", "")
    assert [as_text(found, cell, faults) for (found,) in values_of(path)] == ["999999999999999", "", "", "0.3"]
    assert [fault.code for fault in faults] == ["FM410", "FM410"]


def test_numbers_are_counts_and_exact_decimals(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id"], [2], [0.35], [0]])})
    cell, faults = Cell("Row.id", "id", "decimal", ""), list[Fault]()
    found = [raw for (raw,) in values_of(path)]
    assert [str(as_decimal(raw, cell, faults)) for raw in found] == ["2", "0.35", "0"]
    assert (as_integer(found[0], cell, faults), faults) == (2, [])


def test_dates_are_read_by_the_type_of_the_element(tmp_path: Path) -> None:
    rows = [["id"], [datetime(2025, 3, 17)], ["17/03/2025"], [date(2025, 3, 18)]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    faults: list[Fault] = []
    as_day = date_reader(Cell("Row.id", "id", "date", "", format="dd/MM/yyyy"))
    as_time = date_reader(Cell("Row.id", "id", "dateTime", "", format="dd/MM/yyyy", zone="Europe/Paris"))
    days = [as_day(raw, faults) for (raw,) in values_of(path, typed(("id", "date")))]
    times = [as_time(raw, faults) for (raw,) in values_of(path, typed(("id", "dateTime")))]
    assert days == ["2025-03-17", "2025-03-17", "2025-03-18"]
    assert times == ["2025-03-17T00:00:00+01:00", "2025-03-17", "2025-03-18T00:00:00+01:00"]
    assert faults == []


def test_a_workbook_of_the_years_since_1904(tmp_path: Path) -> None:
    cells = grid(1, [["id"], [date(2025, 3, 17)], [datetime(2025, 3, 17, 8, 15)]])
    path = write_xlsx(tmp_path / "a.xlsx", {"F": cells}, date_1904=True)
    assert values_of(path) == [(date(2025, 3, 17),), (datetime(2025, 3, 17, 8, 15),)]


def test_a_duration_is_a_time_only_where_the_model_says_so(tmp_path: Path) -> None:
    def add(book: xlsxwriter.Workbook) -> None:
        shown = book.add_format({"num_format": "[h]:mm"})
        for place, hours in (("A2", 8.25), ("A3", 36)):
            book.get_worksheet_by_name("F").write_number(place, hours / 24, shown)

    path = write_xlsx(tmp_path / "a.xlsx", {"F": {"A1": "id"}}, add)
    assert values_of(path, typed(("id", "time"))) == [(time(8, 15),), (timedelta(hours=36),)]
    faults: list[Fault] = []
    for (raw,) in values_of(path):
        assert as_text(raw, Cell("Row.id", "id", "string", ""), faults) == ""
    assert len(faults) == 2


def test_a_number_below_zero_is_no_date_and_no_time(tmp_path: Path) -> None:
    def add(book: xlsxwriter.Workbook) -> None:
        sheet = book.get_worksheet_by_name("F")
        day, plain = book.add_format({"num_format": "dd/mm/yyyy hh:mm"}), book.add_format({"num_format": "0.00"})
        for place, number in (("B2", -5), ("B3", -0.25), ("B4", 45733.5)):
            sheet.write_number(place, number, day)
        sheet.write_number("B5", -0.25, plain)

    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id", "v"], ["1"], ["2"], ["3"], ["4"]])}, add)
    first, second, third, fourth = rows_of(path, typed(("id", "string"), ("v", "string")))
    args = {"column": "v", "line": 2}
    assert first.faults == [Fault("FM764", rule="cell", args=args, variant="negative", columns=("v",))]
    assert (type(first.cells["v"]), type(second.cells["v"])) == (UnreadCell, UnreadCell)
    assert [fault.variant for fault in second.faults] == ["negative"]
    assert (third.cells["v"], fourth.cells["v"]) == (datetime(2025, 3, 17, 12), -0.25)
    assert third.faults == fourth.faults == []
    assert [dict(row.cells) for row in rows_of(path)] == [{"id": str(number)} for number in (1, 2, 3, 4)]


def test_a_duration_that_no_clock_counts_costs_its_row(tmp_path: Path) -> None:
    def add(book: xlsxwriter.Workbook) -> None:
        shown = book.add_format({"num_format": "[h]:mm"})
        book.get_worksheet_by_name("F").write_number("C3", 1e12, shown)

    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id", "v"], ["1", "a"], ["2", "b"], ["3", "c"]])}, add)
    first, second, third = rows_of(path, typed(("id", "string"), ("v", "string")))
    assert (dict(first.cells), dict(third.cells), third.number) == ({"id": "1", "v": "a"}, {"id": "3", "v": "c"}, 4)
    assert [(fault.code, fault.variant, fault.columns) for fault in second.faults] == [
        ("FM764", "duration", ("id",)),
        ("FM764", "duration", ("v",)),
    ]


def test_blank_cells_are_absent_and_blank_rows_no_rows(tmp_path: Path) -> None:
    rows = [["id", "v"], ["1", " "], [None, None], ["\u00a0", " "], ["2", "\u00a0x "]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    found = rows_of(path, typed(("id", "string"), ("v", "string")))
    assert [(row.place, row.number, dict(row.cells)) for row in found] == [
        (":2", 2, {"id": "1", "v": " "}),
        (":5", 5, {"id": "2", "v": "\u00a0x "}),
    ]


def test_cells_with_an_error_are_faults_of_their_row(tmp_path: Path) -> None:
    rows = [
        ["id", "v", "w"],
        ["1", Formula("=1/0", "#DIV/0!"), "a"],
        ["2", Formula("=NA()", "#N/A"), Formula("=B9", None)],
        ["3", "#N/A", "c"],
    ]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(3, rows, "B")})
    first, second, third = rows_of(path, typed(("id", "string"), ("v", "string"), ("w", "string")))
    args = {"column": "v", "line": 4}
    assert first.faults == [Fault("FM764", rule="cell", args=args, columns=("v",))]
    assert dict(first.cells) == {"id": "1", "v": "", "w": "a"}
    assert [(fault.variant, fault.args) for fault in second.faults] == [
        ("", {"column": "v", "line": 5}),
        ("formula", {"column": "w", "line": 5}),
    ]
    assert (third.faults, third.cells["v"]) == ([], "#N/A")


def test_an_error_in_a_column_that_is_not_read_is_no_fault_and_alone_no_row(tmp_path: Path) -> None:
    error = Formula("=NA()", "#N/A")
    rows = [["id", "v"], ["1", error], [None, error], [error, None], [None, error]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    first, second = rows_of(path)
    assert (first.number, first.faults) == (2, [])
    assert (second.number, [fault.code for fault in second.faults]) == (4, ["FM764"])


def test_rows_of_formulas_without_a_result_are_not_lost(tmp_path: Path) -> None:
    rows = [["id"], ["1"], [Formula("=A2", None)]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    assert [(row.number, [fault.variant for fault in row.faults]) for row in rows_of(path)] == [
        (2, []),
        (3, ["formula"]),
    ]


# --- names ------------------------------------------------------------------------------------------------------------

TITLED: list[Any] = [
    ["Pharmacie"],
    ["Poses de mars", None, "édité le", date(2025, 4, 1)],
    [None],
    ["N°", "Date", "Lot", "Qté"],
]


def test_titles_before_the_names_are_said_and_no_rows(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [*TITLED, [601, date(2025, 3, 17), "0540077", 1]])})
    (row,) = rows_of(path, CASES)
    assert (row.place, dict(row.cells)) == (":5", {"N°": 601, "Date": date(2025, 3, 17), "Lot": "0540077"})
    (entry,) = checked(path, CASES)
    assert (entry.code, entry.variant, entry.args["line"]) == ("FM753", "titles", 4)
    assert said(path, replace(CASES, names_line=4)) == []


def test_a_sheet_that_begins_at_b3(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(3, [["N°", "Date", "Lot"], [601, "x", "y"]], "B")})
    (row,) = rows_of(path, CASES)
    assert (row.place, dict(row.cells), said(path, CASES)) == (":4", {"N°": 601, "Date": "x", "Lot": "y"}, [])
    assert reader_of(path, CASES).names() == ("N°", "Date", "Lot")
    (first, second) = rows_of(path, typed(("B", "string"), ("D", "string"), key=("B",), names_line=0))
    assert (first.place, dict(first.cells)) == (":3", {"B": "N°", "D": "Lot"})
    assert (second.place, dict(second.cells)) == (":4", {"B": 601, "D": "y"})


def test_names_that_the_map_gives_count_from_column_a(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [[601, "x"], [602, "y"]], "B")})
    plan = typed(("id", "string"), ("v", "string"), names=("", "id", "v"), names_line=0)
    assert (values_of(path, plan), said(path, plan)) == ([(601, "x"), (602, "y")], [])
    few = replace(plan, names=("id", "v"))
    assert (values_of(path, few), said(path, few)) == ([(None, 601), (None, 602)], [("FM759", "width")])
    many = replace(plan, names=("", "id", "x", "v"))
    assert (values_of(path, many), said(path, many)) == ([(601, None), (602, None)], [("FM759", "width")])


def test_names_are_found_whatever_their_case_blanks_and_lines(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["n°\n dossier", 2024], ["601", "x"]])})
    assert values_of(path, typed(("N° dossier", "string"), ("2024", "string"), key=("N° dossier",))) == [("601", "x")]


def test_columns_that_are_missing_or_double_are_errors(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["N°", "Dates", "Lot", "Lot"], [601, "x", "y", "z"]])})
    missing, double = checked(path, CASES)
    assert (missing.code, missing.variant, missing.meant, missing.args["position"]) == (
        "FM704",
        "",
        "Dates",
        "a.map:3:3",
    )
    assert (double.code, double.variant, double.args["count"]) == ("FM704", "double", 2)
    with pytest.raises(ConfigError) as caught:
        rows_of(path, CASES)
    assert caught.value.diagnostic() == missing
    with pytest.raises(ConfigError) as caught:
        rows_of(path, typed(("N°", "string"), ("Lot", "string"), key=("N°",)))
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM704", "double")


@pytest.mark.parametrize("plan", [PLAN, replace(PLAN, names_line=1)])
def test_a_row_of_data_is_no_names_and_not_shown(tmp_path: Path, plan: SourcePlan) -> None:
    rows = [["149113897061759", "DUVAL", date(1949, 11, 3)], ["158022B95100730", "MARTIN", date(1958, 2, 1)]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    with pytest.raises(ConfigError) as caught:
        checked(path, plan)
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM758", "data")
    assert not any(text in str(caught.value) for text in ("149113897061759", "DUVAL", "1949"))
    assert [row.place for row in rows_of(path, replace(typed(("A", "string"), key=("A",)), names_line=0))] == [
        ":1",
        ":2",
    ]


def test_the_line_of_names_may_be_empty(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id"], ["1"]])})
    with pytest.raises(ConfigError) as caught:
        rows_of(path, replace(PLAN, names_line=3))
    assert (caught.value.code, caught.value.diagnostic().variant) == ("FM758", "names")


def test_names_that_come_again_are_no_row(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id", "v"], ["1", "x"], ["id", "v"], ["id", "w"]])})
    first, again, other = rows_of(path)
    assert [fault.variant for fault in again.faults] == ["names"]
    assert (first.is_lost, again.is_lost, other.is_lost) == (False, True, False)


# --- rows -------------------------------------------------------------------------------------------------------------


def test_blank_keys_are_filled_and_the_total_ends_the_rows(tmp_path: Path) -> None:
    rows = [
        [601, date(2025, 3, 17), "CUP"],
        [None, None, "INS"],
        [None, None, None],
        [602, date(2025, 3, 18), "FEM"],
        [" ", None, "EMB"],
        ["Total général", None, None, 5],
        [603, None, "after"],
    ]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [*TITLED, *rows])})
    plan = replace(CASES, fill=("n°", "Date"), until="TOTAL", names_line=4)
    assert values_of(path, plan) == [
        (601, date(2025, 3, 17), "CUP"),
        (601, date(2025, 3, 17), "INS"),
        (602, date(2025, 3, 18), "FEM"),
        (602, date(2025, 3, 18), "EMB"),
    ]
    (entry,) = checked(path, plan)
    assert (entry.code, entry.variant, entry.args["count"]) == ("FM759", "after", 1)


def test_rows_below_an_error_take_nothing_from_it(tmp_path: Path) -> None:
    rows = [["id", "v"], ["1", "a"], [Formula("=NA()", "#N/A"), "b"], [None, "c"]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    found = rows_of(path, typed(("id", "string"), ("v", "string"), fill=("id",)))
    assert [row.cells["id"] for row in found] == ["1", "", None]


def test_an_error_before_the_word_of_the_end_does_not_end_the_rows(tmp_path: Path) -> None:
    rows = [["id", "v"], [Formula("=NA()", "#N/A"), "Total hip"], ["2", "b"]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    assert [row.number for row in rows_of(path, replace(PLAN, until="total"))] == [2, 3]


def test_a_second_reading_gives_the_same(tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, [["id", "v"], ["1", Formula("=NA()", "#N/A")], [None, "b"]])})
    reader = reader_of(path, typed(("id", "string"), ("v", "string"), fill=("id",)))
    assert list(reader.rows(["id", "v"])) == list(reader.rows(["id", "v"]))


# --- what is said -----------------------------------------------------------------------------------------------------


def test_hidden_rows_and_columns_are_read_and_said(tmp_path: Path) -> None:
    def hide(book: xlsxwriter.Workbook) -> None:
        sheet = book.get_worksheet_by_name("F")
        for row in (0, 2, 3, 9):
            sheet.set_row(row, None, None, {"hidden": True})
        sheet.set_column("C:D", None, None, {"hidden": True})

    rows = [["titre"], ["id", "v", "w", "x"], ["1", "a", "b", "c"], ["2", "a", "b", "c"]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)}, hide)
    plan = typed(("id", "string"), ("w", "string"), names_line=2)
    hidden, columns = checked(path, plan)
    assert values_of(path, plan) == [("1", "b"), ("2", "b")]
    assert (hidden.variant, hidden.args["count"], hidden.args["sheet"]) == ("", 2, "F")
    assert (columns.variant, str(columns.args["names"])) == ("columns", "`w`")


def test_a_hidden_sheet_is_read_where_it_is_named_and_said(tmp_path: Path) -> None:
    def hide(book: xlsxwriter.Workbook) -> None:
        book.get_worksheet_by_name("H").hide()

    sheets = {"F": grid(1, [["id"], ["1"]]), "H": grid(1, [["id"], ["2"]])}
    path = write_xlsx(tmp_path / "a.xlsx", sheets, hide)
    assert (values_of(path), said(path)) == ([("1",)], [])
    named = replace(PLAN, name="H")
    assert (values_of(path, named), said(path, named)) == ([("2",)], [("FM759", "sheet")])


def test_merged_cells_are_said_where_they_leave_a_blank_that_is_read(tmp_path: Path) -> None:
    def merge(book: xlsxwriter.Workbook) -> None:
        sheet = book.get_worksheet_by_name("F")
        sheet.merge_range("A1:C1", "titre")
        sheet.merge_range("A3:A4", "1")
        sheet.merge_range("B3:C3", "a")

    rows = [[None], ["id", "v", "w"], [None, None, None, "x"], [None, "b", "c"]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)}, merge)
    plan = typed(("id", "string"), ("v", "string"), names_line=2)
    (entry,) = checked(path, plan)
    assert (entry.variant, entry.args["count"], entry.args["line"]) == ("merged", 1, 3)
    assert said(path, replace(plan, fill=("id",))) == []
    both = typed(("id", "string"), ("w", "string"), names_line=2, fill=("id",))
    assert said(path, both) == [("FM759", "merged")]
    assert values_of(path, both) == [("1", None), ("1", "c")]


def test_sheets_of_libreoffice(tmp_path: Path) -> None:
    parts = [
        TableColumn(numbercolumnsrepeated=2),
        TableColumn(visibility="collapse"),
        ods_row(numberrowsrepeated=2),
        ods_row(None, "id", "v"),
        ods_row(None, "0012", datetime(2025, 3, 17)),
        ods_row(None, 601, Formula("of:=1/0", "#DIV/0!"), visibility="filter"),
        ods_row(ods_cell(), ods_cell(2.5, numberrowsspanned=2), Formula("of:=A1", None)),
        ods_row(None, None, "b", numberrowsrepeated=2),
    ]
    path = write_ods(tmp_path / "a.ods", {"Poses": parts})
    plan = typed(("id", "string"), ("v", "dateTime"))
    found = rows_of(path, plan)
    assert [row.place for row in found] == [":4", ":5", ":6", ":7", ":8"]
    assert [row.cells["id"] for row in found] == ["0012", 601, 2.5, None, None]
    assert found[0].cells["v"] == datetime(2025, 3, 17)
    assert [[fault.variant for fault in row.faults] for row in found] == [[], [""], ["formula"], [], []]
    assert said(path, plan) == [("FM759", ""), ("FM759", "columns"), ("FM759", "merged")]


def test_no_cell_is_in_what_is_said(tmp_path: Path) -> None:
    secret = "CANARI-149113897061759"
    rows = [["id", "v"], [secret, Formula("=NA()", "#N/A")], [secret, secret]]
    path = write_xlsx(tmp_path / "a.xlsx", {"F": grid(1, rows)})
    plan = typed(("id", "string"), ("v", "string"), ("absent", "string"))
    assert not any(secret in repr(entry) for entry in checked(path, plan))
    assert not any(secret in repr(row.faults) for row in rows_of(path, typed(("id", "string"), ("v", "string"))))
    rewritten(path, "xl/worksheets/sheet1.xml", lambda text: text.replace(b"</row>", secret.encode(), 1))
    with pytest.raises(ConfigError) as caught:
        rows_of(path)
    assert caught.value.code == "FM757" and secret not in str(caught.value) and caught.value.__cause__ is None
