"""From the source to the journal: each record mapped, classified, put into an envelope and journalled, in batches."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Protocol

import msgspec

from fhirmap.journal import Counts, Entry, EntryState, ReadValues, RecordReading
from fhirmap.records import Record, Result
from fhirmap.runner.engine import Engine
from fhirmap.runner.read_values import reader_of_values
from fhirmap.runner.unmapped import UnmappedCodes
from fhirmap.runner.verdict import Verdict, classify
from fhirmap.sinks.redaction import redact_numbers

__all__ = ["EntryMaker", "Ingested", "canonical_json", "ingest", "maker_of"]

_STATES = {
    Verdict.SENDABLE: EntryState.READY,
    Verdict.NOTED: EntryState.READY,
    Verdict.INVALID: EntryState.INVALID,
    Verdict.OUT_OF_SCOPE: EntryState.OUT_OF_SCOPE,
    Verdict.SUPERSEDED: EntryState.SUPERSEDED,
}
_BATCH = 400
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")


class Puts(Protocol):
    """The part of the journal that this file needs."""

    def put(self, entries: Iterable[Entry], checkpoints: Mapping[str, str] | None = None) -> Counts:
        """Journal a batch in one transaction."""

    def keep_unchanged(self, readings: Sequence[RecordReading], made_by: str) -> set[str]:
        """Journal what of a batch is as it was, in one transaction; the keys."""


@dataclass(slots=True)
class Ingested:
    """What a reading came to: records by verdict, invalid ones by reason, how many are what they were and were not
    mapped, the journal's own counts, and the codes that concept maps lack."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    counts: Counts = field(default_factory=Counts)
    unmapped: UnmappedCodes = field(default_factory=UnmappedCodes)

    @property
    def read(self) -> int:
        """Records read."""
        return self.verdicts.total() + self.kept

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


@dataclass(frozen=True, slots=True)
class EntryMaker:
    """What makes the journal's entry of a record.

    ``result_of``: `Engine.result`, or `mapped` with a transformer. ``rules``: see `classify`. ``read_values``: what was
    read of a record, by which the journal distinguishes a change of the source from one of the map. ``made_by``: see
    `Engine.made_by`.
    """

    result_of: Callable[[Record], Result]
    limit_key: Callable[[Mapping[str, Any]], str] = lambda _: ""
    rules: Mapping[str, str] = field(default_factory=dict)
    read_values: Callable[[Record], ReadValues] | None = None
    made_by: str = ""

    def read(self, record: Record) -> ReadValues | None:
        """What was read of a record; None of an older revision."""
        return None if self.read_values is None or record.superseded else self.read_values(record)

    def entry(self, record: Record, read: ReadValues | None, done: Ingested) -> Entry:
        """The entry of a record, of which ``read`` was read, counted in ``done``."""
        result = self.result_of(record)
        found = classify(record, result, self.rules)
        done.verdicts[found.verdict] += 1
        if found.verdict == Verdict.INVALID:
            done.reasons.update(found.reasons[:1])
        if result.unmapped and not record.superseded:
            done.unmapped.add(result.unmapped)
        state = _STATES[found.verdict]
        payload, limit_key = b"", ""
        if state == EntryState.READY and result.resource is not None:
            payload, limit_key = canonical_json(result.resource), self.limit_key(result.resource)
        return Entry(
            key_of(record),
            state,
            payload=payload,
            digest=hashlib.sha256(payload).hexdigest() if payload else "",
            limit_key=limit_key,
            origin=record.origin,
            # a map's author may have put a number that names somebody into a note, and notes go to screens and mails
            notes=tuple([replace(note, text=redact_numbers(note.text)) for note in result.notes]),
            faults=result.faults,
            read=read,
            # Codes that concept maps lack are counted in each run.
            made_by="" if result.unmapped else self.made_by,
        )


def maker_of(engine: Engine) -> EntryMaker:
    """What makes the entries of a project's records."""
    read_values = reader_of_values(engine.plan)
    return EntryMaker(engine.result, engine.limit_key, engine.rules, read_values, engine.made_by)


def key_of(record: Record) -> str:
    """The key by which the journal knows a record: of one without a key, where it is."""
    return record.key or f"? {record.origin}"


def ingest(
    records: Iterable[Record],
    maker: EntryMaker,
    journal: Puts,
    *,
    progress: Callable[[int], None] | None = None,
    batch: int = _BATCH,
) -> Ingested:
    """Read, map, classify and journal every record; ``progress`` gets the number so far.

    A record that is what it was is not mapped again. Each batch is one transaction of the journal, its checkpoint with
    it, and those that are not mapped one before it: an interruption loses at most the batch in hand, and the next run
    finds what is there already by its digest.
    Raises: ConfigError (source), JournalError.
    """
    done = Ingested()
    last = ""
    source = iter(records)
    while some := list(islice(source, batch)):
        read = [(record, maker.read(record)) for record in some]
        kept = journal.keep_unchanged(list(_readings(read)), maker.made_by) if maker.made_by else frozenset()
        done.kept += len(kept)
        # An older revision has the key of the one that is kept, and is counted all the same.
        left = [(record, found) for record, found in read if record.superseded or key_of(record) not in kept]
        entries = [maker.entry(record, found, done) for record, found in left]
        last = key_of(some[-1])
        checkpoint = {"records": done.read, "last": last, "complete": False}
        done.counts += Counts(unchanged=len(kept)) + journal.put(entries, {"source": json.dumps(checkpoint)})
        if progress is not None:
            progress(done.read)
    done.counts += journal.put((), {"source": json.dumps({"records": done.read, "last": last, "complete": True})})
    return done


def _readings(read: Sequence[tuple[Record, ReadValues | None]]) -> Iterator[RecordReading]:
    """Of records that may be what they were: not of one in which the source itself finds a fault, which other rows
    decide, nor of a key that comes twice, of which the last counts."""
    counted = Counter(record.key for record, _ in read if not record.superseded)
    for record, found in read:
        if found is not None and record.key and not record.faults and counted[record.key] == 1:
            yield RecordReading(record.key, record.origin, found)
