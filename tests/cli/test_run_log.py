"""`run --log-format`: one event a line, and nothing else on standard error where they are JSON."""

from __future__ import annotations

import json
import logging
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest

from fhirmap.events import LOGGER
from tests.cli.conftest import Done, Receiver, Tiny, accepted, as_process, in_process, outcome, start

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]
LIMITS = "rate_per_s = 500\nattempts = 2\nbackoff_s = 0"


def lines(done: Done) -> list[dict[str, Any]]:
    """Standard error, all of it, as events."""
    found = [json.loads(line) for line in done.err.splitlines()]
    for line in found:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["ts"])
        assert line["level"] in ("debug", "info", "warning", "error")
    return found


def names(done: Done) -> list[str]:
    return [line["event"] for line in lines(done)]


def test_a_run_from_its_beginning_to_its_end(tiny: Make, receiver: Receiving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_SECRET", "s")
    at = receiver(lambda number, _body: accepted(number) if number > 1 else outcome(422, "no"))
    project = tiny().to(at.url, auth=at.auth(), limits=LIMITS)
    done = in_process("run", project.folder, "--log-format", "json")
    assert done.code == 1
    assert "refused" in done.out  # the report is where it was
    found = lines(done)
    assert [line["event"] for line in found] == ["run_started", "source_read", "token_fetched", "archived", "run_ended"]
    begun, read, token, _archived, ended = found
    assert {line["run"] for line in found} == {1}
    assert (begun["project"], begun["sink"]) == ("tiny", at.url)
    assert read["verdicts"] == {"sendable": read["records"]}
    assert (token["host"], token["number"], token["life_s"]) == (f"127.0.0.1:{at.port}", 1, 3600.0)
    assert (ended["exit_code"], ended["sent"]) == (1, read["records"])
    assert ended["counts"]["refused"] == 1


def test_each_answer_and_retry_at_level_debug(tiny: Make, receiver: Receiving) -> None:
    at = receiver(lambda number, _body: accepted(number) if number > 1 else outcome(503, "later"))
    project = tiny().to(at.url, limits=LIMITS)
    done = in_process("run", project.folder, "--log-format", "json", "--debug")
    answers = [line for line in lines(done) if line["event"] == "answered"]
    with sqlite3.connect(project.folder / "journal.db") as journal:
        kept = journal.execute(
            "select e.key, e.request_key, a.number, a.state, a.code, a.status from fhirmap_attempt a"
            " join fhirmap_entry e on e.id = a.entry_id where a.event = 'answered' order by a.id"
        ).fetchall()
    fields = ("key", "request", "attempt", "state", "code", "status")
    assert [tuple(line[name] for name in fields) for line in answers] == kept
    assert {line["level"] for line in answers} == {"debug"}
    [planned] = [line for line in lines(done) if line["event"] == "retry_planned"]
    assert (planned["code"], planned["tries"]) == ("FM603", 1)


def test_a_circuit_that_opens_and_why_the_run_stopped(tiny: Make, receiver: Receiving) -> None:
    at = receiver(lambda _number, _body: outcome(503, "later"))
    project = tiny().to(at.url, limits="rate_per_s = 500\nattempts = 1\nbackoff_s = 0")
    project.write([(str(number), "1", "A", "1951-02-03", "L") for number in range(9)])
    done = in_process("run", project.folder, "--log-format", "json")
    assert done.code == 3
    found = lines(done)
    assert found[-3]["event"] == "archived"
    assert (found[-2]["event"], found[-2]["code"], found[-2]["level"]) == ("run_stopped", "FM620", "error")
    assert (found[-1]["event"], found[-1]["exit_code"]) == ("run_ended", 3)
    opened = [line for line in found if line["event"] == "circuit_opened"]
    assert opened[0]["failures"] == 5
    assert {line["level"] for line in opened} == {"warning"}


def test_the_variable_is_as_good_as_the_option(tiny: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FHIRMAP_LOG_FORMAT", "json")
    assert names(in_process("run", tiny().folder))[-1] == "run_ended"


def test_without_either_nothing_is_logged(tiny: Make) -> None:
    done = in_process("run", tiny().folder)
    assert (done.code, done.err) == (0, "")
    assert logging.getLogger(LOGGER).handlers == []


def test_a_process_without_a_log_writes_no_event_of_any_level(tiny: Make, receiver: Receiving) -> None:
    at = receiver(lambda _number, _body: outcome(503, "later"))
    project = tiny().to(at.url, limits="rate_per_s = 500\nattempts = 1\nbackoff_s = 0")
    done = as_process("run", project.folder)
    assert "FM620" in done.out
    assert "run_stopped" not in done.err


def test_as_text_it_is_one_event_a_line_too(tiny: Make) -> None:
    done = in_process("run", tiny().folder, "--debug")
    found = done.err.splitlines()
    assert [line.split(" ")[2] for line in found if " answered " not in line] == [
        "run_started",
        "source_read",
        "archived",
        "run_ended",
    ]
    assert re.fullmatch(r"\S+Z info run_started run=1 project=tiny target=tiny sink=\S+ map_digest=\w+ .*", found[0])


def test_what_is_doubtful_is_an_event(tiny: Make) -> None:
    project = tiny().configure(source='url = "postgresql://u:written@127.0.0.1:9/x"')
    done = in_process("run", project.folder, "--log-format", "json")
    assert done.code == 3
    found = lines(done)
    assert [(line["event"], line["code"]) for line in found] == [("warning", "FM737"), ("run_failed", "FM708")]
    assert (found[-1]["exit_code"], found[-1]["run"]) == (3, 0)
    assert "written" not in done.err


def test_a_fault_is_the_last_line_and_its_exit_code_the_commands(tiny: Make) -> None:
    project = tiny()
    (project.folder / "tiny.map").write_text("map = nothing", encoding="utf-8")
    done = in_process("run", project.folder, "--log-format", "json")
    assert done.code == 2
    assert names(done)[-1] == "run_failed"
    assert lines(done)[-1]["code"].startswith("FM0")
    shown = in_process("run", project.folder, "--log-format", "json", "--json")
    assert shown.code == 2
    assert json.loads(shown.out)["diagnostics"]  # who asked for JSON on standard output has it there
    assert names(shown)[-1] == "run_failed"
    assert "error[" in in_process("run", project.folder, "--log-format", "text").err


def test_a_run_that_is_interrupted_while_it_reads(tiny: Make) -> None:
    project = tiny("csv")
    project.write([(str(number), "1", "A", "1951-02-03", "L") for number in range(20_000)])
    process = start(
        "run",
        project.folder,
        "--log-format",
        "json",
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    found = lines(Done(process.returncode, out, first + err))
    assert process.returncode == 130
    assert found[-1]["exit_code"] == 130


def test_words_of_an_unknown_form(tiny: Make) -> None:
    done = in_process("run", tiny().folder, "--log-format", "xml")
    assert done.code == 2
    assert "`text`, `json`" in done.err
