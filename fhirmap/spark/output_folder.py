"""The folder that results are written to, on any file system that Spark knows: there whole, or as it was before."""

from __future__ import annotations

from typing import Any, TypeAlias
from uuid import uuid4

from pyspark.sql import SparkSession

from fhirmap.errors import ConfigError
from fhirmap.texts import Text

__all__ = ["OutputFolder"]

JavaPath: TypeAlias = Any
"""A path of Hadoop's."""

_DONE = "_SUCCESS"
"""The empty file that Spark leaves in a folder which is complete."""
_OWN = "700"


class OutputFolder:
    """A folder that is written beside its place and moved there at the end. What an earlier run has written is
    replaced.

    ``place``: a path with its scheme (`file:///…`, `hdfs://…`); ``shown``: what messages call it. In a machine's own
    files it is for its owner alone, since results identify patients; elsewhere the file system's settings say who may
    read.

    Raises: ConfigError FM744 where something else is there already.
    """

    def __init__(self, spark: SparkSession, place: str, shown: str) -> None:
        context = spark.sparkContext
        self._jvm = context._jvm
        self._java_path: JavaPath = self._jvm.org.apache.hadoop.fs.Path  # type: ignore[union-attr]
        self._path = self._java_path(place)
        self._files = self._path.getFileSystem(context._jsc.hadoopConfiguration())
        self._beside = self._java_path(self._path.getParent(), f"{self._path.getName()}.{uuid4().hex[:8]}.part")
        self._shown = shown
        if self._files.exists(self._path) and not self._files.exists(self._java_path(self._path, _DONE)):
            raise ConfigError("FM744", variant="results", path=shown)

    def begin(self) -> None:
        """Make the folder beside it."""
        self._files.mkdirs(self._beside)
        self._keep_private(self._beside)

    def part(self, name: str) -> str:
        """Where something of this run is written until it is moved or removed."""
        return str(self._java_path(self._beside, name).toString())

    def move(self, name: str) -> None:
        """Put a `part` in the folder's place, and remove what was there before.

        Raises: ConfigError FM744 where it cannot be moved; the place is as it was.
        """
        new, old = self._java_path(self._beside, name), self._java_path(self._beside, "before")
        self._files.create(self._java_path(new, _DONE), True).close()
        self._keep_private(new)
        was_there = self._files.exists(self._path)
        moved = not was_there or self._files.rename(self._path, old)
        if not moved or not self._files.rename(new, self._path):
            if was_there and moved:
                self._files.rename(old, self._path)
            raise ConfigError("FM744", path=self._shown, reason=Text("system.not_writable"))

    def tidy(self) -> None:
        """Remove what is left beside the folder."""
        self._files.delete(self._beside, True)

    def _keep_private(self, path: JavaPath) -> None:
        if self._files.getScheme() == "file":
            own = self._jvm.org.apache.hadoop.fs.permission.FsPermission(_OWN)  # type: ignore[union-attr]
            self._files.setPermission(path, own)
