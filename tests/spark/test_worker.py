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


def job_of(folder: Path) -> tuple[Any, bytes, Any]:
    """An engine, its job pickled, and its records as a batch."""
    engine = build_engine(load_project(folder))
    rows = [dict(record.values) for record in here(engine)]
    job = FrameJob(ResultRows(OutcomeMaker(engine.result, rules=engine.rules)), engine.plan, "fr", by_key=False)
    return engine, job.pickled(), pa.Table.from_pylist(rows).combine_chunks().to_batches()[0]


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
