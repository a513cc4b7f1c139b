"""What a scheduler is given: units that systemd takes, a task of Windows with the elements that it has to have."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from fhirmap.cli import faults

ROOT = Path(__file__).resolve().parents[2]
UNITS = ROOT / "packaging" / "systemd"
WINDOWS = ROOT / "packaging" / "windows"
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """The units of one project, with a program that is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    for unit in UNITS.iterdir():
        text = re.sub("^ExecStart=[^ ]+", "ExecStart=/bin/true", unit.read_text(encoding="utf-8"), flags=re.MULTILINE)
        for name in (unit.name, unit.name.replace("@", "@north")):
            (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def analyzed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)


def test_systemd_takes_the_units(units: Path) -> None:
    done = analyzed("verify", "--man=no", *sorted(units.glob("*@north.*")))
    found = [line for line in done.stderr.splitlines() if "fhirmap" in line]
    assert (done.returncode, found) == (0, [])


def test_a_setting_that_systemd_does_not_know_is_found(units: Path) -> None:
    unit = units / "fhirmap@north.service"
    unit.write_text(unit.read_text(encoding="utf-8") + "ProtectEverything=yes\n", encoding="utf-8")
    assert "ProtectEverything" in analyzed("verify", "--man=no", unit).stderr


def test_the_service_is_confined(units: Path) -> None:
    done = analyzed("security", "--offline=true", "--no-pager", "--threshold=20", units / "fhirmap@north.service")
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd does not look at files")
    assert done.returncode == 0, done.stdout[-300:]


def test_a_run_with_records_to_look_at_is_no_failure() -> None:
    service = (UNITS / "fhirmap@.service").read_text(encoding="utf-8")
    assert f"SuccessExitStatus={faults.EXIT_RECORDS}\n" in service
    assert "OnFailure=fhirmap-failed@%i.service\n" in service
    assert (UNITS / "fhirmap-failed@.service").exists()


def test_the_task_of_windows_has_what_its_schema_asks_for() -> None:
    task = etree.parse(WINDOWS / "fhirmap-night.xml").getroot()
    assert task.tag == f"{TASK}Task"
    # of the complex type `taskType`; `Actions` and one `Principal` are what a task cannot do without
    assert [child.tag.removeprefix(TASK) for child in task] == [
        "RegistrationInfo",
        "Triggers",
        "Principals",
        "Settings",
        "Actions",
    ]
    trigger = task.find(f"{TASK}Triggers/{TASK}CalendarTrigger")
    assert trigger is not None
    assert [child.tag.removeprefix(TASK) for child in trigger] == ["StartBoundary", "RandomDelay", "ScheduleByDay"]
    principal, actions = task.find(f"{TASK}Principals/{TASK}Principal"), task.find(f"{TASK}Actions")
    assert principal is not None and actions is not None
    assert actions.get("Context") == principal.get("id")
    assert principal.findtext(f"{TASK}RunLevel") == "LeastPrivilege"
    settings = {child.tag.removeprefix(TASK): child.text for child in task.iterfind(f"{TASK}Settings/*")}
    assert settings["MultipleInstancesPolicy"] == "IgnoreNew"
    assert settings["StartWhenAvailable"] == "true"
    command = actions.findtext(f"{TASK}Exec/{TASK}Command") or ""
    assert command.endswith("fhirmap-night.cmd")


def test_the_command_file_ends_with_the_exit_code_of_the_run() -> None:
    content = (WINDOWS / "fhirmap-night.cmd").read_bytes()
    lines = content.decode("ascii").split("\r\n")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert lines[-2:] == ["exit /b %ERRORLEVEL%", ""]
    assert "fhirmap.exe" in lines[-3]
