"""A run on Spark: the records of a project's source to a folder of results, and the report of what they came to.

There is no journal, nothing is sent, and every record is mapped each time. What is counted is read back from what was
written, so that no record is mapped twice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain

from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as sql

from fhirmap.errors import ConfigError
from fhirmap.journal import Ledger
from fhirmap.records import Note, Unmapped
from fhirmap.runner.engine import Engine
from fhirmap.runner.project import Project
from fhirmap.runner.report import FaultLine, Report
from fhirmap.runner.unmapped import UnmappedCodes
from fhirmap.runner.verdict import Verdict, note_reason
from fhirmap.spark.output_folder import OutputFolder
from fhirmap.spark.spark_faults import spark_errors_as
from fhirmap.spark.spark_project import SparkProject
from fhirmap.texts import Text

__all__ = ["output_place", "run_on_spark"]

_SENT = (Verdict.SENDABLE, Verdict.NOTED)
_KINDS = ("ndjson", "parquet")


def output_place(project: Project) -> str:
    """Where the results go: ``path`` of the sink, or its ``url`` on a file system that the cluster has.

    Raises: ConfigError FM791 for a sink that sends, or that has no place.
    """
    sink = project.sink
    if sink.kind not in _KINDS:
        raise ConfigError("FM791", variant="frames", kind=sink.kind)
    if sink.path is not None:
        return f"file://{sink.path.resolve()}"
    if "://" not in sink.url:
        raise ConfigError("FM791", what="path", reason=Text("reasons.needs_path"))
    return sink.url


def run_on_spark(engine: Engine, spark: SparkSession) -> Report:
    """Map every record of the project's source and write the results; see `output_place` for the folder.

    `parquet`: parts with the columns of `worker.RESULTS`. `ndjson`: `payloads`, parts of one payload a line, and
    `records`, parts of one JSON object a line: all columns but the payload. The folder is there whole or as it was.

    Raises: what `output_place` and `SparkProject.source_frame` do; ConfigError FM744 where the folder holds something
    else or cannot be written, FM787 where Spark cannot go on.
    """
    project, started_at = engine.project, time.time()
    shown = str(project.sink.path or project.sink.url)
    folder = OutputFolder(spark, output_place(project), shown)
    mapping = SparkProject(engine)
    results = mapping.results(mapping.source_frame(spark))
    try:
        with spark_errors_as("FM787"):
            folder.begin()
            results.write.parquet(folder.part("results"))
            written = spark.read.parquet(folder.part("results"))
            report = _report(engine, written, shown, started_at)
            if project.sink.kind == "parquet":
                folder.move("results")
            else:
                payloads = written.where("resource is not null").select("resource")
                payloads.write.text(folder.part("lines/payloads"))
                written.drop("resource").write.json(folder.part("lines/records"))
                folder.move("lines")
    finally:
        folder.tidy()
    return report


# --- what the records came to -----------------------------------------------------------------------------------------


class _Said(StrEnum):
    """What a record says of itself: its verdict, that it has remarks, a fault, a note, a code that a concept map
    lacks."""

    VERDICT = "verdict"
    REMARKS = "remarks"
    FAULT = "fault"
    NOTE = "note"
    CODE = "code"


def _report(engine: Engine, results: DataFrame, place: str, started_at: float) -> Report:
    verdicts, remarked = Counter[str](), Counter[str]()
    unmapped = UnmappedCodes()
    lines: dict[str, list[FaultLine]] = {verdict: [] for verdict in Verdict}
    for verdict, said, count in _counted(results):
        match said.what:
            case _Said.VERDICT:
                verdicts[verdict] += count
            case _Said.REMARKS:
                remarked[verdict] += count
            case _Said.FAULT:
                fault = FaultLine(count, "", said.text, said.rule, said.position, tuple(said.columns))
                lines[verdict].append(fault)
            case _Said.NOTE if verdict != Verdict.INVALID:
                rule = note_reason(Note("", said.position), engine.rules)
                words = engine.note_words.get(said.position) or rule
                lines[verdict].append(FaultLine(count, "", words, rule, said.position))
            case _Said.CODE if verdict != Verdict.SUPERSEDED:
                unmapped.add((Unmapped(said.rule, said.text),), times=count)
    return Report(
        project=engine.project.name,
        target=engine.project.target_name,
        sink=place,
        run_id=0,
        started_at=started_at,
        finished_at=time.time(),
        ledger=Ledger(
            read=verdicts.total(),
            accepted=sum(verdicts[verdict] for verdict in _SENT),
            invalid=verdicts[Verdict.INVALID],
            out_of_scope=verdicts[Verdict.OUT_OF_SCOPE],
            superseded=verdicts[Verdict.SUPERSEDED],
        ),
        exit_code=1 if verdicts[Verdict.INVALID] else 0,
        invalid=_in_order(lines[Verdict.INVALID]),
        notes=_in_order(chain.from_iterable(lines[verdict] for verdict in _SENT)),
        out_of_scope=_in_order(lines[Verdict.OUT_OF_SCOPE]),
        to_check=sum(remarked[verdict] for verdict in _SENT),
        explained=remarked[Verdict.OUT_OF_SCOPE],
        unmapped=unmapped.tables(),
    )


def _in_order(lines: Iterable[FaultLine]) -> tuple[FaultLine, ...]:
    """The most frequent first."""
    return tuple(sorted(lines, key=lambda line: (-line.count, line.text)))


def _counted(results: DataFrame) -> Iterator[tuple[str, Row, int]]:
    """Each verdict and what its records say, with the number of those that say it: in one pass, and what comes here
    does not grow with the records. Of invalid ones the errors count, of others what is no error."""

    def said(what: _Said, rule: str | Column = "", text: str | Column = "", position: str | Column = "") -> Column:
        return line(what, rule, text, position, sql.array().cast("array<string>"))

    def line(what: _Said, rule: str | Column, text: str | Column, position: str | Column, columns: Column) -> Column:
        cells = {"what": what.value, "rule": rule, "text": text, "position": position, "columns": columns}
        return sql.struct(*(sql.lit(cell).alias(name) for name, cell in cells.items()))

    faults = sql.transform(
        sql.filter("faults", lambda fault: (fault["severity"] == "error") == (sql.col("verdict") == "invalid")),
        lambda fault: line(_Said.FAULT, fault["rule"], fault["message"], fault["position"], fault["columns"]),
    )
    notes = sql.transform("notes", lambda note: said(_Said.NOTE, position=note["position"]))
    codes = sql.transform("unmapped", lambda entry: said(_Said.CODE, entry["concept_map"], entry["code"]))
    has_remarks = sql.size(faults) + sql.size(notes) > 0
    first = sql.filter(
        sql.array(said(_Said.VERDICT), said(_Said.REMARKS)), lambda entry: (entry["what"] == "verdict") | has_remarks
    )
    each = sql.concat(first, sql.array_distinct(faults), sql.array_distinct(notes), codes)
    held = results.select("verdict", sql.explode(each).alias("said")).groupBy("verdict", "said").count()
    for row in held.collect():
        yield row["verdict"], row["said"], row["count"]
