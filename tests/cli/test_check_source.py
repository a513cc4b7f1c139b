"""`check MAP --source`: a single map against a source, as a project's map against its own."""

from __future__ import annotations

import gzip
import sqlite3
from pathlib import Path

import pytest
import xlsxwriter

from tests.cli.conftest import in_process, unfolded

MAP = """model M from table 'OP' key 'id' {
  id    : string 1..1 from 'id'
  poses : Pose   0..* join 'POSE' on 'id'
}
model Pose {
  lot : string 0..1 from 'lot'
}
uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group g(source s : M, target t : Basic) {
  s.id as v -> t.id = v, t.code = cc('urn:s', 'c');
  s.poses as p then { p.lot as v -> t.identifier as i, i.value = v; };
}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "m.map").write_text(MAP, encoding="utf-8")
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.executescript("CREATE TABLE OP (id int PRIMARY KEY); CREATE TABLE POSE (id int, lot text);")
    connection.close()
    return tmp_path


def checked(place: Path, old: str = "", new: str = "", source: str = "") -> tuple[int, str]:
    (place / "m.map").write_text(MAP.replace(old, new) if old else MAP, encoding="utf-8")
    done = in_process("check", place / "m.map", "--source", source or f"sqlite:///{place}/a.db", "--lang", "en")
    return done.code, unfolded(done.out + done.err)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("'OP'", "'OPE'", "error[FM151]: the source has no table or view `OPE`"),
        ("from 'lot'", "from 'lott'", "did you mean `lot`?"),
        ("on 'id'", "on 'POSE.id' = 'OP.id'", "`POSE` has no column `POSE.id`"),
        ("on 'id'", "on 'POSE.id' = 'id'", "did you mean `id`?"),
        ("join 'POSE'", "join query 'select id, lot from POZE'", "m.map:3:34"),
        ("table 'OP'", "query 'select id from OPE'", "m.map:1:"),
    ],
)
def test_what_the_source_lacks(place: Path, old: str, new: str, said: str) -> None:
    code, shown = checked(place, old, new)
    assert (code, said in shown) == (2, True), shown


def test_a_source_that_has_it_all(place: Path) -> None:
    assert checked(place)[0] == 0


def test_a_source_that_cannot_be_reached_is_a_warning(place: Path) -> None:
    code, shown = checked(place, source=f"sqlite:///{place}/b.db")
    assert (code, "warning[FM761]" in shown) == (0, True), shown


BASIC = """uses "http://hl7.org/fhir/StructureDefinition/Basic" alias Basic as target
group g(source s : M, target t : Basic) { s.id as v -> t.id = v, t.code = cc('urn:s', 'c'); };
"""


@pytest.mark.parametrize(
    ("name", "content", "store", "said"),
    [
        ("a.csv", b"", "csv key 'id'", "error[FM711]: "),
        ("a.csv", b"CANARY;LUC\nPETIT;ANNE\nDURAND;PAUL\n", "csv key 'id'", "looks like data"),
        ("a.csv", b'id;"lot\n1;2\n', "csv key 'id'", "error[FM712]: "),
        ("a.json", b'[{"id": 1},', "json key 'id'", "error[FM713]: "),
        ("a.csv.gz", b"\x1f\x8b\x08\x00damaged", "csv key 'id'", "error[FM702]: "),
        ("a.csv.gz", b"\x1f\x8b\x08\x00damaged", "csv key 'id'", "hint: have the file sent or exported again"),
        ("a.csv.gz", b"no archive", "csv key 'id'", "hint: have the file sent or exported again"),
        ("a.csv.zip", b"no archive", "csv key 'id'", "hint: have the file sent or exported again"),
        (
            "a.csv.gz",
            gzip.compress(b"id\n1\n", mtime=0)[:-9],
            "csv key 'id'",
            "hint: have the file sent or exported again",
        ),
        ("a.xml", b"<!DOCTYPE a><a><b id='1'/></a>", "xml path 'a.b' key '@id'", "error[FM780]: "),
        ("a.xlsx", b"no workbook", "sheet key 'id'", "error[FM757]: "),
        ("a.db", b"no database at all, but long enough to be one" * 40, "table 'OP' key 'id'", "error[FM706]: "),
    ],
)
def test_a_file_that_is_refused_is_an_error_of_its_own(
    tmp_path: Path, name: str, content: bytes, store: str, said: str
) -> None:
    column = "@id" if "@id" in store else "id"
    (tmp_path / "m.map").write_text(
        f"model M from {store} {{ id : string 1..1 from '{column}' }}\n{BASIC}", encoding="utf-8"
    )
    (tmp_path / name).write_bytes(content)
    source = f"sqlite:///{tmp_path}/{name}" if name.endswith(".db") else str(tmp_path / name)
    done = in_process("check", tmp_path / "m.map", "--source", source, "--lang", "en")
    shown = unfolded(done.out + done.err)
    assert (done.code, said in shown, "FM761" in shown, "CANARY" in shown) == (2, True, False, False), shown


def test_a_source_of_another_kind(place: Path) -> None:
    (place / "a.csv").write_text("id\n1\n", encoding="utf-8")
    code, shown = checked(place, source=str(place / "a.csv"))
    assert (code, "error[FM716]" in shown) == (2, True), shown


def test_a_map_that_reads_no_source(place: Path) -> None:
    code, shown = checked(place, " from table 'OP' key 'id'", "")
    assert (code, "error[" in shown) == (2, True), shown


@pytest.mark.parametrize(
    ("source", "code", "said"),
    [
        ("theatre=a.db", 0, ""),
        ("a.db", 2, "`M` reads `source 'theatre'`, and no address is given for it"),
        ("ward=a.db", 2, "write `--source theatre=ADDRESS`"),
    ],
)
def test_a_source_that_the_map_names(place: Path, source: str, code: int, said: str) -> None:
    given = source.replace("a.db", f"sqlite:///{place}/a.db")
    found, shown = checked(place, "table 'OP'", "table 'OP' source 'theatre'", given)
    assert (found, said in shown) == (code, True), shown


def test_a_sheet_without_names_is_an_error_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "m.map").write_text(
        f"model M from sheet key 'id' {{ id : string 1..1 from 'id' }}\n{BASIC}", encoding="utf-8"
    )
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet("F")
    done = in_process("check", tmp_path / "m.map", "--source", tmp_path / "a.xlsx", "--lang", "en")
    shown = unfolded(done.out + done.err)
    assert (done.code, "error[FM758]: " in shown, "FM761" in shown) == (2, True, False), shown
