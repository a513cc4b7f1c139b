"""From the source to the journal: each record mapped, classified, put into an envelope and journalled, in batches."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol

from fhirmap.journal import Counts, Entry, EntryState, ReadValues, RecordReading
from fhirmap.records import Record
from fhirmap.runner.engine import Engine
from fhirmap.runner.outcomes import Outcome, OutcomeMaker, key_of
from fhirmap.runner.read_parts import ReadParts
from fhirmap.runner.read_values import reader_of_values
from fhirmap.runner.unmapped import UnmappedCodes
from fhirmap.runner.verdict import Verdict

__all__ = ["EntryMaker", "Ingested", "MadeBatch", "ingest", "made_batches", "maker_of"]

_STATES = {
    Verdict.SENDABLE: EntryState.READY,
    Verdict.NOTED: EntryState.READY,
    Verdict.INVALID: EntryState.INVALID,
    Verdict.OUT_OF_SCOPE: EntryState.OUT_OF_SCOPE,
    Verdict.SUPERSEDED: EntryState.SUPERSEDED,
}
_BATCH = 400


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


@dataclass(frozen=True, slots=True)
class EntryMaker:
    """What makes the journal's entries of records.

    ``outcomes``: of records. ``read_values``: what was read of a record, by which the journal distinguishes a change of
    the source from one of the map; ``read_parts``: the same, column by column. ``made_by``: see `Engine.made_by`.
    """

    outcomes: OutcomeMaker
    read_values: Callable[[Record], ReadValues] | None = None
    read_parts: ReadParts | None = None
    made_by: str = ""

    def read(self, record: Record) -> ReadValues | None:
        """What was read of a record; None of an older revision."""
        return None if self.read_values is None or record.superseded else self.read_values(record)

    def entry(self, record: Record, read: ReadValues | None, outcome: Outcome) -> Entry:
        """The entry of a record, of which ``read`` was read."""
        parts = outcome.parts
        if read is not None and parts is not None:
            read = ReadValues(read.digest, read.layout, read.columns, lambda: parts)
        return Entry(
            key_of(record),
            _STATES[outcome.verdict],
            payload=outcome.payload,
            digest=outcome.digest,
            limit_key=outcome.limit_key,
            origin=record.origin,
            notes=outcome.notes,
            faults=outcome.faults,
            read=read,
            # Codes that concept maps lack are counted in each run.
            made_by="" if outcome.unmapped else self.made_by,
        )


def maker_of(engine: Engine) -> EntryMaker:
    """What makes the entries of a project's records."""
    outcomes = OutcomeMaker(engine.result, engine.limit_key, engine.rules)
    plan = engine.plan
    return EntryMaker(outcomes, reader_of_values(plan), ReadParts(plan.shape), engine.made_by)


def ingest(  # noqa: PLR0913 - named settings
    records: Iterable[Record],
    maker: EntryMaker,
    journal: Puts,
    *,
    progress: Callable[[int], None] | None = None,
    batch: int = _BATCH,
    workers: int = 1,
    checkpoints: Mapping[str, str] | None = None,
) -> Ingested:
    """Read, map, classify and journal every record; ``progress`` gets the number so far.

    A record that is what it was is not mapped again. Each batch is one transaction of the journal, its checkpoint with
    it, and those that are not mapped one before it: an interruption loses at most the batches in hand, and the next run
    finds what is there already by its digest. ``workers``: so many processes map; all else is done by this one, in the
    order of the records. ``checkpoints``: what the journal is to hold of the source once it has all of the records.

    Raises: ConfigError (source; FM787 of workers), JournalError.
    """
    done = Ingested()
    last = ""
    with closing(made_batches(records, maker, done, journal=journal, batch=batch, workers=workers)) as batches:
        for made in batches:
            last = made.last
            checkpoint = {"records": done.read, "last": last, "complete": False}
            kept = Counts(unchanged=made.kept)
            done.counts += kept + journal.put(made.entries, {"source": json.dumps(checkpoint)})
            if progress is not None:
                progress(done.read)
    complete = json.dumps({"records": done.read, "last": last, "complete": True})
    done.counts += journal.put((), {"source": complete, **(checkpoints or {})})
    return done


@dataclass(frozen=True, slots=True)
class MadeBatch:
    """The entries of a batch of records. ``kept``: how many more the journal kept as they were; ``last``: the key of
    the last record."""

    entries: Sequence[Entry]
    kept: int
    last: str


def made_batches(  # noqa: PLR0913 - named settings
    records: Iterable[Record],
    maker: EntryMaker,
    done: Ingested,
    *,
    journal: Puts | None = None,
    batch: int = _BATCH,
    workers: int = 1,
) -> Generator[MadeBatch, None, None]:
    """The records as entries, by batches, counted in ``done``. ``journal``: keeps what is as it was, and is to be given
    each batch before the next one is asked for. ``workers``: as of `ingest`."""
    waiting: deque[_ReadBatch] = deque()
    if workers == 1:
        outcomes: Iterator[list[Outcome]] = map(maker.outcomes, _read_batches(records, maker, journal, batch, waiting))
    else:
        from fhirmap.runtime.workers import in_order

        function = replace(maker.outcomes, parts=maker.read_parts)
        outcomes = in_order(function, _read_batches(records, maker, journal, batch, waiting), workers)
    for found in outcomes:
        read = waiting.popleft()
        for outcome in found:
            _count(outcome, done)
        done.kept += read.kept
        entries = [maker.entry(record, seen, outcome) for (record, seen), outcome in zip(read.left, found, strict=True)]
        yield MadeBatch(entries, read.kept, read.last)


def _count(outcome: Outcome, done: Ingested) -> None:
    done.verdicts[outcome.verdict] += 1
    if outcome.verdict == Verdict.INVALID:
        done.reasons.update(outcome.reasons[:1])
    if outcome.unmapped and outcome.verdict != Verdict.SUPERSEDED:
        done.unmapped.add(outcome.unmapped)


@dataclass(frozen=True, slots=True)
class _ReadBatch:
    """Records that were read: how many are ``kept``, and those that are ``left``, with what was read of each."""

    left: Sequence[tuple[Record, ReadValues | None]]
    kept: int
    last: str

    @property
    def keys(self) -> set[str]:
        """Of records that the journal will have something of when it has the batch: not of older revisions."""
        return {record.key for record, _ in self.left if not record.superseded}


def _read_batches(
    records: Iterable[Record], maker: EntryMaker, journal: Puts | None, size: int, waiting: deque[_ReadBatch]
) -> Iterator[list[Record]]:
    """The records that are to be mapped. Each batch is added to those that are ``waiting``: the journal does not have
    their entries yet."""
    source = iter(records)
    while some := list(islice(source, size)):
        read = [(record, maker.read(record)) for record in some]
        kept: Collection[str] = ()
        if journal is not None and maker.made_by:
            # What the journal says of a key counts once it has all that was read before of it.
            under_way = set[str]().union(*(batch.keys for batch in waiting))
            kept = journal.keep_unchanged(list(_readings(read, under_way)), maker.made_by)
        # An older revision has the key of the one that is kept, and is counted all the same.
        left = [(record, found) for record, found in read if record.superseded or key_of(record) not in kept]
        waiting.append(_ReadBatch(left, len(kept), key_of(some[-1])))
        yield [record for record, _ in left]


def _readings(read: Sequence[tuple[Record, ReadValues | None]], under_way: Collection[str]) -> Iterator[RecordReading]:
    """Of records that may be what they were: not of one in which the source itself finds a fault, which other rows
    decide, nor of a key that comes twice, of which the last counts, or is ``under_way``."""
    counted = Counter(record.key for record, _ in read if not record.superseded)
    for record, found in read:
        is_only = counted[record.key] == 1 and record.key not in under_way
        if found is not None and record.key and not record.faults and is_only:
            yield RecordReading(record.key, record.origin, found)
