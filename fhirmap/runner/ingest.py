"""From the source to the journal: each record mapped, classified, put into an envelope and journalled, in batches."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol

import msgspec

from fhirmap.journal import Counts, Entry, EntryState, ReadValues
from fhirmap.records import Record, Result
from fhirmap.runner.unmapped import UnmappedCodes
from fhirmap.runner.verdict import Verdict, classify
from fhirmap.sinks.redaction import redact_numbers

__all__ = ["Ingested", "canonical_json", "entries", "entry", "ingest"]

_STATES = {
    Verdict.SENDABLE: EntryState.READY,
    Verdict.NOTED: EntryState.READY,
    Verdict.INVALID: EntryState.INVALID,
    Verdict.OUT_OF_SCOPE: EntryState.OUT_OF_SCOPE,
    Verdict.SUPERSEDED: EntryState.SUPERSEDED,
}
_BATCH = 200
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class Puts(Protocol):
    """The part of the journal that this file needs."""

    def put(self, entries: Iterable[Entry], checkpoints: Mapping[str, str] | None = None) -> Counts:
        """Journal a batch in one transaction."""


@dataclass(slots=True)
class Ingested:
    """What a reading came to: records by verdict, invalid ones by reason, the journal's own counts, and the codes that
    concept maps lack."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    counts: Counts = field(default_factory=Counts)
    unmapped: UnmappedCodes = field(default_factory=UnmappedCodes)

    @property
    def read(self) -> int:
        """Records read."""
        return self.verdicts.total()

    @property
    def declared(self) -> int:
        """Records read, without older revisions of a key."""
        return self.read - self.verdicts[Verdict.SUPERSEDED]


def canonical_json(resource: Mapping[str, Any]) -> bytes:
    """The bytes to send: keys sorted, so that the same content has the same digest; decimals with their digits.

    Example:
        >>> canonical_json({"b": 1, "a": True})
        b'{"a":true,"b":1}'
    """
    return _ENCODER.encode(resource)


def entry(
    record: Record,
    result: Result,
    verdict: Verdict,
    limit_key: Callable[[Mapping[str, Any]], str],
    read_values: Callable[[Record], ReadValues] | None = None,
) -> Entry:
    """What the journal takes of one record."""
    key = record.key or f"? {record.origin}"
    state = _STATES[verdict]
    # a map's author may have put a number that names somebody into a note, and notes go to screens and mails
    notes = tuple(replace(note, text=redact_numbers(note.text)) for note in result.notes)
    read = read_values(record) if read_values is not None and state != EntryState.SUPERSEDED else None
    if state != EntryState.READY or result.resource is None:
        return Entry(key, state, origin=record.origin, notes=notes, faults=result.faults, read=read)
    payload = canonical_json(result.resource)
    return Entry(
        key,
        state,
        payload=payload,
        digest=hashlib.sha256(payload).hexdigest(),
        limit_key=limit_key(result.resource),
        origin=record.origin,
        notes=notes,
        faults=result.faults,
        read=read,
    )


def ingest(  # noqa: PLR0913 - named settings
    records: Iterable[Record],
    result_of: Callable[[Record], Result],
    journal: Puts,
    *,
    limit_key: Callable[[Mapping[str, Any]], str] | None = None,
    rules: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
    read_values: Callable[[Record], ReadValues] | None = None,
    batch: int = _BATCH,
) -> Ingested:
    """Read, map, classify and journal every record; ``progress`` gets the number so far.

    ``result_of``: `Engine.result`, or `mapped` with a transformer. ``rules``: see `classify`. ``read_values``: what was
    read of a record, by which the journal distinguishes a change of the source from one of the map.
    Each batch is one transaction of the journal, its checkpoint with it: an interruption loses at most the batch in
    hand, and the next run finds what is there already by its digest.
    Raises: ConfigError (source), JournalError.
    """
    done = Ingested()
    last = ""
    found = entries(records, result_of, rules or {}, limit_key or _no_limit_key, done, read_values)
    for some in _batches(found, batch):
        last = some[-1].key
        checkpoint = {"records": done.read, "last": last, "complete": False}
        done.counts += journal.put(some, {"source": json.dumps(checkpoint)})
        if progress is not None:
            progress(done.read)
    done.counts += journal.put((), {"source": json.dumps({"records": done.read, "last": last, "complete": True})})
    return done


def entries(  # noqa: PLR0913 - what `ingest` is given
    records: Iterable[Record],
    result_of: Callable[[Record], Result],
    rules: Mapping[str, str],
    limit_key: Callable[[Mapping[str, Any]], str],
    done: Ingested,
    read_values: Callable[[Record], ReadValues] | None = None,
) -> Iterator[Entry]:
    """Each record mapped and classified, counted in ``done``."""
    for record in records:
        result = result_of(record)
        found = classify(record, result, rules)
        done.verdicts[found.verdict] += 1
        if found.verdict == Verdict.INVALID:
            done.reasons.update(found.reasons[:1])
        if result.unmapped and not record.superseded:
            done.unmapped.add(result.unmapped)
        yield entry(record, result, found.verdict, limit_key, read_values)


def _no_limit_key(_: Mapping[str, Any]) -> str:
    return ""


def _batches(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    while some := list(islice(entries, size)):
        yield some
