"""A preview on Spark: what the records of a project's source come to, counted, and a line of each in a file of this
machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from fhirmap.records import Unmapped
from fhirmap.runner.engine import Engine
from fhirmap.runner.preview import Previewed, PreviewedRecord, counted_previews
from fhirmap.runner.verdict import Verdict
from fhirmap.spark.spark_faults import spark_errors_as
from fhirmap.spark.spark_project import SparkProject

__all__ = ["preview_on_spark"]


def preview_on_spark(engine: Engine, spark: SparkSession, file: Path | None = None) -> Previewed:
    """As `preview_all` has it, in the order of the keys: a frame has no other.

    Raises: what `preview_all` and `SparkProject.source_frame` do; ConfigError FM787 where Spark cannot go on.
    """
    project = SparkProject(engine)
    previews = project.previews(project.source_frame(spark), with_columns=file is not None)
    columns = [column.name for column in engine.columns] if file is not None else []
    with spark_errors_as("FM787"):
        return counted_previews(_collected(previews), file, columns)


def _collected(previews: DataFrame) -> Iterator[PreviewedRecord]:
    """The previews one partition after the other, so that this machine need not hold them all."""
    for row in previews.orderBy("key", "origin").toLocalIterator():
        yield PreviewedRecord(
            row.key,
            row.origin,
            Verdict(row.verdict),
            tuple(row.reasons),
            {entry.reason: tuple(entry.said) for entry in row.words},
            tuple(Unmapped(entry.concept_map, entry.code) for entry in row.unmapped),
            tuple(row.cells),
        )
