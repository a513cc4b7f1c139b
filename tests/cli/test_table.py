"""Tables for a terminal: as narrow as they must be, no character lost."""

from __future__ import annotations

from fhirmap.cli.table import table_lines

ROWS = [("column", "", "value"), ("PATIENT.nir", "->", "2" * 40), ("x" * 30, "->", "a  b\nc")]


def test_what_fits_is_on_a_line_each() -> None:
    lines = list(table_lines(ROWS, 100))
    assert [len(lines), lines[0].split(), lines[2].endswith("a b c")] == [3, ["column", "value"], True]


def test_what_does_not_fit_goes_on_below() -> None:
    lines = list(table_lines(ROWS, 40))
    assert max(map(len, lines)) <= 40
    assert "".join(lines).count("2") == 40
    assert "".join(lines).count("x") == 30


def test_no_rows() -> None:
    assert list(table_lines([], 40)) == []
