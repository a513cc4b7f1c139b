"""The text of a CSV file: encodings, delimiters, quotes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.records import Record
from fhirmap.sources import open_source
from tests.sources.exports import FLAT, HEAD, STAYS, fails, read, write


@pytest.mark.parametrize(
    ("written", "declared"),
    [
        ("utf-8", ""),
        ("utf-8-sig", ""),
        ("utf-8-sig", "cp1252"),
        ("cp1252", "cp1252"),
        ("utf-16", ""),
        ("mac-roman", "mac-roman"),
    ],
)
def test_encodings_and_byte_order_marks(tmp_path: Path, written: str, declared: str) -> None:
    path = write(tmp_path / "a.csv", HEAD + "1;D;é–’œ;1\r\n", written)
    (record,) = read(path, replace(STAYS, encoding=declared))
    assert record == Record("1", {"N° séjour": "1", "Côté": "D", "lines": [{"Lot": "é–’œ", "Qté": "1"}]}, "a.csv:2")


def test_a_wrong_encoding_is_reported_with_byte_and_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v\n1;ok\n2;caf\u00e9\n", "cp1252")
    error = fails(path, FLAT)
    assert (error.code, "byte 15, line 3" in str(error)) == ("FM705", True)
    far = write(tmp_path / "b.csv", "id;v\n" + "1;x\n" * 700_000 + "2;é\n", "cp1252")
    assert f"byte {5 + 4 * 700_000 + 2}, line 700002" in str(fails(far, FLAT))


def test_utf8_declared_as_an_8_bit_encoding_is_reported(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;v\n1;é\n")
    error = fails(path, replace(FLAT, encoding="cp1252"))
    assert (error.code, "UTF-8" in str(error), "line 2" in str(error)) == ("FM705", True, True)
    assert fails(path, replace(FLAT, encoding="utf-7777")).code == "FM705"
    assert fails(path, replace(FLAT, encoding="utf-16")).code == "FM705"


def test_quoted_fields_hold_delimiters_newlines_and_quotes(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id;v\r\n1;"a;b\r\nc ""d"""\r\n2;3" vis\r\n')
    assert [(r.values["v"], r.origin) for r in read(path, FLAT)] == [
        ('a;b\r\nc "d"', "a.csv:2"),
        ('3" vis', "a.csv:4"),
    ]


def test_an_unclosed_quote_stops_before_the_first_record(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id;v\n1;a\n2;"b\n3;c\n4;d\n')
    error = fails(path, FLAT)
    assert (error.code, "line 3" in str(error)) == ("FM712", True)


def test_nul_and_giant_cells(tmp_path: Path) -> None:
    giant = "x" * 5_000_000
    path = write(tmp_path / "a.csv", f"id;v\n1;a\0b\n2;{giant}\n3;c\n")
    records = read(path, FLAT)
    assert [(r.key, len(r.values["v"]), [f.code for f in r.faults]) for r in records] == [
        ("1", 0, ["FM723"]),
        ("2", 5_000_000, []),
        ("3", 1, []),
    ]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found_where_none_is_declared(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path / "a.csv", f"id{delimiter}v{delimiter}last\n1{delimiter}x{delimiter}a b\n")
    assert read(path, FLAT)[0].values == {"id": "1", "v": "x"}


@pytest.mark.parametrize("mark", [";", ",", "\t", "|"])
@pytest.mark.parametrize("line", ["sep={}\r\n", '"sep={}"\n', "SEP={}\n", "\ufeffsep={}\n"])
def test_a_first_line_that_names_the_delimiter(tmp_path: Path, mark: str, line: str) -> None:
    path = write(tmp_path / "a.csv", line.format(mark) + f"id{mark}v\n1{mark}a\n2{mark}b\n")
    assert [(r.key, r.values["v"], r.origin) for r in read(path, FLAT)] == [
        ("1", "a", "a.csv:3"),
        ("2", "b", "a.csv:4"),
    ]
    for declared, variant in (("", ""), (mark, ""), ("tab" if mark == "\t" else mark, ""), ("#", "differs")):
        with open_source(str(path), replace(FLAT, delimiter=declared)) as source:
            (found,) = source.check()
            assert (found.code, found.variant, found.is_error) == ("FM753", variant, False)
            assert len(list(source.records())) == 2


def test_a_first_line_of_names_is_no_such_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id;sep=\n1;a\n")
    with open_source(str(path), FLAT) as source:
        assert "FM753" not in [found.code for found in source.check()]
