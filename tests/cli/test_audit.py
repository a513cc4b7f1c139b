"""`fhirmap audit`: what a run leaves is verified and exported; a change is found and said."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from tests.cli.conftest import Receiver, Tiny, accepted, in_process, outcome

Make = Callable[..., Tiny]
Receiving = Callable[..., Receiver]


@pytest.fixture
def sent(tiny: Make, receiver: Receiving) -> Tiny:
    at = receiver(lambda number, _body: accepted(number) if number > 1 else outcome(422, "no"))
    project = tiny().to(at.url, limits="rate_per_s = 500")
    assert in_process("run", project.folder).code == 1
    return project


def change(project: Tiny, statement: str) -> None:
    with closing(sqlite3.connect(project.folder / "journal.db", isolation_level=None)) as connection:
        for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            connection.execute(f"drop trigger {name}")
        connection.execute(statement)


def test_what_a_run_leaves_is_intact(sent: Tiny) -> None:
    done = in_process("audit", "verify", sent.folder)
    assert done.code == 0
    assert "intact" in done.out
    found = json.loads(in_process("audit", "verify", sent.folder, "--json").out)
    assert (found["intact"], found["chains"], found["keyed"], found["breaks"]) == (True, 1, 0, [])
    assert found["head"] in done.out
    assert in_process("audit", "verify", sent.folder, "--head", found["head"]).code == 0
    assert in_process("audit", "verify", sent.folder, "--head", "0" * 64).code == 1


def test_the_head_that_a_run_logs_is_in_the_log(sent: Tiny) -> None:
    logged = in_process("run", sent.folder, "--log-format", "json").err.splitlines()[-1]
    head = json.loads(logged)["audit_head"]
    assert json.loads(in_process("audit", "verify", sent.folder, "--json").out)["head"] == head


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("update fhirmap_audit set body = replace(body, '422', '200')", "entry 3: changed"),
        ("delete from fhirmap_audit where act = 'run_ended'", "missing"),
        ("update fhirmap_audit_chain set length = 2", "how long it is"),
        ("delete from fhirmap_meta where name = 'audit'", "which chain is the last"),
        ("insert into fhirmap_run (establishment, operation, started_at) values ('tiny', 'tiny', 0)", "run 2"),
    ],
)
def test_a_change_is_found_and_said(sent: Tiny, statement: str, said: str) -> None:
    change(sent, statement)
    done = in_process("audit", "verify", sent.folder)
    assert done.code == 1
    assert said in done.out
    assert "not as it was written" in done.out
    found = json.loads(in_process("audit", "verify", sent.folder, "--json").out)
    assert (found["intact"], bool(found["breaks"])) == (False, True)


def test_with_a_key_and_with_another(tiny: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUDIT_KEY", "one")
    project = tiny().configure(journal='audit_key = "${AUDIT_KEY}"')
    assert in_process("run", project.folder).code == 0
    found = in_process("audit", "verify", project.folder)
    assert (found.code, "with a key: 1" in found.out) == (0, True)
    monkeypatch.setenv("AUDIT_KEY", "another")
    assert in_process("audit", "verify", project.folder).code == 1
    monkeypatch.delenv("AUDIT_KEY")
    assert in_process("audit", "verify", project.folder).code != 0


def test_the_entries_one_a_line(sent: Tiny) -> None:
    done = in_process("audit", "export", sent.folder)
    lines = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, lines[0]["act"], lines[-1]["act"]) == (0, "opened", "run_ended")
    assert lines[1]["places"] and lines[1]["map"]
    answers = [answer for line in lines if line["act"] == "exchanged" for answer in line["answers"]]
    assert sorted(answer[4] for answer in answers) == ["accepted", "accepted", "refused"]
    assert "DURAND" not in done.out and "1510246" not in done.out


def test_events_of_fhir_since_a_moment_to_a_file(sent: Tiny) -> None:
    path = sent.folder / "audit.ndjson"
    assert in_process("audit", "export", sent.folder, "--format", "fhir", "-o", path).code == 0
    events = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {event["resourceType"] for event in events} == {"AuditEvent"}
    last = events[-1]["recorded"]
    later = in_process("audit", "export", sent.folder, "--format", "fhir", "--since", last)
    assert len(later.out.splitlines()) < len(events)
    assert in_process("audit", "export", sent.folder, "--since", "2099-01-01").out == ""


def test_before_the_first_run_there_is_nothing(tiny: Make) -> None:
    project = tiny()
    assert in_process("audit", "verify", project.folder).code == 0
    assert in_process("audit", "export", project.folder).out == ""
    assert in_process("audit", "verify", project.folder, "--head", "0" * 64).code == 1
    assert not (project.folder / "journal.db").exists()


@pytest.mark.parametrize("since", ["0001-01-01", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-12:00"])
def test_a_date_at_either_end(tiny: Make, since: str) -> None:
    done = in_process("audit", "export", tiny().folder, "--since", since)
    assert done.code == 2
    assert since in done.err


def test_no_date_and_no_action(tiny: Make) -> None:
    assert "yesterday" in in_process("audit", "export", tiny().folder, "--since", "yesterday").err
    assert in_process("audit", "repair").code == 2
