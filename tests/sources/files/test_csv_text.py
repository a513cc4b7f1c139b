"""The text of a CSV file: encodings, delimiters, quotes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fhirmap.records import Record
from fhirmap.source_plan import Order, RowLayout, SourcePlan
from fhirmap.sources import open_source
from fhirmap.sources.files import csv_text
from fhirmap.sources.files.csv_text import CsvLine, read_lines
from fhirmap.sources.files.source_files import SourceFile
from tests.sources.conftest import columns
from tests.sources.exports import FLAT, HEAD, STAYS, fails, read, write

VALUE = RowLayout("Row", columns("v"))


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


def seen(records: list[Record]) -> list[tuple[str, str]]:
    """What became of each line: its key and value, or its fault with line and column."""
    return [
        (record.key, record.values["v"])
        if not record.faults
        else (
            f"line {record.faults[0].args.get('line')}",
            " ".join((record.faults[0].code, record.faults[0].variant, *record.faults[0].columns)),
        )
        for record in records
    ]


def of_lines(tmp_path: Path, *lines: str, plan: SourcePlan = FLAT) -> list[tuple[str, str]]:
    return seen(read(write(tmp_path / "a.csv", "\n".join(("id;v;w", *lines)) + "\n"), plan))


OPEN, SEVERAL = "FM719 open", "FM719 several"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        # to the end of the file; to a quote of another line, with text after it, or without
        (['1;"a;x', "2;b;y", "3;c;z"], [("line 2", f"{OPEN} v"), ("2", "b"), ("3", "c")]),
        (['1;"a;x', '2;"b";y', "3;c;z"], [("line 2", f"{OPEN} v"), ("2", "b"), ("3", "c")]),
        (['1;"a;x', "2;b;y", '3;c";z', "4;d;"], [("line 2", f"{OPEN} v"), ("2", "b"), ("3", 'c"'), ("4", "d")]),
        (['1;"a;x', '2;b";y', "3;c;z"], [("line 2", f"{OPEN} v"), ("2", 'b"'), ("3", "c")]),
        (['1;"a;x', '2;b;"', "3;c;z"], [("line 2", f"{OPEN} v"), ("line 3", f"{OPEN} w"), ("3", "c")]),
        (["1;a;x", '2;b;"y'], [("1", "a"), ("line 3", f"{OPEN} w")]),
        (['"1;a;x', '"2";"b";"y"'], [("line 2", f"{OPEN} id"), ("2", "b")]),
        (['1;"a;x', '2;"b;y', "3;c;z"], [("line 2", f"{OPEN} v"), ("line 3", f"{OPEN} v"), ("3", "c")]),
        # the number of fields is wrong, and a whole line would be lost
        (['1;"a', "2;b;y", '3;c"', "4;d;z"], [("line 2", f"{OPEN} v"), ("2", "b"), ("line 4", "FM719 "), ("4", "d")]),
        # all right: texts of several lines
        (['1;"a', 'b";x', "2;c;y"], [("1", "a\nb"), ("2", "c")]),
        (['1;"a', "", "b; d", 'c";x', "2;c;y"], [("1", "a\n\nb; d\nc"), ("2", "c")]),
        (['1;a;"x', "one; two; three", 'y"', "2;c;y"], [("1", "a"), ("2", "c")]),
        (['1;"a ""b""', 'c";"x', 'y"', "2;c;y"], [("1", 'a "b"\nc'), ("2", "c")]),
        # either: nothing of it is read
        (['1;"a', "2;b;y", "and", 'so on";x', "3;c;z"], [("line 2", f"{SEVERAL} v"), ("3", "c")]),
        # text after a closing quote, in the line itself
        (['1;"a"b;x', "2;c;y"], [("line 2", "FM719 quote v"), ("2", "c")]),
        (["1;a;x", "id;v;w", "2;c;y"], [("1", "a"), ("line 3", "FM719 names"), ("2", "c")]),
    ],
)
def test_a_quote_that_is_not_closed_is_a_fault_of_its_line(
    tmp_path: Path, lines: list[str], found: list[tuple[str, str]]
) -> None:
    assert [(key, text.strip()) for key, text in of_lines(tmp_path, *lines)] == [
        (key, text.strip()) for key, text in found
    ]


def test_a_text_of_very_many_lines_is_a_quote_that_is_not_closed(tmp_path: Path) -> None:
    long = "\n".join(f"line {n}" for n in range(600))
    found = of_lines(tmp_path, f'1;"{long}";x', "2;b;y")
    assert (found[0], found[-1]) == (("line 2", f"{OPEN} v"), ("2", "b"))
    short = "\n".join(f"line {n}" for n in range(400))
    assert of_lines(tmp_path, f'1;"{short}";x', "2;b;y") == [("1", short), ("2", "b")]


def test_the_names_need_their_quotes(tmp_path: Path) -> None:
    error = fails(write(tmp_path / "a.csv", 'id;"v;w\n1;a;b\n2;b;c\n'), FLAT)
    assert (error.code, "line 1" in str(error)) == ("FM712", True)
    (record,) = read(write(tmp_path / "b.csv", '"id\nnumber";v\n1;a\n'), replace(FLAT, key=("id number",), shape=VALUE))
    assert (record.key, record.origin) == ("1", "b.csv:3")


def test_a_line_that_never_ends(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"id;v\n1;a\n2;{'x' * 17_000_000}\n3;c\n")
    assert seen(read(path, FLAT)) == [("1", "a"), ("line 3", "FM719 long"), ("3", "c")]


def test_line_ends_blank_lines_and_marks_between(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "\ufeffid;v\r\n1;a\n\n2;b\r;\r\n \r\n\ufeff3;c\r\n4;d")
    assert [(r.key, r.values["v"], r.origin) for r in read(path, FLAT)] == [
        ("1", "a", "a.csv:2"),
        ("2", "b", "a.csv:4"),
        ("3", "c", "a.csv:7"),
        ("4", "d", "a.csv:8"),
    ]


@pytest.mark.parametrize(
    ("damage", "where"),
    [(b"\xff", "v"), (b"caf\xe9", "v"), (b"\xed\xa0\x80", "v"), (b"a\0b", "v")],
)
@pytest.mark.parametrize("rest", ["2;b\n", "2;caf\u00e9\n" * 2])
def test_bad_bytes_cost_their_record_alone(tmp_path: Path, damage: bytes, where: str, rest: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id;v;unread\n1;" + damage + b";\n" + rest.encode() + b"3;c;" + damage + b"\n")
    first, *others = read(path, replace(FLAT, delimiter=";"))
    (fault,) = first.faults
    assert (first.key, fault.code, fault.columns, fault.args["line"]) == ("1", "FM723", (where,), 2)
    assert fault.variant == ("" if b"\0" in damage else "bytes")
    assert first.values["v"] == ""
    assert others[-1].key == "3"
    assert others[-1].faults == ()  # what no rule reads does not matter
    with open_source(str(path), replace(FLAT, delimiter=";")) as source:
        assert source.check() == []


def test_a_damaged_key_is_none_and_a_damaged_revision_is_not_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id;v\n\xff1;2025-01-01\n2;2025-01-01\n2;2025-\xff\n3;2025-01-01\n3;2025-01-02;x\n")
    records = [record for record in read(path, replace(FLAT, latest=Order("v"))) if not record.superseded]
    assert [(r.key, [f.code for f in r.faults]) for r in records] == [
        ("", ["FM723"]),
        ("2", ["FM723", "FM756", "FM779"]),
        ("3", ["FM719", "FM756", "FM779"]),
    ]


def test_lines_of_another_encoding_in_a_file_of_8_bits(tmp_path: Path) -> None:
    """They would be read as `cafÃ©`."""
    path = tmp_path / "a.csv"
    path.write_bytes("id;v\n1;thé\n2;".encode("cp1252") + "café\n".encode() + b"3;c\n4;\x81\n")
    records = read(path, replace(FLAT, encoding="cp1252"))
    assert [(r.key, [f"{f.code} {f.variant}" for f in r.faults]) for r in records] == [
        ("1", []),
        ("2", ["FM723 bytes"]),
        ("3", []),
        ("4", ["FM723 bytes"]),
    ]


def test_a_damaged_letter_of_utf16(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    text = "id;v\n1;a\n2;?\n3;é\n".encode("utf-16-le").replace(b"?\0", b"\0\xd8")
    path.write_bytes(b"\xff\xfe" + text)
    assert seen(read(path, FLAT)) == [("1", "a"), ("line 3", "FM723 bytes v"), ("3", "é")]


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


# --- blocks of lines --------------------------------------------------------------------------------------------------

PIECES = [
    "a",
    "12",
    " ",
    ";",
    ";",
    '"',
    '"',
    "\n",
    "\n",
    "\r\n",
    "\r",
    "\0",
    "é",
    "É\xa0",
    "Ã©",
    "\ufeff",
    "€",
    "\u2028",
]
WHOLE = ["1;a;x\n", "2;b;é\r\n", '"3";"c;d";"y ""z"""\n', '4;"d\ne";\n', '5;"f\rg";\n', "\n", "id;v;w\n"]


def one_by_one(self: csv_text._Cutter) -> Iterator[CsvLine]:
    return iter(self.next_line, None)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    st.lists(st.sampled_from(PIECES) | st.sampled_from(WHOLE) | st.just(b"\xe9") | st.just(b"\x81"), max_size=40),
    st.sampled_from(["utf-8", "cp1252", "utf-16-le", "shift_jis"]),
    st.integers(1, 60) | st.just(1 << 15),
    st.sampled_from([25, 1 << 24]),
)
def test_blocks_of_lines_are_cut_as_their_lines_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pieces: list[str | bytes], encoding: str, block: int, longest: int
) -> None:
    raw = [piece if isinstance(piece, bytes) else piece.encode(encoding, "replace") for piece in ("id;v;w\n", *pieces)]
    path = tmp_path / "a.csv"
    path.write_bytes(b"".join(raw))
    file = SourceFile(path, "a.csv", "a.csv")
    with monkeypatch.context() as patched:
        patched.setattr(csv_text, "_LONGEST", longest)
        patched.setattr(csv_text, "_MOST_LINES", 5)
        patched.setattr(csv_text, "_BLOCK", block)
        found = list(read_lines(file, encoding, ";"))
        patched.setattr(csv_text._Cutter, "blocks", one_by_one)
        assert found == list(read_lines(file, encoding, ";"))


@pytest.mark.parametrize("block", range(1, 40))
def test_what_is_at_the_border_of_two_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(csv_text, "_BLOCK", block)
    path = tmp_path / "a.csv"
    path.write_bytes(b'id;v;w\r\n1;"a\r\nb";x\r\n2;\xff;\r\n3;"c;y\r\n4;d;z\r5;"e""\r\n";\r\n\r\n6;f\r\n7;g;')
    assert [(record.origin.removeprefix("a.csv:"), *seen([record])) for record in read(path, FLAT)] == [
        ("2", ("1", "a\r\nb")),
        ("4", ("line 4", "FM723 bytes v")),
        ("5", ("line 5", "FM719 open v")),
        ("6", ("4", "d")),
        ("7", ("5", 'e"\r\n')),
        ("10", ("line 10", "FM719 ")),
        ("11", ("7", "g")),
    ]


@pytest.mark.parametrize(("every", "most"), [(0, 1), (50, 350)])
def test_most_lines_are_cut_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, every: int, most: int) -> None:
    """Line by line, a file takes four times as long; a record of several lines costs itself alone."""
    taken: list[CsvLine | None] = []
    next_line = csv_text._Cutter.next_line

    def noted(self: csv_text._Cutter) -> CsvLine | None:
        taken.append(next_line(self))
        return taken[-1]

    monkeypatch.setattr(csv_text._Cutter, "next_line", noted)
    several = {number for number in range(1, 5001) if every and number % every == 0}
    cells = {number: "Côté\n;x" if number in several else "Côté" for number in range(1, 5001)}
    texts = [f'{number};"É\xa0{number}";"{cell}"\r\n\r\n' for number, cell in cells.items()]
    path = write(tmp_path / "a.csv", "id;v;w\r\n" + "".join(texts), "cp1252")
    _, *lines = read_lines(SourceFile(path, "a.csv", "a.csv"), "cp1252", ";")
    assert [line.cells[0] for line in lines] == [str(number) for number in range(1, 5001)]
    assert {int(line.cells[0]) for line in lines if line.last} == several
    assert [line.number for line in lines] == [2 * n + sum(map(n.__gt__, several)) for n in range(1, 5001)]
    assert len(taken) <= most
