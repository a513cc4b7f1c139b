"""Every row of the registry's answers, over a real connection: what becomes of the record, what the analyst sees."""
# ruff: noqa: E501 - a table reads best with one row a line

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from fhirmap.journal import Entry, EntryState
from fhirmap.records import UncertainPolicy
from fhirmap.runner.deliver import deliver
from fhirmap.runner.project import SinkLimits
from fhirmap.sinks import SinkSettings, TransportSettings, open_sink
from tests.journal.sending import digest_of

PAYLOAD = json.dumps(
    {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "nir", "valueString": "284051012345678"},
            {"name": "rpps", "valueString": "10001234567"},
        ],
    }
).encode()
ONCE = SinkLimits(attempts=1, uncertain=UncertainPolicy.HOLD)


def http(status: int, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}", "Connection: close"]
    return "\r\n".join([*lines, *headers]).encode() + b"\r\n\r\n" + body


def outcome(severity: str, code: str, *words: str, **more: Any) -> dict[str, Any]:
    issues = [{"severity": severity, "code": code, "diagnostics": text, **more} for text in words]
    return {"resourceType": "OperationOutcome", "issue": issues}


def bare(severity: str, code: str, *words: str, **more: Any) -> bytes:
    return json.dumps(outcome(severity, code, *words, **more)).encode()


def wrapped(
    severity: str, code: str, *words: str, identifier: str = "", name: str = "result", key: str = "idRegistre"
) -> bytes:
    parameters: list[dict[str, Any]] = [{"name": name, "resource": outcome(severity, code, *words)}]
    if identifier:
        parameters.append({"name": key, "valueIdentifier": {"system": "urn:r", "value": identifier}})
    return json.dumps({"resourceType": "Parameters", "parameter": parameters}).encode()


FHIR = "Content-Type: application/fhir+json"
HTML = b"<!DOCTYPE html><html><body>Maintenance</body></html>"
PAIRED = wrapped("information", "informational", "associés", identifier="RENACOT-2025-12345")

ROWS: list[tuple[str, bytes | str | None, str, str, str]] = [
    ("200 paired", http(200, PAIRED, FHIR), "accepted", "", "associés"),
    ("200 old identifier", http(200, wrapped("information", "informational", "ok", identifier="12345"), FHIR), "accepted", "", "ok"),
    ("200 draft names", http(200, wrapped("information", "informational", "ok", identifier="1", name="operationOutcome", key="referenceRegistre"), FHIR), "accepted", "", "ok"),
    ("200 first draft", http(200, wrapped("information", "informational", "ok", identifier="1", name="return", key="registre-identifier"), FHIR), "accepted", "", "ok"),
    ("200 gzip", http(200, gzip.compress(PAIRED), FHIR, "Content-Encoding: gzip"), "accepted", "", "associés"),
    ("200 wrong content type", http(200, PAIRED, "Content-Type: text/plain"), "accepted", "", "associés"),
    ("200 without identifier", http(200, wrapped("information", "informational", "ok"), FHIR), "accepted", "FM690", "ok"),
    ("200 bare outcome", http(200, bare("information", "informational", "ok"), FHIR), "accepted", "FM690", "ok"),
    ("204", b"HTTP/1.1 204 X\r\nConnection: close\r\n\r\n", "accepted", "FM690", ""),
    ("200 holding an error", http(200, wrapped("error", "processing", "non"), FHIR), "refused", "FM664", "non"),
    ("200 holding a fatal", http(200, bare("fatal", "exception", "non"), FHIR), "refused", "FM664", "non"),
    ("200 HTML", http(200, HTML, "Content-Type: text/html"), "uncertain", "FM652", ""),
    ("200 empty", http(200, b"", FHIR), "uncertain", "FM652", ""),
    ("200 truncated", http(200, PAIRED[:60], FHIR, length=len(PAIRED)), "uncertain", "FM652", ""),
    ("200 half a JSON", http(200, PAIRED[:60], FHIR), "uncertain", "FM652", ""),
    ("200 broken gzip", http(200, b"\x1f\x8bnot gzip at all", FHIR, "Content-Encoding: gzip"), "uncertain", "FM652", ""),
    ("200 not FHIR", http(200, b'{"ok": true}', "Content-Type: application/json"), "uncertain", "FM652", ""),
    ("200 enormous", http(200, b'{"resourceType":"Parameters","x":"' + b"x" * 3_000_000 + b'"}', FHIR), "uncertain", "FM652", ""),
    ("400 several", http(400, wrapped("error", "required", "Patient inconnu", "Chirurgien inconnu"), FHIR), "refused", "FM660", "Patient inconnu; Chirurgien inconnu"),
    ("400 bare", http(400, bare("error", "structure", "implants : 2"), FHIR), "refused", "FM660", "implants : 2"),
    ("400 HTML", http(400, HTML), "deferred", "FM621", ""),
    ("401", http(401, bare("error", "login", "Jeton expiré"), FHIR), "deferred", "FM614", "Jeton expiré"),
    ("403", http(403, bare("error", "forbidden", "Portée"), FHIR), "deferred", "FM615", "Portée"),
    ("404", http(404, HTML), "deferred", "FM621", ""),
    ("404 of the operation", http(404, bare("error", "not-found", "Inconnu"), FHIR), "refused", "FM662", "Inconnu"),
    ("422", http(422, wrapped("error", "processing", "Aucune intervention"), FHIR), "refused", "FM661", "Aucune intervention"),
    ("422 quoting our data", http(422, bare("error", "processing", "NIR 284051012345678 inconnu"), FHIR), "refused", "FM661", "NIR [nir] inconnu"),
    ("429", http(429, wrapped("error", "throttled", "Débit"), FHIR), "deferred", "FM601", "Débit"),
    ("429 with Retry-After", http(429, b"", "Retry-After: 3"), "deferred", "FM601", ""),
    ("500", http(500, wrapped("error", "exception", "Erreur"), FHIR), "deferred", "FM602", "Erreur"),
    ("500 truncated", http(500, b"{", length=99), "deferred", "FM602", ""),
    ("502 HTML", http(502, HTML), "deferred", "FM603", ""),
    ("503", http(503), "deferred", "FM603", ""),
    ("504", http(504), "deferred", "FM603", ""),
    ("other 4xx", http(410, bare("error", "deleted", "Fermé"), FHIR), "refused", "FM663", "Fermé"),
    ("redirect", http(302, b"", "Location: http://127.0.0.1:1/login"), "deferred", "FM618", ""),
    ("closed without a word", None, "uncertain", "FM651", ""),
    ("reset", "reset", "uncertain", "FM651", ""),
    ("no HTTP", b"hello\r\n\r\n", "uncertain", "FM651", ""),
    ("no-answer", "no-answer", "uncertain", "FM650", ""),
]  # fmt: skip
STOPPING = {"FM614", "FM615", "FM618", "FM621"}
STRANGE = {"200 HTML", "200 empty", "200 not FHIR"}


@pytest.mark.parametrize(("name", "said", "state", "code", "words"), ROWS, ids=[row[0] for row in ROWS])
def test_each_answer_ends_in_its_state_with_its_words(
    name: str, said: bytes | str | None, state: str, code: str, words: str,
    journal: Any, clock: Any, raw_server: Callable[..., Any],
) -> None:  # fmt: skip
    server = raw_server(said)
    # Whoever answers has the time to: a busy machine may need a while for it.
    transport = TransportSettings(timeout_s=0.3 if said == "no-answer" else 30)
    sink = open_sink(SinkSettings("fhir-operation", server.url, "$op", transport=transport))
    journal.put([Entry("1", EntryState.READY, PAYLOAD, digest_of(PAYLOAD))])
    delivery = deliver(journal, sink, ONCE, clock=clock, rng=random.Random(1))
    sink.close()
    (answer,) = journal.answers()
    assert (answer.state, answer.code) == (state, code)
    assert "; ".join(issue.diagnostics for issue in answer.issues) == words
    assert answer.in_doubt == (state == "uncertain")
    verdict = state in ("accepted", "refused")
    stopped = "" if verdict else code if code in STOPPING else "FM621" if name in STRANGE else "FM620"
    assert (delivery.stopped_by.code if delivery.stopped_by else "") == stopped
    assert journal.ledger().balanced
    assert len(server.requests) == (2 if code == "FM621" else 1)


def test_the_request_is_what_the_operation_wants(journal: Any, clock: Any, raw_server: Callable[..., Any]) -> None:
    server = raw_server(http(200, PAIRED, FHIR))
    sink = open_sink(SinkSettings("fhir-operation", f"{server.url}/fhir/", "$op", headers={"X-Api-Key": "k"}))
    journal.put([Entry("1", EntryState.READY, PAYLOAD, digest_of(PAYLOAD))])
    deliver(journal, sink, ONCE, clock=clock)
    sink.close()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /fhir/$op http/1.1"
    assert "content-type: application/fhir+json" in lines
    assert "accept: application/fhir+json" in lines
    assert "x-api-key: k" in lines
    assert any(line.startswith("x-request-id: ") and len(line) > 40 for line in lines)
    assert body == PAYLOAD


def test_no_one_listening_is_deferred_and_nothing_is_in_doubt(journal: Any, clock: Any, raw_server: Any) -> None:
    server = raw_server(b"")
    server.stop()
    sink = open_sink(SinkSettings("fhir-operation", server.url, "$op"))
    journal.put([Entry("1", EntryState.READY, PAYLOAD, digest_of(PAYLOAD))])
    delivery = deliver(journal, sink, SinkLimits(attempts=3), clock=clock, rng=random.Random(1))
    sink.close()
    (answer,) = journal.answers()
    assert (answer.state, answer.code, answer.attempts, answer.in_doubt) == ("deferred", "FM600", 3, False)
    assert not delivery.has_verdict


def test_an_issue_is_tied_to_the_map_rule_and_the_source_column(journal: Any, clock: Any, raw_server: Any) -> None:
    body = bare("error", "required", "inconnu", expression=["Parameters.parameter[0].value"])
    sink = open_sink(SinkSettings("fhir-operation", raw_server(http(400, body, FHIR)).url, "$op"))
    journal.put([Entry("1", EntryState.READY, PAYLOAD, digest_of(PAYLOAD))])
    places = {"Parameters.parameter:nir.value[x]": ("valmorel.map:31:5", ("PATIENT.nir",))}
    deliver(journal, sink, ONCE, clock=clock, lineage=places.get)
    sink.close()
    (issue,) = journal.answers()[0].issues
    assert (issue.position, issue.columns) == ("valmorel.map:31:5", ("PATIENT.nir",))
