"""A transaction Bundle posted to a FHIR server's base.

Spec: FHIR R4 http.html#transaction. All or nothing: one entry that is not 2xx in a transaction-response means refused.
The identifier is the first one that a returned Procedure carries, else where the server says it put the Procedure,
else the first entry's place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from fhirmap.records import Receipt, ReceiptState
from fhirmap.sinks import outcome
from fhirmap.sinks.fhir_operation import open_http
from fhirmap.sinks.foreign_json import json_object
from fhirmap.sinks.foreign_text import some_issues
from fhirmap.sinks.settings import AnswerWords
from fhirmap.sinks.shown_answer import AnswerFilter
from fhirmap.sinks.sink import Sink, SinkSettings
from fhirmap.sinks.transport import HttpAnswer

__all__ = ["classify_transaction", "open_sink"]


def classify_transaction(answer: HttpAnswer, payload: bytes, now: float, words: AnswerWords | None = None) -> Receipt:
    """The receipt of a transaction: a Bundle is read entry by entry, anything else as an operation's answer."""
    receipt = outcome.classify(answer, payload, now, words=words)
    bundle = json_object(answer.body) if answer.complete else {}
    if not 200 <= answer.status < 300 or bundle.get("resourceType") != "Bundle":
        return receipt
    entries = _entries(bundle)
    responses = [entry["response"] for entry in entries if isinstance(entry.get("response"), dict)]
    if not responses:
        return receipt
    found = [response["outcome"] for response in responses if outcome.is_outcome(response.get("outcome"))]
    shown = AnswerFilter(payload, words)
    issues = shown.issues(some_issues(issue for each in found for issue in outcome.issues_of(each)))
    failed = any(not str(response.get("status", "")).startswith("2") for response in responses)
    receipt = replace(receipt, is_stranger=False, issues=issues)
    if failed or any(issue.is_failure for issue in issues):
        return replace(receipt, state=ReceiptState.REFUSED, code="FM664")
    return shown.identified(outcome.accepted(receipt, outcome.with_identifier(issues, _identifiers(entries))))


def _entries(bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = bundle.get("entry")
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _identifiers(entries: Sequence[Mapping[str, Any]]) -> list[tuple[object, object]]:
    """System and value of each, the best one first."""
    found: list[tuple[object, object]] = []
    for entry in entries:
        resource = entry.get("resource")
        if isinstance(resource, dict) and resource.get("resourceType") == "Procedure":
            named = resource.get("identifier")
            named = named if isinstance(named, list) else []
            found += [outcome.identifier_in(each) for each in named if isinstance(each, dict) and each.get("value")]
    if found:
        return found
    responses = [entry.get("response") for entry in entries]
    places = [each.get("location") for each in responses if isinstance(each, dict) and each.get("location")]
    texts = [place for place in places if isinstance(place, str)]
    chosen = next((place for place in texts if "Procedure/" in place), next(iter(texts), places[0] if places else ""))
    return [("", chosen.partition("/_history/")[0] if isinstance(chosen, str) else chosen)] if chosen else []


def open_sink(settings: SinkSettings) -> Sink:
    """The sink of ``kind = "fhir-transaction"``: ``url`` is the server's base."""
    return open_http(
        settings,
        settings.url.rstrip("/") + (f"/{settings.endpoint}" if settings.endpoint else ""),
        partial(classify_transaction, words=settings.answer_words),
    )
