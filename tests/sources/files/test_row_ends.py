"""Where the rows of a flat file end, and cells that mean the value above."""

from __future__ import annotations

from datetime import date

import pytest

from fhirmap.sources.files.row_ends import FillDown, begins_with, is_blank


@pytest.mark.parametrize(
    ("cells", "until", "is_end"),
    [
        (["TOTAL", 12], "TOTAL", True),
        ([None, "", "\u00a0", "total général"], "TOTAL", True),
        (["Total  du\u00a0mois"], "total du", True),
        (["Total ge\u0301ne\u0301ral"], "TOTAL GÉNÉRAL", True),
        (["sous-total"], "TOTAL", False),
        (["601", "TOTAL"], "TOTAL", False),
        ([12.5, "TOTAL"], "TOTAL", False),
        ([], "TOTAL", False),
        ([None, ""], "TOTAL", False),
    ],
)
def test_the_first_filled_cell_ends_the_rows(cells: list[object], until: str, is_end: bool) -> None:
    assert begins_with(cells, until) is is_end


def test_blanks_of_all_kinds_are_blank() -> None:
    assert all(map(is_blank, (None, "", " ", "\u00a0", "\u202f", "\ufeff", "\t\n")))
    assert not any(map(is_blank, (0, False, "0", "-", date(2025, 3, 17))))


def test_a_blank_cell_means_the_value_above() -> None:
    fill = FillDown([0, 1])
    assert fill.filled([601, date(2025, 3, 17), "CUP"]) == [601, date(2025, 3, 17), "CUP"]
    assert fill.filled([None, "", "INS"]) == [601, date(2025, 3, 17), "INS"]
    assert fill.filled([" ", "\u00a0", ""]) == [601, date(2025, 3, 17), ""]
    assert fill.filled([602, date(2025, 3, 18), "FEM"]) == [602, date(2025, 3, 18), "FEM"]
    assert fill.filled(["", "", "EMB"]) == [602, date(2025, 3, 18), "EMB"]


def test_nothing_is_taken_from_the_group_before() -> None:
    fill = FillDown([0, 1, 2])
    fill.filled(["ORTHO", "601", "patient of 601"])
    assert fill.filled(["", "602", ""]) == ["ORTHO", "602", ""]
    assert fill.filled(["", "", ""]) == ["ORTHO", "602", ""]
    assert fill.filled(["CARDIO", "", ""]) == ["CARDIO", "", ""]


def test_a_group_that_names_itself_again_goes_on() -> None:
    fill = FillDown([0, 1])
    fill.filled(["601", "DUVAL"])
    assert fill.filled([" 601 ", ""]) == [" 601 ", "DUVAL"]


def test_nothing_is_taken_from_a_cell_or_a_row_that_cannot_be_read() -> None:
    fill = FillDown([0, 1])
    fill.filled(["601", "DUVAL"])
    assert fill.filled(["", ""], unread={0}) == ["", ""]
    assert fill.filled(["", "x"]) == ["", "x"]
    fill.filled(["602", "MARTIN"])
    fill.forget()
    assert fill.filled(["", ""]) == ["", ""]


def test_a_row_that_is_too_short_is_filled_as_well() -> None:
    fill = FillDown([2])
    assert fill.filled(["a"]) == ["a"]
    fill.filled(["a", "b", "c"])
    assert fill.filled(["a"]) == ["a", None, "c"]


def test_the_row_that_was_given_is_not_changed() -> None:
    fill, row = FillDown([0]), ["601"]
    fill.filled(row)
    below = ["", "x"]
    assert (fill.filled(below), below) == (["601", "x"], ["", "x"])
