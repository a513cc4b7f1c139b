"""Lines of fixed width: positions, counted groups, and lines that end early."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.source_plan import Order, Repetition, RowLayout, SourceColumn, SourceKind, SourcePlan
from fhirmap.sources.files.csv_reader import UnreadCell
from fhirmap.sources.files.file_rows import FileRow
from fhirmap.sources.files.fixed_reader import FixedReader, places_of
from fhirmap.sources.files.source_files import SourceFile


def column(name: str, kind: str = "string", **more: object) -> SourceColumn:
    return replace(SourceColumn(name, f"a.map:{name}", f"A.{name}", kind), **more)  # type: ignore[arg-type]


def plan(*columns: SourceColumn, key: str = "1-4", encoding: str = "") -> SourcePlan:
    return SourcePlan(SourceKind.FIXED, "", (key,), RowLayout("A", columns), encoding=encoding, position="a.map:1")


STAY = plan(column("1-4"), column("5-12"), column("13-16", "decimal"), column("17-17"))


def reader(path: Path, content: str | bytes, plan_of: SourcePlan = STAY) -> FixedReader:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return FixedReader(SourceFile(path, path.name, path.name), plan_of)


def rows(path: Path, content: str | bytes, plan_of: SourcePlan = STAY) -> list[FileRow]:
    needed = [*plan_of.key, *plan_of.shape.column_names]
    return list(reader(path, content, plan_of).rows(needed))


def faults(row: FileRow) -> list[str]:
    return [" ".join((fault.code, fault.variant, *fault.columns)).replace("  ", " ").strip() for fault in row.faults]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_columns_are_positions(tmp_path: Path, end: str) -> None:
    content = end.join(["A001 HANCHE 0123G and more", "", "   ", "A002GENOU   0007D", "\x1a"])
    found = rows(tmp_path / "a.txt", content)
    assert [(list(row.cells.values()), row.place, row.number) for row in found] == [
        (["A001", " HANCHE ", "0123", "G"], ":1", 1),
        (["A002", "GENOU   ", "0007", "D"], ":4", 4),
    ]
    assert [row.faults for row in found] == [[], []]


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("12-31", slice(11, 31)),
        ("28-28", slice(27, 28)),
        ("28", slice(27, 28)),
        ("0-4", None),
        ("5-4", None),
        ("x", None),
    ],
)
def test_names_of_columns(name: str, place: slice | None) -> None:
    assert places_of(name) == place


@pytest.mark.parametrize(
    ("encoding", "declared"), [("utf-8", ""), ("utf-8-sig", ""), ("cp1252", "cp1252"), ("utf-16", "")]
)
def test_characters_are_counted_and_not_bytes(tmp_path: Path, encoding: str, declared: str) -> None:
    content = "E001Côté é  0001G\r\nE002".encode(encoding)
    found = rows(tmp_path / "a.txt", content, replace(STAY, encoding=declared))
    assert [row.cells["5-12"] for row in found] == ["Côté é  ", ""]
    assert (found[0].cells["1-4"], found[0].cells["17-17"], found[0].faults) == ("E001", "G", [])


def test_a_line_without_its_last_blanks_is_whole(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.txt", "A001HANCHE\nA002")
    assert [list(row.cells.values()) for row in found] == [["A001", "HANCHE", "", ""], ["A002", "", "", ""]]
    assert [row.faults for row in found] == [[], []]


@pytest.mark.parametrize(
    ("line", "cut"), [("A001HANCHE  01", "13-16"), ("A0", "1-4"), ("A001HANCHE    ", ""), ("A001HANCHE  0123", "")]
)
def test_a_number_or_a_key_that_is_cut_off_is_a_fault(tmp_path: Path, line: str, cut: str) -> None:
    (found,) = rows(tmp_path / "a.txt", line)
    assert faults(found) == ([f"FM766 cut {cut}"] if cut else [])
    assert [name for name, cell in found.cells.items() if isinstance(cell, UnreadCell)] == ([cut] if cut else [])
    assert not found.is_lost


def test_a_tab_moves_what_comes_after_it(tmp_path: Path) -> None:
    before, inside, after = rows(tmp_path / "a.txt", "A001\tHANCHE\nA\t0101234567\nA003HANCHE  0123G \tx")
    assert (faults(before), before.cells["1-4"]) == (["FM766 tab"], "A001")
    assert all(isinstance(before.cells[name], UnreadCell) for name in ("5-12", "13-16", "17-17"))
    assert before.faults[0].args["place"] == 5
    assert (faults(inside), isinstance(inside.cells["1-4"], UnreadCell)) == (["FM766 tab"], True)
    assert (faults(after), after.cells["17-17"]) == ([], "G")


def test_damage_is_its_cells_own_fault(tmp_path: Path) -> None:
    good = "A000Noël    0001G\n".encode() * 3
    content = good + b"A001No\xebl    0123G\nA002\x00       0123G"
    found = rows(tmp_path / "a.txt", content)
    assert [faults(row) for row in found[3:]] == [["FM723 bytes 5-12"], ["FM723 5-12"]]
    assert [(row.cells["1-4"], row.cells["13-16"]) for row in found[3:]] == [("A001", "0123"), ("A002", "0123")]
    with pytest.raises(ConfigError) as caught:
        rows(tmp_path / "a.txt", "A001Noël".encode("cp1252"))
    assert caught.value.code == "FM705"


# --- counted groups ---------------------------------------------------------------------------------------------------

ACT = RowLayout("Act", (column("1-3"), column("4-5", "integer"), column("../1-4")))
GROUPS = plan(
    column("1-4"),
    column("codes", nested=False, repeats=True, repetition=Repetition(3, (5, 5), start=7)),
    column("acts", "", nested=True, below=ACT, repetition=Repetition(5, (6, 6), after="codes")),
)


def test_groups_are_as_many_as_the_line_counts(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.txt", "A00122ABCDE XYZ01UVW02\nA00200\nA00301XYZ05\nA004    \nA00510ABC", GROUPS)
    assert [row.cells["codes"] for row in found] == [["ABC", "DE "], [], [], [], ["ABC"]]
    assert [row.cells["acts"] for row in found] == [
        [{"1-3": "XYZ", "4-5": "01", "../1-4": "A001"}, {"1-3": "UVW", "4-5": "02", "../1-4": "A001"}],
        [],
        [{"1-3": "XYZ", "4-5": "05", "../1-4": "A003"}],
        [],
        [],
    ]
    assert [faults(row) for row in found] == [[], [], [], [], []]


def test_a_line_that_ends_before_its_counts_was_cut_off(tmp_path: Path) -> None:
    (found,) = rows(tmp_path / "a.txt", "A004", GROUPS)
    assert (found.cells["codes"], found.cells["acts"]) == (None, None)
    assert faults(found) == ["FM766 count codes"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("A001x0ABC", "FM766 count codes"),
        ("A001 1ABC", "FM766 count codes"),
        ("A0010 XYZ01", "FM766 count acts"),
        ("A0013 ABCDEF", "FM766 beyond codes"),
        ("A00112ABCXYZ01", "FM766 beyond acts"),
        ("A00101XYZ0", "FM766 cut acts.4-5"),
        ("A00110ABCDEF", "FM767"),
        ("A00100\tX", "FM766 tab"),
        ("A001²0ABC", "FM766 count codes"),
    ],
)
def test_groups_that_are_not_as_counted(tmp_path: Path, line: str, fault: str) -> None:
    (found,) = rows(tmp_path / "a.txt", line, GROUPS)
    assert faults(found) == [fault]
    assert found.faults[0].severity == ("warning" if fault == "FM767" else "error")
    is_known = fault in ("FM767", "FM766 cut acts.4-5")
    assert (found.cells["acts"] is None) == (not is_known)


def test_blanks_at_the_end_of_the_last_group_may_be_left_out(tmp_path: Path) -> None:
    (found, _) = rows(tmp_path / "a.txt", "A00120ABCD\nA00210XY ", GROUPS)
    assert (found.cells["codes"], found.faults) == (["ABC", "D"], [])
    (alone,) = rows(tmp_path / "a.txt", "A00110AB", GROUPS)
    assert (alone.cells["codes"], alone.faults) == (["AB"], [])


@pytest.mark.parametrize(
    ("text", "column", "last"),
    [
        ("A00120ABCD", "codes", ["ABC", "D"]),
        ("A00110AB\nA00210XYZ", "codes", ["AB"]),
        ("A00102XYZ01UV", "acts.1-3", ["XYZ", "UV"]),
    ],
)
def test_a_text_that_all_other_groups_fill_may_be_cut_off(
    tmp_path: Path, text: str, column: str, last: list[str]
) -> None:
    found = rows(tmp_path / "a.txt", text, GROUPS)
    name, _, inner = column.partition(".")
    assert [item[inner] if inner else item for item in found[0].cells[name]] == last
    (fault,) = found[0].faults
    assert (fault.code, fault.variant, fault.severity, fault.args["column"]) == (
        "FM766",
        "cut_text",
        "warning",
        column,
    )
    assert not any(row.faults for row in found[1:])


def test_damage_in_a_group_is_its_cells_own_fault(tmp_path: Path) -> None:
    good = "A00010É  \n".encode() * 3
    found = rows(tmp_path / "a.txt", good + b"A00111A\xc9 X\xc9Z01", GROUPS)
    assert faults(found[3]) == ["FM723 bytes codes", "FM723 bytes acts.1-3"]
    assert found[3].cells["acts"][0]["4-5"] == "01"


# --- layout -----------------------------------------------------------------------------------------------------------


def test_names_are_the_positions_that_are_read(tmp_path: Path) -> None:
    assert list(reader(tmp_path / "a.txt", "", GROUPS).names()) == ["1-4"]


def test_check_says_which_positions_no_line_reaches(tmp_path: Path) -> None:
    plan_of = replace(plan(column("5-6"), column("90-92"), key="1-4"), latest=Order("80-81"))
    opened = reader(tmp_path / "a.txt", "A001x\nA002", plan_of)
    found = opened.check({"1-4": "a", "80-81": "b", "5-6": "c", "90-92": "d", "codes": "e"})
    assert [(entry.code, entry.variant, entry.args["column"], entry.args["length"]) for entry in found] == [
        ("FM704", "positions", "80-81", 5),
        ("FM726", "positions", "90-92", 5),
    ]
    assert reader(tmp_path / "a.txt", "", plan_of).check({"1-4": "a"}) == []


def test_a_file_whose_lines_do_not_reach_its_key_is_not_read(tmp_path: Path) -> None:
    plan_of = plan(column("5-6"), key="8-9")
    with pytest.raises(ConfigError) as caught:
        rows(tmp_path / "a.txt", "A001x\nA002", plan_of)
    found = caught.value.diagnostic()
    assert (found.code, found.variant, found.args["column"], found.args["position"]) == (
        "FM704", "positions", "8-9", "a.map:1",
    )  # fmt: skip
    assert [row.cells["8-9"] for row in rows(tmp_path / "a.txt", "A001x\nA002   12", plan_of)] == ["", "12"]
    assert rows(tmp_path / "a.txt", "", plan_of) == []


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    opened = FixedReader(SourceFile(tmp_path / "a.txt", "a.txt", "a.txt"), STAY)
    with pytest.raises(ConfigError) as caught:
        list(opened.rows(()))
    assert caught.value.code == "FM701"
