"""Entries and answers that the journal's tests share."""

from __future__ import annotations

import hashlib

from fhirmap.journal import Entry, EntryState, Journal
from fhirmap.records import Issue, Receipt, ReceiptState

ACCEPTED = Receipt(ReceiptState.ACCEPTED, "", 200, identifier_system="urn:s", identifier_value="R-1")
REFUSED = Receipt(ReceiptState.REFUSED, "FM661", 422, (Issue("error", "processing", "no such operation"),))
DEFERRED = Receipt(ReceiptState.DEFERRED, "FM603", 503)
UNCERTAIN = Receipt(ReceiptState.UNCERTAIN, "FM650")


def ready(key: str, payload: str = "a", limit_key: str = "L") -> Entry:
    """An entry to send."""
    content = payload.encode()
    return Entry(key, EntryState.READY, content, digest_of(content), limit_key)


def digest_of(payload: bytes) -> str:
    """As a run makes it."""
    return hashlib.sha256(payload).hexdigest()


def answer_all(journal: Journal, receipt: Receipt) -> list[str]:
    """Lease whatever may be sent and settle it with ``receipt``; the keys."""
    leases = journal.lease(100)
    for lease in leases:
        journal.settle(lease, receipt)
    return [lease.envelope.key for lease in leases]


def state_of(journal: Journal, key: str) -> EntryState:
    """The state of the current entry of ``key``."""
    return next(answer.state for answer in journal.answers() if answer.key == key)
