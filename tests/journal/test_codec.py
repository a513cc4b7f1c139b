"""The JSON columns: what is written comes back as it was."""

from __future__ import annotations

from dataclasses import replace

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.journal.codec import issues_from_json, issues_to_json
from fhirmap.records import Fault, Issue, Note
from tests.journal.sending import ready


def test_issues_come_back() -> None:
    rich = Issue("error", "processing", "lot inconnu", ("Parameters.parameter[1]",), "Parameters.parameter")
    issues = (replace(rich, position="a.map:3:1", columns=("T.lot",)), Issue("warning", "informational"))
    assert issues_from_json(issues_to_json(issues)) == issues
    assert issues_from_json(issues_to_json(())) == ()


def test_faults_and_notes_come_back_with_their_record(journal: Journal) -> None:
    fault = Fault("FM501", path="a.b", rule="required", args={"name": "lot"}, position="a.map:3:1", columns=("T.lot",))
    journal.put(
        [Entry("1", EntryState.INVALID, faults=(fault,), notes=(Note("côté inconnu", "a.map:4:2"),)), ready("2")]
    )
    first, second = journal.answers()
    assert (first.faults, first.notes) == ((fault,), (Note("côté inconnu", "a.map:4:2"),))
    assert (second.faults, second.notes) == ((), ())
