"""Whose the rows are that cannot be read."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import pytest

from fhirmap.sources.lost_rows import LostRows
from tests.sources.records_of import read_model


def test_all_parts_of_a_key_are_in_one_row() -> None:
    rows = LostRows()
    assert rows.origin_of(["1"]) == ""
    rows.add([" 1 ", "A", ""], "a.csv:2")
    rows.add(["2", "A"], "a.csv:3")
    rows.add([], "a.csv:4")
    assert [rows.origin_of(parts) for parts in (["1"], ["A"], ["1", "A"], ["2", "A"])] == [
        "a.csv:2",
        "a.csv:2",
        "a.csv:2",
        "a.csv:3",
    ]
    rows.add(["1", "B"], "a.csv:5", "B")
    assert (rows.origin_of(["B"], "B"), rows.origin_of(["B"], "1"), rows.origin_of(["1"], "1")) == (
        "",
        "a.csv:5",
        "a.csv:2",
    )
    assert [rows.origin_of(parts) for parts in (["1", "2"], ["3"], [""], [])] == [""] * 4


def test_memory_is_bounded() -> None:
    rows = LostRows()
    for number in range(12_000):
        rows.add([str(number)], str(number))
    assert (rows.origin_of(["9999"]), rows.origin_of(["10000"])) == ("9999", "")


LINES = """
model Stay from csv key 'id' delimiter ';' { id : string 1..1 from 'id'  poses : Pose 0..* lines }
model Pose { lot : string 1..1 from 'lot' }
"""
LATEST = "model Stay from csv key 'id' delimiter ';' latest by 'at' { lot : string 1..1 from 'lot' }"
BOTH = "model Stay from csv key 'id', 'at' delimiter ';' { poses : Pose 0..* lines }\nmodel Pose { lot : string 1..1 }"


def faults_of(model: str, folder: Path, *lines: str) -> Mapping[str, list[str]]:
    """The faults by key; of a key that cannot be read, by the empty one."""
    path = folder / "a.csv"
    path.write_text("\n".join(["id;lot;at", *lines, ""]), encoding="utf-8")
    return {record.key: record.faults for record in read_model(path, model).records if not record.superseded}


@pytest.mark.parametrize("line", ['"1;B;2', 'B;1;2;"x"y', "2025;B;1;3", '"2025"z;"1";B'])
def test_a_record_that_may_lack_a_line_is_not_sent(tmp_path: Path, line: str) -> None:
    found = faults_of(LINES, tmp_path, "1;A;1", "7;A;1", line, "8;A;1")
    assert "FM779 lost" in found["1"]
    assert {fault for key in "78" for fault in found[key]} <= {"FM779"}
    (other,) = found.keys() - {"1", "7", "8"}
    assert found[other][-1].startswith("FM719")


@pytest.mark.parametrize("line", ['"1;B;2', "B;1;2;x", '"1";"B"x;2'])
def test_an_older_revision_is_not_sent_in_the_place_of_one_that_cannot_be_read(tmp_path: Path, line: str) -> None:
    found = faults_of(LATEST, tmp_path, "1;A;1", "7;A;1", line, "8;A;1")
    assert "FM779 lost" in found["1"]
    assert {fault for key in "78" for fault in found[key]} <= {"FM779 revision"}


def test_the_parts_of_a_key_are_in_one_line(tmp_path: Path) -> None:
    found = faults_of(BOTH, tmp_path, "1;A;4", "1;A;5", "7;A;4", '"1;B;4', "8;A;1")
    assert [key for key, faults in found.items() if "FM779 lost" in faults] == ["1|4"]


def test_a_file_that_cannot_be_read_counts_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;lot;at\n1;A;1\n", encoding="utf-8")
    text = 'id;lot;at\n"1;B;1\n' + "".join(f"{number};{number**9};1\n" for number in range(10, 20_000))
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(text.encode())[:-20])
    found = {record.key: record.faults for record in read_model(tmp_path / "*", LINES).records}
    assert found == {"1": ["FM779"], "": ["FM702 damaged"]}


JOINED = """
model Stay from csv key 'id' delimiter ';' {{ by : Surgeon {card} join on 'rpps' = 'by' }}
model Surgeon from csv source 'other' key 'rpps' delimiter ';' {{ name : string 0..1 from 'name' }}
"""


@pytest.mark.parametrize(
    ("line", "card", "faulty"),
    [
        ('"S3;C', "0..1", {"3"}),
        ("Dr;S3;C", "0..1", {"3"}),
        ("Dr;S2;C", "0..1", set()),
        ("Dr;S2;C", "0..*", {"2"}),
        ('"S2";"C"x', "0..*", {"2"}),
        ("S4;C", "0..*", set()),
        ("S3;C;x", "0..1", {"3"}),
    ],
)
def test_a_record_that_may_lack_a_joined_row_is_not_sent(
    tmp_path: Path, line: str, card: str, faulty: set[str]
) -> None:
    (tmp_path / "stays.csv").write_text("id;by\n1;S1\n2;S2\n3;S3\n4;\n5;NULL\n", encoding="utf-8")
    (tmp_path / "other.csv").write_text(f"rpps;name\nS1;A\nS2;B\n{line}\nNULL;x;y\n", encoding="utf-8")
    others = {"other": str(tmp_path / "other.csv")}
    found = read_model(tmp_path / "stays.csv", JOINED.format(card=card), others).records
    assert {record.key for record in found if any(fault.startswith("FM778") for fault in record.faults)} == faulty


OBJECTS = "model Stay from json key 'id' latest by 'at' { lot : string 0..1 }"


@pytest.mark.parametrize("line", ['{"id": "1", "at": 2, "lot": "B', '{"id": 1, "id": 1, "at": 2}', '{"at": 2 "id": 1}'])
def test_an_object_that_cannot_be_read_may_be_a_later_revision(tmp_path: Path, line: str) -> None:
    path = tmp_path / "a.ndjson"
    path.write_text(f'{{"id": "1", "at": 1}}\n{{"id": "7", "at": 1}}\n{line}\n', encoding="utf-8")
    found = {record.key: record.faults for record in read_model(path, OBJECTS).records}
    assert (found["1"], found["7"]) == (["FM779 lost", "FM779 revision"], ["FM779 revision"])
    path.write_text('{"id": "1", "at": 1}\n{"id": "7", "at": 1}\n', encoding="utf-8")
    assert {record.key: record.faults for record in read_model(path, OBJECTS).records} == {"1": [], "7": []}


def test_a_file_that_is_not_whole_may_have_a_later_revision(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id;lot;at\n1;A;1\n", encoding="utf-8")
    (tmp_path / "b.csv.part").write_text("id;lot;at\n1;", encoding="utf-8")
    found = {record.key: record.faults for record in read_model(tmp_path / "*", LATEST).records}
    assert found == {"1": ["FM779 revision"]}
