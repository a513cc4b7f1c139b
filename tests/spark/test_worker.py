"""What workers do with a job: no files but those of the installation and of time zones, and no network."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'fhirmap[spark]'")

import pyarrow as pa

from fhirmap.runner.engine import build_engine
from fhirmap.runner.outcomes import OutcomeMaker
from fhirmap.runner.project_file import load_project
from fhirmap.spark.worker import RESULTS, FrameJob, ResultRows, rows_of
from tests.spark.test_spark_project import expected, here

WATCHED = """
import pickle, sys, sysconfig
import fhirmap

reached = []
own = (*sysconfig.get_paths().values(), fhirmap.__path__[0])

def watch(event, args):
    if event == "open" and isinstance(args[0], str) and not (args[0].startswith(own) or "/zoneinfo/" in args[0]):
        reached.append(args[0])
    if event.startswith("socket.") and event != "socket.__new__":
        reached.append(event)

from fhirmap.spark.worker import rows_of
job, batch = pickle.load(sys.stdin.buffer)
sys.addaudithook(watch)
(found,) = rows_of(job, iter([batch]))
print(found.num_rows, reached)
"""


def job_of(folder: Path, *, by_key: bool = False) -> tuple[Any, bytes, Any]:
    """An engine, its job pickled, and its records as a batch: by key, after a column of the key's text."""
    engine = build_engine(load_project(folder))
    records = here(engine)
    table = pa.Table.from_pylist([dict(record.values) for record in records])
    if by_key:
        table = table.add_column(0, "key", pa.array([record.key for record in records]))
    (batch,) = table.combine_chunks().to_batches()
    names = tuple(batch.schema.names)
    made = ResultRows(OutcomeMaker(engine.result, rules=engine.rules))
    return engine, FrameJob(made, engine.plan, names, "fr", by_key).pickled(), batch


def test_a_job_reads_no_file_and_no_network(example: Any) -> None:
    _, job, batch = job_of(example("ch-valmorel"))
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], input=pickle.dumps((job, batch)), capture_output=True, check=True
    )
    assert done.stdout.decode().strip() == f"{batch.num_rows} []", done.stderr.decode()


def test_results_are_in_the_language_of_the_driver_and_in_small_batches(example: Any) -> None:
    engine, job, batch = job_of(example("ch-valmorel"))
    many = pa.Table.from_batches([batch] * 10).combine_chunks().to_batches()[0]
    found = list(rows_of(job, iter([many])))
    assert all(part.schema == RESULTS for part in found) and len(found) > 1
    rows = [row for part in found for row in part.to_pylist()]
    assert [row["digest"] for row in rows] == [expected(engine, record)["digest"] for record in here(engine)] * 10
    said = {fault["message"] for row in rows for fault in row["faults"]}
    assert any("obligatoire" in message for message in said), said


def test_no_rows_have_no_results(example: Any) -> None:
    _, job, batch = job_of(example("ch-valmorel"))
    assert list(rows_of(job, iter([batch.slice(0, 0)]))) == []


def test_rows_of_one_key_are_seen_together_wherever_batches_end(example: Any) -> None:
    _, job, batch = job_of(example("ch-valmorel"), by_key=True)
    twice = batch.take([place for place in range(batch.num_rows) for _ in range(2)])
    once, *others = ([row for part in rows_of(job, iter(parts)) for row in part.to_pylist()] for parts in cuts(twice))
    assert all(rows == once for rows in others)
    assert len(once) == twice.num_rows
    assert all("FM718" in {fault["code"] for fault in row["faults"]} for row in once)
    lost = twice.set_column(0, "key", pa.nulls(twice.num_rows, pa.string()))
    alone = [row for part in rows_of(job, iter([lost])) for row in part.to_pylist()]
    assert not any("FM718" in {fault["code"] for fault in row["faults"]} for row in alone)


def cuts(batch: Any) -> list[list[Any]]:
    """The batch as it is, each row by itself, and three rows at a time."""
    return [[batch.slice(start, size) for start in range(0, batch.num_rows, size)] for size in (batch.num_rows, 1, 3)]
