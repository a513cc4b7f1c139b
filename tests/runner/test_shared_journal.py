"""Several projects, or one under several names, with one journal in PostgreSQL. FHIRMAP_TEST_POSTGRESQL names a
server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import ROWS, Receiver, Tiny, in_process, receiver, tiny
from tests.runner.test_kill_postgresql import URL, Database, database

__all__ = ["database", "receiver", "tiny"]

pytestmark = pytest.mark.skipif(not URL, reason="FHIRMAP_TEST_POSTGRESQL names no server")

OTHERS = [(key, "175127511100173", "LEROY", "1975-12-05", f"M{key}") for key in "1234"]
Make = Callable[..., Tiny]


@pytest.fixture
def at(receiver: Callable[..., Receiver]) -> Receiver:
    return receiver()


@pytest.fixture
def hospital(tiny: Make, database: Database, at: Receiver, tmp_path: Path) -> Callable[..., Tiny]:
    """``hospital(name)``: a project of that name in a folder of its own, with the shared journal."""

    def make(name: str, rows: Any = ROWS, folder: str = "") -> Tiny:
        found = tiny(folder=tmp_path / (folder or name)).write(rows)
        limits = "rate_per_s = 500\nattempts = 1\nbackoff_s = 0"
        return found.to(at.url, limits=limits, project=f'name = "{name}"', journal=f'url = "{database.url}"')

    return make


def status(project: Tiny) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(in_process("status", project.folder, "--json").out)
    return found


def test_two_projects_do_not_touch_one_another(hospital: Callable[..., Tiny], at: Receiver) -> None:
    first, second = hospital("one"), hospital("two", OTHERS)
    for project in (first, second, first, second):
        assert in_process("run", project.folder).code == 0
    assert len(at.received) == 7
    second.write(OTHERS[1:])
    assert in_process("run", second.folder).code == 1
    assert [entry["key"] for entry in status(second)["withdrawn"]] == ["1"]
    assert status(first)["withdrawn"] == []
    assert in_process("acknowledge", "1", "--why", "x", "--project", first.folder).code == 2


@pytest.mark.parametrize("changed", ["nothing", "one record"])
def test_another_name_sends_nothing_until_it_is_meant(
    hospital: Callable[..., Tiny], at: Receiver, changed: str
) -> None:
    project = hospital("one")
    assert in_process("run", project.folder).code == 0
    if changed == "one record":
        project.write([("1", *OTHERS[0][1:]), *ROWS[1:]])
    project.configure(project='name = "renamed"')
    count = "3" if changed == "nothing" else "2"
    for command in ("plan", "run"):
        in_process(command, project.folder).reported("FM809", 3, "`one`", "`renamed`", f"holds {count} of", "--resend")
    assert len(at.received) == 3
    assert in_process("status", project.folder).code == 0
    project.configure(project='name = "one"')
    assert in_process("run", project.folder).code == 0
    assert len(at.received) == 3 + (changed != "nothing")
    project.configure(project='name = "renamed"')
    assert in_process("run", project.folder, "--resend").code == 0
    assert len(at.received) == 6 + (changed != "nothing")
    assert in_process("run", project.folder).code == 0, "it has accepted records of its own"


def test_a_renamed_project_may_keep_its_records(
    hospital: Callable[..., Tiny], at: Receiver, database: Database
) -> None:
    project = hospital("one")
    assert in_process("run", project.folder).code == 0
    project.configure(project='name = "renamed"', journal=f'url = "{database.url}"\nproject = "one"')
    assert in_process("plan", project.folder).code == 0
    assert in_process("run", project.folder).code == 0
    assert len(at.received) == 3
    assert status(project)["states"] == {"accepted": 3}


def test_another_project_of_the_same_name_withdraws_and_sends_nothing(
    hospital: Callable[..., Tiny], at: Receiver
) -> None:
    first, second = hospital("one"), hospital("one", OTHERS, folder="copied")
    assert in_process("run", first.folder).code == 0
    for command in ("plan", "run"):
        in_process(command, second.folder).reported("FM809", 3, "`one`", "copied", "--resend")
    assert len(at.received) == 3
    assert status(first)["states"] == {"accepted": 3}
    assert status(first)["withdrawn"] == []
    assert in_process("run", first.folder).code == 0
    second.configure(project='name = "two"')
    assert in_process("run", second.folder).code == 0
    assert len(at.received) == 7


def test_a_source_that_has_moved_is_the_same(hospital: Callable[..., Tiny], at: Receiver) -> None:
    first, moved = hospital("one"), hospital("one", [*ROWS, OTHERS[3]], folder="moved")
    assert in_process("run", first.folder).code == 0
    assert in_process("run", moved.folder).code == 0
    assert len(at.received) == 4
    assert status(moved)["states"] == {"accepted": 4}
