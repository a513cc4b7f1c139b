"""A file that grows by one line a payload, on the disk before the journal hears of it.

A batch is one ``write`` to a file opened for appending, then one ``fsync``. A line that a killed process left
half-written is cut off when the file is opened again: its record was never settled, so it comes again. A file that
holds anything else than lines of objects is not touched: a wrong path may be that of data there is no copy of.
"""

from __future__ import annotations

import json
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
        """Raises: DeliveryError FM619 where the file cannot be opened, or holds something else than results."""
        super().__init__(str(path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            is_own = _ends_with_a_line(self._descriptor)
            sync_folder(path.parent)
        except OSError as error:
            raise unwritable(self.name, error) from None
        if not is_own:
            os.close(self._descriptor)
            raise unwritable(self.name, Text("reasons.other_content"))

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


def _ends_with_a_line(descriptor: int) -> bool:
    """Cut off the line that was half-written; False, and nothing done, where the file holds no lines of objects."""
    size = os.fstat(descriptor).st_size
    start = _last_line(descriptor, size)
    if size and _read(descriptor, 0, 1) != b"{":
        return False
    if start == size:
        return True
    line = _read(descriptor, start, size)
    if line.strip(b"\0") and not line.startswith(b"{"):  # a loss of power may leave zeros
        return False
    if _is_whole(line):
        os.write(descriptor, b"\n")
    else:
        os.ftruncate(descriptor, start)
    return True


def _last_line(descriptor: int, end: int) -> int:
    """Where the line begins that has no end; the end of the file where each has one."""
    while end > 0:
        start = max(0, end - _TAIL_BYTES)
        newline = _read(descriptor, start, end).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _read(descriptor: int, start: int, end: int) -> bytes:
    os.lseek(descriptor, start, os.SEEK_SET)
    found = b""
    while start + len(found) < end and (more := os.read(descriptor, end - start - len(found))):
        found += more
    return found


def _is_whole(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def open_sink(settings: SinkSettings) -> Sink:
    """The sink of ``kind = "ndjson"``.

    Raises: ConfigError FM791 without a path, DeliveryError FM619.
    """
    if settings.path is None:
        raise ConfigError("FM791", what="path", reason=Text("reasons.needs_path"))
    return NdjsonFile(settings.path)
