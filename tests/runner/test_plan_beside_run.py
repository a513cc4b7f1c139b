"""`fhirmap plan` beside a run, after one that was killed, and killed itself: it says what is so, and locks nothing."""

from __future__ import annotations

import json
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Answer, Receiver, Tiny, accepted, in_process, receiver, start, tiny, unfolded
from tests.runner.test_kill_postgresql import URL, Database, database

__all__ = ["database", "receiver", "tiny"]

PLACES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.skipif(not URL, reason="no PostgreSQL named"))]


class Halted:
    """A receiver that has got the second record and does not answer until it may."""

    def __init__(self, receiver: Callable[..., Receiver]) -> None:
        self.arrived, self.over = threading.Event(), threading.Event()
        self.at: Receiver = receiver(self._answer)

    def _answer(self, number: int, _body: bytes) -> Answer:
        if number == 2:
            self.arrived.set()
            self.over.wait(60)
        return accepted(number)


@pytest.fixture
def halted(receiver: Callable[..., Receiver]) -> Iterator[Halted]:
    found = Halted(receiver)
    yield found
    found.over.set()


@pytest.fixture(params=PLACES)
def project(request: pytest.FixtureRequest, tiny: Callable[..., Tiny], halted: Halted) -> Tiny:
    limits = "rate_per_s = 500\nconcurrency = 1\nattempts = 1\nbackoff_s = 0"
    found = tiny().to(halted.at.url, limits=limits)
    if request.param == "postgresql":
        shared: Database = request.getfixturevalue("database")
        found.configure(journal=f'url = "{shared.url}"')
    return found


def test_beside_a_run(project: Tiny, halted: Halted) -> None:
    run = start("run", project.folder)
    assert halted.arrived.wait(60)
    planned = in_process("plan", project.folder)
    assert planned.code == 1, planned
    assert planned.err == ""
    shown = unfolded(planned.out)
    assert "a run is going on, or was killed" in shown
    assert "on their way 1: 2" in shown
    assert "pending 1, to be sent: 3" in shown
    found: dict[str, Any] = json.loads(in_process("plan", project.folder, "--json").out)
    assert (found["sending"], found["pending"], found["unchanged"]) == (["2"], ["3"], 1)
    halted.over.set()
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, (out, err)
    assert "accepted 3" in out
    assert in_process("plan", project.folder).code == 0


def test_after_a_run_that_was_killed(project: Tiny, halted: Halted) -> None:
    run = start("run", project.folder)
    assert halted.arrived.wait(60)
    run.send_signal(signal.SIGKILL)
    run.communicate()
    assert "on their way 1: 2" in unfolded(in_process("plan", project.folder).out)


def test_a_plan_that_is_killed_leaves_nothing(project: Tiny, halted: Halted) -> None:
    halted.over.set()
    assert in_process("run", project.folder).code == 0
    before = sorted(path.name for path in project.folder.iterdir())
    source = sqlite3.connect(project.data, isolation_level=None)
    source.execute("BEGIN EXCLUSIVE")  # the plan waits in the middle of its work
    plan = start("plan", project.folder)
    while str(project.data) not in _open_files(plan.pid):
        assert plan.poll() is None
        time.sleep(0.01)
    plan.send_signal(signal.SIGKILL)
    plan.communicate()
    source.close()
    assert sorted(path.name for path in project.folder.iterdir()) == before
    assert in_process("plan", project.folder).code == 0
    assert in_process("run", project.folder).code == 0
    assert len(halted.at.received) == 3


def _open_files(process: int) -> list[str]:
    found = []
    for link in Path(f"/proc/{process}/fd").iterdir():
        with suppress(OSError):
            found.append(str(link.readlink()))
    return found
