"""Maps over data frames, measured: `python -m benchmarks.spark [records]`.

Interventions of five implants in the layout of `examples/ch-valmorel`, nested in Parquet. A session of one core, then
one of two, each a process of its own, reads them and maps them to results that are thrown away, warm: after a smaller
frame has been mapped. CPU time is that of the JVM and of its Python workers together, from `/proc` (Linux), against a
loop of this process that reads the same interventions from SQLite and makes the same payloads and digests, which are
compared first. "By key": rows of one key are looked for, which moves each row to another partition.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.figures import Figure, code_of
from benchmarks.interventions import make_database
from fhirmap.collector import expect_records
from fhirmap.records import Record
from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.outcomes import canonical_json
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source
from fhirmap.runner.verdict import classify
from fhirmap.source_plan import RowLayout

ROOT = Path(__file__).resolve().parent.parent
RECORDS = 100_000
DISTINCT = 5_000
"""Interventions that are generated; the others differ by their keys."""
ROUNDS = 3
WANTED_RATIO, BOUND_RATIO = 1.15, 1.6
"""What Spark may cost, warm, in times of the loop."""
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def engine_of(database: Path) -> Engine:
    """The example's project over a database."""
    return build_engine(load_project(ROOT / "examples" / "ch-valmorel", source=str(database)))


def write_frames(folder: Path, records: int) -> list[str]:
    """Write the interventions as Parquet; the digests of the distinct ones."""
    make_database(folder / "sih.sqlite", min(DISTINCT, records))
    engine = engine_of(folder / "sih.sqlite")
    with open_project_source(engine.project, engine.plan) as source:
        held = list(source.records())
    shape, key = engine.plan.shape, engine.plan.key
    nested = pa.Table.from_pylist([read_of(shape, record.values, key) for record in held])
    nested = nested.cast(pa.schema([field.with_type(_typed(field.type)) for field in nested.schema]))
    with pq.ParquetWriter(folder / "nested.parquet", nested.schema) as writer:
        for number in range(-(-records // len(held))):
            part = nested.slice(0, min(len(held), records - number * len(held)))
            keys = pa.array([number * DISTINCT + key for key in part["id_intervention"].to_pylist()])
            writer.write_table(part.set_column(part.schema.get_field_index("id_intervention"), "id_intervention", keys))
    return [digest_of(engine, record) for record in held]


def _typed(kind: pa.DataType) -> pa.DataType:
    """The type with texts where no row has a value."""
    if pa.types.is_list(kind):
        return pa.list_(_typed(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([field.with_type(_typed(field.type)) for field in kind])
    return pa.string() if pa.types.is_null(kind) else kind


def read_of(layout: RowLayout, row: Mapping[str, Any], more: tuple[str, ...] = ()) -> dict[str, Any]:
    """What is read of a row and of its child rows."""
    names = [column.name for column in layout.columns if column.element]
    found = {name: row[name] for name in (*names, *more)}
    return found | {child.key: [read_of(child.shape, below) for below in row[child.key]] for child in layout.children}


def loop_cpu_us(folder: Path) -> float:
    """Microseconds of CPU time that the loop takes for a record, the best of some rounds."""
    engine = engine_of(folder / "sih.sqlite")
    best = float("inf")
    expect_records()
    for _ in range(ROUNDS):
        count = 0
        started = time.process_time()
        with open_project_source(engine.project, engine.plan) as source:
            for record in source.records():
                digest_of(engine, record)
                count += 1
        best = min(best, (time.process_time() - started) / count * 1e6)
    return best


def digest_of(engine: Engine, record: Record) -> str:
    """Map a record, classify it and make its payload."""
    result = engine.result(record)
    classify(record, result, engine.rules)
    return hashlib.sha256(canonical_json(result.resource)).hexdigest() if result.resource is not None else ""


def processes_below(parent: int) -> Iterator[int]:
    """The processes that one has started, and those that these have."""
    for task in Path(f"/proc/{parent}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            yield child
            yield from processes_below(child)


def cpu_s() -> float:
    """The CPU time of the JVM and its workers until now."""
    spent = 0
    for process in processes_below(os.getpid()):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        spent += sum(map(int, fields[11:15]))  # its own, and of those that have ended and been waited for
    return spent * _TICK_S


def in_session(folder: Path, cores: int, records: int) -> dict[str, Any]:
    """What a session of ``cores`` takes for the nested frame: of unique rows, and of rows that it groups by key."""
    from pyspark.sql import SparkSession

    from fhirmap.spark import SparkProject

    spark = (
        SparkSession.builder.master(f"local[{cores}]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", "2g")
        .config("spark.sql.shuffle.partitions", str(2 * cores))
        .getOrCreate()
    )
    project = SparkProject(engine_of(folder / "sih.sqlite"))
    frame = spark.read.parquet(str(folder / "nested.parquet"))
    found: dict[str, Any] = {}
    few = frame.limit(DISTINCT)
    found["digests"] = [row.digest for row in project.results(few).select("digest").collect()]
    for name, is_unique in (("unique", True), ("by key", False)):
        for part in (frame.limit(10 * DISTINCT).repartition(cores), frame):  # the first is warming up
            results = project.results(part, is_unique=is_unique)
            spent, started = cpu_s(), time.perf_counter()
            results.write.format("noop").mode("overwrite").save()
            found[name] = ((cpu_s() - spent) / records * 1e6, time.perf_counter() - started)
    spark.stop()
    return found


def figures(records: int = RECORDS) -> list[Figure]:
    """Measure and print."""
    measured: list[Figure] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        digests = write_frames(folder, records)
        loop = loop_cpu_us(folder)
        print(f"maps over data frames, {records:,} records; us of CPU time a record, the loop {loop:.1f}")
        for cores in (1, 2):
            command = [sys.executable, "-m", "benchmarks.spark", "--session", name, str(cores), str(records)]
            done = subprocess.run(
                command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, stderr=subprocess.DEVNULL
            )
            found = json.loads(done.stdout)
            assert sorted(found.pop("digests")) == sorted(digests), "Spark and the loop disagree"
            for kind, (cpu, seconds) in found.items():
                print(
                    f"  {cores} core{'s' if cores > 1 else ' '} {kind:8} {cpu:7.1f}"
                    f"  ratio {cpu / loop:.2f}  {records / seconds:8,.0f} records/s"
                )
                job = f"Spark, {kind}, cores: {cores}"
                measured.append(Figure(job, cpu, "us", WANTED_RATIO, BOUND_RATIO, loop, "the loop"))
    return measured


def main(arguments: list[str]) -> int:
    """Measure and print; 1 where it takes more than its bound."""
    if arguments[:1] == ["--session"]:
        print(json.dumps(in_session(Path(arguments[1]), int(arguments[2]), int(arguments[3]))))
        return 0
    return code_of(figures(*map(int, arguments)))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
