"""Streams that are closed, full, or pipes whose reader has gone: they stop and hide no run, and no lost output is 0."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Tiny, in_process

Make = Callable[..., Tiny]
PROGRAM = f"{sys.executable} -m fhirmap"


def shell(line: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", "-c", line], capture_output=True, text=True, encoding="utf-8", timeout=120)


@pytest.mark.parametrize(
    "streams",
    [
        "2>&-",
        ">/dev/full",
        "2>/dev/full",
        "--json >/dev/full 2>&-",
        "--log-format json 2>/dev/full",
        "<&- >&- 2>&-",
        "| true",
        "--json | head -c 5",
    ],
)
def test_a_run_does_all_and_its_exit_code_is_its_own(tiny: Make, streams: str) -> None:
    project = tiny()
    project.write([(str(n), "151024610204372", "DURAND", "1951-02-03", "L") for n in range(20)])
    done = shell(f"{PROGRAM} run {project.folder} {streams}; exit ${{PIPESTATUS[0]}}")
    assert done.returncode == 0, done
    assert len(project.sent) == 20
    assert project.ledger["accepted"] == 20
    assert list((project.folder / "reports").glob("*.html"))
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception ignored" not in done.stderr
    assert ("cannot be written" in done.stderr) == (streams in (">/dev/full", "| true"))


def test_what_a_run_has_to_say_is_said_by_its_exit_code_all_the_same(tiny: Make) -> None:
    project = tiny().write([("1", "151024610204372", "DURAND", "no date", "L")])
    assert shell(f"{PROGRAM} run {project.folder} >/dev/full 2>&-").returncode == 1
    assert project.ledger["invalid"] == 1


@pytest.mark.parametrize("command", ["status", "check", "doctor --offline", "explain FM100"])
def test_output_that_is_lost_is_no_success(tiny: Make, command: str) -> None:
    project = tiny()
    assert in_process("run", project.folder).code == 0
    name, *more = command.split()
    place = "" if name in ("explain", "functions") else str(project.folder)
    line = " ".join([PROGRAM, name, *more, place])
    full = shell(f"{line} >/dev/full")
    assert full.returncode == 2, full
    assert "FM744" in full.stderr
    assert "Traceback" not in full.stderr
    assert "Exception ignored" not in full.stderr
    assert shell(f"{line} 2>&-").returncode == in_process(name, *more, *([place] if place else [])).code


def test_a_file_opened_while_standard_error_is_closed_is_not_it(tiny: Make, tmp_path: Path) -> None:
    """Else what a library writes there would be in the journal."""
    seen = tmp_path / "seen.json"
    code = (
        "import os, json; from fhirmap.cli.streams import keep_streams_open; keep_streams_open();"
        f" f = open({str(seen)!r}, 'w'); json.dump(f.fileno(), f)"
    )
    assert shell(f'{sys.executable} -c "{code}" <&- >&- 2>&-').returncode == 0
    assert json.loads(seen.read_text()) > 2
