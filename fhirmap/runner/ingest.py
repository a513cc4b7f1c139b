"""From the source to the journal: each record mapped, judged, put into an envelope and journalled, in batches."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import PurePath
from typing import Any, Protocol

import msgspec

from fhirmap.journal import Counts, Entry, EntryState
from fhirmap.records import Fault, Note, Record, Result
from fhirmap.runner.unmapped import UnmappedCodes
from fhirmap.sinks.redaction import redact_numbers

__all__ = ["Ingested", "Judgement", "Transform", "canonical_json", "entry", "ingest", "judge", "mapped", "reason"]

SENDABLE, NOTED, INVALID = "sendable", "sendable-with-notes", "invalid"
OUT_OF_SCOPE, SUPERSEDED = "out-of-scope", "superseded"

_STATES = {
    SENDABLE: EntryState.READY,
    NOTED: EntryState.READY,
    INVALID: EntryState.INVALID,
    OUT_OF_SCOPE: EntryState.OUT_OF_SCOPE,
    SUPERSEDED: EntryState.SUPERSEDED,
}
_BATCH = 200
_ENCODER = msgspec.json.Encoder(decimal_format="number", order="deterministic")

Transform = Callable[[Mapping[str, Any]], Result]
"""A `Transformer`: a record's values in, a result out."""


class Puts(Protocol):
    """The part of the journal that this file needs."""

    def put(self, entries: Iterable[Entry], checkpoints: Mapping[str, str] | None = None) -> Counts:
        """Journal a batch in one transaction."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a record, and why. ``reasons``: stable words, each once: a rule's key or name, `required:lot`."""

    verdict: str
    reasons: tuple[str, ...]


@dataclass(slots=True)
class Ingested:
    """What a reading came to: records by verdict, invalid ones by reason, the journal's own counts, and the codes that
    concept maps lack."""

    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    counts: Counts = field(default_factory=Counts)
    unmapped: UnmappedCodes = field(default_factory=UnmappedCodes)

    @property
    def read(self) -> int:
        """Records read."""
        return self.verdicts.total()


def mapped(record: Record, transform: Transform) -> Result:
    """The transformer's result with the source's own faults of the record in front."""
    result = transform(record.values)
    return replace(result, faults=(*record.faults, *result.faults)) if record.faults else result


def judge(record: Record, result: Result, rules: Mapping[str, str] | None = None) -> Judgement:
    """The verdict of a record, here and nowhere else.

    A revision that is not the last is superseded, whatever it says. Where the source itself is in doubt (a line of
    moved fields, a key that stands twice) the record is invalid, since not even its scope is known. Otherwise out of
    scope wins over what is wrong with it. ``result`` may hold the source's faults (`mapped`) or not. ``rules``: names
    of rules by ``file:line``, for reasons that a person recognises.
    """
    names = rules or {}
    told = result.faults[: len(record.faults)] == record.faults
    faults = result.faults if told else (*record.faults, *result.faults)
    errors = [reason(fault, names) for fault in faults if fault.severity == "error"]
    mild = [reason(fault, names) for fault in faults if fault.severity == "warning"]
    mild += [note_reason(note, names) for note in result.notes]
    if record.superseded:
        return Judgement(SUPERSEDED, _once(errors))
    if result.resource is None and not any(fault.severity == "error" for fault in record.faults):
        return Judgement(OUT_OF_SCOPE, _once(mild))
    if errors:
        return Judgement(INVALID, _once([*errors, *mild]))
    return Judgement(NOTED if mild else SENDABLE, _once(mild))


def _once(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def reason(fault: Fault, rules: Mapping[str, str] | None = None) -> str:
    """A fault in one stable word: the rule's key where it has one of its own, else the kind of check and the element.

    Example:
        >>> reason(Fault("FM411", rule="required", element="Operation.poses.lot"))
        'required:lot'
    """
    if fault.rule in ("", "rule"):
        place = _place(fault.position, rules or {})
        return f"{fault.code}:{place}" if place else fault.code
    if fault.code in ("FM520", "FM521") or not (fault.element or fault.columns):
        return fault.rule
    if not fault.element:
        return f"{fault.rule}:{'+'.join(fault.columns)}"
    steps = [step for step in fault.element.split(".") if step != "value[x]"]
    return f"{fault.rule}:{steps[-1].rpartition(':')[2]}"


def note_reason(note: Note, rules: Mapping[str, str] | None = None) -> str:
    """A note in one word: its rule's name, else its place. Its text may quote the record: it stays where that may."""
    return _place(note.position, rules or {}) or "note"


def _place(position: str, rules: Mapping[str, str]) -> str:
    """The name of the rule at ``file:line:col``, else `file:line` without folders."""
    parts = position.rsplit(":", 2)
    if len(parts) != 3:
        return ""
    return rules.get(f"{parts[0]}:{parts[1]}") or f"{PurePath(parts[0]).name}:{parts[1]}"


def canonical_json(resource: Mapping[str, Any]) -> bytes:
    """The bytes to send: keys sorted, so that the same content has the same digest; decimals with their digits.

    Example:
        >>> canonical_json({"b": 1, "a": True})
        b'{"a":true,"b":1}'
    """
    return _ENCODER.encode(resource)


def entry(record: Record, result: Result, judgement: Judgement, limit_key: Callable[[Mapping[str, Any]], str]) -> Entry:
    """What the journal takes of one record."""
    key = record.key or f"? {record.origin}"
    state = _STATES[judgement.verdict]
    # a map's author may have put a number that names somebody into a note, and notes go to screens and mails
    notes = tuple(replace(note, text=redact_numbers(note.text)) for note in result.notes)
    if state != EntryState.READY or result.resource is None:
        return Entry(key, state, origin=record.origin, notes=notes, faults=result.faults)
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
    )


def ingest(
    records: Iterable[Record],
    result_of: Callable[[Record], Result],
    journal: Puts,
    *,
    limit_key: Callable[[Mapping[str, Any]], str] | None = None,
    rules: Mapping[str, str] | None = None,
    progress: Callable[[int], None] | None = None,
    batch: int = _BATCH,
) -> Ingested:
    """Read, map, judge and journal every record; ``progress`` is told how many have been.

    ``result_of``: `Engine.result`, or `mapped` with a transformer. ``rules``: see `judge`.
    Each batch is one transaction of the journal, its checkpoint with it: an interruption loses at most the batch in
    hand, and the next run finds what is there already by its digest.
    Raises: ConfigError (source), JournalError.
    """
    done = Ingested()
    last = ""
    for some in _batches(_entries(records, result_of, rules or {}, limit_key or _no_limit_key, done), batch):
        last = some[-1].key
        checkpoint = {"records": done.read, "last": last, "complete": False}
        done.counts += journal.put(some, {"source": json.dumps(checkpoint)})
        if progress is not None:
            progress(done.read)
    done.counts += journal.put((), {"source": json.dumps({"records": done.read, "last": last, "complete": True})})
    return done


def _entries(
    records: Iterable[Record],
    result_of: Callable[[Record], Result],
    rules: Mapping[str, str],
    limit_key: Callable[[Mapping[str, Any]], str],
    done: Ingested,
) -> Iterator[Entry]:
    for record in records:
        result = result_of(record)
        judgement = judge(record, result, rules)
        done.verdicts[judgement.verdict] += 1
        if judgement.verdict == INVALID:
            done.reasons.update(judgement.reasons[:1])
        if result.unmapped and not record.superseded:
            done.unmapped.add(result.unmapped)
        yield entry(record, result, judgement, limit_key)


def _no_limit_key(_: Mapping[str, Any]) -> str:
    return ""


def _batches(entries: Iterator[Entry], size: int) -> Iterator[list[Entry]]:
    while some := list(islice(entries, size)):
        yield some
