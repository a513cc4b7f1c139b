"""What others say is safe to keep and to show: from the bytes of an answer to journal, report and archive.

PostgreSQL takes part where FHIRMAP_TEST_POSTGRESQL names a server.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.records import Envelope, Issue, Receipt, ReceiptState
from fhirmap.runner.archive import archive
from fhirmap.runner.archive_csv import CsvArchive
from fhirmap.runner.archive_table import TableArchive
from fhirmap.runner.deliver import deliver
from fhirmap.runner.project import ArchiveTable, SinkLimits
from fhirmap.runner.report import RunFacts, build_report
from fhirmap.runner.report_file import report_to_data, report_to_html
from fhirmap.runner.report_lines import report_lines
from fhirmap.sinks import outcome
from fhirmap.sinks.fhir_transaction import classify_transaction
from fhirmap.sinks.foreign_text import IDENTIFIER_LENGTH, is_usable, made_safe, some_issues
from fhirmap.sinks.transport import HttpAnswer
from fhirmap.sources.address import parse_address
from tests.journal.sending import digest_of

URL = os.environ.get("FHIRMAP_TEST_POSTGRESQL", "")
TABLE = ArchiveTable("RECU", ("cle",), "valeur", "systeme", "etat", "le", create=True)
PAYLOAD = b'{"resourceType":"Parameters","parameter":[{"name":"nir","valueString":"151024610204372"}]}'
# What is shown is text of UTF-8 without control characters but the line feed.
SHOWN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Said:
    """What became of a record, and everything that is shown of it."""

    state: str
    code: str
    identifier: str
    shown: str
    archived: int


class Answering:
    """Gives one answer to each record, read as an operation's, or as a transaction's."""

    name = "https://registry.example/fhir"
    batch_size = 1
    is_remote = True

    def __init__(self, answers: list[HttpAnswer], read: Any = outcome.classify) -> None:
        self._answers = answers
        self._read = read

    def prepare(self) -> None:
        pass

    def send(self, envelope: Envelope) -> Receipt:
        found: Receipt = self._read(self._answers[int(envelope.key)], envelope.payload, 0.0)
        return found

    def send_all(self, envelopes: Any) -> list[Receipt]:
        return [self.send(envelope) for envelope in envelopes]

    def close(self) -> None:
        pass


@contextmanager
def journal_at(place: str | Path) -> Iterator[Journal]:
    with Journal.open(place, "e", "o") as opened:
        opened.start_run("m")
        yield opened


def all_the_way(
    answers: list[HttpAnswer], journal: Journal, archives: list[Any], read: Any = outcome.classify
) -> list[Said]:
    """Settles, archives and reports; each record ends in a state of its own."""
    keys = [str(number) for number in range(len(answers))]
    journal.put([Entry(key, EntryState.READY, PAYLOAD, digest_of(PAYLOAD)) for key in keys])
    limits = SinkLimits(rate_per_s=0, attempts=1, backoff_s=0.0)
    delivery = deliver(journal, Answering(answers, read), limits)
    archived = archive(journal, archives)
    facts = RunFacts("p", "t", "s", 0.0, 1.0, 0, run_id=1, archived=archived, stopped=delivery.stopped_by)
    report = build_report(journal, journal.ledger(len(keys)), facts)
    shown = "\n".join(
        [*report_lines(report), json.dumps(report_to_data(report), ensure_ascii=False), report_to_html(report)]
    )
    shown.encode()
    json.dumps([list(map(str, journal.history(key))) for key in keys]).encode()
    return [
        Said(answer.state, answer.code, answer.identifier_value, shown, archived.count) for answer in journal.answers()
    ]


def answer_of(status: int, body: bytes, **headers: str) -> HttpAnswer:
    return HttpAnswer(status, {name.replace("_", "-"): value for name, value in headers.items()}, body, True, 0.1)


def with_identifier(value: object, system: object = "urn:r") -> bytes:
    named = {"name": "r", "valueIdentifier": {"system": system, "value": value}}
    return json.dumps({"resourceType": "Parameters", "parameter": [named]}).encode()


def with_words(words: object, **more: object) -> bytes:
    issue = {"severity": "error", "code": "processing", "diagnostics": words, **more}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()


@pytest.fixture
def places(tmp_path: Path) -> list[Any]:
    """A table of SQLite and a CSV file."""
    return [TableArchive(parse_address(str(tmp_path / "sih.db")), TABLE), CsvArchive(tmp_path / "out.csv")]


UNUSABLE = [
    "tronqué \ud83d",
    "\udc00",
    "a\x00b",
    "a\nb",
    "\x1b[2J",
    "x" * (IDENTIFIER_LENGTH + 1),
    1.5,
    True,
    ["a"],
    {"a": 1},
]


def check(said: list[Said], bad: int) -> None:
    assert [entry.state for entry in said] == ["accepted"] * (1 + bad) + ["refused"] * 2 + ["accepted"]
    assert [entry.code for entry in said[1 : 1 + bad]] == ["FM692"] * bad
    assert {entry.identifier for entry in said[1 : 1 + bad]} == {""}
    assert (said[0].identifier, said[-1].identifier) == ("R-1", "R-1")
    assert said[0].archived == len(said) - 2
    assert "cannot be kept as it is" in said[0].shown


def night() -> list[HttpAnswer]:
    good = answer_of(200, with_identifier("R-1"))
    bad = [answer_of(200, with_identifier(value)) for value in UNUSABLE]
    words = with_words("tronqué \ud83d \x00 \x1b[2J \u202e", expression=["\ud800", 5, {"a": 1}])
    return [good, *bad, answer_of(422, words), answer_of(400, b"[" * 100_000), good]


def test_an_answer_costs_at_most_its_own_record(tmp_path: Path, places: list[Any]) -> None:
    with journal_at(tmp_path / "journal.db") as journal:
        check(all_the_way(night(), journal, places), len(UNUSABLE))


@pytest.mark.skipif(not URL, reason="FHIRMAP_TEST_POSTGRESQL names no server")
def test_an_answer_costs_at_most_its_own_record_on_postgresql() -> None:
    name = f"foreign-{uuid.uuid4().hex}"
    table = ArchiveTable(f"recu_{uuid.uuid4().hex}", ("cle",), "valeur", "systeme", "etat", "le", create=True)
    with Journal.open(URL, name, "o", exclusive=True) as journal:
        journal.start_run("m")
        check(all_the_way(night(), journal, [TableArchive(parse_address(URL), table)]), len(UNUSABLE))


TEXTS = st.one_of(
    st.text(st.characters(), max_size=20),
    st.sampled_from(
        ["\ud83d", "a\x00b", "\x1b]0;x\x07", "OperationOutcome", "Parameters", "Bundle", "error", "x" * 400]
    ),
)
NAMES = st.sampled_from(
    [
        "resourceType",
        "issue",
        "severity",
        "code",
        "diagnostics",
        "details",
        "text",
        "coding",
        "display",
        "expression",
        "parameter",
        "name",
        "valueIdentifier",
        "system",
        "value",
        "resource",
        "entry",
        "response",
        "status",
        "outcome",
        "location",
        "identifier",
        "reference",
        "valueString",
    ]
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(10**30), 10**30), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(NAMES, TEXTS), inner, max_size=5)),
    max_leaves=25,
)
ISSUES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("severity", "code", "diagnostics", "details", "expression", "location"), VALUES)
)
OUTCOMES = st.builds(
    lambda issue: {"resourceType": "OperationOutcome", "issue": issue}, st.one_of(st.lists(ISSUES, max_size=3), VALUES)
)
PARAMETERS = st.builds(
    lambda found: {"resourceType": "Parameters", "parameter": found},
    st.lists(st.dictionaries(NAMES, st.one_of(VALUES, OUTCOMES), max_size=4), max_size=3),
)
BUNDLES = st.builds(
    lambda found: {"resourceType": "Bundle", "entry": found},
    st.one_of(
        VALUES,
        st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "response": st.one_of(
                        VALUES,
                        st.fixed_dictionaries({}, optional={"status": VALUES, "location": VALUES, "outcome": OUTCOMES}),
                    ),
                    "resource": st.one_of(
                        VALUES, st.fixed_dictionaries({"resourceType": st.just("Procedure"), "identifier": VALUES})
                    ),
                },
            ),
            max_size=3,
        ),
    ),
)
BODIES = st.one_of(
    st.binary(max_size=200),
    st.one_of(VALUES, OUTCOMES, PARAMETERS, BUNDLES).map(lambda value: json.dumps(value).encode()),
    st.integers(0, 3000).map(
        lambda depth: b'{"resourceType":"Parameters","parameter":' + b"[" * depth + b"]" * depth + b"}"
    ),
)
HEADERS = st.dictionaries(
    st.sampled_from(["Date", "Retry-After", "Content-Type"]),
    st.one_of(
        st.text(st.characters(codec="latin-1"), max_size=40),
        st.sampled_from(["9" * 500, "Mon, 01 Jan 0001 00:00:00 +9999999999"]),
    ),
)
STATUSES = st.sampled_from([200, 201, 204, 400, 404, 409, 422, 429, 500, 503, 299, 599])
ANSWERS = st.lists(
    st.builds(HttpAnswer, STATUSES, HEADERS, BODIES, st.booleans(), st.just(0.1)), min_size=1, max_size=4
)
READINGS: list[Any] = [
    classify_transaction,
    lambda answer, payload, now: outcome.classify(answer, payload, now, lambda found: list(found.values())),
]


@settings(max_examples=300, deadline=None)
@given(ANSWERS, st.sampled_from(READINGS))
def test_any_bytes_are_read_as_something_that_can_be_shown(answers: list[HttpAnswer], read: Any) -> None:
    for answer in answers:
        receipt = made_safe(read(answer, PAYLOAD, 0.0))
        texts = [text for issue in receipt.issues for text in (issue.severity, issue.code, issue.diagnostics)]
        texts += [place for issue in receipt.issues for place in issue.expression]
        assert SHOWN.search("".join(texts)) is None
        assert is_usable(receipt.identifier_value)
        assert is_usable(receipt.identifier_system)
        assert receipt.retry_after_s is None or 0 <= receipt.retry_after_s <= 3600


@settings(max_examples=10, deadline=None)
@given(ANSWERS, st.sampled_from(READINGS))
def test_any_bytes_of_any_receiver_end_in_a_state_and_a_report(answers: list[HttpAnswer], read: Any) -> None:
    good = answer_of(200, with_identifier("R-good"))
    with tempfile.TemporaryDirectory() as folder, journal_at(Path(folder) / "journal.db") as journal:
        table = TableArchive(parse_address(str(Path(folder) / "sih.db")), TABLE)

        def operation(found: HttpAnswer, payload: bytes, now: float) -> Any:
            return (outcome.classify if found is good else read)(found, payload, now)

        said = all_the_way([good, *answers, good], journal, [table, CsvArchive(Path(folder) / "out.csv")], operation)
        assert (said[0].identifier, said[-1].identifier) == ("R-good", "R-good")
        assert {entry.state for entry in said} <= {"accepted", "refused", "deferred", "uncertain"}
        assert all(is_usable(entry.identifier) for entry in said)
        assert SHOWN.search(said[0].shown) is None


def test_words_are_cut_visibly_and_faults_come_first() -> None:
    many = [Issue("information", "informational", f"n{number}") for number in range(150)]
    kept = some_issues([*many, Issue("error", "processing", "wrong")])
    assert len(kept) == 101
    assert kept[0].diagnostics == "wrong"
    assert kept[-1].diagnostics == "… +51"
    receipt = made_safe(Receipt(ReceiptState.REFUSED, "FM661", 422, (Issue("error", "x", "w" * 5000),)))
    assert receipt.issues[0].diagnostics == "w" * 2000 + "…"


def test_a_receipt_of_any_sink_is_made_safe() -> None:
    receipt = Receipt(ReceiptState.ACCEPTED, "", identifier_value="a\x00", identifier_system="urn:r")
    assert (made_safe(receipt).code, made_safe(receipt).identifier_value) == ("FM692", "")
    fine = Receipt(ReceiptState.ACCEPTED, "", identifier_value=" é-1 ", identifier_system="urn:r")
    assert made_safe(fine) == fine
