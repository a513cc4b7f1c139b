"""One session of Spark on this machine for all tests of a process, with two workers."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.sources.conftest import database, prefix

__all__ = ["database", "prefix"]

_DEBIAN = Path("/usr/share/java")
JDBC_JARS = [
    *map(Path, filter(None, os.environ.get("FHIRMAP_TEST_JDBC_JARS", "").split(os.pathsep))),
    *(path for name in ("postgresql.jar", "mariadb-java-client.jar") if (path := _DEBIAN / name).exists()),
]
"""Drivers of JDBC: those that the environment names, and Debian's."""
EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spark 4.0 leaves the sockets that it reads results from to Python's collector."""
    if find_spec("pyspark") is None or not version("pyspark").startswith("4.0."):
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The session; tests that need it skip without pyspark or Java."""
    pytest.importorskip("pyspark", reason="pyspark is not installed: pip install 'fhirmap[spark]'")
    if sys.platform == "win32":
        pytest.skip("Spark needs more than Java on Windows (winutils)")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java 17 or later, and there is no `java` here")
    from pyspark.sql import SparkSession

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        session = (
            SparkSession.builder.master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.memory", "512m")
            # What Java compiles for programs that go on for hours costs more here than it saves.
            .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
            .config("spark.jars", ",".join(map(str, JDBC_JARS)))
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.hadoop.ipc.client.connect.max.retries", "0")
            .config("spark.sql.session.timeZone", "Europe/Paris")
            .config("spark.sql.legacy.javaCharsets", "true")  # of files in cp1252
            .config("spark.sql.warehouse.dir", str(tmp_path_factory.mktemp("warehouse")))
            .getOrCreate()
        )
        yield session
        session.stop()


@pytest.fixture
def example(tmp_path: Path) -> Any:
    """``example(name)``: a copy of a shipped example."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(EXAMPLES / name, tmp_path / name))

    return copy
