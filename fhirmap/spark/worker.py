"""What runs on Spark's workers: batches of rows in, batches of results out.

The job of a project comes pickled with each task and is made ready once a process: making it anew for each of many
partitions would take longer than mapping their rows.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from fhirmap.collector import expect_records
from fhirmap.records import Record
from fhirmap.runner.fault_data import fault_to_data
from fhirmap.runner.outcomes import Outcome, OutcomeMaker, key_of
from fhirmap.source_plan import SourcePlan
from fhirmap.spark.frame_rows import FrameRows
from fhirmap.texts import language_of

__all__ = ["RESULTS", "FrameJob", "results_of"]

_FAULT = pa.struct(
    [
        *((name, pa.string()) for name in ("code", "severity", "rule", "path", "element", "message", "position")),
        ("columns", pa.list_(pa.string())),
    ]
)
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
_ROWS = 250
"""Rows that are Python values at one time: of thousands, the cycle collector looks through each time and again, which
takes three times as long as to make them."""


@dataclass(frozen=True, slots=True)
class FrameJob:
    """What a worker needs of a project. ``language``: of messages; ``by_key``: the rows of a key come together, as a
    list."""

    outcomes: OutcomeMaker
    plan: SourcePlan
    language: str
    by_key: bool

    def pickled(self) -> bytes:
        """The job, as `results_of` takes it."""
        return pickle.dumps(self, pickle.HIGHEST_PROTOCOL)

    def batch(self, records: Iterable[Record]) -> pa.RecordBatch:
        """The results of records, in their order."""
        held = list(records)
        rows = list(map(_row, held, self.outcomes(held)))
        columns = zip(*rows, strict=True) if rows else ((),) * len(RESULTS)
        arrays = [pa.array(cells, field.type) for cells, field in zip(columns, RESULTS, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=RESULTS)


def _row(record: Record, outcome: Outcome) -> tuple[object, ...]:
    return (
        key_of(record),
        outcome.verdict.value,
        outcome.reasons,
        outcome.payload or None,
        list(map(fault_to_data, outcome.faults)),
        [{"text": note.text, "position": note.position} for note in outcome.notes],
        [{"concept_map": entry.concept_map, "code": entry.code} for entry in outcome.unmapped],
        record.origin,
        outcome.digest or None,
    )


@lru_cache(maxsize=4)
def _job_of(pickled: bytes) -> tuple[FrameJob, FrameRows]:
    expect_records()
    job: FrameJob = pickle.loads(pickled)  # noqa: S301 - what the driver of this very job has pickled
    return job, FrameRows(job.plan)


def results_of(pickled: bytes, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The results of the rows of a partition: what `mapInArrow` calls. ``pickled``: a `FrameJob`."""
    job, rows = _job_of(pickled)
    records_of = rows.records_of_keys if job.by_key else rows.records
    with language_of(job.language):
        for batch in batches:
            for start in range(0, batch.num_rows, _ROWS):
                yield job.batch(records_of(batch.slice(start, _ROWS)))
