"""``fhirmap doctor`` asks the receiver: who is there, with what certificate, and what time it is for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fhirmap.cli.finding import Finding
from fhirmap.diagnostics import Diagnostic
from fhirmap.records import Receipt, ReceiptState
from fhirmap.texts import text

if TYPE_CHECKING:
    from fhirmap.sinks import SinkSettings
    from fhirmap.sinks.transport import HttpAnswer, PeerCertificate

__all__ = ["look_at_receiver"]

_CLOCK_SKEW_S = 60.0
_DAY_S = 86_400.0
_DAYS_LEFT = 30


def look_at_receiver(settings: SinkSettings) -> Iterator[Finding]:
    """What the operation answers to a request without a record: it refuses it where it is there.

    Raises: FhirmapError as `FhirOperation.look`.
    """
    from fhirmap.sinks import open_sink
    from fhirmap.sinks.fhir_operation import FhirOperation
    from fhirmap.sinks.transport import NoAnswer

    with closing(open_sink(settings)) as sink:
        if not isinstance(sink, FhirOperation):
            return
        try:
            answer, receipt = sink.look()
        except NoAnswer as fault:
            shown = text("doctor.no_answer", url=sink.name, reason=fault.reason)
            yield Finding("FAIL", shown, text("doctor.no_answer_hint"), 3)
            return
        if answer.certificate is not None:
            yield _certificate(urlsplit(sink.name).netloc, answer.certificate)
        yield _answer(sink.name, answer, receipt)


def _answer(name: str, answer: HttpAnswer, receipt: Receipt) -> Finding:
    found = _problem(name, receipt)
    if found is not None:
        return Finding("FAIL", text("doctor.receiver", message=found.message, code=found.code), found.hint_text, 3)
    from fhirmap.sinks.outcome import http_date

    at = http_date(next((value for key, value in answer.headers.items() if key.lower() == "date"), ""))
    if at is None:
        return Finding("ok", text("doctor.no_time", url=name, status=answer.status))
    skew_s = time.time() - at
    if abs(skew_s) > _CLOCK_SKEW_S:
        return Finding("warn", text("doctor.clock", seconds=f"{skew_s:+.0f}"), text("doctor.clock_hint"))
    return Finding("ok", text("doctor.answers", url=name, status=answer.status, seconds=f"{abs(skew_s):.0f}"))


def _problem(name: str, receipt: Receipt) -> Diagnostic | None:
    """Why a run would come to nothing: the operation is not there, does not let us in, or is down."""
    last = text("run.status", status=receipt.status)
    if receipt.is_stranger:
        return Diagnostic("FM621", args={"sink": name, "last": last})
    if receipt.state in (ReceiptState.ACCEPTED, ReceiptState.REFUSED):
        return None
    return Diagnostic(receipt.code, args={"sink": name, "status": receipt.status})


def _certificate(host: str, found: PeerCertificate) -> Finding:
    """Who made it, and until when it is good."""
    date = datetime.fromtimestamp(found.not_after, UTC).date().isoformat()
    days = int((found.not_after - time.time()) // _DAY_S)
    shown = text("doctor.certificate", host=host, issuer=found.issuer, date=date)
    if days >= _DAYS_LEFT:
        return Finding("ok", shown)
    return Finding("warn", f"{shown}, {text('doctor.days_left', count=days)}", text("doctor.certificate_hint"))
