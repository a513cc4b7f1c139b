"""The JSON columns: what is written comes back as it was."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.journal.codec import faults_from_json, faults_to_json, issues_from_json, issues_to_json
from fhirmap.records import Fault, Issue, Note
from fhirmap.texts import Listing, Text, language_of
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


def test_a_fault_that_was_kept_in_one_language_is_shown_in_another() -> None:
    inner = Listing(("Coding", Text("values.a_list")), joint="lists.or")
    args = {"what": Text("values.text_of", {"count": 3}), "expected": inner, "count": 2, "size": Decimal("1.5")}
    with language_of("fr"):
        kept = faults_to_json([Fault("FM503", args=args, columns=("lot",))])

    (found,) = faults_from_json(kept)

    assert found == Fault("FM503", args={**args, "size": "1.5"}, columns=("lot",))
    with language_of("en"):
        assert [str(found.args[name]) for name in ("what", "expected")] == [
            "a text of 3 characters",
            "Coding or a list",
        ]
    with language_of("fr"):
        assert str(found.args["expected"]) == "Coding ou une liste"
