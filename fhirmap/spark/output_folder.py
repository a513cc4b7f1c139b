"""The folder that results are written to, on any file system that Spark knows: there whole, or as it was before."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeAlias
from uuid import uuid4

from pyspark.sql import SparkSession

from fhirmap.errors import ConfigError, JournalError
from fhirmap.journal import RunLock
from fhirmap.spark.spark_faults import spark_errors_as
from fhirmap.texts import Text

__all__ = ["OutputFolder"]

JavaPath: TypeAlias = Any
"""A path of Hadoop's."""

_DONE = "_SUCCESS"
"""The empty file that Spark leaves in a folder which is complete."""
_OWN = "700"
_PART = re.compile(r"\.[0-9a-f]{8}\.part")
"""What is added to the folder's name while it is written."""
_RUN = "run"
"""What a run locks in the folder that it writes, as long as it goes on."""


class OutputFolder:
    """A folder that is written beside its place and moved there at the end. What an earlier run has written is
    replaced. To be entered; at the end what is left beside the folder is removed.

    ``place``: a path with its scheme (`file:///…`, `hdfs://…`); ``shown``: what messages call it. In a machine's own
    files it is for its owner alone, since results identify patients; elsewhere the file system's settings say who may
    read.

    Raises: ConfigError FM744 where something else is there already, or where the file system cannot be reached or
    written.
    """

    def __init__(self, spark: SparkSession, place: str, shown: str) -> None:
        context = spark.sparkContext
        self._jvm = context._jvm
        self._java_path: JavaPath = self._jvm.org.apache.hadoop.fs.Path  # type: ignore[union-attr]
        self._shown = shown
        with spark_errors_as("FM744", shown):
            self._path = self._java_path(place)
            self._files = self._path.getFileSystem(context._jsc.hadoopConfiguration())
            self._beside = self._java_path(self._path.getParent(), f"{self._path.getName()}.{uuid4().hex[:8]}.part")
            is_other = self._files.exists(self._path) and not self._files.exists(self._java_path(self._path, _DONE))
        if is_other:
            raise ConfigError("FM744", variant="results", path=shown)
        self._lock: RunLock | None = None

    def __enter__(self) -> Self:
        """Make the folder beside it."""
        with spark_errors_as("FM744", self._shown):
            self._files.mkdirs(self._beside)
            self._keep_private(self._beside)
        if self._is_local:
            # Locked before it has the name that others look for: they never find it free.
            folder = _local(self._beside)
            self._lock = RunLock(folder / "begun")
            self._lock.acquire()
            (folder / "begun.lock").rename(folder / f"{_RUN}.lock")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Remove what is left beside the folder. Why the run has ended is said before why that cannot be."""
        try:
            with spark_errors_as("FM744", self._shown):
                self._files.delete(self._beside, True)
        except ConfigError:
            if kind is None:
                raise
        finally:
            if self._lock is not None:
                self._lock.release()

    def part(self, name: str) -> str:
        """Where something of this run is written until it is moved or removed."""
        return str(self._java_path(self._beside, name).toString())

    def move(self, name: str) -> None:
        """Put a `part` in the folder's place, and remove what was there before.

        Raises: ConfigError FM744 where it cannot be moved; the place is as it was.
        """
        with spark_errors_as("FM744", self._shown):
            new, old = self._java_path(self._beside, name), self._java_path(self._beside, "before")
            self._files.create(self._java_path(new, _DONE), True).close()
            self._keep_private(new)
            was_there = self._files.exists(self._path)
            moved = not was_there or self._files.rename(self._path, old)
            is_there = moved and self._files.rename(new, self._path)
            if was_there and moved and not is_there:
                self._files.rename(old, self._path)
        if not is_there:
            raise ConfigError("FM744", path=self._shown, reason=Text("system.not_writable"))

    def others(self) -> list[str]:
        """The folders beside it that another run writes or that one has left which was killed, by their names; but for
        those whose run has ended on this machine, which are removed."""
        with spark_errors_as("FM744", self._shown):
            return [str(path.toString()) for path in self._parts() if not (self._is_local and self._removed(path))]

    # --- what others write --------------------------------------------------------------------------------------------

    def _parts(self) -> Iterator[JavaPath]:
        name = self._path.getName()
        for status in self._files.listStatus(self._path.getParent()):
            path = status.getPath()
            found = path.getName()
            if found.startswith(name) and _PART.fullmatch(found[len(name) :]) and found != self._beside.getName():
                yield path

    def _removed(self, path: JavaPath) -> bool:
        """Has this folder of a run been removed, since that run has ended? The system drops the lock of a process that
        dies."""
        folder = _local(path)
        if not (folder / f"{_RUN}.lock").exists():
            return False
        lock = RunLock(folder / _RUN)
        with suppress(JournalError):
            lock.acquire()
            try:
                return bool(self._files.delete(path, True))
            finally:
                lock.release()
        return False

    @property
    def _is_local(self) -> bool:
        return bool(self._files.getScheme() == "file")

    def _keep_private(self, path: JavaPath) -> None:
        if self._is_local:
            own = self._jvm.org.apache.hadoop.fs.permission.FsPermission(_OWN)  # type: ignore[union-attr]
            self._files.setPermission(path, own)


def _local(path: JavaPath) -> Path:
    return Path(str(path.toUri().getPath()))
