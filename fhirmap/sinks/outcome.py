"""What an answer means: HTTP status and body to accepted, refused, deferred or uncertain, with a code of FM600-FM699.

| status | body | state | code |
|---|---|---|---|
| 2xx | Parameters or OperationOutcome, an identifier | accepted | |
| 2xx | the same without an identifier, or 204 | accepted, to look at | FM690 |
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

Spec: FHIR R4 http.html, operations.html; the operation's guide for the 200, 400, 422, 429 and 500 rows. Its wording is
never parsed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from fhirmap.errors import DeliveryError
from fhirmap.records import Issue, Receipt, ReceiptState
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


@dataclass(frozen=True, slots=True)
class AnswerReading:
    """What a body says. ``understood``: it is FHIR of a shape an operation answers with."""

    understood: bool
    issues: tuple[Issue, ...] = ()
    identifier_system: str = ""
    identifier_value: str = ""

    @property
    def is_failure(self) -> bool:
        """Does an issue say that it did not work?"""
        return any(issue.severity in ("error", "fatal") for issue in self.issues)


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
    shown = AnswerFilter(json_object(payload), words)
    issues = shown.issues(reading.issues)
    receipt = Receipt(
        ReceiptState.REFUSED, "FM663", answer.status, issues, duration_s=answer.duration_s, body=answer.body
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


def _success(receipt: Receipt, answer: HttpAnswer, reading: AnswerReading) -> Receipt:
    if answer.status == 204:
        return replace(receipt, state=ReceiptState.ACCEPTED, code="FM690")
    if not reading.understood:
        return replace(receipt, state=ReceiptState.UNCERTAIN, code="FM652")
    if reading.is_failure:
        return replace(receipt, state=ReceiptState.REFUSED, code="FM664")
    return replace(
        receipt,
        state=ReceiptState.ACCEPTED,
        code="" if reading.identifier_value else "FM690",
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
    match resource.get("resourceType"):
        case "OperationOutcome":
            return AnswerReading(True, tuple(issues_of(resource)))
        case "Parameters":
            return _read_parameters(resource, identifiers_of)
        case _:
            return AnswerReading(False)


def json_object(body: bytes) -> Mapping[str, Any]:
    """The JSON object that ``body`` is, or an empty one."""
    try:
        found = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _read_parameters(resource: Mapping[str, Any], identifiers_of: IdentifiersOf | None) -> AnswerReading:
    parameters = _dicts(resource.get("parameter"))
    issues: list[Issue] = []
    for parameter in parameters:
        outcome = parameter.get("resource")
        if isinstance(outcome, dict) and outcome.get("resourceType") == "OperationOutcome":
            issues += issues_of(outcome)
    for found in identifiers_of(resource) if identifiers_of is not None else ():
        system, value = _identifier(found)
        if value:
            return AnswerReading(True, tuple(issues), system, value)
    # Another operation names its receipt as it likes: the answer's only Identifier is it.
    only = [parameter["valueIdentifier"] for parameter in parameters if "valueIdentifier" in parameter]
    if len(only) == 1:
        return AnswerReading(True, tuple(issues), *_identifier(only[0]))
    return AnswerReading(True, tuple(issues))


def _identifier(found: object) -> tuple[str, str]:
    """System and value of an Identifier, of a Reference's identifier, or a literal reference or string with no
    system."""
    if not isinstance(found, dict):
        return "", found if isinstance(found, str) else ""
    inner = found.get("identifier", found)
    if isinstance(inner, dict) and inner.get("value"):
        return str(inner.get("system", "")), str(inner["value"])
    return "", str(found.get("reference") or "")


def issues_of(outcome: Mapping[str, Any]) -> Iterator[Issue]:
    """Each issue, its words from diagnostics, details.text or a coding's display, whichever comes first."""
    for issue in _dicts(outcome.get("issue")):
        details = issue.get("details")
        details = details if isinstance(details, dict) else {}
        displays = [str(coding.get("display", "")) for coding in _dicts(details.get("coding"))]
        words = [str(issue.get("diagnostics") or ""), str(details.get("text") or ""), *displays]
        places = issue.get("expression") or issue.get("location") or []
        yield Issue(
            severity=str(issue.get("severity", "error")),
            code=str(issue.get("code", "")),
            diagnostics=next((text.strip() for text in words if text.strip()), ""),
            expression=tuple(str(place) for place in places) if isinstance(places, list) else (str(places),),
        )


def _dicts(found: object) -> list[Mapping[str, Any]]:
    return [value for value in found if isinstance(value, dict)] if isinstance(found, list) else []


def retry_after_s(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds the receiver asks to wait, from Retry-After in either of its forms; at most an hour, never negative."""
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return min(float(text), _RETRY_LIMIT_S)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return min(max(0.0, moment.timestamp() - now), _RETRY_LIMIT_S)
