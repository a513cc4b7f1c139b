"""Messages of HL7 v2 as rows: each message, or each segment of a name with those that follow it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.errors import ConfigError
from fhirmap.runtime.reading import at
from fhirmap.source_plan import RowLayout, SourceColumn
from fhirmap.sources.files.hl7_reader import Hl7Reader
from fhirmap.sources.files.source_files import SourceFile
from tests.sources.files.hl7_exports import faults, message, plan, reader, rows

ORU = message("PID|1||7^^^X^PI", "OBR|1||A", "OBX|1", "OBX|2", "OBR|2||B", "NTE|1")


def test_a_message_is_its_segments_by_name(tmp_path: Path) -> None:
    (found,) = rows(tmp_path / "a.hl7", ORU, plan("PID.3.1"))
    assert list(found.cells) == ["MSH", "PID", "OBR", "OBX", "NTE"]
    assert [type(found.cells[name]) is list for name in ("PID", "OBR", "OBX")] == [False, True, True]
    assert [at(found.cells, path) for path in [("PID", "3", "5"), ("OBR", "3"), ("OBX", 1, "1")]] == [
        "PI",
        ["A", "B"],
        "2",
    ]


def test_a_segment_has_those_that_follow_it_and_the_message_above(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.hl7", ORU, plan("3", "OBX.1", "../PID.3.1", path="OBR", key="3"))
    assert [(row.place, row.number, row.is_lost, row.faults) for row in found] == [
        (":3", 1, False, []),
        (":6", 2, False, []),
    ]
    read = [[at(row.cells, path) for path in [("3",), ("OBX", "1"), ("NTE", "1"), ("..", "PID", "3")]] for row in found]
    assert read == [["A", ["1", "2"], None, "7"], ["B", None, "1", "7"]]
    assert at(found[0].cells, ("..", "OBR")) is None


def test_a_message_without_the_segment_is_a_fault_that_where_may_pass_over(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.hl7", message("PID|1", kind="ADT^A08") + ORU, plan("3", path="OBR", key="3"))
    assert (faults(found), found[0].is_lost) == ([":1 FM784 lacking"], False)
    assert at(found[0].cells, ("..", "MSH", "9")) == "ADT"
    assert found[0].faults[0].args == {"line": 1, "name": "OBR"}


def test_rows_are_the_same_each_time(tmp_path: Path) -> None:
    opened = reader(tmp_path / "a.hl7", ORU * 3, plan("PID.3"))
    assert list(opened.rows(())) == list(opened.rows(())) != []


def test_a_fault_of_a_message_is_of_each_of_its_records(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.hl7", message("OBR|1||A", "odd", "OBR|2||B"), plan("3", path="OBR", key="3"))
    assert faults(found) == [":2 FM784", ":4 FM784"]


def test_names_are_every_path(tmp_path: Path) -> None:
    opened = reader(tmp_path / "a.hl7", message("PID|1||7^^^X&1~8", "OBX|1", "OBX|||A"), plan())
    names = [name for name in opened.names() if not name.startswith("MSH")]
    assert [name for name in names if not name.endswith(".1")] == [
        "PID",
        "PID.3",
        "PID.3.4",
        "PID.3.4.2",
        "OBX",
        "OBX.3",
    ]
    assert {"MSH.1", "MSH.7", "MSH.9.2", "PID.1", "PID.3.1", "OBX.1.1"} <= set(opened.names())
    of_groups = reader(tmp_path / "a.hl7", ORU, plan(path="OBR")).names()
    assert {"3", "OBR.3", "OBX.1", "../PID.3.5", "../MSH.7"} <= set(of_groups)


def test_check_says_which_paths_of_child_rows_no_message_has(tmp_path: Path) -> None:
    inner = SourceColumn("9", "a.map:5:5", "B.9", "string"), SourceColumn("1", "a.map:6:5", "B.1", "string")
    nested = SourceColumn("OBX", "a.map:4:5", "A.rows", repeats=True, nested=True, below=RowLayout("B", inner))
    plan_of = plan("PID.3.1", "PID.3.9")
    plan_of = replace(plan_of, shape=RowLayout("A", (*plan_of.shape.columns, nested)))
    needed = {"PID.3.1": "a.map:1:3", "PID.3.9": "a.map:2:3", "OBX": "a.map:4:5"}
    (found,) = reader(tmp_path / "a.hl7", ORU, plan_of).check(needed)
    assert (found.code, found.args["column"], found.args["position"]) == ("FM726", "OBX.9", "a.map:5:5")
    assert {name.partition(".")[0] for name in found.known} == {"OBX"}


def test_check_says_what_is_left_out(tmp_path: Path) -> None:
    content = message("PID|1||||DUVAL") + message("PID|1||||DUVAL^Anne")
    found = reader(tmp_path / "a.hl7", content, plan("PID.5")).check({"PID.5": "a.map:1:3", "MSH.10": "a.map:9:1"})
    assert [(entry.code, entry.variant, entry.args["column"], entry.args["position"]) for entry in found] == [
        ("FM786", "source", "PID.5", "a.map:1:3")
    ]


def test_check_finds_nothing_in_a_file_whose_lines_are_all_lost(tmp_path: Path) -> None:
    assert reader(tmp_path / "a.hl7", "MSH|\rPID|1\r", plan("PID.5")).check({}) == []


@pytest.mark.parametrize("call", ["names", "check", "rows"])
def test_a_file_that_is_not_there(tmp_path: Path, call: str) -> None:
    opened = Hl7Reader(SourceFile(tmp_path / "a.hl7", "a.hl7", "a.hl7"), plan("PID.5"))
    with pytest.raises(ConfigError) as caught:
        opened.names() if call == "names" else opened.check({}) if call == "check" else list(opened.rows(()))
    assert caught.value.code == "FM701"


def test_a_file_that_changed_is_proved_again(tmp_path: Path) -> None:
    opened = reader(tmp_path / "a.hl7", message("PID|1||||Noël"), plan("PID.5"))
    assert len(list(opened.rows(()))) == 1
    (tmp_path / "a.hl7").write_bytes(message("PID|1||||Noël et Anne").encode("cp1252"))
    with pytest.raises(ConfigError) as caught:
        list(opened.rows(()))
    assert caught.value.code == "FM705"
