"""A project ready for frames: compiled on the driver, run by workers."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Self

from pyspark.sql import DataFrame

from fhirmap.errors import ProjectError
from fhirmap.runner.engine import Engine, build_engine
from fhirmap.runner.project_file import load_project
from fhirmap.runner.source import located
from fhirmap.source_plan import SourcePlan
from fhirmap.spark.frame_columns import columns_lacking, spark_columns, with_columns_read
from fhirmap.spark.worker import RESULTS, FrameJob, results_of
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

    def results(self, frame: DataFrame) -> DataFrame:
        """The results of a frame, a row for each record. Nothing runs before they are asked for.

        ``frame``: one row a record, its columns called as the plan has them, child rows as arrays of structs. Columns:
        see `worker.RESULTS`.

        Raises: ProjectError with each column that the frame lacks (FM704), or that holds no rows where it should
        (FM768).
        """
        wrong = [located(entry) for entry in columns_lacking(self.plan, frame.schema)]
        if wrong:
            raise ProjectError(wrong)
        engine = self._engine
        job = FrameJob(engine.result, self.plan, engine.rules, language())
        rows = with_columns_read(frame, self.plan)
        return rows.mapInArrow(partial(results_of, job.pickled()), spark_columns(RESULTS))
