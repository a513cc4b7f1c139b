"""A file that grows by one line a payload, on the disk before the journal hears of it.

A batch is one ``write`` to a file opened for appending, then one ``fsync``. A line that a killed process left
half-written is cut off when the file is opened again: its record was never settled, so it comes again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fhirmap.errors import ConfigError
from fhirmap.records import Envelope
from fhirmap.sinks.folder_sync import sync_folder
from fhirmap.sinks.local_sink import LocalSink, unwritable
from fhirmap.sinks.sink import Sink, SinkSettings
from fhirmap.texts import Text

__all__ = ["NdjsonFile", "open_sink"]

_TAIL_BYTES = 65_536


class NdjsonFile(LocalSink):
    """Appends payloads to ``path``; the file is readable by its owner alone, for it holds health data."""

    batch_size = 500

    def __init__(self, path: Path) -> None:
        """Raises: DeliveryError FM619 where the file cannot be opened."""
        super().__init__(str(path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            _cut_torn_line(self._descriptor)
            sync_folder(path.parent)
        except OSError as error:
            raise unwritable(self.name, error) from None

    def write(self, envelopes: Sequence[Envelope]) -> None:
        """As lines, which are on the disk when this returns."""
        content = b"".join(one_line(envelope.payload) for envelope in envelopes)
        before = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, content)
            while written < len(content):
                written += os.write(self._descriptor, content[written:])
            os.fsync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, before)
            raise

    def close(self) -> None:
        """Closes the file."""
        os.close(self._descriptor)


def one_line(payload: bytes) -> bytes:
    """The payload as a line. JSON holds no line break within a string, so any that is there is layout."""
    return payload.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"


def _cut_torn_line(descriptor: int) -> None:
    size = os.fstat(descriptor).st_size
    end = size
    while end > 0:
        start = max(0, end - _TAIL_BYTES)
        os.lseek(descriptor, start, os.SEEK_SET)
        newline = os.read(descriptor, end - start).rfind(b"\n")
        if newline >= 0:
            end = start + newline + 1
            break
        end = start
    if end < size:
        os.ftruncate(descriptor, end)


def open_sink(settings: SinkSettings) -> Sink:
    """The sink of ``kind = "ndjson"``.

    Raises: ConfigError FM791 without a path, DeliveryError FM619.
    """
    if settings.path is None:
        raise ConfigError("FM791", what="path", reason=Text("reasons.needs_path"))
    return NdjsonFile(settings.path)
