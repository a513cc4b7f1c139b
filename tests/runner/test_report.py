"""The report of a run: lines, page and data, none of them with a value of a patient."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

from fhirmap.diagnostics import Diagnostic
from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.records import Fault, Issue, Note, Receipt, ReceiptState
from fhirmap.runner.archive import Archived
from fhirmap.runner.deliver import Delivery
from fhirmap.runner.report import Report, RunFacts, build_report, exit_code
from fhirmap.runner.report_file import report_to_html, write_report
from fhirmap.runner.report_lines import report_lines
from tests.journal.sending import digest_of


def report_of(journal: Journal, **more: Any) -> Report:
    entries = [Entry(str(n), EntryState.READY, b"{}", digest_of(b"{}")) for n in range(1, 6)]
    fault = Fault("FM803", args={"journal": "x"}, rule="required", position="a.map:3:1", columns=("POSE.lot",))
    journal.put([*entries, Entry("6", EntryState.INVALID, faults=(fault,)), Entry("7", EntryState.OUT_OF_SCOPE)])
    refused = Receipt(ReceiptState.REFUSED, "FM661", 422, (Issue("error", "processing", "pas d'intervention <b>"),))
    receipts = [
        Receipt(ReceiptState.ACCEPTED, "", 200, identifier_value="R-00001"),
        Receipt(ReceiptState.ACCEPTED, "FM690", 200),
        refused,
        Receipt(ReceiptState.DEFERRED, "FM603", 503),
        Receipt(ReceiptState.UNCERTAIN, "FM650"),
    ]
    for lease, receipt in zip(journal.lease(5), receipts, strict=True):
        journal.settle(lease, receipt, not_before=2e9)
    ledger = journal.ledger(7)
    values: dict[str, Any] = {
        "project": "ch-test", "target": "renacot", "sink": "http://x", "started_at": 1000.0, "finished_at": 2e9 - 120,
        "exit_code": exit_code(ledger, Delivery(), None), "archived": Archived(2, "R-00001", "R-00002", ("RECU",)),
    }  # fmt: skip
    return build_report(journal, ledger, RunFacts(**{**values, **more}))


def test_each_line_answers_a_question(journal: Journal) -> None:
    lines = report_lines(report_of(journal))
    assert max(map(len, lines)) <= 78
    text = " ".join(" ".join(lines).split())
    assert text.startswith("read 7 = accepted 2 + refused 1 + invalid 1 + out of scope 1 + unchanged 0 + pending 2 ")
    assert "identifiers archived in RECU (R-00001 ... 00002)" in text
    assert "422: pas d'intervention <b>" in text
    assert "-> fhirmap status --refused" in text
    assert "-> fhirmap run" in text
    assert "next try in 2 min" in text
    assert "(POSE.lot)" in text
    assert "an answer was lost, the receiver may have them twice: 5 -> fhirmap status --in-doubt" in text
    assert all(line == line.rstrip() for line in lines)


def test_exit_codes(journal: Journal) -> None:
    report = report_of(journal)
    assert report.exit_code == 1
    ledger = report.ledger
    assert exit_code(ledger, Delivery(interrupted=True), None) == 130
    assert exit_code(ledger, Delivery(), Diagnostic("FM615")) == 3
    journal.start_run()
    assert exit_code(journal.ledger(0), Delivery(), None) == 0


def test_why_it_stopped_is_at_the_end(journal: Journal) -> None:
    stopped = Diagnostic("FM615", args={"sink": "http://x", "status": 403})
    lines = report_lines(report_of(journal, stopped=stopped, interrupted=True))
    assert any(line.startswith("stopped: FM615") for line in lines)
    assert any("hint" in line for line in lines)


def test_page_and_data_are_for_their_owner_and_escape_what_others_said(journal: Journal, tmp_path: Path) -> None:
    page = write_report(report_of(journal), tmp_path / "reports")
    html = page.read_text()
    assert "pas d&#39;intervention &lt;b&gt;" in html
    assert "<b>" not in html
    data = json.loads(page.with_suffix(".json").read_text())
    assert data["ledger"]["accepted"] == 2
    assert data["balanced"] is True
    assert {oct(path.stat().st_mode & 0o777) for path in page.parent.iterdir()} == {"0o600"}


def test_the_words_of_a_note_stay_in_the_journal(journal: Journal, tmp_path: Path) -> None:
    note = Note("canary Martin", "/somewhere/a.map:12:3")
    journal.put([Entry("n", EntryState.READY, b"{}", digest_of(b"{}"), notes=(note,))])
    facts = RunFacts("p", "t", "s", 0, 0, 0, rules={"/somewhere/a.map:12": "side-unknown"})
    report = build_report(journal, journal.ledger(), facts)
    assert "canary" not in report_to_html(report) + "".join(report_lines(report)) + repr(report)
    assert [line.text for line in report.notes] == ["side-unknown"]


def test_nothing_to_say_is_one_line(journal: Journal) -> None:
    report = build_report(journal, journal.ledger(0), RunFacts("p", "t", "s", 0, 0, 0))
    assert " ".join(report_lines(report)).split() == report.ledger.equation().split()
    assert report_to_html(report).startswith("<!DOCTYPE html>")


def test_lists_add_up_and_say_what_they_leave_out(journal: Journal) -> None:
    faults = [Fault("FM504", rule="required", element=f"P.{name}", args={"element": name}) for name in "abcdefghij"]
    journal.put(
        [Entry(f"i{number}", EntryState.INVALID, faults=(fault,)) for number, fault in enumerate(faults)]
        + [Entry("two", EntryState.INVALID, faults=tuple(faults[:2]))]
        + [Entry(f"o{number}", EntryState.OUT_OF_SCOPE) for number in range(3)]
        + [Entry("o", EntryState.OUT_OF_SCOPE, notes=(Note("secret 1", "m.map:1:1"),))]
    )
    facts = RunFacts("p", "t", "s", 0, 0, 0, note_words={"m.map:1:1": "not … yet"})
    report = build_report(journal, journal.ledger(15), facts)
    lines = report_lines(report)
    shown = "\n".join(lines)
    assert "12 reasons in 11 records" in shown
    assert [line.split()[0] for line in lines if "element `" in line] == ["2x", "2x", "1x", "1x", "1x", "1x"]
    assert "and 4 more (4x): see the report" in shown
    assert "1x not … yet" in shown
    assert "3 without a note" in shown
    assert "secret" not in shown


def test_a_note_of_an_earlier_run_is_not_taken_for_what_is_at_its_line_now(journal: Journal) -> None:
    journal.start_run()
    journal.put([Entry("late", EntryState.READY, b"{}", digest_of(b"{}"), notes=(Note("secret", "m.map:1:1"),))])
    journal.start_run()
    (lease,) = journal.lease(5)
    journal.settle(lease, Receipt(ReceiptState.ACCEPTED, "", 200))
    facts = RunFacts("p", "t", "s", 0, 0, 0, note_words={"m.map:1:1": "another note"})
    report = build_report(journal, journal.ledger(0), facts)
    assert [line.text for line in report.notes] == ["note of an earlier run: fhirmap status --key KEY"]
    assert report.records[0].reasons == ("note of an earlier run: fhirmap status --key KEY",)


def test_the_page_has_a_row_a_record_with_links_and_charts(journal: Journal) -> None:
    fault = Fault("FM504", rule="required", element="P.lot", args={"element": "lot"}, columns=("POSE.lot",))
    journal.put([Entry("a<1>", EntryState.INVALID, faults=(fault, Fault("FM504", args={"element": "udi"})))])
    report = build_report(journal, journal.ledger(1), RunFacts("p", "t", "s", 0, 0, 0))
    (record,) = report.records
    assert (record.key, record.state, len(record.reasons)) == ("a<1>", "invalid", 2)
    page = report_to_html(report)
    assert '<tr id="r0" data-state="invalid"><td class="key">a&lt;1&gt;</td>' in page
    assert '<a href="#r0">a&lt;1&gt;</a>' in page
    assert "required element <code>" in page and "`" not in page.partition("<script>")[0]
    assert page.count("<svg") == 2
    assert '<option value="invalid">invalid</option>' in page
    # Each place that the page links to is there.
    places = set(re.findall(r'id="([^"]+)"', page))
    assert {"invalid", "records"} <= set(re.findall(r'href="#([^"]+)"', page)) <= places
    (script,) = re.findall(r"(?s)<script>(.*?)</script>", page)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert not re.search(r"(?:src|href)=.(?!#)", page)
