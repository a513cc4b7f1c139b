"""What a map reads of messages: escape sequences without a meaning, and components that are left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fhirmap.source_plan import RowLayout, SourceColumn, SourcePlan
from fhirmap.sources.files.hl7_paths import FieldReads
from tests.sources.files.hl7_exports import faults, message, plan, reader, rows


def nested(path: str, *names: str, root: str = "") -> SourcePlan:
    """A plan whose child rows are at ``path``, and are read by ``names``."""
    below = RowLayout(
        "B", tuple(SourceColumn(name, f"a.map:{n}:5", f"B.{n}", "string") for n, name in enumerate(names))
    )
    column = SourceColumn(path, "a.map:4:5", "A.rows", repeats=True, nested=True, below=below)
    return replace(plan(path=root), shape=RowLayout("A", (column,)))


def test_an_escape_sequence_without_a_meaning_empties_its_field(tmp_path: Path) -> None:
    found = rows(tmp_path / "a.hl7", message("PID|1||||A\\Zx\\||B|C\\"), plan("PID.5.1", "PID.7"))
    assert faults(found) == [":1 FM785 PID.5.1"]
    assert found[0].faults[0].args == {"column": "PID.5", "line": 2}
    assert (list(found[0].cells["PID"]), found[0].cells["PID"]["8"]) == (["1", "7", "8"], "C\\")


@pytest.mark.parametrize(
    ("plan_of", "is_read"),
    [
        (plan("OBX.5"), True),
        (plan("OBX[3=X].5"), True),
        (plan("OBX.3", "PID.5"), False),
        (plan("OBX.3", key="OBX.5"), True),
        (nested("OBX", "5"), True),
        (nested("OBX", "3"), False),
        (nested("PID", "../OBX.5"), True),
        (nested("OBX.5", "1"), True),
        (nested("5", "1", root="OBX"), True),
        (plan("../OBX.5", path="PID"), True),
    ],
)
def test_fields_are_read_by_any_path(tmp_path: Path, plan_of: SourcePlan, is_read: bool) -> None:
    content = message("OBX|1|ST|X||\\Zx\\", "PID|1")
    found = rows(tmp_path / "a.hl7", content, plan_of)
    assert [(fault.code, fault.args["column"]) for fault in found[0].faults] == (
        [("FM785", "OBX.5")] if is_read else []
    )
    # The columns are those of the map, so that the key or a condition knows what it cannot read.
    names = {read.name for read in FieldReads(plan_of, (*plan_of.key, *plan_of.shape.column_names)).all}
    assert all(set(fault.columns) <= names for fault in found[0].faults)


@pytest.mark.parametrize(
    ("name", "field", "is_left_out"),
    [
        ("PID.5", "DUVAL^Anne", True),
        ("PID.5", "DUVAL", False),
        ("PID.5", "DUVAL^^", False),
        ("PID.5", "^Anne", True),
        ("PID.5", "DUVAL~MARTIN^Anne", True),
        # A text whose `&` is not escaped: what comes after it is a subcomponent.
        ("PID.5", "DUVAL & Cie", True),
        ("PID.5.1", "DUVAL & Cie", True),
        ("PID.5", "DUVAL\\T\\Cie", False),
        ("PID.5.1", "DUVAL^Anne", False),
        ("PID.5.1", "DUVAL&DE^Anne", True),
        ("PID.5.1.1", "DUVAL&DE^Anne", False),
        ("PID.5.2", "DUVAL^Anne", False),
        ("PID.5[7=L]", "DUVAL^Anne~MARTIN^^^^^^L", True),
        ("PID.5[2=Anne].1", "DUVAL^Anne", False),
        ("PID.5[7=L]", "DUVAL^Anne", False),
    ],
)
def test_components_beside_the_one_that_is_read(tmp_path: Path, name: str, field: str, is_left_out: bool) -> None:
    found = rows(tmp_path / "a.hl7", message(f"PID|1||||{field}"), plan(name))
    assert faults(found) == ([f":1 FM786 {name}"] if is_left_out else [])
    if is_left_out:
        (fault,) = found[0].faults
        assert (fault.severity, fault.position, fault.args) == ("warning", "a.map:1:3", {"column": name})


def test_components_are_left_out_of_child_rows_and_of_groups(tmp_path: Path) -> None:
    content = message("PID|1||||DUVAL^Anne", "OBR|1||A^B", "OBX|1||C^D")
    assert faults(rows(tmp_path / "a.hl7", content, nested("OBX", "3", "3.1"))) == [":1 FM786 OBX.3"]
    assert faults(rows(tmp_path / "a.hl7", content, nested("OBX", "3.2", "../PID.5"))) == [":1 FM786 ../PID.5"]
    found = rows(tmp_path / "a.hl7", content, plan("3", "OBX.3", "../PID.5", "../PID.5.1", path="OBR"))
    assert faults(found) == [":3 FM786 3", ":3 FM786 OBX.3", ":3 FM786 ../PID.5"]


def test_what_is_not_asked_for_is_no_fault(tmp_path: Path) -> None:
    plan_of = plan("PID.5", "PID.7")
    opened = reader(tmp_path / "a.hl7", message("PID|1||||A^B||\\Zx\\"), plan_of)
    assert [faults(list(opened.rows(names))) for names in (("MSH.10",), ("MSH.10", "PID.5"), ("PID.7",))] == [
        [],
        [":1 FM786 PID.5"],
        [":1 FM785 PID.7"],
    ]
