"""AuditEvents of R4, as the reference model takes them."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fhirmap.journal import AuditAct, AuditRecord, Journal
from fhirmap.runner.audit_event import audit_event, audit_line
from tests.journal.sending import ACCEPTED, REFUSED, UNCERTAIN, ready


@pytest.fixture
def records(journal: Journal) -> list[AuditRecord]:
    journal.put([ready("1"), ready("2"), ready("3")])
    for lease, receipt in zip(journal.lease(3), (ACCEPTED, REFUSED, UNCERTAIN), strict=True):
        journal.settle(lease, replace(receipt, body=b"an answer"))
    journal.archived([one.entry_id for one in journal.to_archive()])
    assert journal.acknowledge(["3"], "m.durand", "asked") == ()
    journal.release(["2"])
    journal.note(AuditAct.MIGRATED, {"found": 6, "made": 7})
    journal.note(AuditAct.ADOPTED, {"keys": ["7"]})
    journal.note(AuditAct.CONFIRMED, {"keys": ["8"]})
    journal.note(AuditAct.RESTORED, {"copy-sha256": "0"})
    journal.note(AuditAct.REKEYED, {"payloads": 1, "answers": 0})
    journal.note(AuditAct.PURGED, {"records": 1, "forgotten": 0, "bytes": 2})
    journal.lease(1)
    journal.recover()
    journal.finish_run(1)
    return list(journal.audit_records())


def test_each_kind_of_entry_is_a_valid_resource(records: list[AuditRecord]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fhir.resources.R4B.auditevent import AuditEvent
    assert {one.act for one in records} == set(AuditAct)
    for one in records:
        found = audit_event(one)
        assert AuditEvent.model_validate(found).id == f"{one.chain}-{one.seq}"
        json.dumps(found)


def test_what_an_answer_is_in_it(records: list[AuditRecord]) -> None:
    came = next(one for one in records if one.act is AuditAct.EXCHANGED and one.body["answers"])
    found = audit_event(came)
    assert (found["type"]["code"], found["subtype"][0]["code"], found["outcome"]) == ("rest", "operation", "0")
    entity, log = found["entity"]
    assert entity["name"] == "1"
    details = {one["type"]: one["valueString"] for one in entity["detail"]}
    assert (details["state"], details["status"], details["identifier"]) == ("accepted", "200", "R-1")
    assert len(details["payload-sha256"]) == len(details["answer-sha256"]) == 64
    assert {"type": "entry-sha256", "valueString": came.digest} in log["detail"]


def test_outcomes_and_who(records: list[AuditRecord]) -> None:
    def of(act: AuditAct) -> list[dict[str, Any]]:
        return [audit_event(one) for one in records if one.act is act]

    assert {found["outcome"] for found in of(AuditAct.EXCHANGED)} == {"0", "4"}
    assert [found["outcome"] for found in of(AuditAct.RUN_ENDED)] == ["4"]
    [acknowledged] = of(AuditAct.ACKNOWLEDGED)
    assert acknowledged["agent"][0]["who"]["display"] == "m.durand"
    assert acknowledged["agent"][0]["altId"] == records[0].body["user"]
    assert [entity["name"] for entity in acknowledged["entity"]] == ["3", "acknowledged"]


def test_a_line_has_the_entry_and_who_wrote_it(records: list[AuditRecord], clock: Any) -> None:
    line = audit_line(records[1])
    assert line["at"] == "2025-11-24T16:00:00.000Z"
    assert (line["act"], line["run"], line["map"], line["seq"]) == ("run_started", 1, "map", 1)
    assert line["user"] == records[0].body["user"]
    assert line["digest"] == records[1].digest


def test_the_page_has_each_act() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "operations" / "audit.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert rows == set(AuditAct)
