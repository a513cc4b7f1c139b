"""What runs on Spark's workers: batches of rows in, batches of results out.

The job of a project comes pickled with each task and is made ready once a process: making it anew for each of many
partitions would take longer than mapping their rows.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Protocol

import pyarrow as pa

from fhirmap.collector import expect_records
from fhirmap.records import Fault, Record
from fhirmap.runner.fault_data import fault_to_data
from fhirmap.runner.outcomes import Outcome, OutcomeMaker, key_of
from fhirmap.runner.preview import PreviewMaker
from fhirmap.source_plan import SourcePlan
from fhirmap.spark.frame_rows import FrameRows
from fhirmap.texts import language_of

__all__ = ["PREVIEWS", "RESULTS", "FrameJob", "PreviewRows", "ResultRows", "RowMaker", "rows_of"]

_FAULT = pa.struct(
    [
        *((name, pa.string()) for name in ("code", "severity", "rule", "path", "element", "message", "position")),
        ("columns", pa.list_(pa.string())),
        ("variant", pa.string()),
        ("args", pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())]))),
    ]
)
"""A fault as other outputs have it, and what its message is made of."""
RESULTS = pa.schema(
    [
        ("key", pa.string()),
        ("verdict", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("resource", pa.string()),
        ("faults", pa.list_(_FAULT)),
        ("notes", pa.list_(pa.struct([("text", pa.string()), ("position", pa.string())]))),
        ("unmapped", pa.list_(pa.struct([("concept_map", pa.string()), ("code", pa.string())]))),
        ("origin", pa.string()),
        ("digest", pa.string()),
    ]
)
"""The columns of results, in order: Spark takes them by their place. ``resource`` and ``digest`` are null where there
is nothing to send."""
PREVIEWS = pa.schema(
    [
        ("key", pa.string()),
        ("origin", pa.string()),
        ("verdict", pa.string()),
        ("reasons", pa.list_(pa.string())),
        ("words", pa.list_(pa.struct([("reason", pa.string()), ("said", pa.list_(pa.string()))]))),
        ("unmapped", pa.list_(pa.struct([("concept_map", pa.string()), ("code", pa.string())]))),
        ("cells", pa.list_(pa.string())),
    ]
)
"""The columns of previews, in order."""
_ROWS = 250
"""Rows that are Python values at one time: of thousands, the cycle collector looks through each time and again, which
takes three times as long as to make them."""


class RowMaker(Protocol):
    """What makes rows of records: each as `schema` has it."""

    @property
    def schema(self) -> pa.Schema:
        """The columns of a row."""

    def rows(self, records: Sequence[Record]) -> list[tuple[object, ...]]:
        """The row of each record."""


@dataclass(frozen=True, slots=True)
class ResultRows:
    """The results of records: `RESULTS`."""

    outcomes: OutcomeMaker

    @property
    def schema(self) -> pa.Schema:
        """The columns of results."""
        return RESULTS

    def rows(self, records: Sequence[Record]) -> list[tuple[object, ...]]:
        """The result of each record."""
        return list(map(_row, records, self.outcomes(records)))


@dataclass(frozen=True, slots=True)
class PreviewRows:
    """What `fhirmap preview` counts and writes of records: `PREVIEWS`."""

    preview_of: PreviewMaker

    @property
    def schema(self) -> pa.Schema:
        """The columns of previews."""
        return PREVIEWS

    def rows(self, records: Sequence[Record]) -> list[tuple[object, ...]]:
        """The preview of each record."""
        return [
            (
                entry.key,
                entry.origin,
                entry.verdict.value,
                entry.reasons,
                [{"reason": word, "said": said} for word, said in entry.words.items()],
                list(map(asdict, entry.unmapped)),
                entry.cells,
            )
            for entry in map(self.preview_of, records)
        ]


@dataclass(frozen=True, slots=True)
class FrameJob:
    """What a worker needs of a project. ``made``: what it makes of records; ``names``: of the columns that come;
    ``language``: of messages; ``by_key``: the rows of a key come one after the other (`by_keys`)."""

    made: RowMaker
    plan: SourcePlan
    names: tuple[str, ...]
    language: str
    by_key: bool

    def pickled(self) -> bytes:
        """The job, as `rows_of` takes it."""
        return pickle.dumps(self, pickle.HIGHEST_PROTOCOL)

    def batch(self, records: Sequence[Record]) -> pa.RecordBatch:
        """What is made of records, in their order."""
        schema = self.made.schema
        rows = self.made.rows(records)
        columns = zip(*rows, strict=True) if rows else ((),) * len(schema)
        arrays = [pa.array(cells, field.type) for cells, field in zip(columns, schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _row(record: Record, outcome: Outcome) -> tuple[object, ...]:
    return (
        key_of(record),
        outcome.verdict.value,
        outcome.reasons,
        outcome.payload or None,
        list(map(_fault, outcome.faults)),
        [{"text": note.text, "position": note.position} for note in outcome.notes],
        list(map(asdict, outcome.unmapped)),
        record.origin,
        outcome.digest or None,
    )


def _fault(fault: Fault) -> dict[str, object]:
    args = [{"name": name, "value": str(value)} for name, value in fault.args.items()]
    return {**fault_to_data(fault), "variant": fault.variant, "args": args}


@lru_cache(maxsize=4)
def _job_of(pickled: bytes) -> tuple[FrameJob, FrameRows]:
    expect_records()
    job: FrameJob = pickle.loads(pickled)  # noqa: S301 - what the driver of this very job has pickled
    return job, FrameRows(job.plan, job.names)


def rows_of(pickled: bytes, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """What is made of the rows of a partition: what `mapInArrow` calls. ``pickled``: a `FrameJob`."""
    job, rows = _job_of(pickled)
    records_of = rows.records_by_key if job.by_key else rows.records
    with language_of(job.language):
        for records in records_of(_parts(batches)):
            yield job.batch(records)


def _parts(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Batches in parts of `_ROWS`."""
    for batch in batches:
        for start in range(0, batch.num_rows, _ROWS):
            yield batch.slice(start, _ROWS)
