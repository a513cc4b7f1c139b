"""A folder that grows by one Parquet file a batch, each whole and on the disk before the journal hears of it.

It needs pyarrow. The columns are those of the results of a run on Spark that a sink has.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from fhirmap.errors import ConfigError, DeliveryError
from fhirmap.records import Envelope, Receipt, ReceiptState
from fhirmap.sinks.folder_sync import sync_folder
from fhirmap.sinks.sink import Sink, SinkSettings
from fhirmap.texts import Text, os_reason

__all__ = ["ParquetFolder", "open_sink"]

_OF_SPARK = "_SUCCESS"
"""What Spark leaves in a folder that it has written, and replaces as a whole."""


class ParquetFolder:
    """Adds files to ``path``: `key`, `resource` (the payload) and `digest` of each record, as texts. Folder and files
    are readable by their owner alone, for they hold health data."""

    batch_size = 5_000
    is_remote = False

    def __init__(self, path: Path) -> None:
        """Raises: DeliveryError FM619 where nothing can be written there; ConfigError FM797 without pyarrow."""
        try:
            import pyarrow as pa
        except ModuleNotFoundError as error:
            raise ConfigError("FM797", library=error.name, extra="parquet") from None
        self._path = path
        self._schema = pa.schema([(name, pa.string()) for name in ("key", "resource", "digest")])
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(path.parent)
        except OSError as error:
            raise self._unwritable(os_reason(error, "not_writable")) from None
        if (path / _OF_SPARK).exists():
            raise self._unwritable(Text("reasons.results_of_spark"))

    @property
    def name(self) -> str:
        """The path."""
        return str(self._path)

    def prepare(self) -> None:
        """Nothing: it is there."""

    def send(self, envelope: Envelope) -> Receipt:
        """Accepted, once it is on the disk."""
        return self.send_all([envelope])[0]

    def send_all(self, envelopes: Sequence[Envelope]) -> list[Receipt]:
        """Accepted, each of them, once the file that holds them is on the disk.

        Raises: DeliveryError FM619 where it cannot be written; the folder is then as it was before.
        """
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
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise self._unwritable(os_reason(error, "not_writable")) from None
        return [Receipt(ReceiptState.ACCEPTED, "")] * len(envelopes)

    def close(self) -> None:
        """Nothing: each file is closed."""

    def _unwritable(self, reason: str | Text) -> DeliveryError:
        return DeliveryError("FM619", file=str(self._path), reason=reason)


def open_sink(settings: SinkSettings) -> Sink:
    """The sink of ``kind = "parquet"``.

    Raises: ConfigError FM791 without a path, FM797 without pyarrow; DeliveryError FM619.
    """
    if settings.path is None:
        raise ConfigError("FM791", what="path", reason=Text("reasons.needs_path"))
    return ParquetFolder(settings.path)
