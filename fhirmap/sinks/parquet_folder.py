"""A folder that grows by one Parquet file a batch, each whole and on the disk before the journal hears of it.

It needs pyarrow. The columns are those of the results of a run on Spark that a sink has.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from fhirmap.errors import ConfigError
from fhirmap.records import Envelope
from fhirmap.sinks.folder_sync import sync_folder
from fhirmap.sinks.local_sink import LocalSink, unwritable
from fhirmap.sinks.sink import Sink, SinkSettings
from fhirmap.texts import Text

__all__ = ["ParquetFolder", "open_sink"]

_OF_SPARK = "_SUCCESS"
"""What Spark leaves in a folder that it has written, and replaces as a whole."""
_UNFINISHED_S = 86_400


class ParquetFolder(LocalSink):
    """Adds files to ``path``: `key`, `resource` (the payload) and `digest` of each record, as texts. Folder and files
    are readable by their owner alone, for they hold health data."""

    batch_size = 5_000

    def __init__(self, path: Path) -> None:
        """Raises: DeliveryError FM619 where nothing can be written there; ConfigError FM797 without pyarrow."""
        super().__init__(str(path))
        try:
            import pyarrow as pa
        except ModuleNotFoundError as error:
            raise ConfigError("FM797", library=error.name, extra="parquet") from None
        self._path = path
        self._schema = pa.schema([(name, pa.string()) for name in ("key", "resource", "digest")])
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(path.parent)
            _sweep(path)
        except OSError as error:
            raise unwritable(self.name, error) from None
        if (path / _OF_SPARK).exists():
            raise unwritable(self.name, Text("reasons.results_of_spark"))

    def write(self, envelopes: Sequence[Envelope]) -> None:
        """As one file, which is on the disk when this returns."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = [(entry.key, entry.payload.decode(), entry.digest) for entry in envelopes]
        columns = [pa.array(cells, pa.string()) for cells in zip(*rows, strict=True)]
        file = self._path / f"part-{uuid4().hex}.parquet"
        # Readers of folders pass over names that begin with a point.
        unfinished = self._path / f".{file.name}"
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                pq.write_table(pa.Table.from_arrays(columns, schema=self._schema), stream)
                stream.flush()
                os.fsync(stream.fileno())
            unfinished.replace(file)
            sync_folder(self._path)
        except OSError:
            for path in (unfinished, file):
                path.unlink(missing_ok=True)
            raise


def _sweep(folder: Path) -> None:
    """Remove the files that killed runs left unfinished: none is written for so long."""
    oldest = time.time() - _UNFINISHED_S
    for path in folder.glob(".part-*.parquet"):
        with suppress(FileNotFoundError):
            if path.lstat().st_mtime < oldest:
                path.unlink()


def open_sink(settings: SinkSettings) -> Sink:
    """The sink of ``kind = "parquet"``.

    Raises: ConfigError FM791 without a path, FM797 without pyarrow; DeliveryError FM619.
    """
    if settings.path is None:
        raise ConfigError("FM791", what="path", reason=Text("reasons.needs_path"))
    return ParquetFolder(settings.path)
