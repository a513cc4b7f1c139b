"""What an answer means, without a network: every row of the table, and every class of exception that httpx2 has."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from fhirmap.diagnostics.catalog import page
from fhirmap.records import Issue
from fhirmap.sinks import outcome
from fhirmap.sinks.element import element_of
from fhirmap.sinks.redaction import payload_values, redact
from fhirmap.sinks.transport import HttpAnswer, NoAnswer, classify_exception

PAYLOAD = {
    "resourceType": "Parameters",
    "parameter": [
        {"name": "nir", "valueString": "284051012345678"},
        {"name": "rpps", "valueString": "10001234567"},
        {"name": "dateIntervention", "valueDateTime": "2025-03-15"},
        {
            "name": "implants",
            "part": [{"name": "udi", "valueString": "(01)1"}, {"name": "lot", "valueString": "A213B456"}],
        },
        {"name": "implants", "part": [{"name": "lot", "valueString": "ZZ-99"}]},
    ],
}
SENT = json.dumps(PAYLOAD).encode()


def answer(status: int, body: bytes | Mapping[str, object] = b"", **headers: str) -> HttpAnswer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return HttpAnswer(status, {name.replace("_", "-"): value for name, value in headers.items()}, content, True, 0.1)


def outcome_of(severity: str = "error", words: str = "non", **more: object) -> dict[str, object]:
    issue = {"severity": severity, "code": "processing", "diagnostics": words, **more}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


@pytest.mark.parametrize(
    ("status", "state", "code", "stops"),
    [
        (400, "refused", "FM660", False),
        (401, "deferred", "FM614", True),
        (403, "deferred", "FM615", True),
        (404, "refused", "FM662", False),
        (405, "refused", "FM663", False),
        (407, "deferred", "FM616", True),
        (408, "deferred", "FM604", False),
        (409, "refused", "FM663", False),
        (413, "refused", "FM663", False),
        (422, "refused", "FM661", False),
        (425, "deferred", "FM604", False),
        (429, "deferred", "FM601", False),
        (500, "deferred", "FM602", False),
        (501, "deferred", "FM604", False),
        (502, "deferred", "FM603", False),
        (503, "deferred", "FM603", False),
        (504, "deferred", "FM603", False),
        (302, "deferred", "FM618", True),
        (307, "deferred", "FM618", True),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"resourceType":"Opera', outcome_of()], ids=str)
def test_a_status_that_is_no_success_decides_whatever_the_body(
    status: int, state: str, code: str, stops: bool, body: bytes | dict[str, object]
) -> None:
    receipt = outcome.classify(answer(status, body), SENT, 0.0)
    assert (receipt.state, receipt.code, receipt.stops_run) == (state, code, stops)
    assert [issue.diagnostics for issue in receipt.issues] == (["non"] if isinstance(body, dict) else [])


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"null",
        b'{"error": "x"}',
        b"\xff\xfe",
        {"resourceType": "Patient"},
        {"resourceType": "Bundle", "type": "transaction-response"},
        {"resourceType": "Parameters", "parameter": [{"name": "receipt", "valueIdentifier": {"value": "R-1"}}]},
        outcome_of("information"),
    ],
    ids=str,
)
@pytest.mark.parametrize("complete", [True, False])
def test_no_body_makes_a_success_of_a_status_that_is_none(body: bytes | dict[str, object], complete: bool) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    for status in range(300, 600):
        empty = outcome.classify(answer(status, b""), SENT, 0.0)
        found = outcome.classify(HttpAnswer(status, {}, content, complete, 0.1), SENT, 0.0, receipts)
        assert (found.state, found.code, found.stops_run) == (empty.state, empty.code, empty.stops_run), status
        assert found.state in ("refused", "deferred")
        assert not found.identifier_value


IDENTIFIER = {"system": "https://registres.renacot.org/procedure", "value": "RENACOT-2025-12345"}


def receipts(answer: Mapping[str, Any]) -> list[object]:
    """What a target's `[receipt]` finds: the value of the parameter `receipt`."""
    held = [entry for entry in answer["parameter"] if entry["name"] == "receipt"]
    return [value for entry in held for key, value in entry.items() if key.startswith("value")]


@pytest.mark.parametrize("result", ["result", "operationOutcome", "return"])
def test_the_identifier_is_where_the_target_says(result: str) -> None:
    body = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": result, "resource": outcome_of("information", "ok")},
            {"name": "patient", "valueIdentifier": {"value": "another"}},
            {"name": "receipt", "valueIdentifier": IDENTIFIER},
        ],
    }
    receipt = outcome.classify(answer(200, body), SENT, 0.0, receipts)
    assert (receipt.state, receipt.code) == ("accepted", "")
    assert (receipt.identifier_system, receipt.identifier_value) == tuple(IDENTIFIER.values())
    assert receipt.issues[0].diagnostics == "ok"


@pytest.mark.parametrize(
    ("parameter", "found"),
    [
        ({"valueReference": {"reference": "Procedure/12"}}, ("", "Procedure/12")),
        ({"valueReference": {"identifier": IDENTIFIER}}, tuple(IDENTIFIER.values())),
        ({"valueIdentifier": {"value": "12345"}}, ("", "12345")),
        ({"valueString": "12345"}, ("", "12345")),
        ({"valueIdentifier": {"system": "x"}}, ("", "")),
    ],
)
def test_an_identifier_in_any_of_its_shapes(parameter: dict[str, object], found: tuple[str, str]) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": "receipt", **parameter}]}
    receipt = outcome.classify(answer(200, body), SENT, 0.0, receipts)
    assert (receipt.identifier_system, receipt.identifier_value) == found
    assert receipt.code == ("" if found[1] else "FM690")


@pytest.mark.parametrize(
    ("status", "body", "state", "code"),
    [
        (200, outcome_of("information"), "accepted", "FM690"),
        (200, outcome_of("warning"), "accepted", "FM690"),
        (201, outcome_of("information"), "accepted", "FM690"),
        (204, b"", "accepted", "FM690"),
        (200, {"resourceType": "Parameters"}, "accepted", "FM690"),
        (200, outcome_of("error"), "refused", "FM664"),
        (200, outcome_of("fatal"), "refused", "FM664"),
        (
            200,
            {"resourceType": "Parameters", "parameter": [{"name": "result", "resource": outcome_of("error")}]},
            "refused",
            "FM664",
        ),
        (200, b"", "uncertain", "FM652"),
        (200, b"<!DOCTYPE html><html>", "uncertain", "FM652"),
        (200, b'{"resourceType":"Parameters","par', "uncertain", "FM652"),
        (200, b"null", "uncertain", "FM652"),
        (200, b"[]", "uncertain", "FM652"),
        (200, {"ok": True}, "uncertain", "FM652"),
        (200, {"resourceType": "Patient"}, "uncertain", "FM652"),
        (202, b"", "uncertain", "FM652"),
        (200, b"\xff\xfe\x00", "uncertain", "FM652"),
        (200, b"[" * 100_000, "uncertain", "FM652"),
    ],
)
def test_success_is_believed_only_where_the_body_says_so(
    status: int, body: bytes | dict[str, object], state: str, code: str
) -> None:
    receipt = outcome.classify(answer(status, body), SENT, 0.0)
    assert (receipt.state, receipt.code, receipt.stops_run) == (state, code, False)


@pytest.mark.parametrize(
    "value",
    [
        ["12345"],
        {"value": ["1"]},
        {"value": {"a": 1}},
        {"value": 1.5},
        {"value": True},
        {"value": "1", "system": 7},
        12.0,
    ],
)
def test_an_identifier_that_is_no_text_is_not_kept_and_that_is_said(value: object) -> None:
    body = {"resourceType": "Parameters", "parameter": [{"name": "receipt", "valueIdentifier": value}]}
    receipt = outcome.classify(answer(200, body), SENT, 0.0, receipts)
    assert (receipt.state, receipt.code, receipt.identifier_value) == ("accepted", "FM692", "")


def test_a_whole_number_is_the_text_it_was_written_as() -> None:
    digits = b"9" * 5000
    body = b'{"resourceType":"Parameters","n":%s,"parameter":[{"name":"receipt","valueIdentifier":{"value":%s}}]}'
    receipt = outcome.classify(answer(200, body % (digits, b"00012"[3:])), SENT, 0.0, receipts)
    assert (receipt.code, receipt.identifier_value) == ("", "12")


@pytest.mark.parametrize(
    ("status", "body", "is_stranger"),
    [
        (404, b"", True),
        (404, b"Not Found", True),
        (405, b"<html>", True),
        (501, b"{}", True),
        (410, b"", True),
        (404, outcome_of(), False),
        (404, outcome_of(code="not-supported"), True),
        (422, outcome_of(code="not-supported"), False),
        (400, b"<!DOCTYPE HTML><title>portal</title>", True),
        (400, b"no", False),
        (200, b"<html>sign in</html>", True),
        (200, b"", True),
        (200, b'{"ok": true}', True),
        (200, b'{"resourceType": "Param', False),
        (200, {"resourceType": "Patient"}, False),
        (204, b"", False),
        (200, outcome_of("information"), False),
        (503, b"<html>", False),
        (429, b"<html>", False),
    ],
)
def test_what_does_not_come_from_the_operation(status: int, body: Any, is_stranger: bool) -> None:
    assert outcome.classify(answer(status, body), SENT, 0.0).is_stranger == is_stranger


def test_a_byte_order_mark_before_the_json_does_no_harm() -> None:
    body = b"\xef\xbb\xbf" + json.dumps(outcome_of("information")).encode()
    assert outcome.classify(answer(200, body), SENT, 0.0).state == "accepted"


def test_a_body_that_was_cut_off_is_not_believed_even_if_it_parses() -> None:
    cut = HttpAnswer(200, {}, json.dumps(outcome_of("information")).encode(), False, 0.1)
    assert outcome.classify(cut, SENT, 0.0).state == "uncertain"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        (" 3 ", 3.0),
        ("Thu, 01 Jan 1970 00:00:30 GMT", 20.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("99999999", 3600.0),
        ("-5", None),
        ("soon", None),
        ("", None),
        ("٣", None),
    ],
)
def test_retry_after_in_both_forms(text: str, seconds: float | None) -> None:
    receipt = outcome.classify(answer(429, b"", retry_after=text), SENT, 10.0)
    assert receipt.retry_after_s == seconds


def test_every_exception_class_of_httpx2_is_classified() -> None:
    classes = [
        found
        for _, found in inspect.getmembers(httpx2, inspect.isclass)
        if issubclass(found, Exception) and not issubclass(found, Warning)
    ]
    assert len(classes) > 25
    for found in classes:
        error = found.__new__(found)
        Exception.__init__(error, "message with 284051012345678")
        kind, reason = classify_exception(error)
        assert kind
        assert "284051012345678" not in reason


@pytest.mark.parametrize("kind", ["connect", "name", "busy", "timeout", "lost", "garbled"])
def test_a_transport_error_is_deferred_before_and_uncertain_after_the_request_left(kind: str) -> None:
    assert outcome.classify_no_answer(NoAnswer(kind, sent=False, reason="")).state == "deferred"
    after = outcome.classify_no_answer(NoAnswer(kind, sent=True, reason=""))
    assert (after.state, after.code) == ("uncertain", "FM650" if kind == "timeout" else "FM651")


def test_every_code_that_a_receipt_can_have_has_a_page() -> None:
    for code in ("FM600", "FM601", "FM602", "FM603", "FM604", "FM610", "FM614", "FM615", "FM616", "FM617", "FM618"):
        assert page(code).title
    for code in ("FM650", "FM651", "FM652", "FM653", "FM660", "FM661", "FM662", "FM663", "FM664", "FM690"):
        assert page(code).title


@pytest.mark.parametrize(
    ("place", "element"),
    [
        ("Parameters.parameter[0].value", "Parameters.parameter:nir.value[x]"),
        ("parameter[0].valueString", "Parameters.parameter:nir.value[x]"),
        ("Parameters.parameter[3].part[1].value", "Parameters.parameter:implants.part:lot.value[x]"),
        ("Parameters.parameter[3].part[1]", "Parameters.parameter:implants.part:lot"),
        ("Parameters.parameter[4]", "Parameters.parameter:implants"),
        ("Parameters.parameter.where(name='rpps')", "Parameters.parameter:rpps"),
        ("Parameters.parameter.where(name = 'rpps').value.ofType(string)", "Parameters.parameter:rpps.value[x]"),
        (
            "Parameters.parameter.where(name='implants').first().part.where(name='lot')",
            "Parameters.parameter:implants.part:lot",
        ),
        ("Parameters.parameter:implants", "Parameters.parameter:implants"),
        ("/f:Parameters/f:parameter[1]/f:valueString", "Parameters.parameter:nir.value[x]"),
        ("/f:Parameters/f:parameter[4]/f:part[2]", "Parameters.parameter:implants.part:lot"),
        ("Parameters.parameter", "Parameters.parameter"),
        ("Parameters.parameter[9]", ""),
        ("Parameters.parameter[0].part[3].value", ""),
        ("line 3, column 4", ""),
        ("", ""),
        ("Bundle.entry[0]", ""),
    ],
)
def test_the_element_that_an_issue_names(place: str, element: str) -> None:
    assert element_of(place, PAYLOAD) == element


def test_an_issue_is_tied_to_its_element_and_does_not_repeat_our_values() -> None:
    body = outcome_of(
        words="Le NIR 284051012345678 (2 84 05 10 123 456 78) du 2025-03-15 est inconnu, lot a213b456",
        expression=["Parameters.parameter[0].value"],
    )
    receipt = outcome.classify(answer(422, body), SENT, 0.0)
    assert receipt.issues == (
        Issue(
            "error",
            "processing",
            "Le NIR [nir] ([nir]) du [dateIntervention] est inconnu, lot [lot]",
            ("Parameters.parameter[0].value",),
            "Parameters.parameter:nir.value[x]",
        ),
    )


def test_values_of_a_bundle_are_taken_out_too() -> None:
    patient = {"resourceType": "Patient", "name": [{"family": "Martin"}], "birthDate": "1984-05-10"}
    values = payload_values({"resourceType": "Bundle", "entry": [{"resource": patient}]})
    assert redact("Martin, née le 1984-05-10", values) == "[family], née le [birthDate]"


def test_words_come_from_details_where_there_are_no_diagnostics() -> None:
    coded = {"severity": "error", "code": "x", "details": {"coding": [{"display": "Patient unknown"}]}}
    texted = {"severity": "error", "code": "x", "details": {"text": "Site unknown"}}
    body = {"resourceType": "OperationOutcome", "issue": [coded, texted, {"severity": "error"}, "odd"]}
    receipt = outcome.classify(answer(400, body), SENT, 0.0)
    assert [issue.diagnostics for issue in receipt.issues] == ["Patient unknown", "Site unknown", ""]


def test_another_operation_s_receipt_is_the_only_identifier_of_its_answer() -> None:
    receipt = {"name": "recu", "valueIdentifier": {"system": "urn:x", "value": "R-1"}}
    other = {"name": "patient", "valueIdentifier": {"system": "urn:y", "value": "P-1"}}
    for parameters, value in (([receipt], "R-1"), ([receipt, other], "")):
        body = json.dumps({"resourceType": "Parameters", "parameter": parameters}).encode()
        assert outcome.read_body(body).identifier_value == value
