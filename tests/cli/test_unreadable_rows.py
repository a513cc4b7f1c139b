"""A row of the journal that cannot be read costs its own record: it is said, and every command goes on."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.cli.conftest import NIR, ROWS, Tiny, in_process, unfolded


@pytest.mark.parametrize(
    "column",
    [
        "issues = '{'",
        "issues = '[{\"a\": 1}]'",
        "issues = '[1]'",
        "issues = '" + "[" * 5000 + "'",
        "notes = '[1]'",
        "notes = 'null'",
        "faults = 'no'",
        'faults = \'[{"code": "FM999"}]\'',
        'faults = \'[{"code": "FM404", "args": 1}]\'',
        "changed_at = 'soon'",
        "status = 'x'",
    ],
)
def test_a_row_that_cannot_be_read(tiny: Callable[..., Tiny], column: str) -> None:
    project = tiny().write([*ROWS, ("4", NIR, "X", "no date", "L")])
    assert in_process("run", project.folder).code == 1
    with closing(sqlite3.connect(project.folder / "journal.db")) as journal, journal:
        journal.execute(f"UPDATE fhirmap_entry SET {column} WHERE key IN ('2', '4')")
    for command in (("status",), ("status", "--records"), ("status", "--key", "2"), ("status", "--key", "4")):
        done = in_process(*command, project.folder) if len(command) < 3 else in_process(*command, "--", project.folder)
        assert done.code in (0, 1), done
    assert "cannot be read" in unfolded(in_process("status", project.folder, "--records").out)
    assert in_process("retry", project.folder, "--refused", "--reason", "x").code in (0, 1)
    assert in_process("plan", project.folder).code in (0, 1)
    project.write([*ROWS, ("4", NIR, "X", "no date", "L"), ("5", NIR, "Y", "1951-02-03", "L")])
    done = in_process("run", project.folder)
    assert done.code == 1
    assert project.ledger["accepted"] == 1
    assert "Traceback" not in done.out + done.err
