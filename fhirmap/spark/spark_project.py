"""A project ready for frames: compiled on the driver, run by workers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Self

from pyspark.sql import DataFrame, SparkSession

from fhirmap.diagnostics import Diagnostic
from fhirmap.errors import ProjectError
from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.outcomes import OutcomeMaker
from fhirmap.runner.preview import PreviewMaker
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import located, open_project_source
from fhirmap.source_plan import ChildKind, SourcePlan
from fhirmap.spark.frame_columns import (
    by_keys,
    columns_lacking,
    not_for_frames,
    spark_columns,
    with_columns_read,
)
from fhirmap.spark.frame_rows import POSITION
from fhirmap.spark.project_tables import ProjectTables
from fhirmap.spark.table_frames import TableFrames
from fhirmap.spark.worker import FrameJob, PreviewRows, ResultRows, RowMaker, rows_of
from fhirmap.texts import language

__all__ = ["SparkProject"]


class SparkProject:
    """A project of maps, to be run over data frames.

    Raises: what `build_engine` does; ConfigError FM752 where the map's first model has no `from`.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.plan: SourcePlan = engine.plan
        """What the map reads: the columns and child rows that a frame has."""

    @classmethod
    def of(cls, folder: str | Path) -> Self:
        """The project of a folder, compiled.

        Raises: MapError, ProjectError, ConfigError, each with everything that is wrong.
        """
        return cls(build_engine(load_project(folder)))

    def frame(self, tables: Mapping[str, DataFrame]) -> DataFrame:
        """The frame of the records, as `results` takes it: of tables that are joined as the map says.

        ``tables``: by the names that the map has for them; the first is the model's where it reads a file.

        Raises: ProjectError with each table (FM703) and column (FM704) that is missing, and what frames cannot have
        (FM768); ConfigError FM715 for a condition of the map that Spark refuses.
        """
        self._require_none(not_for_frames(self.plan))
        return TableFrames(self.plan, tables).joined()

    def source_frame(self, spark: SparkSession) -> DataFrame:
        """The frame of the records where the project itself has them: in its databases and files.

        Raises: what `frame` does; ConfigError FM70x-FM71x where they cannot be read, FM710 where Spark lacks the driver
        for a database.
        """
        self._require_none(not_for_frames(self.plan))
        with open_project_source(self._engine.project, self.plan):
            pass  # its layout is as the map says, or this is raised in the words of a run
        return self.frame(ProjectTables(spark, self._engine.project).of(self.plan))

    def results(self, frame: DataFrame, *, is_unique: bool = False) -> DataFrame:
        """The results of a frame, a row for each record. Nothing runs before they are asked for.

        ``frame``: one row a record (or a line of one, where the model has `lines`), its columns called as the plan has
        them, child rows as arrays of structs. ``is_unique``: no two rows have the same key, so that none has to be
        looked for. Columns: see `worker.RESULTS`.

        Raises: ProjectError with each column that the frame lacks (FM704), or that holds no rows where it should, and
        with what frames cannot have (FM768).
        """
        return self._made(frame, ResultRows(OutcomeMaker(self._engine.result, rules=self._engine.rules)), is_unique)

    def previews(self, frame: DataFrame, *, with_columns: bool) -> DataFrame:
        """What `fhirmap preview` counts of the records of a frame. ``with_columns``: and the cells of ``[records]``.
        Columns: see `worker.PREVIEWS`.

        Raises: what `results` does; ProjectError FM743 (a column of ``[records]`` is no FHIRPath).
        """
        return self._made(frame, PreviewRows(PreviewMaker.of(self._engine, with_columns=with_columns)), False)

    def _made(self, frame: DataFrame, made: RowMaker, is_unique: bool) -> DataFrame:
        self._require_none(not_for_frames(self.plan))
        self._require_none(columns_lacking(self.plan, frame.schema))
        rows = with_columns_read(frame, self.plan)
        by_key = not is_unique or any(child.kind is ChildKind.LINES for child in self.plan.shape.children)
        rows = by_keys(rows, self.plan) if by_key else rows.drop(POSITION)
        job = FrameJob(made, self.plan, tuple(rows.columns), language(), by_key)
        # Spark would read names on this way as paths: `Réf.` would be none.
        numbered = rows.toDF(*(f"fhirmap_{number}" for number in range(len(job.names))))
        return numbered.mapInArrow(partial(rows_of, job.pickled()), spark_columns(made.schema))

    @staticmethod
    def _require_none(found: Iterable[Diagnostic]) -> None:
        wrong = [located(entry) for entry in found]
        if wrong:
            raise ProjectError(wrong)
