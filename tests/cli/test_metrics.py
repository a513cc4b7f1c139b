"""`[metrics]` and `fhirmap metrics`: the file that a run leaves, and the figures that are served."""

from __future__ import annotations

import json
import socket
import stat
import sys
import urllib.request
from collections.abc import Callable

import pytest

from tests.cli.conftest import Receiver, Tiny, accepted, in_process, outcome, start
from tests.runner.test_metrics import Samples, samples

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]


def of(found: Samples, name: str, **labels: str) -> float:
    return found[f"fhirmap_{name}", tuple(sorted({"project": "tiny", "target": "tiny", **labels}.items()))]


def kept(project: Tiny) -> Samples:
    return samples((project.folder / "out" / "tiny.prom").read_text(encoding="utf-8"))


@pytest.fixture
def measured(tiny: Make) -> Tiny:
    pytest.importorskip("prometheus_client")
    return tiny().configure(metrics='file = "out/tiny.prom"')


def test_a_run_leaves_its_figures(measured: Tiny, receiver: Receiving, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINY_SECRET", "s")
    at = receiver(lambda number, _body: accepted(number) if number > 1 else outcome(422, "no"))
    measured.to(at.url, auth=at.auth())
    assert in_process("run", measured.folder).code == 1
    found = kept(measured)
    assert of(found, "records", state="accepted") == 2
    assert of(found, "answers_total", state="refused", status="422") == 1
    assert of(found, "call_duration_seconds_count") == 3
    assert of(found, "tokens_fetched_total") == len(at.tokens_asked) == 1
    assert of(found, "last_run_exit_code") == of(found, "command_exit_code") == 1
    # node_exporter runs under an account of its own
    assert stat.S_IMODE((measured.folder / "out" / "tiny.prom").stat().st_mode) == 0o644
    assert in_process("run", measured.folder).code == 0
    assert of(kept(measured), "tokens_fetched_total") == 1  # nothing was sent, so no token was asked for


def test_a_run_that_fails_before_it_has_a_journal_says_so(measured: Tiny) -> None:
    assert in_process("run", measured.folder).code == 0
    before = kept(measured)
    measured.data.unlink()
    assert in_process("run", measured.folder).code == 3
    found = kept(measured)
    assert of(found, "command_exit_code") == 3
    assert of(found, "command_end_timestamp_seconds") > of(before, "command_end_timestamp_seconds")
    assert of(found, "last_run_exit_code") == 0
    (measured.folder / "tiny.map").write_text("map = nothing", encoding="utf-8")
    assert in_process("run", measured.folder).code == 2
    assert of(kept(measured), "command_exit_code") == 2


def test_a_file_that_cannot_be_written_is_a_warning(measured: Tiny) -> None:
    (measured.folder / "out").write_text("a file", encoding="utf-8")
    done = in_process("run", measured.folder)
    assert done.code == 0
    assert "warning[FM744]" in done.err
    logged = in_process("run", measured.folder, "--log-format", "json")
    warned = [line for line in map(json.loads, logged.err.splitlines()) if line["event"] == "warning"]
    assert [line["code"] for line in warned] == ["FM744"]


def test_the_library_is_asked_for_before_anything_is_sent(tiny: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    project = tiny().configure(metrics='file = "tiny.prom"')
    in_process("run", project.folder).reported("FM797", 3, "fhirmap[metrics]")
    assert project.sent == []
    in_process("metrics", project.folder).reported("FM797", 3)
    [one] = json.loads(in_process("metrics", project.folder, "--json").out)
    assert (one["project"], one["figures"]["states"]["accepted"]) == ("tiny", 0)


def test_no_journal_yet_is_no_fault_and_makes_none(measured: Tiny) -> None:
    done = in_process("metrics", measured.folder)
    assert done.code == 0
    assert of(samples(done.out), "journal_readable") == 1
    assert not (measured.folder / "journal.db").exists()


def test_a_journal_that_is_none(measured: Tiny) -> None:
    (measured.folder / "journal.db").write_bytes(b"no database, but as long as one: " * 40)
    done = in_process("metrics", measured.folder)
    assert done.code == 0
    assert of(samples(done.out), "journal_readable") == 0


def test_figures_are_served_on_loopback_as_the_journal_is_now(measured: Tiny) -> None:
    process = start("metrics", measured.folder, "--port", "0", env={"PYTHONUNBUFFERED": "1"})
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[2].rstrip(",")
        assert url.startswith("http://127.0.0.1:")
        accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
        for count in (0, 3):
            with urllib.request.urlopen(urllib.request.Request(url, headers=accept), timeout=20) as answer:
                assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
                assert of(samples(answer.read().decode()), "records", state="accepted") == count
            assert in_process("run", measured.folder).code == 0
    finally:
        process.terminate()
        _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "Traceback" not in err


def test_a_port_that_is_taken(measured: Tiny) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        in_process("metrics", measured.folder, "--port", port).reported("FM795", 2, str(port))


def test_a_table_without_its_setting(tiny: Make) -> None:
    assert "FM734" in in_process("check", tiny().configure(metrics="").folder).out
