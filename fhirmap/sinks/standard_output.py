"""Payloads on standard output, one a line: for a look, or for another program to read."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import BinaryIO

from fhirmap.records import Envelope
from fhirmap.sinks.local_sink import LocalSink
from fhirmap.sinks.ndjson_file import one_line
from fhirmap.sinks.sink import Sink, SinkSettings
from fhirmap.texts import text

__all__ = ["StandardOutput", "open_sink"]


class StandardOutput(LocalSink):
    """Writes each payload as a line and flushes. The stream is not closed: it is not ours."""

    batch_size = 100

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(text("reasons.standard_output"))
        self._stream = stream

    def write(self, envelopes: Sequence[Envelope]) -> None:
        """As lines. Raises: OSError where the reader has gone."""
        for envelope in envelopes:
            self._stream.write(one_line(envelope.payload))
        self._stream.flush()


def open_sink(_settings: SinkSettings) -> Sink:
    """The sink of ``kind = "stdout"``."""
    return StandardOutput(sys.stdout.buffer)
