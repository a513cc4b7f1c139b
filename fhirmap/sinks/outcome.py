"""What an answer means: HTTP status and body to accepted, refused, deferred or uncertain, with a code of FM600-FM699.

| status | body | state | code |
|---|---|---|---|
| 2xx | Parameters or OperationOutcome, an identifier | accepted | |
| 2xx | the same without an identifier, or 204 | accepted, to look at | FM690 |
| 2xx | an identifier that cannot be kept as it is | accepted, to look at | FM692 |
| 2xx | an issue of severity error or fatal | refused | FM664 |
| 2xx | empty, HTML, cut off, no FHIR | uncertain | FM652 |
| 3xx | any | deferred, the run stops | FM618 |
| 400, 422, 404, other 4xx | any | refused | FM660, FM661, FM662, FM663 |
| 401 (after one renewal), 403, 407 | any | deferred, the run stops | FM614, FM615, FM616 |
| 408, 425, 429 | any | deferred | FM604, FM604, FM601 |
| 500; 502, 503, 504; other 5xx | any | deferred | FM602; FM603; FM604 |
| none, request not fully sent | | deferred | FM600 |
| none, no request can be made | | the run stops | FM610 certificate, FM616 proxy, FM617 other |
| none, request sent | | uncertain | FM650 in time, FM651 connection lost |

Where nothing in an answer comes from the operation (`Receipt.is_stranger`), `runner/first_answers.py` decides whether
it is about the record or the address: FM621.

Spec: FHIR R4 http.html, operations.html; the operation's guide for the 200, 400, 422, 429 and 500 rows. Its wording is
never parsed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, TypeGuard
from urllib.parse import urlsplit, urlunsplit

from fhirmap.errors import DeliveryError
from fhirmap.records import Issue, Receipt, ReceiptState
from fhirmap.sinks.foreign_json import json_object
from fhirmap.sinks.foreign_text import clipped, some_issues
from fhirmap.sinks.settings import AnswerWords, IdentifiersOf
from fhirmap.sinks.shown_answer import AnswerFilter
from fhirmap.sinks.transport import HttpAnswer, NoAnswer

__all__ = [
    "AnswerReading",
    "classify",
    "classify_no_answer",
    "raise_if_fatal",
    "read_body",
]

_STOPS = {401: "FM614", 403: "FM615", 407: "FM616"}
_DEFERRED = {408: "FM604", 425: "FM604", 429: "FM601", 500: "FM602", 502: "FM603", 503: "FM603", 504: "FM603"}
_REFUSED = {400: "FM660", 422: "FM661", 404: "FM662"}
_RETRY_LIMIT_S = 3600.0
_NO_SUCH_PATH = frozenset({404, 405, 410, 501})
_MOST_PLACES = 20


@dataclass(frozen=True, slots=True)
class AnswerReading:
    """What a body says. ``understood``: it is FHIR of a shape an operation answers with. ``is_unusable``: there is an
    identifier that is no text."""

    understood: bool
    issues: tuple[Issue, ...] = ()
    identifier_system: str = ""
    identifier_value: str = ""
    is_unusable: bool = False

    @property
    def is_failure(self) -> bool:
        """Does an issue say that it did not work?"""
        return any(issue.is_failure for issue in self.issues)


def classify(
    answer: HttpAnswer,
    payload: bytes,
    now: float,
    identifiers_of: IdentifiersOf | None = None,
    words: AnswerWords | None = None,
) -> Receipt:
    """The receipt of an answer. ``payload``: what was sent, to tie issues to its elements and take its values out of
    their words. ``identifiers_of``: see `read_body`. ``words``: what of the receiver's is shown as it is.

    Units: ``now`` in seconds since the epoch, for a Retry-After that is a date.
    """
    reading = read_body(answer.body, identifiers_of) if answer.complete else AnswerReading(False)
    shown = AnswerFilter(payload, words)
    issues = shown.issues(reading.issues)
    receipt = Receipt(
        ReceiptState.REFUSED,
        "FM663",
        answer.status,
        issues,
        duration_s=answer.duration_s,
        body=answer.body,
        is_stranger=_is_stranger(answer, reading),
    )
    status = answer.status
    if 200 <= status < 300:
        return shown.identified(_success(receipt, answer, reading))
    if status in _STOPS:
        return replace(receipt, state=ReceiptState.DEFERRED, code=_STOPS[status], stops_run=True)
    if status < 400:
        return replace(receipt, state=ReceiptState.DEFERRED, code="FM618", stops_run=True)
    if status in _DEFERRED or status >= 500:
        wait_s = retry_after_s(answer.headers, now)
        return replace(receipt, state=ReceiptState.DEFERRED, code=_DEFERRED.get(status, "FM604"), retry_after_s=wait_s)
    return replace(receipt, code=_REFUSED.get(status, "FM663"))


def _is_stranger(answer: HttpAnswer, reading: AnswerReading) -> bool:
    if reading.understood:
        unsupported = any(issue.code == "not-supported" for issue in reading.issues)
        return answer.status in _NO_SUCH_PATH and unsupported
    status = answer.status
    if not answer.complete or status == 204:
        return False
    if 200 <= status < 300:
        return _is_page(answer) or not _may_be_fhir(answer.body)
    is_final = 400 <= status < 500 and status not in _STOPS and status not in _DEFERRED
    return status in _NO_SUCH_PATH or (is_final and _is_page(answer))


def _is_page(answer: HttpAnswer) -> bool:
    """Is it for a browser?"""
    kind = next((value for name, value in answer.headers.items() if name.lower() == "content-type"), "")
    begin = answer.body[:200].lstrip().lower()
    return kind.lower().startswith("text/html") or begin.startswith((b"<!doctype html", b"<html"))


def _may_be_fhir(body: bytes) -> bool:
    """Is it another resource, or JSON that is broken?"""
    found = json_object(body)
    return "resourceType" in found or (not found and b'"resourceType"' in body[:1000])


def _success(receipt: Receipt, answer: HttpAnswer, reading: AnswerReading) -> Receipt:
    if answer.status == 204:
        return replace(receipt, state=ReceiptState.ACCEPTED, code="FM690")
    if not reading.understood:
        return replace(receipt, state=ReceiptState.UNCERTAIN, code="FM652")
    if reading.is_failure:
        return replace(receipt, state=ReceiptState.REFUSED, code="FM664")
    return accepted(receipt, reading)


def accepted(receipt: Receipt, reading: AnswerReading) -> Receipt:
    """The receipt of what was accepted, with the identifier that was read."""
    return replace(
        receipt,
        state=ReceiptState.ACCEPTED,
        code="" if reading.identifier_value else "FM692" if reading.is_unusable else "FM690",
        identifier_system=reading.identifier_system,
        identifier_value=reading.identifier_value,
    )


def classify_no_answer(no_answer: NoAnswer) -> Receipt:
    """The receipt where no answer was seen: uncertain once the whole request had left, deferred before."""
    if no_answer.sent:
        code = "FM650" if no_answer.kind == "timeout" else "FM651"
        return Receipt(ReceiptState.UNCERTAIN, code, duration_s=no_answer.duration_s, reason=no_answer.reason)
    return Receipt(ReceiptState.DEFERRED, "FM600", duration_s=no_answer.duration_s, reason=no_answer.reason)


_TLS_KINDS = ("certificate", "dates", "host", "tls")
_FATAL = {
    **dict.fromkeys(_TLS_KINDS, "FM610"),
    "proxy": "FM616",
    "address": "FM617",
    "program": "FM617",
}


def raise_if_fatal(no_answer: NoAnswer, sink: str) -> None:
    """Raise where nothing was sent and every other record would fail alike.

    Raises: DeliveryError FM610 (certificate), FM616 (proxy), FM617 (no request can be made).
    """
    if not no_answer.sent and no_answer.kind in _FATAL:
        code = _FATAL[no_answer.kind]
        variant = {"FM610": "" if no_answer.kind == "certificate" else no_answer.kind, "FM616": "reason"}.get(code, "")
        parts = urlsplit(sink)
        host = parts.netloc.rpartition("@")[2]
        shown = urlunsplit((parts.scheme, host, parts.path, "", ""))
        raise DeliveryError(code, variant=variant, host=host, sink=shown, reason=no_answer.reason) from None


def read_body(body: bytes, identifiers_of: IdentifiersOf | None = None) -> AnswerReading:
    """Issues and identifier of a body: Parameters with an OperationOutcome, a bare OperationOutcome, or not
    understood.

    ``identifiers_of``: where in Parameters the receiver's identifier is, the best place first; the only Identifier of
    the answer otherwise.
    """
    resource = json_object(body)
    try:
        match resource.get("resourceType"):
            case "OperationOutcome":
                return AnswerReading(True, issues_of(resource))
            case "Parameters":
                return _read_parameters(resource, identifiers_of)
    except RecursionError:  # the target's own expressions, on something that is nested deeply
        return AnswerReading(False)
    return AnswerReading(False)


def _read_parameters(resource: Mapping[str, Any], identifiers_of: IdentifiersOf | None) -> AnswerReading:
    parameters = _dicts(resource.get("parameter"))
    outcomes = [parameter.get("resource") for parameter in parameters]
    issues = some_issues(issue for outcome in outcomes if is_outcome(outcome) for issue in issues_of(outcome))
    places = identifiers_of(resource) if identifiers_of is not None else ()
    reading = with_identifier(issues, map(identifier_in, places))
    if reading.identifier_value or reading.is_unusable:
        return reading
    # Another operation names its receipt as it likes: the answer's only Identifier is it.
    only = [parameter["valueIdentifier"] for parameter in parameters if "valueIdentifier" in parameter]
    return with_identifier(issues, map(identifier_in, only if len(only) == 1 else ()))


def with_identifier(issues: tuple[Issue, ...], found: Iterable[tuple[object, object]]) -> AnswerReading:
    """What was understood, with the first identifier of ``found`` that is text; those after it are not looked for."""
    is_unusable = False
    for system, value in found:
        if isinstance(system, str) and isinstance(value, str) and value:
            return AnswerReading(True, issues, system, value)
        is_unusable = is_unusable or bool(value)
    return AnswerReading(True, issues, is_unusable=is_unusable)


def is_outcome(found: object) -> TypeGuard[Mapping[str, Any]]:
    """Is it an OperationOutcome?"""
    return isinstance(found, dict) and found.get("resourceType") == "OperationOutcome"


def identifier_in(found: object) -> tuple[object, object]:
    """System and value of an Identifier, of a Reference's identifier, or a literal reference or string with no
    system; of any type, as the receiver wrote it."""
    if not isinstance(found, dict):
        return "", found
    inner = found.get("identifier", found)
    if isinstance(inner, dict) and inner.get("value"):
        return inner.get("system") or "", _exact(inner["value"])
    return "", found.get("reference") or ""


def _exact(value: object) -> object:
    """A whole number is the text it was written as; any other number may have been written otherwise."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def issues_of(outcome: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Each issue, its words from diagnostics, details.text or a coding's display, whichever comes first."""
    return some_issues(_issue(found) for found in _dicts(outcome.get("issue")))


def _issue(found: Mapping[str, Any]) -> Issue:
    details = found.get("details")
    details = details if isinstance(details, dict) else {}
    displays = [coding.get("display") for coding in _dicts(details.get("coding"))]
    words = (clipped(entry).strip() for entry in (found.get("diagnostics"), details.get("text"), *displays))
    places = found.get("expression") or found.get("location") or []
    places = places if isinstance(places, list) else [places]
    return Issue(
        severity=clipped(found.get("severity")) or "error",
        code=clipped(found.get("code")),
        diagnostics=next(filter(None, words), ""),
        expression=tuple(clipped(place) for place in places if isinstance(place, str))[:_MOST_PLACES],
    )


def _dicts(found: object) -> list[Mapping[str, Any]]:
    return [value for value in found if isinstance(value, dict)] if isinstance(found, list) else []


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the receiver asks to wait, from Retry-After in either of its forms; at most an hour, never negative."""
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), _RETRY_LIMIT_S)
    at = http_date(text)
    return None if at is None else min(max(0.0, at - now), _RETRY_LIMIT_S)


def http_date(text: str) -> float | None:
    """Seconds since the epoch that a header's date is (RFC 9110 section 5.6.7); None for what is none."""
    try:
        moment = parsedate_to_datetime(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
