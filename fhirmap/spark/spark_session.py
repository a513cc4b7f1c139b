"""The session that commands run in: how Spark is set up is said where it always is, in `spark-defaults.conf` and in
`PYSPARK_SUBMIT_ARGS`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from fhirmap.runner.engine import Engine
from fhirmap.spark.spark_faults import spark_errors_as

__all__ = ["spark_session"]

_SETTINGS = {
    "spark.sql.legacy.javaCharsets": "true",  # files in cp1252
    # A line of too many or too few cells is found whichever columns are read of it.
    "spark.sql.csv.parser.columnPruning.enabled": "false",
}


@contextmanager
def spark_session(engine: Engine, *, with_log: bool = False) -> Iterator[SparkSession]:
    """A session for the records of a project: one beside that of the program, where there is one; else of its own,
    which is stopped at the end.

    ``with_log``: leave Spark's own log as it is set up; else there is none on this machine, since it may quote cells.

    Raises: ConfigError FM797 where there is no Java that Spark can use.
    """
    # Instants are shown as a database shows them to a run.
    settings = {**_SETTINGS, "spark.sql.session.timeZone": engine.plan.zone or "UTC"}
    around = SparkSession.getActiveSession()
    if around is not None:
        session = around.newSession()
        for name, value in settings.items():
            session.conf.set(name, value)
        yield session
        return
    # Workers of this machine have this very Python; a cluster's have what its settings say.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    # A bar for people who watch, nothing in a file.
    settings["spark.ui.showConsoleProgress"] = str(sys.stderr.isatty()).lower()
    builder = SparkSession.builder.appName(f"fhirmap {engine.project.name}")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with spark_errors_as("FM797"):
        session = builder.getOrCreate()
    if not with_log:
        session.sparkContext.setLogLevel("OFF")
    try:
        yield session
    finally:
        session.stop()
