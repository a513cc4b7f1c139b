"""A transaction Bundle posted to a FHIR server's base.

Spec: FHIR R4 http.html#transaction. All or nothing: one entry that is not 2xx in a transaction-response means refused.
The identifier is the first one that a returned Procedure carries, else where the server says it put the Procedure,
else the first entry's place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from fhirmap.records import Issue, Receipt, ReceiptState
from fhirmap.sinks import outcome
from fhirmap.sinks.fhir_operation import open_http
from fhirmap.sinks.settings import AnswerWords
from fhirmap.sinks.shown_answer import AnswerFilter
from fhirmap.sinks.sink import Sink, SinkSettings
from fhirmap.sinks.transport import HttpAnswer

__all__ = ["classify_transaction", "open_sink"]


def classify_transaction(answer: HttpAnswer, payload: bytes, now: float, words: AnswerWords | None = None) -> Receipt:
    """The receipt of a transaction: a Bundle is read entry by entry, anything else as an operation's answer."""
    receipt = outcome.classify(answer, payload, now, words=words)
    bundle = outcome.json_object(answer.body) if answer.complete else {}
    if not 200 <= answer.status < 300 or bundle.get("resourceType") != "Bundle":
        return receipt
    responses = [entry["response"] for entry in _entries(bundle) if isinstance(entry.get("response"), dict)]
    if not responses:
        return receipt
    shown = AnswerFilter(outcome.json_object(payload), words)
    issues = shown.issues(_issues(responses))
    failed = any(not str(response.get("status", "")).startswith("2") for response in responses)
    if failed or any(issue.severity in ("error", "fatal") for issue in issues):
        return replace(receipt, state=ReceiptState.REFUSED, code="FM664", issues=issues)
    system, value = _identifier(bundle)
    accepted = replace(
        receipt,
        state=ReceiptState.ACCEPTED,
        code="" if value else "FM690",
        issues=issues,
        identifier_system=system,
        identifier_value=value,
    )
    return shown.identified(accepted)


def _entries(bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = bundle.get("entry")
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _issues(responses: list[Mapping[str, Any]]) -> Iterator[Issue]:
    for response in responses:
        found = response.get("outcome")
        if isinstance(found, dict) and found.get("resourceType") == "OperationOutcome":
            yield from outcome.issues_of(found)


def _identifier(bundle: Mapping[str, Any]) -> tuple[str, str]:
    entries = _entries(bundle)
    for entry in entries:
        resource = entry.get("resource")
        if isinstance(resource, dict) and resource.get("resourceType") == "Procedure":
            for identifier in resource.get("identifier") or []:
                if isinstance(identifier, dict) and identifier.get("value"):
                    return str(identifier.get("system", "")), str(identifier["value"])
    places = [str(entry.get("response", {}).get("location") or "") for entry in entries]
    chosen = next((place for place in places if "Procedure/" in place), next(filter(None, places), ""))
    return "", chosen.partition("/_history/")[0]


def open_sink(settings: SinkSettings) -> Sink:
    """The sink of ``kind = "fhir-transaction"``: ``url`` is the server's base."""
    return open_http(
        settings,
        settings.url.rstrip("/") + (f"/{settings.endpoint}" if settings.endpoint else ""),
        partial(classify_transaction, words=settings.answer_words),
    )
