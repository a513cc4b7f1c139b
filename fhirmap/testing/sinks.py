"""Does a sink keep the contract of `fhirmap.extending.Sink`?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from fhirmap.diagnostics.catalog import codes
from fhirmap.records import Envelope, Receipt, ReceiptState
from fhirmap.runner.outcomes import canonical_json
from fhirmap.sinks.sink import SinkFactory, SinkSettings

__all__ = ["check_receipt", "check_sink", "envelope_of"]


def envelope_of(resource: Mapping[str, Any], key: str = "1") -> Envelope:
    """A resource as a run would hand it to a sink."""
    payload = canonical_json(resource)
    digest = hashlib.sha256(payload).hexdigest()
    return Envelope(key, payload, digest, request_key=f"test-{digest[:16]}")


def check_sink(
    factory: SinkFactory,
    settings: SinkSettings,
    expected: Sequence[tuple[Envelope, ReceiptState]],
    *,
    secrets: Sequence[str] = (),
) -> None:
    """Opens the sink, sends each envelope of ``expected`` by itself and then all at once, and closes it.

    ``expected``: what becomes of each, for the receiver that the test has set up: have one for each state that it can
    answer with. ``secrets``: texts that ``settings`` hold and that must be in no name, repr or receipt.

    Raises: AssertionError; whatever the sink raises where it should answer with a receipt.
    """
    sink = factory(settings)
    try:
        assert isinstance(sink.name, str) and sink.name, "`name` is what people see: a text"
        assert isinstance(sink.batch_size, int) and sink.batch_size >= 1, "`batch_size` is 1 or more"
        assert isinstance(sink.is_remote, bool), "`is_remote` is a bool"
        for secret in secrets:
            for shown in (sink.name, repr(sink), str(sink), repr(settings)):
                assert secret not in shown, "a secret is in the sink's name or repr"
        sink.prepare()
        for envelope, state in expected:
            check_receipt(sink.send(envelope), state, envelope, secrets=secrets)
        envelopes = [envelope for envelope, _ in expected]
        receipts = sink.send_all(envelopes)
        assert len(receipts) == len(envelopes), "`send_all` gives one receipt for each envelope, in their order"
        for receipt, (envelope, state) in zip(receipts, expected, strict=True):
            check_receipt(receipt, state, envelope, secrets=secrets)
        assert sink.send_all([]) == [], "no envelopes, no receipts"
    finally:
        sink.close()


def check_receipt(receipt: Receipt, state: ReceiptState, envelope: Envelope, *, secrets: Sequence[str] = ()) -> None:
    """Is it a receipt that the journal and the report can use, and of ``state``?

    Raises: AssertionError.
    """
    assert isinstance(receipt, Receipt), "what became of an envelope is a Receipt"
    assert receipt.state == state, f"{receipt.state} ({receipt.code}) where {state} was expected"
    assert receipt.code == "" or receipt.code in codes(), f"`{receipt.code}` is no code with a page (FM600-FM699)"
    assert receipt.state == ReceiptState.ACCEPTED or receipt.code, "a receipt that is not accepted says why: a code"
    assert not (receipt.stops_run and receipt.state == ReceiptState.ACCEPTED), "what was accepted stops no run"
    shown = repr((receipt.code, receipt.reason, receipt.issues))
    assert all(secret not in shown for secret in secrets), "a secret is in the receipt"
    assert envelope.payload.decode("utf-8", "replace") not in shown, "the payload is in the receipt's words"
