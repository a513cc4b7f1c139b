"""A run on Spark: the records of a project's source to a folder of results, and the report of what they came to.

There is no journal, nothing is sent, and every record is mapped each time. What is counted is read back from what was
written, so that no record is mapped twice.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from functools import partial

from pyspark.sql import Column, DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as sql

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ConfigError
from fhirmap.journal import Ledger
from fhirmap.records import Note, Unmapped
from fhirmap.runner.engine import Engine
from fhirmap.runner.project import Project
from fhirmap.runner.report import KEYS_SHOWN, FaultLine, Report, SourceWarning
from fhirmap.runner.source import require_other_place
from fhirmap.runner.unmapped import UnmappedCodes
from fhirmap.runner.verdict import Verdict, note_reason
from fhirmap.spark.output_folder import OutputFolder
from fhirmap.spark.spark_faults import spark_errors_as
from fhirmap.spark.spark_project import SparkProject
from fhirmap.texts import Text
from fhirmap.texts.shown_keys import shown_data

__all__ = ["output_place", "run_on_spark"]

_SENT = (Verdict.SENDABLE, Verdict.NOTED)
_KINDS = ("ndjson", "parquet")
_OF_FAULTS = ("code", "rule", "position", "variant", "args", "columns")
_LISTS = {"args": "array<struct<name: string, value: string>>", "columns": "array<string>"}
"""What lists of a fault are in Spark's words."""


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

    Raises: what `output_place`, `require_other_place` and `SparkProject.source_frame` do; ConfigError FM744 where the
    folder holds something else or cannot be written, FM787 where Spark cannot go on.
    """
    project, started_at = engine.project, time.time()
    shown = str(project.sink.path or project.sink.url)
    place = output_place(project)
    require_other_place(project, engine.plan, project.sink.path)
    folder = OutputFolder(spark, place, shown)
    mapping = SparkProject(engine)
    results = mapping.results(mapping.source_frame(spark))
    with folder:
        others = folder.others()
        with spark_errors_as("FM787"):
            results.write.parquet(folder.part("results"))
            written = spark.read.parquet(folder.part("results"))
            report = _report(engine, written, shown, started_at)
            name = "results"
            if project.sink.kind == "ndjson":
                name = "lines"
                payloads = written.where("resource is not null").select("resource")
                payloads.write.text(folder.part("lines/payloads"))
                written.drop("resource").write.json(folder.part("lines/records"))
        folder.move(name)
    return replace(report, warnings=tuple(map(_left_over, others)))


def _left_over(path: str) -> SourceWarning:
    found = Diagnostic("FM744", args={"path": path}, variant="left_over")
    return SourceWarning(found.code, "", found.message, found.hint_text)


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
    lines: dict[tuple[str, FaultLine], int] = {}
    said_of = partial(_fault_line, engine)
    held = _said(results)
    for row in held.groupBy("verdict", "said").count().collect():
        verdict, said, count = row["verdict"], row["said"], row["count"]
        match said.what:
            case _Said.VERDICT:
                verdicts[verdict] += count
            case _Said.REMARKS:
                remarked[verdict] += count
            case _Said.CODE if verdict != Verdict.SUPERSEDED:
                unmapped.add((Unmapped(said.rule, said.text),), times=count)
            case _Said.FAULT:
                lines[verdict, said_of(said)] = count
            case _Said.NOTE if verdict != Verdict.INVALID:
                lines[verdict, said_of(said)] = count
    keys = {(row["verdict"], said_of(row["said"])): tuple(sorted(row["keys"])) for row in _first_keys(held)}
    found = [
        (verdict, replace(line, count=count, keys=keys[verdict, line])) for (verdict, line), count in lines.items()
    ]
    report = Report(
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
        invalid=_in_order(found, Verdict.INVALID),
        notes=_in_order(found, *_SENT),
        out_of_scope=_in_order(found, Verdict.OUT_OF_SCOPE),
        to_check=sum(remarked[verdict] for verdict in _SENT),
        explained=remarked[Verdict.OUT_OF_SCOPE],
        unmapped=unmapped.tables(),
    )
    return shown_data(report)


def _fault_line(engine: Engine, said: Row) -> FaultLine:
    """What is wrong by a fault, or what a note of the map says: that of its record may hold values."""
    if said.what == _Said.NOTE:
        rule = note_reason(Note("", said.position), engine.rules)
        return FaultLine(0, "", engine.note_words.get(said.position) or rule, rule, said.position)
    args = tuple((entry.name, entry.value) for entry in said.args)
    columns = tuple(said.columns)
    return FaultLine(0, said.code, said.text, said.rule, said.position, columns, variant=said.variant, args=args)


def _in_order(found: Iterable[tuple[str, FaultLine]], *verdicts: Verdict) -> tuple[FaultLine, ...]:
    """The lines of these verdicts, the most frequent first."""
    lines = [line for verdict, line in found if verdict in verdicts]
    return tuple(sorted(lines, key=lambda line: (-line.count, line.code, line.text)))


def _said(results: DataFrame) -> DataFrame:
    """What each record says, a row for each. Of invalid records the errors count, of others what is no error."""
    faults = sql.transform(
        sql.filter("faults", lambda fault: (fault["severity"] == "error") == (sql.col("verdict") == "invalid")),
        lambda fault: _line(_Said.FAULT, text=fault["message"], **{name: fault[name] for name in _OF_FAULTS}),
    )
    notes = sql.transform("notes", lambda note: _line(_Said.NOTE, position=note["position"]))
    codes = sql.transform("unmapped", lambda entry: _line(_Said.CODE, rule=entry["concept_map"], text=entry["code"]))
    has_remarks = sql.size(faults) + sql.size(notes) > 0
    first = sql.filter(
        sql.array(_line(_Said.VERDICT), _line(_Said.REMARKS)), lambda entry: (entry["what"] == "verdict") | has_remarks
    )
    each = sql.concat(first, sql.array_distinct(faults), sql.array_distinct(notes), codes)
    return results.select("verdict", "key", sql.explode(each).alias("said"))


def _first_keys(held: DataFrame) -> list[Row]:
    """The first keys of the records with a fault or a note, for each of these."""
    lines = held.where(sql.col("said.what").isin(_Said.FAULT.value, _Said.NOTE.value))
    number = sql.row_number().over(Window.partitionBy("verdict", "said").orderBy("key"))
    first = lines.withColumn("number", number).where(sql.col("number") <= KEYS_SHOWN)
    return first.groupBy("verdict", "said").agg(sql.collect_list("key").alias("keys")).collect()


def _line(what: _Said, **cells: Column) -> Column:
    """What a record says, as a struct: the same for all kinds, so that they can be in one array."""
    nothing = {name: sql.array().cast(kind) for name, kind in _LISTS.items()}
    held = {name: sql.lit("") for name in (*_OF_FAULTS, "text")} | nothing | cells
    return sql.struct(sql.lit(what.value).alias("what"), *(held[name].alias(name) for name in sorted(held)))
