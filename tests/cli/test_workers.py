"""`run --workers`: how many, what is said of one that ends, and none outlives an interruption."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import NIR, Tiny, as_process, in_process, start

Make = Callable[..., Tiny]
posix = pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")


def many(count: int) -> list[tuple[str | None, ...]]:
    return [(str(number), NIR, "DURAND", "1951-02-03", f"L{number}") for number in range(count)]


@pytest.mark.parametrize(
    ("command", "workers"),
    [
        (["run"], "2"),
        (["run"], "auto"),
        (["run", "--dry-run"], "2"),
        (["run", "--dry-run"], "auto"),
        (["plan"], "2"),
        (["plan"], "AUTO"),
    ],
)
def test_the_same_is_done(tiny: Make, command: list[str], workers: str) -> None:
    project = tiny("csv").write(many(1300))
    done = as_process(*command, project.folder, "--workers", workers)
    plain = tiny("json").write(many(1300))
    alone = in_process(*command, plain.folder)
    assert done.code == alone.code, done
    assert project.sent == plain.sent
    shown = [[line for line in each.out.splitlines() if "reports" not in line] for each in (done, alone)]
    assert shown[0] == shown[1] != []


@pytest.mark.parametrize("workers", ["0", "-1", "62", "two", "1.5", ""])
def test_what_is_no_number_of_workers(tiny: Make, workers: str) -> None:
    done = in_process("run", tiny().folder, f"--workers={workers}")
    assert done.code == 2
    assert f"`{workers}` is neither a whole number from 1 to 61 nor `auto`" in " ".join(done.err.split())


def processes_of(parent: int) -> dict[int, bytes]:
    """The processes that a process started, and theirs, with their command lines."""
    parents, lines = {}, {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                lines[int(entry.name)] = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if fields[0] != "Z":
                parents[int(entry.name)] = int(fields[1])
    return {pid: lines[pid] for pid, of in parents.items() if of == parent or parents.get(of) == parent}


def workers_of(parent: int) -> list[int]:
    return [pid for pid, line in processes_of(parent).items() if b"spawn_main" in line]


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def until(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def reading(tiny: Make) -> Tiny:
    return tiny("csv").write(many(40_000))


def has_begun(project: Tiny) -> bool:
    journal = project.folder / "journal.db-wal"
    return journal.exists() and journal.stat().st_size > 300_000


@posix
@pytest.mark.parametrize("of", ["process", "group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_an_interruption(reading: Tiny, number: signal.Signals, of: str) -> None:
    process = start("run", reading.folder, "--workers", "2", start_new_session=True)
    until(lambda: has_begun(reading) and len(workers_of(process.pid)) == 2)
    started = list(processes_of(process.pid))
    if of == "group":
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    until(lambda: not any(map(is_alive, started)))
    if number == signal.SIGKILL:
        assert process.returncode == -signal.SIGKILL
    else:
        assert process.returncode == 130, (out, err)
        assert "interrupted" in out + err
    assert reading.sent == []
    reading.write(many(900))
    assert in_process("run", reading.folder).code == 0


@posix
def test_a_worker_that_is_killed_ends_the_run(tiny: Make) -> None:
    reading = tiny("csv").write(many(15_000))
    process = start("run", reading.folder, "--workers", "2")
    until(lambda: has_begun(reading) and len(workers_of(process.pid)) == 2)
    started = list(processes_of(process.pid))
    os.kill(workers_of(process.pid)[0], signal.SIGKILL)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 3, (out, err)
    assert "error[FM787]" in err
    assert "SIGKILL" in err
    assert "Traceback" not in err
    until(lambda: not any(map(is_alive, started)))
    assert reading.sent == []
    done = as_process("run", reading.folder, "--workers", "2")
    assert done.code == 0, done
    assert [entry["parameter"][3]["valueString"] for entry in reading.sent] == [f"L{n}" for n in range(15_000)]
