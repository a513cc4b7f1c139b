"""Frames on a real session: the same payloads, faults and verdicts as the records give where they are read."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'fhirmap[spark]'")

import pyarrow as pa

from fhirmap.errors import ProjectError
from fhirmap.records import Record
from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.fault_data import fault_to_data
from fhirmap.runner.outcomes import canonical_json
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import open_project_source
from fhirmap.runner.verdict import classify
from fhirmap.source_plan import RowLayout, SourceKind
from fhirmap.spark import SparkProject

pytestmark = pytest.mark.xdist_group("spark")  # one session for all

DOTTED = """uses "http://hl7.org/fhir/StructureDefinition/Patient" as target
model Row from csv key 'N.' delimiter ',' { id : string 1..1 from 'N.'  text : string 0..1 from 'text`.' }
group row(source src : Row, target tgt : Patient) {
  src.id as v -> tgt.id = v "id";
  src.text as v -> tgt.language = v "text";
}
"""


def here(engine: Engine) -> list[Record]:
    """The records of a project as its own source gives them."""
    with open_project_source(engine.project, engine.plan) as source:
        return list(source.records())


def expected(engine: Engine, record: Record) -> dict[str, Any]:
    """What a frame should say of a record, but for where it was."""
    result = engine.result(record)
    found = classify(record, result, engine.rules)
    is_sent = result.resource is not None and found.verdict.startswith("sendable")
    payload = canonical_json(result.resource) if is_sent and result.resource else None
    return {
        "key": record.key,
        "verdict": found.verdict,
        "reasons": list(found.reasons),
        "resource": payload and payload.decode(),
        "faults": [
            {
                **fault_to_data(fault),
                "variant": fault.variant,
                "args": [{"name": name, "value": str(value)} for name, value in fault.args.items()],
            }
            for fault in result.faults
        ],
        "notes": [{"text": note.text, "position": note.position} for note in result.notes],
        "unmapped": [{"concept_map": entry.concept_map, "code": entry.code} for entry in result.unmapped],
        "digest": payload and hashlib.sha256(payload).hexdigest(),
    }


def said(rows: Iterable[Any]) -> list[dict[str, Any]]:
    """Rows of a frame as `expected` has them."""
    found = [row.asDict(recursive=True) for row in rows]
    return [{name: value for name, value in row.items() if name != "origin"} for row in found]


def by_key(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: (row["key"], row["verdict"], str(row["reasons"])))


def nested(spark: Any, engine: Engine, records: Iterable[Record]) -> Any:
    """A frame of what is read of the records; the columns of joins are in it no more."""

    def read_of(layout: RowLayout, row: Mapping[str, Any]) -> dict[str, Any]:
        found = {column.name: row[column.name] for column in layout.columns if column.element}
        return found | {
            child.key: [read_of(child.shape, below) for below in row[child.key]] for child in layout.children
        }

    shape, (key,) = engine.plan.shape, engine.plan.key
    return spark.createDataFrame(
        pa.Table.from_pylist([{key: record.values[key], **read_of(shape, record.values)} for record in records])
    )


def test_rows_with_child_rows_are_mapped_as_they_are_here(spark: Any, example: Any) -> None:
    folder = example("ch-valmorel")
    engine = build_engine(load_project(folder))
    records = here(engine)
    frame = nested(spark, engine, records)
    results = SparkProject(engine).results(frame)
    shutil.rmtree(folder)  # workers have no files of the project
    rows = results.collect()
    assert by_key(said(rows)) == by_key([expected(engine, record) for record in records])
    assert {row.origin for row in rows} == {f"INTERVENTION id_intervention={record.key}" for record in records}
    assert any(row.faults for row in rows) and any(row.notes for row in rows)


def database_tables(engine: Engine) -> dict[str, pa.Table]:
    """The tables of an example's database that have rows; texts where no row has a value, since Parquet has no column
    without a type."""
    path = engine.project.source_address(engine.plan.source).path
    assert path is not None
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        read = {name: list(map(dict, connection.execute(f"SELECT * FROM {name}"))) for name in names}
    found = {name: pa.Table.from_pylist(rows) for name, rows in read.items() if rows}
    return {name: table.cast(pa.schema(map(typed, table.schema))) for name, table in found.items()}


def typed(field: pa.Field) -> pa.Field:
    return field.with_type(pa.string()) if pa.types.is_null(field.type) else field


def tables_of(spark: Any, engine: Engine) -> dict[str, Any]:
    """The tables of an example as Spark reads them: of a database, whose driver Spark lacks here, as Arrow."""
    plan, address = engine.plan, engine.project.source_address(engine.plan.source)
    if plan.kind == SourceKind.CSV:
        options = {"header": True, "multiLine": True, "escape": '"', "sep": plan.delimiter, "encoding": plan.encoding}
        return {plan.shape.model: spark.read.csv(str(address.path), **options)}
    if plan.kind == SourceKind.JSON:
        return {plan.shape.model: spark.read.json(str(address.path), multiLine=True).selectExpr("inline(cases)")}
    return {name: spark.createDataFrame(table) for name, table in database_tables(engine).items()}


@pytest.mark.parametrize("name", ["ch-valmorel", "clinique-sainte-aubierge", "export-pharmacie"])
def test_the_tables_of_an_establishment_give_what_a_run_would(spark: Any, example: Any, name: str) -> None:
    engine = build_engine(load_project(example(name)))
    records = here(engine)
    project = SparkProject(engine)
    rows = project.results(project.frame(tables_of(spark, engine))).collect()
    assert by_key(said(rows)) == by_key([expected(engine, record) for record in records])


def test_names_that_are_no_paths_of_spark_are_those_of_columns(spark: Any, tmp_path: Path) -> None:
    (tmp_path / "own.map").write_text(DOTTED, encoding="utf-8")
    (tmp_path / "fhirmap.toml").write_text(
        '[project]\nname = "p"\n[map]\nsource = "own.map"\n[source]\nurl = "rows.csv"\n', encoding="utf-8"
    )
    frame = spark.createDataFrame([("a", "fr")], "`N.` string, `text``.` string")
    project = SparkProject.of(tmp_path)
    (alone,) = project.results(frame, is_unique=True).collect()
    (grouped,) = project.results(frame).collect()
    assert alone == grouped
    assert json.loads(alone.resource) == {"resourceType": "Patient", "id": "a", "language": "fr"}


def test_columns_that_a_frame_lacks_are_found_before_anything_runs(spark: Any, example: Any) -> None:
    project = SparkProject.of(example("ch-valmorel"))
    frame = spark.createDataFrame([(1, "R", None)], "id_intervention int, statutt string, poses string")
    with pytest.raises(ProjectError) as caught:
        project.results(frame)
    found = {(entry.code, entry.args["column"]): entry for entry in caught.value.diagnostics}
    assert ("FM768", "poses") in found
    assert found["FM704", "statut"].meant == "statutt"
    assert found["FM704", "statut"].span is not None
    assert {("FM704", "date_debut"), ("FM704", "patient"), ("FM704", "actes")} <= found.keys()
