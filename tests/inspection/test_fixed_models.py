"""The model of lines of fixed width: columns are guessed from blanks, digits and days."""

from __future__ import annotations

from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from tests.inspection.written import inspected, models_of, round_trip

LINES = [
    "A001  DURAND   17032025G  12",
    "A002  NOËL     18032025D   7",
    "A003  LE GOFF          G 104",
]


def write(path: Path, lines: list[str], encoding: str = "cp1252") -> str:
    path.write_bytes("\r\n".join([*lines, ""]).encode(encoding))
    return f"fixed://{path}"


def test_columns_end_where_all_lines_have_a_blank(tmp_path: Path) -> None:
    url = write(tmp_path / "stays.txt", LINES)
    text = inspected(url, name="Stay")
    (model,) = models_of(text)
    assert model.store is not None
    assert (model.store.kind, model.store.key, model.store.encoding) == ("fixed", ("1-4",), "cp1252")
    assert [(entry.name, entry.positions, entry.type, entry.format) for entry in model.elements] == [
        ("c1_4", (1, 4), "string", None),
        ("c7_13", (7, 13), "string", None),
        ("c16_23", (16, 23), "date", "ddMMyyyy"),
        ("c24_24", (24, 24), "string", None),
        ("c26_28", (26, 28), "integer", None),
    ]
    assert not [value for value in ("DURAND", "A001", "17032025") if value in text]
    assert [record["c26_28"] for record in round_trip(url, text)] == [12, 7, 104]


def test_a_day_among_digits_is_found(tmp_path: Path) -> None:
    lines = ["000117032025123456", "000218032025123457", "000319032025123458"]
    (model,) = models_of(inspected(write(tmp_path / "a.txt", lines)))
    assert [(entry.positions, entry.type) for entry in model.elements] == [
        ((1, 4), "string"),
        ((5, 12), "date"),
        ((13, 18), "string"),
    ]


@pytest.mark.parametrize(
    ("lines", "places"),
    [
        (["A -00012 X", "B +00345 Y", "C -01299 Z"], [(1, 1), (3, 8), (10, 10)]),
        (["A-00012X", "B+00345Y", "C-01299Z"], [(1, 1), (2, 7), (8, 8)]),
        (["A -00012 X", "B  00345 Y", "C -01299 Z"], [(1, 1), (3, 8), (10, 10)]),
        (["-00012 X", "-00345 Y", "-01299 Z"], [(1, 6), (8, 8)]),
        (["A    12345 X", "B  -123456 Y", "C  9123456 Z"], [(1, 1), (4, 10), (12, 12)]),
        (["DUVAL   12345", "LE GOFF -1234", "ROY    912345"], [(1, 13)]),
        (["ABC-00012", "ABD-00345", "XYZ-01299"], [(1, 4), (5, 9)]),
        (["9A12 00012", "9 1+ 10345", "9C1- 31299"], [(1, 4), (6, 10)]),
    ],
)
def test_the_sign_of_a_number_belongs_to_it(tmp_path: Path, lines: list[str], places: list[tuple[int, int]]) -> None:
    (model,) = models_of(inspected(write(tmp_path / "a.txt", lines)))
    assert [entry.positions for entry in model.elements] == places


def test_a_file_without_lines_has_no_model(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        inspected(write(tmp_path / "a.txt", ["", "  "]))
    assert caught.value.code == "FM750"
