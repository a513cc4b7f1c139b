"""Ctrl-C, SIGTERM and SIGHUP at any moment: 130, what was under way is settled, the next run goes on from there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Receiver, Tiny, accepted, in_process, start

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]
SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
MANY = [(str(number), "151024610204372", "DURAND", "1951-02-03", f"L{number}") for number in range(40)]


@pytest.mark.parametrize("number", SIGNALS)
def test_while_it_sends(tiny: Make, receiver: Receiving, number: signal.Signals) -> None:
    fifth = threading.Event()

    def slow(count: int, _body: bytes) -> Any:
        if count == 5:
            fifth.set()
        time.sleep(0.05)
        return accepted(count)

    at = receiver(slow)
    project = tiny().write(MANY)
    project.to(
        at.url,
        limits="rate_per_s = 500\nconcurrency = 2",
        archive__table='table = "RECU"\ncreate = true\nkey_column = "id"\nvalue_column = "v"',
    )
    process = start("run", project.folder)
    assert fifth.wait(60)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "interrupted" in out
    assert "Traceback" not in err
    first = project.ledger
    assert first["accepted"] == len(at.received) < 40, "what was under way is answered and settled"
    assert first["read"] == 40 == first["accepted"] + first["pending"]
    status = json.loads(in_process("status", project.folder, "--json").out)
    assert status["states"]["ready"] == first["pending"]
    assert (status["possible_duplicates"], status["archive_pending"]) == ([], 0)
    done = in_process("run", project.folder)
    assert done.code == 0
    assert f"accepted {first['pending']} " in done.out
    assert f"unchanged {first['accepted']} " in done.out
    assert len(set(at.received)) == len(at.received) == 40, "each once"
    assert in_process("run", project.folder).code == 0
    assert len(at.received) == 40


@pytest.mark.parametrize("number", SIGNALS)
def test_while_it_reads(tiny: Make, number: signal.Signals) -> None:
    project = tiny("csv").write([(str(n), *MANY[0][1:]) for n in range(30_000)])
    process = start("run", project.folder)
    journal = project.folder / "journal.db-wal"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.stat().st_size > 300_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in out + err
    assert "interrupted" in out + err
    assert project.sent == []
    status = json.loads(in_process("status", project.folder, "--json").out)
    assert 0 < status["states"]["ready"] < 30_000
    project.write([(str(n), *MANY[0][1:]) for n in range(100)])
    assert in_process("run", project.folder).code == 0


@pytest.mark.parametrize("number", SIGNALS)
def test_the_registry_simulator_stops_when_asked(number: signal.Signals) -> None:
    process = start("registry", "--port", "0", "--json")
    assert process.stdout is not None
    addresses = json.loads(process.stdout.readline())
    assert addresses["url"].startswith("http://127.0.0.1:")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode in (0, 130), (out, err)
    assert "Traceback" not in err


def test_a_pipe_that_closes_is_no_fault(tiny: Make, tmp_path: Path) -> None:
    project = tiny().write(MANY * 1)
    assert in_process("run", project.folder).code == 0
    command = f"{sys.executable} -m fhirmap status {project.folder} --records | head -1"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stdout.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert "Broken" not in done.stderr


def held(count: int, _body: bytes) -> Any:
    """A receiver that takes its time, longer than any test has."""
    time.sleep(60)
    return accepted(count)


def begun(project: Tiny, at: Receiver) -> subprocess.Popen[str]:
    """A run whose first requests are under way."""
    process = start("run", project.folder)
    deadline = time.monotonic() + 60
    while len(at.received) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert at.received
    return process


@pytest.mark.parametrize("number", SIGNALS)
def test_what_is_under_way_has_the_time_of_one_exchange(
    tiny: Make, receiver: Receiving, number: signal.Signals
) -> None:
    at = receiver(held)
    project = tiny().write(MANY)
    project.to(at.url, limits="rate_per_s = 500\nconcurrency = 2")
    project.configure(sink=f'kind = "fhir-operation"\nurl = "{at.url}"\ntimeout_s = 2')
    process = begun(project, at)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, (out, err)
    assert "interrupted" in out
    found = json.loads(in_process("status", project.folder, "--json").out)
    assert set(found["states"]) == {"ready", "uncertain"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_time_ends_at_once(tiny: Make, receiver: Receiving, number: signal.Signals) -> None:
    at = receiver(held)
    project = tiny().write(MANY)
    project.to(at.url, limits="rate_per_s = 500\nconcurrency = 2")
    process = begun(project, at)
    process.send_signal(number)
    time.sleep(0.3)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)  # the time limit of an exchange is 30 seconds
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in out + err
    assert "interrupted" in out + err
    project.configure(sink='kind = "ndjson"\npath = "out.ndjson"')
    assert in_process("run", project.folder).code == 1, "what was under way is in doubt"
    assert len(project.sent) == 40
    doubts = json.loads(in_process("status", project.folder, "--json").out)["possible_duplicates"]
    assert 1 <= len(doubts) <= 2
