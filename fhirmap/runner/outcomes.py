"""What records come to, before the journal: mapped, classified, and what is to be sent as bytes.

A value that other processes can have: they need neither the journal nor the project's files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import msgspec

from fhirmap.records import Fault, Note, Record, Result, Unmapped
from fhirmap.runner.verdict import Verdict, classify
from fhirmap.sinks.redaction import redact_numbers

__all__ = ["Outcome", "OutcomeMaker", "canonical_json", "key_of"]

_SENT = (Verdict.SENDABLE, Verdict.NOTED)
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


def canonical_json(resource: Mapping[str, Any]) -> bytes:
    """The bytes to send: keys sorted, so that the same content has the same digest; decimals with their digits.

    Example:
        >>> canonical_json({"b": 1, "a": True})
        b'{"a":true,"b":1}'
    """
    return _ENCODER.encode(resource)


def key_of(record: Record) -> str:
    """The key by which the journal knows a record: of one without a key, where it is."""
    return record.key or f"? {record.origin}"


class Outcome(NamedTuple):
    """What one record came to. ``reasons``: see `Classified`; ``payload``: of one that is to be sent, else empty;
    ``digest``: its SHA-256; ``parts``: see `OutcomeMaker`."""

    verdict: Verdict
    reasons: tuple[str, ...]
    payload: bytes
    digest: str
    limit_key: str
    notes: tuple[Note, ...]
    faults: tuple[Fault, ...]
    unmapped: tuple[Unmapped, ...]
    parts: bytes | None


def no_limit_key(_resource: Mapping[str, Any]) -> str:
    """What results are counted by where the receiver counts them all alike."""
    return ""


@dataclass(frozen=True, slots=True)
class OutcomeMaker:
    """What makes the outcomes of records.

    ``result_of``: `Engine.result`, or `mapped` with a transformer. ``limit_key``: what the receiver's rate limit counts
    a result by. ``rules``: see `classify`. ``parts``: fingerprints of what was read of a record, where they are wanted.
    """

    result_of: Callable[[Record], Result]
    limit_key: Callable[[Mapping[str, Any]], str] = no_limit_key
    rules: Mapping[str, str] = field(default_factory=dict)
    parts: Callable[[Mapping[str, Any]], bytes] | None = None

    def __call__(self, records: Sequence[Record]) -> list[Outcome]:
        """The outcome of each record."""
        return [self._outcome(record) for record in records]

    def _outcome(self, record: Record) -> Outcome:
        result = self.result_of(record)
        found = classify(record, result, self.rules)
        payload, digest, limit_key = b"", "", ""
        if found.verdict in _SENT and result.resource is not None:
            payload, limit_key = canonical_json(result.resource), self.limit_key(result.resource)
            digest = hashlib.sha256(payload).hexdigest()
        return Outcome(
            found.verdict,
            found.reasons,
            payload,
            digest,
            limit_key,
            # a map's author may have put a number that names somebody into a note, and notes go to screens and mails
            tuple([replace(note, text=redact_numbers(note.text)) for note in result.notes]),
            result.faults,
            result.unmapped,
            None if self.parts is None or record.superseded else self.parts(record.values),
        )
