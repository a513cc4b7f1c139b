"""What a run takes for withdrawn where not everything could be read: nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import COLUMNS, ROWS, Tiny, in_process, tiny, unfolded

__all__ = ["tiny"]

LONG_AGO = (1_700_000_000, 1_700_000_000)
MORE = [(str(number), row[1], "MOREL", "1980-01-02", f"L{number}") for number, row in enumerate(ROWS * 2, start=4)]
"""So many that half of them are left when a file cannot be read."""


def export(path: Path, rows: Sequence[Sequence[str | None]]) -> Path:
    """A file that was finished long ago."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [";".join(COLUMNS), *(";".join(cell or "" for cell in row) for row in rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.utime(path, LONG_AGO)
    return path


@pytest.fixture
def folder(tiny: Callable[..., Tiny]) -> Tiny:
    """Nine stays in two files, all of them sent."""
    found: Tiny = tiny("csv")
    export(found.folder / "in" / "a.csv", ROWS)
    export(found.folder / "in" / "b.csv", MORE)
    found.configure(source='url = "in/*.csv*"')
    assert in_process("run", found.folder).code == 0
    return found


@pytest.fixture
def single(tiny: Callable[..., Tiny]) -> Tiny:
    """Three stays in one file, all of them sent."""
    found: Tiny = tiny("csv")
    assert in_process("run", found.folder).code == 0
    return found


def withdrawn(project: Tiny) -> list[str]:
    found: dict[str, Any] = json.loads(in_process("status", project.folder, "--json").out)
    return [entry["key"] for entry in found["withdrawn"]]


def foreseen(project: Tiny) -> tuple[list[str], str | None]:
    """What a plan says of withdrawals, and why it says nothing."""
    found: dict[str, Any] = json.loads(in_process("plan", project.folder, "--json").out)
    return [entry["key"] for entry in found["withdrawn"]], (found["not_whole"] or {}).get("message")


def said(project: Tiny, command: str) -> str:
    return unfolded(in_process(command, project.folder).out)


def test_a_broken_file_of_several_makes_nothing_gone(folder: Tiny) -> None:
    (folder.folder / "in" / "a.csv").write_bytes(b"")
    os.utime(folder.folder / "in" / "a.csv", LONG_AGO)
    assert foreseen(folder) == ([], "1 file could not be read: no record is taken for withdrawn this time")
    assert "FM789" in said(folder, "plan")
    shown = said(folder, "run")
    assert "1 file could not be read: no record is taken for withdrawn this time (FM789)" in shown
    assert withdrawn(folder) == []
    # The size of the last complete reading is still that of all nine.
    export(folder.folder / "in" / "a.csv", [])
    export(folder.folder / "in" / "b.csv", MORE[:4])
    assert "FM665" in said(folder, "run")


def test_a_file_that_is_being_written_makes_nothing_gone(folder: Tiny) -> None:
    path = folder.folder / "in" / "a.csv"
    path.rename(path.with_name("a.csv.part"))
    assert foreseen(folder) == ([], "1 file is being written: no record is taken for withdrawn this time")
    assert in_process("run", folder.folder).code == 0
    assert withdrawn(folder) == []
    path.with_name("a.csv.part").rename(path)
    export(path, ROWS[1:])
    assert foreseen(folder) == (["1"], None)
    assert in_process("run", folder.folder).code == 1
    assert withdrawn(folder) == ["1"]


def test_everything_at_once_is_said_in_one_line(folder: Tiny) -> None:
    inner = folder.folder / "in"
    (inner / "a.csv").rename(inner / "a.csv.part")
    for name in ("c.csv", "d.csv"):
        (inner / name).write_bytes(b"")
        os.utime(inner / name, LONG_AGO)
    with (inner / "b.csv").open("a", encoding="utf-8") as file:
        file.write("too;few\n")
    os.utime(inner / "b.csv", LONG_AGO)
    assert foreseen(folder)[1] == (
        "2 files could not be read, 1 file is being written and 1 row could not be read: "
        "no record is taken for withdrawn this time"
    )


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("", id="key-lost-in-the-line-before"),
        pytest.param('1;"151024610204372;DURAND;1951-02-03;L1001', id="quote-never-closed"),
        pytest.param("DURAND;1951-02-03;L1001", id="cells-lost"),
        pytest.param("1\0;151024610204372;DURAND;1951-02-03;L1001", id="key-damaged"),
    ],
)
def test_a_line_that_cannot_be_read_makes_nothing_gone(single: Tiny, line: str) -> None:
    lines = single.data.read_text(encoding="utf-8").splitlines()
    lines[1] = line or "x;" + lines[1]
    single.data.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert foreseen(single) == ([], "1 row could not be read: no record is taken for withdrawn this time")
    assert in_process("run", single.folder).code == 1
    assert withdrawn(single) == []
    single.write(ROWS[1:])
    assert in_process("run", single.folder).code == 1
    assert withdrawn(single) == ["1"]


def test_an_entry_of_a_document_that_cannot_be_read_makes_nothing_gone(tiny: Callable[..., Tiny]) -> None:
    project: Tiny = tiny("json")
    assert in_process("run", project.folder).code == 0
    stays = json.loads(project.data.read_text(encoding="utf-8"))["stays"]
    project.data.write_text(json.dumps({"stays": ["?", *stays[1:]]}), encoding="utf-8")
    assert in_process("run", project.folder).code == 1
    assert withdrawn(project) == []


@pytest.mark.parametrize(
    "line", [pytest.param(";;;;", id="blank-key"), pytest.param(";".join(COLUMNS), id="the-names-again")]
)
def test_a_line_that_is_no_record_hides_none(single: Tiny, line: str) -> None:
    lines = single.data.read_text(encoding="utf-8").splitlines()
    single.data.write_text("\n".join([lines[0], line, *lines[2:]]) + "\n", encoding="utf-8")
    assert foreseen(single) == (["1"], None)
    assert in_process("run", single.folder).code == 1
    assert withdrawn(single) == ["1"]


def test_a_source_that_is_declared_a_part_says_nothing_of_it(folder: Tiny) -> None:
    folder.configure(source='url = "in/*.csv*"\ncomplete = false')
    (folder.folder / "in" / "a.csv").write_bytes(b"")
    os.utime(folder.folder / "in" / "a.csv", LONG_AGO)
    assert foreseen(folder) == ([], None)
    assert "FM789" not in said(folder, "run")
